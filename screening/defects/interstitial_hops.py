"""How high is the barrier over which a foreign ion travels through a crystal?

The sites at which the ion comes to rest, with all their equals, make a network. Two are joined where no third lies nearer to
both: every way through the crystal can be put together from such hops. Hops that the space group makes alike are one kind.
Kinds are taken in the order of the room along the straight way until what is taken reaches through the crystal; those that
this way needs are followed by elastic bands. Then the highest of them is left out and the next way is followed, as long as
there is one and time: the widest way need not be the lowest. The barrier is what has to be climbed above the lowest site to
cross the crystal by any of the hops followed.

It is an upper bound in two ways: a way that was not followed may be lower, and a band keeps the symmetry of its straight start.

Source: Toussaint, Pattern Recognition 12, 261 (1980), doi:10.1016/0031-3203(80)90066-7, for the neighbours.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.contracts import Tools
from ...core.errors import HysteronError
from ..batch import calculate_each
from .band import hop_band
from .barrier_error import barrier_error
from .interstitials import SAME_SITE_ANGSTROM, Insertion, InterstitialConfig, with_ion
from .migration import SIGMA_EV
from .percolation import Edge, Percolation, Vector, percolation
from .vacancies import seeded
from .voids import NEXT_CELLS, Group, Surroundings, charge_of, ionic_radius

if TYPE_CHECKING:
    from pymatgen.core import Structure

NEARER_ANGSTROM = 0.05
"""A third site must lie nearer to both ends by this; equal distances join."""
ALONG_THE_WAY = 9
"""Points of a straight way at which its room is looked at."""
SAME_PLACE_ANGSTROM = 0.3
"""Ends that relax to the same place are one: the hop between them has no barrier."""
NOT_ITS_SITE_EV = 0.1
"""An end that comes to rest so far above the energy of its site has not found it."""
Pair = tuple[int, int, Vector]
"""Start, end, and cell of the end as seen from the start's."""


@dataclass(frozen=True)
class Leap:
    """One kind of hop between sites of an ion.

    Attributes:
        members: All hops of the kind that begin in one cell; the first is followed.
        length_angstrom: Of the straight way.
        room: Least fit of the ion along it, see `voids.Surroundings.fit`.
        name: `Li1-Li2 1.70`: the kinds of the sites, the lowest first, and the length in A.
    """

    members: tuple[Pair, ...]
    length_angstrom: float
    room: float
    name: str

    def edges(self, height: float) -> list[Edge]:
        """The kind as part of the network."""
        return [Edge(*member, height) for member in self.members]


@dataclass(frozen=True)
class Followed:
    """A hop whose barrier is known.

    Attributes:
        leap: Which.
        start: Energy of the end where it begins, above the lowest site, eV.
        end: Of the other end, likewise.
        barrier: From there, eV; 0 where both ends relax to one place.
        reverse_barrier: From the other end, eV.
        method: Of the band.
        converged: Of the band.
    """

    leap: Leap
    start: float
    end: float
    barrier: float
    reverse_barrier: float
    method: str
    converged: bool

    @property
    def height(self) -> float:
        """Of the saddle above the lowest site, eV."""
        return self.start + self.barrier

    def record(self) -> dict[str, Any]:
        """As JSON, with the names that `migration.HopBarrier.record` gives."""
        return {
            "name": self.leap.name,
            "length_angstrom": self.leap.length_angstrom,
            "multiplicity": len(self.leap.members),
            "room": self.leap.room,
            "kind": "NEB" if self.barrier or self.reverse_barrier else "one place",
            "method": self.method,
            "forward": self.barrier,
            "reverse": self.reverse_barrier,
            "height": self.height,
            "converged": self.converged,
            "note": "",
        }


