"""Known ferroelectrics among like compounds: the table, the choice of controls, the ranking, and the whole on toy crystals."""

import dataclasses
import gzip
import json
import os

import pytest
from hysteron.benchmarks import ferroelectric_known
from hysteron.benchmarks.ferroelectric_selection import (
    LIKENESSES,
    Known,
    crystal_of,
    find_controls,
    find_positives,
    read_known,
)
from hysteron.core.candidate import PropertyValue, Verdict
from hysteron.core.contracts import Tools
from hysteron.core.crystals import CrystalRecord, crystals_folder, read_crystals
from hysteron.core.symmetry import is_polar
from materials import barium_titanate_cubic, barium_titanate_tetragonal, silicon
from pymatgen.core import Composition

BARIUM_TITANATE = Known("BaTiO3", 99, None, True, True, "perovskite")


def crystal(structure, name, hull=0.0, gap=2.0):
    """A crystal with labels."""
    record = CrystalRecord(
        name,
        structure.composition.reduced_formula,
        structure.lattice.matrix.tolist(),
        [site.specie.symbol for site in structure],
        structure.frac_coords.tolist(),
        {"e_above_hull": hull, "band_gap": gap},
    )
    return crystal_of(record)


def exchanged(structure, a, b):
    """The perovskite with other cations; only its symmetry and formula matter here."""
    changed = structure.copy()
    changed.replace_species({"Ba": a, "Ti": b})
    return changed


A_SITES = ("Sr", "Ca", "Pb", "Cd", "Mg", "Sn", "Eu")


@pytest.fixture
def perovskites():
    """A positive; and seven formulas, each with a polar and a centric crystal. Lead and tin titanate are of another family."""
    crystals = [
        crystal(barium_titanate_tetragonal(), "polar"),
        crystal(barium_titanate_cubic(), "centric"),
    ]
    for a in A_SITES:
        crystals.append(crystal(exchanged(barium_titanate_tetragonal(), a, "Zr"), f"polar-{a}", 0.02))
        crystals.append(crystal(exchanged(barium_titanate_cubic(), a, "Zr"), f"centric-{a}", 0.01))
    return crystals


def test_the_table_names_polar_groups_and_each_phase_once():
    known = read_known()
    assert sum(phase.agreed for phase in known) > 100
    assert all(is_polar(phase.spacegroup) for phase in known)
    assert len({(phase.formula, phase.spacegroup) for phase in known}) == len(known)


def test_the_table_has_ordered_compounds_and_whole_formula_units():
    for phase in read_known():
        atoms = Composition(phase.formula).num_atoms
        assert atoms == round(atoms), phase
        if phase.primitive_atoms is not None:
            assert phase.primitive_atoms % atoms == 0, phase


def test_a_positive_needs_formula_group_and_stability(perovskites):
    found, absent = find_positives([BARIUM_TITANATE], perovskites)
    assert [one.crystal.id for one in found] == ["polar"]
    assert not absent
    assert find_positives([dataclasses.replace(BARIUM_TITANATE, spacegroup=160)], perovskites)[0] == []
    assert find_positives([dataclasses.replace(BARIUM_TITANATE, agreed=False)], perovskites) == ([], [])
    assert find_positives([dataclasses.replace(BARIUM_TITANATE, primitive_atoms=10)], perovskites)[1] == [
        "BaTiO3 (99)"
    ]
    far = crystal(barium_titanate_tetragonal(), "far", hull=0.3)
    assert find_positives([BARIUM_TITANATE], [far])[0] == []


def test_the_most_stable_of_several_stands_for_a_phase():
    several = [crystal(barium_titanate_tetragonal(), name, hull) for name, hull in (("b", 0.02), ("a", 0.01))]
    found, _ = find_positives([BARIUM_TITANATE], several, [crystal(barium_titanate_tetragonal(), "more")])
    assert [one.crystal.id for one in found] == ["a"]
    found, _ = find_positives([BARIUM_TITANATE], [], several)
    assert [one.crystal.id for one in found] == ["a"]


