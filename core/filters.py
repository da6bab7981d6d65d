"""The OPTIMADE filter language: read once, checked here, evaluated by whoever holds the rows.

`parse` turns a filter into a small tree in which every name is known and every value has the right
type. The store compiles that tree to SQL; `matches` evaluates it on one candidate in memory. Both use
three-valued logic: an absent value matches neither `>` nor `NOT >`.

    Filter = And | Or | Not | Comparison | IsKnown | Has | HasLength
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any, Literal

from .errors import FilterError, nearest
from .properties import PROPERTIES

if TYPE_CHECKING:
    from .candidate import Candidate

Kind = Literal["number", "text", "formula", "anonymous", "chemsys", "list"]

FIELDS: dict[str, Kind] = {
    "candidate_id": "text",
    "formula": "formula",
    "chemical_formula_anonymous": "anonymous",
    "chemsys": "chemsys",
    "elements": "list",
    "nelements": "number",
    "nsites": "number",
    "spacegroup_number": "number",
    "material_id": "text",
    "origin": "text",
    "run_id": "list",
    "passes": "list",
    "fails": "list",
}
"""What can be asked of a candidate beside its properties."""

ALIASES = {
    "id": "candidate_id",
    "chemical_formula_reduced": "formula",
    "formula_pretty": "formula",
    "formula_anonymous": "chemical_formula_anonymous",
    "e_above_hull": "energy_above_hull",
    "spacegroup": "spacegroup_number",
}


@dataclass(frozen=True)
class Name:
    """A field or a property; `method` is a slug if the filter asks for one."""

    name: str
    method: str | None = None

    @property
    def kind(self) -> Kind:
        if self.is_property:
            return "text" if PROPERTIES[self.name].text else "number"
        return FIELDS[self.name]

    @property
    def is_property(self) -> bool:
        return self.name not in FIELDS

    def __str__(self) -> str:
        return f"{self.name}.{self.method}" if self.method else self.name


@dataclass(frozen=True)
class Comparison:
    """`operator` is one of `= != < <= > >= contains starts ends`; the last three are for text."""

    name: Name
    operator: str
    value: float | int | str


@dataclass(frozen=True)
class IsKnown:
    name: Name
    known: bool


@dataclass(frozen=True)
class Has:
    """`mode` is `all` (every value is in the list), `any`, or `only` (nothing else is)."""

    name: Name
    mode: Literal["all", "any", "only"]
    values: tuple[str, ...]


@dataclass(frozen=True)
class HasLength:
    name: Name
    operator: str
    value: int


@dataclass(frozen=True)
class Not:
    term: Filter


@dataclass(frozen=True)
class And:
    terms: tuple[Filter, ...]


@dataclass(frozen=True)
class Or:
    terms: tuple[Filter, ...]


Filter = And | Or | Not | Comparison | IsKnown | Has | HasLength

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def parse(text: str) -> Filter:
    """Read a filter in the OPTIMADE grammar.

    Args:
        text: For instance `elements HAS ALL "Ti","O" AND band_gap.pbe > 2`.

    Raises:
        FilterError: it cannot be read, names something unknown (the nearest known names are
            proposed), or compares a word with a number.
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedInput

    if not text.strip():
        raise FilterError('The filter is empty. Example: elements HAS "O" AND band_gap > 2')
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        at_end = getattr(getattr(error, "token", None), "type", "$END") == "$END"
        column = len(text) + 1 if at_end and not isinstance(error, UnexpectedCharacters) else error.column
        pointer = " " * (column - 1) + "^"
        raise FilterError(
            f"The filter cannot be read at column {column}:\n  {text}\n  {pointer}\n"
            'Example: elements HAS ALL "Ti","O" AND band_gap > 2 AND NOT elements HAS "Pb"'
        ) from None
    try:
        return _expression(tree.children[0])
    except RecursionError:
        raise FilterError("The filter has too many brackets inside brackets.") from None


