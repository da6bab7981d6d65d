"""The figures of the generation benchmark on crystals that are known."""

import math

import materials
import numpy as np
import pytest
from hysteron.benchmarks.generation_chemistry import chemistry, is_neutral
from hysteron.benchmarks.generation_displacement import (
    root_mean_square_displacement,
    volume_change,
)
from hysteron.benchmarks.generation_figures import (
    Made,
    Outcome,
    displacement,
    distinct,
    groups_after,
    groups_as_made,
    is_sound,
    novelty,
    outcomes_of,
    stability,
    sun,
    symmetry_of,
    validity,
)
from hysteron.benchmarks.generation_intervals import (
    claim,
    difference,
    median,
    ratio,
    ratio_of_medians,
    share,
    wilson,
)
from hysteron.benchmarks.generation_reference import Loose, loosely_distinct
from hysteron.benchmarks.generation_types import type_of
from hysteron.core.contracts import HullDistance, Relaxation
from hysteron.core.errors import HullError
from hysteron.retrieval.known import KnownCrystals
from pymatgen.core import Lattice, Structure

ROUNDING = 1e-9


def turned(structure, degrees=40.0, axis=(1, 2, 3)):
    from pymatgen.core.operations import SymmOp

    other = structure.copy()
    other.apply_operation(SymmOp.from_axis_angle_and_translation(axis, degrees))
    return other


def shifted(structure, by=(0.3, 0.45, 0.62)):
    other = structure.copy()
    other.translate_sites(range(len(other)), by, to_unit_cell=True)
    return other


def at_rest(structure, energy=-1.0, steps=3):
    return Relaxation(structure, energy, 0.01, steps, True)


def failed():
    return Relaxation(None, None, None, 5, False, "exploded")


def outcome(before, after=None, height=0.0):
    made = Made(before, symmetry_of(before, 0.01)[0])
    return Outcome(made, failed() if after is None else at_rest(after), None if after is None else height)


@pytest.mark.parametrize(
    "name", ["barium_titanate_tetragonal", "sodium_chloride", "zinc_oxide", "lithium_niobate"]
)
def test_a_rigid_motion_is_no_displacement(name):
    crystal = getattr(materials, name)()
    for same in (crystal, shifted(crystal), turned(crystal), turned(shifted(crystal), 170.0)):
        assert root_mean_square_displacement(crystal, same) < 1e-6
        assert volume_change(crystal, same) == pytest.approx(0, abs=ROUNDING)


def test_strain_is_no_displacement_but_a_change_of_volume():
    crystal = materials.zinc_oxide()
    wide = crystal.copy()
    wide.apply_strain([0.02, 0.02, -0.01])
    assert root_mean_square_displacement(crystal, wide) < 1e-6
    assert volume_change(crystal, wide) == pytest.approx(1.02**2 * 0.99 - 1)


def test_one_of_five_atoms_moves():
    crystal = materials.barium_titanate_cubic()
    moved = crystal.copy()
    moved.translate_sites([1], [0, 0, 0.3], frac_coords=False)
    # About the mean of all: one atom by 4/5, four by 1/5 of 0.3 A.
    expected = 0.3 * math.sqrt((0.8**2 + 4 * 0.2**2) / 5)
    assert root_mean_square_displacement(crystal, moved) == pytest.approx(expected)
    assert root_mean_square_displacement(moved, crystal) == pytest.approx(expected)
    assert root_mean_square_displacement(crystal, turned(shifted(moved))) == pytest.approx(expected)


def test_supercell_and_skewed_cell_move_alike():
    crystal = materials.barium_titanate_tetragonal()
    steps = np.random.default_rng(0).normal(0, 0.015, (5, 3))
    moved = Structure(crystal.lattice, crystal.species, crystal.frac_coords + steps)
    expected = root_mean_square_displacement(crystal, moved)
    assert 0.05 < expected < 0.15
    for cell in ([2, 1, 3], [[1, 0, 0], [1, 1, 0], [3, -2, 1]]):
        assert root_mean_square_displacement(crystal * cell, moved * cell) == pytest.approx(expected)


def test_an_atom_that_crosses_the_wall_has_moved_little():
    crystal = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0.01, 0, 0], [0.5, 0.5, 0.5]])
    moved = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0.99, 0, 0], [0.5, 0.5, 0.5]])
    assert root_mean_square_displacement(crystal, moved) == pytest.approx(0.02 * 4 / 2)


def test_other_atoms_are_refused():
    with pytest.raises(ValueError, match="same order"):
        root_mean_square_displacement(materials.strontium_titanate(), materials.barium_titanate_cubic())


