"""How large are the s and p orbitals of an atom, and what do two of them say of a bond?

Classical turning points of screened pseudopotentials of the free atoms, a.u. Of main-group elements and of metals
with a full d shell; others are left out, since their d electrons bond.

Source: Zunger, Phys. Rev. B 22, 5839 (1980), doi:10.1103/PhysRevB.22.5839, table of s and p radii. The coordinates: St. John and
Bloch, Phys. Rev. Lett. 33, 1095 (1974); Littlewood, J. Phys. C 13, 4855 (1980).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

RADII = {
    "Li": (0.985, 0.625),
    "Be": (0.64, 0.44),
    "B": (0.48, 0.315),
    "C": (0.39, 0.25),
    "N": (0.33, 0.21),
    "O": (0.285, 0.18),
    "F": (0.25, 0.155),
    "Na": (1.1, 1.55),
    "Mg": (0.9, 1.13),
    "Al": (0.77, 0.905),
    "Si": (0.68, 0.74),
    "P": (0.6, 0.64),
    "S": (0.54, 0.56),
    "Cl": (0.5, 0.51),
    "K": (1.54, 2.15),
    "Ca": (1.32, 1.68),
    "Cu": (0.88, 1.16),
    "Zn": (0.82, 1.06),
    "Ga": (0.76, 0.935),
    "Ge": (0.72, 0.84),
    "As": (0.67, 0.745),
    "Se": (0.615, 0.67),
    "Br": (0.58, 0.62),
    "Rb": (1.67, 2.43),
    "Sr": (1.42, 1.79),
    "Ag": (1.045, 1.33),
    "Cd": (0.985, 1.23),
    "In": (0.94, 1.11),
    "Sn": (0.88, 1.0),
    "Sb": (0.83, 0.935),
    "Te": (0.79, 0.88),
    "I": (0.755, 0.83),
    "Au": (1.21, 1.45),
    "Hg": (1.07, 1.34),
    "Pb": (0.96, 1.13),
    "Bi": (0.92, 1.077),
}
"""By element: radii of s and p, a.u."""


class BondCoordinates(NamedTuple):
    """Where a bond stands between covalent, ionic and resonant.

    Attributes:
        ionicity: Difference of the sums of radii, a.u.; 0 between like atoms.
        hybridisation: Inverse of the summed differences of s and p radii, 1/a.u.; large where s and p mix.
    """

    ionicity: float
    hybridisation: float


def bond_coordinates(
    electropositive: Mapping[str, float], electronegative: Mapping[str, float]
) -> BondCoordinates:
    """The coordinates of Littlewood for two groups of elements, each averaged over its members.

    Args:
        electropositive: Amounts of elements, all in `RADII`.
        electronegative: Likewise.

    Source: Lencer et al., Nat. Mater. 7, 972 (2008), doi:10.1038/nmat2330, equations for r_sigma' and r_pi^-1, there with
    other radii.
    """
    sums = [_mean(group, lambda s, p: s + p) for group in (electropositive, electronegative)]
    gaps = [_mean(group, lambda s, p: abs(p - s)) for group in (electropositive, electronegative)]
    return BondCoordinates(abs(sums[0] - sums[1]), 1.0 / sum(gaps))


def _mean(group: Mapping[str, float], of: Callable[[float, float], float]) -> float:
    """Over the amounts, of something that radii of s and p give."""
    return sum(amount * of(*RADII[symbol]) for symbol, amount in group.items()) / sum(group.values())
