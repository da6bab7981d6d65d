"""What goes into the store comes out again: candidates, runs, work, rankings, kinship."""

import dataclasses

import numpy as np
import pytest
import sample_candidates as sample
from hysteron.core.candidate import Candidate, PropertyValue, Verdict
from hysteron.core.errors import InputError, NotFoundError, StoreError
from hysteron.store import writing
from hysteron.store.store import CandidateStore

SI = "Si-227-0123456789"


def test_the_round_trip_is_lossless(store):
    candidates = [*sample.everyone(), sample.awkward()]
    store.upsert(candidates)
    back = store.get_many([c.candidate_id for c in candidates])
    assert sample.records(back) == sample.records(candidates)
    assert [c.structure for c in back] == [c.structure for c in candidates]


def test_numpy_numbers_are_stored_as_numbers_and_nan_as_unknown(store):
    verdict = Verdict(
        "x", True, np.float32(0.5), np.nan, None, "", {"forces": np.zeros((1, 3)), "n": np.int64(3)}
    )
    store.upsert([sample.silicon().with_verdict(verdict)])
    back = store.get(SI).verdict("x")
    assert (back.score, back.value) == (0.5, None)
    assert back.details == {"forces": [[0.0, 0.0, 0.0]], "n": 3}


def test_what_is_no_json_is_refused_by_name(store):
    strange = sample.silicon().with_verdict(Verdict("x", True, None, None, None, "", {"what": object()}))
    with pytest.raises(InputError, match="Si-227-0123456789 cannot be stored"):
        store.upsert([strange])


def test_order_and_repetition_of_ids_are_kept(store):
    store.upsert(sample.everyone())
    ids = [SI, *(c.candidate_id for c in sample.everyone()), SI]
    assert [c.candidate_id for c in store.get_many(ids)] == ids


def test_upserting_twice_changes_nothing(store):
    for _ in range(2):
        store.upsert(sample.everyone(), "run-a", "seed", "retrieve", 0)
    assert store.count() == 4
    assert store.run_members("run-a") == sorted(c.candidate_id for c in sample.everyone())
    assert sample.records(store.query(sort="candidate_id")) == sorted(
        sample.records(sample.everyone()), key=lambda r: r["candidate_id"]
    )


def test_a_crystal_twice_in_one_chunk_is_one(store):
    store.upsert([sample.barium_titanate(), sample.relaxed(sample.barium_titanate())])
    assert store.count() == 1
    assert store.get("BaTiO3-99-0123456789").structure == sample.relaxed(sample.barium_titanate()).structure


def test_the_first_structure_stays_when_the_crystal_is_relaxed(store):
    first = sample.barium_titanate()
    again = dataclasses.replace(sample.RELAXED, version="fire fmax=0.01")
    store.upsert([first])
    store.upsert([sample.relaxed(first)])
    store.upsert([sample.relaxed(first, 1.02).with_step(again)])
    store.upsert([first])
    assert store.first_structure(first.candidate_id) == first.structure
    assert store.get(first.candidate_id).structure == sample.relaxed(first, 1.02).structure
    shapes = [structure.volume for _, structure in store.structures()]
    assert shapes == pytest.approx([first.structure.volume, first.structure.volume * 1.02])


def test_structures_can_be_asked_by_formula_and_by_id(store):
    store.upsert(sample.everyone())
    store.upsert([sample.relaxed(sample.lead_titanate())])
    assert [i for i, _ in store.structures(formulas=["Si", "BaTiO3"])] == [
        "BaTiO3-99-0123456789",
        SI,
    ]
    wanted = ["TiPbO3-99-0123456789", "no such crystal", SI]
    assert [i for i, _ in store.structures(ids=wanted)] == [
        SI,
        "TiPbO3-99-0123456789",
        "TiPbO3-99-0123456789",
    ]
    assert [i for i, _ in store.structures(formulas=["Si"], ids=wanted)] == [SI]
    assert store.formulas_of([*wanted, SI]) == {"TiPbO3-99-0123456789": "TiPbO3", SI: "Si"}


def test_structures_come_in_batches_without_a_gap(store, monkeypatch):
    monkeypatch.setattr("hysteron.store.reading.GEOMETRIES_A_BATCH", 3)
    store.upsert([sample.numbered(i) for i in range(10)])
    assert [i for i, _ in store.structures()] == [f"BaTiO3-99-{i:010d}" for i in range(10)]


