"""Which sites of a crystal does a mask cover?

    Ti          every site of a species
    3           the site of this number, counted from 0 in the order in which the cell lists its sites
    0+3, Ti+Zr  several of them, which get one element together
    Ti,O        two masks, each of which gets an element of its own

So `0,3` fills two sites one by one and `0+3` both alike. A mask that leaves some sites of an orbit as they are lowers
the symmetry: the cell is the one given, not a smaller one, so that one site in a supercell can be doped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.errors import InputError
from .vocabulary import LAST_ELEMENT

if TYPE_CHECKING:
    from pymatgen.core import Structure

SYNTAX = (
    "A mask is a species (Ti), the number of a site counted from 0 (3), or several joined by + (0+3) that get one "
    "element; commas separate masks."
)
SITES_TOLD = 24


@dataclass(frozen=True)
class Mask:
    """Sites that get one element together.

    Attributes:
        text: As it was written.
        sites: Their numbers, ascending.
        holds: The species that the template has there.
        name: For people: `Ti`, `Ti+Zr`, or `O at 2+3` where it is not all of a species.
    """

    text: str
    sites: tuple[int, ...]
    holds: tuple[str, ...]
    name: str


def read_masks(texts: Iterable[str], structure: Structure) -> tuple[Mask, ...]:
    """The masks of a template.

    Args:
        texts: Each one or several masks; see the module's docstring.
        structure: The template, ordered.

    Raises:
        InputError: there is no mask, one cannot be read, names what the template does not have, or two cover a site.
    """
    parts = [part.strip() for text in texts for part in text.split(",")]
    if not parts or not all(parts):
        raise InputError(f"A mask is missing. {SYNTAX}")
    masks = tuple(_read(part, structure) for part in parts)
    taken: dict[int, Mask] = {}
    for mask in masks:
        for site in mask.sites:
            if site in taken:
                raise InputError(
                    f"The masks {taken[site].text!r} and {mask.text!r} both cover site {site} "
                    f"({_symbols(structure)[site]}). Name each site once."
                )
            taken[site] = mask
    return masks


def marked(structure: Structure, masks: Sequence[Mask]) -> tuple[Structure, tuple[str, ...]]:
    """The template with an element in each mask that it does not hold, so that symmetry tells the masks apart.

    Returns:
        The crystal, and what stands in each mask.
    """
    from pymatgen.core import Element

    symbols = _symbols(structure)
    absent = [s for z in range(LAST_ELEMENT, 0, -1) if (s := Element.from_Z(z).symbol) not in symbols]
    marks = tuple(absent[: len(masks)])
    found = structure.copy()
    for mask, mark in zip(masks, marks, strict=True):
        for site in mask.sites:
            found[site] = mark
    return found, marks


def _read(text: str, structure: Structure) -> Mask:
    symbols = _symbols(structure)
    sites: set[int] = set()
    for part in (part.strip() for part in text.split("+")):
        sites |= _site(part, symbols, structure) if part.isdecimal() else _species(part, symbols, structure)
    held = list(dict.fromkeys(symbols[i] for i in sorted(sites)))
    whole = all(i in sites for i, symbol in enumerate(symbols) if symbol in held)
    name = "+".join(held) + ("" if whole else f" at {'+'.join(map(str, sorted(sites)))}")
    return Mask(text, tuple(sorted(sites)), tuple(held), name)


def _site(text: str, symbols: Sequence[str], structure: Structure) -> set[int]:
    if int(text) < len(symbols):
        return {int(text)}
    raise InputError(
        f"There is no site {int(text)} in {_formula(structure)}: its cell has {len(symbols)}, counted from 0: "
        f"{_listed(symbols)}."
    )


def _species(text: str, symbols: Sequence[str], structure: Structure) -> set[int]:
    from pymatgen.core import Element

    if text in symbols:
        return {i for i, symbol in enumerate(symbols) if symbol == text}
    species = ", ".join(dict.fromkeys(symbols))
    if Element.is_valid_symbol(text):
        raise InputError(f"There is no {text} in {_formula(structure)} to mask; its species are {species}.")
    raise InputError(
        f"{text!r} is neither a species of {_formula(structure)} ({species}) nor a site's number. {SYNTAX}"
    )


def _listed(symbols: Sequence[str]) -> str:
    told = ", ".join(f"{i} {symbol}" for i, symbol in enumerate(symbols[:SITES_TOLD]))
    return told + (f" and {len(symbols) - SITES_TOLD} more" if len(symbols) > SITES_TOLD else "")


def _symbols(structure: Structure) -> list[str]:
    from pymatgen.core import Element

    return [Element.from_Z(number).symbol for number in structure.atomic_numbers]


def _formula(structure: Structure) -> str:
    return structure.composition.reduced_formula
