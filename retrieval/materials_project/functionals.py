"""By which functional was a band gap computed?

A gap's record names the calculation it comes from; the route `core` names the functional of each calculation of
a material. Where either is silent, the functional is not known, and is not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .cache import Query
from .client import Client
from .documents import Core, ElectronicStructure, Summary, read
from .pages import gather
from .values import functional

ELECTRONIC_STRUCTURE = "electronic_structure"
IDS_PER_QUERY = 200
"""Some ten letters each: an address of 2 kB, which servers and proxies take."""
FIELDS = ("material_id", "run_types")


def gap_functionals(
    client: Client, records: Sequence[Summary | ElectronicStructure], version: str
) -> dict[str, str]:
    """Functional of the gap by material id; a material for which it is not known is left out.

    Args:
        client: The server.
        records: Of the materials.
        version: Of the database they came from.
    """
    origins = {record.material_id: task for record in records if (task := gap_task(record))}
    run_types = run_types_of(client, sorted(origins), version)
    found = {
        material_id: functional(run_types.get(material_id, {}).get(task))
        for material_id, task in origins.items()
    }
    return {material_id: name for material_id, name in found.items() if name}


def gap_task(record: Summary | ElectronicStructure) -> str | None:
    """The calculation a gap comes from."""
    if record.band_gap is None:
        return None
    named = (o.task_id for o in record.origins or () if o.name == ELECTRONIC_STRUCTURE)
    own = record.task_id if isinstance(record, ElectronicStructure) else None
    return own or next(named, None)


def run_types_of(client: Client, material_ids: Sequence[str], version: str) -> dict[str, Mapping[str, str]]:
    """The functional of each calculation of some materials."""
    batches = (material_ids[i : i + IDS_PER_QUERY] for i in range(0, len(material_ids), IDS_PER_QUERY))
    queries = [Query("core", {"material_ids": ",".join(batch)}, FIELDS) for batch in batches]
    records = (read(Core, raw)[0] for raw in gather(client, queries, version).documents())
    return {r.material_id: r.run_types for r in records if r is not None and r.run_types}
