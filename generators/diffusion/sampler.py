"""How does noise become a crystal?

Heun's method along the flow that takes noise to crystals, with some noise added anew before each step, which mends the errors of
the steps before. Types are uncovered one by one, as often as the time that passes says; what was uncovered may be covered again
with the noise that is added. Two evaluations make a step, the last one takes one. Wishes are followed by as much as the
guidance says: 0 not at all, 1 as learnt, more exaggerates.

Sources: Karras et al., arXiv:2206.00364, algorithm 2 (Heun with added noise); Ho and Salimans, arXiv:2207.12598, equation 6, and
Liu et al., arXiv:2206.01714, equation 11 (guidance, by several wishes at once); Sahoo et al., arXiv:2406.07524, equation 6
(uncovering types).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from .adapters import Adapter
from .network import Expected, Network, forbid_mask
from .process import (
    Noisy,
    by_orbit,
    coordinate_width,
    from_units,
    in_units,
    lattice_expected,
    lattice_width,
    project,
)
from .table import MASK, Batch

ADDED_NOISE = 1.0
"""Noise added before a step, as a share of the noise that the step takes away, in units of time."""
CHOOSING_BELOW = 0.2
"""Steps to times below it are those before which a chooser is asked: the last fifth."""


@dataclass(frozen=True)
class Wish:
    """What an adapter is told.

    Attributes:
        adapter: Of the property.
        told: Features, shape `(nfeatures,)`, or of each crystal, shape `(ncrystals, nfeatures)`.
    """

    adapter: Adapter
    told: Tensor

    def of(self, rows: Tensor) -> Wish:
        """For some of the crystals."""
        return self if self.told.ndim == 1 else Wish(self.adapter, self.told[rows])

    def spoken(self, crystals: Batch) -> tuple[Adapter, Tensor]:
        """As the network takes it."""
        return self.adapter, self.told.to(crystals.free).expand(len(crystals), -1)


@dataclass(frozen=True)
class Style:
    """How noise becomes crystals.

    Attributes:
        evaluations: Of the network, for each crystal.
        guidance: See the module's docstring.
        added_noise: See `ADDED_NOISE`.
    """

    evaluations: int = 50
    guidance: float = 2.0
    added_noise: float = ADDED_NOISE

    @property
    def steps(self) -> int:
        """Two evaluations each, one for the last."""
        return max(1, (self.evaluations + 1) // 2)


Chooser = Callable[[Batch, float], Tensor]
"""Which crystals go on, as rows of the batch, given what they would be without noise, and the time to which they go."""


@torch.no_grad()
def sample(
    network: Network,
    start: Batch,
    generator: torch.Generator,
    style: Style = Style(),
    wishes: Sequence[Wish] = (),
    elements: Tensor | None = None,
    choose: Chooser | None = None,
    facts: Sequence[Wish] = (),
) -> Batch:
    """Crystals out of noise.

    Args:
        network: In evaluation mode.
        start: What is given: the number of atoms, known types, and what symmetry dictates. Free coordinates and lattice are
            drawn.
        generator: On the device of the network.
        style: How.
        wishes: Followed together, as much as the guidance says.
        elements: Which types each crystal may get, shape `(ncrystals, HEAVIEST)`; one of each that is allowed is not promised.
        choose: Asked before each step of the last fifth which crystals go on.
        facts: What holds anyhow, such as the space group that is imposed; the guidance does not count.

    Returns:
        Crystals without noise, as many as `start` has.
    """
    crystals = _noise(start, generator)
    given = (start.types != MASK) | ~start.present
    grid = torch.linspace(1.0, 0.0, style.steps + 1).tolist()
    for now, later in pairwise(grid):
        again = min(1.0, now + style.added_noise * (now - later))
        if later > 0:
            crystals = _renoised(crystals, given, now, again, generator)
        noisy = _at(crystals, again)
        seen = _expected(network, noisy, wishes, facts, style.guidance)
        if choose is not None and later < CHOOSING_BELOW:
            rows = choose(_without_noise(noisy, seen), later)
            noisy, given = _at(crystals[rows], again), given[rows]
            seen = Expected(seen.motions[rows], seen.lattice[rows], seen.types[rows])
            elements = None if elements is None else elements[rows]
            wishes, facts = [w.of(rows) for w in wishes], [f.of(rows) for f in facts]
        types = _uncovered(noisy, seen, later, elements, generator)
        if later == 0:
            return _without_noise(noisy, seen).but(types=types)
        here = _slopes(noisy, seen)
        ahead = _at(_moved(noisy, later, [here]), later)
        more = _expected(network, ahead, wishes, facts, style.guidance)
        crystals = _moved(noisy, later, [here, _slopes(ahead, more)]).but(types=types)
    raise AssertionError("the last time is 0")


def _noise(start: Batch, generator: torch.Generator) -> Batch:
    """Free coordinates anywhere, a lattice of the greatest noise."""
    device = start.free.device
    free = torch.rand(start.free.shape, generator=generator, device=device)
    free = by_orbit(start, free) * start.movable
    wide = lattice_width(torch.ones(1, device=device))
    units = wide * torch.randn(start.lattice.shape, generator=generator, device=device)
    still = start.but(lattice=from_units(start, torch.zeros_like(start.lattice)))
    return start.but(free=free, lattice=from_units(start, in_units(still) + project(start, units)))


def _renoised(crystals: Batch, given: Tensor, now: float, then: float, generator: torch.Generator) -> Batch:
    """Back from one time to one of more noise."""
    if then <= now:
        return crystals
    device = crystals.free.device
    times = torch.tensor([now, then], device=device)
    narrow, wide = coordinate_width(times)
    noise = by_orbit(crystals, torch.randn(crystals.free.shape, generator=generator, device=device))
    free = crystals.free + noise * (wide.square() - narrow.square()).sqrt() * crystals.movable
    narrow, wide = lattice_width(times)
    noise = torch.randn(crystals.lattice.shape, generator=generator, device=device)
    units = in_units(crystals) + project(crystals, noise * (wide.square() - narrow.square()).sqrt())
    draw = by_orbit(crystals, torch.rand(crystals.types.shape, generator=generator, device=device))
    covered = ~given & (draw < (then - now) / max(1 - now, 1e-6))
    return crystals.but(
        free=free % 1.0, lattice=from_units(crystals, units), types=crystals.types.masked_fill(covered, MASK)
    )


def _at(crystals: Batch, time: float) -> Noisy:
    return Noisy(crystals, torch.full((len(crystals),), time, device=crystals.free.device))


def _expected(
    network: Network, noisy: Noisy, wishes: Sequence[Wish], facts: Sequence[Wish], guidance: float
) -> Expected:
    """What the network expects, facts known and wishes followed."""
    crystals = noisy.crystals
    known = [fact.spoken(crystals) for fact in facts]
    plain = network(crystals, noisy.time, noisy.shown, known)
    if not wishes or guidance == 0:
        return plain
    motions, lattice, types = plain.motions, plain.lattice, plain.types.log_softmax(-1)
    base = types
    for wish in wishes:
        heard = network(crystals, noisy.time, noisy.shown, [*known, wish.spoken(crystals)])
        motions = motions + guidance * (heard.motions - plain.motions)
        lattice = lattice + guidance * (heard.lattice - plain.lattice)
        types = types + guidance * (heard.types.log_softmax(-1) - base)
    return Expected(motions, lattice, types)


@dataclass
class _Slopes:
    """Of what moves, with the width of its noise."""

    free: Tensor
    lattice: Tensor


def _slopes(noisy: Noisy, seen: Expected) -> _Slopes:
    motions = -noisy.crystals.to_orbits(seen.motions)
    away = in_units(noisy.crystals) - lattice_expected(noisy, seen)
    return _Slopes(motions, away / lattice_width(noisy.time)[:, None])


def _moved(noisy: Noisy, later: float, slopes: Sequence[_Slopes]) -> Batch:
    """To another time, along the mean of slopes."""
    crystals, after = noisy.crystals, torch.full_like(noisy.time, later)
    step = (coordinate_width(after) - coordinate_width(noisy.time))[:, None, None]
    free = crystals.free + step * torch.stack([s.free for s in slopes]).mean(0)
    step = (lattice_width(after) - lattice_width(noisy.time))[:, None]
    units = in_units(crystals) + step * project(crystals, torch.stack([s.lattice for s in slopes]).mean(0))
    return crystals.but(free=free % 1.0 * crystals.movable, lattice=from_units(crystals, units))


def _without_noise(noisy: Noisy, seen: Expected) -> Batch:
    """What the crystals would be if all noise went at once; covered types become the likeliest."""
    crystals = noisy.crystals
    width = coordinate_width(noisy.time)[:, None, None]
    free = (crystals.free + width * crystals.to_orbits(seen.motions)) % 1.0 * crystals.movable
    likeliest = by_orbit(crystals, forbid_mask(seen.types).argmax(-1))
    types = torch.where((crystals.types == MASK) & crystals.present, likeliest, crystals.types)
    return crystals.but(free=free, lattice=from_units(crystals, lattice_expected(noisy, seen)), types=types)


def _uncovered(
    noisy: Noisy, seen: Expected, later: float, elements: Tensor | None, generator: torch.Generator
) -> Tensor:
    """Types after some of those that are covered were drawn; the atoms of an orbit together."""
    crystals = noisy.crystals
    logits = crystals.over_orbits(forbid_mask(seen.types).clamp(min=-1e4))
    if elements is not None:
        logits = logits.masked_fill(~elements[:, None], -1e4)
    drawn = torch.multinomial(logits.softmax(-1).flatten(0, 1), 1, generator=generator)
    drawn = by_orbit(crystals, drawn.view(crystals.types.shape))
    draw = by_orbit(crystals, torch.rand(crystals.types.shape, generator=generator, device=drawn.device))
    now = noisy.time[:, None].clamp(min=1e-6)
    chosen = (crystals.types == MASK) & crystals.present & (draw < (now - later) / now)
    return torch.where(chosen, drawn, crystals.types)


def plain_start(natoms: Sequence[int], device: str | torch.device = "cpu") -> Batch:
    """Atoms of unknown types without symmetry, one crystal for each number of atoms."""
    counts = torch.tensor(list(natoms), device=device)
    crystals, most = len(counts), int(counts.max())
    present = torch.arange(most, device=device)[None] < counts[:, None]
    eye = torch.eye(3, device=device)
    return Batch(
        types=torch.full((crystals, most), MASK, device=device),
        present=present,
        free=torch.zeros(crystals, most, 3, device=device),
        freedom=eye.expand(crystals, most, 3, 3) * present[..., None, None],
        offsets=torch.zeros(crystals, most, 3, device=device),
        orbits=torch.arange(most, device=device).expand(crystals, most) * present,
        polar=torch.ones(crystals, 3, device=device),
        frames=eye.expand(crystals, 3, 3),
        lattice=torch.zeros(crystals, 6, device=device),
        allowed=torch.eye(6, device=device).expand(crystals, 6, 6),
        symmetric=torch.zeros(crystals, dtype=torch.bool, device=device),
    )
