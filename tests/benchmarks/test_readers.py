"""The benchmark of the readers, on few frames, and each damaged file by itself."""

import json

import pytest
from hysteron.benchmarks import readers
from hysteron.benchmarks.readers_damage import damaged_files
from hysteron.benchmarks.readers_poison import other_pickles, running_pickles
from hysteron.benchmarks.readers_samples import make_samples, write_aselmdb
from hysteron.core.errors import MissingDataError

SAMPLES = make_samples(6, 0, least=4, most=9)


def test_it_reads_all_that_was_written_and_refuses_the_rest(tmp_path):
    pytest.importorskip("ase_db_backends", reason="needs ase-db-backends: pip install 'hysteron[test]'")
    found = readers.run(frames=6, seed=1)
    assert json.loads(json.dumps(found)) == found
    assert found["frames_bit_equal"] == found["frames_read"] == 6 * len(found["formats"]) == 54
    assert all(f["frames_per_second"] > 0 for f in found["formats"].values())
    running = len(running_pickles(tmp_path))
    assert found["poisoned"] == found["poisoned_refused"] == running + len(other_pickles())
    assert (found["poisoned_executed"], found["poisoned_executed_by_pickle"]) == (0, running)
    assert (found["damaged_told"], found["damaged_missed"]) == (found["damaged"], [])


@pytest.mark.parametrize("name", damaged_files())
def test_damage_is_told_in_a_sentence_that_names_the_place(name, tmp_path):
    told = readers.told_of(name, SAMPLES, tmp_path / "damaged")
    assert told is not None
    assert str(tmp_path) in told
    assert told.endswith(".")


def test_one_changed_bit_is_seen(tmp_path):
    """The comparison itself can fail."""
    import dataclasses

    from hysteron.predictors.datasets.formats import open_frames

    readers.write.write_s2ef(tmp_path, SAMPLES, 6)
    frame = next(iter(open_frames(tmp_path, "oc20-s2ef-extxyz")))
    assert readers.same(frame, SAMPLES[0], ["forces", "energy"])
    forces = SAMPLES[0].forces.copy()
    forces[1, 2] += 1e-8
    assert not readers.same(frame, dataclasses.replace(SAMPLES[0], forces=forces), ["forces"])


def test_without_the_tool_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("hysteron.benchmarks.readers_samples.find_spec", lambda _: None)
    with pytest.raises(MissingDataError, match="pip install"):
        write_aselmdb(tmp_path / "a.aselmdb", SAMPLES)