@dataclass(frozen=True)
class Mobility:
    """How an ion travels through a host.

    Attributes:
        ion: Symbol.
        barrier: What has to be climbed above the lowest site to cross the crystal in at least one dimension, eV.
        uncertainty: One standard deviation, eV: measured for the ion and potential, else that of vacancies' hops in oxides.
        interval: Lower and upper end, eV, that hold DFT's barrier with 90%, where that was measured.
        connected: Heights at which the network reaches through in 1, 2, 3 dimensions, of what was followed.
        hops: What was followed.
        method: How.
        governing_hop: Name of the hop whose saddle is the bottleneck.
        notes: One sentence each.
        seconds: Wall time.
    """

    ion: str
    barrier: float
    uncertainty: float
    interval: tuple[float, float] | None
    connected: Percolation
    hops: tuple[Followed, ...]
    method: str
    governing_hop: str
    notes: tuple[str, ...]
    seconds: float

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ion": self.ion,
            "barrier": self.barrier,
            "uncertainty": self.uncertainty,
            "interval": None if self.interval is None else list(self.interval),
            "units": "eV",
            "method": self.method,
            "governing_hop": self.governing_hop,
            "percolation": self.connected.record(),
            "hops": [hop.record() for hop in self.hops],
            "notes": list(self.notes),
            "seconds": self.seconds,
        }


def mobility_of(
    insertion: Insertion, tools: Tools, config: InterstitialConfig | None = None
) -> Mobility | str:
    """The barrier over which an inserted ion crosses its host.

    Args:
        insertion: Where the ion sits.
        tools: `potential` and `atoms_relaxer`.
        config: Bands and their wall time.

    Returns:
        A sentence if there is no answer.
    """
    config = config or InterstitialConfig()
    began = time.monotonic()
    name = f"{insertion.ion} in {insertion.whole.composition.reduced_formula}"
    if tools.potential is None or tools.atoms_relaxer is None:
        return f"The hops of {name} need a potential and a relaxer at fixed cell; none was given."
    search = _Search(insertion, tools, config, began + config.seconds)
    search.run()
    followed = _from_the_lowest(search.followed.values())
    connected = percolation(edge for hop in followed for edge in hop.leap.edges(hop.height))
    if connected.one is None:
        why = "; ".join([search.spent or "no way is left", *search.notes])
        return f"No way of {name} through the crystal was followed to its end: {why}"
    governing = next(hop for hop in followed if hop.height == connected.one)
    notes = list(search.notes)
    if search.spent:
        notes.append(f"{len(followed)} of {len(search.kinds)} kinds of hops were followed; {search.spent}.")
    barrier = max(0.0, float(connected.one))
    error = barrier_error(barrier, insertion.ion, tools.potential)
    return Mobility(
        ion=insertion.ion,
        barrier=barrier,
        uncertainty=error.uncertainty if error else SIGMA_EV,
        interval=error.interval if error else None,
        connected=connected,
        hops=followed,
        method=f"{governing.method}, interstitial {insertion.ion}",
        governing_hop=governing.leap.name,
        notes=tuple(dict.fromkeys(notes)),
        seconds=time.monotonic() - began,
    )


class _Search:
    """Follows one way through the crystal after the other, each without the hop that was highest in those before.

    Attributes:
        kinds: All, the roomiest first.
        followed: What is known so far.
        notes: One sentence each.
        spent: What has run out, as a clause; empty if no way was left.
    """

    def __init__(
        self, insertion: Insertion, tools: Tools, config: InterstitialConfig, stop_at: float
    ) -> None:
        self.insertion, self.tools, self.config, self.stop_at = insertion, tools, config, stop_at
        self.kinds = leaps_of(insertion, config.energy_span_ev)
        self.nodes = _network(insertion, config.energy_span_ev)[1]
        self.followed: dict[Leap, Followed] = {}
        self.notes: list[str] = []
        self.spent = ""

    def run(self) -> None:
        """Until no way is left, or `hops_max` or the time is spent."""
        left = list(self.kinds)
        while not self.spent and (way := narrowest_way(left)):
            unknown = next((leap for leap in way if not self._known(leap)), None)
            left.remove(unknown or max(way, key=lambda leap: self.followed[leap].height))

    def _known(self, leap: Leap) -> bool:
        """Whether the hop's barrier is known, or could be found now."""
        if leap in self.followed:
            return True
        self.spent = self._limit()
        if self.spent:
            return False
        found = _follow(leap, self.nodes, self.insertion, self.tools, self.config)
        if isinstance(found, str):
            self.notes.append(f"The hop {leap.name} was given up: {found}")
            return False
        self.followed[leap], notes = found
        self.notes += notes
        return True

    def _limit(self) -> str:
        if len(self.followed) >= self.config.hops_max:
            return f"the {self.config.hops_max} of 'hops_max' are spent"
        if time.monotonic() > self.stop_at:
            return f"the {self.config.seconds:g} s of 'seconds' are spent"
        return ""


