"""How far do the electrons of a crystal's bonds lean to one side, and what do they add to the charge of an ion?

A cation shares its valence out among the anions around it, the nearer ones taking more: bond valences, scaled so
that they add up to the formal charge. The *bond dipole* is the sum of these shares, each times its vector from
cation to anion. It vanishes in a nonpolar crystal. When titanium moves toward one oxygen, the short bond takes over
what the long ones lose and the dipole grows with the displacement of the ion: what the fit finds is how much charge
it carries. So oxygen has a large effective charge along a bond to titanium and the formal one across it, as in
perovskites, from one coefficient; lone pairs show in the coefficients of their ions.

The dipole is a property of the crystal, not of a path: displacements of any size do no harm, it never exceeds the
charge of the cation times `CUTOFF_ANGSTROM`, and two ways of matching the atoms of equal ends give one value.

Sources: bond valences, Brown and Altermatt, Acta Cryst. B 41, 244 (1985), doi:10.1107/S0108768185002063; dynamical
charges from charge that flows along bonds, Harrison, Electronic Structure and the Properties of Solids (1980), and
Ghosez, Michenaud and Gonze, Phys. Rev. B 58, 6224 (1998), doi:10.1103/PhysRevB.58.6224.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...core.bond_valences import bond_valence_length

if TYPE_CHECKING:
    from pymatgen.core import Element, Structure

SOFTNESS_ANGSTROM = 0.37
"""Brown and Altermatt (1985): the bond valence falls by e when the bond is longer by this."""
CUTOFF_ANGSTROM = 6.0
"""Shares go smoothly to zero here; the longest bond of the labelled crystals, Cs-Cl, is 3.9 A."""
NO_SHARE_ANGSTROM = 1e-6
"""So near to the cutoff a bond has no share, and the logarithm of its share no slope."""
UNKNOWN_LENGTH_ANGSTROM = 2.0
"""For elements without bond valence parameters; it matters only beside anions of another element."""

HYDROGEN, LONE_PAIR, EMPTY_D_SHELL, NONMETAL, OTHER = (
    "hydrogen",
    "lone pair",
    "empty d shell",
    "nonmetal",
    "other",
)
CLASSES = (HYDROGEN, LONE_PAIR, EMPTY_D_SHELL, NONMETAL, OTHER)
LONE_PAIR_FROM_PERIOD = 3
EMPTY_SHELL_CHARGE = 4
"""Ions of the d and f blocks without valence electrons count as `EMPTY_D_SHELL` from this charge on: not Sc3+, La3+."""
F_BLOCK_ELECTRONS = {"Ce": 4, "Th": 4, "Pa": 5, "U": 6}
NONMETALS = frozenset({"B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"})
SAME_CHARGE = 0.1


class Bond(NamedTuple):
    """A kind of bond: the cation with its charge, and the element of the anion."""

    cation: str
    anion: str
    kind: str

    @property
    def name(self) -> str:
        """`Ti4+-O`."""
        return f"{self.cation}-{self.anion}"


@dataclass(frozen=True)
class _Shares:
    """All bonds of a crystal as arrays over bonds.

    Attributes:
        cations, anions: Indices of sites.
        vectors: From cation to anion, A, shape `(nbonds, 3)`.
        fractions: Of the cation's charge, one in sum around each cation.
        slopes: Change of the logarithm of the unscaled share with distance, 1/A.
        kinds: Index into `bonds`.
    """

    cations: np.ndarray
    anions: np.ndarray
    vectors: np.ndarray
    fractions: np.ndarray
    slopes: np.ndarray
    kinds: np.ndarray
    bonds: tuple[Bond, ...]


def bond_dipoles(structure: Structure, charges: Sequence[float]) -> dict[Bond, np.ndarray]:
    """The bond dipole of a crystal by kind of bond.

    Args:
        structure: Ordered.
        charges: Formal, e, one per site.

    Returns:
        Cartesian vectors, e*A per cell, shape `(3,)`, pointing to where the shorter bonds are. They turn with the
        crystal, vanish if it is nonpolar, and are unchanged by origin and order of sites.
    """
    shares = _shares(structure, charges)
    charge = np.asarray(charges, dtype=float)[shares.cations]
    each = (charge * shares.fractions)[:, None] * shares.vectors
    return {bond: each[shares.kinds == kind].sum(axis=0) for kind, bond in enumerate(shares.bonds)}


def bond_charges(
    structure: Structure, charges: Sequence[float], coefficients: Mapping[Bond, float]
) -> np.ndarray:
    """What the bonds add to the charge tensors of the ions: the derivative of the dipole by the positions.

    Args:
        structure: Ordered.
        charges: Formal, e, one per site.
        coefficients: Of each kind of bond; without one, none.

    Returns:
        In units of e, row is direction of the dipole, column of the displacement, shape `(nsites, 3, 3)`; they add
        up to zero exactly.
    """
    shares = _shares(structure, charges)
    charge = np.asarray(charges, dtype=float)[shares.cations]
    strength = np.array([coefficients.get(bond, 0.0) for bond in shares.bonds])[shares.kinds]
    weighted = strength[:, None] * shares.vectors
    mean = np.zeros((len(structure), 3))
    np.add.at(mean, shares.cations, shares.fractions[:, None] * weighted)
    units = shares.vectors / np.linalg.norm(shares.vectors, axis=1)[:, None]
    lean = (weighted - mean[shares.cations])[:, :, None] * (shares.slopes[:, None] * units)[:, None, :]
    tensors = (charge * shares.fractions)[:, None, None] * (strength[:, None, None] * np.eye(3) + lean)
    added = np.zeros((len(structure), 3, 3))
    np.add.at(added, shares.anions, tensors)
    np.add.at(added, shares.cations, -tensors)
    return added


def _shares(structure: Structure, charges: Sequence[float]) -> _Shares:
    charge = np.asarray(charges, dtype=float)
    i, j, images, distances = structure.get_neighbor_list(CUTOFF_ANGSTROM)
    bonded = (charge[i] > 0) & (charge[j] < 0) & (distances < CUTOFF_ANGSTROM - NO_SHARE_ANGSTROM)
    i, j, images, distances = i[bonded], j[bonded], images[bonded], distances[bonded]
    coords = structure.cart_coords
    bonds, kinds = _kinds(structure, charge, i, j)
    lengths = np.array(
        [_unit_length(structure, i[kinds == k][0], j[kinds == k][0]) for k in range(len(bonds))]
    )
    unscaled = (
        np.exp((lengths[kinds] - distances) / SOFTNESS_ANGSTROM) * _cutoff(distances) if bonds else distances
    )
    sums = np.bincount(i, weights=unscaled, minlength=len(structure))
    return _Shares(
        cations=i,
        anions=j,
        vectors=coords[j] + images @ structure.lattice.matrix - coords[i],
        fractions=unscaled / np.maximum(sums[i], np.finfo(float).tiny),
        slopes=-1 / SOFTNESS_ANGSTROM - 4 * distances / (CUTOFF_ANGSTROM**2 - distances**2),
        kinds=kinds,
        bonds=bonds,
    )


def _cutoff(distances: np.ndarray) -> np.ndarray:
    return (1 - (distances / CUTOFF_ANGSTROM) ** 2) ** 2


def _kinds(
    structure: Structure, charge: np.ndarray, i: np.ndarray, j: np.ndarray
) -> tuple[tuple[Bond, ...], np.ndarray]:
    """The different bonds between sites i and j, and which of them each is."""
    labels = [ion_label(site.specie.symbol, q) for site, q in zip(structure, charge, strict=True)]
    names = np.array(
        [f"{labels[a]}-{structure[b].specie.symbol}" for a, b in zip(i, j, strict=True)], dtype=str
    )
    _, first, kinds = np.unique(names, return_index=True, return_inverse=True)
    bonds = [
        Bond(labels[a], structure[b].specie.symbol, ion_class(structure[a].specie, float(charge[a])))
        for a, b in zip(i[first], j[first], strict=True)
    ]
    return tuple(bonds), kinds


def _unit_length(structure: Structure, i: int, j: int) -> float:
    length = bond_valence_length(structure[i].specie.symbol, structure[j].specie.symbol)
    return UNKNOWN_LENGTH_ANGSTROM if length is None else length


def ion_label(symbol: str, charge: float) -> str:
    """`Ti4+`, `O2-`, `B0.23+`, `Te0`."""
    sign = "+" if charge > 0 else "-" if charge < 0 else ""
    return f"{symbol}{round(abs(float(charge)), 2):g}{sign}"


def ion_class(element: Element, charge: float) -> str:
    """How the electrons of a cation's bonds behave, by its place in the periodic table.

    Returns:
        One of `CLASSES`: hydrogen; a heavy main-group ion that keeps its two s electrons; a highly charged ion of
        the d or f block that has lost all valence electrons; any other ion of a nonmetal, as in molecular anions;
        and the rest.
    """
    if element.symbol == "H":
        return HYDROGEN
    if _keeps_s_electrons(element, charge):
        return LONE_PAIR
    if charge >= EMPTY_SHELL_CHARGE and abs(charge - _shell_electrons(element)) < SAME_CHARGE:
        return EMPTY_D_SHELL
    return NONMETAL if element.symbol in NONMETALS else OTHER


def _keeps_s_electrons(element: Element, charge: float) -> bool:
    heavy = element.block == "p" and element.row >= LONE_PAIR_FROM_PERIOD
    return heavy and abs(element.group - 12 - charge) < SAME_CHARGE


def _shell_electrons(element: Element) -> int:
    if element.block == "d":
        return element.group
    return F_BLOCK_ELECTRONS.get(element.symbol, 0)