def test_a_supercell_is_the_same_phase():
    double = crystal(barium_titanate_tetragonal() * (2, 1, 1), "double")
    told = dataclasses.replace(BARIUM_TITANATE, primitive_atoms=5)
    assert [one.crystal.id for one in find_positives([told], [double])[0]] == ["double"]


@pytest.mark.parametrize(
    ("structure", "hull", "gap", "like"),
    [
        (exchanged(barium_titanate_cubic(), "Sr", "Zr"), 0.02, 1.0, True),
        (exchanged(barium_titanate_cubic(), "Sr", "Zr"), 0.12, 1.0, False),
        (exchanged(barium_titanate_cubic(), "Sr", "Zr"), None, 1.0, False),
        (exchanged(barium_titanate_cubic(), "Sr", "Zr"), 0.02, 0.0, False),
        (exchanged(barium_titanate_cubic(), "Sr", "Zr"), 0.02, None, False),
        (exchanged(barium_titanate_cubic(), "Pb", "Zr"), 0.02, 1.0, False),
        (exchanged(barium_titanate_cubic(), "Sr", "Zr") * (2, 1, 1), 0.02, 1.0, False),
        (silicon(), 0.0, 1.0, False),
    ],
)
def test_like_chemistry_size_stability_and_gap(structure, hull, gap, like):
    positive = crystal(barium_titanate_tetragonal(), "positive")
    assert crystal(structure, "other", hull, gap).like(positive) is like


def test_wider_likeness_lets_in_larger_cells_and_other_families():
    positive = crystal(barium_titanate_tetragonal(), "positive")
    double = crystal(exchanged(barium_titanate_cubic(), "Sr", "Zr") * (2, 1, 1), "double")
    lead = crystal(exchanged(barium_titanate_cubic(), "Pb", "Zr"), "lead")
    assert [double.like(positive, one) for one in LIKENESSES] == [False, True, True]
    assert [lead.like(positive, one) for one in LIKENESSES] == [False, False, True]


@pytest.mark.parametrize("kind", ["centric", "polar"])
def test_controls_are_of_their_kind_and_in_no_row_of_the_table(perovskites, kind):
    strontium = Known("SrZrO3", 99, None, False, False, "perovskite")
    positives, _ = find_positives([BARIUM_TITANATE], perovskites)
    (group,) = find_controls(positives, perovskites, [BARIUM_TITANATE, strontium], kind, 20, seed=0)
    assert {one.id for one in group.controls} == {f"{kind}-{a}" for a in A_SITES if a != "Sr"}


def test_the_nearest_controls_come_first(perovskites):
    positives, _ = find_positives([BARIUM_TITANATE], perovskites)
    (group,) = find_controls(positives, perovskites, [BARIUM_TITANATE], "polar", 5, seed=0)
    assert {one.id for one in group.controls} == {f"polar-{a}" for a in ("Sr", "Ca", "Cd", "Mg", "Eu")}


def test_no_formula_is_a_control_twice_and_positives_share(perovskites):
    second = Known("BaTiO3", 123, None, True, True, "toy")
    positives, _ = find_positives([BARIUM_TITANATE], perovskites)
    twice = [*positives, dataclasses.replace(positives[0], known=second)]
    groups = find_controls(twice, perovskites, [BARIUM_TITANATE], "polar", 20, seed=0)
    formulas = [one.formula for group in groups for one in group.controls]
    assert len(set(formulas)) == len(formulas) == len(A_SITES)
    assert min(len(group.controls) for group in groups) >= 2
    again = find_controls(twice, perovskites, [BARIUM_TITANATE], "polar", 20, seed=0)
    assert [one.id for group in again for one in group.controls] == [
        one.id for group in groups for one in group.controls
    ]


