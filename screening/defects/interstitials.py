"""What does it cost to put a foreign ion into a crystal, and where does it come to rest?

One ion in each of the roomiest voids of a supercell that keeps images apart, atoms relaxed at fixed cell, all in one call of
the relaxer:

    E_ins = E(host with ion) - E(host) - mu

`mu` is the energy of the element's reference phase on the same potential's hull: silver, copper, a solid of O2 molecules. The
ion enters as an atom, with its electron: a potential knows no charge, so what the host does with the electron is left to
it. Where an ion has left its void, the place that it came to counts; places that symmetry makes alike are one site.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ...core.contracts import Relaxation, Tools
from ...core.errors import HysteronError
from ...core.settings import Settings
from ...core.supercells import APART_ANGSTROM, ATOMS_MAX, Supercell, supercell_for
from ..batch import calculate_each
from .vacancies import HOST_FALLS_EV, seeded
from .voids import FIT_MIN, Group, Void, voids_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_SITE_ANGSTROM = 1.0
"""Ions that came to rest closer to each other stand on one site: off-centre places of one void are not told apart."""
SETTLED_ANGSTROM = 0.5
"""An ion is put onto a symmetry element that it came to rest this close to."""


class InterstitialConfig(Settings):
    """How a foreign ion is put into a host, and how its hops are followed.

    Attributes:
        apart_angstrom: How far images of the ion should be apart.
        atoms_max: Largest supercell of the host.
        sites_max: At most so many voids are tried, the roomiest.
        fit_min: Least distance to an atom over the sum of radii.
        energy_span_ev: Sites that lie this far above the lowest take no part in hops. 1.0 lies above any barrier asked for.
        hops_max: At most so many kinds of hops are followed.
        hop_seconds: Wall time of one band.
        seconds: Wall time after which no further band is begun.
        images: Of a band, both ends counted.
        max_force: eV/A, at which a band has converged.
    """

    apart_angstrom: float = Field(default=APART_ANGSTROM, gt=0)
    atoms_max: int = Field(default=ATOMS_MAX, ge=1)
    sites_max: int = Field(default=6, ge=1)
    fit_min: float = Field(default=FIT_MIN, gt=0)
    energy_span_ev: float = Field(default=1.0, gt=0)
    hops_max: int = Field(default=6, ge=1)
    hop_seconds: float = Field(default=60.0, gt=0)
    seconds: float = Field(default=300.0, gt=0)
    images: int = Field(default=5, ge=3)
    max_force: float = Field(default=0.05, gt=0)


@dataclass(frozen=True)
class Interstitial:
    """A site at which the ion came to rest.

    Attributes:
        void: Where it was put.
        positions: All equal sites of the primitive cell, fractional, shape `(multiplicity, 3)`.
        energy: Insertion energy, eV per ion.
        structure: Supercell with the ion last, relaxed.
        converged: Whether the forces fell below the relaxer's threshold.
        moved_angstrom: From the void to the site.
    """

    void: Void
    positions: np.ndarray
    energy: float
    structure: Structure
    converged: bool
    moved_angstrom: float

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure."""
        return {
            "void": self.void.record(),
            "position": self.positions[0].tolist(),
            "multiplicity": len(self.positions),
            "energy": self.energy,
            "converged": self.converged,
            "moved_angstrom": self.moved_angstrom,
        }


@dataclass(frozen=True)
class Insertion:
    """An ion in a host, one at a time.

    Attributes:
        ion: Symbol.
        sites: The lowest first.
        voids: Number of kinds of voids found, tried or not.
        reference: Energy of the element's reference phase, eV/atom.
        host_energy: Of the supercell without the ion, at rest, eV.
        supercell: Of the host as built.
        whole: The same at rest.
        potential_name: Whose energies these are.
        hull_name: Whose reference this is.
        notes: What a reader should know, one sentence each.
        seconds: Wall time.
    """

    ion: str
    sites: tuple[Interstitial, ...]
    voids: int
    reference: float
    host_energy: float
    supercell: Supercell
    whole: Structure
    potential_name: str
    hull_name: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def energy(self) -> float:
        """At the lowest site, eV per ion."""
        return self.sites[0].energy

    @property
    def lowest_total(self) -> float:
        """Energy of the supercell with the ion at its lowest site, eV."""
        return self.energy + self.host_energy + self.reference

    @property
    def method(self) -> str:
        """How the energies were found."""
        return f"{self.potential_name}, neutral, one ion in {len(self.whole)} atoms, against the element"

    def record(self) -> dict[str, Any]:
        """As JSON, without the structures."""
        return {
            "ion": self.ion,
            "insertion_energy": self.energy,
            "method": self.method,
            "sites": [site.record() for site in self.sites],
            "voids": self.voids,
            "reference": self.reference,
            "hull": self.hull_name,
            "supercell": {
                "atoms": len(self.whole),
                "images_apart_angstrom": self.supercell.images_apart_angstrom,
                "enough": self.supercell.enough,
            },
            "notes": list(self.notes),
            "seconds": self.seconds,
        }


