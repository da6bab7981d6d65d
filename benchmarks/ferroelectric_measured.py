"""Which candidates has the screen measured already?

A measurement takes seconds, a row some hundred of them. They stand in
`HYSTERON_HOME/cache/benchmarks/ferroelectric/NAME-KEY.jsonl`, one line each; the key is made of all that decides them:
settings, potential, version and code of the screen. Without `resume` they are made anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..core.candidate import Candidate
from ..core.settings import home


class Measured:
    """Measured candidates by their id.

    Args:
        name: Of the row.
        key: JSON of what decides a measurement, beside the screen's own code.
        resume: Read what was measured before.
        folder: Where it is kept.
    """

    def __init__(
        self, name: str, key: dict[str, Any], resume: bool = False, folder: Path | None = None
    ) -> None:
        folder = folder or home() / "cache" / "benchmarks" / "ferroelectric"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**key, "code": _code()}, sort_keys=True)
        self.path = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.jsonl"
        self.count = 0
        if not resume:
            self.path.unlink(missing_ok=True)
        self._kept = self._read()

    def measured(
        self, start: Candidate, measure: Callable[[Candidate], tuple[Candidate, float]]
    ) -> tuple[Candidate, float]:
        """A candidate after the screen's `measure`, and the seconds it took."""
        self.count += 1
        if start.candidate_id not in self._kept:
            candidate, seconds = measure(start)
            self._kept[start.candidate_id] = (candidate, seconds)
            with self.path.open("a", encoding="utf-8") as lines:
                record = {"candidate": candidate.to_record(), "seconds": seconds}
                lines.write(json.dumps(record) + "\n")
            if self.count % 20 == 0:
                print(f"{self.path.stem}: {self.count} measured", file=sys.stderr, flush=True)
        return self._kept[start.candidate_id]

    def _read(self) -> dict[str, tuple[Candidate, float]]:
        kept: dict[str, tuple[Candidate, float]] = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue  # half a line, from an interruption
                candidate = Candidate.from_record(record["candidate"])
                kept[candidate.candidate_id] = (candidate, float(record["seconds"]))
        return kept


def _code() -> str:
    """Digest of the screen's source and tables."""
    digest = hashlib.sha256()
    for folder, pattern in (("screening/ferroelectric", ".py"), ("data", ".json")):
        place = files("hysteron")
        for part in folder.split("/"):
            place = place / part
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            if file.name.endswith(pattern) and file.name != "hull.json":
                digest.update(file.read_bytes())
    return digest.hexdigest()
