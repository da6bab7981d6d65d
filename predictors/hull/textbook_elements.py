"""Ground states of elements that the Materials Project's open tables lack.

Lattice parameters are measured ones, at room temperature; they are starting points and are relaxed
like every other phase.

Source: C. Kittel, Introduction to Solid State Physics, 8th ed. (2005), chapter 1, table 3 (Mg, Ru, Sr,
La: structure type and parameters); R. W. G. Wyckoff, Crystal Structures, 2nd ed. (1963), vol. 1,
chapter 2 (site positions of the closest packings).
"""

from __future__ import annotations

import math

from ...core.crystals import CrystalRecord

HEXAGONAL_AB = [[1 / 3, 2 / 3, 1 / 4], [2 / 3, 1 / 3, 3 / 4]]
DOUBLE_HEXAGONAL_ABAC = [[0, 0, 0], [0, 0, 1 / 2], [1 / 3, 2 / 3, 1 / 4], [2 / 3, 1 / 3, 3 / 4]]


def textbook_elements() -> list[CrystalRecord]:
    """La (dhcp), Mg (hcp), Ru (hcp) and Sr (fcc), as records with ids `textbook-...`."""
    return [
        _hexagonal("La", "dhcp", 3.77, 12.14, DOUBLE_HEXAGONAL_ABAC),
        _hexagonal("Mg", "hcp", 3.21, 5.21, HEXAGONAL_AB),
        _hexagonal("Ru", "hcp", 2.71, 4.28, HEXAGONAL_AB),
        _face_centred("Sr", 6.08),
    ]


def _hexagonal(element: str, packing: str, a: float, c: float, sites: list[list[float]]) -> CrystalRecord:
    return CrystalRecord(
        material_id=f"textbook-{element}-{packing}",
        reduced_formula=element,
        lattice=[a, a, c, 90.0, 90.0, 120.0],
        species=[element] * len(sites),
        frac_coords=sites,
        labels={"structure_source": "textbook"},
    )


def _face_centred(element: str, a: float) -> CrystalRecord:
    edge = a / math.sqrt(2)
    return CrystalRecord(
        material_id=f"textbook-{element}-fcc",
        reduced_formula=element,
        lattice=[edge, edge, edge, 60.0, 60.0, 60.0],
        species=[element],
        frac_coords=[[0.0, 0.0, 0.0]],
        labels={"structure_source": "textbook"},
    )
