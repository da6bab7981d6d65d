"""What does one row of an ASE database say, whoever wrote its JSON?

ASE's own decoder builds objects that the text names (`__ase_objtype__`). Here only `__ndarray__` is decoded, of plain
numbers and of the size it announces; everything else stays text, numbers and containers of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import InputError
from .checked import checked_frame, whole
from .records import Frame

MAX_ELEMENTS = 10_000_000
"""Most numbers in one array."""

_TYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
}  # fmt: skip


def frame_of_row(row: Mapping[str, Any], key: str, fidelity: str) -> Frame:
    """A frame of the fields of a row: `numbers`, `positions`, `cell`, `pbc`, and results where there are any.

    Args:
        row: Arrays as numpy arrays, as nested lists, or as `{"__ndarray__": [shape, type, numbers]}`.
        key: What the frame is called.
        fidelity: Of its energy.

    Raises:
        InputError: a field is missing, or does not fit.
    """
    missing = [name for name in ("numbers", "positions", "cell") if row.get(name) is None]
    if missing:
        raise InputError(f"the row lacks {', '.join(missing)}.")
    fields = {name: decoded(row.get(name)) for name in ("numbers", "positions", "cell", "pbc", *_RESULTS)}
    numbers = whole(fields["numbers"], "numbers")
    return checked_frame(
        key,
        fidelity,
        numbers,
        fields["positions"],
        fields["cell"],
        periodic=(True, True, True) if fields["pbc"] is None else fields["pbc"],
        energy=fields["energy"],
        forces=fields["forces"],
        stress=fields["stress"],
        tags=fields["tags"],
        fixed=fixed_atoms(row.get("constraints"), len(numbers)),
        info=_remarks(row),
    )


def decoded(value: Any) -> Any:
    """An array that was written as `__ndarray__`; every other value as it is.

    Raises:
        InputError: its type is none of plain numbers, or its size is not what it announces.
    """
    if not isinstance(value, Mapping):
        return value
    if set(value) != {"__ndarray__"}:
        raise InputError(
            f"an array is written as {', '.join(map(str, value))[:60]!r}; only numbers are read."
        )
    parts = value["__ndarray__"]
    if not isinstance(parts, list) or len(parts) != 3:
        raise InputError("an array is written without shape, type and numbers.")
    shape, kind, numbers = parts
    if kind not in _TYPES:
        raise InputError(f"an array has the type {str(kind)[:40]!r}; only plain numbers are read.")
    ok = (
        isinstance(shape, list)
        and all(type(n) is int and n >= 0 for n in shape)
        and isinstance(numbers, list)
    )
    if not ok or len(shape) > 8 or math.prod(shape) != len(numbers) or len(numbers) > MAX_ELEMENTS:
        raise InputError(f"an array of shape {str(shape)[:40]} does not fit its numbers.")
    try:
        return np.array(numbers, dtype=kind).reshape(shape)
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"an array of type {kind} holds something else.") from None


def fixed_atoms(constraints: Any, count: int) -> np.ndarray | None:
    """Atoms that `FixAtoms` holds in place; `None` without any constraint.

    Raises:
        InputError: the constraints cannot be read, or name an atom that is not there.
    """
    if not constraints:
        return None
    if not isinstance(constraints, list) or not all(isinstance(c, Mapping) for c in constraints):
        raise InputError("its constraints are no list of them.")
    fixed = np.zeros(count, dtype=bool)
    for constraint in constraints:
        arguments = constraint.get("kwargs")
        if constraint.get("name") == "FixAtoms" and isinstance(arguments, Mapping):
            indices = whole(decoded(arguments.get("indices")), "fixed atoms")
            if len(indices) and not 0 <= indices.min() <= indices.max() < count:
                raise InputError(f"its constraints fix an atom that is not among its {count}.")
            fixed[indices] = True
    return fixed


_RESULTS = ("energy", "forces", "stress", "tags")
_REMARKS = ("free_energy", "unique_id")


def _remarks(row: Mapping[str, Any]) -> dict[str, object]:
    """What else the row states in single numbers and words."""
    found: dict[str, object] = {}
    for more in (row.get("key_value_pairs"), row.get("data"), {name: row.get(name) for name in _REMARKS}):
        if isinstance(more, Mapping):
            found |= {str(k): v for k, v in more.items() if isinstance(v, int | float | str)}
    return found
