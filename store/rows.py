"""What does a candidate's record become in the tables that filters ask?

A record is the JSON object of `Candidate.to_record`. Everything here is derived from it and from nothing
else, so the tables can be made again at any time.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ..core.candidate import PropertyValue, best_first
from ..core.errors import InputError
from ..core.filters import anonymous_of
from ..core.properties import method_slug
from .schema import column_properties

Record = dict[str, Any]
Row = dict[str, Any]

BITS_A_COLUMN = 63
"""A BIGINT has a sign."""
HEAVIEST = 118


def to_json(value: Any, what: str) -> str:
    """Compact JSON text, numpy's scalars and arrays included; NaN is written as null.

    Args:
        value: What to write.
        what: Whose it is, for the message.

    Raises:
        InputError: it holds something that JSON cannot say.
    """
    try:
        try:
            return _dumps(value)
        except ValueError:
            return _dumps(_finite(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{what} cannot be stored as JSON: {error}.") from None


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)


def _finite(value: Any) -> Any:
    """With NaN and infinity, which JSON does not know, as null: not known."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """numpy's own types as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r} is no JSON value")


@lru_cache(maxsize=1)
def _element_bits() -> dict[str, int]:
    from pymatgen.core import Element

    symbols = [Element.from_Z(number).symbol for number in range(1, HEAVIEST + 1)]
    return {symbol: i for i, symbol in enumerate([*symbols, "D", "T"])}


OTHER = 2 * BITS_A_COLUMN - 1
"""The bit of whatever is no element (a dummy species)."""


def element_masks(symbols: Iterable[str]) -> tuple[int, int]:
    """The elements as bits of two integers, low ones first."""
    bits = _element_bits()
    mask = 0
    for symbol in symbols:
        mask |= 1 << bits.get(symbol, OTHER)
    return mask & ((1 << BITS_A_COLUMN) - 1), mask >> BITS_A_COLUMN


def rows_of(key: int, record: Record) -> tuple[Row, dict[str, list[Row]]]:
    """What a candidate's record becomes.

    Returns:
        The row of `candidates` (without the time it was first seen and who wrote it), and the rows of
        every derived table by the table's name.
    """
    values = [PropertyValue(**fields) for fields in record["properties"]]
    ranked = {name: best_first(values, name) for name in dict.fromkeys(value.name for value in values)}
    head = {"key": key} | _candidate_row(record) | _best_values(ranked)
    derived = _derived_rows(record) | {"properties": _property_rows(ranked)}
    return head, {table: [{"key": key, **row} for row in rows] for table, rows in derived.items()}


def _candidate_row(record: Record) -> Row:
    sites = record["structure"]["sites"]
    elements = sorted({kind["element"] for site in sites for kind in site["species"]})
    low, high = element_masks(elements)
    provenance = record["provenance"]
    return {
        "candidate_id": record["candidate_id"],
        "formula": record["formula"],
        "chemical_formula_anonymous": _anonymous(sites),
        "chemsys": "-".join(elements),
        "nelements": len(elements),
        "nsites": len(sites),
        "spacegroup_number": record["spacegroup_number"],
        "elements_low": low,
        "elements_high": high,
        "material_id": _material_id(provenance),
        "origin": _word(provenance[0]["name"]) if provenance else None,
    }


def _material_id(provenance: list[Record]) -> str | None:
    """The id that the database it came from gave it."""
    named = (step["details"]["material_id"] for step in provenance if "material_id" in step["details"])
    return _text(next(named, None))


def _anonymous(sites: list[Record]) -> str:
    """The anonymous formula, rarest first."""
    return anonymous_of(Counter(kind["element"] for site in sites for kind in site["species"]))


def _best_values(ranked: dict[str, list[PropertyValue]]) -> Row:
    row: Row = {}
    for column in column_properties():
        best = ranked[column.name][0].value if column.name in ranked else None
        row[column.name] = _text(best) if column.text else _number(best)
    return row


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str | None:
    return _word(value) if isinstance(value, str) else None


def _derived_rows(record: Record) -> dict[str, list[Row]]:
    return {
        "steps": [_step_row(i, step) for i, step in enumerate(record["provenance"])],
        "lineage": [{"parent_id": parent} for parent in parents(record)],
        "verdicts": [_verdict_row(v) for v in {v["screen"]: v for v in record["verdicts"]}.values()],
        "failures": [
            {"place": i, **{name: _word(text) for name, text in failure.items()}}
            for i, failure in enumerate(record["failures"])
        ],
    }


def parents(record: Record) -> list[str]:
    """What a candidate was made from, each once, in the order of its steps."""
    return list(dict.fromkeys(parent for step in record["provenance"] for parent in step["parents"]))


def _property_rows(ranked: dict[str, list[PropertyValue]]) -> list[Row]:
    return [_property_row(place, value) for values in ranked.values() for place, value in enumerate(values)]


def _property_row(place: int, value: PropertyValue) -> Row:
    low, high = value.interval or (None, None)
    is_vector = isinstance(value.value, tuple)
    return {
        "name": value.name,
        "place": place,
        "method": _word(value.method),
        "slug": method_slug(value.method),
        "value": _number(value.value),
        "text": json.dumps(value.value) if is_vector else _text(value.value),
        "units": value.units,
        "uncertainty": value.uncertainty,
        "interval_low": low,
        "interval_high": high,
        "coverage": value.coverage,
        "source": _word(value.source),
    }


def _step_row(place: int, step: Record) -> Row:
    words = {name: _word(step[name]) for name in ("stage", "name", "version", "config_hash", "time")}
    return {"place": place, "seed": None if step["seed"] is None else str(step["seed"]), **words}


def _verdict_row(verdict: Record) -> Row:
    numbers = {name: _number(verdict[name]) for name in ("score", "value", "threshold")}
    words = {"screen": _word(verdict["screen"]), "reason": _word(verdict["reason"])}
    return {"passed": bool(verdict["passed"]), **numbers, **words}


def _word(text: str) -> str:
    """Text as every database takes it; the record keeps the original."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
