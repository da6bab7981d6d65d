"""What does it cost a vacancy to move through a crystal, hop by hop?

In the order of their price: the geometry says which hops an ion blocks; then every other hop is relaxed with its ion halfway,
all in one batch, which gives the saddle where symmetry exchanges the ends and a lower bound elsewhere; then nudged elastic
bands are drawn for hops that are no such saddle, the lowest bound first, as long as they could still lower the height
at which the network connects and the time lasts. Cation vacancies are treated as anion vacancies are.

The charge of the vacancy is that of the neutral cell the potential was trained on; a potential knows no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from ...core.contracts import Potential, Tools
from ...core.errors import HysteronError
from ...core.oxidation import oxidation_states
from ...core.settings import Settings
from ..batch import calculate_each
from .band import hop_band
from .bond_valence import first_looks
from .hop_cells import HopCell, Vacancy, hop_cell, vacancies_at
from .hops import Hop, HopConfig, hops_of
from .invariant import Effort
from .migration import BAND, SADDLE, HopBarrier, Kind, Migration
from .percolation import percolation
from .saddle import Middle, middles
from .symmetric_supercells import symmetric_supercell

if TYPE_CHECKING:
    from pymatgen.core import Structure

LOWER_EV = 0.05
"""By which a vacancy found on the way must lie below the one relaxed in its site's symmetry to take its place."""


SPARED_EV = 0.05
"""By which a hop must lie, halfway, above the saddles over which the network connects to be spared its band. A band of LaFeO3
passed 0.03 eV below the halfway point that was relaxed from the straight way."""


class MigrationConfig(Settings):
    """How far hops are followed.

    Attributes:
        hops: Which neighbours a vacancy may move to.
        apart_angstrom: A vacancy stays that far from its images, where `atoms_max` allows. Barriers need more than formation
            energies: by CHGNet, SrTiO3 has 0.60 eV at 7.9 A, 0.41 at 11.2 and 0.38 at 11.8, ThO2 0.72 at 9.7 and 0.55 at 11.9.
        atoms_max: Of the supercell.
        bottleneck_min_angstrom: Where another ion leaves less room on the straight way the hop is given up as blocked.
        hops_max: Classes that are followed: those with most room on the way, and as many as are needed to connect.
        max_force: eV/A, of ends and middles.
        steps: Evaluations of the potential for an end or a middle.
        images: Of a band, both ends counted.
        band_force: eV/A, of a band.
        seconds_per_hop: Wall time of one band.
        seconds: Wall time after which no more bands are begun.
        exhaustive: Follow all hops that are not blocked, and draw bands also where they cannot lower the crystal's barrier.
    """

    hops: HopConfig = HopConfig()
    apart_angstrom: float = Field(default=10.0, gt=0)
    atoms_max: int = Field(default=120, ge=1)
    bottleneck_min_angstrom: float = 0.0
    hops_max: int = Field(default=16, ge=1)
    max_force: float = Field(default=0.03, gt=0)
    steps: int = Field(default=150, ge=1)
    images: int = Field(default=5, ge=3)
    band_force: float = Field(default=0.05, gt=0)
    seconds_per_hop: float = Field(default=120.0, gt=0)
    seconds: float = Field(default=300.0, gt=0)
    exhaustive: bool = False


