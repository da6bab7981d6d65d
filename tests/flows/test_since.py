"""What changed on the shortlist since the last run of the same question, and why."""

import csv

import night_toys as toys
import pytest
from hysteron.export.run_summary import Since
from hysteron.flows import memory, since, steps


@pytest.fixture
def world(own_home, monkeypatch):
    toys.install(monkeypatch)
    yield monkeypatch
    steps.forget()


@pytest.fixture
def first(world, tmp_path):
    """A run that has finished, and its summary."""
    run = toys.new_run(tmp_path, "one", relaxations=12)
    return run, toys.carry_out(run)


def changes(record) -> dict[str, dict[str, tuple]]:
    return {
        group: {c["candidate_id"]: (c["was"], c["now"]) for c in record[group]}
        for group in ("new", "fell_off", "moved", "stayed")
    }


def test_the_first_run_of_a_question_compares_with_nothing(first):
    assert first[1]["since"] is None


def test_places_then_and_now_add_up(first, tmp_path):
    run = toys.new_run(tmp_path, "two", seed=1, relaxations=12)
    summary = toys.carry_out(run)
    told, before, now = summary["since"], first[1]["shortlist"], summary["shortlist"]
    assert told["run_id"] == first[0].run_id
    assert told["finished"]
    found = changes(told)
    assert found["new"], "the toys' second night finds something better"
    assert found["new"] == {i: (None, now.index(i) + 1) for i in now if i not in before}
    assert found["fell_off"] == {i: (before.index(i) + 1, None) for i in before if i not in now}
    both = {i: (before.index(i) + 1, now.index(i) + 1) for i in now if i in before}
    assert found["moved"] | found["stayed"] == both
    assert all(was != is_ for was, is_ in found["moved"].values())
    assert Since.from_record(told).to_record() == {**told, **{k: tuple(told[k]) for k in found}}
    rows = list(csv.DictReader((tmp_path / "two/shortlist.csv").open()))
    assert [row["place_before"] for row in rows] == [str(both[i][0]) if i in both else "" for i in now]
    assert "place_before" not in (tmp_path / "one/shortlist.csv").read_text()


def test_who_fell_off_is_told_which_screen_sets_it_aside_now(first, tmp_path):
    strict = [
        {"name": "stability", "settings": {"limit": 0.05}},
        {"name": "resistive-switching", "settings": {}},
    ]
    run = toys.new_run(tmp_path, "two", toys.settings(screen=strict, seed=1))
    reasons = [change["reason"] for change in toys.carry_out(run)["since"]["fell_off"]]
    assert "stability: Near, or not." in reasons
    assert all(reason.startswith(("stability: ", "outranked, now number ")) for reason in reasons)


def test_who_fell_off_because_the_weights_changed_is_told_so(first, tmp_path, world):
    toys.use_model(world, "bbbb")
    run = toys.new_run(tmp_path, "two", seed=1, relaxations=1)
    reasons = {c["candidate_id"]: c["reason"] for c in toys.carry_out(run)["since"]["fell_off"]}
    stored = {c.candidate_id: c.provenance[0].stage for c in run.store.get_many(first[1]["shortlist"])}
    gone = {i for i, stage in stored.items() if stage == "generate"} - set(run.done("select")[0]["ids"])
    assert gone
    assert {reasons[i] for i in gone} == {"not relaxed with chgnet as it is now, so not ranked"}


def test_the_last_run_is_the_last_finished_one_of_the_question(first, tmp_path):
    toys.carry_out(toys.new_run(tmp_path, "other", preset="ferroelectric", seed=3))
    unfinished = toys.new_run(tmp_path, "unfinished", seed=4)
    steps.retrieve(unfinished)
    run = toys.new_run(tmp_path, "two", seed=1)
    assert memory.remembered(run).previous == first[0].run_id


def test_who_is_new_is_told_whence(first, tmp_path):
    second = toys.new_run(tmp_path, "two", seed=1, relaxations=20)
    toys.carry_out(second)
    backlog = set(memory.remembered(second).backlog)
    proposed = {i for payload in second.done("generate").values() for i in payload["ids"]}
    came = since._Came(second)
    told = {
        i: came.why(second.store.get(i)) for payload in second.done("relax").values() for i in payload["ids"]
    }
    assert {told[i] for i in told if i in backlog} == {"proposed by an earlier run, relaxed in this one"}
    assert {told[i] for i in told if i in proposed} == {"proposed and relaxed in this run"}
    standing = memory.remembered(second).standing
    assert came.why(second.store.get(standing[-1])).startswith(f"stood at place {len(standing)} of the last")
