"""What does one atom see of another in a periodic crystal?

Numbers of a pair that are the same whichever image of either atom is taken: waves of the difference of fractional coordinates,
how many images of the second atom stand at which distance from the first, and where those stand.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

WAVES = (1, 2, 3, 4, 6)
"""Waves over a lattice vector."""
SHELLS = (0.8, 1.3, 1.8, 2.3, 2.8, 3.3, 3.8, 4.5, 5.5, 6.5)
"""Middles of the shells in which images are counted, A."""
SHELL_WIDTHS = (0.35, 0.35, 0.35, 0.35, 0.35, 0.35, 0.4, 0.6, 0.8, 0.8)
DIRECTED = (1.0, 1.8, 2.6, 3.6)
"""Middles of the shells of which the direction is told, A."""
DIRECTED_WIDTH = 0.6
NEARLY_HALF = 0.499
"""Of a lattice vector: sites farther apart are half of one apart. Which side rounding takes them to is chance, so the image at
one and a half, which it would show on that side alone, is not looked at."""
_UNSEEN = 1e4  # A^2, added to the square of the distance of such an image
PAIR_FEATURES = 6 * len(WAVES) + len(SHELLS) + 3 * len(DIRECTED) + 2
_IMAGES = torch.tensor(list(itertools.product((-1, 0, 1), repeat=3)), dtype=torch.float32)


def pair_features(sites: Tensor, cells: Tensor, same_orbit: Tensor) -> Tensor:
    """All that is told of pairs.

    Args:
        sites: Fractional coordinates, shape `(ncrystals, natoms, 3)`.
        cells: Rows are lattice vectors, A, shape `(ncrystals, 3, 3)`.
        same_orbit: Shape `(ncrystals, natoms, natoms)`.

    Returns:
        Shape `(ncrystals, natoms, natoms, PAIR_FEATURES)`; a shift of all sites, or of one by a lattice vector, changes
        nothing, nor does a rotation of the cells.
    """
    between = sites[:, None, :, :] - sites[:, :, None, :]
    between = between - between.round()
    itself = torch.eye(sites.shape[1], dtype=torch.bool, device=sites.device).expand(same_orbit.shape)
    near, towards = shells(between, cells, itself)
    return torch.cat(
        [waves(between), near, towards, same_orbit[..., None].to(near), itself[..., None].to(near)], dim=-1
    )


def waves(between: Tensor) -> Tensor:
    """Sines and cosines of differences of fractional coordinates, shape `(..., 6 * len(WAVES))`."""
    phase = 2 * math.pi * between[..., None] * torch.tensor(WAVES, dtype=between.dtype, device=between.device)
    return torch.cat([phase.sin(), phase.cos()], dim=-1).flatten(-2)


def shells(between: Tensor, cells: Tensor, itself: Tensor) -> tuple[Tensor, Tensor]:
    """Images by distance.

    Args:
        between: Fractional differences within half a lattice vector, shape `(ncrystals, natoms, natoms, 3)`.
        cells: A, shape `(ncrystals, 3, 3)`.
        itself: Which pairs are an atom and itself: its own place does not count, its images do.

    Returns:
        How many of the 27 nearest images stand in each of `SHELLS` (soft), shape `(..., len(SHELLS))`, and the sums of the
        fractional vectors to those in `DIRECTED`, shape `(..., 3 * len(DIRECTED))`.
    """
    images = _IMAGES.to(between)
    metric = cells @ cells.transpose(-1, -2)
    turned = between @ metric[:, None]
    beyond = [_UNSEEN * (between > NEARLY_HALF), _UNSEEN * (between < -NEARLY_HALF)]
    reach = torch.cat([2 * turned, *beyond], dim=-1) @ torch.cat([images, images > 0, images < 0], dim=-1).T
    distances = (turned * between).sum(-1)[..., None] + reach
    distances = distances + ((images @ metric) * images).sum(-1)[:, None, None]
    distances = distances.clamp(min=1e-4).sqrt()
    distances = torch.where(itself[..., None] & (images == 0).all(-1), torch.inf, distances)
    counted = [
        torch.exp(-((distances - middle) / width).square()).sum(-1)
        for middle, width in zip(SHELLS, SHELL_WIDTHS, strict=True)
    ]
    directed = []
    for middle in DIRECTED:
        weights = torch.exp(-((distances - middle) / DIRECTED_WIDTH).square())
        directed.append(weights.sum(-1, keepdim=True) * between + weights @ images)
    return torch.stack(counted, dim=-1), torch.cat(directed, dim=-1)
