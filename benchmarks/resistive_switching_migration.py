"""How close do barriers of hopping ions come to DFT's?

The 50 literature paths of the source's own test part, in seeded order: both ends relaxed in the cell as given, then the
screen's elastic band between them. A path that fails is named and counted, and so is one that was stopped, whose barrier
counts as far as it came. MACE's barriers for the same paths stand beside, and as a baseline the median of all other paths.

A barrier is the highest point minus the first end. Beside it stands the highest minus the lowest point, since of a path
through an intermediate site that lies lower than both ends (octahedral sites of spinels) the literature tabulates this.

Functionals of the literature are mixed (GGA, GGA+U, SCAN, LDA), and a vacancy's charge is left to the neutral cell by the
potential. CHGNet learnt from relaxations of the Materials Project, from which most hosts come; paths were not among them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..core.contracts import Potential, Relaxer, Tools
from ..core.errors import InputError
from ..core.settings import data_dir, home
from ..screening.defects.band import Band, hop_band
from ..screening.defects.barrier_error import barrier_error
from .ferroelectric_figures import figure, share
from .migration_paths import HopPath, read_test_paths

SOURCE = "literature DFT-NEB barriers, sai-mat-group/predicting-migration-barriers, source test part"
TARGET_MAE = 0.30
"""eV, MACE's on these paths."""
IMAGES = 5
SECONDS = 300.0
"""Wall time of one path."""
QUICK_PATHS, QUICK_ATOMS = 4, 60
LOWER_EV = 0.1
"""An image so far below both ends is an intermediate site, or a host that fell."""
ORDER = 8
"""Tells this benchmark's stream of a seed from others."""
CODE = (
    "screening/defects/band.py",
    "screening/defects/band_path.py",
    "screening/defects/band_steps.py",
    "core/springs.py",
    "benchmarks/migration_paths.py",
)


