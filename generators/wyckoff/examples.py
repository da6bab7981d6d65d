"""Which crystals teach the generators, and what is known of each?

Crystals of the data folder in the words of their space groups, with the labels that generators are asked for. Encoding takes some
milliseconds each, so what was encoded is kept; a crystal that cannot be encoded is counted with its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.crystals import CrystalRecord
from ...core.errors import HysteronError
from ...core.identity import SYMPREC_ANGSTROM
from .crystal import WyckoffCrystal
from .encode import encode

LABELS = {
    "band_gap": "band_gap",
    "formation_energy_per_atom": "formation_energy_per_atom",
    "energy_above_hull": "e_above_hull",
}
"""Property to the field of the data folder."""
AT_ONCE = 200
LAYOUT = 1  # of the kept file; another one is encoded anew

Encode = Callable[[Sequence[CrystalRecord], int], list[str]]
Spread = Callable[[Encode, Iterable[tuple[Sequence[CrystalRecord], int]]], Iterator[tuple[int, list[str]]]]
"""Calls a function on each of many arguments, in any order, and tells which one a result is of."""


@dataclass(frozen=True)
class Example:
    """A crystal to learn from.

    Attributes:
        key: Its id.
        split: `train`, `val` or `test`.
        crystal: In the words of its space group.
        properties: Known ones, in the unit of the property table.
    """

    key: str
    split: str
    crystal: WyckoffCrystal
    properties: dict[str, float] = field(default_factory=dict)


def encoded(records: Sequence[CrystalRecord], most_atoms: int) -> list[str]:
    """One JSON line for each record: its crystal, or why there is none."""
    lines = []
    for record in records:
        told: dict = {"key": record.material_id, "split": record.labels.get("split", "")}
        try:
            told["crystal"] = encode(record.structure(), most_atoms).to_dict()
            told["properties"] = {
                name: float(record.labels[column])
                for name, column in LABELS.items()
                if record.labels.get(column) is not None
            }
        except HysteronError as error:
            told["reason"] = str(error)
        lines.append(json.dumps(told))
    return lines


def examples(
    records: Sequence[CrystalRecord],
    most_atoms: int,
    cache: Path,
    spread: Spread,
    on_done: Callable[[int], None] | None = None,
) -> tuple[list[Example], Counter[str]]:
    """The crystals of at most so many atoms in the order of the records, and reasons of those that could not be encoded.

    Args:
        records: Of the data folder.
        most_atoms: In the primitive cell; a larger record is left out without a count.
        cache: Folder of what was encoded before.
        spread: Calls `encoded` on parts of the records.
        on_done: Called with the number of records of each part.
    """
    small = [record for record in records if record.nsites <= most_atoms]
    path = cache / f"wyckoff-{_digest(small, most_atoms)}.jsonl"
    if not path.is_file():
        parts: dict[int, list[str]] = {}
        chunks = [small[i : i + AT_ONCE] for i in range(0, len(small), AT_ONCE)]
        for i, lines in spread(encoded, ((chunk, most_atoms) for chunk in chunks)):
            parts[i] = lines
            if on_done:
                on_done(len(lines))
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text("".join(f"{line}\n" for i in sorted(parts) for line in parts[i]), encoding="utf-8")
        part.replace(path)
    return _read(path)


def _read(path: Path) -> tuple[list[Example], Counter[str]]:
    found, refused = [], Counter()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            if "crystal" in told:
                crystal = WyckoffCrystal.from_dict(told["crystal"])
                found.append(Example(told["key"], told["split"], crystal, told["properties"]))
            else:
                refused[told["reason"]] += 1
    return found, refused


def _digest(records: Iterable[CrystalRecord], most_atoms: int) -> str:
    """Tells apart crystals, labels, tolerance and layout."""
    found = hashlib.sha256(f"{LAYOUT}|{SYMPREC_ANGSTROM}|{most_atoms}".encode())
    for record in records:
        shown = (record.material_id, record.labels, record.lattice, record.species, record.frac_coords)
        found.update(json.dumps(shown, sort_keys=True).encode())
    return found.hexdigest()[:16]
