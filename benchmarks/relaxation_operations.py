"""How many multiplications does one evaluation of CHGNet take?

Counted from the shapes of its linear layers, for the graph of a crystal: a multiply-add for each weight and row,
in the forward pass, and once more in the backward pass where the gradient of a layer's input is needed (weights are
frozen). Element-wise work, norms and trigonometry are not counted: this is the part a machine's rate of arithmetic
limits.

Two arrangements of the same layers: `fast`, where a layer over concatenated features is applied to atoms and to
undirected bonds before they are gathered (`predictors/chgnet/network.py`), and `stock`, where it is applied to every
directed bond and ordered angle (Deng et al. 2023, doi:10.1038/s42256-023-00716-3), with one backward pass for forces
and another for stress.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

WIDTH = 64  # of atom, bond and angle features
BASIS = 31  # radial and angular functions
NCONV = 4
BOND_CUTOFF_ANGSTROM = 6.0
ANGLE_CUTOFF_ANGSTROM = 3.0


@dataclass(frozen=True)
class Sizes:
    """Sizes of a graph: bonds are undirected, `short` ones take part in angles, angles are unordered pairs."""

    atoms: int
    bonds: int
    short: int
    angles: int

    @classmethod
    def of(cls, structure: Structure) -> Sizes:
        """Of one crystal."""
        from ..predictors.cell import Cell
        from ..predictors.chgnet.graph import find_bonds

        cell = Cell.from_structure(structure)
        bonds = find_bonds(cell)
        lengths = np.linalg.norm(bonds.vectors(cell), axis=1)
        short = lengths < ANGLE_CUTOFF_ANGSTROM
        ends = np.concatenate([bonds.first[short], bonds.second[short]])
        degrees = np.bincount(ends, minlength=len(structure))
        within = int((lengths < BOND_CUTOFF_ANGSTROM).sum())
        return cls(len(structure), within, int(short.sum()), int((degrees * (degrees - 1) // 2).sum()))


def total(sizes: Iterable[Sizes]) -> Sizes:
    """Of a batch."""
    return Sizes(*(int(n) for n in np.sum([astuple(one) for one in sizes], axis=0)))


class Layer(NamedTuple):
    """A linear layer, how many rows it sees and whether its input needs a gradient."""

    name: str
    rows: int
    inputs: int
    outputs: int
    gradient: bool = True

    @property
    def forward(self) -> int:
        """Multiply-adds."""
        return self.rows * self.inputs * self.outputs

    @property
    def backward(self) -> int:
        """Multiply-adds."""
        return self.forward if self.gradient else 0


def multiply_adds(sizes: Sizes, arrangement: str = "fast", gradients: bool = True) -> int:
    """Of one evaluation with forces and stress, or of the energy alone."""
    layers = list(LAYERS[arrangement](sizes))
    passes = BACKWARD_PASSES[arrangement] if gradients else 0
    return sum(layer.forward + passes * layer.backward for layer in layers)


def fast_layers(sizes: Sizes) -> Iterator[Layer]:
    """As our network arranges them."""
    yield Layer("bond_layers", sizes.bonds, BASIS, 2 * WIDTH + NCONV * 2 * WIDTH)
    yield from _angle_embeddings(sizes.short, sizes.angles)
    angles = sizes.angles
    for i in range(NCONV):
        moving = i > 0  # before the first convolution the features of atoms and bonds are what they were
        yield Layer(f"atom_conv.{i}.atoms", sizes.atoms, WIDTH, 4 * WIDTH, moving)
        if moving and sizes.angles:
            yield Layer(f"atom_conv.{i}.short_bonds", sizes.short, WIDTH, 2 * WIDTH)
        yield Layer(f"atom_conv.{i}.outer", 2 * sizes.bonds, WIDTH, 2 * WIDTH)
        yield Layer(f"atom_conv.{i}.out", sizes.atoms, WIDTH, WIDTH)
        if i == NCONV - 1 or not sizes.angles:
            continue
        yield from _fast_angle_inputs(f"bond_conv.{i}", sizes, angles)
        yield Layer(f"bond_conv.{i}.outer", 2 * sizes.angles, WIDTH, 2 * WIDTH)
        yield Layer(f"bond_conv.{i}.out", sizes.short, WIDTH, WIDTH)
        if i < NCONV - 2:  # the last angle layer feeds nothing
            yield from _fast_angle_inputs(f"angle_update.{i}", sizes, angles)
            angles = 2 * sizes.angles  # from here on one for each ordered pair
    yield from _readout(sizes)


def _fast_angle_inputs(name: str, sizes: Sizes, angles: int) -> Iterator[Layer]:
    yield Layer(f"{name}.bonds", sizes.short, WIDTH, 4 * WIDTH)
    yield Layer(f"{name}.atoms", sizes.atoms, WIDTH, 2 * WIDTH)
    yield Layer(f"{name}.angles", angles, WIDTH, 2 * WIDTH)


def stock_layers(sizes: Sizes) -> Iterator[Layer]:
    """As the chgnet package arranges them."""
    yield Layer("bond_embedding", sizes.bonds, BASIS, WIDTH)
    yield Layer("bond_weights_ag", sizes.bonds, BASIS, WIDTH)
    yield from _angle_embeddings(sizes.bonds, 2 * sizes.angles)
    for i in range(NCONV):
        yield Layer(f"atom_conv.{i}.inner", 2 * sizes.bonds, 3 * WIDTH, 2 * WIDTH)
        yield Layer(f"atom_conv.{i}.outer", 2 * sizes.bonds, WIDTH, 2 * WIDTH)
        yield Layer(f"atom_conv.{i}.out", sizes.atoms, WIDTH, WIDTH)
        if i == NCONV - 1 or not sizes.angles:
            continue
        yield Layer(f"bond_conv.{i}.inner", 2 * sizes.angles, 4 * WIDTH, 2 * WIDTH)
        yield Layer(f"bond_conv.{i}.outer", 2 * sizes.angles, WIDTH, 2 * WIDTH)
        yield Layer(f"bond_conv.{i}.out", sizes.bonds, WIDTH, WIDTH)
        dead = i == NCONV - 2
        yield Layer(f"angle_update.{i}", 2 * sizes.angles, 4 * WIDTH, 2 * WIDTH, gradient=not dead)
    yield from _readout(sizes)


def _angle_embeddings(bonds: int, angles: int) -> Iterator[Layer]:
    yield Layer("bond_weights_bg", bonds, BASIS, WIDTH)
    yield Layer("angle_embedding", angles, BASIS, WIDTH)


def _readout(sizes: Sizes) -> Iterator[Layer]:
    yield Layer("site_wise", sizes.atoms, WIDTH, 1, gradient=False)
    for i in range(3):
        yield Layer(f"readout.{i}", sizes.atoms, WIDTH, WIDTH)
    yield Layer("readout.3", sizes.atoms, WIDTH, 1)


LAYERS = {"fast": fast_layers, "stock": stock_layers}
BACKWARD_PASSES = {"fast": 1, "stock": 2}


def by_part(sizes: Sizes) -> dict[str, int]:
    """Multiply-adds of our forward and backward pass: along bonds, around angles, and to read the energy out."""
    spent = {"bonds": 0, "angles": 0, "readout": 0}
    for layer in fast_layers(sizes):
        spent[_part_of(layer.name)] += layer.forward + layer.backward
    return spent


def _part_of(name: str) -> str:
    if name.startswith(("bond_conv", "angle", "bond_weights_bg")):
        return "angles"
    return "readout" if name.startswith(("readout", "site_wise")) else "bonds"
