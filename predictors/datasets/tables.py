"""How is a table or a line of a data set read, so that what is wrong with it becomes a sentence?

An empty field is no label; a number that is not finite, or text where a number belongs, is refused with its row.
Tables are read without pandas' own idea of missing values: sodium nitride's formula is the text `NaN`.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError, MissingDataError
from ...core.settings import data_dir
from ..cell import Cell
from .records import Label

MOST_BYTES_OF_A_LINE = 50_000_000

Row = Mapping[str, Any]


def data_path(name: str, data: Path | None = None) -> Path:
    """A file of the data folder.

    Args:
        name: Inside the folder: `perovskites/perov5_structures.jsonl.gz`.
        data: The folder; `HYSTERON_DATA_DIR` if none is given.

    Raises:
        MissingDataError: no folder is named, or it lacks the file.
    """
    path = (data or data_dir()) / name
    if not path.is_file():
        raise MissingDataError(
            f"There is no file {path}; HYSTERON_DATA_DIR must name the folder that holds it."
        )
    return path


def read_rows(path: Path, needed: Iterable[str]) -> Iterator[tuple[str, Row]]:
    """Rows of a CSV file, gzipped or not, each with its place in words: `labels.csv.gz row 7`.

    Raises:
        InputError: the file cannot be read as CSV, or lacks a column.
    """
    import pandas

    try:
        table = pandas.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}.") from None
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(
            f"{path.name} lacks the columns {', '.join(missing)}; it has {', '.join(map(str, table.columns))}."
        )
    names = list(table.columns)
    for number, values in enumerate(table.itertuples(index=False, name=None), start=1):
        yield f"{path.name} row {number}", dict(zip(names, values, strict=True))


def read_json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a gzipped JSONL file, each with its place in words.

    Raises:
        InputError: a line is no JSON object or is longer than 50 MB, or the file is cut off.
    """
    import orjson

    with gzip.open(path, "rb") as lines:
        for number in range(1, 1 << 62):
            where = f"{path.name} line {number}"
            try:
                line = lines.readline(MOST_BYTES_OF_A_LINE)
                record = orjson.loads(line) if line else None
            except (OSError, EOFError, zlib.error, orjson.JSONDecodeError) as error:
                raise InputError(f"{where} cannot be read: {error}.") from None
            if not line:
                return
            if not isinstance(record, dict):
                raise InputError(f"{where} is no JSON object.")
            yield where, record


def number(row: Row, column: str, where: str) -> float | None:
    """A field as a finite number; `None` where it is empty.

    Raises:
        InputError: the field holds something else.
    """
    value = row.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{where}: {column} is {value!r}, expected a finite number or nothing.")
    return found


def text(row: Row, column: str, where: str) -> str:
    """A field as text that is not empty.

    Raises:
        InputError: the field is empty or no text.
    """
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: {column} is {value!r}, expected text.")
    return value.strip()


def labels_of(row: Row, wanted: Mapping[str, tuple[str, str, str]], where: str) -> tuple[Label, ...]:
    """Labels of a row; empty fields give none.

    Args:
        row: The row.
        wanted: Column to name, units and fidelity.
        where: The row's place in words.
    """
    found = ((number(row, column, where), *rest) for column, rest in wanted.items())
    return tuple(
        Label(name, value, units, fidelity) for value, name, units, fidelity in found if value is not None
    )


def columns_of(row: Row, wanted: Mapping[str, str], where: str) -> dict[str, float]:
    """Inputs of a row by their names here; empty fields are absent.

    Args:
        row: The row.
        wanted: Column to the name it gets.
        where: The row's place in words.
    """
    found = {name: number(row, column, where) for column, name in wanted.items()}
    return {name: value for name, value in found.items() if value is not None}


def cell_of(lattice: Any, species: Any, frac_coords: Any, where: str) -> Cell:
    """Arrays of a crystal given by fractional coordinates.

    Args:
        lattice: `(a, b, c, alpha, beta, gamma)` in A and degrees, or three rows in A.
        species: Element symbols.
        frac_coords: One triple per site.
        where: The row's place in words.

    Raises:
        InputError: shapes that do not fit, an unknown element, a cell without volume.
    """
    from ase.data import atomic_numbers

    try:
        matrix = np.array(lattice, dtype=float)
        matrix = _matrix(matrix) if matrix.shape == (6,) else matrix
        numbers = np.array([atomic_numbers[symbol] for symbol in species], dtype=np.int64)
        coords = np.array(frac_coords, dtype=float).reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} has no readable crystal: {type(error).__name__} {error}.") from None
    if matrix.shape != (3, 3) or len(coords) != len(numbers) or not len(numbers) or 0 in numbers:
        raise InputError(
            f"{where} has a {matrix.shape} lattice, {len(numbers)} species, {len(coords)} sites."
        )
    if not (np.isfinite(matrix).all() and np.isfinite(coords).all() and abs(np.linalg.det(matrix)) > 1e-3):
        raise InputError(f"{where} has a cell without volume, or coordinates that are not finite.")
    return Cell(numbers=numbers, positions=coords @ matrix, lattice=matrix)


def _matrix(parameters: np.ndarray) -> np.ndarray:
    """Rows of the lattice, c along z, as pymatgen's `Lattice.from_parameters` has them."""
    a, b, c = parameters[:3]
    cosines = np.cos(np.radians(parameters[3:]))
    sine_alpha, sine_beta = np.sqrt(1 - cosines[:2] ** 2)
    cosine_star = np.clip((cosines[0] * cosines[1] - cosines[2]) / (sine_alpha * sine_beta), -1, 1)
    return np.array(
        [
            [a * sine_beta, 0.0, a * cosines[1]],
            [-b * sine_alpha * cosine_star, b * sine_alpha * np.sqrt(1 - cosine_star**2), b * cosines[0]],
            [0.0, 0.0, c],
        ]
    )
