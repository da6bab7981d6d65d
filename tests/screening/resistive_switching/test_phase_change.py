"""Phase change: the descriptors of known phase-change crystals, of others, and their invariances."""

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.screening.resistive_switching.phase_change import (
    DISCLAIMER,
    HEADLINE,
    MECHANISM,
    WEIGHT,
    PhaseChangeConfig,
    judge_phase_change,
    octahedral_share,
    p_electrons,
    vacancy_share,
)
from hysteron.screening.resistive_switching.verdict import judged
from pymatgen.core import Composition, Lattice, Structure

LARGEST = PhaseChangeConfig().angle_deviation_max


def antimony_telluride() -> Structure:
    """R-3m; a = 4.264, c = 30.458 A, z = 0.3988 and 0.7869 (Anderson and Krause, Acta Cryst. B 30, 1307 (1974))."""
    return Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(4.264, 30.458),
        ["Sb", "Te", "Te"],
        [[0, 0, 0.3988], [0, 0, 0.7869], [0, 0, 0]],
    )


def antimony() -> Structure:
    """R-3m; a = 4.307, c = 11.273 A, z = 0.2335 (Barrett et al., Acta Cryst. 16, 451 (1963))."""
    return Structure.from_spacegroup("R-3m", Lattice.hexagonal(4.307, 11.273), ["Sb"], [[0, 0, 0.2335]])


def rock_salt(cation, anion, a):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def zinc_blende(cation, anion, a):
    return Structure.from_spacegroup(
        "F-43m", Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )


PHASE_CHANGE = {
    "GeTe": materials.germanium_telluride(),
    "SnTe": rock_salt("Sn", "Te", 6.327),
    "Sb2Te3": antimony_telluride(),
    "Sb": antimony(),
}
OTHERS = {
    "Si": materials.silicon(),
    "NaCl": materials.sodium_chloride(),
    "SrTiO3": materials.strontium_titanate(),
    "ZnS": zinc_blende("Zn", "S", 5.409),
    "InSb": zinc_blende("In", "Sb", 6.479),
    "PbS": rock_salt("Pb", "S", 5.936),
    "MgO": materials.magnesium_oxide(),
}


def told(structure, above_hull=0.0):
    candidate = Candidate("one", structure).with_property(
        PropertyValue("energy_above_hull", above_hull, "eV/atom", "toy")
    )
    config = PhaseChangeConfig()
    criteria = judge_phase_change(candidate, {}, config, "screen")
    return judged(MECHANISM, criteria, config.required, HEADLINE, WEIGHT)


def by_name(structure):
    return {one.name: one for one in told(structure).criteria}


@pytest.mark.parametrize("name", PHASE_CHANGE)
def test_known_phase_change_crystals_pass(name):
    found = told(PHASE_CHANGE[name])
    assert found.status == "passed"
    assert found.verdict.score == pytest.approx(WEIGHT)


@pytest.mark.parametrize("name", OTHERS)
def test_others_fail(name):
    assert told(OTHERS[name]).status == "failed"


def test_every_criterion_is_flagged_and_the_verdict_says_that_it_rests_on_descriptors():
    found = told(PHASE_CHANGE["GeTe"])
    assert all(one.flagged for one in found.criteria)
    assert DISCLAIMER in found.verdict.reason


@pytest.mark.parametrize(
    ("formula", "electrons", "empty"),
    [
        ("GeTe", 3, 0),
        ("Ge2Sb2Te5", 10 / 3, 0.1),  # a fifth of the cation sites: one of ten (Wuttig et al. 2007)
        ("GeSb2Te4", 24 / 7, 1 / 8),
        ("Sb2Te3", 3.6, 1 / 6),
        ("Si", 2, -0.5),
        ("SrTiO3", 2.4, -0.25),
        ("NaCl", 2.5, -0.2),
    ],
)
def test_the_count_of_electrons_gives_the_vacancies_of_rock_salt(formula, electrons, empty):
    count = p_electrons(Composition(formula).get_el_amt_dict())
    assert count == pytest.approx(electrons)
    assert vacancy_share(count) == pytest.approx(empty)


def test_why_the_others_fail():
    assert by_name(OTHERS["PbS"])["ionicity"].status == "failed"
    assert by_name(OTHERS["NaCl"])["ionicity"].status == "failed"
    assert by_name(OTHERS["Si"])["hybridisation"].status == "failed"
    assert by_name(OTHERS["InSb"])["octahedral_share"].value == 0


def test_an_element_without_radii_is_not_judged_by_its_bonds():
    crystal = materials.germanium_telluride()
    crystal.replace_species({"Ge": "Tl"})
    crystal.replace_species({"Te": "I"})  # thallium iodide: three p electrons
    found = by_name(crystal)
    assert found["p_electrons"].passed
    assert found["ionicity"].status == found["hybridisation"].status == "missing"
    assert "Tl" in found["ionicity"].sentence
    assert told(crystal).status == "not judged"


def test_a_phase_far_above_the_hull_fails():
    assert told(PHASE_CHANGE["GeTe"], above_hull=0.3).status == "failed"


def test_octahedra_of_known_crystals():
    assert octahedral_share(OTHERS["NaCl"], 0.1) == 1
    assert octahedral_share(OTHERS["Si"], LARGEST) == 0
    assert octahedral_share(materials.germanium_telluride(), 0.1) == 0  # distorted
    assert octahedral_share(materials.germanium_telluride(), LARGEST) == 1
    assert octahedral_share(materials.iron_one_atom(), LARGEST) == 0  # eight neighbours
    assert octahedral_share(rock_salt("Ge", "Te", 6.0).get_primitive_structure(), 0.1) == 1


def test_a_disordered_crystal_is_not_judged_by_its_octahedra():
    assert by_name(materials.disordered_alloy())["octahedral_share"].status == "missing"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_rotation_origin_and_order_of_atoms_change_nothing(seed):
    rng = np.random.default_rng(seed)
    crystal = antimony_telluride()
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(len(crystal))
    moved = Structure(
        Lattice(crystal.lattice.matrix @ axes.T),
        [crystal[int(i)].specie for i in order],
        crystal.frac_coords[order] + rng.random(3),
    )
    assert octahedral_share(moved, LARGEST) == octahedral_share(crystal, LARGEST)


@pytest.mark.parametrize("scaling", [[2, 1, 1], [[1, 1, 0], [0, 1, 0], [0, 0, 2]]])
def test_a_supercell_changes_nothing(scaling):
    for crystal in (materials.germanium_telluride(), antimony_telluride(), materials.iron_one_atom()):
        assert octahedral_share(crystal * scaling, LARGEST) == octahedral_share(crystal, LARGEST)
