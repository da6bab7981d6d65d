"""The whole way of a candidate: into a store, exported, run by an engine, ingested; by the commands that users have."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hysteron.cli.main import main
from hysteron.core.candidate import Candidate
from hysteron.store.store import CandidateStore

COMPARED = (
    "energy_per_atom",
    "band_gap",
    "polarization",
    "polar_nonpolar_energy_difference",
    "switching_barrier",
)


@dataclass(frozen=True)
class Loop:
    """What stands after it.

    Attributes:
        before: As the candidate was exported.
        after: As it stands in the store.
        export: The folder.
        record: What 'ingest' printed.
        told: What it said beside.
    """

    before: Candidate
    after: Candidate
    export: Path
    record: dict
    told: str


@pytest.fixture
def close_the_loop(tmp_path, capsys) -> Callable[..., Loop]:
    """Export one candidate, let an engine run the files, ingest, and ingest once more, which must change nothing."""

    def close(
        candidate: Candidate, format: str, settings: dict, engine: Callable[[Path], list[tuple[str, float]]]
    ) -> Loop:
        work = Path(os.environ.get("HYSTERON_LOOP_FOLDER", tmp_path)) / f"{candidate.candidate_id}-{format}"
        store, export = str(tmp_path / "store.db"), work / "dft"
        with CandidateStore.open(store) as opened:
            opened.upsert([candidate])
        if not export.exists():
            given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
            chosen = f'candidate_id = "{candidate.candidate_id}"'
            assert (
                main(["export", chosen, "--to", format, "--out", str(export), "--store", store, *given]) == 0
            )
        timed = engine(export)
        capsys.readouterr()
        code = main(["ingest", str(export), "--store", store, "--format", "jsonl"])
        answer = capsys.readouterr()
        assert code == 0, answer.err
        with CandidateStore.open(store) as opened:
            after = opened.get(candidate.candidate_id)
            assert main(["ingest", str(export), "--store", store, "--format", "jsonl"]) == 0
            assert opened.get(candidate.candidate_id).to_record() == after.to_record()
        loop = Loop(candidate, after, export, json.loads(answer.out.splitlines()[0]), answer.err)
        with capsys.disabled():
            print(transcript(loop, settings, timed))
        return loop

    return close


def transcript(loop: Loop, settings: dict, timed: list[tuple[str, float]]) -> str:
    """What was run, how long it took, and each estimate beside what DFT says."""
    lines = [f"\n== {loop.before.candidate_id}, {settings}"]
    lines += [f"{seconds:7.1f} s  {name}" for name, seconds in timed]
    lines.append(loop.told.strip())
    for name in COMPARED:
        for value in loop.after.all_of(name):
            spread = (
                f" (interval {value.interval[0]:.4g} to {value.interval[1]:.4g})" if value.interval else ""
            )
            lines.append(f"{name:34} {value.value:12.5g} {value.units:10} {value.method}{spread}")
    lines.append(json.dumps(loop.record["ingest"].get("path")))
    return "\n".join(lines)