def _from_the_lowest(hops: Iterable[Followed]) -> tuple[Followed, ...]:
    """The same, counted from the lowest end where a band has found one below the sites known before."""
    found = list(hops)
    floor = min([0.0, *(energy for hop in found for energy in (hop.start, hop.end))])
    return tuple(dataclasses.replace(hop, start=hop.start - floor, end=hop.end - floor) for hop in found)


def leaps_of(insertion: Insertion, energy_span_ev: float) -> list[Leap]:
    """The kinds of hops between neighbouring sites that lie within a span above the lowest, the roomiest first."""
    group, nodes = _network(insertion, energy_span_ev)
    kind_of = [k for k, site in enumerate(insertion.sites, 1) for _ in site.positions]
    pairs = _neighbours(group, nodes)
    around = Surroundings.of(insertion.supercell.primitive)
    radius = ionic_radius(insertion.ion, charge_of(insertion.ion))
    leaps = []
    for members in _kinds(pairs, group, nodes):
        start, end, cell = members[0]
        step = nodes[end] + cell - nodes[start]
        points = nodes[start] + np.linspace(0, 1, ALONG_THE_WAY)[:, None] * step
        length = float(np.linalg.norm(step @ group.matrix))
        ends = "-".join(f"{insertion.ion}{k}" for k in sorted((kind_of[start], kind_of[end])))
        room = float(around.fit(points, radius).min())
        leaps.append(Leap(tuple(members), length, room, f"{ends} {length:.2f}"))
    return sorted(
        leaps, key=lambda leap: (-round(leap.room, 3), round(leap.length_angstrom, 3), len(leap.members))
    )


def narrowest_way(leaps: Sequence[Leap]) -> list[Leap]:
    """The kinds that are needed to cross the crystal in one dimension, out of the roomiest that suffice; none if none do.

    Args:
        leaps: The roomiest first.
    """
    for count in range(1, len(leaps) + 1):
        if _crosses(leaps[:count]):
            needed = list(leaps[:count])
            for leap in reversed(needed[:-1]):
                rest = [other for other in needed if other is not leap]
                needed = rest if _crosses(rest) else needed
            return needed
    return []


def _crosses(leaps: Sequence[Leap]) -> bool:
    return percolation(edge for leap in leaps for edge in leap.edges(0.0)).dimensions > 0


def _network(insertion: Insertion, span: float) -> tuple[Group, np.ndarray]:
    """The space group, and all sites of the primitive cell that take part, fractional, shape `(n, 3)`."""
    group = Group.of(insertion.supercell.primitive)
    low = [site for site in insertion.sites if site.energy <= insertion.energy + span]
    return group, np.concatenate([site.positions for site in low])


def _neighbours(group: Group, nodes: np.ndarray) -> list[Pair]:
    """Pairs to which no third site is nearer, one direction of each."""
    far = (nodes[None, :, None, :] + NEXT_CELLS[None, None] - nodes[:, None, None, :]) @ group.matrix
    lengths = np.linalg.norm(far, axis=3)  # (start, end, cell)
    found = []
    for i, j, c in zip(*np.nonzero(lengths > NEARER_ANGSTROM), strict=True):
        cell = tuple(int(x) for x in NEXT_CELLS[c])
        if (j, i, tuple(-x for x in cell)) < (i, j, cell):
            continue
        length = lengths[i, j, c]
        to_others = far[i].reshape(-1, 3)
        from_end = np.linalg.norm(to_others - far[i, j, c], axis=1)
        nearer = np.maximum(np.linalg.norm(to_others, axis=1), from_end) < length - NEARER_ANGSTROM
        if not nearer.any():
            found.append((int(i), int(j), cell))
    return found


