"""Several programs at one store: nothing lost, nothing twice, nothing half done."""

import multiprocessing
import threading
import time

import sample_candidates as sample
from hysteron.store.store import CandidateStore
from store_writers import CHUNK_SIZE, CHUNKS, SHARED, WRITERS, write_for_ever, write_overlapping


def _expected_writers(number: int) -> set[int]:
    spread = CHUNKS * CHUNK_SIZE
    return {w for w in range(WRITERS) if any((w + k) % SHARED == number for k in range(spread))}


def test_eight_processes_lose_and_duplicate_nothing(store_url):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=write_overlapping, args=(store_url, i)) for i in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * WRITERS
    with CandidateStore.open(store_url, create=False) as store:
        found = store.query()
        assert [c.candidate_id for c in found] == [sample.numbered(i).candidate_id for i in range(SHARED)]
        for number, candidate in enumerate(found):
            names = sorted(f"writer-{w}" for w in _expected_writers(number))
            assert sorted(s.name for s in candidate.provenance) == ["catalog", *names]
            assert sorted(f.name for f in candidate.failures) == names
            assert len(candidate.all_of("density")) == len(names)
        assert store.count("density > 0") == SHARED
        for writer in range(WRITERS):
            assert set(store.work_done(f"run-{writer}", "generate")) == set(range(CHUNKS))
            assert len(store.run_members(f"run-{writer}")) == CHUNKS * CHUNK_SIZE


def test_a_killed_writer_leaves_whole_chunks(store_url):
    CandidateStore.open(store_url).close()
    writer = multiprocessing.get_context("spawn").Process(target=write_for_ever, args=(store_url,))
    writer.start()
    with CandidateStore.open(store_url) as store:
        deadline = time.monotonic() + 100
        while len(store.work_done("run-k", "generate")) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        writer.kill()
        writer.join()
        done = store.work_done("run-k", "generate")
        assert len(done) >= 4
        assert store.count() == len(done) * CHUNK_SIZE
        whole = [sample.numbered(i).candidate_id for i in range(len(done) * CHUNK_SIZE)]
        assert store.run_members("run-k") == whole
        store.upsert([sample.silicon()], "run-k")


def test_openers_at_once_make_one_store(store_url):
    errors = []

    def open_and_write(number: int) -> None:
        try:
            with CandidateStore.open(store_url) as store:
                store.upsert([sample.numbered(number)])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_and_write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with CandidateStore.open(store_url, create=False) as store:
        assert store.count() == 6


def test_one_store_in_many_threads(store):
    def write(number: int) -> None:
        for i in range(5):
            store.upsert([sample.numbered(i), sample.numbered(100 + 10 * number + i)], "run-a")
            store.query("band_gap > 3", limit=2)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(run_id="run-a") == store.count() == 5 + 6 * 5
