"""What is counted of kills, and a few real ones."""

import json

import pytest
from hysteron.benchmarks import BENCHMARKS, faults
from hysteron.benchmarks.faults import Bench, Kill
from hysteron.core.registry import load
from hysteron.store.comparison import Content, Differences

EQUAL = Differences([], [], [], False)
SHORT = Differences(["a", "b"], [], [], True)


def test_kills_are_counted_by_kind_with_what_they_left():
    bench = Bench(None, None, None, None, {"sqlite": (Content({"a": None}, ["a"]), 3.0)})
    kills = [
        Kill("flow", 1.0, "relax", SHORT, EQUAL, True, 5.0),
        Kill("server", 2.0, "screen", EQUAL, EQUAL, False, 7.0),
        Kill("flow", 3.0, "rank", SHORT, Differences(["a"], ["c", "d"], [], False), True, 9.0),
    ]
    found = faults._figures(bench, kills, 4)
    assert (found["n"], found["seed"]) == (3, 4)
    assert (found["lost"], found["duplicated"], found["different"]) == (1, 2, 1)
    assert (found["baseline_different"], found["baseline_lost"]) == (2, 4)
    assert found["kinds"]["flow"]["kills"] == 2
    assert found["kinds"]["server"]["ended_without_being_resumed"] == 1
    assert found["not_tried"] == ["database: no PostgreSQL server is installed"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_doubled_whatever_is_killed(own_home):
    found = load("faults", BENCHMARKS, "hysteron.benchmarks")(seed=2, quick=True)
    assert json.loads(json.dumps(found))["n"] == faults.QUICK_KILLS
    assert (found["lost"], found["duplicated"], found["different"]) == (0, 0, 0)
    assert set(found["kinds"]) >= {"flow", "worker", "server"}