def _kinds(pairs: Sequence[Pair], group: Group, nodes: np.ndarray) -> list[list[Pair]]:
    """Pairs that the space group maps on one another, reversed or not."""
    carried = [
        _carried(group, rotation, translation, nodes)
        for rotation, translation in zip(group.rotations, group.translations, strict=True)
    ]
    kinds: dict[Pair, list[Pair]] = {}
    for start, end, cell in pairs:
        images = []
        for rotation, (to, cells) in zip(group.rotations, carried, strict=True):
            x, y, z = (rotation @ np.array(cell) + cells[end] - cells[start]).tolist()
            images.append(_one_way((int(to[start]), int(to[end]), (x, y, z))))
        kinds.setdefault(min(images), []).append((start, end, cell))
    return list(kinds.values())


def _carried(
    group: Group, rotation: np.ndarray, translation: np.ndarray, nodes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each site the one that an operation carries it to, and the cell it then lies in."""
    gaps = (nodes @ rotation.T + translation)[:, None, :] - nodes[None, :, :]
    cells = np.round(gaps)
    nearest = np.linalg.norm((gaps - cells) @ group.matrix, axis=2).argmin(axis=1)
    return nearest, cells[np.arange(len(nodes)), nearest].astype(int)


def _one_way(pair: Pair) -> Pair:
    start, end, cell = pair
    return min(pair, (end, start, (-cell[0], -cell[1], -cell[2])))


def _follow(
    leap: Leap, nodes: np.ndarray, insertion: Insertion, tools: Tools, config: InterstitialConfig
) -> tuple[Followed, list[str]] | str:
    """The hop's barrier, and what should be known of it."""
    assert tools.potential is not None
    ends = _ends(leap, nodes, insertion, tools)
    if isinstance(ends, str):
        return ends
    first, last, notes = ends
    if _ion_moved(first, last) < SAME_PLACE_ANGSTROM:
        height = max(_site_energy(insertion, site) for site in leap.members[0][:2])
        return Followed(leap, height, height, 0.0, 0.0, "both ends relax to one place", True), notes
    band = hop_band(
        first,
        last,
        tools.potential,
        images=config.images,
        seconds=config.hop_seconds,
        max_force=config.max_force,
        relaxer=tools.atoms_relaxer,
    )
    if isinstance(band, str):
        return band
    lowest = calculate_each(tools.potential, band.structures[:1])[0]  # the band may have found a lower end
    if isinstance(lowest, str):
        return lowest
    begins = lowest.energy - insertion.lowest_total
    followed = Followed(
        leap=leap,
        start=begins,
        end=begins + band.energies[-1],
        barrier=float(band.barrier),
        reverse_barrier=float(band.reverse_barrier),
        method=band.method,
        converged=band.converged,
    )
    return followed, [*notes, *band.notes]


def _ends(
    leap: Leap, nodes: np.ndarray, insertion: Insertion, tools: Tools
) -> tuple[Structure, Structure, list[str]] | str:
    """The ion at rest at both ends of a hop, and what should be known of that."""
    assert tools.atoms_relaxer is not None
    start, end, cell = leap.members[0]
    places = (nodes[start], nodes[end] + np.array(cell))
    built = [with_ion(insertion.whole, insertion.supercell, place, insertion.ion) for place in places]
    built = [seeded(one, one.frac_coords[-1]) for one in built]
    try:
        relaxed = tools.atoms_relaxer.relax(built)
    except (HysteronError, ValueError) as error:
        return str(error)
    at_rest, notes = [], []
    for before, after, site in zip(built, relaxed, (start, end), strict=True):
        if after.structure is None or after.failure or after.energy_per_atom is None:
            return after.failure or "an end could not be relaxed"
        energy = after.energy_per_atom * len(after.structure) - insertion.lowest_total
        above = energy - _site_energy(insertion, site)
        if above > NOT_ITS_SITE_EV:
            return f"an end came to rest {above:.2f} eV above its site, in another surrounding"
        gone = _ion_moved(before, after.structure)
        if gone > SAME_SITE_ANGSTROM:
            notes.append(f"An end of the hop {leap.name} left its site by {gone:.1f} A.")
        at_rest.append(after.structure)
    return at_rest[0], at_rest[1], notes


def _site_energy(insertion: Insertion, node: int) -> float:
    """Of a site of the network above the lowest, eV."""
    energies = [site.energy for site in insertion.sites for _ in site.positions]
    return energies[node] - insertion.energy


def _ion_moved(before: Structure, after: Structure) -> float:
    """How far apart the ion, last in both, stands, A."""
    return float(before[-1].distance(after[-1]))
