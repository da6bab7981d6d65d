"""Crystals and small networks that the tests of the diffusion generator share."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle

import materials
import numpy as np
import torch
from hysteron.generators.diffusion.elements import descriptors
from hysteron.generators.diffusion.entries import plain_entry, symmetric_entry
from hysteron.generators.diffusion.network import Network, NetworkConfig
from hysteron.generators.diffusion.table import Batch, padded
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.lattice import free_parameters
from hysteron.generators.wyckoff.positions import space_group
from torch import nn

ALL_GROUPS = range(1, 231)
CRYSTALS = (
    "barium_titanate_tetragonal",
    "lithium_niobate",
    "hafnia_polar",
    "hafnia_monoclinic",
    "titania_rutile",
    "vanadia_rutile",
    "silicon",
    "sodium_chloride",
    "germanium_telluride",
    "zinc_oxide",
    "lithium_cobaltate",
    "strontium_titanate",
    "iron_one_atom",
)
ELEMENTS = ("Ba", "Ti", "O", "Na", "Cl", "Si", "Hf", "Te", "Li", "S")


@lru_cache
def crystal(name: str) -> WyckoffCrystal:
    """A crystal of `materials` in the words of its space group."""
    return encode(getattr(materials, name)())


@lru_cache
def batch_of(symmetric: bool, names: tuple[str, ...] = CRYSTALS) -> Batch:
    """Crystals of `materials` with their symmetry or without."""
    entry = symmetric_entry if symmetric else plain_entry
    return padded([entry(crystal(name)) for name in names])


def random_crystal(number: int, rng: np.random.Generator, letters: str = "") -> WyckoffCrystal:
    """A crystal of a space group with random numbers.

    Args:
        number: Of the space group.
        rng: Draws coordinates and lattice.
        letters: Of its orbits, each with another element than its neighbours; by default every position of the group once.
    """
    group = space_group(number)
    orbits = tuple(
        Orbit(element, letter, tuple(rng.random(len(group.position(letter).free))))
        for letter, element in zip(letters or group.positions, cycle(ELEMENTS), strict=False)
    )
    ranges = {"a": (3, 9), "b": (3, 9), "c": (3, 9)}
    lattice = [rng.uniform(*ranges.get(name, (75, 105))) for name in free_parameters(number)]
    return WyckoffCrystal(number, orbits, tuple(lattice))


def general_crystal(number: int, rng: np.random.Generator) -> WyckoffCrystal:
    """Two elements on general positions: no more symmetry than the group has."""
    return random_crystal(number, rng, 2 * list(space_group(number).positions)[-1])


def misses(number: int, types: np.ndarray, sites: np.ndarray, vectors: np.ndarray) -> tuple[float, float]:
    """By how much atoms in the primitive cell of a space group miss its symmetry.

    Args:
        number: Of the space group.
        types: Atomic numbers, shape `(natoms,)`.
        sites: Fractional, of the primitive cell, shape `(natoms, 3)`.
        vectors: Of the primitive cell, rows, A, shape `(3, 3)`.

    Returns:
        The greatest fractional distance from an image of an atom to the next atom of its type, and the greatest change of the
        metric under an operation, relative to the largest element of the metric.
    """
    group = space_group(number)
    operations = group.general
    images = (
        np.einsum("gij,nj->gni", operations.rotations, sites @ group.primitive_vectors)
        + operations.translations[:, None]
    ) @ group.to_primitive
    away = images[:, :, None] - sites
    away = np.abs(away - np.round(away)).max(axis=-1)
    away[:, types[:, None] != types] = np.inf
    conventional = group.to_primitive @ vectors
    metric = conventional @ conventional.T
    turned = np.swapaxes(operations.rotations, 1, 2) @ metric @ operations.rotations
    return float(away.min(axis=-1).max()), float(np.abs(turned - metric).max() / np.abs(metric).max())


def awake(module: nn.Module, seed: int = 0, size: float = 0.2) -> nn.Module:
    """The module with noise on every parameter, so that layers that begin at zero speak."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += size * torch.randn(parameter.shape, generator=generator)
    return module.eval()


def small_network(width: int = 16, layers: int = 2) -> Network:
    """A network of few numbers, as it is before training."""
    torch.manual_seed(0)
    told = descriptors()
    return Network(NetworkConfig(width, layers, 2, 8, told.shape[1]), told)
