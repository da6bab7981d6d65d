"""pw.x inputs are read back by ASE and hold the same crystal."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import ase.io
import materials
import numpy as np
import pytest
from ase.io.espresso import read_fortran_namelist
from hysteron.core.candidate import Candidate
from hysteron.core.errors import SettingsError, StructureError
from hysteron.core.settings import validate
from hysteron.export.espresso import EspressoSettings, EspressoWriter
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.pwscf import PWInput

TEN_DECIMALS = 1e-8
"""ASE writes fractional coordinates with ten decimals."""


def apart(a: Structure, b: Structure) -> float:
    """Largest distance between matching atoms over (V/N)^(1/3), cells compared unscaled."""
    found = StructureMatcher(scale=False).get_rms_dist(a, b)
    assert found is not None, "not the same crystal"
    return found[1]


def write(candidate, folder, **settings):
    folder.mkdir(exist_ok=True)
    return folder, EspressoWriter(EspressoSettings(**settings)).write(candidate, folder).notes


def read(path) -> Structure:
    """The crystal that ASE reads from an input, element by element."""
    atoms: Any = ase.io.read(path, format="espresso-in")
    return Structure(atoms.get_cell().array, atoms.get_chemical_symbols(), atoms.get_scaled_positions())


def namelists(path):
    return read_fortran_namelist(io.StringIO(path.read_text()))[0]


def test_every_input_is_read_back_by_ase_and_holds_the_crystal(shortlist, tmp_path):
    for candidate in shortlist:
        folder, _ = write(candidate, tmp_path / candidate.candidate_id)
        for run in ("relax", "static"):
            found = read(folder / run / "pw.in")
            assert found.composition == candidate.structure.composition
            assert np.allclose(found.lattice.matrix, candidate.structure.lattice.matrix, atol=TEN_DECIMALS)
            assert apart(found, candidate.structure) < TEN_DECIMALS


def test_pymatgen_reads_a_simple_input_too(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "x")
    found = PWInput.from_file(folder / "static" / "pw.in").structure
    assert found.composition == ferroelectric.structure.composition
    assert apart(found, ferroelectric.structure) < TEN_DECIMALS


def test_the_relaxation_moves_the_cell_and_the_static_run_does_not(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "x")
    relax, static = (namelists(folder / run / "pw.in") for run in ("relax", "static"))
    assert relax["control"]["calculation"] == "vc-relax"
    assert {"ions", "cell"} <= set(relax)
    assert static["control"]["calculation"] == "scf"
    assert not {"ions", "cell", "fcp", "rism"} & set(static)
    assert not {"fcp", "rism"} & set(relax)


def test_settings_arrive_and_pseudopotentials_are_placeholders(ferroelectric, tmp_path):
    folder, _ = write(
        ferroelectric, tmp_path / "x", wavefunction_cutoff_ry=45, density_cutoff_ry=360, pseudo_dir="/p"
    )
    read = namelists(folder / "relax" / "pw.in")
    assert (read["system"]["ecutwfc"], read["system"]["ecutrho"]) == (45, 360)
    assert read["control"]["pseudo_dir"] == "/p"
    text = (folder / "relax" / "pw.in").read_text()
    assert all(f"{element}.UPF" in text for element in ("Ba", "Ti", "O"))
    assert any("placeholder" in sentence for sentence in EspressoWriter.about)


def test_the_functional_is_that_of_the_pseudopotentials_and_is_told(ferroelectric, tmp_path):
    (tmp_path / "x").mkdir()
    written = EspressoWriter(EspressoSettings(functional="LDA")).write(ferroelectric, tmp_path)
    assert {calculation.functional for calculation in written.calculations} == {"LDA"}
    inputs = [path.read_text() for path in tmp_path.rglob("*.in")]
    assert not any("input_dft" in text for text in inputs)
    assert {c.functional for c in EspressoWriter().write(ferroelectric, tmp_path / "x").calculations} == {
        "PBE"
    }


def test_only_the_static_run_prints_all_bands(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "x")
    assert namelists(folder / "static" / "pw.in")["control"]["verbosity"] == "high"
    assert "verbosity" not in namelists(folder / "relax" / "pw.in")["control"]
    assert "verbosity" not in namelists(folder / "polarization" / "00" / "scf.in")["control"]


def test_smearing_is_gaussian_where_there_is_any(ferroelectric, tmp_path):
    """Cold smearing has several Fermi energies where there is a gap."""
    folder, _ = write(ferroelectric, tmp_path / "x")
    system = namelists(folder / "relax" / "pw.in")["system"]
    assert (system["occupations"], system["smearing"]) == ("smearing", "gaussian")
    assert system["degauss"] * 13.6057 == pytest.approx(0.05, abs=1e-4)
    assert namelists(folder / "polarization" / "00" / "scf.in")["system"]["occupations"] == "fixed"


def test_open_shells_are_spin_polarised_and_closed_ones_are_not(known, ferroelectric, tmp_path):
    vanadia = next(c for c in known if c.formula == "VO2")
    folder, notes = write(vanadia, tmp_path / "magnetic")
    system = namelists(folder / "relax" / "pw.in")["system"]
    assert system["nspin"] == 2
    assert system["starting_magnetization(1)"] > 0
    assert system["starting_magnetization(2)"] == 0
    assert any("3.25 eV" in note and "No Hubbard U" in note for note in notes)
    closed, notes = write(ferroelectric, tmp_path / "closed")
    assert "nspin" not in namelists(closed / "relax" / "pw.in")["system"]
    assert notes == ()


def test_a_ferroelectric_gets_berry_phase_runs_along_a_path(ferroelectric, known, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "polar", path_images=8)
    without, _ = write(known[0], tmp_path / "nonpolar")
    assert not (without / "polarization").exists()
    places = sorted((folder / "polarization").iterdir())
    assert [place.name for place in places] == [f"{i:02d}" for i in range(8)]
    assert {p.name for p in places[3].iterdir()} == {"scf.in", "berry1.in", "berry2.in", "berry3.in"}
    images = [read(place / "scf.in") for place in places]
    assert apart(images[0], materials.barium_titanate_cubic()) < TEN_DECIMALS
    assert apart(images[-1], ferroelectric.structure) < TEN_DECIMALS
    assert len({tuple(s.specie.symbol for s in image) for image in images}) == 1
    # One mesh for all images, although their cells differ.
    assert (
        len({(place / "scf.in").read_text().split("K_POINTS")[1].split("CELL")[0] for place in places}) == 1
    )
    for place, image in zip(places, images, strict=True):
        for direction in (1, 2, 3):
            assert read(place / f"berry{direction}.in") == image


def test_a_berry_phase_run_has_strings_along_its_direction_and_fixed_occupations(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "polar", kpoint_spacing=0.12)
    place = folder / "polarization" / "04"
    scf = namelists(place / "scf.in")
    assert (scf["control"]["calculation"], scf["system"]["occupations"]) == ("scf", "fixed")
    mesh = [int(x) for x in (place / "scf.in").read_text().split("K_POINTS automatic")[1].split()[:3]]
    assert mesh == [14, 14, 13]  # 2 pi / 3.9945 A and 4.0335 A over 0.12 1/A: 13.11, 12.98
    for direction in (1, 2, 3):
        text = (place / f"berry{direction}.in").read_text()
        run = namelists(place / f"berry{direction}.in")
        control, system = run["control"], run["system"]
        assert (control["calculation"], control["lberry"], control["gdir"]) == ("nscf", True, direction)
        assert system["nosym"] is True
        assert system["occupations"] == "fixed"
        assert not {"smearing", "degauss"} & set(system)
        points = [int(x) for x in text.split("K_POINTS automatic")[1].split()[:3]]
        assert points[direction - 1] == control["nppstr"] == mesh[direction - 1] + 1
        assert all(points[i] == mesh[i] for i in range(3) if i != direction - 1)
    coarse, _ = write(ferroelectric, tmp_path / "coarse", kpoint_spacing=0.6)
    assert namelists(coarse / "polarization" / "04" / "berry1.in")["control"]["nppstr"] == 9


def test_a_crystal_that_may_be_magnetic_gets_no_path_and_is_told_why(ferroelectric, tmp_path):
    structure, parent = ferroelectric.structure.copy(), materials.barium_titanate_cubic()
    for crystal in (structure, parent):
        crystal.replace_species({"Ti": "Fe"})
    verdict = dataclasses.replace(
        ferroelectric.verdicts[0], details={"reference": {"structure": parent.as_dict()}}
    )
    folder, notes = write(ferroelectric.with_structure(structure).with_verdict(verdict), tmp_path / "x")
    assert not (folder / "polarization").exists()
    assert any("fixed occupations" in note and "Fe" in note for note in notes)


@pytest.mark.parametrize("bad", ["", "a'b", "two\nlines"])
def test_a_folder_that_breaks_the_namelist_is_refused(bad):
    with pytest.raises(SettingsError, match="pseudo_dir"):
        validate(EspressoSettings, {"pseudo_dir": bad}, "[export]")


@pytest.mark.filterwarnings("ignore:No Pauling electronegativity")
def test_what_no_library_has_is_refused_in_a_sentence(tmp_path):
    heavy = Candidate("Rf", Structure(Lattice.cubic(4), ["Rf"], [[0, 0, 0]]))
    with pytest.raises(StructureError, match="Rf"):
        EspressoWriter().write(heavy, tmp_path)
    with pytest.raises(StructureError, match="partially occupied"):
        EspressoWriter().write(Candidate("CuAu", materials.disordered_alloy()), tmp_path)


def test_a_hubbard_u_that_is_given_stands_in_a_card_of_the_elements_that_are_there(magnetic, tmp_path):
    folder, notes = write(magnetic, tmp_path / "x", hubbard_u={"Ni": 6.5, "Fe": 4.0})
    for run in ("relax", "static"):
        assert (folder / run / "pw.in").read_text().endswith("HUBBARD (ortho-atomic)\nU Ni-3d 6.5\n")
        assert read(folder / run / "pw.in").composition == magnetic.structure.composition
    assert not any("No Hubbard U" in note for note in notes)
    with pytest.raises(SettingsError, match="Xx has not"):
        validate(EspressoSettings, {"hubbard_u": {"Xx": 3.0}}, "[export]")


def test_a_supercell_keeps_its_cell_and_a_vacancy_may_become_magnetic(exports):
    folder = exports["espresso"] / "SrTiO3-221-aaaaaaaaaa" / "vacancy"
    pristine, vacant = (namelists(folder / name / "pw.in") for name in ("pristine", "V_O1_3c"))
    for run in (pristine, vacant):
        assert run["control"]["calculation"] == "relax"
        assert "ions" in run
        assert "cell" not in run
    assert "nspin" not in pristine["system"]
    assert vacant["system"]["nspin"] == 2
