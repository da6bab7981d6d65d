"""What becomes of a crystal that takes up a dose of ions, or gives up some of its own, without being rebuilt?

Two ends, both relaxed with their cells in one call: the host, and the host with ions in one kind of its voids, or with some of
its own taken out. How much is a share of the ions that its metals could pay for, so a small supercell is built
where the primitive cell is too small for it. Of several kinds of voids the lowest in energy counts. Told are the change of
volume, whether the framework is the same atom by atom, the mean voltage between the ends

    V = -(E(with n X) - E(without) - n mu_X) / (n z)

against the element X as the other electrode, and the distance of both ends from the hull. All by one potential, at zero
temperature, without pressure or entropy, and without order among the ions but that they keep apart.

Source: Aydinol, Kohan, Ceder, Cho, Joannopoulos, Phys. Rev. B 56, 1354 (1997), doi:10.1103/PhysRevB.56.1354, eq. 4.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ...core.contracts import Hull, HullDistance, Relaxation, Tools
from ...core.errors import HysteronError
from ...core.settings import Settings
from ...core.supercells import hermite_normal_forms, primitive_of
from .vacancies import seeded
from .voids import FIT_MIN, voids_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

CHARGES = {"Li": 1, "Na": 1, "K": 1, "H": 1, "Ag": 1, "Cu": 1, "Mg": 2, "Ca": 2, "Zn": 2, "Al": 3}
"""e, of the ions that carry a voltage; copper as Cu+."""
STANDARD_POTENTIALS_V = {
    "Li": -3.04,
    "Na": -2.71,
    "K": -2.93,
    "H": 0.0,
    "Ag": 0.80,
    "Cu": 0.52,
    "Mg": -2.37,
    "Ca": -2.87,
    "Zn": -0.76,
    "Al": -1.66,
}
"""Of X(z+)/X in water against the hydrogen electrode. Source: Bard, Parsons, Jordan, Standard Potentials in Aqueous Solution
(1985). They bring voltages against different elements to one scale, roughly: a solid is no water."""
FEWEST_CELLS = 2
"""Primitive cells that share one ion where a host has no metal to pay for it."""

Mode = Literal["insertion", "removal"]


class TopotacticConfig(Settings):
    """How much is put in or taken out.

    Attributes:
        ions_per_metal: Ions put in per transition-metal atom (per metal atom where there is none), at least one per cell.
            0.5 is what lithium tungsten bronzes and half-charged LiCoO2 hold.
        removed_share: Of the host's own ions that is taken out: LiCoO2 works between 1 and 0.5 in a synaptic transistor
            (Fuller et al., Adv. Mater. 29, 1604310 (2017)).
        voids_max: At most so many kinds of voids are tried, the roomiest.
        fit_min: Least distance to an atom over the sum of radii.
        atoms_max: Largest cell that is built of a smaller one.
        shift_max_angstrom: Atoms of the framework that move farther, the strain taken off, have been rebuilt.
    """

    ions_per_metal: float = Field(default=0.5, gt=0)
    removed_share: float = Field(default=0.5, gt=0, le=1)
    voids_max: int = Field(default=4, ge=1)
    fit_min: float = Field(default=FIT_MIN, gt=0)
    atoms_max: int = Field(default=60, ge=1)
    shift_max_angstrom: float = Field(default=1.0, gt=0)


@dataclass(frozen=True)
class Topotactic:
    """The host and what it becomes.

    Attributes:
        ion: Symbol.
        mode: Whether ions were put in or taken out.
        before: The host at rest.
        after: With more or fewer ions, at rest.
        ions: Number put in or taken out.
        volume_change_percent: Of the host's volume; positive where it grows.
        strain: Largest principal strain of the cell, absolute.
        shift_angstrom: Largest move of an atom of the framework, the strain and a common shift taken off.
        framework_kept: Whether that is below what was allowed.
        energy_per_ion: Of insertion, eV: E(with) - E(without) - n mu, over n.
        voltage: Against the element, V; `None` for anions, which carry none here.
        ends: Distances from the hull of `before` and `after`.
        method: Whose energies.
        hull_name: Of the distances and the element's reference.
        notes: One sentence each.
        seconds: Wall time.
    """

    ion: str
    mode: Mode
    before: Structure
    after: Structure
    ions: int
    volume_change_percent: float
    strain: float
    shift_angstrom: float
    framework_kept: bool
    energy_per_ion: float
    voltage: float | None
    ends: tuple[HullDistance, HullDistance]
    method: str
    hull_name: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def voltage_vs_lithium(self) -> float | None:
        """V, by the standard potentials in water."""
        if self.voltage is None:
            return None
        return self.voltage + STANDARD_POTENTIALS_V[self.ion] - STANDARD_POTENTIALS_V["Li"]

    def record(self) -> dict[str, Any]:
        """As JSON, without the structures."""
        return {
            "ion": self.ion,
            "mode": self.mode,
            "before": _formula(self.before),
            "after": _formula(self.after),
            "ions": self.ions,
            "atoms": max(len(self.before), len(self.after)),
            "volume_change_percent": self.volume_change_percent,
            "strain": self.strain,
            "shift_angstrom": self.shift_angstrom,
            "framework_kept": self.framework_kept,
            "energy_per_ion": self.energy_per_ion,
            "voltage": self.voltage,
            "voltage_reference": f"{self.ion}/{self.ion}{CHARGES[self.ion]}+"
            if self.ion in CHARGES
            else None,
            "voltage_vs_lithium": self.voltage_vs_lithium,
            "energy_above_hull": [_distance(end) for end in self.ends],
            "method": self.method,
            "hull": self.hull_name,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }


def topotactic_of(
    host: Structure, ion: str, tools: Tools, config: TopotacticConfig | None = None
) -> Topotactic | str:
    """The host against itself with more ions, or with fewer where it holds the ion already.

    Args:
        host: Ordered, any setting.
        ion: Symbol.
        tools: `relaxer` and `hull`.
        config: How much.

    Returns:
        A sentence if there is no answer.
    """
    config = config or TopotacticConfig()
    began = time.monotonic()
    formula = host.composition.reduced_formula
    relaxer, hull = tools.relaxer, tools.hull
    if relaxer is None or hull is None:
        lacking = "relaxer" if relaxer is None else "hull"
        return f"What {formula} becomes with more or less {ion} needs a {lacking}; none was given."
    holds = ion in {site.specie.symbol for site in host if site.is_ordered}
    try:
        cell, changed = _emptied(host, ion, config) if holds else _filled(host, ion, config)
        if not changed:
            return f"{formula} has no void that {ion} fits into: none leaves {config.fit_min:g} of the sum of radii."
        relaxed = relaxer.relax([seeded(one, np.zeros(3)) for one in (cell, *changed)])
        pair = _lowest(relaxed)
        if isinstance(pair, str):
            return f"{formula} with more or less {ion}: {pair}"
        before, after = pair
        return _result(before, after, ion, holds, relaxer.potential.name, hull, config, began)
    except (HysteronError, ValueError) as error:
        return f"{formula} with more or less {ion}: {error}"


def mean_voltage(with_ions: float, without: float, ions: int, reference: float, charge: int) -> float:
    """Between two compositions, V, against an electrode of the element.

    Args:
        with_ions: Energy of the end with more ions, eV.
        without: Of the end with fewer, eV.
        ions: By how many they differ.
        reference: Energy of the element's reference phase, eV/atom.
        charge: Of the ion, e.
    """
    return -(with_ions - without - ions * reference) / (ions * charge)


def _filled(host: Structure, ion: str, config: TopotacticConfig) -> tuple[Structure, list[Structure]]:
    """A cell of the host, and the same with ions in each kind of void; the ions last."""
    voids = voids_of(host, ion, config.fit_min)[: config.voids_max]
    primitive = primitive_of(host)
    matrix, cell = _multiple(primitive, config.ions_per_metal * _metals(primitive), config.atoms_max)
    count = max(1, math.floor(_metals(cell) * config.ions_per_metal + 1e-9))
    changed = []
    for void in voids:
        places = _copies(void.positions, matrix)
        filled = cell.copy()
        for k in _spread(places, cell, count):
            filled.append(ion, places[k], validate_proximity=False)
        changed.append(filled)
    return cell, changed


def _emptied(host: Structure, ion: str, config: TopotacticConfig) -> tuple[Structure, list[Structure]]:
    """A cell of the host, and the same without some of its ions; those that stay keep apart."""
    primitive = primitive_of(host)
    own = sum(site.specie.symbol == ion for site in primitive)
    _, cell = _multiple(primitive, config.removed_share * own, config.atoms_max)
    ions = [i for i, site in enumerate(cell) if site.specie.symbol == ion]
    count = max(1, math.floor(len(ions) * config.removed_share + 1e-9))
    kept = {ions[k] for k in _spread(cell.frac_coords[ions], cell, len(ions) - count)}
    emptied = cell.copy()
    emptied.remove_sites([i for i in ions if i not in kept])
    return cell, [emptied]


def _multiple(primitive: Structure, ions: float, atoms_max: int) -> tuple[np.ndarray, Structure]:
    """The most compact supercell in which some `ions` per primitive cell are at least one; its matrix first.

    Of all superlattices of that size (Hart and Forcade, doi:10.1103/PhysRevB.77.224115) the one whose reduced basis is shortest.
    """
    from ase.geometry.minkowski_reduction import minkowski_reduce

    wanted = math.ceil(1 / ions - 1e-9) if ions else FEWEST_CELLS
    copies = max(1, min(wanted, atoms_max // len(primitive)))
    lattice = primitive.lattice.matrix
    bases = []
    for form in hermite_normal_forms(copies):
        reduced, steps = minkowski_reduce(form @ lattice)
        bases.append((round(float((np.asarray(reduced) ** 2).sum()), 3), np.round(steps @ form).astype(int)))
    matrix = min(bases, key=lambda basis: basis[0])[1]
    return matrix, primitive.copy(site_properties={}) * matrix.tolist()


def _metals(structure: Structure) -> int:
    """Atoms that take up the electrons: those of transition metals, or of all metals where there are none."""
    elements = [site.specie for site in structure]
    return sum(bool(e.is_transition_metal) for e in elements) or sum(bool(e.is_metal) for e in elements)


def _copies(positions: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Positions of the primitive cell in all its copies, fractional in the supercell, shape `(n, 3)`."""
    inverse = np.linalg.inv(matrix)
    reach = int(np.abs(matrix).sum())
    steps = np.arange(-reach, reach + 1)
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3) @ inverse
    inside = cells[((cells > -1e-6) & (cells < 1 - 1e-6)).all(axis=1)]
    return ((positions @ inverse)[:, None, :] + inside[None, :, :]).reshape(-1, 3)


