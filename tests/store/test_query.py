"""The query language on real crystals, through SQL."""

import pytest
import sample_candidates as sample
from hysteron.core.candidate import PropertyValue
from hysteron.core.errors import FilterError
from hysteron.core.filters import Comparison, Name, Not, Or, parse
from hysteron.store.query import MOST_TERMS
from hysteron.store.store import CandidateStore

BATIO3, SRTIO3, PBTIO3, SI = (c.candidate_id for c in sample.everyone())
ISSUE = (
    'elements HAS ALL "Ti","O" AND NOT elements HAS "Pb" AND band_gap > 2 '
    "AND (energy_above_hull < 0.05 OR nelements = 3)"
)


@pytest.fixture(scope="module")
def filled(shared_store_url):
    with CandidateStore.open(shared_store_url) as store:
        store.create_run("run-a", 0, {})
        store.upsert(sample.everyone())
        store.upsert([sample.barium_titanate(), sample.silicon()], "run-a", "seed")
        yield store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ISSUE, {BATIO3}),
        ("band_gap > 2", {BATIO3, PBTIO3}),
        ("band_gap.pbe < 2", {BATIO3, SRTIO3}),
        ("band_gap.hse06 > 2", {PBTIO3}),
        ("NOT band_gap.pbe > 1.81", {SRTIO3}),
        ("band_gap.chgnet > 0 OR NOT band_gap.chgnet > 0", set()),
        ("energy_above_hull.chgnet <= 0.012", {BATIO3, SRTIO3}),
        ("NOT (band_gap > 2 OR polarization > 2)", set()),
        ("NOT (band_gap > 2 AND nsites = 2)", {BATIO3, SRTIO3, PBTIO3}),
        ("polarization IS UNKNOWN", {SRTIO3, PBTIO3, SI}),
        ("NOT band_gap.pbe IS KNOWN", {PBTIO3, SI}),
        ('passes HAS "ferroelectric"', {BATIO3}),
        ('fails HAS "ferroelectric"', {SRTIO3}),
        ('NOT passes HAS "ferroelectric"', {SRTIO3, PBTIO3, SI}),
        ("passes LENGTH 0 AND fails LENGTH 0", {PBTIO3, SI}),
        ('run_id HAS "run-a"', {BATIO3, SI}),
        ('run_id = "run-a" AND nsites > 2', {BATIO3}),
        ('run_id != "run-a"', {SRTIO3, PBTIO3}),
        ('run_id = "run-b"', set()),
        ("run_id LENGTH >= 1", {BATIO3, SI}),
        ('origin = "catalog"', {BATIO3}),
        ('NOT origin STARTS WITH "cat"', {SRTIO3, PBTIO3}),
        ('formula = "PbTiO3"', {PBTIO3}),
        ('formula STARTS WITH "sr" OR formula CONTAINS "SI"', set()),
        ('formula ENDS WITH "TiO3" AND formula CONTAINS "Ba"', {BATIO3}),
        ('chemsys = "O-Ti-Ba"', {BATIO3}),
        ('elements HAS ANY "Si","Pb"', {PBTIO3, SI}),
        ('elements HAS ONLY "Ti","O","Sr","Ba"', {BATIO3, SRTIO3}),
        ('candidate_id ENDS WITH ""', {BATIO3, SRTIO3, PBTIO3, SI}),
        ("spacegroup_number = 99 AND 2.0 <= band_gap", {BATIO3, PBTIO3}),
        ("nsites < 1e400 AND nsites > -1e400", {BATIO3, SRTIO3, PBTIO3, SI}),
        (f"nsites < 1{400 * '0'}", {BATIO3, SRTIO3, PBTIO3, SI}),
        ('candidate_id = "x\'; DROP TABLE candidates; --"', set()),
        ('formula CONTAINS "%" OR candidate_id CONTAINS "_"', set()),
    ],
)
def test_filters_on_real_crystals(filled, text, expected):
    assert set(filled.query_ids(text)) == expected
    assert filled.count(text) == len(expected)


def test_a_query_gives_whole_candidates(filled):
    assert sample.records(filled.query(ISSUE)) == sample.records([sample.barium_titanate()])
    assert sample.records(filled.query(parse(ISSUE), run_id="run-a")) == sample.records(
        [sample.barium_titanate()]
    )


def test_sorting_puts_absent_values_last_and_breaks_ties_by_id(filled):
    by_id = sorted([BATIO3, SRTIO3, PBTIO3, SI])
    assert filled.query_ids() == by_id
    assert filled.query_ids(sort="band_gap") == [SRTIO3, PBTIO3, BATIO3, SI]
    assert filled.query_ids(sort="band_gap", descending=True) == [BATIO3, PBTIO3, SRTIO3, SI]
    assert filled.query_ids(sort="band_gap.pbe", descending=True) == [BATIO3, SRTIO3, SI, PBTIO3]
    assert filled.query_ids(sort="nsites", descending=True) == [BATIO3, SRTIO3, PBTIO3, SI]
    assert filled.query_ids(sort="formula", limit=2) == [BATIO3, SI]
    assert filled.query_ids("band_gap > 0", sort="band_gap.pbe", limit=2, run_id="run-a") == [BATIO3]
    assert filled.query_ids(limit=0) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bandgap", "Did you mean 'band_gap'"),
        ("elements", "no order"),
        ("polarization_vector", "No property"),
    ],
)
def test_what_cannot_be_sorted_by_is_refused(filled, name, says):
    with pytest.raises(FilterError, match=says):
        filled.query_ids(sort=name)


def test_too_long_a_filter_is_refused_and_a_long_one_works(filled):
    term = Comparison(Name("formula"), "contains", "TiO3")
    assert len(filled.query_ids(Not(Or((Not(term),) * MOST_TERMS)))) == 2
    with pytest.raises(FilterError, match="401 terms"):
        filled.query_ids(Or((term,) * (MOST_TERMS + 1)))


def test_the_best_method_is_asked_again_when_a_better_one_comes(store):
    store.upsert(sample.everyone())
    assert store.query_ids("band_gap < 2") == [SRTIO3]
    store.upsert(
        [sample.strontium_titanate().with_property(PropertyValue("band_gap", 3.25, "eV", "experiment"))]
    )
    assert store.query_ids("band_gap < 2") == []
    assert store.query_ids("band_gap.pbe < 2") == [BATIO3, SRTIO3]
