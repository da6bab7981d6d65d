"""Lessons in the store: never changed, the newest first, found by the beginning of their version."""

import lesson_samples as samples
import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.core.settings import config_hash
from hysteron.store.store import CandidateStore


def test_lessons_are_kept_side_by_side(store, store_url):
    assert store.newest_lesson() is None
    first = store.add_lesson({"format": "x", "pairs": [1]})
    assert store.add_lesson({"pairs": [1], "format": "x"}) == first
    second = store.add_lesson({"format": "x", "pairs": [1, 2]})
    back = store.add_lesson({"format": "x", "pairs": [1]})
    assert [one.number for one in store.lessons()] == [3, 2, 1]
    assert (first.number, second.number, back.number) == (1, 2, 3)
    assert back.version == first.version == config_hash({"format": "x", "pairs": [1]})
    with CandidateStore.open(store_url) as again:
        assert again.newest_lesson() == back
        assert again.lesson(second.version[:6]).content == {"format": "x", "pairs": [1, 2]}
        assert again.lesson("last") == back


@pytest.mark.parametrize("version", ["ffffffffffff", "' OR 1=1 --", "%%%%"])
def test_a_version_that_is_not_there_is_told(store, version):
    store.add_lesson({"pairs": []})
    with pytest.raises(NotFoundError, match="No lesson"):
        store.lesson(version)


def test_too_little_of_a_version_is_refused(store):
    store.add_lesson({"pairs": []})
    with pytest.raises(InputError, match="at least 4"):
        store.lesson("")


def test_who_was_answered_is_found_by_the_methods_alone(store):
    one, other = samples.many(2)
    store.upsert([one, samples.predicted(samples.salt("NaF"), 5.0), other])
    energy_only = samples.predicted(samples.salt("MgO"), 4.0).with_property(
        samples.value("energy_per_atom", -5.0, "DFT/PBE/pw.x 6.7")
    )
    store.upsert([energy_only])
    assert store.answered_ids() == ["oxide-000", "oxide-001"]


def test_a_correction_goes_when_its_estimate_has_changed(store):
    method = f"lesson {'a' * 12}: {samples.GNN} -> DFT/PBE/pw.x"
    one = samples.predicted(samples.salt("TiO"), 2.0)
    corrected = one.with_property(samples.value("band_gap", 2.5, method))
    store.upsert([corrected])
    store.upsert([one])
    assert store.get(one.candidate_id).value("band_gap") == 2.5
    again = one.with_property(samples.value("band_gap", 2.2, samples.GNN, 0.3))
    store.upsert([again])
    assert [p.value for p in store.get(one.candidate_id).properties] == [2.2]
    assert store.query_ids("band_gap > 2.4") == []
