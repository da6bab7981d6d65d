"""Regions of chemistry are weighted by what was found in them; none dies out; nothing is drawn."""

import numpy as np
import pytest
from hysteron.benchmarks.night_regions import simulate
from hysteron.core.candidate import Candidate
from hysteron.core.chemistry_families import chemistry_family, family_in_words
from hysteron.flows.exploration import FLOOR, Exploration, counted, explore, family_of, why, words
from night_toys import salt
from pymatgen.core import Composition

OXIDES, FLUORIDES, SULPHIDES = "O|d", "F|d", "chalcogen|d"


def weights(**history: tuple[int, int]) -> dict[str, float]:
    """By region, from (tried, passed)."""
    found = explore({k: n for k, (n, _) in history.items()}, {k: s for k, (_, s) in history.items()})
    return {region.family: region.weight for region in found.regions} | {"unseen": found.unseen}


def test_without_a_history_all_regions_weigh_the_same():
    found = explore({}, {})
    assert found == Exploration()
    assert found.weight(OXIDES) == found.weight("never heard of") == 1.0
    assert found.average is None


def test_a_region_that_gives_more_gets_more_and_one_that_always_fails_gets_the_floor():
    found = weights(a=(40, 20), b=(40, 4), c=(400, 0))
    assert found["a"] == 1.0
    assert found["a"] > found["b"] > found["c"] == FLOOR


def test_equal_histories_weigh_the_same():
    found = weights(a=(10, 3), b=(10, 3))
    assert found["a"] == found["b"]


def test_of_equal_yields_the_less_known_one_is_worth_more_of_a_look():
    found = weights(a=(400, 40), b=(10, 1))
    assert found["b"] > found["a"]
    assert found["unseen"] > found["a"]


def test_one_failure_does_not_condemn_a_region():
    found = weights(a=(40, 20), b=(1, 0))
    assert found["b"] > 0.4


def test_all_fail_and_all_pass_alike():
    for passed in (0, 30):
        found = weights(a=(30, passed), b=(30, passed))
        assert found["a"] == found["b"] >= FLOOR
        assert 0 < found["unseen"] <= 1


def test_what_is_noted_comes_back_the_same():
    found = explore({OXIDES: 10, FLUORIDES: 7}, {OXIDES: 4})
    import json

    assert Exploration.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert [r.family for r in found.regions] == [OXIDES, FLUORIDES]


def test_a_crystal_is_worth_what_its_region_is():
    found = explore({OXIDES: 40, FLUORIDES: 40}, {OXIDES: 20})
    oxide, fluoride, sulphide = (Candidate("", salt("Ti", anion)) for anion in "OFS")
    assert found.interest(oxide) == found.weight(OXIDES)
    assert found.interest(fluoride) == found.weight(FLUORIDES)
    assert found.interest(sulphide) == found.unseen


def test_regions_are_counted_from_formulas():
    assert counted(["TiO2", "BaTiO3", "MnF2", "VS2"]) == {SULPHIDES: 1, FLUORIDES: 1, OXIDES: 2}
    assert family_of("TiO2") == chemistry_family(Composition("TiO2"))


def test_the_reason_says_what_follows():
    found = explore({OXIDES: 40, FLUORIDES: 400, SULPHIDES: 40, "N|d": 4}, {OXIDES: 20, SULPHIDES: 9})
    told = {region.family: why(region, found) for region in found.regions}
    assert told[OXIDES].endswith(" times as often as the average")
    assert told[FLUORIDES] == "0.1 times as often as the best, which is the least"
    assert told[SULPHIDES] == "about as often as the average"
    assert told["N|d"].endswith("for want of knowledge")


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("BaTiO3", "oxides with a d metal"),
        ("LiF", "fluorides with an s metal"),
        ("CaCO3", "oxides with carbon or nitrogen"),
        ("NaPO3", "oxides with a group 15 element"),
        ("CsPbI3", "other halides with a p metal"),
        ("EuS", "chalcogenides with an f metal"),
    ],
)
def test_a_family_in_words(formula, said):
    assert words(family_of(formula)) == said


def test_what_is_no_family_stays_as_it_is():
    assert family_in_words("?") == "?"
    assert family_in_words("xenon|d") == "xenon|d"


def test_more_is_found_than_by_looking_everywhere_alike():
    weighted, even = simulate(worlds=60, seed=0)
    assert np.mean(weighted) > 1.2 * np.mean(even)
    assert np.mean(np.array(weighted) > np.array(even)) > 0.8
    assert simulate(worlds=3, seed=5) == simulate(worlds=3, seed=5)
