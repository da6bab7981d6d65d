"""Is the potential's energy surface too soft, and does a scale factor mend it?

Universal potentials that learnt from relaxations give too small forces and curvatures away from minima
(Deng et al., npj Comput. Mater. 11, 9 (2025), doi:10.1038/s41524-024-01500-6). Here: the slope of what the
potential gives against what DFT gives, by least squares through the origin, on four samples. Below 1 is
soft. The interval is a bootstrap over groups (formulas, or curves of one crystal), as values inside a
group go together. Then a correction is tried: dividing by the slope of one half of the groups, does the
error on the other half fall? The baseline is the uncorrected error there.

Measured with CHGNet 0.3.0, no correction is validated, so none is applied anywhere: the slope is 0.96 (0.86 to
0.97) on MPtrj, and dividing by it raises the error on the other half three times out of four; along polar
paths it is 0.98 (0.90 to 1.03), which is not soft; of volumes 1.03 (0.97 to 1.09). All this is near minima. For
transition states far from any, such as a hopping vacancy's, nothing at hand measures it.

Samples: forces of 21 frames of MPtrj, which CHGNet was trained on; forces of 2 strained HfO2 frames; the
energy of dioxides of V, Ti, Ru, Ir and Sn against volume (the DFT settings of the source are not stated and
need not be the Materials Project's); the energy along the straight paths between nonpolar and polar
ends of the preferred pairs of Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Calculation, Potential
from ..core.errors import MissingDataError
from ..core.registry import load
from ..core.settings import data_dir

if TYPE_CHECKING:
    from pymatgen.core import Structure

BOOTSTRAP_SAMPLES = 2000
HALVINGS = 500
IMPROVED_AT_LEAST = 0.95
"""Share of halvings in which the error must fall before a correction counts as validated."""
BATCH = 50
MIN_CURVE = 5
"""Frames that a curve of energy against volume needs."""


@dataclass(frozen=True)
class Sample:
    """Matched values of one kind, in groups.

    Attributes:
        name: Of the sample.
        quantity: What the values are.
        units: Of the values.
        groups: One pair of arrays (DFT, potential), shape `(n,)`, for each group.
    """

    name: str
    quantity: str
    units: str
    groups: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Frame:
    """One DFT calculation: total energy in eV, forces in eV/A, shape `(nsites, 3)`."""

    group: str
    structure: Structure
    energy: float
    forces: np.ndarray


def run(seed: int = 0, potential: Potential | None = None) -> dict[str, Any]:
    """Measure the slopes, and try a correction on each sample.

    Args:
        seed: Of the bootstrap and of the halvings.
        potential: By default CHGNet.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the samples.
    """
    used = potential or _chgnet()
    samples = read_samples(data_dir(), used)
    return {
        "benchmark": "softening",
        "potential": used.name,
        "baseline": "the potential as it is (divided by 1)",
        "seed": seed,
        "samples": {sample.name: figures(sample, seed) for sample in samples},
    }


def _chgnet() -> Potential:
    from ..predictors import POTENTIALS

    return load("chgnet", POTENTIALS, "hysteron.potentials")()


def read_samples(folder: Path, potential: Potential) -> list[Sample]:
    """All samples with the potential's values.

    Raises:
        MissingDataError: a file is not there.
    """
    small = folder / "ml_potentials"
    mptrj = [
        frame
        for name in ("orb_10_mptraj_systems.db", "orb_10_thin_mptraj_systems.db")
        for frame in _frames(small / name)
    ]
    return [
        _forces("forces, MPtrj (trained on)", mptrj, potential),
        _forces("forces, strained HfO2", _frames(small / "sevennet_hfo2.extxyz"), potential),
        _energy_volume(_frames(small / "fairchem_oxides.db"), potential),
        _path_energies(folder / "ferroelectrics", potential),
    ]


def figures(sample: Sample, seed: int) -> dict[str, Any]:
    """Slope with its interval, and what a correction does to the half that it was not fitted on."""
    groups = sample.groups
    interval = slope_interval(groups, seed)
    tried = halved(groups, seed)
    helps = (tried["share_improved"] or 0.0) >= IMPROVED_AT_LEAST
    differs = interval is not None and not interval[0] <= 1 <= interval[1]
    return {
        "quantity": f"{sample.quantity}, {sample.units}",
        "n": int(sum(len(dft) for dft, _ in groups)),
        "n_groups": len(groups),
        "slope": slope(groups),
        "slope_interval_90": interval,
        "mean_absolute_error": mean_absolute_error(groups),
        "correction": tried | {"validated": helps and differs},
    }


def slope(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Of the potential's values against DFT's, least squares through the origin."""
    dft, ours = (np.concatenate(side) for side in zip(*groups, strict=True))
    return float(dft @ ours / (dft @ dft))


def mean_absolute_error(groups: Sequence[tuple[np.ndarray, np.ndarray]], scale: float = 1.0) -> float:
    """Of the potential's values divided by `scale`."""
    dft, ours = (np.concatenate(side) for side in zip(*groups, strict=True))
    return float(np.abs(ours / scale - dft).mean())