def test_runs_are_counted_and_the_newest_stands_first(store):
    store.upsert([sample.barium_titanate(), sample.silicon()], "run-a", "seed", "retrieve", 0)
    store.upsert([sample.strontium_titanate()], "run-a", "proposed", "generate", 0)
    store.create_run("run-b", seed=2**80, config={}, budget={"relaxations": 40})
    assert [row.run_id for row in store.runs()] == ["run-b", "run-a"]
    assert store.get_run("last").run_id == "run-b"
    assert store.get_run("run-b").seed == 2**80
    row = store.get_run("run-a")
    assert (row.candidates, row.seeds, row.proposed) == (3, 2, 1)
    assert (row.config, row.versions, row.budget) == ({"run": {"seed": 7}}, {"hysteron": "0"}, "5m")
    assert len(store.runs(limit=1)) == 1


def test_the_times_of_a_run_follow_its_status(store):
    store.set_status("run-a", "running")
    started = store.get_run("run-a").started
    store.set_status("run-a", "interrupted")
    assert store.get_run("run-a").finished is not None
    store.set_status("run-a", "running")
    assert (store.get_run("run-a").started, store.get_run("run-a").finished) == (started, None)
    store.finish_run("run-a", summary={"shortlist": 12})
    row = store.get_run("run-a")
    assert (row.status, row.summary) == ("finished", {"shortlist": 12})
    assert row.created <= row.started <= row.finished


def test_what_is_not_there_is_named_with_what_is_near(store):
    store.upsert(sample.everyone())
    with pytest.raises(NotFoundError, match="Did you mean 'BaTiO3-99-0123456789'"):
        store.get("BaTiO3-99-ffff")
    with pytest.raises(NotFoundError, match="No candidate 'no\\\\x00'"):
        store.get("no\0")
    with pytest.raises(NotFoundError, match="Did you mean 'run-a'"):
        store.get_run("run-b")
    with pytest.raises(NotFoundError, match="no run 'x'"):
        store.upsert(sample.everyone(), "x")
    with pytest.raises(InputError, match="belong to a run"):
        store.upsert(sample.everyone(), role="seed")


@pytest.mark.parametrize("name", ["run-a", "last", "", "a\nb"])
def test_a_run_needs_a_name_of_its_own(store, name):
    with pytest.raises(InputError):
        store.create_run(name, 0, {})


def test_no_run_yet(store_url):
    with CandidateStore.open(store_url) as store, pytest.raises(NotFoundError, match="no runs yet"):
        store.get_run()


def test_members_come_by_chunk_and_keep_their_first_one(store):
    store.upsert([sample.silicon()], "run-a", "proposed", "generate", 0)
    store.upsert([sample.strontium_titanate(), sample.barium_titanate()], "run-a", "proposed", "generate", 1)
    store.upsert([sample.barium_titanate()], "run-a", "seed", "relax", 0)
    expected = [SI, "BaTiO3-99-0123456789", "SrTiO3-221-0123456789"]
    assert store.run_members("run-a") == expected
    assert store.run_members("run-a", role="proposed") == expected
    assert store.run_ids_of("BaTiO3-99-0123456789") == ["run-a"]


def test_a_ranking_is_replaced_whole(store):
    ids = [c.candidate_id for c in sample.everyone()]
    store.upsert(sample.everyone(), "run-a", "seed", chunk=4)
    store.set_ranking("run-a", [(ids[0], 1), (ids[1], 2), (ids[2], 3)])
    store.set_ranking("run-a", [(ids[3], 2), (ids[1], 1)])
    assert store.ranking("run-a") == [(ids[1], 1), (ids[3], 2)]
    assert store.get_run("run-a").seeds == 4
    with pytest.raises(NotFoundError, match="nobody"):
        store.set_ranking("run-a", [("nobody", 1)])


def test_work_is_planned_and_done(store):
    store.plan_work("run-a", "relax", 1, {"ids": ["x"]})
    store.plan_work("run-a", "relax", 0, {"ids": ["y"]})
    store.upsert([sample.silicon()], "run-a", work=("relax", 0, {"ids": ["y"], "converged": 1}))
    store.plan_work("run-a", "relax", 0, {"ids": []})
    assert store.work_done("run-a", "relax") == {0: {"ids": ["y"], "converged": 1}}
    assert store.work_planned("run-a", "relax") == {1: {"ids": ["x"]}}
    assert store.work_done("run-a", "screen") == {}


