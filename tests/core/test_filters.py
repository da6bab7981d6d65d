"""The filter language: names checked, values typed, three-valued logic."""

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.errors import FilterError
from hysteron.core.filters import matches, parse

BARIUM_TITANATE = Candidate(
    "BaTiO3-99-x",
    materials.barium_titanate_tetragonal(),
    (
        PropertyValue("band_gap", 1.8, "eV", "PBE"),
        PropertyValue("band_gap", 3.2, "eV", "experiment"),
        PropertyValue("energy_above_hull", 0.01, "eV/atom", "CHGNet 0.3.0"),
    ),
    (Step("retrieve", "catalog"),),
    (Verdict("ferroelectric", True, 0.9, 26.0, 1.0, "polar"),),
    (),
    99,
)


@pytest.mark.parametrize(
    "text",
    [
        'elements HAS ALL "Ti","O" AND NOT elements HAS "Pb" AND band_gap > 2 '
        "AND (energy_above_hull < 0.05 OR nelements = 7)",
        'chemical_formula_reduced = "TiBaO3"',
        'formula = "BaTiO3" AND chemsys = "Ti-O-Ba"',
        "band_gap.pbe < 2 AND band_gap.experiment > 3",
        "2 < band_gap",
        'passes HAS "ferroelectric"',
        'origin = "catalog" AND origin STARTS WITH "cat"',
        "elements LENGTH 3 AND elements LENGTH >= 2",
        'elements HAS ONLY "Ba","Ti","O","Sr"',
        'elements HAS ANY "Pb","Ba"',
        "spacegroup_number = 99 AND nsites <= 5",
        "polarization IS UNKNOWN AND band_gap IS KNOWN",
        'formula != "SrTiO3"',
    ],
)
def test_matches(text):
    assert matches(parse(text), BARIUM_TITANATE) is True


@pytest.mark.parametrize(
    "text", ["polarization > 2", "NOT polarization > 2", "polarization != 2", "band_gap.hse06 > 0"]
)
def test_an_absent_value_matches_neither_way(text):
    assert matches(parse(text), BARIUM_TITANATE) is None


def test_an_absent_value_leaves_an_alternative_open():
    assert matches(parse("polarization > 2 OR nsites = 5"), BARIUM_TITANATE) is True
    assert matches(parse("polarization > 2 AND nsites = 4"), BARIUM_TITANATE) is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bandgap > 2", "Did you mean 'band_gap'"),
        ("band_gap >", "column 11"),
        ('elements = "O"', "is a list"),
        ('band_gap > "x"', "is a number"),
        ("formula = 3", "double quotes"),
        ('elements HAS "Xx"', "symbol of an element"),
        ('formula = "q!"', "not a chemical formula"),
        ("band_gap > nsites", "another property"),
        ("", "empty"),
        ("nsites.pbe = 3", "only a property takes a method"),
        ('nsites HAS "3"', "not a list"),
        ('elements:nsites HAS "O":2', "zipped"),
        ("polarization_vector > 1", "No property 'polarization_vector'"),
    ],
)
def test_a_bad_filter_is_refused_with_a_sentence(text, says):
    with pytest.raises(FilterError, match=says):
        parse(text)
