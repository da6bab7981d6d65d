"""Schedules that really fire, served here and through a work pool, and what becomes of a run that dies."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from hysteron.benchmarks.local_postgres import local_postgres
from hysteron.core.errors import SettingsError, StageError
from hysteron.flows.schedule import Job, When, register, serve
from hysteron.flows.server import Server, record_path
from hysteron.store.store import CandidateStore
from served_schedules import PATIENCE_SECONDS, runs_of, served, wait_for

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


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({}, "either --cron or --every"),
        ({"cron": "0 2 * * *", "every_seconds": 5}, "either --cron or --every"),
        ({"every_seconds": 5, "timezone": "Europe/Zurich"}, "--timezone is that of a cron line"),
        ({"cron": "at two"}, "'at two' cannot be read"),
        ({"cron": "0 2 * * *", "timezone": "Middle/Earth"}, "'Middle/Earth' is not known"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused_before_anything_starts(own_home, tmp_path, when, said):
    with pytest.raises(SettingsError, match=said):
        serve(Job("nightly", {}, str(tmp_path / "store.db"), tmp_path), When(**when))
    assert not record_path().exists()


def test_the_time_zone_and_what_overlaps_are_told():
    told = When(cron="0 2 * * *", timezone="Europe/Zurich", overlap="queue").words
    assert "'0 2 * * *' in Europe/Zurich" in told
    assert told.endswith("waits")
    assert When(every_seconds=90).words.startswith("every 90 s")


def test_one_process_serves_a_schedule(own_home, tmp_path):
    from hysteron.flows.schedule import _only_server_of

    def second():
        with _only_server_of("nightly"):
            pass

    with _only_server_of("nightly"):
        with pytest.raises(StageError, match="Another process serves the schedule 'nightly'"):
            second()
        with _only_server_of("weekly"):
            pass
    second()


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


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_two_runs_finish_on_postgresql(toy_world, tmp_path):
    """Prefect's own tables and the candidates in one PostgreSQL server."""
    with local_postgres() as server:
        if server is None:
            pytest.skip("No PostgreSQL server is installed (Debian: postgresql).")
        prefect = server.database("prefect").replace("postgresql://", "postgresql+asyncpg://")
        job = Job("nightly", toy_world.settings(4), server.database("candidates"), tmp_path / "runs")
        log = tmp_path / "log"
        with served(job, When(every_seconds=5), log, PREFECT_SERVER_DATABASE_CONNECTION_URL=prefect):
            wait_for(lambda: len(runs_of(job.store_url, "finished")) >= 2)
        finished = runs_of(job.store_url, "finished")
        assert len(finished) >= 2, log.read_text()[-3000:]
        assert len({run.seed for run in finished}) == len(finished)
        import psycopg

        with psycopg.connect(server.address("prefect")) as tables:
            (count,) = tables.execute("SELECT count(*) FROM flow_run").fetchone()
        assert count >= 2, "Prefect keeps its runs there"


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_two_runs_finish_through_a_work_pool(toy_world, tmp_path, monkeypatch):
    job = Job("pooled", toy_world.settings(4), str(tmp_path / "store.db"), tmp_path / "runs")
    job.out_root.mkdir()
    server = Server(tmp_path / "prefect", ui=False)
    prefect = [sys.executable, "-m", "prefect"]
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    try:
        server.wait()
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        with pytest.raises(SettingsError, match="prefect work-pool create here"):
            register(job, When(every_seconds=5), "here")
        subprocess.run([*prefect, "work-pool", "create", "here", "--type", "process"], check=True)
        assert register(job, When(every_seconds=5), "here") == "scheduled-discover/pooled"
        with (tmp_path / "log").open("wb") as said:
            command = [*prefect, "worker", "start", "--pool", "here", "--type", "process", "--limit", "1"]
            worker = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            finished = wait_for(lambda: len(found := runs_of(job.store_url, "finished")) >= 2 and found)
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=60)
            except subprocess.TimeoutExpired:  # Prefect 3.8's worker sometimes misses the signal
                worker.kill()
                worker.wait()
    finally:
        server.kill()
    assert finished, (tmp_path / "log").read_text()[-3000:]
    for run in finished:
        assert (job.out_root / run.run_id / "report.html").exists()


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_a_run_that_died_with_its_schedule_is_gone_on_with_by_the_next(toy_world, tmp_path):
    """As when the machine loses its power: schedule, Prefect's server and the run are all gone."""
    job = Job("nightly", toy_world.settings(200, 2), str(tmp_path / "store.db"), tmp_path / "runs", True)
    log = tmp_path / "log"
    with served(job, When(every_seconds=5), log) as process:
        assert wait_for(lambda: runs_of(job.store_url, "running")), log.read_text()[-3000:]
        with CandidateStore.open(job.store_url) as store:
            (lease,) = store.leases()
        server = json.loads(record_path().read_text())
        for pid in (process.pid, lease.place["pid"], server["pid"]):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    (died,) = runs_of(job.store_url, "running")
    with served(job, When(every_seconds=5), log):
        finished = wait_for(lambda: died.run_id in [run.run_id for run in runs_of(job.store_url, "finished")])
        assert finished, log.read_text()[-3000:]
        states = _states_of(json.loads(record_path().read_text())["url"], lease.place["flow_runs"])
    assert states == {"Crashed"}
    assert "died without a word" in log.read_text()


def _states_of(url, flow_runs):
    import httpx

    answers = [httpx.get(f"{url}/flow_runs/{identifier}", timeout=30).json() for identifier in flow_runs]
    return {answer["state"]["name"] for answer in answers}


def _wait_for_two(path):
    deadline = time.monotonic() + PATIENCE_SECONDS
    finished = []
    while time.monotonic() < deadline and len(finished) < 2:
        time.sleep(2)
        if path.exists():
            with CandidateStore.open(str(path)) as store:
                finished = [run for run in store.runs() if run.status == "finished"]
    return finished
