"""How is one side of a comparison measured, alone in a fresh process?

`python -m hysteron.benchmarks.relaxation_process TASK ARGUMENTS.json RESULT.json` imports, loads and warms up,
writes `ready`, waits for a line, and only then starts its clock; so that neither side pays for imports, and two
processes can start together. The parent (`relaxation_stages`) fixes the number of threads before any import.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = "hysteron.benchmarks"
TASKS = {
    "machine": f"{PACKAGE}.relaxation_process:describe_machine",
    "relax-stock": f"{PACKAGE}.relaxation_tasks:relax_stock",
    "relax-ours": f"{PACKAGE}.relaxation_tasks:relax_ours",
    "check": f"{PACKAGE}.relaxation_tasks:check_final",
    "points-stock": f"{PACKAGE}.relaxation_accuracy:points_of_stock",
    "points-double": f"{PACKAGE}.relaxation_accuracy:points_in_double",
    "points-ours": f"{PACKAGE}.relaxation_accuracy:points_of_ours",
    "time-sizes": f"{PACKAGE}.relaxation_scaling:time_sizes",
    "time-count": f"{PACKAGE}.relaxation_scaling:time_count",
    "profile": f"{PACKAGE}.relaxation_profile:measure_profile",
    "hull": f"{PACKAGE}.relaxation_process:hull",
}
PROGRESS_SECONDS = 15.0


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, MB.

    The kernel's own high-water mark of this program where it is given: `ru_maxrss` of a child starts at what its
    parent held when it was started.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


@dataclass
class Clock:
    """Time and memory from its making on; CPU time of this process, wall time of the machine."""

    cpu: float = field(default_factory=time.process_time)
    wall: float = field(default_factory=time.time)
    memory_mb: float = field(default_factory=peak_memory_mb)

    def read(self) -> dict[str, Any]:
        """What has passed since; `began` and `ended` are seconds of the epoch."""
        ended = time.time()
        return {
            "cpu_seconds": time.process_time() - self.cpu,
            "wall_seconds": ended - self.wall,
            "began": self.wall,
            "ended": ended,
            "memory_before_mb": self.memory_mb,
            "peak_memory_mb": peak_memory_mb(),
            "load_average": os.getloadavg()[0],
        }


Start = Callable[[], Clock]


class Progress:
    """Lines on standard error: how much is done, and the time left."""

    def __init__(self, name: str, total: int) -> None:
        self.name, self.total, self.done = name, total, 0
        self._began = self._told = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """Count what is done; speaks every `PROGRESS_SECONDS`."""
        self.done += count
        now = time.monotonic()
        if now - self._told < PROGRESS_SECONDS:
            return
        self._told = now
        left = (now - self._began) / self.done * (self.total - self.done)
        print(f"  {self.name}: {self.done} of {self.total}, {left:.0f} s left", file=sys.stderr, flush=True)


def run_task(name: str, arguments: dict[str, Any], start: Start = Clock) -> dict[str, Any]:
    """Run a task here; its result is JSON."""
    module, _, function = TASKS[name].partition(":")
    return getattr(import_module(module), function)(arguments, start)


def describe_machine(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """Processor, versions, and whether there is a GPU."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": torch.cuda.get_device_name(0) if cuda else None,
        "torch_threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", "chgnet", "ase", "pymatgen", "numpy")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def hull(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """The hull's own figures; see `relaxation_hull`."""
    figures = import_module(f"{PACKAGE}.relaxation_hull").hull_figures
    clock = start()
    return {"figures": figures(arguments["seed"], candidates=arguments["candidates"]), "clock": clock.read()}


def main(name: str, arguments: str, result: str) -> None:
    """Run one task for the parent process. Standard output is the line to the parent: what libraries print goes
    to standard error."""
    warnings.filterwarnings("ignore", module="chgnet")
    to_parent = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def start() -> Clock:
        print("ready", file=to_parent, flush=True)
        sys.stdin.readline()
        return Clock()

    found = run_task(name, json.loads(Path(arguments).read_text()), start)
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
