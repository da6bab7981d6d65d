"""GPAW scripts are plain Python with literals; where there is a GPAW, it runs one as it stands."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any

import gpaw_engine
import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import SettingsError
from hysteron.core.settings import validate
from hysteron.export.bundle import export_candidates
from hysteron.export.gpaw import GpawSettings, GpawWriter

POLAR, HOST, MAGNETIC = "BaTiO3-99-0123456789", "SrTiO3-221-aaaaaaaaaa", "NiO-225-ffffffffff"


def literals(path: Path) -> dict[str, Any]:
    """Constants of a script, which is not run."""
    body = ast.parse(path.read_text()).body
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def test_every_script_compiles_and_imports_nothing_of_this_project(exports):
    scripts = sorted(exports["gpaw"].rglob("*.py"))
    assert {path.name for path in scripts} == {
        "relax.py", "static.py", "polarization.py", "pristine.py", "vacancy.py",
    }  # fmt: skip
    for path in scripts:
        tree = ast.parse(path.read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert imported <= {"datetime", "json", "os", "pathlib", "numpy", "ase", "gpaw"}
        assert path.read_text().endswith("main()\n")


def test_only_the_relaxation_moves_the_cell(exports):
    folder = exports["gpaw"] / HOST
    assert "BFGS(CellFilter(atoms)" in (folder / "relax/relax.py").read_text()
    for name in ("vacancy/pristine/pristine.py", "vacancy/V_O1_3c/vacancy.py"):
        assert "BFGS(atoms," in (folder / name).read_text()
        assert "CellFilter" not in (folder / name).read_text()
    assert "BFGS" not in (folder / "static/static.py").read_text()


def test_a_static_run_converges_the_band_edge_and_a_relaxation_says_where_it_stops(exports):
    static = literals(exports["gpaw"] / HOST / "static/static.py")
    assert static["GPAW_SETTINGS"]["convergence"]["bands"].startswith("CBM+")
    assert static["GPAW_SETTINGS"]["kpts"] == {"size": [9, 9, 9], "gamma": True}  # 1.609 1/A over 0.2
    assert "setups" not in static["GPAW_SETTINGS"]
    relax = literals(exports["gpaw"] / HOST / "relax/relax.py")
    assert relax["FORCE_EV_PER_ANGSTROM"] == 0.02


def test_images_share_a_mesh_and_are_filled_without_smearing(exports):
    found = [literals(path) for path in sorted((exports["gpaw"] / POLAR / "polarization").rglob("*.py"))]
    assert len(found) == 9
    assert len({json.dumps([one["GPAW_SETTINGS"], one["BERRY_KPTS"]]) for one in found}) == 1
    assert found[0]["GPAW_SETTINGS"]["occupations"] == {"name": "fermi-dirac", "width": 0.0}
    assert 'symmetry="off"' in (exports["gpaw"] / POLAR / "polarization/00/polarization.py").read_text()


def test_strings_of_a_coarse_mesh_have_enough_points(ferroelectric, tmp_path):
    GpawWriter(GpawSettings(kpoint_spacing=1.0)).write(ferroelectric, tmp_path)
    image = literals(tmp_path / "polarization/04/polarization.py")
    assert image["GPAW_SETTINGS"]["kpts"]["size"] == [2, 2, 2]
    assert image["BERRY_KPTS"]["size"] == [8, 8, 8]
    GpawWriter(GpawSettings(kpoint_spacing=1.0, string_points=5)).write(ferroelectric, tmp_path / "short")
    image = literals(tmp_path / "short/polarization/04/polarization.py")
    assert image["BERRY_KPTS"]["size"] == [5, 5, 5]


def test_supercells_with_and_without_a_vacancy_share_a_mesh(exports):
    cells = [literals(path) for path in sorted((exports["gpaw"] / HOST / "vacancy").rglob("*.py"))]
    assert len({tuple(cell["GPAW_SETTINGS"]["kpts"]["size"]) for cell in cells}) == 1


def test_open_shells_start_with_a_moment_and_a_u_that_is_told(exports, magnetic, tmp_path):
    static = literals(exports["gpaw"] / MAGNETIC / "static/static.py")
    assert static["MAGNETIC_MOMENTS"] == [2.0, 0.0]  # the free atom's, 3d8
    assert static["GPAW_SETTINGS"]["setups"] == {"Ni": ":d,6.2,0"}
    written = GpawWriter().write(magnetic, tmp_path / "x")
    assert any("ferromagnetic start" in note and "Ni" in note for note in written.notes)
    assert any("Ni 6.2 eV" in note for note in written.notes)
    plain = GpawWriter(GpawSettings(hubbard=False)).write(magnetic, tmp_path / "y")
    assert {c.functional for c in plain.calculations} == {"PBE"}
    assert "setups" not in literals(tmp_path / "y/static/static.py")["GPAW_SETTINGS"]


def test_empty_shells_may_take_up_the_electrons_of_a_vacancy(exports):
    vacant = literals(exports["gpaw"] / HOST / "vacancy/V_O1_3c/vacancy.py")
    moments = dict(zip(vacant["SPECIES"], vacant["MAGNETIC_MOMENTS"], strict=True))
    assert moments == {"Sr": 0.0, "Ti": 0.1, "O": 0.0}
    pristine = literals(exports["gpaw"] / HOST / "vacancy/pristine/pristine.py")
    assert not any(pristine["MAGNETIC_MOMENTS"])


def test_an_element_without_a_data_set_is_told(tmp_path):
    lanthanum = materials.lithium_cobaltate()
    lanthanum.replace_species({"Co": "La"})
    written = GpawWriter().write(Candidate("LiLaO2", lanthanum), tmp_path)
    assert any("have none for La" in note for note in written.notes)


@pytest.mark.parametrize("bad", [{"cutoff_ev": 0}, {"kpoint_spacing": 5}, {"ecut": 500}])
def test_settings_out_of_range_or_unknown_are_refused(bad):
    with pytest.raises(SettingsError, match=next(iter(bad))):
        validate(GpawSettings, bad, "[export]")


@pytest.mark.slow
def test_gpaw_runs_an_exported_script_unchanged(tmp_path):
    python = gpaw_engine.python_with_gpaw()
    if python is None:
        pytest.skip(
            "no GPAW: HYSTERON_GPAW_PYTHON names none, and neither this Python nor the system's has it"
        )
    export_candidates(
        [Candidate("Si-227-x", materials.silicon())],
        "gpaw",
        tmp_path,
        settings={"cutoff_ev": 250, "kpoint_spacing": 0.6},
    )
    script = tmp_path / "Si-227-x" / "static" / "static.py"
    done = subprocess.run(
        [python, str(script)],
        capture_output=True,
        text=True,
        env=gpaw_engine.plain_environment(),
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((script.parent / "result.json").read_text())
    assert (result["format"], result["format_version"], result["kind"]) == ("hysteron-gpaw", 1, "static")
    assert result["converged"] is True
    assert result["species"] == ["Si", "Si"]
    assert np.allclose(result["lattice"], materials.silicon().lattice.matrix)
    assert np.allclose(result["positions"], materials.silicon().frac_coords)
    assert 0.3 < result["band_gap"] < 1.2  # PBE 0.57 (Heyd et al. 2005); the mesh is coarse
    assert np.abs(result["forces"]).max() < 1e-3
    assert np.shape(result["stress"]) == (3, 3)
    assert result["dipole"] is None