def parse_name(text: str) -> Name:
    """Read the name of a field or property, as in `sort by band_gap.hse06`.

    Raises:
        FilterError: no such name (the nearest known names are proposed).
    """
    return _name(text.split("."))


@lru_cache(maxsize=1)
def _parser():
    """The grammar that the `optimade` package ships, read by LALR: the same trees as by its own Earley parser,
    some ten times as fast."""
    from lark import Lark
    from optimade.filterparser.lark_parser import AVAILABLE_PARSERS

    grammar = AVAILABLE_PARSERS[max(AVAILABLE_PARSERS)]["default"]
    return Lark(grammar.read_text(encoding="utf-8"), parser="lalr", maybe_placeholders=False)


def _expression(tree: Any) -> Filter:
    """`expression`, `expression_clause` and `expression_phrase` of the grammar."""
    rule = tree.data
    if rule in ("expression", "expression_clause"):
        terms = tuple(_expression(child) for child in tree.children)
        if len(terms) == 1:
            return terms[0]
        return Or(terms) if rule == "expression" else And(terms)
    if rule == "expression_phrase":
        term = _expression(tree.children[-1])
        return Not(term) if len(tree.children) > 1 else term
    if rule == "comparison":
        return _comparison(tree.children[0])
    raise FilterError(f"This part of the grammar is not supported here: {rule}.")


def _comparison(tree: Any) -> Filter:
    if tree.data == "constant_first_comparison":
        constant, sign, other = tree.children
        name = _name([str(part) for part in other.children[0].children])
        return _compare(name, _FLIPPED[str(sign)], _constant(constant))
    name = _name([str(part) for part in tree.children[0].children])
    right = tree.children[1]
    rule, parts = right.data, right.children
    if rule == "value_op_rhs":
        return _compare(name, str(parts[0]), _constant(parts[1]))
    if rule == "known_op_rhs":
        return IsKnown(name, str(parts[1]) == "KNOWN")
    if rule == "fuzzy_string_op_rhs":
        return _compare(name, str(parts[0]).lower(), _constant(parts[-1]))
    if rule == "set_op_rhs":
        return _has(name, [str(p) for p in parts[:-1]], parts[-1])
    if rule == "length_op_rhs":
        sign = str(parts[1]) if len(parts) == 3 else "="
        _require(name, "list", "LENGTH")
        return HasLength(name, sign, int(parts[-1].children[0]))
    raise FilterError(f"{name}: zipped lists (a:b HAS ...) are not supported here.")


def _name(parts: list[str]) -> Name:
    name = ALIASES.get(parts[0], parts[0])
    known = {*FIELDS, *(n for n, p in PROPERTIES.items() if not p.vector)}
    if name not in known:
        raise FilterError(f"No property {parts[0]!r}. {nearest(parts[0], known)}")
    if len(parts) > 2 or (len(parts) == 2 and name in FIELDS):
        raise FilterError(f"{'.'.join(parts)}: only a property takes a method, as in band_gap.hse06.")
    return Name(name, parts[1] if len(parts) == 2 else None)


def _constant(tree: Any) -> float | int | str:
    if tree.data in ("value", "constant", "non_string_value"):
        return _constant(tree.children[0])
    if tree.data == "string":
        return _word(str(tree.children[0])[1:-1].replace('\\"', '"').replace("\\\\", "\\"))
    if tree.data == "number":
        text = str(tree.children[0])
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    raise FilterError("A property can be compared with a number or a quoted word, not with another property.")


