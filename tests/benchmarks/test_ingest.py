"""The benchmark of the ingest: sound runs are taken, and each damage by itself."""

import json

import pytest
from hysteron.benchmarks import ingest
from hysteron.benchmarks import ingest_samples as samples
from hysteron.benchmarks.ingest_damage import Damage, damages

QUICK = list(damages())[::5]
"""Of every kind some; the others are slow together."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "export"
    samples.write_export(folder, 3)
    return folder


def test_what_is_sound_is_taken_and_comes_back(sound):
    found = ingest.measure_sound(sound)
    assert found["sound"] == found["sound_taken"] == 37
    assert found["sound_refused"] == []
    assert found["baseline_sound_taken"] == found["baseline_sound"] == 8
    assert max(found["largest_error"].values()) < 1e-3


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in damages()]
)
def test_damage_is_refused_with_its_reason_and_stops_no_other_run(name, sound, tmp_path):
    told = ingest.told_of(damages()[name], sound, tmp_path / "copy")
    assert told["refused"], told["reason"]
    assert told["others_taken"]
    assert told["reason"].rstrip().endswith(".")


def test_no_damage_is_no_refusal_and_a_refusal_for_another_reason_does_not_count(sound, tmp_path):
    """The measure itself can fail."""
    run = f"{samples.BARIUM}/static"
    nothing = ingest.told_of(Damage("vasp", run, "anything", lambda root: None), sound, tmp_path / "a")
    assert (nothing["refused"], nothing["others_taken"]) == (False, False)
    emptied = Damage("vasp", run, "entity", lambda root: (root / run / "vasprun.xml").write_text(""))
    assert not ingest.told_of(emptied, sound, tmp_path / "b")["refused"]


def test_there_are_more_than_twenty_kinds():
    assert len(damages()) >= 50


@pytest.mark.slow
def test_the_benchmark_refuses_everything_damaged_and_nothing_sound():
    found = ingest.run(seed=1)
    assert json.loads(json.dumps(found)) == found
    assert found["refused_with_reason"] == found["others_taken"] == found["n"]
    assert found["missed"] == []
    assert found["sound_taken"] == found["sound"]
    assert found["baseline_refused"] < found["baseline_n"]