def test_soundness():
    assert is_sound(materials.silicon())
    near = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.12, 0, 0]])  # 0.48 A
    apart = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.13, 0, 0]])  # 0.52 A
    on_one_place = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0]])
    own_image = Structure(Lattice.orthorhombic(0.4, 5, 5), ["Na"], [[0, 0, 0]])
    flat = Structure(Lattice.orthorhombic(0.4, 0.4, 0.4), ["Na"], [[0, 0, 0]])
    assert [is_sound(s) for s in (near, apart, on_one_place, own_image, flat)] == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert validity([near, apart])["share"] == 0.5


def test_group_as_made_by_tolerance():
    polar = materials.barium_titanate_tetragonal()
    found = groups_as_made([Made(polar, 99), Made(polar, 221)])
    assert found["symprec_0.01_A"]["hits"] == 1
    # The titanium stands 0.09 A from the centre: at 0.1 A the crystal is cubic.
    assert found["symprec_0.1_A"]["hits"] == 1


def test_what_becomes_of_the_group():
    cubic, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    results = [
        outcome(polar, polar),
        outcome(polar, cubic),
        outcome(cubic, polar),
        outcome(polar),
        outcome(shifted(polar), turned(polar)),
    ]
    fine = groups_after(results)["symprec_0.01_A"]
    assert {name: figure["hits"] for name, figure in fine.items()} == {
        "kept": 2,
        "polar": 3,
        "polar_and_not_fallen_to_P1": 3,
        "raised": 1,
        "lowered": 1,
        "other": 0,
        "not_at_rest": 1,
    }
    assert all(figure["n"] == 5 for figure in fine.values())


def test_unique_and_novel():
    cubic, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    salt, oxide = materials.sodium_chloride(), materials.magnesium_oxide()
    known = KnownCrystals([("a", cubic), ("b", salt)])
    crystals = [cubic, turned(shifted(cubic)), polar, polar * [1, 1, 2], salt, oxide]
    found = novelty(crystals, known, frozenset({"BaTiO3", "NaCl"}))
    hits = {name: figure["hits"] for name, figure in found.items()}
    assert hits == {"unique": 4, "novel": 3, "unique_and_novel": 2, "novel_by_formula": 1}
    # Whatever the group is, the polar crystal is the cubic one.
    assert sum(distinct(crystals)) == 4
    assert loosely_distinct(crystals) == [True, False, False, False, True, True]
    loose = Loose(lambda formula: [("a", cubic)] if formula == "BaTiO3" else [])
    assert novelty(crystals, loose, frozenset())["novel"]["hits"] == 2


class FlatHull:
    """Every compound at -1 eV/atom is on it; magnesium has no reference."""

    name = potential_name = "flat"

    def distances(self, items):
        return [
            HullError("no Mg") if "Mg" in composition else HullDistance(energy + 1, None, ())
            for composition, energy, _ in items
        ]


def test_stability_keeps_everything_in_the_denominator():
    salt, oxide = materials.sodium_chloride(), materials.magnesium_oxide()
    made = [Made(salt, 225), Made(salt, 225), Made(salt, 225), Made(oxide, 225), Made(salt, 225)]
    restless = Relaxation(salt, -9.0, 1.0, 300, False, None, "Not converged.")
    relaxations = [at_rest(salt, -0.95), at_rest(salt, -0.2), failed(), at_rest(oxide, -5.0), restless]
    results = outcomes_of(made, relaxations, FlatHull())
    assert [o.height for o in results] == [pytest.approx(0.05), pytest.approx(0.8), None, None, None]
    found = stability(results, seed=0)
    assert found["within_0.1_eV_per_atom"]["share"] == 0.2
    assert found["within_0_eV_per_atom"]["hits"] == found["far_below_the_hull"]["hits"] == 0
    assert found["at_rest"]["hits"] == 3
    assert (found["failed"], found["not_at_rest"], found["without_a_hull"]) == (1, 1, 1)
    assert found["energy_above_hull_eV_per_atom"]["median"] is None  # three of five have none
    assert found["of_those_at_rest_eV_per_atom"]["median"] == pytest.approx(0.425)


def test_what_is_beyond_doubt():
    polar, cubic = materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
    assert outcome(cubic, cubic, 0.0).is_beyond_doubt
    assert not outcome(cubic, cubic, -0.2).is_beyond_doubt  # a phase is missing
    assert not outcome(polar, cubic, 0.0).is_beyond_doubt  # the relaxer made it
    assert not outcome(cubic).is_beyond_doubt