def migration_of(
    host: Structure,
    element: str,
    tools: Tools,
    config: MigrationConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> Migration | str:
    """How a vacancy of an element moves through a crystal.

    Args:
        host: Ordered, at rest by the same potential, in any setting.
        element: Symbol of the ion that hops: an anion's, or a mobile cation's.
        tools: With a potential.
        config: How far hops are followed.
        progress: Told in a few words what is being done.

    Returns:
        The hops with their barriers; a sentence if there are none, or if the potential refuses.
    """
    if tools.potential is None:
        return "Barriers need a potential, and the tools hold none."
    config = config or MigrationConfig()
    try:
        work = _Work(host, element, tools.potential, config, progress or (lambda _: None))
        return work.done()
    except HysteronError as error:
        return str(error)


@dataclass(frozen=True)
class _Way:
    """A hop with its vacancies at rest and its ion halfway; energies in eV, of cells."""

    cell: HopCell
    start: Vacancy
    end: Vacancy
    middle: Middle
    seconds: float

    @property
    def hop(self) -> Hop:
        return self.cell.hop

    @property
    def least(self) -> float:
        """An energy that the hop cannot avoid."""
        return max(self.middle.energy, self.start.energy, self.end.energy)


@dataclass(frozen=True)
class _Found:
    """What became of a hop; energies in eV, of cells."""

    kind: Kind
    method: str
    energy: float | None = None
    least: float | None = None
    converged: bool = False
    seconds: float = 0.0
    note: str = ""
    saddle: Structure | None = None


class _Work:
    """One crystal's hops, and what is known of them so far."""

    def __init__(
        self,
        host: Structure,
        element: str,
        potential: Potential,
        config: MigrationConfig,
        progress: Callable[[str], None],
    ) -> None:
        self.began = time.monotonic()
        self.potential, self.config, self.progress = potential, config, progress
        self.hops = hops_of(host, element, config.hops)
        self.supercell = symmetric_supercell(self.hops.primitive, config.apart_angstrom, config.atoms_max)
        self.looks = dict(zip(self.hops.classes, first_looks(self.hops), strict=True))
        self.found: dict[Hop, _Found] = {}
        self.vacancies: dict[int, float] = {}
        self.notes = [self.hops.note] if self.hops.note else []
        self.fell = 0.0

    def done(self) -> Migration:
        """All hops, in the order of their price."""
        ways = self._halfway(self._passable())
        for way in ways:
            self._known(way.hop.start, way.start.energy)
            self._known(way.hop.end, way.end.energy)
        for way in ways:
            landing = way.middle.landing
            self._passed(way, way.middle.energy if landing is None else landing.energy)
            if way.middle.is_saddle:
                self._found_saddle(way)
        others = [way for way in ways if not way.middle.is_saddle]
        for way in sorted(others, key=lambda way: (way.least, way.hop.name)):
            self._found_band(way)
        return self._migration()

    def _passable(self) -> list[HopCell]:
        """The hops that deserve to be followed, laid into the supercell."""
        cells = []
        for hop in self._promising([hop for hop in self.hops.classes if not self._blocked(hop)]):
            try:
                cells.append(hop_cell(hop, self.hops, self.supercell))
            except HysteronError as error:
                self._leave(hop, str(error))
        return cells

    def _blocked(self, hop: Hop) -> bool:
        look, least = self.looks[hop], self.config.bottleneck_min_angstrom
        if look.bottleneck_angstrom >= least:
            return False
        room = f"{look.bottleneck_angstrom:.2f} A of room, at least {least:g} A wanted"
        self._leave(hop, f"{look.by} stands in the way: {room}.")
        return True

    def _promising(self, hops: Sequence[Hop]) -> list[Hop]:
        """Those with most room on the way, and at least as many as connect in as many dimensions as all do."""
        if self.config.exhaustive or len(hops) <= self.config.hops_max:
            return list(hops)
        tightness = {hop: -self.looks[hop].bottleneck_angstrom for hop in hops}
        connected = percolation(edge for hop in hops for edge in hop.edges(tightness[hop]))
        reached = [x for x in (connected.one, connected.two, connected.three) if x is not None]
        ordered = sorted(hops, key=lambda hop: tightness[hop])
        chosen = {
            hop
            for n, hop in enumerate(ordered)
            if n < self.config.hops_max or (reached and tightness[hop] <= max(reached))
        }
        for hop in hops:
            if hop not in chosen:
                self._leave(hop, f"{len(chosen)} other hops have more room on the way.")
        return [hop for hop in hops if hop in chosen]

    def _halfway(self, cells: Sequence[HopCell]) -> list[_Way]:
        """Every hop with its vacancies at rest and its ion halfway, but those that the potential refuses."""
        began, config = time.monotonic(), self.config
        self.progress(f"{len(cells)} hops in {len(self.supercell.structure)} atoms")
        effort = Effort(config.max_force, config.steps, self.began + config.seconds)
        sites = [site for cell in cells for site in (cell.start_site, cell.end_site)]
        vacancies = vacancies_at(sites, self.supercell.structure, self.potential, effort)
        sound: list[tuple[HopCell, Vacancy, Vacancy]] = []
        for cell in cells:
            start, end = vacancies[cell.start_site], vacancies[cell.end_site]
            if isinstance(start, Vacancy) and isinstance(end, Vacancy):
                sound.append((cell, start, end))
            else:
                self._leave(cell.hop, start if isinstance(start, str) else str(end))
        halves = middles(
            [cell for cell, _, _ in sound], [start.energy for _, start, _ in sound], self.potential, effort
        )
        share = (time.monotonic() - began) / max(len(sound), 1)
        ways = []
        for (cell, start, end), middle in zip(sound, halves, strict=True):
            if isinstance(middle, str):
                self._leave(cell.hop, middle)
            else:
                ways.append(_Way(cell, start, end, middle, share))
        return ways

    def _known(self, site: int, energy: float) -> None:
        """The energy of the vacancy of a site's class, if none is known yet."""
        self.vacancies.setdefault(self.hops.site_class[site], energy)

    def _passed(self, way: _Way, energy: float) -> None:
        """A state met on the way of a hop, which takes the place of the vacancy if it is lower than both ends, and is told."""
        first, last = (self.hops.site_class[site] for site in (way.hop.start, way.hop.end))
        lower = min((first, last), key=lambda site: self.vacancies[site])
        before = self.vacancies[lower]
        if energy < before - LOWER_EV:
            self.vacancies[lower] = energy
            self.fell += before - energy
            self.notes.append(
                f"On the way of {way.hop.name} the vacancy has {before - energy:.2f} eV less than with the symmetry of its "
                "site; barriers are counted from there."
            )

    def _found_saddle(self, way: _Way) -> None:
        middle = way.middle
        self.found[way.hop] = _Found(
            SADDLE,
            f"symmetric saddle of {middle.order} operations",
            middle.energy,
            way.least,
            middle.converged,
            way.seconds,
            saddle=middle.structure,
        )

    def _found_band(self, way: _Way) -> None:
        """A hop with its barrier by a band, if it may matter and there is time."""
        left = self.config.seconds - (time.monotonic() - self.began)
        connected = percolation(
            edge
            for hop, found in self.found.items()
            if found.energy is not None
            for edge in hop.edges(found.energy)
        ).three
        if not self.config.exhaustive and connected is not None and way.least >= connected + SPARED_EV:
            self._leave(
                way.hop,
                "Halfway it is higher already than the saddles over which the network connects in three dimensions.",
                "not needed",
                way.least,
            )
        elif left <= 0:
            self._leave(way.hop, f"No time was left of {self.config.seconds:g} s.", least=way.least)
        else:
            self._draw(way, min(left, self.config.seconds_per_hop))

    def _draw(self, way: _Way, seconds: float) -> None:
        began = time.monotonic()
        self.progress(f"band of {way.hop.name}")
        band = hop_band(
            way.cell.relaxed(way.start, 0),
            way.cell.relaxed(way.end, 1),
            self.potential,
            images=self.config.images,
            seconds=seconds,
            max_force=self.config.band_force,
        )
        first = band if isinstance(band, str) else calculate_each(self.potential, band.structures[:1])[0]
        if isinstance(band, str) or isinstance(first, str):
            self._leave(way.hop, str(first), least=way.least)
            return
        self._passed(way, first.energy + min(band.energies))
        highest = max(range(len(band.energies)), key=lambda i: band.energies[i])
        self.found[way.hop] = _Found(
            BAND,
            band.method,
            first.energy + band.barrier,
            way.least,
            band.converged,
            way.seconds + time.monotonic() - began,
            " ".join([*([way.middle.doubt] if way.middle.doubt else []), *band.notes]),
            band.structures[highest],
        )

    def _leave(self, hop: Hop, why: str, kind: Kind = "not computed", least: float | None = None) -> None:
        self.found[hop] = _Found(kind, kind, least=least, note=why)

    def _migration(self) -> Migration:
        supercell, wanted = self.supercell, self.config.apart_angstrom
        if not supercell.enough:
            self.notes.append(
                f"Images of the vacancy are {supercell.images_apart_angstrom:.1f} A apart, not {wanted:g} A: "
                f"{self.config.atoms_max} atoms do not suffice."
            )
        return Migration(
            self.hops.element,
            ion_name(self.hops.primitive, self.hops.element),
            self.potential.name,
            tuple(self._barrier(hop, self.found[hop]) for hop in self.hops.classes),
            len(supercell.structure),
            supercell.images_apart_angstrom,
            time.monotonic() - self.began,
            tuple(self.notes),
            self.fell,
        )

    def _barrier(self, hop: Hop, found: _Found) -> HopBarrier:
        """Energies of cells turned into heights and barriers."""
        ends = [self.vacancies.get(self.hops.site_class[site]) for site in (hop.start, hop.end)]
        over = [None if found.energy is None or end is None else found.energy - end for end in ends]
        lowest = min(self.vacancies.values(), default=0.0)
        known = [energy for energy in (found.least, found.energy) if energy is not None]
        return HopBarrier(
            hop,
            self.looks[hop],
            found.kind,
            found.method,
            forward=over[0],
            reverse=over[1],
            height=None if found.energy is None else found.energy - lowest,
            at_least=None if found.least is None else min(known) - lowest,
            converged=found.converged,
            seconds=found.seconds,
            note=found.note,
            saddle=found.saddle,
        )


def ion_name(host: Structure, element: str) -> str:
    """How a property names what moves: `V_O` for an anion's vacancy, `Li+` for a cation that hops into its own."""
    charges = oxidation_states(host)
    charge = next(
        (q for site, q in zip(host, charges or (), strict=False) if site.specie.symbol == element), 0.0
    )
    if charge <= 0:
        return f"V_{element}"
    return f"{element}{'' if charge == 1 else format(charge, 'g')}+"
