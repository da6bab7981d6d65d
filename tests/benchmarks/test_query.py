"""The benchmark of the query language, on a small store."""

import json

import pytest
from hysteron.benchmarks import BENCHMARKS, query
from hysteron.core.registry import load


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(query, "REPEATS", 2)
    monkeypatch.setattr(query, "SAMPLE", 150)
    monkeypatch.setattr(query, "CHUNK", 5)
    return load("query", BENCHMARKS, "hysteron.benchmarks")(candidates=300, seed=3)


def test_it_reports_figure_baseline_sample_and_seed(few):
    assert json.loads(json.dumps(few)) == few
    assert (few["n"], few["seed"], few["baseline_sample"]) == (310, 3, 150)
    assert len(few["questions"]) >= 8
    for question in few["questions"]:
        assert 0 < question["median_ms"] <= question["p95_ms"]
        assert question["ratio"] == pytest.approx(question["baseline_ms"] / question["median_ms"])
    assert few["slowest_median_ms"] == max(q["median_ms"] for q in few["questions"])


def test_sql_and_memory_agree_on_the_sample(few):
    assert few["agrees_on_sample"]
    found = {question["filter"]: question["found"] for question in few["questions"]}
    assert found["band_gap > 1000"] == 0
    assert found[None] == few["n"]
    assert 0 < found["band_gap > 2"] < few["n"]


def test_the_same_seed_makes_the_same_rows():
    first, second = list(query.make_candidates(20, 3)), list(query.make_candidates(20, 3))
    assert [c.to_record() for c in first] == [c.to_record() for c in second]
    assert len({c.candidate_id for c in first}) == 20
