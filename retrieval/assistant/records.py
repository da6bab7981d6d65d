"""What of a record may enter an answer?

Finite numbers, formulas that parse, ids of a known shape, words of closed lists. A record's sentences, comments
and names never get past this file, so an instruction hidden in a database has no way to a model or a reader.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from ...core.symmetry import POLAR_SPACE_GROUPS
from ..recipes import OPERATIONS
from .several import several

UNNAMED = "method not listed"
"""Shown for a method that is none of the known ones."""
LONGEST_FORMULA = 60
GREATEST = 1e9
"""A larger magnitude is an error of the record, not a property of a material."""

_MATERIALS_PROJECT_ID = re.compile(r"(?:mp|mvc)-[0-9a-z]{1,12}")
_DATABASE_ID = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}[-_/][0-9][0-9A-Za-z]{0,15}")
_CANDIDATE_ID = re.compile(r"([A-Za-z0-9()]{1,60})-(?:[1-9]|[1-9]\d|1\d\d|2[0-2]\d|230)-[0-9a-f]{6,16}")
_RECIPE_ID = re.compile(r"recipe-\d{1,4}")
_FORMULA_PART = re.compile(r"(?:[A-Z][a-z]?(?:\d{1,3}(?:\.\d{1,3})?)?|[()\[\]](?:\d{1,3})?)+")
_VERSION = re.compile(r"(?=[^ ]*\d)[0-9A-Za-z._-]{1,40}( [0-9a-f]{6,40})?")
_SOURCE = re.compile(r"[a-z][a-z-]{1,30}")
_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:A-Za-z0-9]{1,120}")
_PUBLISHED = re.compile(r"Materials Project(?: \d[\d.-]{0,20})?")
_SPECIES = re.compile(r"[A-Z][a-z]?\d?[+-]")

_METHOD_WORDS = several(
    """
    pbe pbesol pbe+u u gga gga+u lda scan scan+u r2scan r2scan+u hse hse06 gllb gllb-sc sc dft dfpt gw experiment
    experimental measured computed mp2020 mp2020-corrected corrected raw mixed or by the and in from berry-phase berry
    phase born charges formal oxidation state oxidation-state rule guess table linear path neb voigt-reuss-hill average
    hull spglib symprec ladder weighted verdict scores formula space group wyckoff sequence bond valence analysis
    composition manual chgnet mace m3gnet tensornet sevennet 7net orb uma esen mattersim fairchem matgl mp mpa omat
    matpes large medium small
    """
)
_METHODS_WITH_NUMBERS = {
    "Wyckoff sequence at 0.01 A": "Wyckoff sequence",
    "production 2011, weighted by mass": "weighted by mass",
    "experimental databases known to the Materials Project": "experimental databases",
}
"""Methods whose names hold more than a label can, with the name that is shown."""
_OF_THE_SOURCE = re.compile(r"(?:,? mixed by the | \()Materials Project\)?$")
_NAMES_WITH_VERSIONS = several("chgnet mace m3gnet tensornet sevennet orb uma esen mattersim fairchem")
_METHOD_VERSION = re.compile(r"v?\d{1,2}(?:\.\d{1,3}){1,2}")
_ATMOSPHERES = several(
    "air argon nitrogen oxygen hydrogen vacuum helium ammonia forming-gas inert Ar N2 O2 H2 He NH3 CO2 CO H2S "
    "H2O Cl2 SO2"
) | {"inert gas", "reducing gas"}
SYNTHESIS_TYPES = frozenset({"solid-state", "sol-gel", "precipitation", "hydrothermal"})
GAP_TYPES = frozenset({"direct", "indirect"})
MAGNETIC_ORDERINGS = frozenset({"NM", "FM", "AFM", "FiM"})
YES_OR_NO = frozenset({"yes", "no"})


def number(value: Any) -> float | int | None:
    """A finite number of a sane size, or `None`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= GREATEST else None