def migration_row(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Barriers of the test paths against DFT's.

    Args:
        seed: Of the order and the bootstrap.
        resume: Keep what was measured before.
        quick: A few small paths, to see that it runs; no claim stands on it.
        tools: With `potential` and `atoms_relaxer`.

    Raises:
        InputError: a tool is missing.
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the paths.
    """
    if tools is None or tools.potential is None or tools.atoms_relaxer is None:
        raise InputError("The migration row needs tools with a potential and an atoms_relaxer.")
    paths = in_order(read_test_paths(data_dir()), seed)
    if quick:
        paths = [path for path in paths if len(path.initial) <= QUICK_ATOMS][:QUICK_PATHS]
    kept = MeasuredPaths(tools.potential, tools.atoms_relaxer, resume)
    found = [kept.measured(path) for path in paths]
    return {"potential": tools.potential.name, "quick": quick, **figures(paths, found, tools.potential, seed)}


def in_order(paths: Sequence[HopPath], seed: int) -> list[HopPath]:
    """Shuffled by the seed."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, ORDER]))
    return [paths[i] for i in rng.permutation(len(paths))]


class MeasuredPaths:
    """What the band gives for a path, kept in `HYSTERON_HOME/cache/benchmarks/resistive-switching`.

    Args:
        potential: Of the band.
        relaxer: Of its ends.
        resume: Read what was measured before, by the same settings, potential and code.
        folder: Where it is kept.
        seconds: Wall time of one path.
    """

    def __init__(
        self,
        potential: Potential,
        relaxer: Relaxer,
        resume: bool = False,
        folder: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.potential, self.relaxer, self.seconds = potential, relaxer, seconds
        folder = folder or home() / "cache" / "benchmarks" / "resistive-switching"
        folder.mkdir(parents=True, exist_ok=True)
        key = [IMAGES, seconds, potential.name, potential.model_hash, relaxer.version, _code()]
        self.path = folder / f"migration-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}.jsonl"
        if not resume:
            self.path.unlink(missing_ok=True)
        self._kept = _read(self.path)

    def measured(self, path: HopPath) -> dict[str, Any]:
        """`name` with `barrier` and more of the band, or with `failure`."""
        if path.name not in self._kept:
            band = hop_band(
                path.initial,
                path.final,
                self.potential,
                images=IMAGES,
                seconds=self.seconds,
                relaxer=self.relaxer,
            )
            self._kept[path.name] = record = _record(path, band)
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(record) + "\n")
            print(f"migration: {len(self._kept)} paths measured", file=sys.stderr, flush=True)
        return self._kept[path.name]


def _record(path: HopPath, band: Band | str) -> dict[str, Any]:
    if isinstance(band, str):
        return {"name": path.name, "failure": band}
    return {
        "name": path.name,
        "barrier": band.barrier,
        "reverse_barrier": band.reverse_barrier,
        "energies": list(band.energies),
        "converged": band.converged,
        "max_force": band.max_force,
        "evaluations": band.evaluations,
        "seconds": band.seconds,
        "method": band.method,
        "notes": list(band.notes),
    }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    kept = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # half a line, from an interruption
            kept[record["name"]] = record
    return kept


def _code() -> str:
    """Digest of the source that decides a barrier."""
    digest = hashlib.sha256()
    for name in CODE:
        digest.update(files("hysteron").joinpath(*name.split("/")).read_bytes())
    return digest.hexdigest()


def figures(
    paths: Sequence[HopPath], found: Sequence[dict[str, Any]], potential: Potential, seed: int
) -> dict[str, Any]:
    """All figures of the row, as JSON.

    Args:
        paths: In order.
        found: What `MeasuredPaths.measured` says of each.
        potential: Of the bands.
        seed: Of the bootstrap.
    """
    pairs = [(path, one) for path, one in zip(paths, found, strict=True) if "barrier" in one]
    done = [path for path, _ in pairs]
    barriers = [one["barrier"] for _, one in pairs]
    activations = [one["barrier"] - min(one["energies"]) for _, one in pairs]
    at_rest = [i for i, (_, one) in enumerate(pairs) if one["converged"]]
    baseline = _median_of_others(paths)
    by_name = {path.name: one for path, one in pairs}
    filled = [
        by_name[path.name]["barrier"] if path.name in by_name else base
        for path, base in zip(paths, baseline, strict=True)
    ]
    seconds = [one["seconds"] for _, one in pairs]
    return {
        "truth": SOURCE,
        "units": "eV",
        "target_mae": TARGET_MAE,
        "n_paths": len(paths),
        "failures": {one["name"]: one["failure"] for one in found if "failure" in one},
        "stopped": {one["name"]: one["method"] for _, one in pairs if not one["converged"]},
        "band": accuracy(done, barriers, seed),
        "barriers_below_dft": sum(
            barrier < path.barrier for path, barrier in zip(done, barriers, strict=True)
        ),
        "band_from_lowest": accuracy(done, activations, seed),
        "band_minus_mace": _against_mace(done, barriers, seed),
        "from_lowest_minus_mace": _against_mace(done, activations, seed),
        "told_error": _told_error(done, barriers, potential, seed),
        "band_converged": accuracy([done[i] for i in at_rest], [barriers[i] for i in at_rest], seed),
        "band_failures_at_baseline": accuracy(paths, filled, seed),
        "intermediate_site": _through_a_lower_site(pairs, seed),
        "mace_relaxed": _tabulated(done, lambda path: path.mace_relaxed, seed),
        "mace_unrelaxed": _tabulated(done, lambda path: path.mace_unrelaxed, seed),
        "baseline_median_of_others": accuracy(paths, baseline, seed),
        "seconds": {"median": float(np.median(seconds)), "total": float(np.sum(seconds))}
        if seconds
        else None,
        "paths": [_line(path, one) for path, one in zip(paths, found, strict=True)],
    }


def accuracy(paths: Sequence[HopPath], barriers: Sequence[float], seed: int) -> dict[str, Any]:
    """Errors of barriers, eV, and how well they put paths in order; intervals are 90%, from samples of groups.

    Args:
        paths: With DFT's barriers.
        barriers: Of each, eV.
        seed: Of the bootstrap.
    """
    rows = np.array([[path.barrier, value] for path, value in zip(paths, barriers, strict=True)]).reshape(
        -1, 2
    )
    groups = [path.group for path in paths]
    computed: dict[str, Callable[[np.ndarray], float]] = {
        "mae": lambda rows: float(np.abs(rows[:, 1] - rows[:, 0]).mean()),
        "median_absolute_error": lambda rows: float(np.median(np.abs(rows[:, 1] - rows[:, 0]))),
        "bias": lambda rows: float((rows[:, 1] - rows[:, 0]).mean()),
        "spearman": _spearman,
        "r2": _r2,
    }
    return {"n": len(rows)} | {
        name: {k: v for k, v in figure(rows, groups, compute, seed).items() if k != "n"}
        for name, compute in computed.items()
    }


def _tabulated(
    paths: Sequence[HopPath], column: Callable[[HopPath], float | None], seed: int
) -> dict[str, Any]:
    values = [(path, column(path)) for path in paths]
    some = [(path, value) for path, value in values if value is not None]
    return accuracy([path for path, _ in some], [value for _, value in some], seed)


def _told_error(
    paths: Sequence[HopPath], barriers: Sequence[float], potential: Potential, seed: int
) -> dict[str, Any]:
    """How often the error that the screen tells holds DFT's barrier."""
    told = [
        (path, barrier, barrier_error(barrier, path.ion, potential))
        for path, barrier in zip(paths, barriers, strict=True)
    ]
    some = [(path, barrier, error) for path, barrier, error in told if error is not None]
    groups = [path.group for path, _, _ in some]
    inside = [error.interval[0] <= path.barrier <= error.interval[1] for path, _, error in some]
    near = [abs(path.barrier - barrier) <= error.uncertainty for path, barrier, error in some]
    return {
        "inside_interval_90": share(inside, groups, seed),
        "inside_one_deviation": share(near, groups, seed),
        "median_uncertainty": float(np.median([error.uncertainty for _, _, error in some])) if some else None,
        "nothing_told": [path.name for path, _, error in told if error is None],
    }


def _against_mace(paths: Sequence[HopPath], barriers: Sequence[float], seed: int) -> dict[str, Any]:
    """Mean absolute error less MACE's on the same paths, eV; negative where the band is closer to DFT."""
    some = [
        (path, abs(barrier - path.barrier) - abs(path.mace_relaxed - path.barrier))
        for path, barrier in zip(paths, barriers, strict=True)
        if path.mace_relaxed is not None
    ]
    differences = np.array([difference for _, difference in some])
    return figure(differences, [path.group for path, _ in some], lambda rows: float(rows.mean()), seed)


def _through_a_lower_site(pairs: Sequence[tuple[HopPath, dict[str, Any]]], seed: int) -> dict[str, Any]:
    """The paths whose band lies well below both ends on its way, told in both ways."""
    some = [
        (path, one)
        for path, one in pairs
        if min(one["energies"]) < min(one["energies"][0], one["energies"][-1]) - LOWER_EV
    ]
    chosen = [path for path, _ in some]
    return {
        "band": accuracy(chosen, [one["barrier"] for _, one in some], seed),
        "band_from_lowest": accuracy(
            chosen, [one["barrier"] - min(one["energies"]) for _, one in some], seed
        ),
        "mace_relaxed": _tabulated(chosen, lambda path: path.mace_relaxed, seed),
    }


def _median_of_others(paths: Sequence[HopPath]) -> list[float]:
    """For each path the median of those of other groups, eV; of all if there are none."""
    found = []
    for path in paths:
        others = [one.barrier for one in paths if one.group != path.group]
        found.append(float(np.median(others or [path.barrier])))
    return found


def _spearman(rows: np.ndarray) -> float:
    from scipy.stats import rankdata

    if len(rows) < 3 or not np.ptp(rows, axis=0).all():
        return np.nan
    return float(np.corrcoef(rankdata(rows, axis=0), rowvar=False)[0, 1])


def _r2(rows: np.ndarray) -> float:
    spread = np.sum((rows[:, 0] - rows[:, 0].mean()) ** 2)
    return float(1 - np.sum((rows[:, 0] - rows[:, 1]) ** 2) / spread) if spread else np.nan


def _line(path: HopPath, one: dict[str, Any]) -> dict[str, Any]:
    told = {
        k: one[k] for k in ("barrier", "energies", "converged", "seconds", "failure", "notes") if k in one
    }
    return {
        "name": path.name,
        "ion": path.ion,
        "functional": path.functional,
        "atoms": len(path.initial),
        "dft": path.barrier,
        "mace_relaxed": path.mace_relaxed,
        **told,
    }
