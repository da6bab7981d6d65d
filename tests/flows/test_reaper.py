"""Runs that died are marked, gone on with by their schedule, and not for ever."""

import subprocess

import pytest
from hysteron.core.errors import SettingsError
from hysteron.flows import launch, lease, reaper
from hysteron.flows.run import open_store


@pytest.fixture
def died(toy_world, tmp_path):
    """A run of the schedule `nightly` whose process is gone."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    url = str(tmp_path / "store.db")
    run = launch.new_run(toy_world.settings(4), url, tmp_path / "out", schedule="nightly")
    _die(run, gone.pid)
    return run


def _die(run, pid):
    place = lease.this_place() | {"pid": pid, "began": "1"}
    assert run.store.take_lease(run.run_id, "gone", place)
    run.store.set_status(run.run_id, "running")


def test_a_run_whose_process_is_gone_is_marked_as_crashed(died):
    assert reaper.reap(died.store_url, 0.0) == [died.run_id]
    assert died.store.get_run(died.run_id).status == "crashed"
    assert reaper.reap(died.store_url, 0.0) == []


def test_a_living_run_is_left_alone(died, tmp_path):
    alive = launch.new_run(died.settings.model_dump(mode="json"), died.store_url, tmp_path / "alive")
    with lease.held(alive.store, alive.run_id, lease.this_place()):
        alive.store.set_status(alive.run_id, "running")
        assert reaper.reap(died.store_url, 0.0) == [died.run_id]
        assert alive.store.get_run(alive.run_id).status == "running"


def test_a_schedule_goes_on_with_its_own_runs_and_not_for_ever(died):
    reaper.reap(died.store_url, 0.0)
    assert [run.run_id for run in reaper.resumable(died.store_url, "nightly")] == [died.run_id]
    assert list(reaper.resumable(died.store_url, "weekly")) == []
    for _ in range(reaper.MOST_ATTEMPTS - 1):
        _die(died, 1)
        reaper.reap(died.store_url, 0.0)
    assert died.store.lease(died.run_id).attempts == reaper.MOST_ATTEMPTS
    assert list(reaper.resumable(died.store_url, "nightly")) == []


def test_a_run_of_other_versions_is_left_to_its_user(died, monkeypatch):
    reaper.reap(died.store_url, 0.0)
    monkeypatch.setattr(launch, "versions", lambda potential: {"hysteron": "9.9"})
    assert list(reaper.resumable(died.store_url, "nightly")) == []
    with pytest.raises(SettingsError, match="other versions"):
        launch.resume(died.run_id, died.store_url)


def test_a_finished_run_is_not_resumed(died):
    died.store.end_lease(died.run_id, "gone", "finished", {})
    assert list(reaper.resumable(died.store_url, "nightly")) == []
    assert open_store(died.store_url).get_run(died.run_id).status == "finished"
