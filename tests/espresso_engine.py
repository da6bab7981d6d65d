"""The pw.x of this machine and its pseudopotentials, and a run of everything that an export asks of it.

Debian has both: apt-get install --no-install-recommends quantum-espresso quantum-espresso-data. ESPRESSO_PSEUDO names
another folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FAMILIES = {"PBE": r"pbe-.*", "PBEsol": r"pbesol-.*", "LDA": r"pz-.*"}
"""What follows the element in a file's name; the first family that has all elements is taken."""
NOT_USUAL = re.compile(r"gipaw|\*|_lb|star", re.IGNORECASE)
DONE = "JOB DONE"


@dataclass(frozen=True)
class Timed:
    """One run of pw.x."""

    folder: str
    name: str
    seconds: float
    processor_seconds: float


def engine() -> str | None:
    """The path of pw.x."""
    return shutil.which("pw.x")


def library() -> Path:
    """The folder of pseudopotentials."""
    return Path(os.environ.get("ESPRESSO_PSEUDO", "/usr/share/espresso/pseudo"))


def pseudopotentials(symbols: Iterable[str], folder: Path) -> tuple[str, dict[str, Path]] | None:
    """A functional with a file for each element; `None` if no family has them all."""
    wanted = sorted(set(symbols))
    for functional, ending in FAMILIES.items():
        found = {symbol: _file(folder, symbol, ending) for symbol in wanted}
        if all(found.values()):
            return functional, {symbol: path for symbol, path in found.items() if path}
    return None


def link(files: dict[str, Path], folder: Path) -> None:
    """Put the files where the exported inputs look for them: `El.UPF`."""
    folder.mkdir(parents=True)
    for symbol, path in files.items():
        (folder / f"{symbol}.UPF").symlink_to(path)


def run_all(root: Path, only: Iterable[str] = ("static", "relax", "polarization")) -> list[Timed]:
    """Run the exported inputs of a candidate as they are, on one core; what is done is not done again.

    Args:
        root: The candidate's folder.
        only: Which of its folders.
    """
    timed = []
    for part in only:
        places = sorted((root / part).glob("??")) or [root / part]
        for place in places:
            names = ["scf", "berry1", "berry2", "berry3"] if part == "polarization" else ["pw"]
            timed += [_run(place, name) for name in names]
            shutil.rmtree(place / "out", ignore_errors=True)
    return timed


def _run(place: Path, name: str) -> Timed:
    output = place / f"{name}.out"
    begun, used = time.perf_counter(), os.times().children_user
    if not (output.is_file() and DONE in output.read_text()):
        with output.open("wb") as file:
            subprocess.run(
                ["nice", "-n", "19", engine() or "pw.x", "-in", f"{name}.in"],
                cwd=place,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                check=False,
            )
    seconds = time.perf_counter() - begun
    return Timed(f"{place.parent.name}/{place.name}", name, seconds, os.times().children_user - used)


def _file(folder: Path, symbol: str, ending: str) -> Path | None:
    pattern = re.compile(rf"{symbol}\.{ending}\.UPF", re.IGNORECASE)
    usual = [
        p for p in sorted(folder.glob("*.UPF")) if pattern.fullmatch(p.name) and not NOT_USUAL.search(p.name)
    ]
    return usual[0] if usual else None
