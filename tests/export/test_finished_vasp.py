"""What a vasprun.xml says, held against pymatgen's reader, and what of it is refused."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path

import ase.test
import materials
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hysteron.benchmarks.ingest_outputs import Run
from hysteron.benchmarks.ingest_samples import sound_runs
from hysteron.benchmarks.ingest_vasp import vasprun
from hysteron.core.errors import InputError
from hysteron.export import vasp_xml
from hysteron.export.finished_run import CELL, NOTHING, POSITIONS
from hysteron.export.finished_vasp import KILOBAR_IN_EV_PER_A3, read_run
from hysteron.export.vasp_functional import functional_name
from pymatgen.io.vasp import Vasprun

GENUINE = Path(ase.test.__file__).parent / "testdata" / "vasp"
"""Outputs of VASP 6.3 that ASE ships for its own tests: diamond under pressure, and a linear response."""
PRINTED = 1e-7
CRYSTAL = materials.barium_titanate_tetragonal()
RUN = Run(
    CRYSTAL, energy=-40.123, forces=np.arange(15).reshape(5, 3) / 100, stress=np.diag([0.01, 0.02, -0.03])
)


def read(folder: Path, text: str):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "vasprun.xml").write_text(text)
    return read_run(folder, "run")


def by_pymatgen(folder: Path) -> Vasprun:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Vasprun(str(folder / "run" / "vasprun.xml"), parse_potcar_file=False)


@pytest.mark.parametrize("moved", [NOTHING, POSITIONS, CELL])
def test_a_written_run_is_read_as_pymatgen_reads_it(moved, tmp_path):
    begun = None if moved == NOTHING else CRYSTAL.copy().apply_strain(0.01 if moved == CELL else 0.0)
    run = dataclasses.replace(RUN, first=begun, held=moved == POSITIONS, forces=RUN.forces / 100)
    found, theirs = read(tmp_path, vasprun(run)), by_pymatgen(tmp_path)
    assert found.moved == moved
    assert found.energy == pytest.approx(float(theirs.final_energy), abs=PRINTED)
    assert found.energy == pytest.approx(run.energy, abs=PRINTED)
    assert theirs.converged
    last = theirs.final_structure
    assert found.last.lattice == pytest.approx(last.lattice.matrix, abs=PRINTED)
    assert found.last.positions == pytest.approx(last.frac_coords, abs=PRINTED)
    assert found.first.lattice == pytest.approx(theirs.initial_structure.lattice.matrix, abs=PRINTED)
    assert found.species == tuple(site.specie.symbol for site in last)
    assert found.forces == pytest.approx(np.array(theirs.ionic_steps[-1]["forces"]), abs=PRINTED)
    stress = -np.array(theirs.ionic_steps[-1]["stress"]) * KILOBAR_IN_EV_PER_A3
    assert found.stress == pytest.approx(stress, abs=PRINTED)
    assert found.stress == pytest.approx(run.stress, abs=PRINTED)
    assert found.band_gap == pytest.approx(theirs.eigenvalue_band_properties[0], abs=1e-4)
    assert found.settings["cutoff_ev"] == theirs.parameters["ENMAX"]
    assert (found.method(), found.charge, found.when) == ("DFT/PBE/VASP 6.3", 0.0, "2026-11-30 12:43:55")


def test_a_genuine_file_is_read_as_pymatgen_reads_it(tmp_path):
    """Diamond; the pressure and its PV are taken out of the text, for a run under pressure is refused."""
    text = (GENUINE / "vasprun_pstress.xml").read_text().replace("-20.23985977", "-20.24695937")
    found = read(tmp_path, text.replace('"PSTRESS">      1.0', '"PSTRESS">      0.0'))
    theirs = by_pymatgen(tmp_path)
    assert found.energy == pytest.approx(-20.24720095, abs=1e-8)
    assert found.band_gap == pytest.approx(theirs.eigenvalue_band_properties[0], abs=1e-4)
    assert found.last.lattice == pytest.approx(theirs.final_structure.lattice.matrix)
    assert (found.functional, found.charge, found.moved) == ("LDA", 0.0, NOTHING)
    assert found.settings["kpoints"] == "4x4x4 k-points"


@pytest.mark.parametrize(
    ("name", "says"), [("vasprun_pstress.xml", "under pressure"), ("vasprun_dfpt.xml", "linear response")]
)
def test_genuine_runs_of_another_kind_are_refused(name, says, tmp_path):
    with pytest.raises(InputError, match=says):
        read(tmp_path, (GENUINE / name).read_text())


def test_a_metal_has_a_gap_of_nothing(tmp_path):
    assert read(tmp_path, vasprun(dataclasses.replace(RUN, gap=-0.4))).band_gap == 0.0


def test_charge_and_u_are_read(tmp_path):
    found = read(tmp_path, vasprun(dataclasses.replace(RUN, charge=2, hubbard={"Ti": 3.5})))
    assert (found.charge, found.hubbard, found.functional) == (2.0, {"Ti": 3.5}, "PBE+U")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name="ICHARG">     2', 'name="ICHARG">    11', "at a fixed density"),
        ('name="NELM">    60', 'name="NELM">     3', "did not converge electronically"),
        ('name="IBRION">    -1', 'name="IBRION">     0', "another kind of run"),
        ('name="finalpos"', 'name="lastpos"', "unfinished"),
        ("<parameters>", "<parametersX>", "cut off or damaged"),
        ("<modeling>", "<modelling>", "no vasprun.xml"),
        ("PAW_PBE Ba", "PAW_PBE Ba</c><c>", "unknown way"),
        ('name="NELECT"', 'name="NELECTS"', "does not say NELECT"),
        ('name="forces" >\n', 'name="forces" >\n    <v> 0 0 0 </v>\n', "forces of shape"),
        ("<v>       3.99450000", "<v>            1e400", "number is wanted"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(old, new, says, tmp_path):
    text = vasprun(RUN).replace('name="NSW">     0', 'name="NSW">    99') if "IBRION" in old else vasprun(RUN)
    assert old in text
    with pytest.raises(InputError, match=says):
        read(tmp_path, text.replace(old, new))


def test_forces_above_the_threshold_are_no_relaxed_crystal(tmp_path):
    run = dataclasses.replace(RUN, first=CRYSTAL)
    with pytest.raises(InputError, match=r"largest force is 0.\d+ eV/A"):
        read(tmp_path, vasprun(run))


@given(cut=st.floats(0, 0.999))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_anywhere_is_a_sentence(cut, tmp_path):
    text = vasprun(RUN)
    with pytest.raises(InputError):
        read(tmp_path, text[: int(cut * text.index("</modeling>"))])


@given(place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_anywhere_is_a_sentence_or_no_harm(place, junk, tmp_path):
    content = vasprun(RUN).encode()
    at = int(place * len(content))
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "vasprun.xml").write_bytes(content[:at] + junk + content[at + len(junk) :])
    try:
        found = read_run(tmp_path, "run")
    except InputError:
        return
    assert np.isfinite(found.energy)


@pytest.mark.parametrize(
    "declared",
    [
        "<!DOCTYPE modeling>",
        '<!DOCTYPE modeling SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE m [<!ENTITY a "b">]>',
    ],
)
def test_a_document_type_is_refused_whatever_it_declares(declared, tmp_path):
    with pytest.raises(InputError, match="declares a document type or an entity"):
        read(tmp_path, vasprun(RUN).replace("<modeling>", f"{declared}<modeling>", 1))


def test_what_would_fill_the_memory_is_not_built(tmp_path, monkeypatch):
    monkeypatch.setattr(vasp_xml, "MOST_ELEMENTS", 500)
    with pytest.raises(InputError, match="more elements"):
        read(tmp_path, vasprun(RUN).replace("<parameters>", f"{'<a/>' * 600}<parameters>"))
    with pytest.raises(InputError, match="deeper"):
        read(tmp_path, f"<modeling>{'<a>' * 100}")
    passed_over = vasprun(RUN).replace("<dos>", f"<dos><total>{'<r/>' * 600}</total>")
    assert read(tmp_path, passed_over).energy == RUN.energy


def test_every_sound_sample_is_read(tmp_path):
    for folder, sound in sound_runs("vasp").items():
        if sound.dipole is None:
            found = read(tmp_path, vasprun(sound.run))
            assert found.energy == pytest.approx(sound.run.energy), folder


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"gga": "--", "lexch": "PE"}, "PBE"),
        ({"gga": "PS", "lexch": "PE"}, "PBEsol"),
        ({"gga": "--", "lexch": "PAW_PBE Ti_pv 07Sep2000"}, "PBE"),
        ({"gga": "", "lexch": "PAW C 22Mar2012"}, "LDA"),
        ({"gga": "PE", "lexch": "", "meta": "R2SCAN"}, "R2SCAN"),
        ({"gga": "PE", "lexch": "", "hybrid": True, "exchange": 0.25, "screening": 0.2}, "HSE06"),
        ({"gga": "PE", "lexch": "", "hybrid": True, "exchange": 0.25, "screening": 0.0}, "PBE0"),
        ({"gga": "PE", "lexch": "", "hybrid": True, "exchange": 0.4, "screening": 0.2}, "hybrid"),
        ({"gga": "PE", "lexch": "", "hubbard": True}, "PBE+U"),
    ],
)
def test_functionals_are_named_as_the_field_does(tags, name):
    assert functional_name(**tags) == name


@pytest.mark.parametrize(
    ("name", "moved", "energy", "gap"),
    [("basic.xml", NOTHING, -43.31210622, 0.616), ("basicrelax.xml", CELL, -43.39087657, 0.608)],
)
def test_outputs_of_vasp_itself_are_read(name, moved, energy, gap, tmp_path):
    """Silicon by VASP 5.4, as the source distribution of parsevasp 3.4.0 has it in `tests` (MIT licence)."""
    folder = os.environ.get("HYSTERON_VASP_OUTPUTS")
    if not folder:
        pytest.skip(
            "HYSTERON_VASP_OUTPUTS names no folder: that of the tests in parsevasp-3.4.0.tar.gz on PyPI"
        )
    found = read(tmp_path, (Path(folder) / name).read_text(encoding="latin-1"))
    assert (found.method(), found.moved) == ("DFT/PBE/VASP 5.4", moved)
    assert found.species == ("Si",) * 8
    assert found.energy == pytest.approx(energy, abs=PRINTED)
    assert found.band_gap == pytest.approx(gap, abs=1e-3)