def formula(text: Any) -> str | None:
    """A formula whose every symbol is an element, hydrates written with a dot; else `None`."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_FORMULA:
        return None
    parts = re.split(r"[.*\u00b7](?=\d{0,2}[A-Z(\[])", text)
    return ".".join(parts) if all(map(_is_formula, parts)) else None


def amounts(text: str) -> frozenset[tuple[str, float]] | None:
    """A formula as (element, amount) pairs, reduced as written; `None` if it is none."""
    if not _is_formula(text):
        return None
    from pymatgen.core import Composition

    try:
        found = Composition(text).get_el_amt_dict()
    except (ValueError, KeyError, TypeError):
        return None
    return frozenset(found.items()) if found else None


def material_id(value: Any) -> str | None:
    """The id that a database gives a material, if it has the shape of one."""
    known = isinstance(value, str) and (
        _MATERIALS_PROJECT_ID.fullmatch(value) or _DATABASE_ID.fullmatch(value)
    )
    return value if known else None


def candidate_id(value: Any) -> str | None:
    """One of our own ids: formula, space group, digest."""
    match = _CANDIDATE_ID.fullmatch(value) if isinstance(value, str) else None
    return value if match and _is_formula(match.group(1)) else None


def recipe_id(value: Any) -> str | None:
    """`recipe-1` and the like."""
    return value if isinstance(value, str) and _RECIPE_ID.fullmatch(value) else None


def method(text: Any) -> str:
    """A method all of whose words are known, or `UNNAMED`."""
    if not isinstance(text, str) or not 0 < len(text) <= 80:
        return UNNAMED
    if text in _METHODS_WITH_NUMBERS:
        return _METHODS_WITH_NUMBERS[text]
    named = _OF_THE_SOURCE.sub("", text.strip())
    words = re.split(r"[ ,]+", named.lower())
    for before, this in zip(["", *words], words, strict=False):
        versioned = before in _NAMES_WITH_VERSIONS and _METHOD_VERSION.fullmatch(this)
        if this not in _METHOD_WORDS and not versioned:
            return UNNAMED
    return named


def version(text: Any) -> str:
    """A date, a number or a digest; empty if it is something else."""
    return text if isinstance(text, str) and _VERSION.fullmatch(text) else ""


def source(name: Any, published: Any = "") -> str:
    """Name of a source: of the publication if it is a known one, else of who was asked."""
    match = _PUBLISHED.match(published) if isinstance(published, str) else None
    if match:
        return match.group()
    return name if isinstance(name, str) and _SOURCE.fullmatch(name) else "another source"


def link(identifier: str) -> str:
    """Where a reader finds the record: only addresses that are built here."""
    if _MATERIALS_PROJECT_ID.fullmatch(identifier):
        return f"https://next-gen.materialsproject.org/materials/{identifier}"
    return ""


def doi(text: Any) -> str:
    """The address of a paper, or nothing."""
    known = isinstance(text, str) and _DOI.fullmatch(text)
    return f"https://doi.org/{text}" if known else ""


def operation(text: Any) -> str | None:
    """One of `recipes.OPERATIONS`."""
    return text if text in OPERATIONS else None


def atmosphere(text: Any) -> str | None:
    """A gas or `vacuum`."""
    return text if isinstance(text, str) and text in _ATMOSPHERES else None


def word(name: str, value: Any) -> str | None:
    """The value of a text property, if it is one of those it can have."""
    if not isinstance(value, str):
        return None
    if name == "possible_species":
        species = value.split()
        known = 0 < len(species) <= 12 and all(map(_is_species, species))
        return value if known else None
    allowed = {
        "gap_type": GAP_TYPES,
        "magnetic_ordering": MAGNETIC_ORDERINGS,
        "theoretical": YES_OR_NO,
        "structure_type": structure_types(),
    }
    return value if value in allowed.get(name, ()) else None


@lru_cache(maxsize=1)
def structure_types() -> frozenset[str]:
    """Names of the structure types that the project can tell."""
    from ..prototypes import STRUCTURE_TYPES

    return frozenset(name for name, *_ in STRUCTURE_TYPES)


@lru_cache(maxsize=1)
def element_symbols() -> frozenset[str]:
    """Symbols of the elements, isotopes aside."""
    from pymatgen.core import Element

    return frozenset(Element.__members__) - {"D", "T"}


@lru_cache(maxsize=230)
def spacegroup_symbol(number: int) -> str | None:
    """Short international symbol: `P2_1/c` of 14; `None` if there is no such group."""
    return _symbols().get(number)


@lru_cache(maxsize=1)
def _symbols() -> dict[int, str]:
    import spglib

    symbols: dict[int, str] = {}
    for hall in range(1, 531):
        found = spglib.get_spacegroup_type(hall)
        if found is not None:
            symbols.setdefault(found.number, found.international_short)
    return symbols


def spacegroup_symbols() -> dict[str, int]:
    """Every symbol with its number, written with and without underscores."""
    known = {symbol: number for number, symbol in _symbols().items()}
    return known | {symbol.replace("_", ""): number for symbol, number in known.items()}


CRYSTAL_SYSTEMS = (
    ("triclinic", 1, 2),
    ("monoclinic", 3, 15),
    ("orthorhombic", 16, 74),
    ("tetragonal", 75, 142),
    ("trigonal", 143, 167),
    ("hexagonal", 168, 194),
    ("cubic", 195, 230),
)


POLAR_GROUPS = frozenset(number for span in POLAR_SPACE_GROUPS.values() for number in span)
"""Space groups of the ten polar point groups."""


def crystal_system(number: int) -> str | None:
    """Of a space group."""
    return next((name for name, low, high in CRYSTAL_SYSTEMS if low <= number <= high), None)


@lru_cache(maxsize=4096)
def _is_formula(text: str) -> bool:
    if not _FORMULA_PART.fullmatch(text.lstrip("0123456789")) or len(text) > LONGEST_FORMULA:
        return False
    balanced = text.count("(") == text.count(")") and text.count("[") == text.count("]")
    return balanced and all(s in element_symbols() for s in re.findall(r"[A-Z][a-z]?", text))


def _is_species(text: str) -> bool:
    symbol = re.match(r"[A-Z][a-z]?", text)
    return bool(_SPECIES.fullmatch(text) and symbol and symbol.group() in element_symbols())