class ToyScreen:
    """Scores barium and strontium compounds high; nothing centric passes."""

    name = "toy"

    def __init__(self):
        self.measured = []

    def measure(self, candidates, tools):
        """Adds a polarization."""
        self.measured += [one.candidate_id for one in candidates]
        value = [
            1.0 if {"Ba", "Sr"} & {e.symbol for e in one.structure.elements} else 0.5 for one in candidates
        ]
        return [
            one.with_property(PropertyValue("polarization", v, "uC/cm^2", "toy"))
            for one, v in zip(candidates, value, strict=True)
        ]

    def judge(self, candidate):
        """By that polarization."""
        polar = candidate.candidate_id.startswith("polar")
        score = float(candidate.value("polarization"))
        return Verdict(self.name, polar, score if polar else 0.0, None, None, "toy", {})


@pytest.fixture
def world(tmp_path, monkeypatch, perovskites):
    """A data folder of the perovskites, without DFT pairs, and a toy screen."""
    (tmp_path / "crystals").mkdir()
    with gzip.open(tmp_path / "crystals" / "mp_structures_train_00.jsonl.gz", "wt") as lines:
        for one in perovskites:
            lines.write(json.dumps(dataclasses.asdict(one.record) | one.record.labels) + "\n")
    screen = ToyScreen()
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(ferroelectric_known, "read_preferred", lambda folder: [])
    monkeypatch.setattr(ferroelectric_known, "read_unlabelled", lambda folder: [])
    monkeypatch.setattr(ferroelectric_known, "screens", lambda seed: ("toy", lambda candidate: screen))
    monkeypatch.setattr(ferroelectric_known, "read_known", lambda: [BARIUM_TITANATE])
    return screen


def test_both_tables_on_toy_crystals(world):
    found = ferroelectric_known.run(tools=Tools())
    assert json.loads(json.dumps(found)) == found
    assert found["positives_at_hand"] == found["positives_in_table"] == 1
    assert found["positives"][0]["material_id"] == "polar"
    centric, polar = found["centric"], found["polar"]
    assert centric["n_controls"] == polar["n_controls"] == 7
    assert centric["enrichment_top_decile"] == pytest.approx(centric["ceiling"]) == pytest.approx(8)
    assert polar["enrichment_top_decile"] == pytest.approx(4)  # strontium zirconate stands beside it
    assert centric["baselines"]["polar_first"]["enrichment_top_decile"] == pytest.approx(8)
    assert polar["baselines"]["polar_first"]["enrichment_top_decile"] == pytest.approx(1)
    assert polar["baselines"]["random"]["enrichment_top_decile"] == pytest.approx(1)
    assert polar["controls_by_likeness"] == {
        "same family, atoms within a factor of 1.5": 5,
        "same kind of anion, atoms within a factor of 3": 2,
    }
    assert polar["passed"] == {"positives": 1, "controls": 7}


def test_what_was_measured_is_kept_when_resuming(world):
    first = ferroelectric_known.run()
    polar = [name for name in world.measured if name.startswith("polar")]
    assert len(polar) == 8
    world.measured.clear()
    assert ferroelectric_known.run(resume=True) == first
    assert not any(name.startswith("polar") for name in world.measured)
    ferroelectric_known.run()
    assert len([name for name in world.measured if name.startswith("polar")]) == 8


@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder")
def test_known_ferroelectrics_are_in_the_data():
    wanted = {"BaTiO3", "LiNbO3", "HfO2", "SbSI"}
    crystals = [crystal_of(one) for one in read_crystals(crystals_folder()) if one.reduced_formula in wanted]
    found, _ = find_positives([one for one in read_known() if one.formula in wanted], crystals)
    assert {(one.crystal.formula, one.crystal.symmetry.tight) for one in found} == {
        ("BaTiO3", 99),
        ("BaTiO3", 38),
        ("BaTiO3", 160),
        ("LiNbO3", 161),
        ("HfO2", 29),
        ("SbSI", 33),
    }
