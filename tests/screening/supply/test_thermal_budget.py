"""The thermal budget: the table, the families, and the two questions."""

import csv
from importlib import resources

import pytest
from hysteron.screening.supply.process_families import FAMILIES, process_family
from hysteron.screening.supply.thermal_budget import (
    LOSSES,
    MAKINGS,
    TABLE,
    judge_thermal_budget,
    process_steps,
)
from pymatgen.core import Composition

ROWS = list(
    csv.DictReader(resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8").splitlines())
)
LIMIT = 400.0


def outcome(formula: str, limit: float = LIMIT) -> str:
    return judge_thermal_budget(Composition(formula), limit).outcome


def test_a_row_tells_of_a_formula_or_of_a_family_that_has_a_rule():
    for row in ROWS:
        assert bool(row["formula"]) != bool(row["family"]), row
        assert row["what"] in LOSSES | MAKINGS, row
        assert row["source"], row
        assert row["verified"] in ("yes", "no"), row
        assert row["how"] or row["verified"] == "no", row
        assert -273.15 < float(row["temperature_celsius"]) < 2500, row
    assert {row["family"] for row in ROWS} - {""} == FAMILIES.keys()


def test_no_row_stands_twice():
    keys = [(row["formula"], row["family"], row["what"]) for row in ROWS]
    assert len(set(keys)) == len(keys)


def test_nothing_is_made_above_the_temperature_at_which_it_is_lost():
    for subject, steps in process_steps().items():
        lost = [step.celsius for step in steps if step.what in LOSSES]
        made = [step.celsius for step in steps if step.what in MAKINGS]
        if lost and made:
            assert min(made) < min(lost), subject


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("Mg(OH)2", "hydrogen compound"),
        ("CH3NH3PbI3", "hydrogen compound"),
        ("TiH2", None),
        ("LiNO3", "nitrate"),
        ("TaNO", None),
        ("CsN3", "azide"),
        ("AlN", "binary nitride"),
        ("SnI4", "volatile halide"),
        ("AlCl3", "volatile halide"),
        ("AlF3", None),
        ("LaI3", "ionic halide"),
        ("NaCl", "ionic halide"),
        ("CsPbBr3", None),
        ("GeSe4", "excess chalcogen"),
        ("TiS3", None),
        ("HfO2", "binary oxide"),
        ("UO2", None),
        ("BaTiO3", "complex oxide"),
        ("Te2MoO7", "complex oxide"),
        ("LaOF", None),
        ("Na2SO4", None),
        ("GeTe", "main-group chalcogenide"),
        ("CuInSe2", "main-group chalcogenide"),
        ("BaS", None),
        ("WS2", "layered dichalcogenide"),
        ("FeS2", None),
        ("GaAs", None),
    ],
)
def test_the_families(formula, family):
    assert process_family(Composition(formula)) == family


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("HfO2", "fits"),
        ("HfZrO4", "fits"),
        ("TiO2", "fits"),
        ("Ge2Sb2Te5", "fits"),
        ("BaTiO3", "high_process_temperature"),
        ("LiCoO2", "high_process_temperature"),
        ("VO2", "high_process_temperature"),
        ("PbBr2", "heat_sensitive"),
        ("SnI4", "heat_sensitive"),
        ("NH4Cl", "heat_sensitive"),
        ("Ag2O", "heat_sensitive"),
        ("GaAs", "process_unknown"),
        ("PbI2", "process_unknown"),  # melts at 410 C, and no row tells how it is made
    ],
)
def test_the_outcomes_at_400_celsius(formula, expected):
    assert outcome(formula) == expected


def test_a_row_on_the_formula_comes_before_the_family():
    assert process_family(Composition("SrTiO3")) == process_family(Composition("BaTiO3"))
    assert (outcome("SrTiO3"), outcome("BaTiO3")) == ("fits", "high_process_temperature")


def test_the_limit_decides():
    assert [outcome("HfZrO4", limit) for limit in (399, 400)] == ["high_process_temperature", "fits"]
    assert [outcome("AgI", limit) for limit in (557, 558)] == ["process_unknown", "heat_sensitive"]


@pytest.mark.parametrize("formula", ["BaTiO3", "Ba2Ti2O6", "Ti4Ba4O12"])
def test_the_cell_does_not_matter(formula):
    assert judge_thermal_budget(Composition(formula), LIMIT) == judge_thermal_budget(
        Composition("BaTiO3"), LIMIT
    )


def test_the_sentence_names_what_and_where():
    budget = judge_thermal_budget(Composition("PbBr2"), LIMIT)
    assert budget.sentence == "does not last at 400 C: melting of PbBr2 at 371 C"
    assert budget.deciding is budget.lost
    assert budget.record()["lost"]["verified"] is True
