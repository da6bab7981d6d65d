"""The filter language: names checked, values typed, three-valued logic."""

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.errors import FilterError
from hysteron.core.filters import anonymous_formula, matches, parse, parse_name, write

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
        ("run_id = 3", "is a list"),
        ('formula = "a\0"', "no text"),
        ("NOT (" * 300 + "nsites = 3" + ")" * 300, "brackets"),
    ],
)
def test_a_bad_filter_is_refused_with_a_sentence(text, says):
    with pytest.raises(FilterError, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [('run_id = "a"', True), ('run_id != "a"', False), ('run_id = "c"', False), ('NOT run_id = "c"', True)],
)
def test_a_run_can_be_asked_with_an_equals_sign(text, expected):
    assert matches(parse(text), BARIUM_TITANATE, ("a", "b")) is expected
    assert parse('run_id = "a"') == parse('run_id HAS "a"')


def test_an_element_in_two_oxidation_states_is_one_element():
    mixed = materials.titania_rutile()
    mixed.add_oxidation_state_by_site([4.0, 3.0, *[-2.0] * (len(mixed) - 2)])
    assert matches(parse("nelements = 2 AND elements LENGTH 2"), Candidate("x", mixed)) is True


def test_a_name_alone_is_read_as_in_a_filter():
    assert str(parse_name("band_gap.hse06")) == "band_gap.hse06"
    assert parse_name("e_above_hull").name == "energy_above_hull"
    with pytest.raises(FilterError, match="Did you mean 'band_gap'"):
        parse_name("bandgap")


@pytest.mark.parametrize(
    "text",
    [
        'NOT elements HAS ALL "Ti", "O" OR 2<=band_gap AND(nsites=3 OR formula STARTS "Ba")',
        'elements HAS ANY < "Ti","O" AND elements LENGTH >= 2 AND elements:nsites HAS "O":2',
        'formula ENDS WITH "O\\"3" AND band_gap.hse06 IS UNKNOWN AND energy_above_hull>-1.5e-3',
        'candidate_id CONTAINS "AND" AND 3 != nsites',
    ],
)
def test_the_tree_is_that_of_the_optimade_package(text):
    from hysteron.core.filters import _parser
    from optimade.filterparser import LarkParser

    assert _parser().parse(text) == LarkParser().parse(text)


@pytest.mark.parametrize(
    ("text", "column"), [("nsites = ", 10), ("nsites ? 3", 8), ("nsites = 3 3", 13), ("(nsites = 3", 12)]
)
def test_the_message_points_at_the_place(text, column):
    with pytest.raises(FilterError, match=f"column {column}:"):
        parse(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ABC3", "ABC3"),
        ("A3BC", "ABC3"),
        ("A2B6CD", "ABC2D6"),
        ("A2B2", "AB"),
        ("A7", "A"),
        ("AB2C4", "AB2C4"),
    ],
)
def test_anonymous_formulas_of_either_order_are_one(written, meant):
    """pymatgen writes the rarest element first, OPTIMADE the most frequent."""
    assert anonymous_formula(written) == meant


def test_a_crystal_is_found_by_its_anonymous_formula():
    assert matches(parse('chemical_formula_anonymous = "A3BC"'), BARIUM_TITANATE) is True
    with pytest.raises(FilterError, match="not an anonymous formula"):
        parse('chemical_formula_anonymous = "AB?"')


@pytest.mark.parametrize(
    "text",
    [
        'elements HAS ALL "Ti","O" AND NOT elements HAS "Pb" AND (band_gap > 2 OR band_gap.hse06 >= 2.5)',
        'NOT (nelements = 3 AND NOT (formula = "BaTiO3" OR chemsys = "O-Ti")) OR elements HAS ONLY "O"',
        'origin STARTS WITH "a\\"b" AND band_gap IS UNKNOWN AND elements LENGTH >= 2',
    ],
)
def test_a_filter_that_is_written_reads_the_same(text):
    assert parse(write(parse(text))) == parse(text)
    assert write(parse(text)).count("(") <= text.count("(")
