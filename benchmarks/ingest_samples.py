"""An export whose runs are all finished and sound: what is damaged is damaged in a copy of it.

BaTiO3, P4mm with its way from the cubic parent, in the formats of VASP, pw.x and GPAW, and SrTiO3 beside it. The outputs
are written from numbers that are known, so that what comes back can be compared.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson
from pymatgen.core import Lattice, Structure

from ..core.polar_path import polar_path
from ..export.calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from ..export.manifest import MANIFEST_NAME
from . import ingest_berry_phase as berry
from .ingest_espresso import pw_run
from .ingest_outputs import Run, gpaw_result
from .ingest_vasp import vasprun

BARIUM, STRONTIUM = "BaTiO3-99-0000000000", "SrTiO3-221-0000000000"
FORMATS = ("vasp", "espresso", "gpaw")
NAMES = {"vasp": "vasprun.xml", "espresso": "pw.out", "gpaw": "result.json"}
"""Of the output of a run that is no Berry phase."""
INPUTS = {"vasp": "INCAR", "espresso": "pw.in", "gpaw": "run.py"}
IMAGES = 9
DEPTH_EV = 0.06
"""Of the double well, in a cell of one formula unit."""
ENERGY_EV = -40.0
RELAXED_EV = -40.05
GAP_EV = 1.8
BORN = {"Ba": 2.7, "Ti": 7.2, "O": -3.3}
"""e; of the size of BaTiO3's (Ghosez, Michenaud and Gonze 1998, doi:10.1103/PhysRevB.58.6224), made neutral, one per element."""


@dataclass(frozen=True)
class Sound:
    """A sound run: what is asked for, and what its output shall say."""

    asked: Calculation
    run: Run
    dipole: np.ndarray | None = None


def tetragonal() -> Structure:
    """P4mm; a = 3.9945, c = 4.0335 A (Harada, Pedersen, Barnea, Acta Cryst. A 26, 336 (1970))."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5224], [0.5, 0.5, -0.0244], [0.5, 0, 0.4895], [0, 0.5, 0.4895]]
    return Structure(Lattice.tetragonal(3.9945, 4.0335), ["Ba", "Ti", "O", "O", "O"], places)


def cubic(a_site: str = "Ba", a: float = 4.0119) -> Structure:
    """Pm-3m; BaTiO3: Edwards et al., JACS 73, 5032 (1951), 201 C; SrTiO3: a = 3.905 A."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), [a_site, "Ti", "O", "O", "O"], places)


@cache
def sound_runs(format: str) -> dict[str, Sound]:
    """Every run of an export in one format, by its folder."""
    runs = [*_single_runs(BARIUM, tetragonal()), *_images(format)]
    if format == "vasp":
        runs += [*_single_runs(STRONTIUM, cubic("Sr", 3.905)), *_vacancies()]
    return {sound.asked.folder: sound for sound in runs}


def write_export(root: Path, seed: int = 0, formats: tuple[str, ...] = FORMATS) -> None:
    """An export in each format, `root/vasp` and so on, all of its runs finished."""
    rng = np.random.default_rng(seed)
    for format in formats:
        for sound in sound_runs(format).values():
            place = root / format / sound.asked.folder
            place.mkdir(parents=True)
            (place / INPUTS[format]).write_text(f"as exported: {sound.asked.folder}\n")
            write_run(place, format, sound, rng)
        write_manifest(root / format, format)


def write_run(place: Path, format: str, sound: Sound, rng: np.random.Generator) -> None:
    """The outputs of one run into its folder."""
    writers: dict[str, Callable[[Run], str]] = {"vasp": vasprun, "espresso": pw_run}
    run, dipole = sound.run, sound.dipole
    if format == "gpaw":
        (place / NAMES[format]).write_bytes(gpaw_result(run, sound.asked.kind, dipole))
    elif dipole is None:
        (place / NAMES[format]).write_text(writers[format](run))
    elif format == "vasp":
        electronic = dipole - berry.ionic(run.last) + rng.integers(-3, 4, 3)
        text = berry.outcar(run.last, electronic, energy=run.energy, filling=berry.INSULATOR)
        (place / "OUTCAR").write_text(text)
    else:
        (place / "scf.out").write_text(pw_run(run))
        wrapped = dipole + rng.integers(-1, 2, 3)
        for direction in (1, 2, 3):
            (place / f"berry{direction}.out").write_text(
                berry.pw_output(run.last, wrapped, direction, 1, new=False)
            )


