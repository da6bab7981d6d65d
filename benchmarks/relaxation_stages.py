"""Which measurements of a long benchmark are there already, and how are the others made?

A stage is one task in one fresh process, or several started together. Its result is written to
`HYSTERON_HOME/cache/benchmarks/relaxation-NAME/STAGE.json` as soon as it is there, with the identity of the code and
of the machine; with `resume` a stage whose identity and arguments are the same is read and not measured again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..core.errors import StageError
from ..core.settings import config_hash, home
from .relaxation_process import run_task

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
MEASURED_CODE = ("predictors", "benchmarks", "core")
MEASURED_PACKAGES = ("torch", "chgnet", "ase", "pymatgen", "numpy", "scipy")


class Stages:
    """Makes measurements and keeps them.

    Args:
        name: Of the folder: the seed, and more where the plan is another one.
        resume: Read what the same code measured on the same machine before.
        fresh: Each task in a process of its own, as measuring needs; without it tasks run here, unpinned.
        folder: Where results are kept; by default in `HYSTERON_HOME/cache`.
    """

    def __init__(
        self, name: str, resume: bool = False, fresh: bool = True, folder: Path | None = None
    ) -> None:
        self.folder = folder or home() / "cache" / "benchmarks" / f"relaxation-{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.resume, self.fresh = resume, fresh
        self.identity = code_identity()
        self.reused: list[str] = []
        self._known: dict[str, list[dict[str, Any]]] = {}

    def measure(self, stage: str, task: str, arguments: dict[str, Any], **how: Any) -> dict[str, Any]:
        """The result of one task; see `measure_together`."""
        return self.measure_together(stage, task, [arguments], **how)[0]

    def measure_together(
        self,
        stage: str,
        task: str,
        arguments: Sequence[dict[str, Any]],
        threads: int = 1,
        gpu: bool = False,
    ) -> list[dict[str, Any]]:
        """Results of one task with several arguments, in processes whose clocks start together.

        Args:
            stage: Name of the measurement; measured once in this run, whoever asks.
            task: A name in `relaxation_process.TASKS`.
            arguments: JSON, one for each process.
            threads: Of each process.
            gpu: Whether the processes may see a GPU.

        Raises:
            StageError: a process failed.
        """
        if stage in self._known:
            return self._known[stage]
        key = config_hash([self.identity, task, list(arguments), threads, gpu])
        found = self._read(stage, key) if self.resume else None
        if found is None:
            say(f"{stage} ...")
            if self.fresh:
                found = run_processes(stage, task, arguments, threads, gpu)
            else:
                found = [run_task(task, some) for some in arguments]
            self.keep(stage, {"key": key, "results": found})
        else:
            self.reused.append(stage)
        self._known[stage] = found
        return found

    def keep(self, name: str, record: dict[str, Any]) -> None:
        """Write a record to the folder, whole or not at all."""
        path = self._path(name)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(record))
        partial.replace(path)

    def _read(self, stage: str, key: str) -> list[dict[str, Any]] | None:
        try:
            record = json.loads(self._path(stage).read_text())
        except (OSError, ValueError):
            return None
        return record["results"] if record.get("key") == key else None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '-')}.json"


def say(sentence: str) -> None:
    """A line of progress on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def code_identity() -> str:
    """Of everything that a figure depends on besides its input: sources, packages, machine."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(repr((platform.node(), platform.machine(), sys.version)).encode())
    digest.update(repr([version(name) for name in MEASURED_PACKAGES]).encode())
    for folder in MEASURED_CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".c", ".cpp", ".cu", ".pyx"}:
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def run_processes(
    stage: str, task: str, arguments: Sequence[dict[str, Any]], threads: int = 1, gpu: bool = False
) -> list[dict[str, Any]]:
    """Run one task in as many fresh processes as there are arguments; all start their clocks together.

    Raises:
        StageError: a process failed; what it said is on standard error.
    """
    with tempfile.TemporaryDirectory(prefix="hysteron-benchmark-") as scratch:
        results = [Path(scratch) / f"result-{i}.json" for i in range(len(arguments))]
        processes = []
        try:
            for i, some in enumerate(arguments):
                given = Path(scratch) / f"arguments-{i}.json"
                given.write_text(json.dumps(some))
                processes.append(_started(task, given, results[i], threads, gpu))
            _let_go(processes)
            codes = [process.wait() for process in processes]
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
        if any(codes):
            raise StageError(f"The measurement '{stage}' failed (exit {max(codes, key=abs)}); see above.")
        return [json.loads(path.read_text()) for path in results]


def _started(task: str, given: Path, result: Path, threads: int, gpu: bool) -> subprocess.Popen[str]:
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    if not gpu:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "hysteron.benchmarks.relaxation_process", task, str(given), str(result)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _let_go(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Wait until every process is ready (or ended), then start them all."""
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        try:
            process.stdin.write("go\n")
            process.stdin.flush()
        except BrokenPipeError:
            continue
