"""What was found of how a vacancy moves through a crystal?

Every hop is told, also one that was not computed, with the reason. Heights of saddles are counted from the most stable
vacancy of the element: that is what a vacancy in equilibrium has to climb, whichever site its hop begins at. The
barrier of the crystal is the least height at which the hops below it connect through the crystal, in at least one dimension:
a low hop that leads nowhere does not move a filament.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ...core.candidate import PropertyValue
from .bond_valence import FirstLook
from .hops import Hop
from .percolation import Percolation, percolation

if TYPE_CHECKING:
    from pymatgen.core import Structure

Kind = Literal["symmetric saddle", "NEB", "not needed", "not computed"]
SADDLE: Kind = "symmetric saddle"
BAND: Kind = "NEB"
SIGMA_EV = 0.4
"""Root mean square error of the barriers of 8 oxides, CHGNet's against measured or doubly charged ones; they are 0.3 eV too low
on the average (`hysteron benchmark resistive-switching --only oxides`)."""
COLLAPSE_EV = 0.5
"""LaAlO3 in the cubic structure, whose octahedra turn as the ion passes, falls by 0.27 eV. Ours, 2026."""


@dataclass(frozen=True)
class HopBarrier:
    """What a class of hops costs.

    Attributes:
        hop: The class.
        look: What the geometry says of it.
        kind: How its barrier was found, or that it was not: `not needed` if it cannot lower the crystal's barrier.
        method: In words.
        forward: Saddle less the vacancy at the hop's start, eV; `None` if not computed.
        reverse: Saddle less the vacancy at its end, eV.
        height: Saddle less the most stable vacancy, eV.
        at_least: What `height` is at least by the ion held halfway, eV, as far as relaxation from the straight way tells;
            `None` if not known.
        converged: Whether forces fell below what was asked for.
        seconds: Wall time; what hops share is shared among them.
        note: What to know of it, or why it was not computed, one sentence each.
        saddle: The highest geometry met.
    """

    hop: Hop
    look: FirstLook
    kind: Kind
    method: str
    forward: float | None = None
    reverse: float | None = None
    height: float | None = None
    at_least: float | None = None
    converged: bool = False
    seconds: float = 0.0
    note: str = ""
    saddle: Structure | None = field(default=None, repr=False, compare=False)

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure; energies in eV, lengths in A."""
        return {
            "name": self.hop.name,
            "start": self.hop.start,
            "end": self.hop.end,
            "translation": list(self.hop.translation),
            "length_angstrom": self.hop.length_angstrom,
            "multiplicity": self.hop.multiplicity,
            "bottleneck_angstrom": self.look.bottleneck_angstrom,
            "bond_valence_mismatch": self.look.mismatch,
            "kind": self.kind,
            "method": self.method,
            "forward": self.forward,
            "reverse": self.reverse,
            "height": self.height,
            "at_least": self.at_least,
            "converged": self.converged,
            "seconds": round(self.seconds, 1),
            "note": self.note,
        }


@dataclass(frozen=True)
class Migration:
    """How a vacancy of one element moves through a crystal.

    Attributes:
        element: Which ion hops.
        ion: As properties name it: `V_O`, `Li+`.
        potential: Name of the potential.
        hops: All classes within reach, the shortest first.
        natoms: Of the supercell, without vacancies.
        images_apart_angstrom: Distance of a vacancy from its images.
        seconds: Wall time of all.
        notes: What to know before the numbers are believed, one sentence each.
        fell_ev: How far below the vacancies that keep the symmetry of their sites a state on the way lies, eV.
    """

    element: str
    ion: str
    potential: str
    hops: tuple[HopBarrier, ...]
    natoms: int
    images_apart_angstrom: float
    seconds: float
    notes: tuple[str, ...] = ()
    fell_ev: float = 0.0

    @property
    def percolation(self) -> Percolation:
        """The heights, eV, at which the hops computed connect in 1, 2 and 3 dimensions."""
        return percolation(
            edge for hop in self.hops if hop.height is not None for edge in hop.hop.edges(hop.height)
        )

    @property
    def at_least(self) -> Percolation:
        """The same if every hop that was not computed cost no more than is known that it must."""
        return percolation(edge for hop in self.hops for edge in hop.hop.edges(least_height(hop)))

    @property
    def barrier(self) -> float | None:
        """The height at which a vacancy gets through the crystal, eV; `None` if the hops computed do not connect."""
        return self.percolation.one

    @property
    def lowest_hop(self) -> float | None:
        """The lowest barrier of a single hop, in its easier direction, eV, whether or not it leads anywhere."""
        found = [
            min(hop.forward, hop.reverse)
            for hop in self.hops
            if hop.forward is not None and hop.reverse is not None
        ]
        return min(found, default=None)

    @property
    def governing(self) -> HopBarrier | None:
        """The hop whose saddle is the bottleneck."""
        return next((hop for hop in self.hops if hop.height is not None and hop.height == self.barrier), None)

    @property
    def settled(self) -> bool:
        """Whether no hop that was left out could lower the barrier."""
        found, least = self.barrier, self.at_least.one
        return found is not None and least is not None and least >= found

    def as_property(self) -> PropertyValue | None:
        """`migration_barrier` as a candidate carries it, as sure as barriers of oxides are.

        Returns:
            `None` if the hops computed do not connect, or if the crystal fell by more than `COLLAPSE_EV` on their way:
            then it is no minimum of the potential, and what was climbed is not the barrier of a vacancy.
        """
        governing = self.governing
        if self.barrier is None or governing is None or self.fell_ev > COLLAPSE_EV:
            return None
        method = f"{self.potential}, {governing.kind}, {self.ion}"
        return PropertyValue(
            "migration_barrier", round(self.barrier, 4), "eV", method, SIGMA_EV, governing.hop.name
        )

    def record(self) -> dict[str, Any]:
        """As JSON; energies in eV."""
        governing = self.governing
        return {
            "ion": self.ion,
            "potential": self.potential,
            "barrier": self.barrier,
            "uncertainty": SIGMA_EV,
            "governing_hop": governing.hop.name if governing else None,
            "lowest_hop": self.lowest_hop,
            "percolation": self.percolation.record(),
            "at_least": self.at_least.record(),
            "settled": self.settled,
            "fell_ev": self.fell_ev,
            "natoms": self.natoms,
            "images_apart_angstrom": self.images_apart_angstrom,
            "seconds": round(self.seconds, 1),
            "hops": [hop.record() for hop in self.hops],
            "notes": list(self.notes),
        }


def least_height(hop: HopBarrier) -> float:
    """The height of a hop, or what it must be at least, eV; 0 if nothing is known."""
    if hop.height is not None:
        return hop.height
    return hop.at_least if hop.at_least is not None else 0.0
