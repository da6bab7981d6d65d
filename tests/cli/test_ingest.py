"""`hysteron ingest`: export, runs (written by the test), and back into the store."""

import json
from pathlib import Path

import materials
import numpy as np
import pytest
from ase.io import read
from hysteron.benchmarks import ingest_berry_phase as outputs
from hysteron.benchmarks import ingest_samples as samples
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


def rows(answer) -> dict[str, dict]:
    return {row["candidate_id"]: row for row in map(json.loads, answer.out.splitlines())}


@pytest.mark.parametrize(
    ("format", "method"),
    [("vasp", "DFT/PBE/VASP 6.3/Berry phase"), ("espresso", "DFT/PBE/pw.x")],
)
def test_from_export_by_dft_back_into_the_store(format, method, store, tmp_path, capsys):
    folders = exported(store, format, tmp_path / "dft")
    assert len(folders) == 2
    hidden = {folder.parent.name: run(folder, format) for folder in folders}
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 0
    answer = capsys.readouterr()
    found = rows(answer)
    assert found.keys() == hidden.keys()
    assert "18 finished runs of 2 candidates added" in answer.err
    with CandidateStore.open(store) as opened:
        for identifier, row in found.items():
            expected = hidden[identifier]
            assert row["ingest"]["path"]["polarization_vector"] == pytest.approx(list(expected), abs=0.02)
            assert row["ingest"]["path"]["branch"] == "smooth"
            candidate = opened.get(identifier)
            assert Candidate.from_record(row).to_record() == candidate.to_record()
            best = candidate.get("polarization")
            assert best.method.startswith(method)
            assert best.value == pytest.approx(np.linalg.norm(expected), abs=0.02)
            assert candidate.value("polarization", method=ESTIMATE) == 20.0
            assert candidate.provenance[-1].stage == "ingest"
        assert opened.count("polarization.dft > 20") == 2


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
    assert rows(answer).keys() == {first.parent.name}
    assert "1 cannot be used" in answer.err
    assert f"{second.parent.name}/polarization/06/OUTCAR is unfinished" in answer.err


def test_an_uncertain_branch_is_told_and_no_polarization_stored(store, tmp_path, capsys):
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
    found = rows(answer)
    assert found[first.parent.name]["ingest"]["path"]["branch"] == "branch not certain"
    assert found[second.parent.name]["ingest"]["path"]["branch"] == "smooth"
    assert "metallic" in answer.err
    with CandidateStore.open(store) as opened:
        assert opened.get(first.parent.name).get("polarization").method == ESTIMATE
        assert opened.get(second.parent.name).get("polarization").method == "DFT/PBE/VASP 6.3/Berry phase"


def test_no_run_finished_no_export_and_no_store_are_sentences(store, tmp_path, capsys):
    assert main(["ingest", str(tmp_path), "--store", store]) == 2
    assert "written by 'hysteron export'" in capsys.readouterr().err
    folders = exported(store, "vasp", tmp_path / "dft")
    assert main(["ingest", str(tmp_path / "dft"), "--store", store]) == 2
    assert "have no output yet" in capsys.readouterr().err
    for folder in folders:
        run(folder, "vasp")
    assert main(["ingest", str(tmp_path / "dft"), "--store", str(tmp_path / "other.db")]) == 2
    assert "There is no store" in capsys.readouterr().err
    assert not (tmp_path / "other.db").exists()


def test_a_candidate_that_the_store_does_not_hold_is_told(store, tmp_path, capsys):
    for folder in exported(store, "vasp", tmp_path / "dft"):
        run(folder, "vasp")
    with CandidateStore.open(str(tmp_path / "other.db")):
        pass
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "dft"), "--store", str(tmp_path / "other.db")]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "2 cannot be used" in answer.err
    assert "BaTiO3-99-0123456789" in answer.err


# Everything that may be asked for


@pytest.fixture
def samples_store(tmp_path):
    samples.write_export(tmp_path / "dft")
    address = str(tmp_path / "samples.db")
    crystals = {samples.BARIUM: samples.tetragonal(), samples.STRONTIUM: samples.cubic("Sr", 3.905)}
    step = Step("retrieve", "catalog", "1")
    with CandidateStore.open(address) as opened:
        opened.upsert([Candidate(name, crystal, (), (step,)) for name, crystal in crystals.items()])
    return address


def test_several_formats_add_to_one_candidate(samples_store, tmp_path, capsys):
    assert main(["ingest", str(tmp_path / "dft"), "--store", samples_store]) == 0
    answer = capsys.readouterr()
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [(line["candidate_id"], line["ingest"]["format"]) for line in lines] == [
        (samples.BARIUM, "espresso"), (samples.BARIUM, "gpaw"), (samples.BARIUM, "vasp"), (samples.STRONTIUM, "vasp")
    ]  # fmt: skip
    assert "37 finished runs of 2 candidates added" in answer.err
    assert "no vacancy formation energy is told" in answer.err
    with CandidateStore.open(samples_store) as opened:
        candidate = opened.get(samples.BARIUM)
        assert {p.method for p in candidate.all_of("energy_per_atom")} == {
            f"DFT/PBE/{code}" for code in ("VASP 6.3", "pw.x 6.7", "GPAW 22.8")
        }
        assert opened.first_structure(samples.BARIUM) == samples.tetragonal()
        assert candidate.structure.volume > samples.tetragonal().volume * 1.02
        assert opened.count("band_gap.dft_pbe > 1 AND energy_per_atom.dft < -8") == 2
        once = candidate.to_record()
    assert main(["ingest", str(tmp_path / "dft"), "--store", samples_store]) == 0
    with CandidateStore.open(samples_store) as opened:
        assert opened.get(samples.BARIUM).to_record() == once


@pytest.mark.parametrize(
    ("format", "says"),
    [("table", "gap: band_gap by DFT/PBE/GPAW 22.8"), ("csv", "BaTiO3"), ("cif", "_cell_length_a")],
)
def test_the_candidates_are_printed_in_every_format(format, says, samples_store, tmp_path, capsys):
    assert main(["ingest", str(tmp_path / "dft" / "gpaw"), "--store", samples_store, "--format", format]) == 0
    assert says in capsys.readouterr().out


def test_a_manifest_of_another_store_harms_no_candidate(samples_store, tmp_path, capsys):
    place = tmp_path / "dft" / "vasp" / "manifest.json"
    place.write_text(place.read_text().replace(f'"id": "{samples.BARIUM}"', f'"id": "{samples.STRONTIUM}"'))
    assert main(["ingest", str(tmp_path / "dft" / "vasp"), "--store", samples_store]) == 1
    assert "belongs to another store, or was changed" in capsys.readouterr().err
    with CandidateStore.open(samples_store) as opened:
        assert opened.get(samples.BARIUM).properties == ()
        assert opened.get(samples.STRONTIUM).value("band_gap") == samples.GAP_EV
