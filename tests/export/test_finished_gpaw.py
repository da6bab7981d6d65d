"""What the result.json of an exported GPAW script says, and what of it is refused."""

from __future__ import annotations

import dataclasses

import materials
import numpy as np
import orjson
import pytest
from hysteron.benchmarks.ingest_outputs import Run, gpaw_result
from hysteron.core.errors import InputError
from hysteron.export import finished_gpaw
from hysteron.export.finished_gpaw import read_image, read_run
from hysteron.export.finished_run import CELL, NOTHING, POSITIONS

CRYSTAL = materials.barium_titanate_tetragonal()
RUN = Run(
    CRYSTAL, energy=-40.123, forces=np.arange(15).reshape(5, 3) / 100, stress=np.diag([0.01, 0.02, -0.03])
)
SETTINGS = {
    "mode": {"name": "pw", "ecut": 700.0},
    "xc": "PBE",
    "kpts": {"size": [4, 4, 4], "gamma": True},
}


def read(folder, content: bytes, reader=read_run):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "result.json").write_bytes(content)
    return reader(folder, "run")


@pytest.mark.parametrize(
    ("kind", "moved"),
    [("static", NOTHING), ("relaxation", CELL), ("pristine", POSITIONS), ("vacancy", POSITIONS)],
)
def test_a_result_is_read(kind, moved, tmp_path):
    found = read(tmp_path, gpaw_result(RUN, kind))
    assert (found.moved, found.method()) == (moved, "DFT/PBE/GPAW 22.8")
    assert found.energy == RUN.energy
    assert found.forces == pytest.approx(RUN.forces)
    assert found.stress == pytest.approx(RUN.stress)
    assert found.band_gap == RUN.gap
    assert found.last.positions == pytest.approx(CRYSTAL.frac_coords)
    assert found.first.positions == pytest.approx(CRYSTAL.frac_coords)
    assert (found.hubbard, found.charge) == ({}, 0.0)
    assert found.settings == {"cutoff_ev": 700.0, "kpoints": "4x4x4 k-points"}
    assert found.when == "2026-12-01T02:00:00+00:00"


def test_an_image_is_read_with_its_dipole_and_energy(tmp_path):
    dipole = np.array([0.0, 0.25, 0.75])
    image = read(tmp_path, gpaw_result(RUN, "berry_phase", dipole), read_image)
    assert image.dipole == pytest.approx(dipole)
    assert (image.energy, image.code, image.version) == (RUN.energy, "GPAW", "22.8.0")
    assert image.species == ("Ba", "Ti", "O", "O", "O")


def test_an_image_of_a_metal_is_refused(tmp_path):
    metal = dataclasses.replace(RUN, gap=0.0)
    with pytest.raises(InputError, match="of a metal"):
        read(tmp_path, gpaw_result(metal, "berry_phase", np.array([0.0, 0.25, 0.75])), read_image)


def test_a_run_without_a_dipole_is_no_image(tmp_path):
    with pytest.raises(InputError, match="no Berry-phase run"):
        read(tmp_path, gpaw_result(RUN, "static"), read_image)
    with pytest.raises(InputError, match="gives no dipole"):
        read(tmp_path, gpaw_result(RUN, "berry_phase"), read_image)


def test_what_is_not_converged_is_refused(tmp_path):
    with pytest.raises(InputError, match="did not converge ionically"):
        read(tmp_path, gpaw_result(dataclasses.replace(RUN, ionic=False), "relaxation"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "other"}, "no result of an exported GPAW script"),
        ({"format_version": 2}, "newer format"),
        ({"kind": "dance"}, "unknown kind"),
        ({"kind": None}, "lacks kind"),
        ({"energy": None}, "lacks energy"),
        ({"energy": "low"}, "a number is wanted"),
        ({"energy": True}, "a number is wanted"),
        ({"converged": "yes"}, "did not converge"),
        ({"species": "BaTiO3"}, "no list of symbols"),
        ({"species": [1, 2]}, "no list of symbols"),
        ({"positions": [[0, 0, 0]]}, r"shape \(1, 3\)"),
        ({"positions": None}, "lacks lattice or positions"),
        ({"lattice": [["a"] * 3] * 3}, "no number"),
        ({"lattice": [[0, 0, 0]] * 3}, "no proper cell"),
        ({"forces": [[0, 0, 0]]}, r"shape \(1, 3\)"),
        ({"stress": [1, 2]}, r"shape \(2,\)"),
        ({"first_positions": None}, "lacks first_lattice or first_positions"),
        ({"settings": None}, "lacks settings"),
        ({"settings": [1]}, "no table"),
        ({"settings": SETTINGS | {"setups": {"Ti": "much"}}}, "are not as the exported script"),
        ({"settings": SETTINGS | {"xc": 3}}, "are not as the exported script"),
        ({"settings": SETTINGS | {"mode": "lcao"}}, "are not as the exported script"),
        ({"settings": SETTINGS | {"kpts": [4, 4]}}, "are not as the exported script"),
        ({"when": 3}, "no text"),
        ({"version": "a\nb"}, "no text"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(change, says, tmp_path):
    record = orjson.loads(gpaw_result(RUN, "static")) | change
    with pytest.raises(InputError, match=says):
        read(tmp_path, orjson.dumps(record))


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"null", b'{"format": "hysteron-gpaw", "energy": NaN}', b"\xff"]
)
def test_what_is_no_json_is_a_sentence(content, tmp_path):
    with pytest.raises(InputError):
        read(tmp_path, content)


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(finished_gpaw, "LARGEST_RESULT_BYTES", 100)
    with pytest.raises(InputError, match="larger than"):
        read(tmp_path, gpaw_result(RUN, "static"))
