"""Flows of atomate2: linked by ids, equal for equal crystals, and loaded and compared where there is an atomate2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hysteron.core.errors import StructureError
from hysteron.export.atomate2 import Atomate2Writer
from pymatgen.core import Lattice, Structure

POLAR, HOST = "BaTiO3-99-0123456789", "SrTiO3-221-aaaaaaaaaa"
CHECK = Path(__file__).parents[1] / "atomate2_flows.py"


def load(path: Path) -> dict[str, Any]:
    return orjson.loads(path.read_bytes())


def jobs(flow: dict[str, Any]) -> list[dict[str, Any]]:
    """All jobs of a flow, in order."""
    if flow["@class"] == "Job":
        return [flow]
    return [found for one in flow["jobs"] for found in jobs(one)]


def references(value: Any) -> list[str]:
    """Ids of the jobs that arguments point to."""
    if isinstance(value, dict):
        own = [value["uuid"]] if value.get("@class") == "OutputReference" else []
        return own + [uuid for one in value.values() for uuid in references(one)]
    return [uuid for one in value for uuid in references(one)] if isinstance(value, list) else []


def python_with_atomate2() -> str | None:
    """The Python that an atomate2 is installed for: named by the environment, or this one."""
    for python in (os.environ.get("HYSTERON_ATOMATE2_PYTHON"), sys.executable):
        if python and shutil.which(python):
            found = subprocess.run([python, "-c", "import atomate2"], capture_output=True, env=_plain())
            if found.returncode == 0:
                return python
    return None


def _plain() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def test_every_reference_points_to_an_earlier_job_of_the_flow(exports):
    paths = sorted(exports["atomate2"].rglob("flow.json"))
    assert (
        len(paths) == 1 + 3 * 2 + 1 + 1 + 3
    )  # a path, three hosts with pristine and vacancy, one more in HfO2, NiO
    for path in paths:
        known: set[str] = set()
        for one in jobs(load(path)):
            assert set(references([one["function_args"], one["function_kwargs"]])) <= known
            assert one["uuid"] not in known
            known.add(one["uuid"])
        assert references(load(path)["output"])[0] in known


def test_a_polar_crystal_with_a_reference_gets_the_ferroelectric_flow_and_others_a_relaxation(exports):
    polar, host = exports["atomate2"] / POLAR, exports["atomate2"] / HOST
    assert not (polar / "relax").exists()
    names = [one["name"] for one in jobs(load(polar / "polarization/flow.json"))]
    assert names == [
        "MP GGA relax 1 polar", "MP GGA relax 2 polar", "polarization polar",
        "MP GGA relax 1 nonpolar", "MP GGA relax 2 nonpolar", "polarization nonpolar",
        "interpolate_structures", "add_interpolation_flow", "polarization_analysis",
    ]  # fmt: skip
    relaxation = [one["name"] for one in jobs(load(host / "relax/flow.json"))]
    assert relaxation == ["MP GGA relax 1", "MP GGA relax 2", "MP GGA static"]


def test_the_images_between_the_ends_are_as_many_as_the_other_formats_write(exports):
    flow = load(exports["atomate2"] / POLAR / "polarization/flow.json")
    interpolation = next(one for one in jobs(flow) if one["name"] == "interpolate_structures")
    assert interpolation["function_args"][2] == 9 - 2


def test_a_supercell_is_relaxed_in_a_held_cell(exports):
    (one,) = jobs(load(exports["atomate2"] / HOST / "vacancy/V_O1_3c/flow.json"))
    inputs = one["function"]["@bound"]["input_set_generator"]
    assert inputs["user_incar_settings"]["ISIF"] == 2
    assert inputs["force_gamma"] is True


def test_ids_are_made_of_the_content(exports, hosts, tmp_path):
    Atomate2Writer().write(hosts[0], tmp_path)
    again = load(tmp_path / "relax/flow.json")
    assert again == load(exports["atomate2"] / HOST / "relax/flow.json")
    strained = hosts[0].structure.copy()
    strained.apply_strain(0.01)
    (tmp_path / "other").mkdir()
    Atomate2Writer().write(hosts[0].with_structure(strained), tmp_path / "other")
    assert not {one["uuid"] for one in jobs(again)} & {
        one["uuid"] for one in jobs(load(tmp_path / "other/relax/flow.json"))
    }


def test_an_element_without_a_potcar_is_refused(tmp_path, hosts):
    polonium = Structure(Lattice.cubic(3.359), ["Po"], [[0, 0, 0]])
    with pytest.raises(StructureError, match="no POTCAR for Po"):
        Atomate2Writer().write(hosts[0].with_structure(polonium), tmp_path)


@pytest.mark.slow
def test_atomate2_loads_the_flows_and_makes_the_same_ones_itself(exports):
    python = python_with_atomate2()
    if python is None:
        pytest.skip("no atomate2: HYSTERON_ATOMATE2_PYTHON names no Python that has it, and this one has not")
    root = exports["atomate2"]
    done = subprocess.run(
        [python, str(CHECK), str(root / HOST / "relax"), str(root / POLAR / "polarization"), str(root / HOST / "vacancy")],
        capture_output=True, text=True, env=_plain(), timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["differences"] == []
    assert answer["jobs"] == {"relax": 3, "polarization": 9, "pristine": 1, "V_O1_3c": 1}
    assert answer["incar"]["LCALCPOL"] is True
    assert answer["incar"]["ENCUT"] == 520
    assert answer["held"]["ISIF"] == 2
    assert answer["images"] == 9