def insertion_of(
    host: Structure, ion: str, tools: Tools, config: InterstitialConfig | None = None
) -> Insertion | str:
    """Insertion energies of one ion in the roomiest voids of a host.

    Args:
        host: Relaxed by the potential of `tools`; any setting.
        ion: Symbol; the host may hold it already.
        tools: `atoms_relaxer` and `hull`.
        config: Supercell, sites.

    Returns:
        A sentence if there is no answer.
    """
    config = config or InterstitialConfig()
    began = time.monotonic()
    formula = host.composition.reduced_formula
    relaxer, hull = tools.atoms_relaxer, tools.hull
    if relaxer is None or hull is None:
        lacking = "relaxer at fixed cell" if relaxer is None else "hull"
        return f"The insertion of {ion} into {formula} needs a {lacking}; none was given."
    try:
        reference = _reference(hull, ion)
        voids = voids_of(host, ion, config.fit_min)
        if not voids:
            return f"{formula} has no void that {ion} fits into: none leaves {config.fit_min:g} of the sum of radii."
        supercell = supercell_for(host, config.apart_angstrom, config.atoms_max)
        tried = voids[: config.sites_max]
        whole = supercell.structure.copy(site_properties={})
        relaxations = relaxer.relax(
            [_start(whole, supercell, void, ion) for void in tried] + [seeded(whole, np.zeros(3))]
        )
    except (HysteronError, ValueError) as error:
        return f"The insertion of {ion} into {formula}: {error}"
    rest = _host_at_rest(whole, supercell, relaxations[-1], tools)
    if isinstance(rest, str):
        return f"The insertion of {ion} into {formula}: {rest}"
    fallen, at_rest, host_energy = rest
    ended = [
        (void, relaxation, total - host_energy - reference)
        for void, relaxation in zip(tried, relaxations, strict=False)
        if (total := _total(relaxation)) is not None
    ]
    if not ended:
        reasons = "; ".join(sorted({r.failure or r.note or "no energy" for r in relaxations[:-1]}))
        return f"{ion} could not be relaxed in {formula}: {reasons}"
    return Insertion(
        ion=ion,
        sites=tuple(_sites(ended, supercell, at_rest)),
        voids=len(voids),
        reference=reference,
        host_energy=host_energy,
        supercell=supercell,
        whole=at_rest,
        potential_name=relaxer.potential.name,
        hull_name=hull.name,
        notes=tuple(_notes(supercell, len(voids), relaxations[:-1], fallen, config)),
        seconds=time.monotonic() - began,
    )


def with_ion(whole: Structure, supercell: Supercell, position: np.ndarray, ion: str) -> Structure:
    """A supercell with an ion at a position of the primitive cell, fractional, which may lie in any cell; the ion is last."""
    place = position @ supercell.primitive.lattice.matrix
    filled = whole.copy()
    filled.append(ion, filled.lattice.get_fractional_coords(place), validate_proximity=False)
    return filled


def _reference(hull: Any, ion: str) -> float:
    from pymatgen.core import Composition

    return float(hull.lowest_energy(Composition(ion)))


def _start(whole: Structure, supercell: Supercell, void: Void, ion: str) -> Structure:
    filled = with_ion(whole, supercell, void.positions[0], ion)
    return seeded(filled, filled.frac_coords[-1])


def _total(relaxation: Relaxation) -> float | None:
    """eV per cell."""
    if relaxation.failure or relaxation.structure is None or relaxation.energy_per_atom is None:
        return None
    return float(relaxation.energy_per_atom * len(relaxation.structure))


def _host_at_rest(
    whole: Structure, supercell: Supercell, relaxation: Relaxation, tools: Tools
) -> tuple[float, Structure, float] | str:
    """How far the host's supercell falls when it is shaken (eV), its geometry at rest, and its energy (eV)."""
    assert tools.atoms_relaxer is not None
    found = calculate_each(tools.atoms_relaxer.potential, [supercell.primitive])[0]
    if isinstance(found, str):
        return found
    total = _total(relaxation)
    if total is None or relaxation.structure is None:
        return f"the host's supercell could not be relaxed: {relaxation.failure}"
    built = supercell.copies * found.energy
    if built - total > HOST_FALLS_EV:
        return built - total, relaxation.structure, total
    return 0.0, whole, min(built, total)


def _sites(
    ended: Sequence[tuple[Void, Relaxation, float]], supercell: Supercell, at_rest: Structure
) -> list[Interstitial]:
    """Where the ions came to rest, one of each kind, the lowest first."""
    group = Group.of(supercell.primitive)
    kept: list[Interstitial] = []
    for void, relaxation, energy in sorted(ended, key=lambda one: one[2]):
        assert relaxation.structure is not None
        position = group.settled(_place(relaxation.structure, at_rest, supercell), SETTLED_ANGSTROM)
        taken = np.concatenate([site.positions for site in kept]) if kept else np.empty((0, 3))
        if len(taken) and group.distances(position, taken).min() < SAME_SITE_ANGSTROM:
            continue
        moved = float(group.distances(position, void.positions).min())
        kept.append(
            Interstitial(
                void, group.orbit(position), float(energy), relaxation.structure, relaxation.converged, moved
            )
        )
    return kept


def _place(filled: Structure, at_rest: Structure, supercell: Supercell) -> np.ndarray:
    """Of the ion, fractional in the primitive cell, after the drift of the host has been taken off."""
    steps = filled.frac_coords[:-1] - at_rest.frac_coords
    drift = (steps - np.round(steps)).mean(axis=0)
    return (filled.frac_coords[-1] - drift) @ supercell.matrix


def _notes(
    supercell: Supercell,
    voids: int,
    relaxations: Sequence[Relaxation],
    fallen: float,
    config: InterstitialConfig,
) -> list[str]:
    notes = []
    if not supercell.enough:
        notes.append(
            f"Images of the ion are {supercell.images_apart_angstrom:.1f} A apart, less than {config.apart_angstrom:g}, in the "
            f"{len(supercell.structure)} atoms that were allowed."
        )
    if fallen:
        notes.append(
            f"The host's supercell itself falls by {fallen:.2f} eV when shaken; energies are counted from there."
        )
    if voids > len(relaxations):
        notes.append(f"{voids} kinds of voids; the {len(relaxations)} roomiest were tried.")
    notes += sorted({r.failure or r.note or "" for r in relaxations if r.failure or not r.converged} - {""})
    return notes
