"""What of a filter can the server answer, and what is left to us?

The server gets conditions that every material sought must meet; what it gives is then held against the whole
filter here (`core.filters.matches`), so a condition may be left out but never be too narrow. An `OR` becomes
several questions.

The space group is not asked of the server: it determines symmetry at 0.1 A, a candidate's is determined at
0.01 A, and a slightly distorted crystal would be missed.
"""

from __future__ import annotations

import math
import re
from itertools import combinations, product
from typing import Any

from ...core.errors import FilterError
from ...core.filters import And, Comparison, Filter, Has, HasLength, Name, Not, Or, names_in
from ...core.properties import method_matches, method_slug
from ..prototypes import METHOD as PROTOTYPES
from ..prototypes import STRUCTURE_TYPES
from .documents import ID_PATTERN
from .values import DFT, FUNCTIONALS, IONS, ON_RECORD

Criteria = dict[str, Any]

METHODS: dict[str, tuple[str, ...]] = {
    "energy_per_atom": (DFT,),
    "formation_energy_per_atom": (DFT,),
    "energy_above_hull": (DFT,),
    "band_gap": (*FUNCTIONALS.values(), DFT),
    "gap_type": (*FUNCTIONALS.values(), DFT),
    "total_magnetization": (DFT,),
    "magnetic_ordering": (DFT,),
    "bulk_modulus": (DFT,),
    "shear_modulus": (DFT,),
    "poisson_ratio": (DFT,),
    "dielectric_total": (DFT,),
    "dielectric_electronic": (DFT,),
    "dielectric_ionic": (DFT,),
    "refractive_index": (DFT,),
    "piezoelectric_modulus": (DFT,),
    "density": (DFT,),
    "volume_per_atom": (DFT,),
    "possible_species": (IONS,),
    "theoretical": (ON_RECORD,),
    "structure_type": (PROTOTYPES,),
}
"""What a search gives, and the methods its values may have."""
_RANGES = {
    "energy_per_atom": "energy_per_atom",
    "formation_energy_per_atom": "formation_energy_per_atom",
    "energy_above_hull": "energy_above_hull",
    "band_gap": "band_gap",
    "total_magnetization": "total_magnetization",
    "bulk_modulus": "k_vrh",
    "shear_modulus": "g_vrh",
    "poisson_ratio": "homogeneous_poisson",
    "dielectric_total": "e_total",
    "dielectric_electronic": "e_electronic",
    "dielectric_ionic": "e_ionic",
    "refractive_index": "n",
    "piezoelectric_modulus": "e_ij_max",
    "density": "density",
    "nsites": "nsites",
    "nelements": "nelements",
}
"""Names that the server compares with a number, as `_min` and `_max` of these."""
_INTEGERS = ("nsites", "nelements")
_LISTS = ("formula", "chemsys", "material_ids")
"""Conditions that any word of a list meets."""
LARGEST_NUMBER = 1e9
"""A comparison with a larger one is made here only."""
_WORDS: dict[tuple[str, str], Criteria] = {
    ("gap_type", "direct"): {"is_gap_direct": True},
    ("gap_type", "indirect"): {"is_gap_direct": False},
    ("theoretical", "yes"): {"theoretical": True},
    ("theoretical", "no"): {"theoretical": False},
    **{("magnetic_ordering", word): {"ordering": word} for word in ("NM", "FM", "AFM", "FiM")},
}
_OF_A_STORE = ("run_id", "passes", "fails")
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
MOST_QUESTIONS = 64
MOST_LETTERS = 7
"""Of an anonymous formula; the eighth, H, a server may read as hydrogen and take for D, its isotope."""
MOST_ELEMENTS_ONLY = 5
"""`HAS ONLY` becomes the list of all chemical systems of these elements: 31 of five."""


