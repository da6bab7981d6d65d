"""To which class of chemistry does a composition belong?

The rule looks at the elements alone, so that it can be asked of any candidate:

1. `oxide` if there is oxygen and no halogen, `oxyhalide` if both; else `fluoride`, `halide` (Cl, Br, I),
   `chalcogenide` (S, Se, Te), `pnictide` (N, P, As, Sb, Bi) by the first of these that is present;
   else `H, B or C compound`; else `intermetallic`, which holds all that is left.
2. With V, Cr, Mn, Fe, Co, Ni, Mo or W the class is one of its own (`oxide with V-W`): the metals to which
   the Materials Project applies a Hubbard U in oxides and fluorides, and whose open shells, mixed valence
   and magnetic order are hardest for a potential. Errors of oxides with and without them differ twofold.
"""

from __future__ import annotations

from collections.abc import Iterable

HALOGENS = frozenset({"F", "Cl", "Br", "I"})
OPEN_SHELL_METALS = frozenset({"V", "Cr", "Mn", "Fe", "Co", "Ni", "Mo", "W"})
"""The metals with U > 0 in pymatgen's MPRelaxSet."""
_BY_ANION: tuple[tuple[str, frozenset[str]], ...] = (
    ("fluoride", frozenset({"F"})),
    ("halide", frozenset({"Cl", "Br", "I"})),
    ("chalcogenide", frozenset({"S", "Se", "Te"})),
    ("pnictide", frozenset({"N", "P", "As", "Sb", "Bi"})),
    ("H, B or C compound", frozenset({"H", "B", "C"})),
)
WITH_OPEN_SHELL = " with V-W"


def chemistry_class(elements: Iterable[object]) -> str:
    """The class of a composition, such as `oxide`, `fluoride with V-W` or `intermetallic`.

    Args:
        elements: Symbols, or the elements of a pymatgen `Composition`.
    """
    symbols = {str(element) for element in elements}
    return _anion(symbols) + (WITH_OPEN_SHELL if symbols & OPEN_SHELL_METALS else "")


def _anion(symbols: set[str]) -> str:
    if "O" in symbols:
        return "oxyhalide" if symbols & HALOGENS else "oxide"
    return next((name for name, anions in _BY_ANION if symbols & anions), "intermetallic")
