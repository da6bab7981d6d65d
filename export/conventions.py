"""By which conventions are k-points, magnetic starts and the Hubbard U chosen, whatever the code?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ..core.settings import Settings

if TYPE_CHECKING:
    from pymatgen.core import Structure

OPEN_SHELL = frozenset(
    {"V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Mo", "Tc", "Ru", "Rh", "W", "Re", "Os", "Ir"}
)
"""d elements that may carry a moment in a compound; the f elements are added by their block."""
CLOSED_SHELL = frozenset({"La", "Lu", "Ac", "Th", "Lr"})
"""Of the f elements."""
FULL_SHELL = frozenset({"Zn", "Cd", "Hg"})
"""d elements that take up no electron of a vacancy."""


class MeshSettings(Settings):
    """How dense the k-points are.

    Attributes:
        kpoint_spacing: Largest distance between k-points along each reciprocal vector, 1/A (2 pi counted).
        string_points: At least so many k-points on a string of a Berry phase; the mesh of a long cell vector alone would be too
            coarse for one.
    """

    kpoint_spacing: float = Field(default=0.2, gt=0.01, le=2)
    string_points: int = Field(default=8, ge=4, le=100)


def kpoint_mesh(reciprocal: Any, spacing: float) -> tuple[int, int, int]:
    """Divisions of a Gamma-centred mesh.

    Args:
        reciprocal: Rows are reciprocal vectors without 2 pi, 1/A, shape `(3, 3)`.
        spacing: Largest distance between neighbours, 1/A, with 2 pi.
    """
    lengths = [2 * math.pi * math.sqrt(sum(float(x) ** 2 for x in row)) for row in reciprocal]
    # The small number keeps a cubic cell's three equal lengths on one side of a whole number.
    a, b, c = (max(1, math.ceil(length / spacing - 1e-8)) for length in lengths)
    return a, b, c


def mesh_of(structure: Structure, spacing: float) -> tuple[int, int, int]:
    """`kpoint_mesh` of a crystal."""
    return kpoint_mesh(structure.lattice.reciprocal_lattice_crystallographic.matrix, spacing)


def may_be_magnetic(symbols: Iterable[str]) -> list[str]:
    """Elements that may carry a moment in a compound, in the order of the alphabet."""
    return sorted({s for s in symbols if s in OPEN_SHELL or (_block(s) == "f" and s not in CLOSED_SHELL)})


def takes_electrons(symbols: Iterable[str]) -> list[str]:
    """Elements of empty shells that may become magnetic by the electrons that an anion vacancy leaves behind."""
    symbols = set(symbols)
    return sorted(
        s for s in symbols - {*may_be_magnetic(symbols)} if _block(s) in "df" and s not in FULL_SHELL
    )


def hubbard(structure: Structure) -> dict[str, float]:
    """U by element, eV, as the Materials Project sets it by the most electronegative element; empty if it sets none."""
    from pymatgen.io.vasp.sets import MPRelaxSet

    elements = sorted(structure.composition.elements)
    table = MPRelaxSet.CONFIG["INCAR"]["LDAUU"].get(elements[-1].symbol, {})
    usual = table if isinstance(table, dict) else {}
    return {e.symbol: float(usual[e.symbol]) for e in elements if usual.get(e.symbol)}


def shell(symbol: str) -> str:
    """The subshell that a Hubbard U acts on: `3d`, `4f`, `2p`."""
    from pymatgen.core import Element

    row, block = Element(symbol).row, _block(symbol)
    if block == "f":
        return f"{row - 2}f"
    return f"{row - 1}d" if block == "d" else f"{row}{block}"


def functional(base: str, hubbard_u: dict[str, float]) -> str:
    """`PBE`, or `PBE+U`."""
    return f"{base}+U" if hubbard_u else base


def _block(symbol: str) -> str:
    from pymatgen.core import Element

    return Element(symbol).block
