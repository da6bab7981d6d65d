"""What is noise, and what is asked of the network under it?

One time from 0 to 1 rules all three. Free coordinates get normal noise and are wrapped; the lattice's coefficients, in units of
their spread over known crystals, get normal noise; an atom's type is hidden with the time as its probability. Widths grow
geometrically, from what no one could measure to what leaves nothing of the crystal. Where a group is imposed, the atoms of an
orbit move and hide together, and only what it leaves free gets noise.

Asked for are the score of the coordinates times the width of their noise, the preconditioned lattice, and the hidden types.
Along polar axes, and along all three without symmetry, the crystal as a whole may lie anywhere; the mean motion there says
nothing and is taken out of what is asked.

Sources: Jiao et al., arXiv:2309.04475, equation 7 (wrapped normal scores); Karras et al., arXiv:2206.00364, table 1 (lattice);
Austin et al., arXiv:2107.03006, section 3.1 (absorbing types).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .network import MIDDLE, Expected, forbid_mask, scales
from .table import MASK, Batch

COORDINATE_WIDTHS = (0.003, 0.5)
"""Of a period."""
LATTICE_WIDTHS = (0.01, 5.0)
"""In units of `network.SCALES`."""
_PERIODS = 3


@dataclass
class Noisy:
    """Crystals under noise.

    Attributes:
        crystals: Free coordinates and types under noise; the lattice as coefficients under noise.
        time: Shape `(ncrystals,)`.
    """

    crystals: Batch
    time: Tensor

    @property
    def shown(self) -> Tensor:
        """The mean of the lattices that known crystals' spread and the noise allow, shape `(ncrystals, 6)`.

        Geometry is measured in it: at much noise it is the usual cell, at little noise the one at hand.
        """
        width = lattice_width(self.time)[:, None]
        return from_units(self.crystals, in_units(self.crystals) / (1 + width.square()))


@dataclass
class Losses:
    """Means over a batch, each without a unit.

    Attributes:
        motions, lattice, types: Of what is asked.
    """

    motions: Tensor
    lattice: Tensor
    types: Tensor

    def total(self) -> Tensor:
        """What is made small."""
        return self.motions + 0.5 * self.lattice + 0.3 * self.types


def coordinate_width(time: Tensor) -> Tensor:
    """Of the noise on free coordinates, in periods."""
    return _between(COORDINATE_WIDTHS, time)


def lattice_width(time: Tensor) -> Tensor:
    """Of the noise on lattice coefficients, in units of their spread."""
    return _between(LATTICE_WIDTHS, time)


def add_noise(
    crystals: Batch, time: Tensor, hide_types: Tensor, generator: torch.Generator | None = None
) -> tuple[Noisy, Tensor]:
    """Crystals under noise.

    Args:
        crystals: Without it.
        time: Shape `(ncrystals,)`.
        hide_types: Of which crystals types are hidden, shape `(ncrystals,)`.
        generator: On the device of the crystals.

    Returns:
        Under noise, and the motions that are asked for, of atoms, fractional, shape `(ncrystals, natoms, 3)`.
    """
    device = crystals.free.device
    width = coordinate_width(time)[:, None, None]
    noise = by_orbit(crystals, torch.randn(crystals.free.shape, generator=generator, device=device))
    moved = noise * width * crystals.movable
    score = width * wrapped_score(moved, width) * crystals.movable
    asked = (crystals.freedom @ without_drift(crystals, score)[..., None])[..., 0]
    hidden = by_orbit(crystals, torch.rand(crystals.free.shape, generator=generator, device=device))[..., 0]
    hidden = (hidden < time[:, None]) & hide_types[:, None] & crystals.present
    noise = torch.randn(crystals.lattice.shape, generator=generator, device=device)
    units = in_units(crystals) + lattice_width(time)[:, None] * noise
    noisy = crystals.but(
        free=(crystals.free + moved) % 1.0,
        types=crystals.types.masked_fill(hidden, MASK),
        lattice=from_units(crystals, project(crystals, units)),
    )
    return Noisy(noisy, time), asked


def losses(clean: Batch, noisy: Noisy, asked: Tensor, expected: Expected) -> Losses:
    """How far the network is off."""
    moving = noisy.crystals.movable.any(-1)
    off = (expected.motions - asked).square().sum(-1) * moving
    size = (clean.freedom.square().sum((-1, -2)) * moving).sum()
    wanted, given = lattice_asked(clean, noisy), project(clean, expected.lattice)
    free = clean.allowed.diagonal(dim1=-2, dim2=-1).sum()
    hidden = (noisy.crystals.types == MASK) & clean.present
    types = functional.cross_entropy(
        forbid_mask(expected.types[hidden]), clean.types[hidden], reduction="sum"
    ) / hidden.sum().clamp(min=1)
    return Losses(off.sum() / size.clamp(min=1), (wanted - given).square().sum() / free, types)


def lattice_asked(clean: Batch, noisy: Noisy) -> Tensor:
    """The preconditioned lattice: of unit variance at every width, shape `(ncrystals, 6)`."""
    width = lattice_width(noisy.time)[:, None]
    shrunk = in_units(noisy.crystals) / (1 + width.square())
    return project(clean, (in_units(clean) - shrunk) * (1 + width.square()).sqrt() / width)


def lattice_expected(noisy: Noisy, expected: Expected) -> Tensor:
    """The lattice without noise, in units, from what the network says, shape `(ncrystals, 6)`."""
    width = lattice_width(noisy.time)[:, None]
    shrunk = in_units(noisy.crystals) / (1 + width.square())
    return shrunk + project(noisy.crystals, expected.lattice) * width / (1 + width.square()).sqrt()


def in_units(crystals: Batch) -> Tensor:
    """Lattice coefficients from their middle, in units of their spread."""
    return (crystals.lattice - crystals.lattice.new_tensor(MIDDLE)) / scales(crystals)


def from_units(crystals: Batch, units: Tensor) -> Tensor:
    """The way back; what symmetry forbids stays out."""
    found = units * scales(crystals) + units.new_tensor(MIDDLE)
    return (crystals.allowed @ found[..., None])[..., 0]


def project(crystals: Batch, units: Tensor) -> Tensor:
    """Changes of the lattice, in units, onto those that symmetry leaves free."""
    spread = scales(crystals)
    return (crystals.allowed @ (units * spread)[..., None])[..., 0] / spread


def by_orbit(crystals: Batch, values: Tensor) -> Tensor:
    """Each atom's values replaced by those of the first atom of its orbit, shape `(ncrystals, natoms, ...)`."""
    places = crystals.orbits.reshape(*crystals.orbits.shape, *[1] * (values.ndim - 2))
    return values.gather(1, places.expand(values.shape))


def without_drift(crystals: Batch, motions: Tensor) -> Tensor:
    """Motions of free coordinates less their mean over atoms along polar axes."""
    count = crystals.natoms[:, None, None].to(motions)
    drift = (motions * crystals.present[..., None]).sum(1, keepdim=True) / count
    return (motions - drift * crystals.polar[:, None]) * crystals.movable


def wrapped_score(moved: Tensor, width: Tensor) -> Tensor:
    """The derivative of the logarithm of a wrapped normal density of period 1.

    Args:
        moved: From its middle.
        width: Standard deviation before wrapping.
    """
    images = torch.arange(-_PERIODS, _PERIODS + 1, device=moved.device, dtype=moved.dtype)
    away = (moved - moved.round())[..., None] + images
    weights = (-0.5 * (away / width[..., None]).square()).softmax(-1)
    return -(weights * away).sum(-1) / width.square()


def _between(ends: tuple[float, float], time: Tensor) -> Tensor:
    low, high = math.log(ends[0]), math.log(ends[1])
    return torch.exp(low + (high - low) * time)
