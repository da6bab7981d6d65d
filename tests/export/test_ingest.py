"""What an exported folder says of its paths, and what finished ones add to a candidate."""

from __future__ import annotations

import dataclasses

import materials
import numpy as np
import orjson
import pytest
from hysteron.benchmarks import ingest_berry_phase as outputs
from hysteron.core.candidate import Candidate
from hysteron.core.errors import InputError, NotFoundError
from hysteron.export.berry_phase import polarization_along_path
from hysteron.export.bundle import export_candidates
from hysteron.export.ingest import exported_paths, with_berry_phase
from pymatgen.core import Lattice, Structure


@pytest.fixture
def result(ferroelectric, tmp_path):
    from hysteron.core.polar_path import polar_path

    path = [
        outputs.grouped(i) for i in polar_path(materials.barium_titanate_cubic(), ferroelectric.structure)
    ]
    effective = np.array([2.7, 7.2, -3.3, -3.3, -3.3])
    dipoles = outputs.known_dipoles(path, effective, np.zeros(3))
    outputs.write_vasp_path(tmp_path / "runs", path, dipoles, np.random.default_rng(0))
    return polarization_along_path(tmp_path / "runs", "vasp")


def test_the_paths_of_one_or_several_exports_are_found(shortlist, tmp_path):
    for format in ("vasp", "espresso", "cif"):
        export_candidates(shortlist, format, tmp_path / format)
    found = exported_paths(tmp_path)
    assert [(path.candidate_id, path.format, path.images) for path in found] == [
        (shortlist[0].candidate_id, "espresso", 9),
        (shortlist[0].candidate_id, "vasp", 9),
    ]
    assert exported_paths(tmp_path / "vasp") == found[1:]
    assert (found[0].folder / "08" / "scf.in").is_file()
    assert found[0].formula == "BaTiO3"


def test_folders_without_an_export_or_a_path_are_sentences(known, tmp_path):
    with pytest.raises(NotFoundError, match="written by 'hysteron export'"):
        exported_paths(tmp_path)
    export_candidates(known[:1], "vasp", tmp_path / "x")
    with pytest.raises(NotFoundError, match="has a polarization path"):
        exported_paths(tmp_path / "x")


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b'{"candidates": [{}], "format": "vasp"}', b'{"candidates": 3}']
)
def test_a_broken_manifest_is_a_sentence(broken, tmp_path):
    (tmp_path / "manifest.json").write_bytes(broken)
    with pytest.raises(InputError, match="cannot be read as the manifest"):
        exported_paths(tmp_path)


def test_a_forged_manifest_cannot_name_a_folder_outside(ferroelectric, tmp_path):
    export_candidates([ferroelectric], "vasp", tmp_path / "out")
    place = tmp_path / "out" / "manifest.json"
    record = orjson.loads(place.read_bytes())
    record["candidates"][0]["folder"] = "../elsewhere"
    place.write_bytes(orjson.dumps(record))
    with pytest.raises(InputError, match="outside its own"):
        exported_paths(tmp_path / "out")


def test_a_finished_path_adds_the_polarization_with_its_step(ferroelectric, result):
    richer = with_berry_phase(ferroelectric, result)
    assert Candidate.from_record(orjson.loads(orjson.dumps(richer.to_record()))) == dataclasses.replace(
        richer, structure=richer.structure
    )
    best = richer.get("polarization")
    assert best.method == "Berry phase (PBE, VASP)"
    assert best.value == pytest.approx(result.polarization, abs=1e-4)
    assert "9 images" in best.source
    assert len(richer.all_of("polarization")) == 2  # the estimate stays beside it
    assert richer.value("polarization", method="berry_phase") == best.value
    vector = richer.value("polarization_vector")
    assert vector == pytest.approx(tuple(result.vector), abs=1e-4)
    step = richer.provenance[-1]
    assert (step.stage, step.name, step.version) == ("ingest", "berry_phase", "VASP 6.3.2")
    assert step.details["images"] == 9
    assert len(step.details["path"]) == 9
    assert richer.structure is ferroelectric.structure


def test_an_uncertain_branch_or_another_setting_is_not_taken(ferroelectric, result):
    with pytest.raises(InputError, match=r"not certain. It looks odd"):
        with_berry_phase(ferroelectric, dataclasses.replace(result, doubts=("It looks odd.",)))
    turned = ferroelectric.structure.lattice.matrix[:, [2, 0, 1]]
    other = Structure(
        Lattice(turned), [s.specie for s in ferroelectric.structure], ferroelectric.structure.frac_coords
    )
    with pytest.raises(InputError, match="another setting"):
        with_berry_phase(ferroelectric.with_structure(other), result)
