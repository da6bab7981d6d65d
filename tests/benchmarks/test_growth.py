"""How the growth of a run is measured, and one whole small measurement."""

import json

import pytest
from hysteron.benchmarks import BENCHMARKS, growth
from hysteron.benchmarks.growth_plan import for_a_million, in_nights
from hysteron.core.errors import InputError
from hysteron.core.registry import load
from hysteron.flows import order

HOUR = 3600.0


def row(candidates, relax_ms, orchestration_ms):
    return {
        "candidates": candidates,
        "steps_ms_a_candidate": {"relax": relax_ms},
        "orchestration_ms_a_candidate": orchestration_ms,
        "store_kib_a_candidate": 10.0,
        "peak_memory_mib": 400.0 + candidates / 100,
        "seconds": candidates * (relax_ms + orchestration_ms) / 1000,
    }


def test_what_grows_in_proportion_and_what_grows_faster_is_carried_on():
    million = for_a_million(row(1_000, 5.0, 1.0), row(10_000, 5.0, 10.0))
    assert million["powers"] == {"relax": pytest.approx(1.0), "orchestration": pytest.approx(2.0)}
    assert million["hours"]["relax"] == pytest.approx(0.005 * 1e6 / HOUR)
    assert million["hours"]["orchestration"] == pytest.approx(0.010 * 1e4 * 100**2 / HOUR)
    assert million["hours_in_all"] == pytest.approx(sum(million["hours"].values()))
    assert million["store_gib"] == pytest.approx(10e6 / 1024**2)
    assert million["memory_gib"] == pytest.approx((400.0 + 10_000) / 1024)


def test_nights_read_what_the_nights_before_left():
    night, fresh = row(10_000, 5.0, 0.0), row(1_000, 5.0, 0.0)
    plan = in_nights(night, fresh, fresh | {"seconds": fresh["seconds"] + 1.0})
    assert plan["nights"] == 100
    assert plan["first_night_seconds"] == pytest.approx(50.0)
    assert plan["last_night_seconds"] == pytest.approx(50.0 + 99.0)
    assert plan["hours_in_all"] == pytest.approx((100 * 50.0 + 99 * 100 / 2) / HOUR)
    assert in_nights(night, fresh, fresh)["last_night_seconds"] == pytest.approx(50.0)


def test_a_share_above_the_target_is_not_met():
    lines = growth.claims({"overhead": {"share": 0.06}, "workers": {"ray": {"skipped": "not installed"}}})
    assert [(line["value"], line["met"]) for line in lines] == [(0.06, False)]
    assert growth.claims({"overhead": {"share": 0.04}})[0]["met"]


def test_steps_are_timed_and_left_as_they_were(monkeypatch):
    monkeypatch.setitem(order.STEPS, "rank", lambda run: 7)
    rank = order.STEPS["rank"]
    with growth._timed_steps() as timed:
        assert order.STEPS["rank"](None) == 7
        assert order.STEPS["rank"] is not rank
    assert order.STEPS["rank"] is rank
    assert len(timed["rank"]) == 1


def test_an_unknown_row_is_refused():
    with pytest.raises(InputError, match="overhead, scale, workers"):
        growth.run(only="speed")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_measures(own_home):
    found = load("growth", BENCHMARKS, "hysteron.benchmarks")(seed=1, quick=True)
    assert json.loads(json.dumps(found))["seed"] == 1
    assert 0 < found["overhead"]["share"] < 1
    assert [row["candidates"] for row in found["scale"]["sizes"]] == list(growth.QUICK_SIZES)
    assert found["scale"]["later_night"]["stored_before"] == growth.QUICK_SIZES[-1]
    assert len(found["claims"]) >= 6
    for runner in found["workers"].values():
        assert "skipped" in runner or runner["equal_stores"]
