"""Which sets of crystals, and which of their relaxations, are there already?

A set stands in `HYSTERON_HOME/cache/benchmarks/generation/NAME-KEY.jsonl`; the key is made of all that decides it: weights,
settings, code, seed, number. Relaxations stand in `NAME.relaxed.jsonl`, the relaxer's own checkpoint: each is found by its
geometry, relaxer and weights, so an interrupted set goes on where it was, and a set that is made anew and equals the one
before need not be relaxed again. Without `resume` both are made anew; in one run each is made once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.contracts import Relaxation
from ..core.settings import Settings, config_hash, home
from .generation_figures import Made

if TYPE_CHECKING:
    from ..predictors.relaxation.relaxer import BatchedRelaxer

SECONDS_BETWEEN_LINES = 30.0

Set = tuple[list[Made], dict[str, Any]]
"""Crystals, and what is told of how they were made."""


class Kept:
    """Makes sets and relaxations, and keeps them.

    Args:
        resume: Read what was made before.
        folder: Where they are kept.
    """

    def __init__(self, resume: bool = False, folder: Path | None = None) -> None:
        self.folder = folder or home() / "cache" / "benchmarks" / "generation"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.resume = resume
        self.reused: list[str] = []
        self._sets: dict[str, Set] = {}
        self._relaxed: dict[str, list[Relaxation]] = {}

    def made(self, name: str, key: dict[str, Any], make: Callable[[], Set]) -> Set:
        """The crystals of a set.

        Args:
            name: Of the set.
            key: JSON of all that decides it.
            make: Makes it.
        """
        path = self._path(name, key)
        if path.name in self._sets:
            return self._sets[path.name]
        found = _read(path) if self.resume else None
        if found is None:
            say(f"{name}: writing crystals ...")
            began = time.monotonic()
            made, told = make()
            found = made, told | {"seconds": round(time.monotonic() - began, 1)}
            _write(path, key, found)
            say(f"{name}: {len(made)} crystals in {found[1]['seconds']:.0f} s")
        else:
            self.reused.append(name)
        self._sets[path.name] = found
        return found

    def relaxed(self, name: str, made: Sequence[Made], relaxer: BatchedRelaxer) -> list[Relaxation]:
        """The relaxations of a set, in its order."""
        if name not in self._relaxed:
            path = self.folder / f"{name}.relaxed.jsonl"
            if not self.resume:
                path.unlink(missing_ok=True)
            told = Progress(f"{name}: relaxed", len(made))
            structures = [one.structure for one in made]
            self._relaxed[name] = relaxer.relax(structures, lambda *_: told.advance(), path)
            told.end()
        return self._relaxed[name]

    def _path(self, name: str, key: dict[str, Any]) -> Path:
        return self.folder / f"{name}-{config_hash(key)}.jsonl"


def settings_of(config: Settings) -> dict[str, Any]:
    """What is told of the settings that a set was made under: those that are no defaults."""
    return {"settings": config.model_dump(mode="json", exclude_defaults=True) or "defaults"}


class Progress:
    """Lines on standard error while something long goes on.

    Args:
        what: Is done.
        total: How often.
    """

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self._began = self._told = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            left = (now - self._began) / self.done * (self.total - self.done)
            say(f"{self.what} {self.done} of {self.total}, some {left / 60:.0f} min left")

    def end(self) -> None:
        """All are done."""
        say(f"{self.what} {self.done} of {self.total} in {time.monotonic() - self._began:.0f} s")


def say(sentence: str) -> None:
    """A line of progress on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def _write(path: Path, key: dict[str, Any], found: Set) -> None:
    """Whole or not at all."""
    made, told = found
    lines: list[dict[str, Any]] = [{"key": key, "told": told}]
    for one in made:
        lines.append(
            {
                "structure": one.structure.as_dict(),
                "spacegroup_number": one.spacegroup_number,
                "log_probability": one.log_probability,
            }
        )
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    partial.replace(path)


def _read(path: Path) -> Set | None:
    from ..core.foreign import structure_from_dict

    if not path.is_file():
        return None
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    made = [
        Made(structure_from_dict(line["structure"]), line["spacegroup_number"], line["log_probability"])
        for line in lines
    ]
    return made, head["told"]
