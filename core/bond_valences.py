"""How strongly is each atom of a crystal bonded, in valence units?

Bond valences of O'Keeffe and Brese, whose two parameters per element give the length of a bond between any
two of some 90 elements; parameters as pymatgen ships them.

Source: O'Keeffe and Brese, J. Am. Chem. Soc. 113, 3226 (1991), doi:10.1021/ja00009a002.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

BOND_RADIUS_ANGSTROM = 4.0
"""Bonds longer than this carry less than 0.01 valence units."""
BOND_SOFTNESS_ANGSTROM = 0.31
"""As in pymatgen's sums, on which its statistics of the ICSD rest; the usual constant is 0.37."""
GGA_DISTANCE_SCALE = 1.015
"""GGA cells are some percent too large; distances are scaled by it before valences are summed, as pymatgen does."""


def bond_valence_sums(structure: Structure) -> np.ndarray | None:
    """Sum of signed bond valences around each site, valence units, shape `(nsites,)`.

    Positive for a site that is the electropositive partner of its bonds. `None` if an element has no
    parameters.

    Source: O'Keeffe and Brese, J. Am. Chem. Soc. 113, 3226 (1991), doi:10.1021/ja00009a002, equations 1 and 2.
    """
    table = _bond_table()
    symbols = [site.specie.symbol for site in structure]
    if any(symbol not in table for symbol in symbols):
        return None
    parameters = np.array([table[symbol] for symbol in symbols], dtype=float)
    numbers = np.array([site.specie.Z for site in structure])
    i, j, _, distances = structure.get_neighbor_list(BOND_RADIUS_ANGSTROM)
    lengths = _unit_valence_length(parameters[i].T, parameters[j].T)
    valence = np.exp((lengths - GGA_DISTANCE_SCALE * distances) / BOND_SOFTNESS_ANGSTROM)
    electronegativity, is_anion = parameters[:, 2], parameters[:, 3]
    is_bond = (numbers[i] != numbers[j]) & ((is_anion[i] + is_anion[j]) > 0)
    signed = np.where(electronegativity[i] < electronegativity[j], valence, -valence)
    return np.bincount(i[is_bond], weights=signed[is_bond], minlength=len(symbols))


@lru_cache(maxsize=16384)
def bond_valence_length(one: str, other: str) -> float | None:
    """Length at which a bond between two elements carries one valence unit, A; `None` without parameters.

    Source: as `bond_valence_sums`, equation 2.
    """
    table = _bond_table()
    if one not in table or other not in table:
        return None
    return float(_unit_valence_length(np.array(table[one]), np.array(table[other])))


def _unit_valence_length(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From rows (size, softness, ...) of the bond table."""
    root = (np.sqrt(one[1]) - np.sqrt(other[1])) ** 2
    return one[0] + other[0] - one[0] * other[0] * root / (one[1] * one[0] + other[1] * other[0])


@lru_cache(maxsize=1)
def _bond_table() -> dict[str, tuple[float, float, float, float]]:
    """By element: size and softness parameters, electronegativity, 1 if it can be an anion."""
    from pymatgen.analysis.bond_valence import BV_PARAMS, ELECTRONEG

    return {
        element.symbol: (row["r"], row["c"], element.X, float(element in ELECTRONEG))
        for element, row in BV_PARAMS.items()
    }
