"""`hysteron ingest`: export, runs (written by the test), and back into the store."""

import json
from pathlib import Path

import materials
import numpy as np
import pytest
from ase.io import read
from hysteron.benchmarks import ingest_berry_phase as outputs
from hysteron.cli.main import main
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.store.store import CandidateStore
from pymatgen.core import Structure

BORN = {"Ba": 2.7, "Ti": 7.2, "Pb": 2.7, "O": -3.3}
ESTIMATE = "oxidation state charges"


def ferroelectric(candidate_id: str, polar: Structure, nonpolar: Structure) -> Candidate:
    reference = {"reference": {"structure": nonpolar.as_dict()}}
    return Candidate(
        candidate_id,
        polar,
        (
            PropertyValue("polarization", 20.0, "uC/cm^2", ESTIMATE),
            PropertyValue("polarization_vector", (0.0, 0.0, 20.0), "uC/cm^2", ESTIMATE),
        ),
        (Step("retrieve", "catalog", "1"),),
        (Verdict("ferroelectric", True, 0.8, 20.0, 1.0, "Polar.", reference),),
        spacegroup_number=99,
    )


@pytest.fixture
def store(tmp_path):
    barium = ferroelectric(
        "BaTiO3-99-0123456789", materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
    )
    parent = materials.lead_titanate()
    cubic = Structure(
        np.eye(3) * 3.97, ["Pb", "Ti", "O", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    )  # fmt: skip
    lead = ferroelectric("PbTiO3-99-0123456789", parent, cubic)
    address = str(tmp_path / "store.db")
    with CandidateStore.open(address) as opened:
        opened.upsert([barium, lead])
    return address


def images_of(folder: Path, format: str) -> list[Structure]:
    """The images as DFT would read them from the exported inputs."""
    name, kind = {"vasp": ("POSCAR", "vasp"), "espresso": ("scf.in", "espresso-in")}[format]
    found = [read(place / name, format=kind) for place in sorted(folder.iterdir())]
    return [
        Structure(a.cell.array, a.get_chemical_symbols(), a.get_scaled_positions(wrap=False)) for a in found
    ]


def run(folder: Path, format: str) -> np.ndarray:
    """Write what DFT would: returns the polarization hidden in it, uC/cm^2."""
    images = images_of(folder, format)
    charges = np.array([BORN[site.specie.symbol] for site in images[0]])
    dipoles = outputs.known_dipoles(images, charges, np.zeros(3))
    write = {"vasp": outputs.write_vasp_path, "espresso": outputs.write_espresso_path}[format]
    write(folder, images, dipoles, np.random.default_rng(11))
    return outputs.known_polarization(images, charges)


def exported(store: str, format: str, out: Path) -> list[Path]:
    assert main(["export", "nelements = 3", "--to", format, "--out", str(out), "--store", store]) == 0
    return sorted(out.glob("*/polarization"))


@pytest.mark.parametrize(
    ("format", "method"), [("vasp", "Berry phase (PBE, VASP)"), ("espresso", "Berry phase (PBE, pw.x)")]
)
def test_from_export_by_dft_back_into_the_store(format, method, store, tmp_path, capsys):
    folders = exported(store, format, tmp_path / "dft")
    assert len(folders) == 2
    hidden = {folder.parent.name: run(folder, format) for folder in folders}
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 0
    answer = capsys.readouterr()
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert {row["candidate_id"] for row in rows} == set(hidden)
    assert "2 of 2 polarizations written" in answer.err
    with CandidateStore.open(store) as opened:
        for row in rows:
            expected = hidden[row["candidate_id"]]
            assert row["polarization_vector"] == pytest.approx(list(expected), abs=0.02)
            assert (row["branch"], row["stored"], row["method"]) == ("smooth", True, method)
            candidate = opened.get(row["candidate_id"])
            best = candidate.get("polarization")
            assert best.method == method
            assert best.value == pytest.approx(np.linalg.norm(expected), abs=0.02)
            assert candidate.value("polarization", method=ESTIMATE) == 20.0
            assert candidate.provenance[-1].stage == "ingest"
        assert opened.count("polarization.berry_phase > 20") == 2


def test_ingesting_twice_changes_nothing(store, tmp_path, capsys):
    for folder in exported(store, "vasp", tmp_path / "dft"):
        run(folder, "vasp")
    main(["ingest", str(tmp_path / "dft"), "--store", store])
    with CandidateStore.open(store) as opened:
        once = [c.to_record() for c in opened.query()]
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 0
    with CandidateStore.open(store) as opened:
        assert [c.to_record() for c in opened.query()] == once


def test_what_is_unfinished_is_told_and_the_rest_goes_on(store, tmp_path, capsys):
    first, second = exported(store, "vasp", tmp_path / "dft")
    run(first, "vasp")
    run(second, "vasp")
    cut = second / "06" / "OUTCAR"
    cut.write_text(cut.read_text().split(" General timing")[0])
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 1
    answer = capsys.readouterr()
    assert len(answer.out.splitlines()) == 1
    assert "1 of 2 paths cannot be used" in answer.err
    assert "unfinished" in answer.err
    assert second.parent.name in answer.err


def test_an_uncertain_branch_is_printed_and_not_stored(store, tmp_path, capsys):
    first, second = exported(store, "vasp", tmp_path / "dft")
    run(first, "vasp")
    run(second, "vasp")
    images = images_of(first, "vasp")
    charges = np.array([BORN[site.specie.symbol] for site in images[0]])
    dipoles = outputs.known_dipoles(images, charges, np.zeros(3))
    dipoles[5] += [0.0, 0.0, 0.3]
    outputs.write_vasp_path(first, images, dipoles, np.random.default_rng(0))
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 1
    answer = capsys.readouterr()
    rows = {row["candidate_id"]: row for row in map(json.loads, answer.out.splitlines())}
    assert rows[first.parent.name]["branch"] == "branch not certain"
    assert rows[first.parent.name]["stored"] is False
    assert rows[second.parent.name]["stored"] is True
    assert "metallic" in answer.err
    with CandidateStore.open(store) as opened:
        assert opened.get(first.parent.name).get("polarization").method == ESTIMATE


def test_no_run_finished_no_export_and_no_store_are_sentences(store, tmp_path, capsys):
    assert main(["ingest", str(tmp_path), "--store", store]) == 2
    assert "written by 'hysteron export'" in capsys.readouterr().err
    folders = exported(store, "vasp", tmp_path / "dft")
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 2
    assert "has not been run yet" in capsys.readouterr().err
    for folder in folders:
        run(folder, "vasp")
    assert main(["ingest", str(tmp_path / "dft"), "--store", str(tmp_path / "other.db")]) == 1
    answer = capsys.readouterr()
    assert len(answer.out.splitlines()) == 2
    assert "There is no store" in answer.err
    assert not (tmp_path / "other.db").exists()


def test_a_candidate_that_the_store_does_not_hold_is_told(store, tmp_path, capsys):
    for folder in exported(store, "vasp", tmp_path / "dft"):
        run(folder, "vasp")
    with CandidateStore.open(str(tmp_path / "other.db")):
        pass
    assert main(["ingest", str(tmp_path / "dft"), "--store", str(tmp_path / "other.db")]) == 1
    assert "0 of 2 polarizations written" in capsys.readouterr().err
