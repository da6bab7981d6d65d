"""pw.x inputs are read back by ASE and hold the same crystal."""

from __future__ import annotations

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
from hysteron.export.espresso import EspressoSettings, EspressoWriter, kpoint_mesh
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
    return folder, EspressoWriter(EspressoSettings(**settings)).write(candidate, folder)


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
    assert notes == []


def test_the_mesh_follows_the_cell_and_halves_in_a_supercell():
    cubic = Lattice.cubic(4.0).reciprocal_lattice_crystallographic.matrix
    doubled = Lattice.orthorhombic(4.0, 4.0, 8.0).reciprocal_lattice_crystallographic.matrix
    # 2 pi / 4.0 = 1.571 1/A, over 0.2 1/A: 7.85
    assert kpoint_mesh(cubic, 0.2) == (8, 8, 8)
    assert kpoint_mesh(doubled, 0.2) == (8, 8, 4)
    assert kpoint_mesh(cubic, 2.0) == (1, 1, 1)


def test_equal_lengths_get_equal_divisions():
    # Rounding noise must not give a cubic crystal an uneven mesh: 2 pi / (10 pi) = 0.2 exactly.
    lattice = Lattice.cubic(10 * np.pi / 5)
    mesh = kpoint_mesh(lattice.reciprocal_lattice_crystallographic.matrix, 0.2)
    assert len(set(mesh)) == 1


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
