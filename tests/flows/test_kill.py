"""A run of the command itself, killed without warning, goes on to the store of an undisturbed one."""

import os
import signal
import subprocess
import sys
import time

import pytest
from equal_stores import assert_equal, content
from hysteron.store.store import CandidateStore

SETTINGS = """
[run]
seed = 2
relaxations = 12
known = 8
[flow]
chunk = 4
"""
PATIENCE_SECONDS = 300


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", ["generate", "relax", "screen"])
def test_kill_9_and_resume(small_catalog, tmp_path, stage):
    (tmp_path / "run.toml").write_text(SETTINGS)
    start(tmp_path, "run.toml", "--out", "quiet", "--store", "quiet.db").wait(timeout=PATIENCE_SECONDS)
    killed = start(tmp_path, "run.toml", "--out", "killed", "--store", "killed.db")
    wait_for_first_chunk(tmp_path / "killed.db", stage)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=30)
    with CandidateStore.open(str(tmp_path / "killed.db")) as store:
        run = store.get_run()
        assert run.status == "running"
        assert not store.work_done(run.run_id, "export")
    resumed = start(tmp_path, "--resume", "last", "--store", "killed.db")
    assert resumed.wait(timeout=PATIENCE_SECONDS) == 0
    assert (tmp_path / "killed/report.html").exists()
    assert_equal(content(tmp_path / "quiet.db"), content(tmp_path / "killed.db"))


def start(folder, *arguments):
    command = [sys.executable, "-c", "from hysteron.cli.main import run; run()", "discover", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for_first_chunk(path, stage):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if path.exists():
            with CandidateStore.open(str(path)) as store:
                if store.runs() and store.work_done(store.get_run().run_id, stage):
                    return
    raise AssertionError(f"no chunk of {stage} was done in time")
