"""A run is carried out by one living process: known at once on this machine, watched for elsewhere."""

import os
import subprocess
import sys
import threading
import time

import pytest
from hysteron.core.errors import StageError, StoreError
from hysteron.flows import lease, run
from hysteron.store.store import CandidateStore

ELSEWHERE = {"host": "elsewhere", "pid": 1, "began": "1", "boot": "another", "namespace": "pid:[1]"}


@pytest.fixture
def store(tmp_path):
    with CandidateStore.open(tmp_path / "store.db") as opened:
        opened.create_run("run-a", 0, {})
        yield opened


def holder_of(store, place):
    """A lease that somebody else took."""
    assert store.take_lease("run-a", "somebody", place)
    return store.lease("run-a")


def test_a_run_in_living_hands_is_not_taken(store):
    with lease.held(store, "run-a", lease.this_place()):
        with pytest.raises(StageError, match=f"is being carried out by process {os.getpid()}"):
            lease.Hold(store, "run-a").take(lease.this_place())
        assert lease.dead(store, store.leases()) == []


def test_what_a_dead_process_held_is_taken_at_once(store):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    place = lease.this_place() | {"pid": child.pid, "began": lease._began(child.pid)}
    seen = holder_of(store, place)
    assert lease.dead(store, [seen], 0.0) == []
    child.kill()
    child.wait()
    assert lease.dead(store, [seen], 0.0) == [seen]
    with lease.held(store, "run-a", lease.this_place()) as hold:
        assert store.lease("run-a").holder == hold.holder


def test_a_number_that_another_process_has_now_is_a_dead_one(store):
    seen = holder_of(store, lease.this_place() | {"pid": 1, "began": "12345678901"})
    assert lease.dead(store, [seen], 0.0) == [seen]


def test_a_run_of_another_machine_is_watched(store, monkeypatch):
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.02)
    seen = holder_of(store, ELSEWHERE)
    over = threading.Event()

    def beat():
        while not over.wait(0.02):
            store.renew_lease("run-a", "somebody")

    thread = threading.Thread(target=beat)
    thread.start()
    assert lease.dead(store, [seen], 0.3) == []
    over.set()
    thread.join()
    silent = store.lease("run-a")
    assert lease.dead(store, [silent], 0.2) == [silent]


def test_the_lease_is_renewed_while_the_run_lasts(store, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.02)
    with lease.held(store, "run-a", lease.this_place()) as hold:
        deadline = time.monotonic() + 10
        while store.lease("run-a").beat < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        hold.check()
        assert store.lease("run-a").beat >= 3


def test_a_process_that_stood_still_too_long_stops(store, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.02)
    with lease.held(store, "run-a", lease.this_place()) as hold:
        while not store.take_lease("run-a", "another", ELSEWHERE, instead_of=store.lease("run-a")):
            pass  # renewed just between the look and the grip
        hold._thread.join(timeout=10)
        with pytest.raises(StageError, match="carried out by another process now"):
            hold.check()
        hold.end("failed")
    assert store.get_run("run-a").status == "created", "what is not ours is not ended by us"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError, "failed"), (KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted")],
)
def test_a_run_says_how_it_ended(store, tmp_path, error, status):
    one = run.Run("run-a", str(tmp_path / "store.db"), str(tmp_path))

    def carried_out():
        with run.recorded(one):
            assert store.get_run("run-a").status == "running"
            raise error

    with pytest.raises(error):
        carried_out()
    assert store.get_run("run-a").status == status
    assert store.leases() == []


def test_the_error_of_a_run_is_told_though_the_store_is_gone(store, tmp_path, monkeypatch):
    one = run.Run("run-a", str(tmp_path / "store.db"), str(tmp_path))

    def gone(*_):
        raise StoreError("The store is gone.")

    def carried_out():
        with run.recorded(one):
            raise ValueError("the real one")

    with monkeypatch.context() as patch:
        patch.setattr(CandidateStore, "end_lease", gone)
        with pytest.raises(ValueError, match="the real one"):
            carried_out()
    assert store.get_run("run-a").status == "running"
    with run.recorded(one):  # the same process takes up what it had to leave behind
        store.upsert([], "run-a", work=("export", 0, {}))
    assert store.get_run("run-a").status == "finished"


def test_another_process_is_told_when_the_run_began(store, tmp_path):
    one = run.Run("run-a", str(tmp_path / "store.db"), str(tmp_path))
    with run.recorded(one):
        told = run.told_when(one)
        store.upsert([], "run-a", work=("export", 0, {}))
    run.forget_runs()
    assert told == one
    assert 0.0 <= run.elapsed_seconds(told) < 60.0