def criteria_of(query: Filter | None) -> list[Criteria]:
    """The questions whose answers together hold every material that a filter can match.

    Returns:
        One or more questions, each with at least one condition; none if nothing can match.

    Raises:
        FilterError: the filter names something the source cannot know, or nothing in it can be asked of the
            server, so that the whole database would have to be read.
    """
    if query is None:
        raise FilterError(
            'A search of the Materials Project needs a filter, such as elements HAS ALL "Ti","O" AND band_gap > 2.'
        )
    for name in names_in(query):
        _require_known(name)
    questions = _distinct(_questions(query, True))
    if not all(questions):
        raise FilterError(
            "Nothing in this filter narrows down what the Materials Project must send, and it holds some "
            "200,000 materials. Add elements, a formula, a number of elements, or a range of band_gap, "
            "energy_above_hull or another property; space groups are determined here."
        )
    return questions


def _require_known(name: Name) -> None:
    if name.name in _OF_A_STORE:
        raise FilterError(
            f"{name} belongs to a store of candidates, not to the Materials Project: use 'hysteron query'."
        )
    if not name.is_property:
        return
    if name.name not in METHODS:
        raise FilterError(
            f"The Materials Project does not hold {name}; it holds {', '.join(METHODS)}. "
            "'hysteron predict' and 'hysteron screen' add others."
        )
    methods = METHODS[name.name]
    if name.method and not any(method_matches(method_slug(m), name.method) for m in methods):
        known = ", ".join(dict.fromkeys(methods))
        raise FilterError(f"The Materials Project has no {name}; its {name.name} is by one of: {known}.")


def _questions(term: Filter, wanted: bool) -> list[Criteria]:
    """What must hold if a term is to be true (or false): a list of alternatives; an empty one asks nothing."""
    if isinstance(term, Not):
        return _questions(term.term, not wanted)
    if isinstance(term, And | Or):
        parts = [_questions(part, wanted) for part in term.terms]
        return _both(parts) if isinstance(term, And) == wanted else _either(parts)
    if isinstance(term, Has):
        return _of_elements(term, wanted)
    if isinstance(term, HasLength) and term.name.name == "elements":
        return _of_number("nelements", term.operator if wanted else _NEGATED[term.operator], term.value)
    return _of_comparison(term, wanted) if isinstance(term, Comparison) else [{}]


def _both(parts: list[list[Criteria]]) -> list[Criteria]:
    """Every combination of alternatives that can be met at once; the longest lists are left to us if there are
    too many."""
    choices: list[list[Criteria]] = []
    for part in sorted(parts, key=len):
        fits = math.prod(map(len, choices)) * len(part) <= MOST_QUESTIONS
        choices.append(part if fits else [{}])
    merged = (_merged(choice) for choice in product(*choices))
    return [criteria for criteria in merged if criteria is not None]


def _either(parts: list[list[Criteria]]) -> list[Criteria]:
    alternatives = _listed([criteria for part in parts for criteria in part])
    if not all(alternatives):
        return [{}]
    if len(alternatives) > MOST_QUESTIONS:
        raise FilterError(
            f"This filter makes {len(alternatives)} questions to the Materials Project; at most "
            f"{MOST_QUESTIONS} are asked. Split it."
        )
    return alternatives


def _listed(alternatives: list[Criteria]) -> list[Criteria]:
    """Alternatives that differ in one list only (this formula or that one) as one question."""
    lists: dict[str, set[str]] = {}
    others = []
    for criteria in alternatives:
        (name,) = criteria if len(criteria) == 1 else ("",)
        if name in _LISTS and not _is_anonymous(criteria[name]):
            lists.setdefault(name, set()).update(criteria[name].split(","))
        else:
            others.append(criteria)
    return [*others, *({name: ",".join(sorted(values))} for name, values in lists.items())]


def _merged(choice: tuple[Criteria, ...]) -> Criteria | None:
    """Conditions that all hold; `None` if they contradict one another."""
    merged: Criteria = {}
    for criteria in choice:
        for name, value in criteria.items():
            met = _combined(name, merged[name], value) if name in merged else value
            if met is None:
                return None
            merged[name] = met
    contradicts = any(
        merged.get(f"{name}_min", -math.inf) > merged.get(f"{name}_max", math.inf)
        for name in _RANGES.values()
    )
    return None if contradicts else merged


