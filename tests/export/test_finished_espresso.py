"""What the text of pw.x says: of genuine runs, of written ones held against ASE's reader, and what of it is refused."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import genuine_outputs
import materials
import numpy as np
import pytest
from ase.io import read as ase_read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hysteron.benchmarks.ingest_espresso import pw_run
from hysteron.benchmarks.ingest_outputs import Run
from hysteron.core.errors import InputError
from hysteron.export.espresso_text import functional_of
from hysteron.export.finished_espresso import read_run
from hysteron.export.finished_run import CELL, NOTHING, POSITIONS

CRYSTAL = materials.barium_titanate_tetragonal()
RUN = Run(
    CRYSTAL, energy=-400.123, forces=np.arange(15).reshape(5, 3) / 100, stress=np.diag([0.01, 0.02, -0.03])
)
PRINTED = 2e-6
ASE_UNITS = 2e-5
"""Of an energy: ASE takes older constants."""


def read(folder: Path, text: str):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "pw.out").write_text(text)
    return read_run(folder, "run")


@pytest.mark.parametrize("moved", [NOTHING, POSITIONS, CELL])
def test_a_written_run_is_read_as_ase_reads_it(moved, tmp_path):
    begun = None if moved == NOTHING else CRYSTAL.copy().apply_strain(0.01 if moved == CELL else 0.0)
    run = dataclasses.replace(RUN, first=begun, held=moved == POSITIONS)
    text = pw_run(run)
    found = read(tmp_path, text)
    assert (found.moved, found.method(), found.charge) == (moved, "DFT/PBE/pw.x 6.7", 0.0)
    assert found.energy == pytest.approx(run.energy, abs=PRINTED)
    assert found.last.lattice == pytest.approx(run.last.lattice.matrix, abs=1e-5)
    assert found.last.positions == pytest.approx(run.last.frac_coords, abs=1e-6)
    assert found.first.lattice == pytest.approx(run.began.lattice.matrix, abs=1e-5)
    assert found.forces == pytest.approx(run.forces, abs=1e-6)
    assert found.stress == pytest.approx(run.stress, abs=1e-5)
    assert found.band_gap == pytest.approx(run.gap, abs=1e-4)
    theirs = ase_read(io.StringIO(text), format="espresso-out")
    assert theirs.get_potential_energy() == pytest.approx(found.energy, rel=ASE_UNITS)
    assert theirs.get_forces() == pytest.approx(found.forces, abs=1e-4)
    assert theirs.get_stress(voigt=False) == pytest.approx(found.stress, abs=1e-4)


def test_the_genuine_static_run_is_read(tmp_path):
    found = read(tmp_path, genuine_outputs.texts()["static/pw.out"])
    assert found.method() == "DFT/LDA/pw.x 6.7"
    assert (found.moved, found.charge, found.version) == (NOTHING, 0.0, "6.7MaX")
    assert found.species == ("Pb", "Ti", "O", "O", "O")
    assert found.energy == pytest.approx(-333.69281742 * 13.605693123, abs=1e-6)
    assert found.band_gap == pytest.approx(2.3811)
    assert found.forces.shape == (5, 3)
    assert found.settings["kpoints"] == "6 k-points"
    assert found.settings["pseudopotentials"][0] == "O O.UPF 97949a9452a8f4f33f872c7ca5f0ab16"
    theirs = ase_read(tmp_path / "run" / "pw.out", format="espresso-out")
    assert theirs.get_forces() == pytest.approx(found.forces, abs=1e-4)
    assert theirs.get_stress(voigt=False) == pytest.approx(found.stress, abs=1e-4)
    assert theirs.get_scaled_positions(wrap=False) == pytest.approx(found.last.positions, abs=1e-6)


def test_the_genuine_relaxation_ends_where_it_says_and_takes_the_energy_of_its_final_run(tmp_path):
    found = read(tmp_path, genuine_outputs.texts()["relax/pw.out"])
    assert found.moved == CELL
    assert np.diag(found.last.lattice) == pytest.approx([3.812659100, 3.812659100, 4.015130821])
    assert found.last.positions[0, 2] == pytest.approx(0.0178453970)
    assert np.diag(found.first.lattice) == pytest.approx([3.902, 3.902, 4.156], abs=1e-6)
    # In the cell of the end with its own plane waves; the optimizer's last one, -333.71000887 Ry, has those of the beginning.
    assert found.energy == pytest.approx(-333.69375684 * 13.605693123, abs=1e-6)


def test_a_metal_has_a_gap_of_nothing_and_bands_that_are_not_printed_give_none(tmp_path):
    assert read(tmp_path, pw_run(dataclasses.replace(RUN, gap=-0.4))).band_gap == 0.0
    assert (
        read(tmp_path, pw_run(dataclasses.replace(RUN, charge=1))).band_gap == 0.0
    )  # an odd number of electrons
    start, end = "          k = 0.0000", "     the Fermi energy"
    text = pw_run(RUN)
    told = "     Number of k-points >= 100: set verbosity='high' to print the bands.\n\n"
    assert read(tmp_path, text[: text.index(start)] + told + text[text.index(end) :]).band_gap is None


def test_with_spin_the_fermi_energy_tells_what_is_occupied(tmp_path):
    """Two channels of other occupation: the gap is between the highest and the lowest of both."""
    text = pw_run(RUN)
    start, end = text.index("          k = 0.0000"), text.index("     the Fermi energy")
    bands = text[start:end]
    spins = f" ------ SPIN UP ------------\n\n\n{bands} ------ SPIN DOWN ----------\n\n\n{bands}"
    found = read(tmp_path, text[:start] + spins + text[end:])
    assert found.band_gap == pytest.approx(RUN.gap, abs=1e-4)
    assert found.settings["spin_polarized"] is True


def test_the_last_of_several_runs_in_one_file_counts(tmp_path):
    broken = pw_run(dataclasses.replace(RUN, electronic=False))
    assert read(tmp_path, broken + pw_run(RUN)).energy == pytest.approx(RUN.energy)
    with pytest.raises(InputError, match="electronically"):
        read(tmp_path, pw_run(RUN) + broken)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("JOB DONE", "", "unfinished"),
        ("Program PWSCF", "Program CP", "no output of pw.x"),
        ("     Self-consistent", "     Band Structure Calculation\n     Self-consistent", "at a fixed density"),
        ("     Self-consistent", "     Molecular Dynamics Calculation\n     Self-consistent", "molecular dynamics"),
        ("has been achieved", "NOT achieved", "electronically"),
        ("convergence has been achieved", "", "no self-consistent cycle"),
        ("!    total energy", "     total energy", "no total energy"),
        ("celldm(1)", "celldm(9)", "names no cell"),
        ("number of atoms/cell      =            5", "number of atoms/cell      =            9", "positions of its atoms"),
        ("hartree contribution      =      7.2", "hartree contribution      =      9.2", "sum of its terms"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_sentence(old, new, says, tmp_path):
    text = pw_run(RUN)
    assert old in text
    with pytest.raises(InputError, match=says):
        read(tmp_path, text.replace(old, new))


def test_a_relaxation_without_its_end_is_a_sentence(tmp_path):
    run = dataclasses.replace(RUN, first=CRYSTAL)
    for old, says in (("bfgs converged in", "ionically"), ("End final coordinates", "final coordinates")):
        with pytest.raises(InputError, match=says):
            read(tmp_path, pw_run(run).replace(old, ""))


@pytest.mark.parametrize(
    ("words", "u"),
    [
        ("     Hubbard projectors: ortho-atomic\n     U(Ti-3d) =  3.5000\n", {"Ti": 3.5}),
        (
            "     Simplified LDA+U calculation (l_max = 2) with parameters (eV):\n"
            "     atomic species    L          U    alpha       J0     beta\n"
            "        Ti1           2     3.5000   0.0000   0.0000   0.0000\n\n",
            {"Ti": 3.5},
        ),
        ("     Hubbard projectors: atomic\n", None),
    ],
)
def test_the_hubbard_u_of_old_and_new_versions_is_read(words, u, tmp_path):
    found = read(tmp_path, pw_run(RUN).replace("   Cartesian axes", f"{words}\n   Cartesian axes"))
    assert (found.functional, found.hubbard) == ("PBE+U", u)


@given(cut=st.floats(0, 0.999))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_anywhere_is_a_sentence(cut, tmp_path):
    text = pw_run(RUN)
    with pytest.raises(InputError):
        read(tmp_path, text[: int(cut * text.index("JOB DONE"))])


@given(place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_anywhere_is_a_sentence_or_no_harm(place, junk, tmp_path):
    content = pw_run(dataclasses.replace(RUN, first=CRYSTAL)).encode()
    at = int(place * len(content))
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "pw.out").write_bytes(content[:at] + junk + content[at + len(junk) :])
    try:
        found = read_run(tmp_path, "run")
    except InputError:
        return
    assert np.isfinite(found.energy)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("SLA  PZ   NOGX NOGC", "LDA"),
        ("SLA  PW   NOGX NOGC", "LDA"),
        ("SLA  PW   PBX  PBC", "PBE"),
        ("SLA  PW   PSX  PSC", "PBEsol"),
        ("PBE", "PBE"),
    ],
)
def test_functionals_have_the_names_of_the_field(words, name):
    assert functional_of(f"     Exchange-correlation= {words} (   1   1   0   0   0   0   0)\n") == name
