"""A folder per candidate and a manifest that can be trusted."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import materials
import orjson
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import InputError, OutputError, SettingsError
from hysteron.export import FORMATS
from hysteron.export.bundle import export_candidates, load_writer
from hysteron.export.manifest import Written
from hysteron.export.run_summary import RunSummary
from pymatgen.core import Lattice, Structure


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def polonium() -> Candidate:
    return Candidate("Po-221-1", Structure(Lattice.cubic(3.359), ["Po"], [[0, 0, 0]]))


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_the_manifest_lists_every_file_with_its_checksum(to, ferroelectric, known, tmp_path):
    manifest = export_candidates([ferroelectric, known[0]], to, tmp_path / "out")
    stored = orjson.loads((tmp_path / "out" / "manifest.json").read_bytes())
    listed = {f["path"]: f["sha256"] for entry in stored["candidates"] for f in entry["files"]}
    found = tree(tmp_path / "out")
    found.pop("manifest.json")
    assert listed == {path: hashlib.sha256(content).hexdigest() for path, content in found.items()}
    assert len(listed) >= 2
    assert stored["format"] == manifest.format == to
    assert stored["written_by"].startswith("hysteron ")


def test_an_entry_says_what_the_candidate_is_and_where_it_came_from(ferroelectric, tmp_path):
    export_candidates([ferroelectric], "cif", tmp_path)
    entry = orjson.loads((tmp_path / "manifest.json").read_bytes())["candidates"][0]
    assert (entry["rank"], entry["id"], entry["formula"]) == (1, ferroelectric.candidate_id, "BaTiO3")
    assert entry["lineage"]["parents"] == ["SrTiO3-221-aaaaaaaaaa"]
    assert entry["lineage"]["steps"][0]["details"] == {"Sr": "Ba"}
    hull = next(p for p in entry["properties"] if p["name"] == "energy_above_hull")
    assert (hull["value"], hull["units"], hull["method"]) == (0.004, "eV/atom", "CHGNet 0.3.0")


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_equal_exports_give_equal_bytes(to, ferroelectric, known, tmp_path):
    run = RunSummary("r1", preset="ferroelectric", seed=0, elapsed_seconds=1.0)
    for name in ("a", "b"):
        export_candidates([ferroelectric, known[1]], to, tmp_path / name, run=run)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_one_that_cannot_be_exported_is_listed_and_the_others_go_on(ferroelectric, known, polonium, tmp_path):
    alloy = Candidate("CuAu", materials.disordered_alloy())
    manifest = export_candidates([polonium, ferroelectric, alloy, known[0]], "vasp", tmp_path)
    assert [entry.id for entry in manifest.candidates] == [ferroelectric.candidate_id, known[0].candidate_id]
    assert [entry.rank for entry in manifest.candidates] == [2, 4]
    reasons = {entry.id: entry.reason for entry in manifest.failed}
    assert "no POTCAR for Po" in reasons["Po-221-1"]
    assert "partially occupied" in reasons["CuAu"]
    assert not (tmp_path / "Po-221-1").exists()


def test_a_writer_that_breaks_is_told_in_the_manifest(ferroelectric, known, tmp_path, monkeypatch):
    from hysteron.export.cif import CifFileWriter

    whole = CifFileWriter.write

    def broken(self, candidate, folder):
        whole(self, candidate, folder)
        if candidate is ferroelectric:
            raise ZeroDivisionError("half a file is written")
        return Written()

    monkeypatch.setattr(CifFileWriter, "write", broken)
    manifest = export_candidates([ferroelectric, known[0]], "cif", tmp_path)
    assert "ZeroDivisionError" in manifest.failed[0].reason
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([known[0].candidate_id, "manifest.json"])


def test_top_takes_the_head_of_the_list(shortlist, tmp_path):
    manifest = export_candidates(shortlist, "cif", tmp_path, top=2)
    assert [entry.id for entry in manifest.candidates] == [c.candidate_id for c in shortlist[:2]]
    with pytest.raises(InputError, match="top is 0"):
        export_candidates(shortlist, "cif", tmp_path / "x", top=0)
    assert not (tmp_path / "x").exists()


def test_unknown_formats_and_settings_are_refused_before_anything_is_made(ferroelectric, tmp_path):
    with pytest.raises(InputError, match=r"Did you mean 'vasp'\? Known: atomate2, cif, espresso, gpaw, vasp"):
        export_candidates([ferroelectric], "vaps", tmp_path / "x")
    with pytest.raises(SettingsError, match="path_images"):
        export_candidates([ferroelectric], "vasp", tmp_path / "x", settings={"path_image": 5})
    assert not (tmp_path / "x").exists()


def test_settings_reach_the_writer_and_the_manifest(ferroelectric, tmp_path):
    manifest = export_candidates([ferroelectric], "vasp", tmp_path, settings={"path_images": 8})
    assert manifest.settings["path_images"] == 8
    assert manifest.settings["vacancy_apart_angstrom"] == 10.0
    assert len(list((tmp_path / ferroelectric.candidate_id / "polarization").iterdir())) == 8


def test_hostile_ids_stay_inside_the_folder(ferroelectric, tmp_path):
    ids = ["../../x", "/etc/x", "..", "<script>", "=cmd()", "manifest.json", "x", "X", "a" * 300]
    hostile = [Candidate(i, ferroelectric.structure) for i in ids]
    manifest = export_candidates(hostile, "cif", tmp_path / "out")
    assert [entry.id for entry in manifest.candidates] == ids
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    folders = [entry.folder for entry in manifest.candidates]
    assert len({f.lower() for f in folders}) == len(ids)
    assert all((tmp_path / "out" / f).resolve().parent == (tmp_path / "out").resolve() for f in folders)


def test_a_folder_with_content_is_refused(ferroelectric, tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(OutputError, match="not empty"):
        export_candidates([ferroelectric], "cif", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_overwriting_replaces_an_earlier_export_and_leaves_everything_else(ferroelectric, known, tmp_path):
    export_candidates([ferroelectric, known[0], known[1]], "vasp", tmp_path)
    result = tmp_path / ferroelectric.candidate_id / "relax" / "OUTCAR"
    result.write_text("days of computing")
    edited = tmp_path / known[0].candidate_id / "relax" / "INCAR"
    edited.write_text("ENCUT = 700\n")
    manifest = export_candidates(
        [ferroelectric], "vasp", tmp_path, overwrite=True, settings={"path_images": 8}
    )
    assert result.read_text() == "days of computing"
    assert edited.read_text() == "ENCUT = 700\n"
    assert not (tmp_path / known[0].candidate_id / "static").exists()
    assert not (tmp_path / known[1].candidate_id).exists()
    listed = {f.path for entry in manifest.candidates for f in entry.files}
    images = list((tmp_path / ferroelectric.candidate_id / "polarization").iterdir())
    assert len(images) == 8
    assert set(tree(tmp_path)) == listed | {
        "manifest.json",
        f"{ferroelectric.candidate_id}/relax/OUTCAR",
        f"{known[0].candidate_id}/relax/INCAR",
    }


def test_a_forged_manifest_cannot_have_files_outside_removed(ferroelectric, tmp_path):
    outside = tmp_path / "precious.txt"
    outside.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    checksum = hashlib.sha256(b"mine").hexdigest()
    files = [{"path": "../precious.txt", "sha256": checksum}, {"path": str(outside), "sha256": checksum}]
    (out / "manifest.json").write_bytes(orjson.dumps({"candidates": [{"files": files}]}))
    export_candidates([ferroelectric], "cif", out, overwrite=True)
    assert outside.read_text() == "mine"


def test_a_full_disk_is_a_sentence_and_leaves_no_half_folder(ferroelectric, known, tmp_path, monkeypatch):
    from hysteron.export.cif import CifFileWriter

    whole = CifFileWriter.write

    def full(self, candidate, folder):
        if candidate is known[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "x.cif"))
        return whole(self, candidate, folder)

    monkeypatch.setattr(CifFileWriter, "write", full)
    with pytest.raises(OutputError, match="disk is full"):
        export_candidates([ferroelectric, known[0]], "cif", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [ferroelectric.candidate_id]


def test_the_manifest_knows_the_run_but_not_the_time(ferroelectric, tmp_path):
    run = RunSummary(
        "r1", preset="all", seed=7, started="2026-01-02T03:04:05Z", elapsed_seconds=3.0, hull="h"
    )
    export_candidates([ferroelectric], "cif", tmp_path, run=run)
    text = (tmp_path / "manifest.json").read_text()
    assert '"seed": 7' in text
    assert "2026-01-02" not in text


def test_every_format_can_be_loaded_and_says_something_of_itself():
    for name in FORMATS:
        writer = load_writer(name)
        assert writer.about
        assert isinstance(writer.settings, writer.settings_model)


def test_listing_the_formats_loads_nothing_heavy():
    code = (
        "import sys; from hysteron.export import FORMATS; import hysteron.export.bundle, hysteron.export.report, "
        "hysteron.export.table, hysteron.export.jsonl; "
        "print([m for m in ('pymatgen', 'ase', 'spglib', 'plotly', 'pandas', 'torch', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_empty_list_gives_an_empty_manifest(tmp_path):
    manifest = export_candidates([], "vasp", tmp_path)
    assert manifest.candidates == manifest.failed == ()
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
