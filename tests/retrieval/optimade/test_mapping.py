"""What is sent to a provider matches at least what the filter matches; the rest is checked here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import FilterError
from hysteron.core.filters import (
    And,
    Comparison,
    Filter,
    Has,
    HasLength,
    IsKnown,
    Name,
    Not,
    Or,
    matches,
    parse,
)
from hysteron.retrieval.optimade.mapping import (
    most_frequent_first,
    question_for,
    reduced_formula,
    wanted_fields,
)
from hysteron.retrieval.optimade.providers import ProviderProperty, read_providers
from servers.optimade import Behaviour, selects
from servers.optimade_examples import OWN, provider, records, shelf

EXAMPLE = provider("https://example.org/optimade")
ALL_FIELDS = frozenset({"_exmpl_band_gap", "_exmpl_hse_gap", "_exmpl_stability", "space_group_it_number"})
SHIPPED = {each.name: each for each in read_providers()}
BOTH_LOGICS = (Behaviour(), Behaviour(nulls_match_not=True))
"""What a provider makes of NOT before an unknown value: the standard leaves room for either."""


def sent(text: str, fields: frozenset[str] | None = ALL_FIELDS) -> str | None:
    return question_for(parse(text), EXAMPLE, fields).text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('elements HAS "O"', 'elements HAS "O"'),
        ('elements HAS ALL "Ti","O"', 'elements HAS ALL "Ti","O"'),
        ("elements LENGTH >= 2", "nelements >= 2"),
        ("nelements = 3 AND nsites < 20", "nelements = 3 AND nsites < 20"),
        ("nsites < 20.0", "nsites < 20"),
        ('formula = "PbTiO3"', 'chemical_formula_reduced = "O3PbTi"'),
        ('formula = "O4Ti2"', 'chemical_formula_reduced = "O2Ti"'),
        ('formula = "O2"', 'chemical_formula_reduced = "O"'),
        ('formula = "Na2O2"', 'chemical_formula_reduced = "NaO"'),
        ('formula != "TiO2"', 'NOT chemical_formula_reduced = "O2Ti"'),
        ('chemical_formula_anonymous = "ABC3"', 'chemical_formula_anonymous = "A3BC"'),
        ('chemical_formula_anonymous = "AB2C6"', 'chemical_formula_anonymous = "A6B2C"'),
        ('chemsys = "O-Ti"', 'elements HAS ALL "O","Ti" AND nelements = 2'),
        ('NOT chemsys = "O-Ti"', 'NOT (elements HAS ALL "O","Ti" AND nelements = 2)'),
        ("spacegroup_number = 99", "space_group_it_number = 99"),
        ('material_id = "mp-2998"', 'id = "mp-2998"'),
        ('material_id = "a\\"b\\\\"', 'id = "a\\"b\\\\"'),
        ("energy_above_hull <= 0.05", "_exmpl_stability.pbe.hull_distance <= 0.05"),
        ("band_gap.hse06 > 2", "_exmpl_hse_gap > 2"),
        ("band_gap.pbe IS KNOWN", "_exmpl_band_gap IS KNOWN"),
        ("NOT energy_above_hull IS UNKNOWN", "_exmpl_stability.pbe.hull_distance IS KNOWN"),
        ("band_gap > 2", "_exmpl_band_gap > 2 OR _exmpl_hse_gap > 2"),
        ("NOT band_gap > 2", "NOT _exmpl_band_gap > 2 OR NOT _exmpl_hse_gap > 2"),
        ('NOT (elements HAS "Pb" OR nelements > 3)', 'NOT elements HAS "Pb" AND NOT nelements > 3'),
        ('NOT (NOT elements HAS "O")', 'elements HAS "O"'),
    ],
)
def test_what_the_standard_or_the_provider_knows_is_sent(ours, theirs):
    assert sent(ours) == theirs


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('elements HAS "O" AND density > 5', 'elements HAS "O"'),
        ('elements HAS "O" OR density > 5', None),
        ('NOT (elements HAS "O" OR density > 5)', 'NOT elements HAS "O"'),
        ('NOT (elements HAS "O" AND density > 5)', None),
        ('nelements = 2 AND (density > 5 OR NOT structure_type = "perovskite")', "nelements = 2"),
        ('nelements = 2 AND NOT (density > 5 AND elements HAS "O")', "nelements = 2"),
        ('nelements = 2 AND NOT (density > 5 OR elements HAS "O")', 'nelements = 2 AND NOT elements HAS "O"'),
        ('formula CONTAINS "Ti" AND nelements = 2', "nelements = 2"),
        ('chemsys STARTS WITH "Ba" AND nelements = 2', "nelements = 2"),
        ("nsites > 4.5 AND nelements = 2", "nelements = 2"),
        (f"nsites < {10**400} AND nelements = 2", "nelements = 2"),
        ("band_gap > 1e999 AND nelements = 2", "nelements = 2"),
        (f"band_gap.hse06 < {10**400} AND nelements = 2", "nelements = 2"),
        ("energy_above_hull IS UNKNOWN AND nelements = 2", "nelements = 2"),
        ("nsites IS KNOWN AND nelements = 2", "nelements = 2"),
        ('origin = "optimade:example" AND nelements = 2', "nelements = 2"),
        ('candidate_id STARTS WITH "Ti" AND nelements = 2', "nelements = 2"),
        ('formula = "Li0.5CoO2" AND nelements = 3', "nelements = 3"),
        ("density > 5", None),
    ],
)
def test_what_it_cannot_answer_is_weakened_and_the_question_says_so(ours, theirs):
    question = question_for(parse(ours), EXAMPLE, ALL_FIELDS)
    assert question.text == theirs
    assert not question.complete


def test_no_other_element_is_asked_for_with_what_every_provider_has():
    text = sent('elements HAS ONLY "Ba","Ti","O"')
    assert text is not None
    assert text.startswith('NOT elements HAS ANY "H",')
    assert all(f'"{symbol}"' not in text for symbol in ("Ba", "Ti", "O"))
    assert text.count('"') == 2 * (118 - 3)
    assert sent('NOT elements HAS ONLY "Ba","Ti","O"') == text.removeprefix("NOT ")


def test_the_space_group_is_sent_where_the_provider_says_it_has_it_and_the_tolerance_is_told():
    query = parse('spacegroup_number >= 99 AND elements HAS "O"')
    told = question_for(query, EXAMPLE, ALL_FIELDS)
    assert told.text == 'space_group_it_number >= 99 AND elements HAS "O"'
    assert "tolerance" in told.notes[0]
    for fields in (None, ALL_FIELDS - {"space_group_it_number"}):
        assert question_for(query, EXAMPLE, fields).text == 'elements HAS "O"'
    alexandria = SHIPPED["alexandria-pbe"]
    assert question_for(
        parse("spacegroup_number = 99"), alexandria, frozenset({"_alexandria_space_group"})
    ).text == ("_alexandria_space_group = 99")


def test_a_field_that_is_given_but_not_searchable_is_compared_here():
    mp = SHIPPED["mp"]
    assert question_for(parse('energy_above_hull < 0.1 AND elements HAS "O"'), mp).text == 'elements HAS "O"'
    by_r2scan = question_for(parse('energy_above_hull.r2scan < 0.1 AND elements HAS "O"'), mp)
    assert by_r2scan.text == '_mp_stability.r2scan.energy_above_hull < 0.1 AND elements HAS "O"'


def test_a_field_that_the_provider_no_longer_lists_is_not_used():
    with pytest.raises(FilterError, match="example does not give band_gap"):
        sent("band_gap > 2", frozenset({"nsites"}))
    assert sent("band_gap > 2", frozenset({"_exmpl_hse_gap"})) == "_exmpl_hse_gap > 2"
    assert wanted_fields(EXAMPLE, frozenset({"_exmpl_hse_gap"})) == ("_exmpl_hse_gap",)
    assert wanted_fields(SHIPPED["mp"]) == ("_mp_stability",)


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (
            "polarization > 10",
            "example does not give polarization; of its own it gives band_gap, energy_above",
        ),
        ('elements HAS "O" OR NOT polarization > 10', "example does not give polarization"),
        (
            "band_gap.scan > 2",
            "example has no band_gap.scan; of it there is band_gap by pbe_example, hse06_example",
        ),
        ("density.chgnet > 2", "example has no density.chgnet; of it there is density by geometry"),
        ('passes HAS "ferroelectric"', "belongs to a store"),
        ('run_id HAS "x" AND elements HAS "O"', "belongs to a store"),
    ],
)
def test_a_name_that_can_never_be_known_is_refused_with_the_providers_name(ours, said):
    with pytest.raises(FilterError, match=said):
        sent(ours)


def test_no_filter_asks_for_everything():
    assert question_for(None, EXAMPLE).text is None


def test_formulas_as_the_standard_writes_them():
    for entry in shelf():
        attributes = entry["attributes"]
        assert (
            reduced_formula(attributes["chemical_formula_descriptive"])
            == attributes["chemical_formula_reduced"]
        )
        assert (
            most_frequent_first(attributes["chemical_formula_anonymous"])
            == (attributes["chemical_formula_anonymous"])
        )


def _comparisons(names: list[str], operators: list[str], values) -> st.SearchStrategy[Filter]:
    return st.builds(Comparison, st.sampled_from(names).map(_name), st.sampled_from(operators), values)


def _name(text: str) -> Name:
    name, _, method = text.partition(".")
    return Name(name, method or None)


def _leaves() -> st.SearchStrategy[Filter]:
    symbols = sorted({symbol for entry in shelf() for symbol in entry["attributes"]["elements"]})
    words = st.sampled_from(sorted({r.structure.composition.reduced_formula for r in records()}))
    return st.one_of(
        _comparisons(["nelements"], ["=", "!=", "<", ">="], st.integers(1, 4)),
        _comparisons(["nsites"], ["<", ">=", "="], st.sampled_from([2, 3, 4.5, 5])),
        _comparisons(
            ["band_gap", "band_gap.pbe", "band_gap.hse06"], ["<", ">", "!="], st.sampled_from([0, 1.5, 3])
        ),
        _comparisons(["energy_above_hull"], ["<", ">=", "="], st.sampled_from([0.0, 0.05, 0.1])),
        _comparisons(["density"], ["<", ">"], st.sampled_from([4, 7])),
        _comparisons(["spacegroup_number"], ["=", ">=", "!="], st.sampled_from([1, 99, 225])),
        _comparisons(["formula"], ["=", "!=", "contains"], words),
        _comparisons(["structure_type"], ["=", "!="], st.sampled_from(["rock salt", "perovskite"])),
        _comparisons(["chemical_formula_anonymous"], ["=", "!="], st.sampled_from(["AB", "AB2", "ABC3"])),
        _comparisons(["chemsys"], ["=", "!="], st.just("-".join(shelf()[7]["attributes"]["elements"]))),
        st.builds(
            IsKnown,
            st.sampled_from(
                ["band_gap", "band_gap.hse06", "energy_above_hull", "structure_type", "nsites"]
            ).map(_name),
            st.booleans(),
        ),
        st.builds(
            Has,
            st.just(Name("elements")),
            st.sampled_from(["all", "any", "only"]),
            st.lists(st.sampled_from(symbols), min_size=1, max_size=4, unique=True).map(tuple),
        ),
        st.builds(HasLength, st.just(Name("elements")), st.sampled_from(["=", "<"]), st.integers(1, 3)),
    )


_TREES: st.SearchStrategy[Filter] = st.recursive(
    st.deferred(_leaves),
    lambda terms: st.one_of(
        st.builds(Not, terms),
        st.builds(And, st.lists(terms, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(terms, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=7,
)
_UNSEARCHABLE_HULL = provider(
    "https://example.org/optimade",
    properties=tuple(r.model_copy(update={"filter": "hull" not in r.name}) for r in OWN),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tree=_TREES, fields=st.sampled_from([ALL_FIELDS, ALL_FIELDS - {"space_group_it_number"}]))
def test_nothing_that_matches_is_left_out_by_what_is_sent(tree, fields):
    here = {r.material_id for r in records() if matches(tree, r.candidate("")) is True}
    for someone in (EXAMPLE, _UNSEARCHABLE_HULL):
        question = question_for(tree, someone, fields)
        for logic in BOTH_LOGICS:
            there = {e["id"] for e in shelf() if question.text is None or selects(question.text, e, logic)}
            assert here <= there
            if question.complete and logic is BOTH_LOGICS[0]:
                assert here == there


def test_the_examples_can_tell_a_wrong_translation():
    gaps = [record.candidate("").value("band_gap", method="pbe") for record in records()]
    hulls = [record.candidate("").value("energy_above_hull") for record in records()]
    assert None in gaps
    assert None in hulls
    assert len({record.bucket.spacegroup_number for record in records()}) > 8
    lost = {r.material_id for r in records() if matches(parse("density > 5"), r.candidate(""))}
    assert lost - {entry["id"] for entry in shelf() if selects('elements HAS "O"', entry)}


def test_sentinels_of_a_provider_stay_on_the_safe_side():
    row = ProviderProperty(name="band_gap", field="_exmpl_band_gap", method="PBE", unknown=(0.0,))
    someone = provider("https://example.org/optimade", properties=(row,))
    assert question_for(parse("band_gap IS UNKNOWN AND nelements = 2"), someone).text == "nelements = 2"
    assert question_for(parse("band_gap IS KNOWN"), someone).text == "_exmpl_band_gap IS KNOWN"
