"""The main job from end to end, on real materials and the real potential, small."""

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest
from equal_stores import assert_equal, content
from hysteron.core.errors import StageError
from hysteron.flows import foreground, launch, steps
from hysteron.flows.run import recorded
from hysteron.flows.run_settings import resolve

OPTIONS = {"relaxations": 6, "preset": "all", "seed": 1}


def settings(**more):
    values = resolve(options=OPTIONS | more).model_dump(mode="json")
    return values | {"flow": values["flow"] | {"chunk": 3}, "run": values["run"] | {"known": 8}}


def carry_out(store, out):
    run = launch.new_run(settings(), str(store), out)
    return run, by_hand(run)


def by_hand(run):
    """The flow's own order without Prefect."""
    with recorded(run):
        steps.retrieve(run)
        for chunk in steps.generate_chunks(run):
            steps.generate(run, chunk)
        steps.select(run)
        for chunk in steps.relax_chunks(run):
            steps.relax(run, chunk)
        for chunk in steps.screen_chunks(run):
            steps.screen(run, chunk)
        steps.rank(run)
        steps.export(run)
    return run.done("export")[0]


@pytest.fixture(scope="module")
def one(small_home, tmp_path_factory):
    """An undisturbed run: its folder, the run, its summary, the content of its store."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(small_home))
        run, summary = carry_out(folder / "one.db", folder / "one")
    return folder, run, summary, content(folder / "one.db")


def test_a_run_leaves_report_table_and_inputs(one):
    folder, run, summary, (_, ranking) = one
    assert (folder / "one/report.html").stat().st_size > 100_000
    assert (folder / "one/shortlist.csv").read_text().count("\n") == len(summary["shortlist"]) + 1
    assert summary["shortlist"] == ranking[: len(summary["shortlist"])]
    for name in ("vasp", "espresso", "cif"):
        manifest = json.loads((folder / "one/dft" / name / "manifest.json").read_text())
        assert manifest["candidates"]
    assert run.store.get_run(run.run_id).status == "finished"


def test_every_number_says_where_it_came_from(one):
    run = one[1]
    relaxed = [c for c in run.store.query(None) if any(s.stage == "relax" for s in c.provenance)]
    assert relaxed
    for candidate in relaxed:
        assert all(p.method for p in candidate.properties)
        assert all(v.reason for v in candidate.verdicts)


def test_a_new_crystal_knows_its_parents_or_was_written_from_nothing(one):
    records, _ = one[3]
    new = [lineage for _, _, lineage, _ in records.values() if lineage[0][0] == "generate"]
    assert len(new) >= 6
    assert {lineage[0][1] for lineage in new} == {"substitution", "tokens"}
    for lineage in new:
        assert bool(lineage[0][2]) == (lineage[0][1] == "substitution")
        assert all(parent in records for parent in lineage[0][2])


def test_two_equal_runs_give_the_same_store(one, small_catalog, tmp_path):
    carry_out(tmp_path / "two.db", tmp_path / "two")
    assert_equal(one[3], content(tmp_path / "two.db"))


def test_a_second_run_does_not_propose_the_first_ones_crystals(one, small_catalog, tmp_path):
    folder, first, *_ = one
    relaxed = {i for p in first.done("relax").values() for i in p["ids"]}
    copy = tmp_path / "one.db"
    with closing(sqlite3.connect(folder / "one.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    second, _ = carry_out(copy, tmp_path / "two")
    assert not relaxed & {i for p in second.done("generate").values() for i in p["ids"]}


def test_a_run_starts_from_a_question(small_catalog, tmp_path):
    path = tmp_path / "RUN.toml"
    path.write_text(
        '[run]\nquestion = "perovskites without lead, gap above 1 eV"\nrelaxations = 2\nknown = 4\npreset = "ferroelectric"\n'
    )
    run = launch.new_run(resolve(path).model_dump(mode="json"), str(tmp_path / "q.db"), tmp_path / "q")
    by_hand(run)
    seeds = run.store.get_many(run.store.run_members(run.run_id, role="seed"))
    assert seeds
    assert all(c.value("structure_type") == "perovskite" and c.value("band_gap") > 1 for c in seeds)
    proposed = run.store.get_many(run.store.run_members(run.run_id, role="proposed"))
    assert {p for c in proposed for p in c.provenance[0].parents} <= {c.candidate_id for c in seeds}
    report = (tmp_path / "q/report.html").read_text()
    assert "perovskites without lead, gap above 1 eV" in report
    assert (
        "structure_type = &#34;perovskite&#34; AND NOT elements HAS &#34;Pb&#34; AND band_gap &gt; 1"
        in report
    )
    assert f"{len(seeds)} known material" in report
    assert "next-gen.materialsproject.org/materials/mp-" in report


def test_a_question_that_nothing_answers_ends_the_run_in_words(small_catalog, tmp_path):
    values = resolve().model_dump(mode="json")
    plan = {"filter": "band_gap > 1000", "assumptions": [], "sort": None, "limit": None}
    run = launch.new_run(values | {"plan": plan}, str(tmp_path / "n.db"), tmp_path / "n")
    with pytest.raises(StageError, match="No source holds a material"):
        steps.retrieve(run)


def test_resuming_with_other_versions_is_refused_unless_forced(small_catalog, tmp_path, monkeypatch):
    from hysteron.core.errors import SettingsError

    store = str(tmp_path / "one.db")
    run = launch.new_run(settings(), store, tmp_path / "one")
    monkeypatch.setattr(launch, "versions", lambda potential: {"chgnet": "9.9"})
    with pytest.raises(SettingsError, match="other versions"):
        launch.resume(run.run_id, store)
    assert launch.resume(run.run_id, store, force=True) == run


def test_a_server_elsewhere_without_authentication_is_refused(monkeypatch):
    from hysteron.core.errors import SettingsError

    for name in ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)
    foreground.check_server_address("http://127.0.0.1:4200/api")
    foreground.check_server_address("http://[::1]:4200/api")
    for elsewhere in ("http://example.org/api", "http://127.example.org/api", "http://192.168.0.7:4200/api"):
        with pytest.raises(SettingsError, match="no authentication"):
            foreground.check_server_address(elsewhere)


def test_the_server_of_a_killed_run_is_ended(own_home, tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive = (tmp_path / "prefect" / f"run-x-{pid}" for pid in (gone.pid, os.getpid()))
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    orphan = subprocess.Popen(["sleep", "60"], env=os.environ | {"PREFECT_HOME": str(dead)})
    serving = subprocess.Popen(["sleep", "60"], env=os.environ | {"PREFECT_HOME": str(alive)})
    try:
        assert foreground.end_orphans() == [dead]
        assert orphan.wait(timeout=10) == -signal.SIGTERM
        assert serving.poll() is None
        assert alive.exists()
        assert not dead.exists()
    finally:
        for process in (orphan, serving):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_the_flow_runs_on_prefect(small_catalog, prefect_server, tmp_path):
    from hysteron.flows.discovery import discover_run

    run = launch.new_run(settings(relaxations=3), str(tmp_path / "one.db"), tmp_path / "one")
    report = discover_run(run.run_id, run.store_url, run.out_dir)
    assert report == str(tmp_path / "one/report.html")
    assert run.store.get_run(run.run_id).status == "finished"