def halved(groups: Sequence[tuple[np.ndarray, np.ndarray]], seed: int) -> dict[str, Any]:
    """A scale fitted on half of the groups, tried on the other half, for many halvings.

    Fewer than four groups cannot be halved.
    """
    if len(groups) < 4:
        return {"share_improved": None, "why": f"{len(groups)} groups cannot be halved"}
    rng = np.random.default_rng(seed)
    before, after = [], []
    for _ in range(HALVINGS):
        order = rng.permutation(len(groups))
        fitted = [groups[i] for i in order[: len(order) // 2]]
        others = [groups[i] for i in order[len(order) // 2 :]]
        before.append(mean_absolute_error(others))
        after.append(mean_absolute_error(others, slope(fitted)))
    return {
        "halvings": HALVINGS,
        "mean_absolute_error_before": float(np.mean(before)),
        "mean_absolute_error_after": float(np.mean(after)),
        "share_improved": float(np.mean(np.array(after) < np.array(before))),
    }


def slope_interval(groups: Sequence[tuple[np.ndarray, np.ndarray]], seed: int) -> list[float] | None:
    """Central 90% over resampled groups; `None` for a single group, which says nothing of others."""
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(len(groups), size=len(groups)) for _ in range(BOOTSTRAP_SAMPLES)]
    low, high = np.percentile([slope([groups[i] for i in some]) for some in drawn], [5, 95])
    return [float(low), float(high)]


def _forces(name: str, frames: Sequence[Frame], potential: Potential) -> Sample:
    results = _calculate(potential, [frame.structure for frame in frames])
    groups: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for frame, result in zip(frames, results, strict=True):
        groups.setdefault(frame.group, []).append((frame.forces.ravel(), result.forces.ravel()))
    return Sample(name, "force components", "eV/A", [_joined(group) for group in groups.values()])


def _energy_volume(frames: Sequence[Frame], potential: Potential) -> Sample:
    """Energy above the curve's lowest DFT point, for each crystal whose volume was scanned."""
    curves: dict[str, list[tuple[Frame, Calculation]]] = {}
    results = _calculate(potential, [frame.structure for frame in frames])
    for frame, result in zip(frames, results, strict=True):
        curves.setdefault(frame.group, []).append((frame, result))
    groups = []
    for curve in curves.values():
        if len(curve) < MIN_CURVE:
            continue
        nsites = len(curve[0][0].structure)
        dft = np.array([frame.energy for frame, _ in curve]) / nsites
        ours = np.array([result.energy for _, result in curve]) / nsites
        lowest = int(dft.argmin())
        groups.append((dft - dft[lowest], ours - ours[lowest]))
    return Sample("energy against volume, dioxides", "energy above the lowest volume", "eV/atom", groups)


def _path_energies(folder: Path, potential: Potential) -> Sample:
    """Energy above the polar end along each preferred path; paths of one formula are a group."""
    groups: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for formula, images, dft in read_paths(folder):
        energies = np.array(
            [r.energy / len(i) for r, i in zip(_calculate(potential, images), images, strict=True)]
        )
        groups.setdefault(formula, []).append((dft - dft[-1], energies - energies[-1]))
    joined = [_joined(group) for group in groups.values()]
    return Sample("energy along polar paths", "energy above the polar end", "eV/atom", joined)


def read_paths(folder: Path) -> list[tuple[str, list[Structure], np.ndarray]]:
    """Formula, images from nonpolar to polar, and DFT energies (eV/atom) of the preferred pairs.

    Raises:
        MissingDataError: the files are not there.
    """
    from pymatgen.core import Lattice, Structure

    table = _there(folder / "smidt2020_ferroelectric_candidates.csv.gz")
    with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
        preferred = {row["wfid"] for row in csv.DictReader(lines) if row["preferred"] == "True"}
    paths = []
    with gzip.open(_there(folder / "smidt2020_structures.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            energies = record["path_energies_eV_atom"]
            if record["wfid"] not in preferred or not energies or None in energies:
                continue
            start, end = (
                Structure(Lattice(side["lattice"]), side["species"], side["frac_coords"])
                for side in (record["nonpolar"], record["polar"])
            )
            images = start.interpolate(end, len(energies) - 1, interpolate_lattices=True)
            paths.append((record["reduced_formula"], images, np.array(energies, dtype=float)))
    return paths


def _frames(path: Path) -> list[Frame]:
    """DFT frames of an ASE database or extended XYZ; a group is a formula.

    In the database of dioxides a group is a run of frames of one formula and one shape of cell.
    """
    from ase.io import iread
    from pymatgen.io.ase import AseAtomsAdaptor

    frames, group, shape = [], 0, None
    atoms: Any
    for atoms in iread(_there(path), ":"):
        formula = atoms.get_chemical_formula()
        if "oxides" in path.name:
            group += shape is not None and not _same_shape(shape, (formula, atoms))
            shape = (formula, atoms)
            formula = f"{formula} {group}"
        structure = AseAtomsAdaptor.get_structure(atoms)
        frames.append(Frame(formula, structure, atoms.get_potential_energy(), atoms.get_forces()))
    return frames


def _same_shape(before: tuple[str, Any], now: tuple[str, Any]) -> bool:
    """Whether two frames are points of one curve: formula, and site order and volume going on."""
    return before[0] == now[0] and now[1].get_volume() > before[1].get_volume()


def _calculate(potential: Potential, structures: Sequence[Structure]) -> list[Calculation]:
    return [
        result
        for start in range(0, len(structures), BATCH)
        for result in potential.calculate(structures[start : start + BATCH])
    ]


def _joined(group: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    dft, ours = zip(*group, strict=True)
    return np.concatenate(dft), np.concatenate(ours)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise MissingDataError(f"{path.parent} lacks {path.name}. 'hysteron data fetch' gets it.")
    return path
