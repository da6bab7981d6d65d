"""Is this token a formula, a chemical system, an element, a space group?

Case counts: `Co` is cobalt and `CO` carbon monoxide. What English also writes (`In`, `As`, `I`, `No`, `He`, `At`,
`Be`, `Am`) is left to the reader, who sees the words around it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_uppercase

ENGLISH = frozenset(
    ["In", "As", "I", "No", "He", "At", "Be", "Am", "A", "Is", "So", "Os", "Do", "On", "Us", "It"]
)
"""Words that could be read as symbols of elements."""
MATERIAL_ID = re.compile(r"(?:mp|mvc)-\d+", re.IGNORECASE)
ION = re.compile(r"([A-Z][a-z]?)([0-9]?[+-])")
SYSTEM = re.compile(r"[A-Z][a-z]?(?:-[A-Z][a-z]?)+")
FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*(?:\.\d+)?|\([A-Za-z0-9.,]+\)\d*(?:\.\d+)?)+")
SPELLINGS = {
    "aluminum": "Al",
    "aluminium": "Al",
    "sulphur": "S",
    "cesium": "Cs",
    "caesium": "Cs",
    "sulfur": "S",
    "wolfram": "W",
    "columbium": "Nb",
}
POINT_GROUPS = {
    "1": "1", "-1": "2", "2": "3-5", "m": "6-9", "2/m": "10-15", "222": "16-24", "mm2": "25-46", "mmm": "47-74",
    "4": "75-80", "-4": "81-82", "4/m": "83-88", "422": "89-98", "4mm": "99-110", "-42m": "111-122",
    "4/mmm": "123-142", "3": "143-146", "-3": "147-148", "32": "149-155", "3m": "156-161", "-3m": "162-167",
    "6": "168-173", "-6": "174", "6/m": "175-176", "622": "177-182", "6mm": "183-186", "-6m2": "187-190",
    "6/mmm": "191-194", "23": "195-199", "m-3": "200-206", "432": "207-214", "-43m": "215-220", "m-3m": "221-230",
    "m3": "200-206", "m3m": "221-230", "-62m": "187-190", "-4m2": "111-122",
}  # fmt: skip
"""Space groups of each crystal class; International Tables A, table 3.2.3.2."""


def special(chunk: str) -> str | None:
    """What only chemistry writes: `id`, `ion`, `system`, `group`, `formula`, `anonymous`, or `None`."""
    if MATERIAL_ID.fullmatch(chunk):
        return "id"
    if chunk in ENGLISH or len(chunk) > 60:
        return None
    if (ion := ION.fullmatch(chunk)) and is_symbol(ion[1]):
        return "ion"
    if group_number(chunk) is not None:
        return "group"
    if SYSTEM.fullmatch(chunk) and all(is_symbol(part) for part in chunk.split("-")):
        return "system"
    if is_formula(chunk):
        return "formula"
    return "anonymous" if anonymous_pattern(chunk) else None


@lru_cache(maxsize=1)
def _symbols() -> frozenset[str]:
    from pymatgen.core import Element

    return frozenset(str(symbol) for symbol in Element.__members__)


@lru_cache(maxsize=1)
def element_names() -> dict[str, str]:
    """Names in lower case to symbols, in both spellings."""
    from pymatgen.core import Element

    return {Element(symbol).long_name.lower(): symbol for symbol in sorted(_symbols())} | SPELLINGS


def is_symbol(text: str) -> bool:
    """Whether this is the symbol of an element."""
    return text in _symbols()


def is_formula(chunk: str) -> bool:
    """Whether a chunk is a formula of several atoms: `HfO2`, `NaCl`, `Ba(Zr0.2Ti0.8)O3`; not a single symbol."""
    if not FORMULA.fullmatch(chunk) or is_symbol(chunk):
        return False
    if not all(is_symbol(part) for part in re.findall(r"[A-Z][a-z]?", chunk)):
        return False
    return reduced(chunk) is not None


@lru_cache(maxsize=4096)
def reduced(chunk: str) -> str | None:
    """pymatgen's reduced formula, or `None`."""
    from pymatgen.core import Composition

    try:
        composition = Composition(chunk)
    except Exception:
        return None
    return composition.reduced_formula if composition.num_atoms else None


def anonymous_pattern(chunk: str) -> tuple[str, tuple[str, ...]] | None:
    """A formula with placeholders, such as `ABO3`, `A2BX6`, `MO2`, `RNiO3`.

    Returns:
        The anonymous formula (`ABC3`) and the real elements in it (`O`), or `None`.
    """
    from ...core.filters import anonymous_of

    parts = re.findall(r"([A-Z][a-z]?)('?)(\d*)", chunk)
    if len(parts) < 2 or "".join("".join(part) for part in parts) != chunk:
        return None
    letters = [letter + prime for letter, prime, _ in parts]
    placeholders = [letter for letter in letters if letter in _PLACEHOLDERS]
    real = [letter for letter in letters if letter not in _PLACEHOLDERS]
    if "A" not in placeholders and not {"M", "R", "X", "Ln", "Ae", "RE", "T"} & set(placeholders):
        return None
    if len(set(letters)) != len(letters) or not all(is_symbol(letter) for letter in real):
        return None
    amounts = {ascii_uppercase[i]: int(amount or 1) for i, (_, _, amount) in enumerate(parts)}
    return anonymous_of(amounts), tuple(real)


_PLACEHOLDERS = frozenset(
    ["A", "A'", "B", "B'", "M", "M'", "X", "R", "Ln", "Ae", "RE", "T", "C", "D", "E", "X'"]
)


def group_number(chunk: str, even_if_element: bool = False) -> int | None:
    """The number of a space group from its Hermann-Mauguin symbol: `P4mm`, `Pca2_1`, `Fm-3m`, `R-3c`.

    Every setting that spglib lists (`Pbnm`, `P2_1/n`), with or without the underscore, and the old cubic
    symbols without a bar (`Pm3m`).

    Args:
        chunk: As written.
        even_if_element: Whether `Pm` and `Cm` are groups too.
    """
    if not re.match(r"[PIFCRAB]", chunk) or len(chunk) < 2 or (is_symbol(chunk) and not even_if_element):
        return None
    return _groups().get(chunk.replace("_", "").replace("(", "").replace(")", ""))


@lru_cache(maxsize=1)
def _groups() -> dict[str, int]:
    import spglib

    found: dict[str, int] = {}
    for hall_number in range(1, 531):
        kind = spglib.get_spacegroup_type(hall_number)
        assert kind is not None
        number = int(kind.number)
        for symbol in (kind.international_short, kind.international_full, *kind.international.split("=")):
            parts = symbol.strip().replace("_", "").split()
            found.setdefault("".join(parts), number)
            if 3 <= number <= 15:
                found.setdefault("".join(part for part in parts if part != "1"), number)
            if number in _M_3:
                found.setdefault("".join(parts).replace("-3", "3"), number)
    return found


_M_3 = frozenset([*range(200, 207), *range(221, 231)])
"""Groups whose symbols were once written without the bar: `Fm3m`."""
