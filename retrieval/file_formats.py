"""How is a file of crystals read? The format is told by the file's name, never by its content.

Every reader yields `(part, crystal)`: `part` is `None` for a file with one crystal, else its number; `crystal` is a
`Structure`, a `Candidate` (our own records), or the error that says why there is none. One bad part does not
spoil the others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError, StructureError
from .sanity import MAX_SITES, require_site_count

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

    Crystal = Structure | Candidate | Exception
    Part = tuple[int | None, Crystal]
    Reader = Callable[[Path], Iterator[Part]]

MAX_FILE_BYTES = 20_000_000
"""Of a file that is read at once (CIF, POSCAR)."""
MAX_LINE_CHARACTERS = 5_000_000
"""Of a file that is read by lines (extxyz, JSONL)."""
NAMES = "*.cif, POSCAR*, CONTCAR*, *.vasp, *.poscar, *.extxyz, *.xyz, *.jsonl"
_VASP_NAME = re.compile(r"(poscar|contcar)([._-].*)?$", re.IGNORECASE)
_SAFE_ID = re.compile(r"[A-Za-z0-9()._+-]{1,120}$")


def format_of(path: Path) -> str | None:
    """`CIF`, `POSCAR`, `extxyz` or `JSONL` by the file's name; `None` if the name tells none."""
    suffixes = {
        ".cif": "CIF",
        ".vasp": "POSCAR",
        ".poscar": "POSCAR",
        ".extxyz": "extxyz",
        ".xyz": "extxyz",
        ".jsonl": "JSONL",
    }
    known = suffixes.get(path.suffix.lower())
    return known or ("POSCAR" if _VASP_NAME.match(path.name) else None)


def read_parts(path: Path, format_name: str) -> Iterator[Part]:
    """Every crystal of a file.

    Raises:
        InputError: the file as a whole cannot be read.
        OSError, UnicodeDecodeError: likewise.
    """
    readers: dict[str, Reader] = {
        "CIF": read_cif,
        "POSCAR": read_poscar,
        "extxyz": read_extxyz,
        "JSONL": read_jsonl,
    }
    return readers[format_name](path)


def read_cif(path: Path) -> Iterator[Part]:
    """One part per data block that lists atoms, numbered from 0."""
    from .cif_reader import blocks, read_block

    found = blocks(_whole_text(path))
    for i, block in enumerate(found):
        yield i if len(found) > 1 else None, _attempt(read_block, block)


def read_poscar(path: Path) -> Iterator[Part]:
    """One crystal; the POTCAR beside it is not looked at."""
    yield None, _attempt(_poscar, _whole_text(path))


def _poscar(text: str) -> Structure:
    import warnings

    from pymatgen.io.vasp import Poscar

    _require_few_atoms(text)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Elements in POSCAR cannot be determined")
        try:
            return Poscar.from_str(text, read_velocities=False).structure
        except UserWarning:
            raise StructureError(
                "It does not name its elements (VASP 4 format); add a line with their symbols above the counts."
            ) from None


def _require_few_atoms(text: str) -> None:
    """Refuse absurd numbers of atoms before a list of that length is made of them."""
    counts: list[int] = []
    for line in text.splitlines()[5:]:
        numbers = _integers(line)
        if counts and not numbers:
            break
        counts += numbers
    if counts and min(counts) < 1:
        raise StructureError(f"{min(counts)} atoms of one element.")
    require_site_count(sum(counts))


def _integers(line: str) -> list[int]:
    try:
        return [int(word) for word in line.partition("#")[0].split()]
    except ValueError:
        return []


def read_extxyz(path: Path) -> Iterator[Part]:
    """One part per frame, numbered from 0 as ASE does, if there are several."""
    frames = _frames(path)
    first, second = next(frames, None), next(frames, None)
    if first is None:
        raise InputError("The file is empty.")
    yield (None if second is None else 0), _attempt(_periodic, first)
    if second is not None:
        yield 1, _attempt(_periodic, second)
    for i, frame in enumerate(frames, start=2):
        yield i, _attempt(_periodic, frame)


def _frames(path: Path) -> Iterator[str | Exception]:
    """The text of each frame, or why there is none; ends at a frame whose length is not known."""
    lines = _lines(path)
    for line in lines:
        if not line.strip():
            continue
        if not re.fullmatch(r"\s*\d{1,12}\s*", line):
            yield StructureError(f"{line.strip()[:40]!r} stands where the number of atoms was expected.")
            return
        count = int(line)
        small = count <= MAX_SITES
        taken = [text if small else "" for text in islice(lines, count + 1)]
        if not small:
            yield StructureError(f"{count} atoms in the cell; at most {MAX_SITES} are accepted.")
        elif len(taken) < count + 1:
            yield StructureError(f"{count} atoms are announced and {max(0, len(taken) - 1)} follow.")
        else:
            yield line + "".join(taken)


def _periodic(frame: str | Exception) -> Structure:
    from ase.io.extxyz import read_extxyz as parse
    from pymatgen.core import Structure

    if isinstance(frame, Exception):
        raise frame
    atoms = next(parse(io.StringIO(frame), index=0))
    directions = int(sum(atoms.pbc))
    if directions < 3 or atoms.cell.rank < 3:
        raise StructureError(
            f"It is periodic in {min(directions, atoms.cell.rank)} directions, not in three."
        )
    symbols = atoms.get_chemical_symbols()
    if "X" in symbols:
        raise StructureError("'X' is a placeholder, not a chemical element.")
    return Structure(atoms.cell.array, symbols, atoms.positions, coords_are_cartesian=True)


def read_jsonl(path: Path) -> Iterator[Part]:
    """One part per line, numbered from 1; records as `Candidate.to_record` writes them."""
    empty = True
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            empty = False
            yield number, _attempt(_record, line)
    if empty:
        raise InputError("The file is empty.")


def _record(line: str) -> Candidate:
    import orjson

    from ..core.candidate import Candidate

    record = orjson.loads(line)
    if not isinstance(record, dict):
        raise InputError(f"A record is a JSON object; this line is a {type(record).__name__}.")
    if not _SAFE_ID.match(str(record.get("candidate_id"))):
        raise InputError("The record has no candidate_id of letters, digits and ()._+- .")
    return Candidate.from_record(record)


def _attempt(read: Callable[[Any], Crystal], what: Any) -> Crystal:
    """What `read` makes of one part, or the error as a value."""
    try:
        return read(what)
    except Exception as error:  # parsers of foreign files raise whatever they like
        return error


def _whole_text(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(f"The file has {size / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read.")
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise InputError("The file is empty.")
    return text


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as lines:
        while line := lines.readline(MAX_LINE_CHARACTERS + 1):
            if len(line) > MAX_LINE_CHARACTERS:
                raise InputError(f"A line is longer than {MAX_LINE_CHARACTERS / 1e6:.0f} million characters.")
            yield line