def _combined(name: str, one: Any, other: Any) -> Any:
    """Two conditions of the same name as one; `None` if they cannot both hold."""
    if name.endswith("_min"):
        return max(one, other)
    if name.endswith("_max"):
        return min(one, other)
    if name in ("elements", "exclude_elements"):
        return ",".join(sorted({*one.split(","), *other.split(",")}))
    if name == "formula" and _is_anonymous(one) != _is_anonymous(other):
        return one if _is_anonymous(other) else other
    if name in _LISTS:
        return ",".join(sorted({*one.split(",")} & {*other.split(",")})) or None
    return one if one == other else None


def _of_comparison(term: Comparison, wanted: bool) -> list[Criteria]:
    name, sign, value = term.name.name, term.operator, term.value
    if not wanted:
        if sign not in _NEGATED:
            return [{}]
        sign = _NEGATED[sign]
    if isinstance(value, str):
        return _of_word(name, value) if sign == "=" else [{}]
    return _of_number(name, sign, value)


def _of_number(name: str, sign: str, value: float) -> list[Criteria]:
    key = _RANGES.get(name)
    if key is None or sign == "!=" or not abs(value) <= LARGEST_NUMBER:
        return [{}]
    low, high = value, value
    if name in _INTEGERS:
        low, high = math.ceil(value), math.floor(value)
    lower, upper = {f"{key}_min": low}, {f"{key}_max": high}
    return [{"=": lower | upper, ">": lower, ">=": lower, "<": upper, "<=": upper}[sign]]


def _of_word(name: str, value: str) -> list[Criteria]:
    if (name, value) in _WORDS:
        return [_WORDS[name, value]]
    if name == "formula":
        return [_of_formula(value)]
    if name == "chemsys":
        return [{"chemsys": value}]
    if name == "material_id" and ID_PATTERN.fullmatch(value):
        return [{"material_ids": value}]
    if name == "chemical_formula_anonymous":
        return [_of_anonymous(value)]
    if name == "structure_type":
        formulas = sorted({formula for known, formula, *_ in STRUCTURE_TYPES if known == value})
        return [_of_anonymous(formula) for formula in formulas] or [{}]
    return [{}]


def _of_anonymous(formula: str) -> Criteria:
    """The server reads a formula with letters that are no elements as an anonymous one."""
    count = sum(letter.isupper() for letter in formula)
    return {"formula": formula} if count <= MOST_LETTERS else {"nelements_min": count, "nelements_max": count}


def _is_anonymous(formula: str) -> bool:
    """Whether it is `ABC3` and no compound; of aluminium, say. There is no element A."""
    return re.match("A(?![a-z])", formula) is not None


def _of_formula(formula: str) -> Criteria:
    """An element is asked for as a system: a server may call it O2 or O."""
    from pymatgen.core import Composition

    elements = Composition(formula).get_el_amt_dict()
    return {"chemsys": next(iter(elements))} if len(elements) == 1 else {"formula": formula}


def _of_elements(term: Has, wanted: bool) -> list[Criteria]:
    if term.name.name != "elements":
        return [{}]
    values = sorted(set(term.values))
    if term.mode == "only":
        return [_only(values)] if wanted and len(values) <= MOST_ELEMENTS_ONLY else [{}]
    if term.mode == "any":
        return [{"elements": v} for v in values] if wanted else [{"exclude_elements": ",".join(values)}]
    return [{"elements": ",".join(values)}] if wanted else [{"exclude_elements": v} for v in values]


def _only(elements: list[str]) -> Criteria:
    """All chemical systems of some elements and none else."""
    sizes = range(1, len(elements) + 1)
    systems = ("-".join(part) for size in sizes for part in combinations(elements, size))
    return {"chemsys": ",".join(sorted(systems))}


def _distinct(questions: list[Criteria]) -> list[Criteria]:
    return list({repr(sorted(question.items())): question for question in questions}.values())
