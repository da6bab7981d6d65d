"""The GPAW of this machine, and a run of every script that an export writes.

Debian has it: apt-get install --no-install-recommends gpaw gpaw-data. HYSTERON_GPAW_PYTHON names the Python of another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path

SCRIPTS = ("relax.py", "static.py", "polarization.py")


def plain_environment() -> dict[str, str]:
    """The environment without this project's Python path."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


@lru_cache(maxsize=1)
def python_with_gpaw() -> str | None:
    """The Python that a GPAW is installed for: named by the environment, this one, or the system's."""
    for python in (os.environ.get("HYSTERON_GPAW_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and shutil.which(python):
            found = subprocess.run(
                [python, "-c", "import gpaw"], capture_output=True, env=plain_environment()
            )
            if found.returncode == 0:
                return python
    return None


def run_all(root: Path) -> list[tuple[str, float]]:
    """Run the exported scripts below a folder as they are, on one core; what is done is not done again.

    Returns:
        Each script's path from there, and its wall time in s.
    """
    timed = []
    for script in sorted(path for path in root.rglob("*.py") if path.name in SCRIPTS):
        begun = time.perf_counter()
        if not (script.parent / "result.json").is_file():
            done = subprocess.run(
                [python_with_gpaw() or "python3", str(script)],
                capture_output=True,
                text=True,
                env=plain_environment() | {"OMP_NUM_THREADS": "1"},
            )
            assert done.returncode == 0, f"{script}: {done.stderr[-2000:]}"
        timed.append((str(script.relative_to(root)), time.perf_counter() - begun))
    return timed