def test_sun_counts_a_crystal_once_and_only_metastable_novel_ones():
    cubic, salt, oxide = (
        materials.barium_titanate_cubic(),
        materials.sodium_chloride(),
        materials.magnesium_oxide(),
    )
    silicon = materials.silicon()
    known = KnownCrystals([("b", salt)])
    results = [
        outcome(cubic, cubic, 0.02),
        outcome(cubic, turned(shifted(cubic)), 0.02),
        outcome(salt, salt, 0.0),
        outcome(oxide, oxide, 0.2),
        outcome(silicon, silicon, 0.1),
        outcome(silicon),
    ]
    found = sun(results, known)
    assert (found["hits"], found["n"], found["repeats_left_out"]) == (2, 6, 1)
    assert found["per_1000_relaxations"] == pytest.approx(1000 / 3)


def test_displacement_of_a_set():
    crystal = materials.barium_titanate_tetragonal()
    found = displacement([outcome(crystal, shifted(crystal)), outcome(crystal)], seed=0)
    assert found["at_rest_A"]["median"] == pytest.approx(0, abs=1e-6)
    assert found["all_A"]["median"] is None
    assert found["all_A"]["n"] == 2


def test_smact_tables():
    assert is_neutral("BaTiO3", "icsd24", balanced=True)
    assert not is_neutral("NaCl2", "smact14")
    assert not is_neutral("MgZn2", "smact14", balanced=True)
    assert is_neutral("MgZn2", "smact14", balanced=True, alloys=True)
    found = chemistry(["NaCl", "NaCl", "NaCl2"])
    assert found["smact14"]["and_balanced"]["hits"] == 2
    assert "by construction" in found["icsd24"]["note"]


def test_intervals_of_shares():
    # Newcombe (1998), table I: 81 of 263 and 15 of 148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert share(0, 0)["share"] is None
    assert wilson(10, 10)[1] == 1.0
    # Newcombe (1998), table II, method 10: 56 of 70 against 48 of 80.
    found = difference(56, 70, 48, 80)
    assert found["difference"] == pytest.approx(0.2)
    assert found["interval_95"] == pytest.approx([0.0524, 0.3339], abs=5e-5)


def test_intervals_of_medians_and_ratios():
    values = np.random.default_rng(1).normal(5, 1, 400)
    found = median(values, seed=0)
    low, high = found["interval_95"]
    assert low < found["median"] < high
    assert high - low == pytest.approx(2 * 1.96 * 1.2533 / 20, rel=0.35)  # of a normal median
    assert median([1, 2, math.inf], seed=0)["median"] == 2
    assert median([1, math.inf, math.inf], seed=0)["median"] is None
    found = ratio(300, 1000, 100, 1000, seed=0)
    low, high = found["interval_95"]
    assert found["ratio"] == pytest.approx(3)
    assert (low, high) == pytest.approx((2.45, 3.7), abs=0.15)
    assert ratio(5, 10, 0, 10, seed=0)["ratio"] is None


def test_a_claim_says_by_how_much_it_is_missed():
    line = claim("x", share(30, 100), 0.35, baseline=0.1)
    assert (line["target"], line["met"], line["missed_by"]) == (">= 0.35", False, pytest.approx(0.05))
    assert line["baseline"] == 0.1
    line = claim("y", median([0.1, 0.2, 0.3], 0), 0.25, at_most=True)
    assert (line["target"], line["met"], line["missed_by"]) == ("<= 0.25", True, 0.0)
    assert claim("z", share(1, 2))["met"] is None


def test_structure_types():
    cubic, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    assert (
        type_of(cubic) == type_of(materials.strontium_titanate()) == type_of(shifted(cubic, (0.5, 0.5, 0.5)))
    )
    assert type_of(polar) == type_of(materials.lead_titanate()) != type_of(cubic)
    assert type_of(materials.sodium_chloride()) == type_of(materials.magnesium_oxide())
    assert type_of(materials.titania_rutile()) == type_of(materials.vanadia_rutile())
    swapped = materials.sodium_chloride()
    swapped.replace_species({"Na": "Cl", "Cl": "Na"})
    assert type_of(swapped) == type_of(materials.sodium_chloride())
    assert type_of(cubic).startswith("ABC3|221|")


def test_ratio_of_timings():
    found = ratio_of_medians([20.0, 22.0, 21.0], [10.0, 10.5, 11.0], seed=0)
    assert found["ratio"] == 2.0
    low, high = found["interval_95"]
    assert low < 2 < high
    assert ratio_of_medians([1.0], [0.0], seed=0)["ratio"] is None
