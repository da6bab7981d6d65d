"""What makes a frozen network listen to a wish?

A small module for each property: it shifts the condition and adds to what every block says, both from nothing at first, so
that the network is what it was until the module has learnt. A wish is an interval of the property as shares of the training
crystals: which share lies below its low end, which below its high one. So an end left open is 0 or 1, and all properties look
alike. A space group is told by its number, crystal system, centring and point group, so that rare groups learn from their kin;
each may be left out.

Sources: Zeni et al., Nature 639, 624 (2025), doi:10.1038/s41586-025-08628-5 (adapters on a frozen diffusion model); Hu et al.,
arXiv:2106.09685 (low rank).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

INTERVAL_FEATURES = 27
SPACEGROUP = "spacegroup"
"""The adapter that takes a group or a crystal system instead of an interval."""
GROUPS, SYSTEMS, CENTRINGS, POINT_GROUPS = 230, 7, 6, 32
GROUP_FEATURES = GROUPS + SYSTEMS + CENTRINGS + POINT_GROUPS
NARROWEST = 0.02
"""Of the intervals it learns from, as a share of the training crystals."""


@dataclass(frozen=True)
class AdapterConfig:
    """Shape of an adapter.

    Attributes:
        name: Of the property.
        width, layers: Of the network it is for.
        rank: Of what it adds to a block.
    """

    name: str
    width: int
    layers: int
    rank: int = 16

    @property
    def features(self) -> int:
        """Numbers of a wish."""
        return GROUP_FEATURES if self.name == SPACEGROUP else INTERVAL_FEATURES

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)


@dataclass
class Spoken:
    """A wish as the network hears it.

    Attributes:
        shift: Of the condition, shape `(ncrystals, width)`.
        gates: Of each block, shape `(nlayers, ncrystals, 1, rank)`.
    """

    shift: Tensor
    gates: Tensor


class Adapter(nn.Module):
    """Numbers of a wish in, changes of the network out."""

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.read = nn.Sequential(
            nn.Linear(config.features, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.shift = nn.Linear(width, width)
        self.gates = nn.Linear(width, config.layers * config.rank)
        self.down = nn.ModuleList([nn.Linear(width, config.rank) for _ in range(config.layers)])
        self.up = nn.ModuleList([nn.Linear(config.rank, width) for _ in range(config.layers)])
        for layer in (self.shift, *self.up):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, told: Tensor) -> Spoken:
        """How a wish is heard, from its numbers, shape `(ncrystals, nfeatures)`."""
        read = self.read(told)
        gates = self.gates(read).unflatten(-1, (self.config.layers, 1, self.config.rank))
        return Spoken(self.shift(read), gates.transpose(0, 1))

    def within(self, layer: int, hidden: Tensor, spoken: Spoken) -> Tensor:
        """What is added after a block, shape of `hidden`."""
        normed = functional.layer_norm(hidden, hidden.shape[-1:])
        return self.up[layer](functional.silu(self.down[layer](normed)) * spoken.gates[layer])


def interval_features(low: Tensor, high: Tensor) -> Tensor:
    """An interval in numbers.

    Args:
        low, high: Shares of the training crystals below its ends, shape `(ncrystals,)`.

    Returns:
        Shape `(ncrystals, INTERVAL_FEATURES)`.
    """
    phase = torch.stack([low, high], dim=-1)[..., None] * math.pi * 2.0 ** torch.arange(6, device=low.device)
    waves = torch.cat([phase.sin(), phase.cos()], dim=-1).flatten(1)
    wide = (high - low).clamp(min=NARROWEST / 2)
    return torch.cat([torch.stack([low, high, wide.log()], dim=-1), waves], dim=-1)


def shares_of(values: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Which share of the known values is less, and which is no greater, each of shape `values`."""
    ordered = known.sort().values
    count = len(ordered)
    below = torch.searchsorted(ordered, values.contiguous()) / count
    through = torch.searchsorted(ordered, values.contiguous(), right=True) / count
    return below, through


def drawn_intervals(below: Tensor, through: Tensor, generator: torch.Generator) -> Tensor:
    """Intervals that hold given values, narrow ones and wide ones, some open, as features.

    Args:
        below, through: Of the values, see `shares_of`.
        generator: Draws.
    """
    u = torch.rand(4, *below.shape, generator=generator, device=below.device)
    place = below + (through - below) * u[0]
    wide = NARROWEST ** u[1]
    low = torch.minimum(place - wide * u[2], below).clamp(min=0)
    high = torch.maximum(place + wide * (1 - u[2]), through).clamp(max=1)
    low = torch.where(u[3] < 0.2, 0.0, low)
    high = torch.where(u[3] > 0.8, 1.0, high)
    return interval_features(low, high)


def group_features(kinds: Sequence[tuple[int, int, int, int]]) -> Tensor:
    """Space groups in numbers: ones at number, crystal system, centring and point group, each counted from 0; none for -1."""
    told = torch.zeros(len(kinds), GROUP_FEATURES)
    starts = (0, GROUPS, GROUPS + SYSTEMS, GROUPS + SYSTEMS + CENTRINGS)
    for row, kind in zip(told, kinds, strict=True):
        for start, value in zip(starts, kind, strict=True):
            if value >= 0:
                row[start + value] = 1.0
    return told
