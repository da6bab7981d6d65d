"""What is missing, what is too many, what is different: a copy is equal, and each change is found."""

import dataclasses

import sample_candidates as sample
from hysteron.core.candidate import PropertyValue
from hysteron.store.comparison import content, differences, told
from hysteron.store.store import CandidateStore


def filled(path, candidates):
    with CandidateStore.open(path) as store:
        store.create_run("run-a", 0, {})
        store.upsert(candidates, "run-a", "proposed", "rank")
        store.set_ranking("run-a", [(c.candidate_id, i) for i, c in enumerate(candidates, 1)])
    return content(path)


def changed(candidate, by):
    energy = PropertyValue("density", 4.0 + by, "g/cm^3", "weighed")
    return candidate.with_property(energy)


def test_equal_stores_are_equal_and_every_change_is_found(tmp_path):
    first, second, third = (sample.numbered(i) for i in range(3))
    one = filled(tmp_path / "one.db", [changed(first, 0.0), second])
    same = filled(tmp_path / "same.db", [changed(first, 1e-6), second])
    assert not differences(one, same)
    assert told(differences(one, same)) == "equal"

    other = filled(tmp_path / "other.db", [changed(first, 0.01), third])
    found = differences(one, other)
    assert (found.lost, found.duplicated) == ([second.candidate_id], [third.candidate_id])
    assert found.different == [first.candidate_id]
    assert found.ranking
    assert second.candidate_id in told(found)


def test_a_step_that_was_taken_twice_is_a_duplicate(tmp_path):
    once = sample.numbered(0)
    step = dataclasses.replace(once.provenance[-1], time="2026-01-02T00:00:00+00:00")
    twice = once.with_step(step)
    found = differences(filled(tmp_path / "one.db", [once]), filled(tmp_path / "two.db", [twice]))
    assert found.duplicated == [once.candidate_id]
    assert not found.different
