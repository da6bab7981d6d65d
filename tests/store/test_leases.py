"""Who carries a run out: taken once, renewed, given back, and marked as crashed only as long as nothing has changed."""

import pytest
from hysteron.core.errors import NotFoundError

PLACE = {"host": "here", "pid": 7}


def test_a_lease_is_taken_once_renewed_and_given_back(store):
    assert store.lease("run-a") is None
    assert store.take_lease("run-a", "first", PLACE)
    assert not store.take_lease("run-a", "second", PLACE)
    assert store.renew_lease("run-a", "first")
    assert not store.renew_lease("run-a", "second")
    (held,) = store.leases()
    assert (held.holder, held.beat, held.attempts, held.place) == ("first", 1, 1, PLACE)
    store.end_lease("run-a", "first", "finished", {"counts": {}})
    assert store.leases() == []
    assert store.get_run("run-a").status == "finished"
    assert store.take_lease("run-a", "second", PLACE)
    assert store.lease("run-a").attempts == 2


def test_a_lease_changes_hands_only_as_it_was_seen(store):
    store.take_lease("run-a", "first", PLACE)
    seen = store.lease("run-a")
    store.renew_lease("run-a", "first")
    assert not store.take_lease("run-a", "second", PLACE, instead_of=seen)
    assert store.take_lease("run-a", "second", PLACE, instead_of=store.lease("run-a"))
    assert not store.renew_lease("run-a", "first")


def test_a_run_crashes_only_while_its_lease_is_as_it_was_seen(store):
    store.take_lease("run-a", "first", PLACE)
    store.set_status("run-a", "running")
    seen = store.lease("run-a")
    store.renew_lease("run-a", "first")
    assert not store.crash(seen)
    assert store.get_run("run-a").status == "running"
    assert store.crash(store.lease("run-a"))
    row = store.get_run("run-a")
    assert row.status == "crashed"
    assert row.finished is not None
    assert store.leases() == []


def test_what_is_in_other_hands_is_not_ended(store):
    store.take_lease("run-a", "first", PLACE)
    store.set_status("run-a", "running")
    assert store.take_lease("run-a", "second", PLACE, instead_of=store.lease("run-a"))
    assert not store.end_lease("run-a", "first", "failed")
    assert store.get_run("run-a").status == "running"
    assert store.lease("run-a").holder == "second"


def test_a_run_that_died_before_it_could_say_that_it_runs_has_crashed(store):
    store.take_lease("run-a", "first", PLACE)
    assert store.get_run("run-a").status == "created"
    assert store.crash(store.lease("run-a"))
    assert store.get_run("run-a").status == "crashed"


def test_a_run_that_is_not_running_does_not_crash(store):
    store.take_lease("run-a", "first", PLACE)
    store.set_status("run-a", "failed")
    assert not store.crash(store.lease("run-a"))
    assert store.get_run("run-a").status == "failed"
    assert store.leases() == []


def test_a_run_that_is_not_there_is_not_taken(store):
    with pytest.raises(NotFoundError):
        store.take_lease("run-b", "first", PLACE)
