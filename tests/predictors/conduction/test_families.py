"""The rule of families, the parts that elements play, and the table of known transitions."""

import csv
from importlib import resources

import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.conduction.families import (
    family,
    ions_of,
    kind,
    known_family,
    known_transitions,
)
from pymatgen.core import Composition, Element


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("NdNiO3", "Ni oxide A/M=1 X/M=3"),
        ("Sr0.668La3.332Ni2O8", "Ni oxide A/M=2 X/M=4"),
        ("VO2", "V oxide binary"),
        ("V6O11", "V oxide binary"),
        ("Pr(P3Ru)4", "Ru pnictide A/M=0.5 X/M=3"),
        ("CaFe4(CuO4)3", "ACu3B4X12 oxide"),
        ("LaCr4(CuO4)3", "ACu3B4X12 oxide"),
        ("Sr2FeIrO6", "Fe-Ir oxide A/M=1 X/M=3"),
        ("NiSeS", "Ni chalcogenide binary"),
        ("Dy(SiNi)2", "Ni tetrelide A/M=0.5 X/M=1"),
        ("MgO", "no transition metal, oxide X/A=1"),
    ],
)
def test_the_rule_of_families(formula, expected):
    assert family(Composition(formula)) == expected


def test_lanthanides_and_alkaline_earths_are_never_told_apart():
    assert len({family(Composition(f"{a}NiO3")) for a in ("La", "Y", "Lu", "Sr", "Bi", "K")}) == 1


def test_a_multiple_of_a_formula_belongs_to_the_same_family():
    for formula in ("Ca3Ru2O7", "KV4O8", "LaCu3Fe4O12"):
        assert family(Composition(formula) * 6) == family(Composition(formula))


def test_the_kind_is_coarser_than_the_family():
    same = [Composition(f) for f in ("Sr2RuO4", "Ca3Ru2O7", "RuO2")]
    assert len({family(c) for c in same}) == 3
    assert {kind(c) for c in same} == {"Ru oxide"}


@pytest.mark.parametrize(
    ("formula", "anions"),
    [
        ("SrTiO3", {"O"}),
        ("La2O2S", {"O", "S"}),  # oxysulphide
        ("Na2SO4", {"O"}),  # sulphate: sulphur is a cation
        ("BiOCl", {"O", "Cl"}),
        ("FePO4", {"O"}),
        ("BaTaO2N", {"O", "N"}),
        ("CsPbBr3", {"Br"}),
    ],
)
def test_what_counts_as_an_anion(formula, anions):
    assert ions_of(Composition(formula)).anions == anions


@pytest.mark.parametrize("formula", ["ZrNiAl", "Fe", "O2"])
def test_without_anion_or_cation_there_is_no_family(formula):
    with pytest.raises(InputError, match=Composition(formula).reduced_formula):
        family(Composition(formula))


def test_known_transitions_are_found_in_any_multiple_and_neighbours_are_not():
    assert known_family(Composition("V4O8")) == known_family(Composition("V5O9"))
    assert "nickelates" in (known_family(Composition("HoNiO3")) or "")
    for formula in ("LaNiO3", "V7O13", "TiO2", "SrVO3"):
        assert known_family(Composition(formula)) is None


def test_the_table_of_known_transitions_is_sound():
    text = resources.files("hysteron.data").joinpath("metal_insulator_families.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(known_transitions()) == len(rows) >= 70  # no formula twice
    for row in rows:
        assert row["verified"] in ("yes", "no")
        assert row["driven_by"] in ("temperature", "electric pulse")
        assert row["source"]
        assert row["family"]
        assert (
            not row["transition_temperature_kelvin"]
            or 10 < float(row["transition_temperature_kelvin"]) < 1200
        )
        assert all(Element.is_valid_symbol(str(e)) for e in Composition(row["formula"]))
