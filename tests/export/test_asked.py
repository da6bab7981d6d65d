"""What manifests ask for, whoever wrote them."""

from __future__ import annotations

import orjson
import pytest
from hysteron.benchmarks import ingest_samples as samples
from hysteron.core.errors import NotFoundError
from hysteron.export.asked import asked_of
from hysteron.export.bundle import export_candidates


@pytest.fixture
def sound(tmp_path):
    samples.write_export(tmp_path / "dft", formats=("vasp",))
    return tmp_path / "dft"


def changed(folder, change) -> None:
    place = folder / "vasp" / "manifest.json"
    record = orjson.loads(place.read_bytes())
    change(record)
    place.write_bytes(orjson.dumps(record))


def test_what_is_listed_is_asked_for(sound):
    asked, refused = asked_of(sound)
    assert not refused
    assert [one.candidate_id for one in asked] == [samples.BARIUM, samples.STRONTIUM]
    first = asked[0]
    assert (first.formula, first.format, first.root) == ("BaTiO3", "vasp", sound / "vasp")
    assert len(first.images) == samples.IMAGES
    assert [c.folder for c in first.calculations][:2] == [
        f"{samples.BARIUM}/relax",
        f"{samples.BARIUM}/static",
    ]
    assert first.image(first.images[3]).image == 3
    assert f"{samples.BARIUM}/static/INCAR" in first.inputs
    assert asked_of(sound / "vasp")[0] == asked


def test_the_paths_of_an_old_manifest_are_known_by_their_files(shortlist, tmp_path):
    for format in ("vasp", "espresso", "cif"):
        export_candidates(shortlist, format, tmp_path / format)
        place = tmp_path / format / "manifest.json"
        record = orjson.loads(place.read_bytes())
        for entry in record["candidates"]:
            entry.pop("calculations", None)
        place.write_bytes(orjson.dumps(record | {"manifest_version": 1}))
    asked, refused = asked_of(tmp_path)
    assert not refused
    identifier = shortlist[0].candidate_id
    assert [(one.candidate_id, one.format, len(one.images)) for one in asked] == [
        (identifier, "espresso", 9),
        (identifier, "vasp", 9),
    ]
    assert asked[0].images[8] == f"{identifier}/polarization/08"
    assert asked[0].calculations == ()


def test_folders_without_an_export_or_without_calculations_are_sentences(known, tmp_path):
    with pytest.raises(NotFoundError, match="written by 'hysteron export'"):
        asked_of(tmp_path)
    export_candidates(known[:1], "cif", tmp_path / "x")
    with pytest.raises(NotFoundError, match="Nothing comes back"):
        asked_of(tmp_path / "x")


@pytest.mark.parametrize(
    "broken", [b"[]", b'{"candidates": 3, "format": "vasp", "manifest_version": 2}', b"{", b"\xff" * 9]
)
def test_a_broken_manifest_does_not_stop_the_others(broken, sound):
    (sound / "other").mkdir()
    (sound / "other" / "manifest.json").write_bytes(broken)
    asked, refused = asked_of(sound)
    assert len(asked) == 2
    assert [refusal.what for refusal in refused] == [str(sound / "other" / "manifest.json")]
    assert "cannot be read as the manifest" in refused[0].reason


def test_a_linked_manifest_or_folder_is_not_followed(sound):
    (sound / "vasp").rename(sound.parent / "real")
    (sound / "vasp").symlink_to(sound.parent / "real")
    asked, refused = asked_of(sound)
    assert asked == []
    assert "symbolic link" in refused[0].reason
    assert len(asked_of(sound.parent / "real")[0]) == 2


def test_a_newer_manifest_is_not_guessed_at(sound):
    changed(sound, lambda record: record.update(manifest_version=99))
    _, refused = asked_of(sound)
    assert "reads up to 2" in refused[0].reason


def _first(change):
    return lambda record: change(record["candidates"][0])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_first(lambda e: e.update(folder="..")), "outside its own"),
        (_first(lambda e: e.update(folder="/etc")), "outside its own"),
        (_first(lambda e: e.update(folder=7)), "outside its own"),
        (_first(lambda e: e.pop("id")), "cannot be read"),
        (_first(lambda e: e.update(files=[{}])), "cannot be read"),
        (_first(lambda e: e["calculations"][0].update(folder="../x")), "leaves the export"),
        (
            _first(lambda e: e["calculations"][0].update(folder=f"{samples.STRONTIUM}/static")),
            "outside its candidate",
        ),
        (
            _first(lambda e: e["calculations"][0].update(folder=f"{samples.BARIUM}/static")),
            "two runs in one folder",
        ),
        (_first(lambda e: e["calculations"][4].update(image=7)), "not numbered"),
        (_first(lambda e: e["calculations"][4].update(image=None)), "not numbered"),
        (_first(lambda e: e["calculations"][0].update(kind="dance")), "none of relaxation"),
        (_first(lambda e: e["calculations"][0]["positions"].pop()), "rows of shape"),
        (_first(lambda e: e["calculations"][0].update(lattice=[[0, 0, 0]] * 3)), "no volume"),
    ],
)
def test_a_forged_candidate_is_refused_and_the_others_are_asked_for(change, says, sound):
    changed(sound, change)
    asked, refused = asked_of(sound)
    assert [one.candidate_id for one in asked] == [samples.STRONTIUM]
    assert len(refused) == 1
    assert refused[0].what.startswith("candidate 1 of ")
    assert says in refused[0].reason
