"""What runs found and what they cost, told by `hysteron runs` as a table and as JSON lines."""

import json

import night_toys as toys
import pytest
from hysteron.cli import runs_table
from hysteron.cli.main import main
from hysteron.flows import steps
from hysteron.flows.costs import accounts
from hysteron.store.store import CandidateStore


@pytest.fixture(scope="module")
def store_of_three(tmp_path_factory):
    """A finished run, a second one, and one that was interrupted after its first chunk of relaxations."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(folder / "home"))
        toys.install(patch)
        for i in range(2):
            toys.carry_out(toys.new_run(folder, f"run-{i}", seed=i))
        stopped = toys.new_run(folder, "run-2", seed=2)
        patch.setattr(steps, "screen_chunks", interrupted)
        with pytest.raises(KeyboardInterrupt):
            toys.carry_out(stopped)
        steps.forget()
    return str(folder / "store.db")


def interrupted(run):
    raise KeyboardInterrupt


def test_the_accounts_follow_from_the_work(store_of_three):
    with CandidateStore.open(store_of_three) as store:
        stopped, second, first = accounts(store, store.runs())
        summary = store.runs()[1].summary
    assert (first.proposed, first.relaxed, first.reused) == (16, 6, 0)
    assert first.seconds > 0
    assert first.seconds_per_relaxation > 0
    assert first.new_since_last is None
    assert second.new_since_last == len(summary["since"]["new"])
    assert second.passed == summary["passed"]
    assert second.found == summary["counts"]["found"] <= second.relaxed
    assert second.shortlist == len(summary["shortlist"])
    assert second.measured_before > 0
    assert (stopped.relaxed, stopped.found, stopped.shortlist, stopped.passed) == (6, None, None, {})
    assert stopped.seconds is not None


def test_runs_are_json_lines_when_piped(store_of_three, capsys):
    assert main(["runs", "--store", store_of_three]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["status"] for row in rows] == ["interrupted", "finished", "finished"]
    assert [row["seed"] for row in rows] == [2, 1, 0]
    assert rows[1]["yield"]["passed"].keys() == {"stability", "resistive-switching"}
    assert rows[1]["cost"].keys() == {"seconds", "relaxed", "reused", "seconds_per_relaxation"}
    assert rows[0]["yield"]["shortlist"] is None
    assert rows[0]["config"]["run"]["relaxations"] == 6


def table(url, monkeypatch, capsys) -> list[str]:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")  # 80 columns, no colours
    assert main(["runs", "--store", url]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_terminal_gets_a_table(store_of_three, monkeypatch, capsys):
    lines = [line.split() for line in table(store_of_three, monkeypatch, capsys)]
    assert lines[0] == [heading for heading in runs_table.HEADINGS if heading != "reused"]
    assert lines[1][1:4] == ["all", "16", "6"]
    assert lines[2][:3] == ["interrupted", "seed", "2"]
    assert lines[4][4] == "s"
    assert lines[4][-1] == "new"
    assert lines[3][-4::2] == ["ST", "RS"]
    assert lines[7] == ["passes:", "RS:", "resistive-switching,", "ST:", "stability"]


@pytest.fixture
def odd_runs(own_home, tmp_path):
    """One under way, one that crashed, and one that took something over; with all screens and wide numbers."""
    url = str(tmp_path / "odd.db")
    config = {"run": {"preset": "ferroelectric", "relaxations": None, "budget": "10m"}}
    with CandidateStore.open(url) as store:
        for i, status in enumerate(("finished", "crashed", "running")):
            name = f"20261201-020000-000{i}"
            store.create_run(name, seed=12, config=config)
            store.set_status(name, "running")
            payload = {"ids": ["a", "b"], "reused": ["b"], "seconds": 12.5, "converged": 2, "relaxer": "r"}
            store.upsert([], name, work=("relax", 0, payload))
            store.set_status(name, status)
        passed = dict.fromkeys(
            ("stability", "ferroelectric", "resistive-switching", "supply", "synapse"), 123
        )
        store.finish_run("20261201-020000-0000", summary={"passed": passed, "seconds": 4000.0})
    return url


def test_a_run_under_way_tells_how_long_and_a_crash_does_not_guess(odd_runs, monkeypatch, capsys):
    with CandidateStore.open(odd_runs) as store:
        assert [account.seconds for account in accounts(store, store.runs())] == [None, None, 4000.0]
    lines = table(odd_runs, monkeypatch, capsys)
    assert "so far" in lines[2]
    assert lines[3].split()[-2:] == ["-", "-"], "neither its time nor its passes are known"
    assert "reused" in lines[0]
    assert runs_table.REUSED in lines


def test_a_narrow_terminal_cuts_the_preset_and_nothing_else(odd_runs, monkeypatch, capsys):
    lines = table(odd_runs, monkeypatch, capsys)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for whole in ("ST 123 FE 123", "RS 123 SU 123", "1h06m", "of 10m", "seed 12", "so far"):
        assert whole in text


def test_a_store_without_runs_says_so(own_home, tmp_path, capsys):
    CandidateStore.open(tmp_path / "s.db").close()
    assert main(["runs", "--store", str(tmp_path / "s.db")]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "no runs yet" in said.err


def test_an_old_run_without_the_new_notes_is_listed(own_home, tmp_path, capsys):
    url = str(tmp_path / "old.db")
    with CandidateStore.open(url) as store:
        store.create_run("old", seed=0, config={"run": {"preset": "all", "relaxations": 2, "budget": None}})
        store.upsert([], "old", work=("relax", 0, {"ids": ["a", "b"], "seconds": 4.0, "converged": 2}))
        store.upsert([], "old", work=("screen", 0, {"ids": ["a", "b"]}))
        store.finish_run("old", summary={"shortlist": [], "counts": {"shortlist": 0}})
        account = accounts(store, store.runs())[0]
    assert (account.relaxed, account.reused, account.seconds_per_relaxation) == (2, 0, 2.0)
    assert main(["runs", "--store", url]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == "old"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (7.4, "7s"), (302, "5m02s"), (4210, "1h10m"), (59.7, "1m00s")]
)
def test_durations_are_short(seconds, text):
    assert runs_table.duration(seconds) == text
