"""How long does one road from the Materials Project's records to crystals take, alone in a fresh process?

`MP_API_ENDPOINT=... python -m hysteron.benchmarks.materials_project_process TASK RESULT.json`. Imports and first
uses are over before the clock starts. Tasks: `ours` (candidates of our source), `plain` (mp-api's document
models, then symmetry and identity of all crystals at once), `models` (mp-api's document models alone).
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.filters import parse
from ..retrieval.materials_project.access import api_key, endpoint
from ..retrieval.materials_project.source import FIELDS, MaterialsProject
from .relaxation_process import Clock

WARM_UP = "nelements = 1 AND nsites <= 4"
EVERYTHING = "nelements >= 1"


def ours() -> tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]:
    """Candidates, looked at one by one and let go."""
    source = MaterialsProject()
    list(source.search(parse(WARM_UP)))

    def work() -> dict[str, Any]:
        ids, records = [], 0
        for candidate in source.search(parse(EVERYTHING)):
            ids.append(candidate.candidate_id)
            records += 1 + len(candidate.provenance[0].details.get("same_as", ()))
        return {"records": records + len(source.failures), "candidates": len(ids), "ids": sorted(ids)}

    return work, lambda found: found


def plain() -> tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]:
    """The road without our client: documents as mp-api makes them, every crystal held, ids for all at once."""
    from ..core.identity import IdentityIndex
    from ..retrieval.sanity import usable

    search = _models()
    IdentityIndex().assign_all([usable(document.structure)[0] for document in search((1, 1))])

    def work() -> tuple[int, set[str]]:
        structures = [usable(document.structure)[0] for document in search((1, 100))]
        return len(structures), {name for name, _, _ in IdentityIndex().assign_all(structures)}

    def told(found: tuple[int, set[str]]) -> dict[str, Any]:
        return {"records": found[0], "candidates": len(found[1]), "ids": sorted(found[1])}

    return work, told


def models() -> tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]:
    """Only mp-api's documents."""
    search = _models()
    search((1, 1))
    return lambda: search((1, 100)), lambda found: {"records": len(found)}


def _models() -> Callable[[tuple[int, int]], list[Any]]:
    """mp-api's own search with its document models, all fields that ours asks for."""
    from mp_api.client import MPRester

    rester = MPRester(api_key(), endpoint=endpoint(), mute_progress_bars=True)

    def search(num_elements: tuple[int, int]) -> list[Any]:
        return rester.materials.summary.search(num_elements=num_elements, fields=list(FIELDS))

    return search


TASKS = {"ours": ours, "plain": plain, "models": models}


def main(task: str, result: str) -> None:
    """Run one task and write what it came to."""
    warnings.simplefilter("ignore")
    work, told = TASKS[task]()
    clock = Clock()
    found = work()
    passed = clock.read()
    Path(result).write_text(json.dumps(passed | told(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
