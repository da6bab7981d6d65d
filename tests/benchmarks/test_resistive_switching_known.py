"""Known switches among like compounds: the table, the choice of controls, and the ranking on toy crystals."""

import csv
import dataclasses
import gzip
import json
import os
from importlib import resources

import pytest
from hysteron.benchmarks import enrichment, resistive_switching_known
from hysteron.benchmarks.ferroelectric_selection import LIKENESSES, crystal_of
from hysteron.benchmarks.resistive_switching_known import known_row
from hysteron.benchmarks.resistive_switching_selection import (
    TABLE,
    KnownSwitch,
    find_controls,
    find_positives,
    is_like,
    read_known,
)
from hysteron.core.candidate import PropertyValue, Verdict
from hysteron.core.crystals import CrystalRecord, crystals_folder, read_crystals
from hysteron.core.settings import Settings
from materials import barium_titanate_cubic, silicon, titania_rutile, vanadia_rutile
from pymatgen.core import Composition

TITANIA = KnownSwitch("TiO2", 136, ("VCM",), True, True)
MECHANISMS = {"VCM", "ECM", "PCM", "MIT", "ECRAM", "halide", "layered"}
ROWS = list(
    csv.DictReader(resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8").splitlines())
)


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


def rutile(cation, name=None, **labels):
    """Rutile with another cation; only its symmetry and formula matter here."""
    changed = titania_rutile()
    changed.replace_species({"Ti": cation})
    return crystal(changed, name or f"rutile-{cation}", **labels)


CATIONS = ("V", "Zr", "Hf", "Nb", "Mo", "Sn", "Pb")
"""The last two are of another family: their oxides are of p-block metals."""


@pytest.fixture
def oxides():
    """Titania, and seven other rutiles."""
    return [rutile("Ti", hull=0.02), *(rutile(cation, hull=0.01) for cation in CATIONS)]


def test_the_table_names_each_formula_once_and_mechanisms_that_exist():
    known = read_known()
    assert len({one.formula for one in known}) == len(known)
    assert {name for one in known for name in one.mechanisms} == MECHANISMS
    assert sum(one.agreed for one in known) > 80
    assert all(one.spacegroup is None or 1 <= one.spacegroup <= 230 for one in known)


def test_the_table_holds_ordered_compounds_without_hydrogen():
    for one in read_known():
        amounts = Composition(one.formula).get_el_amt_dict()
        assert "H" not in amounts, one
        assert all(n == round(n) for n in amounts.values()), one


def test_what_is_verified_names_what_was_read_and_all_rows_have_a_source():
    for row in ROWS:
        assert row["agreed"] in ("yes", "no"), row
        assert row["verified"] in ("yes", "no"), row
        assert row["source"], row
        assert row["how"], row
        assert (row["how"] == "not checked") <= (row["verified"] == "no"), row
        assert row["verified"] == "no" or row["agreed"] == "yes", row


def test_a_positive_needs_formula_group_and_stability(oxides):
    found, absent = find_positives([TITANIA], oxides)
    assert [one.crystal.id for one in found] == ["rutile-Ti"]
    assert not absent
    assert find_positives([dataclasses.replace(TITANIA, spacegroup=141)], oxides) == ([], ["TiO2"])
    assert find_positives([dataclasses.replace(TITANIA, agreed=False)], oxides) == ([], [])
    assert find_positives([TITANIA], [rutile("Ti", hull=0.3)])[1] == ["TiO2"]
    assert find_positives([TITANIA], [rutile("Ti", hull=None)])[1] == ["TiO2"]


def test_the_most_stable_of_several_stands_for_a_material(oxides):
    several = [*oxides, rutile("Ti", "lower", hull=0.001), rutile("Ti", "other", hull=0.001)]
    found, _ = find_positives([dataclasses.replace(TITANIA, spacegroup=None)], several)
    assert [one.crystal.id for one in found] == ["lower"]


@pytest.mark.parametrize(
    ("other", "like"),
    [
        (rutile("Zr", hull=0.05, gap=3.0), [True, True, True]),
        (rutile("Zr", hull=0.05, gap=0.0), [True, True, True]),  # a metal may be like an insulator
        (rutile("Zr", hull=0.05, gap=None), [True, True, True]),
        (rutile("Zr", hull=0.11), [False, False, False]),
        (rutile("Zr", hull=None), [False, False, False]),
        (crystal(vanadia_rutile() * (2, 1, 1), "double"), [False, True, True]),
        (crystal(vanadia_rutile() * (2, 2, 1), "fourfold"), [False, False, False]),
        (rutile("Sn"), [False, False, True]),
        (crystal(silicon(), "silicon"), [False, False, False]),
        (crystal(barium_titanate_cubic(), "three elements"), [False, False, False]),
    ],
    ids=lambda value: getattr(value, "id", ""),
)
def test_like_chemistry_size_and_stability(other, like):
    positive = rutile("Ti")
    assert [is_like(other, positive, one) for one in LIKENESSES] == like


def test_controls_are_in_no_row_of_the_table_and_the_nearest_come_first(oxides):
    vanadia = KnownSwitch("VO2", None, ("MIT",), False, False)
    positives, _ = find_positives([TITANIA], oxides)
    (group,) = find_controls(positives, oxides, [TITANIA, vanadia], 20, seed=0)
    assert {one.formula for one in group.controls} == {"ZrO2", "HfO2", "NbO2", "MoO2", "SnO2", "PbO2"}
    (group,) = find_controls(positives, oxides, [TITANIA, vanadia], 4, seed=0)
    assert {one.formula for one in group.controls} == {"ZrO2", "HfO2", "NbO2", "MoO2"}


def test_no_formula_is_dealt_twice_and_the_seed_decides(oxides):
    known = [TITANIA, KnownSwitch("ZrO2", None, ("VCM",), True, False)]
    positives, _ = find_positives(known, oxides)
    groups = find_controls(positives, oxides, known, 2, seed=0)
    formulas = [one.formula for group in groups for one in group.controls]
    assert len(set(formulas)) == len(formulas) == 4
    again = find_controls(positives, oxides[::-1], known, 2, seed=0)
    assert [one.formula for group in again for one in group.controls] == formulas
    others = [
        tuple(
            one.formula
            for group in find_controls(positives, oxides, known, 2, seed)
            for one in group.controls
        )
        for seed in range(6)
    ]
    assert len(set(others)) > 1


@pytest.mark.parametrize("element", ["H", "Xe", "U"])
def test_some_elements_are_no_controls(oxides, element):
    positives, _ = find_positives([TITANIA], oxides)
    (group,) = find_controls(positives, [rutile(element), rutile("Zr")], [TITANIA], 20, seed=0)
    assert [one.formula for one in group.controls] == ["ZrO2"]


class ToyConfig(Settings):
    """Nothing to set."""


class ToyScreen:
    """Scores titania highest; tin oxide does not pass."""

    name = "toy"
    config = ToyConfig()

    def __init__(self):
        self.measured = []

    def measure(self, candidates, tools):
        """Adds a gap."""
        self.measured += [one.candidate_id for one in candidates]
        return [one.with_property(PropertyValue("band_gap", 2.0, "eV", "toy")) for one in candidates]

    def judge(self, candidate):
        """By the cation."""
        passed = "Sn" not in candidate.candidate_id
        score = 0.9 if "Ti" in candidate.candidate_id else 0.5
        return Verdict(self.name, passed, score if passed else None, None, None, "toy", {"mechanism": "VCM"})


@pytest.fixture
def world(tmp_path, monkeypatch, oxides):
    """A data folder of the rutiles, and a toy screen."""
    (tmp_path / "crystals").mkdir()
    with gzip.open(tmp_path / "crystals" / "mp_structures_train_00.jsonl.gz", "wt") as lines:
        for one in oxides:
            lines.write(json.dumps(dataclasses.asdict(one.record) | one.record.labels) + "\n")
    screen = ToyScreen()
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(enrichment, "BOOTSTRAP_SAMPLES", 20)
    monkeypatch.setattr(resistive_switching_known, "screen_to_test", lambda: screen)
    monkeypatch.setattr(resistive_switching_known, "read_known", lambda: [TITANIA])
    return screen


def test_the_row_on_toy_crystals(world):
    found = known_row()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["at_hand"], found["n_controls"]) == (1, 7)
    assert found["enrichment_top_decile"] == pytest.approx(found["ceiling"]) == pytest.approx(8)
    assert found["passed"] == {"positives": 1, "controls": 6}
    assert found["baselines"]["random"]["enrichment_top_decile"] == pytest.approx(1)
    assert found["baselines"]["lowest_above_hull_first"]["ranked_above_control"] == 0
    assert found["classes_of_at_least_10"] == {}
    assert found["positives_by_class"] == {"VCM": 1}
    assert found["positives"][0]["mechanism_of_verdict"] == "VCM"
    assert len(found["best_controls"]) == 6
    assert found["controls_by_likeness"] == {
        "same family, atoms within a factor of 1.5": 5,
        "same kind of anion, atoms within a factor of 3": 2,
    }


def test_what_was_measured_is_kept_when_resuming(world):
    first = known_row()
    assert len(world.measured) == 8
    assert known_row(resume=True) == first
    assert len(world.measured) == 8
    known_row()
    assert len(world.measured) == 16


@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder")
def test_known_switches_are_in_the_data():
    wanted = {"HfO2", "NiO", "CsPbBr3", "GaTa4Se8", "VO2"}
    known = [one for one in read_known() if one.formula in {Composition(f).reduced_formula for f in wanted}]
    records = read_crystals(crystals_folder())
    crystals = [crystal_of(one) for one in records if one.reduced_formula in {k.formula for k in known}]
    found, absent = find_positives(known, crystals)
    assert not absent
    assert {(one.crystal.formula, one.known.spacegroup) for one in found} == {
        ("HfO2", 14),
        ("NiO", 225),
        ("CsPbBr3", 62),
        ("Ta4GaSe8", 216),
        ("VO2", 14),
    }