def _word(text: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise FilterError("A word in a filter holds a character that is no text.")
    return text


def _compare(name: Name, sign: str, value: float | int | str) -> Filter:
    wants_number = name.kind == "number"
    if name.name == "run_id" and sign in ("=", "!=") and isinstance(value, str):
        inside = Has(name, "all", (value,))
        return inside if sign == "=" else Not(inside)
    if name.kind == "list":
        raise FilterError(f'{name} is a list: write {name} HAS "...".')
    if wants_number and isinstance(value, str):
        raise FilterError(f'{name} is a number; it was compared with the word "{value}".')
    if not wants_number and not isinstance(value, str):
        raise FilterError(f"{name} is a word; write it in double quotes.")
    if wants_number and sign in ("contains", "starts", "ends"):
        raise FilterError(f"{name} is a number; {sign.upper()} is for words.")
    if not wants_number and sign in ("<", "<=", ">", ">="):
        raise FilterError(f"{name} is a word; it can be = or !=, or CONTAINS, STARTS WITH, ENDS WITH.")
    if sign in ("=", "!=") and isinstance(value, str):
        value = _canonical(name, value)
    return Comparison(name, sign, value)


def _canonical(name: Name, value: str) -> str:
    """A formula in pymatgen's order of elements; a chemical system sorted."""
    if name.kind == "anonymous":
        return anonymous_formula(value)
    if name.kind == "chemsys":
        return "-".join(sorted(_element(part) for part in value.split("-")))
    if name.kind == "formula":
        from pymatgen.core import Composition

        try:
            return Composition(value).reduced_formula
        except Exception:
            raise FilterError(f'"{value}" is not a chemical formula.') from None
    return value


def anonymous_formula(text: str) -> str:
    """An anonymous formula in pymatgen's order, rarest first: `A3BC` (OPTIMADE's order) becomes `ABC3`.

    Raises:
        FilterError: it is none.
    """
    letters = re.findall(r"([A-Z][a-z]?)([0-9]*)", text)
    if not letters or "".join(letter + amount for letter, amount in letters) != text:
        raise FilterError(f'"{text}" is not an anonymous formula such as "ABC3".')
    amounts = sorted(int(amount or 1) for _, amount in letters)
    divisor = math.gcd(*amounts) or 1
    shown = (str(amount // divisor) for amount in amounts)
    return "".join(
        f"{letter}{'' if amount == '1' else amount}"
        for letter, amount in zip(_letters(), shown, strict=False)
    )


def anonymous_of(amounts: Mapping[str, float]) -> str:
    """The anonymous formula of an ordered cell, from the number of atoms of each element."""
    return anonymous_formula("".join(f"{element}{amount:.0f}" for element, amount in amounts.items()))


def _letters() -> Iterator[str]:
    """A, B, ..., Z, Aa, Ab, ..."""
    for first in ("", *ascii_uppercase):
        for letter in ascii_lowercase if first else ascii_uppercase:
            yield first + letter


def _has(name: Name, words: list[str], tree: Any) -> Has:
    _require(name, "list", "HAS")
    mode = next((w.lower() for w in words if w in ("ALL", "ANY", "ONLY")), "all")
    nodes = tree.children if tree.data == "value_list" else [tree]
    if any(not hasattr(node, "data") for node in (*nodes,)) or any(w in _FLIPPED for w in words):
        raise FilterError(f"{name}: an operator inside a list is not supported here.")
    values = tuple(str(_constant(node)) for node in nodes)
    if name.name == "elements":
        values = tuple(_element(value) for value in values)
    return Has(name, mode, values)  # type: ignore[arg-type]


def _element(symbol: str) -> str:
    from pymatgen.core import Element

    if not Element.is_valid_symbol(symbol):
        raise FilterError(f'"{symbol}" is not the symbol of an element.')
    return symbol


def _require(name: Name, kind: Kind, word: str) -> None:
    if name.kind != kind:
        raise FilterError(f"{name} is not a list; {word} is for lists such as elements.")


def names_in(query: Filter) -> Iterator[Name]:
    """Every name of a filter, as often as it stands there."""
    if isinstance(query, And | Or):
        for term in query.terms:
            yield from names_in(term)
    elif isinstance(query, Not):
        yield from names_in(query.term)
    else:
        yield query.name


def write(tree: Filter) -> str:
    """A filter as text, which `parse` reads back to the same tree."""
    if isinstance(tree, And):
        return " AND ".join(_in_brackets(term, Or | And) for term in tree.terms)
    if isinstance(tree, Or):
        return " OR ".join(_in_brackets(term, Or) for term in tree.terms)
    if isinstance(tree, Not):
        return f"NOT {_in_brackets(tree.term, And | Or | Not)}"
    if isinstance(tree, IsKnown):
        return f"{tree.name} IS {'KNOWN' if tree.known else 'UNKNOWN'}"
    if isinstance(tree, HasLength):
        return f"{tree.name} LENGTH {tree.operator} {tree.value}"
    if isinstance(tree, Has):
        mode = f"{tree.mode.upper()} " if len(tree.values) > 1 or tree.mode == "only" else ""
        return f"{tree.name} HAS {mode}{','.join(map(_quoted, tree.values))}"
    sign = {"contains": "CONTAINS", "starts": "STARTS WITH", "ends": "ENDS WITH"}.get(
        tree.operator, tree.operator
    )
    return f"{tree.name} {sign} {_quoted(tree.value)}"


def _in_brackets(term: Filter, kinds: Any) -> str:
    return f"({write(term)})" if isinstance(term, kinds) else write(term)


def _quoted(value: float | int | str) -> str:
    if not isinstance(value, str):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def matches(tree: Filter, candidate: Candidate, run_ids: tuple[str, ...] = ()) -> bool | None:
    """Evaluate a filter on one candidate.

    Args:
        tree: What `parse` gave.
        candidate: The candidate.
        run_ids: Runs the candidate belongs to, where that is known.

    Returns:
        True, False, or `None` if an absent value leaves it open (which is no match).
    """
    if isinstance(tree, And | Or):
        return _combine([matches(t, candidate, run_ids) for t in tree.terms], isinstance(tree, And))
    if isinstance(tree, Not):
        inner = matches(tree.term, candidate, run_ids)
        return None if inner is None else not inner
    value = lookup(tree.name, candidate, run_ids)
    if isinstance(tree, IsKnown):
        return (value is not None) == tree.known
    if value is None:
        return None
    if isinstance(tree, Has):
        return _holds(tree, set(value))
    if isinstance(tree, HasLength):
        return _OPERATORS[tree.operator](len(value), tree.value)
    return _OPERATORS[tree.operator](value, tree.value)


def _combine(values: list[bool | None], conjunction: bool) -> bool | None:
    decisive = not conjunction
    if decisive in values:
        return decisive
    return None if None in values else conjunction


def _holds(term: Has, value: set[str]) -> bool:
    wanted = set(term.values)
    if term.mode == "any":
        return bool(value & wanted)
    return value <= wanted if term.mode == "only" else value >= wanted


def lookup(name: Name, candidate: Candidate, run_ids: tuple[str, ...] = ()) -> Any:
    """The value of a field or property of a candidate; `None` if it is absent."""
    if name.is_property:
        return candidate.value(name.name, method=name.method)
    composition = candidate.structure.composition
    getters: dict[str, Callable[[], Any]] = {
        "candidate_id": lambda: candidate.candidate_id,
        "formula": lambda: candidate.formula,
        "chemical_formula_anonymous": lambda: anonymous_of(composition.get_el_amt_dict()),
        "chemsys": lambda: composition.chemical_system,
        "elements": lambda: list(composition.get_el_amt_dict()),
        "nelements": lambda: len(composition.get_el_amt_dict()),
        "nsites": lambda: len(candidate.structure),
        "spacegroup_number": lambda: candidate.spacegroup_number,
        "material_id": lambda: next(
            (step.details["material_id"] for step in candidate.provenance if "material_id" in step.details),
            None,
        ),
        "origin": lambda: candidate.provenance[0].name if candidate.provenance else None,
        "run_id": lambda: list(run_ids),
        "passes": lambda: [v.screen for v in candidate.verdicts if v.passed],
        "fails": lambda: [v.screen for v in candidate.verdicts if not v.passed],
    }
    return getters[name.name]()


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": lambda value, part: part in value,
    "starts": lambda value, part: value.startswith(part),
    "ends": lambda value, part: value.endswith(part),
}
