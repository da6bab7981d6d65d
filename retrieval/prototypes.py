"""Which well-known structure type does a crystal have?

A type is recognised by anonymous formula, space group and Wyckoff sequence (letters made canonical under
the Euclidean normaliser, so that the choice of origin does not matter), never by name or composition.

Source of the entries: the International Tables settings of the types as listed in AFLOW's Encyclopedia
of Crystallographic Prototypes, Mehl et al., Comput. Mater. Sci. 136, S1 (2017); tests derive each entry
from a real material.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..core.identity import canonical_wyckoff

METHOD = "formula, space group and Wyckoff sequence"
STRUCTURE_TYPES: tuple[tuple[str, str, int, str], ...] = (
    ("perovskite", "ABC3", 221, "a b c"),
    ("perovskite", "ABC3", 99, "a b b c"),
    ("perovskite", "ABC3", 160, "a a b"),
    ("perovskite", "ABC3", 38, "a b a e"),
    ("perovskite", "ABC3", 167, "a b e"),
    ("perovskite", "ABC3", 161, "a a b"),
    ("perovskite", "ABC3", 62, "a c c d"),
    ("perovskite", "ABC3", 140, "b c a h"),
    ("perovskite", "ABC3", 127, "a b c g"),
    ("double perovskite", "ABC2D6", 225, "a b c e"),
    ("antifluorite-derived A2BX6", "AB2C6", 225, "a c e"),
    ("ilmenite", "ABC3", 148, "c c f"),
    ("corundum", "A2B3", 167, "c e"),
    ("rutile", "AB2", 136, "a f"),
    ("baddeleyite or M1", "AB2", 14, "e e e"),
    ("anatase", "AB2", 141, "a e"),
    ("fluorite", "AB2", 225, "a c"),
    ("polar fluorite", "AB2", 29, "a a a"),
    ("wurtzite", "AB", 186, "b b"),
    ("zinc blende", "AB", 216, "a c"),
    ("rock salt", "AB", 225, "a b"),
    ("caesium chloride", "AB", 221, "a b"),
    ("polar GeTe", "AB", 160, "a a"),
    ("tetradymite", "A2B3", 166, "a c c"),
    ("spinel", "AB2C4", 227, "a d e"),
    ("Ruddlesden-Popper", "AB2C4", 139, "a c e e"),
    ("Ruddlesden-Popper", "A2B3C7", 139, "a b e e e g"),
    ("delafossite", "ABC2", 166, "a b c"),
    ("delafossite", "ABC2", 194, "a c f"),
    ("chalcopyrite", "ABC2", 122, "a b d"),
    ("CdI2 layers", "AB2", 164, "a d"),
    ("CdCl2 layers", "AB2", 166, "a c"),
    ("MoS2 layers", "AB2", 194, "c f"),
)
"""(name, anonymous formula, space group number, Wyckoff letters in some setting)."""


@lru_cache(maxsize=1)
def _table() -> dict[tuple[str, int, str], str]:
    return {
        (formula, group, _letters(group, letters.split())): name
        for name, formula, group, letters in STRUCTURE_TYPES
    }


def prototype_of(anonymous_formula: str, spacegroup_number: int, letters: Sequence[str]) -> str | None:
    """Name of the structure type, or `None` if it is none of the table.

    Args:
        anonymous_formula: As pymatgen writes it: `ABC3`.
        spacegroup_number: International number.
        letters: Wyckoff letter of each orbit, any setting, any order.
    """
    key = (anonymous_formula, spacegroup_number, _letters(spacegroup_number, letters))
    return _table().get(key)


def _letters(spacegroup_number: int, letters: Sequence[str]) -> str:
    """Letters under the normaliser, the same for every choice of origin."""
    return canonical_wyckoff(spacegroup_number, [(letter, "X") for letter in letters])