def test_a_chunk_that_fails_half_way_leaves_nothing(store, monkeypatch):
    def breaks(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("hysteron.store.store.runs.write_work", breaks)
        with pytest.raises(RuntimeError):
            store.upsert(sample.everyone(), "run-a", "seed", "retrieve", 0, work=("retrieve", 0, {}))
    assert store.count() == 0
    assert store.run_members("run-a") == []
    assert store.work_done("run-a", "retrieve") == {}
    store.upsert(sample.everyone(), "run-a", "seed", "retrieve", 0, work=("retrieve", 0, {}))
    assert store.count() == 4


def test_lineage_goes_back_to_what_came_from_outside(store):
    store.upsert(sample.everyone())
    found = {a.candidate_id: a for a in store.lineage("TiPbO3-99-0123456789")}
    assert list(found) == ["TiPbO3-99-0123456789", "BaTiO3-99-0123456789", "absent-1"]
    assert [a.distance for a in found.values()] == [0, 1, 1]
    assert found["TiPbO3-99-0123456789"].parents == ("BaTiO3-99-0123456789", "absent-1")
    assert found["BaTiO3-99-0123456789"].steps == sample.barium_titanate().provenance
    assert (found["absent-1"].formula, found["absent-1"].steps) == (None, ())


def test_a_loop_of_parents_is_walked_once(store):
    child = sample.strontium_titanate()
    step = dataclasses.replace(child.provenance[0], parents=(child.candidate_id,))
    store.upsert([child, sample.barium_titanate().with_step(step)])
    assert [a.distance for a in store.lineage(child.candidate_id)] == [0, 1]


def test_same_as_joins_in_chains(store):
    store.add_same_as([("b", "a"), ("b", "c"), ("x", "y"), ("z", "z")])
    store.add_same_as([("a", "b")])
    assert store.same_as("c") == ["a", "b"]
    assert store.same_as("x") == ["y"]
    assert store.same_as("z") == store.same_as("nobody") == []


def test_many_candidates_in_one_chunk(store, monkeypatch):
    monkeypatch.setattr(writing, "IDS_A_STATEMENT", 7)
    many = [sample.numbered(i) for i in range(40)]
    store.upsert(many)
    store.upsert([c.with_property(PropertyValue("density", 2.33, "g/cm^3", "cell")) for c in many])
    assert store.count("density > 2") == store.count() == 40


def test_a_busy_store_is_tried_again_and_then_told(tmp_path, monkeypatch):
    monkeypatch.setattr("hysteron.store.database.BUSY_TIMEOUT_MS", 10)
    monkeypatch.setattr("hysteron.store.database.FIRST_PAUSE_SECONDS", 0.001)
    path = tmp_path / "s.db"
    with CandidateStore.open(path) as store, CandidateStore.open(path) as other:
        attempts = []

        def hold(connection):
            with pytest.raises(StoreError, match="stayed busy"):
                other.upsert(sample.everyone())
            attempts.append(1)

        store._database.write(hold)
        assert attempts == [1]
        other.upsert(sample.everyone())
        assert store.count() == 4


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path):
    with CandidateStore.open(tmp_path / "s.db") as store:
        pages = store._database.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
        store._database.read(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}").scalar())
        with pytest.raises(StoreError, match="full"):
            store.upsert([sample.numbered(i) for i in range(100)])
        assert store.count() == 0


def test_a_forked_child_uses_connections_of_its_own(tmp_path):
    import os

    with CandidateStore.open(tmp_path / "s.db") as store:
        store.upsert([sample.silicon()])
        child = os.fork()
        if child == 0:
            try:
                store.upsert([sample.numbered(1)])
            finally:
                os._exit(0 if store.count() == 2 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.count() == 2


def test_the_store_says_which_version_wrote_each_row(store):
    from hysteron import __version__
    from hysteron.store.schema import candidates
    from sqlalchemy import select

    store.upsert([sample.silicon()])
    assert store._database.read(lambda c: c.scalar(select(candidates.c.written_by))) == __version__


def test_a_candidate_record_is_plain_json_in_the_database(store):
    import json

    from hysteron.store.schema import records
    from sqlalchemy import select

    store.upsert([sample.barium_titanate()])
    text = store._database.read(lambda c: c.scalar(select(records.c.record)))
    assert Candidate.from_record(json.loads(text)).to_record() == sample.barium_titanate().to_record()