def write_manifest(root: Path, format: str) -> None:
    """The manifest of an export whose inputs stand there."""
    entries = []
    for identifier, formula in ((BARIUM, "BaTiO3"), (STRONTIUM, "SrTiO3")):
        asked = [s.asked for s in sound_runs(format).values() if s.asked.folder.startswith(f"{identifier}/")]
        if asked:
            files = [_file(root, f"{one.folder}/{INPUTS[format]}") for one in asked]
            listed = [dataclasses.asdict(one) for one in asked]
            entries.append(
                {
                    "id": identifier,
                    "formula": formula,
                    "folder": identifier,
                    "files": files,
                    "calculations": listed,
                }
            )
    record = {"manifest_version": 2, "format": format, "candidates": entries}
    (root / MANIFEST_NAME).write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))


def known_polarization() -> float:
    """What the path's outputs hide, uC/cm^2."""
    path = _path()
    return float(np.linalg.norm(berry.known_polarization(path, _charges(path[0]))))


def _single_runs(identifier: str, crystal: Structure) -> list[Sound]:
    relaxed = crystal.copy()
    relaxed.apply_strain([0.01, 0.01, 0.015])
    begun = Calculation.of(crystal, RELAXATION, f"{identifier}/relax", "PBE")
    still = Calculation.of(crystal, STATIC, f"{identifier}/static", "PBE")
    forces = np.zeros((len(crystal), 3))
    forces[0, 2], forces[1, 2] = 0.1, -0.1
    return [
        Sound(begun, Run(relaxed, first=crystal, energy=RELAXED_EV)),
        Sound(
            still,
            Run(crystal, energy=ENERGY_EV, gap=GAP_EV, forces=forces, stress=np.diag([0.01, 0.01, -0.02])),
        ),
    ]


def _path() -> list[Structure]:
    return polar_path(cubic(), tetragonal(), IMAGES)


def _charges(crystal: Structure) -> np.ndarray:
    return np.array([BORN[site.specie.symbol] for site in crystal])


def _images(format: str) -> list[Sound]:
    path = _path()
    dipoles = berry.known_dipoles(path, _charges(path[0]), np.zeros(3))
    sound = []
    for i, (image, dipole) in enumerate(zip(path, dipoles, strict=True)):
        amplitude = i / (IMAGES - 1)
        energy = ENERGY_EV + DEPTH_EV * (1 - amplitude**2) ** 2
        folder = f"{BARIUM}/polarization/{i:02d}"
        asked = Calculation.of(image, BERRY_PHASE, folder, "PBE", image=i)
        sound.append(Sound(asked, Run(image, energy=energy), dipole if format != "gpaw" else dipole % 1))
    return sound


def _vacancies() -> list[Sound]:
    """An oxygen taken out of two cells of the tetragonal crystal, one on the other."""
    pristine = tetragonal() * (1, 1, 2)
    pristine = Structure.from_sites(sorted(pristine, key=lambda site: "BaTiO".index(site.specie.symbol)))
    missing = next(i for i, site in enumerate(pristine) if site.specie.symbol == "O")
    place = [float(x) for x in pristine[missing].frac_coords]
    begun = pristine.copy()
    begun.remove_sites([missing])
    ended = begun.copy()
    ended.translate_sites([1], [0, 0, 0.01], frac_coords=True)
    folder = f"{BARIUM}/vacancy"
    asked = Calculation.of(
        begun, VACANCY, f"{folder}/V_O1", "PBE", missing={"element": "O", "position": place}
    )
    return [
        Sound(
            Calculation.of(pristine, PRISTINE, f"{folder}/pristine", "PBE"),
            Run(pristine, energy=2 * ENERGY_EV),
        ),
        Sound(asked, Run(ended, first=begun, held=True, energy=2 * ENERGY_EV + 9.5)),
    ]


def _file(root: Path, path: str) -> dict[str, str | int]:
    content = (root / path).read_bytes()
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
