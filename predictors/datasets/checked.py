"""Do the numbers of one calculation fit together?

Every reader of frames ends here: shapes, finite values, whole atomic numbers. What is stored in single precision is
widened, which changes no value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ...core.errors import InputError
from ..cell import Cell
from .records import Frame

MAX_ATOMS = 100_000
HEAVIEST = 118
LEAST_VOLUME = 1e-3
"""A^3; a cell that repeats in three directions holds more."""

_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
"""Places of xx yy zz yz xz xy, ASE's order, in the tensor."""


def checked_frame(
    key: str,
    fidelity: str,
    numbers: object,
    positions: object,
    lattice: object,
    *,
    periodic: object = (True, True, True),
    energy: object = None,
    reference_energy: object = None,
    forces: object = None,
    stress: object = None,
    tags: object = None,
    fixed: object = None,
    relaxed_positions: object = None,
    relaxed_energy: object = None,
    info: Mapping[str, object] | None = None,
) -> Frame:
    """A frame of arrays as a file holds them.

    Args: as the attributes of `Frame`; `stress` as 6 (xx yy zz yz xz xy) or 9 numbers; what is `None` was not told.

    Raises:
        InputError: a shape does not fit, a number is not finite, or there is no such element.
    """
    atoms = whole(numbers, "numbers")
    count = len(atoms)
    if not 1 <= count <= MAX_ATOMS:
        raise InputError(f"It has {count} atoms; 1 to {MAX_ATOMS} are read.")
    if atoms.min() < 1 or atoms.max() > HEAVIEST:
        wrong = int(atoms.min()) if atoms.min() < 1 else int(atoms.max())
        raise InputError(f"It has an atom of atomic number {wrong}; 1 to {HEAVIEST} are elements.")
    repeats = _flags(periodic, 3, "pbc")
    cell = Cell(atoms, real(positions, (count, 3), "positions"), real(lattice, (3, 3), "cell"))
    if repeats.all() and cell.volume < LEAST_VOLUME:
        raise InputError(f"Its cell is flat: {cell.volume:.3g} A^3.")
    return Frame(
        key=key,
        cell=cell,
        fidelity=fidelity,
        periodic=repeats,
        energy=number(energy, "energy"),
        reference_energy=number(reference_energy, "reference_energy"),
        forces=None if forces is None else real(forces, (count, 3), "forces"),
        stress=None if stress is None else _stress(stress),
        tags=None if tags is None else whole(tags, "tags", count),
        fixed=None if fixed is None else _flags(fixed, count, "fixed"),
        relaxed_positions=None
        if relaxed_positions is None
        else real(relaxed_positions, (count, 3), "relaxed positions"),
        relaxed_energy=number(relaxed_energy, "relaxed energy"),
        info=info or {},
    )


def number(value: object, what: str) -> float | None:
    """One finite number; `None` stays `None`.

    Raises:
        InputError: it is none.
    """
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0].item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"Its {what} is {str(value)[:40]!r}, not a number.")
    if not math.isfinite(value):
        raise InputError(f"Its {what} is {value}, not a finite number.")
    return float(value)


def real(values: object, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Finite numbers of this shape, in double precision.

    Raises:
        InputError: they are not.
    """
    array = _array(values, what)
    if array.shape != shape:
        raise InputError(f"Its {what} have shape {array.shape}, expected {shape}.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"Its {what} hold a number that is not finite.")
    return array


def whole(values: object, what: str, count: int | None = None) -> np.ndarray:
    """Whole numbers, one for each atom; old files store them as real ones.

    Raises:
        InputError: they are not.
    """
    array = _array(values, what)
    if array.ndim != 1 or count not in (None, len(array)):
        raise InputError(f"Its {what} have shape {array.shape}, expected {(count or 'nsites',)}.")
    with np.errstate(invalid="ignore"):
        found = array.astype(np.int64)
    if array.dtype.kind == "f" and not (found == array).all():
        raise InputError(f"Its {what} are not whole.")
    return found


def _flags(values: object, count: int, what: str) -> np.ndarray:
    array = whole(values, what, count)
    if not ((array == 0) | (array == 1)).all():
        raise InputError(f"Its {what} are not true or false.")
    return array.astype(bool)


def _stress(values: object) -> np.ndarray:
    array = _array(values, "stress")
    if array.size not in (6, 9):
        raise InputError(f"Its stress has shape {array.shape}, expected 6 or 9 numbers.")
    flat = real(array.reshape(-1), (array.size,), "stress")
    return flat[_VOIGT] if flat.size == 6 else flat.reshape(3, 3)


def _array(values: object, what: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"Its {what} are not a table: the rows differ in length.") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"Its {what} are not numbers.")
    return array
