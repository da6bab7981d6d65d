"""Which structure types are known? What a crystal is when its elements are nameless.

A type is the formula without elements, the space group, and the Wyckoff sequence of the nameless elements, made canonical as
that of crystals is (`core.identity`). Ion exchange cannot leave the types of its seeds; a model may.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..core.errors import StructureError
from ..core.identity import bucket_of, canonical_wyckoff
from ..core.settings import home
from .generation_kept import Progress
from .generation_reference import MOST_SITES
from .generation_world import World

if TYPE_CHECKING:
    from pymatgen.core import Structure

NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LAYOUT = 1  # of the kept file


def type_of(structure: Structure) -> str:
    """The structure type: `ABC3|221|...` for SrTiO3; empty if the crystal has no symmetry that could be made out."""
    try:
        bucket = bucket_of(structure)
    except StructureError:
        return ""
    amounts = structure.composition.reduced_composition.get_el_amt_dict()
    orbits = [part.split(":") for part in bucket.wyckoff.split()]
    sequences = (
        canonical_wyckoff(bucket.spacegroup_number, [(letter, names[element]) for letter, element in orbits])
        for names in _namings(amounts)
    )
    nameless = structure.composition.anonymized_formula
    return f"{nameless}|{bucket.spacegroup_number}|{min(sequences)}"


def known_types(world: World) -> frozenset[str]:
    """Those of the reference's crystals of at most 20 atoms; worked out once, in some minutes, and kept."""
    folder = home() / "cache" / "benchmarks"
    path = folder / f"structure-types-{LAYOUT}-{world.reference.digest or 'unnamed'}.json"
    if path.is_file():
        return frozenset(json.loads(path.read_text()))
    records = [r for some in world.reference.records.values() for r in some if r.nsites <= MOST_SITES]
    told, found = Progress("structure types of known crystals:", len(records)), set()
    for record in records:
        found.add(type_of(record.structure()))
        told.advance()
    told.end()
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(sorted(found)))
    partial.replace(path)
    return frozenset(found)


def _namings(amounts: dict[str, float]) -> Iterator[dict[str, str]]:
    """Every way to name the elements by ascending amount."""
    alike: dict[float, list[str]] = defaultdict(list)
    for element, amount in amounts.items():
        alike[amount].append(element)
    groups: Sequence[list[str]] = [alike[amount] for amount in sorted(alike)]
    for orders in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield dict(zip(itertools.chain(*orders), NAMES, strict=False))
