"""Which compounds are so alike in chemistry that a fit must not learn from one and be tested on another?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Composition, Element

NAMED_ANIONS = frozenset({"F", "O", "N", "H"})


def chemistry_family(composition: Composition) -> str:
    """The kind of the most electronegative element, and that of the next one.

    `O|d` holds titanates, niobates, tungstates and zirconates of electropositive metals alike; `O|p` the oxides of
    lead and bismuth, a titanate of bismuth among them; `O|C,N` carbonates and nitrates; `O|H` hydroxides and ice.
    """
    elements = sorted(
        composition.element_composition.elements, key=lambda element: (-element.X, element.symbol)
    )
    return f"{_anion(elements[0])}|{_partner(elements[min(1, len(elements) - 1)])}"


def family_in_words(family: str) -> str:
    """`O|d` as "oxides with a d metal"; a name that is no family stays as it is."""
    anion, _, partner = family.partition("|")
    if anion not in _ANIONS or not partner:
        return family
    return f"{_ANIONS[anion]} with {_PARTNERS.get(partner, f'a {partner} element')}"


_ANIONS = {
    "F": "fluorides",
    "O": "oxides",
    "N": "nitrides",
    "H": "hydrides",
    "halogen": "other halides",
    "chalcogen": "chalcogenides",
    "other": "compounds of another kind",
}
_PARTNERS = {f"{block}": f"an {block} metal" if block in "sf" else f"a {block} metal" for block in "spdf"} | {
    "C,N": "carbon or nitrogen",
    "H": "hydrogen",
}


def _anion(element: Element) -> str:
    if element.symbol in NAMED_ANIONS:
        return element.symbol
    if element.is_halogen:
        return "halogen"
    return "chalcogen" if element.is_chalcogen else "other"


def _partner(element: Element) -> str:
    if element.symbol == "H":
        return "H"
    if element.symbol in ("C", "N"):
        return "C,N"
    return element.block if element.is_metal else f"group {element.group}"
