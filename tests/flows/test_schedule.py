"""A schedule that really fires."""

import os
import signal
import subprocess
import sys
import time

import pytest
from hysteron.store.store import CandidateStore

PATIENCE_SECONDS = 420
RUN = """
[run]
relaxations = 1
known = 2
proposals = 4
[[source]]
name = "catalog"
filter = 'elements HAS "Ti" AND nsites <= 5'
"""

PROGRAMME = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"  # a job in the background ignores it
    "from hysteron.cli.main import run; run()"
)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 60)
def test_two_scheduled_runs_finish(small_catalog, tmp_path):
    (tmp_path / "nightly.toml").write_text(RUN)
    command = [sys.executable, "-c", PROGRAMME, "schedule", "nightly.toml"]
    command += ["--every", "5", "--store", str(tmp_path / "store.db"), "--out", str(tmp_path / "runs")]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=log, stderr=log, env=os.environ | {"HYSTERON_HOME": str(small_catalog)}
    )
    try:
        finished = _wait_for_two(tmp_path / "store.db")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert len(finished) >= 2, (tmp_path / "log").read_text()[-3000:]
    assert len({run.seed for run in finished}) == len(finished), "each run explores with a seed of its own"
    for run in finished:
        assert (tmp_path / "runs" / run.run_id / "report.html").exists()
    assert not (small_catalog / "prefect/server.json").exists(), "the server ends with its schedule"


def _wait_for_two(path):
    deadline = time.monotonic() + PATIENCE_SECONDS
    finished = []
    while time.monotonic() < deadline and len(finished) < 2:
        time.sleep(2)
        if path.exists():
            with CandidateStore.open(str(path)) as store:
                finished = [run for run in store.runs() if run.status == "finished"]
    return finished
