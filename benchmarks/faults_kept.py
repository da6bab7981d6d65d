"""Which faults were tried before? Each is written to a file as soon as it is over, for `hysteron benchmark faults --resume`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.settings import config_hash, home
from ..store.comparison import Differences


@dataclass
class Fault:
    """One fault and what became of it.

    Attributes:
        kind: What was killed, or what failed.
        at_seconds: After the run had begun.
        stage: The last one of which a chunk was done by then.
        before: How the store differed from an undisturbed one when everything had come to rest.
        after: And after the run was gone on with.
        resumed: Whether it had to be resumed at all.
        too_late: How often it was tried before, and came after the run had ended.
        seconds: Wall time of all of it.
    """

    kind: str
    at_seconds: float
    stage: str
    before: Differences
    after: Differences
    resumed: bool
    too_late: int = 0
    seconds: float = 0.0


@dataclass
class Kept:
    """The faults of one benchmark, by number.

    Attributes:
        path: One JSON object a line.
        faults: What stands there.
    """

    path: Path
    faults: dict[int, Fault] = field(default_factory=dict)

    def add(self, number: int, fault: Fault) -> None:
        """Note a fault that is over."""
        self.faults[number] = fault
        with self.path.open("a") as lines:
            lines.write(json.dumps({"number": number, **asdict(fault)}) + "\n")


def kept(key: dict[str, Any], resume: bool, folder: Path | None = None) -> Kept:
    """Where the faults of a benchmark are noted.

    Args:
        key: All that decides them.
        resume: Read what stands there; without it the file is begun anew.
        folder: By default in `HYSTERON_HOME/cache`.
    """
    folder = folder or home() / "cache" / "benchmarks" / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    found = Kept(folder / f"{config_hash(key)}.jsonl")
    if not resume:
        found.path.unlink(missing_ok=True)
    elif found.path.exists():
        for line in found.path.read_text().splitlines():
            record = json.loads(line)
            number = record.pop("number")
            sides: dict[str, Any] = {s: Differences(**record.pop(s)) for s in ("before", "after")}
            found.faults[number] = Fault(**record | sides)
    return found