def _spread(places: np.ndarray, cell: Structure, count: int) -> list[int]:
    """Indices of `count` places, each as far as possible from those before it; the first is the first."""
    if count <= 0:
        return []
    distances = cell.lattice.get_all_distances(places, places)
    chosen = [0]
    while len(chosen) < min(count, len(places)):
        nearest = np.round(distances[chosen].min(axis=0), 3)
        chosen.append(int(nearest.argmax()))
    return chosen


def _lowest(relaxed: Sequence[Relaxation]) -> tuple[Relaxation, Relaxation] | str:
    """The host and the lowest of what it may become."""
    if relaxed[0].structure is None or relaxed[0].failure:
        return f"the host could not be relaxed: {relaxed[0].failure}"
    others = [one for one in relaxed[1:] if one.structure is not None and not one.failure]
    if not others:
        return "; ".join(sorted({one.failure or "no energy" for one in relaxed[1:]}))
    return relaxed[0], min(others, key=lambda one: float(one.energy_per_atom or 0.0))


def _result(
    before: Relaxation,
    after: Relaxation,
    ion: str,
    removed: bool,
    potential_name: str,
    hull: Hull,
    config: TopotacticConfig,
    began: float,
) -> Topotactic:
    from pymatgen.core import Composition

    first, last = before.structure, after.structure
    assert first is not None
    assert last is not None
    ions = abs(len(last) - len(first))
    energies = (
        float(before.energy_per_atom or 0.0) * len(first),
        float(after.energy_per_atom or 0.0) * len(last),
    )
    without, with_ions = reversed(energies) if removed else energies
    reference = float(hull.lowest_energy(Composition(ion)))
    per_ion = -mean_voltage(with_ions, without, ions, reference, 1)
    strain, shift = _deformation(first, last, ion, removed)
    return Topotactic(
        ion=ion,
        mode="removal" if removed else "insertion",
        before=first,
        after=last,
        ions=ions,
        volume_change_percent=100 * (last.volume / first.volume - 1),
        strain=strain,
        shift_angstrom=shift,
        framework_kept=shift <= config.shift_max_angstrom,
        energy_per_ion=per_ion,
        voltage=-per_ion / CHARGES[ion] if ion in CHARGES else None,
        ends=(
            hull.distance(first.composition, energies[0] / len(first)),
            hull.distance(last.composition, energies[1] / len(last)),
        ),
        method=potential_name,
        hull_name=hull.name,
        notes=tuple(one.note for one in (before, after) if one.note),
        seconds=time.monotonic() - began,
    )


def _deformation(before: Structure, after: Structure, ion: str, removed: bool) -> tuple[float, float]:
    """Largest principal strain of the cell, and largest move of a framework atom (A)."""
    deformation = np.linalg.solve(before.lattice.matrix, after.lattice.matrix)
    strain = float(np.abs(np.linalg.svd(deformation, compute_uv=False) - 1).max())
    if removed:
        places = [[s.frac_coords for s in one if s.specie.symbol != ion] for one in (before, after)]
    else:
        places = [[s.frac_coords for s in one][: len(before)] for one in (before, after)]
    steps = np.array(places[1]) - np.array(places[0])
    steps -= np.round(steps)
    steps -= steps.mean(axis=0)
    middle = (before.lattice.matrix + after.lattice.matrix) / 2
    return strain, float(np.linalg.norm(steps @ middle, axis=1).max())


def _formula(structure: Structure) -> str:
    return structure.composition.reduced_formula


def _distance(end: HullDistance) -> dict[str, Any]:
    return {
        "value": end.energy_above_hull,
        "uncertainty": end.uncertainty,
        "decomposition": [{"id": i, "formula": f, "fraction": x} for i, f, x in end.decomposition],
    }
