"""A run is told what others had done when it began, and nothing of what they do later."""

import pytest


def begin(store, name: str, seed: int = 0, **config) -> None:
    """A run with its first piece of work, as the launcher writes it."""
    store.create_run(name, seed=seed, config={"run": {"seed": seed}} | config)
    store.upsert([], name, work=("out", 0, {"folder": name}))


def told(store, name: str, stage: str = "relax", of_runs=None) -> list:
    return [(p.run_id, p.chunk, p.payload) for p in store.done_before(name, stage, of_runs)]


@pytest.fixture
def two(store):
    """`early` has relaxed two chunks when `late` begins, and relaxes a third afterwards."""
    begin(store, "early", seed=3)
    store.upsert([], "early", work=("relax", 1, "second"))
    store.upsert([], "early", work=("relax", 0, "first"))
    store.plan_work("early", "relax", 2, "planned")
    begin(store, "late", seed=4)
    store.upsert([], "late", work=("relax", 0, "own"))
    return store


def test_what_was_done_before_comes_in_the_order_of_its_writing(two):
    assert told(two, "late") == [("early", 1, "second"), ("early", 0, "first")]
    assert told(two, "early") == []


def test_what_is_added_meanwhile_is_not_seen_however_late_it_is_asked(two):
    two.upsert([], "early", work=("relax", 2, "third"))
    begin(two, "concurrent")
    two.upsert([], "concurrent", work=("relax", 0, "too"))
    assert told(two, "late") == [("early", 1, "second"), ("early", 0, "first")]
    assert told(two, "concurrent") == [
        ("early", 1, "second"), ("early", 0, "first"), ("late", 0, "own"), ("early", 2, "third"),
    ]  # fmt: skip


def test_what_is_written_again_keeps_its_place_and_what_was_planned_gets_one_when_it_is_done(two):
    two.upsert([], "early", work=("relax", 0, "first again"))
    two.upsert([], "early", work=("relax", 2, "third"))
    two.plan_work("early", "relax", 1, "planned again")
    assert told(two, "late") == [("early", 1, "second"), ("early", 0, "first again")]


def test_it_can_be_asked_of_some_runs_and_stages(two):
    assert told(two, "late", of_runs=[]) == []
    assert told(two, "late", "screen") == []
    assert told(two, "late", "out") == [("early", 0, {"folder": "early"})]
    assert list(two.earlier_configs("late")) == ["early"]
    assert two.earlier_configs("early") == {}


def test_work_of_several_runs_is_grouped_by_stage_in_the_order_of_chunks(two):
    found = two.work_of(["early", "late", "nobody"], ["relax"])
    assert found == {"early": {"relax": ["first", "second"]}, "late": {"relax": ["own"]}}


def test_the_next_seed_is_one_that_nobody_had_however_the_runs_ended(two):
    assert two.next_seed(0) == 8  # the fixture's own run had 7
    assert two.next_seed(40) == 40
    two.create_run("huge", seed=2**80, config={})
    two.set_status("huge", "failed")
    assert two.next_seed(0) == 2**80 + 1
