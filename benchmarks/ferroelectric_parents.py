"""How often does the ferroelectric screen find the right nonpolar parent, and how good are its numbers?

Truth: the `preferred` pairs of Smidt, Mack, Reyes-Lillo, Jain, Neaton, Sci. Data 7, 72 (2020),
doi:10.1038/s41597-020-0407-9: DFT polar and nonpolar ends, polarization by Berry phase, energies. The screen
sees the polar end alone. CHGNet was trained on relaxations of the Materials Project, from which the pairs
come, so its energies are a recovery of known physics and not a prediction of new one.
"""

from __future__ import annotations

import csv
import gzip
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate
from ..core.contracts import Potential, Tools
from ..core.errors import MissingDataError
from ..core.oxidation import oxidation_states
from ..core.registry import load
from ..core.settings import data_dir
from ..screening.ferroelectric.polarization import DFT_RATIO_FROM, polarization_from_charges
from ..screening.ferroelectric.screen import Ferroelectric
from ..screening.ferroelectric.symmetry import dataset_at
from ..screening.ferroelectric.verdict import FerroelectricConfig
from ..screening.measurement import findings_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

SOURCE = "Smidt et al. 2020, preferred pairs"
BASELINE_SYMPREC_ANGSTROM = 0.1
"""The tolerance most used for a loose look: the baseline of the ladder."""
CLEAR_SIGN_MEV_PER_ATOM = 2.0
LARGE_POLARIZATION = 5.0
"""uC/cm^2; ratios are taken, and the classifier is asked, above this DFT polarization."""
BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True)
class Pair:
    """One DFT workflow: both ends in matched order, and what it computed."""

    formula: str
    polar: Structure
    nonpolar: Structure
    nonpolar_spacegroup: int
    polarization: float
    energy_difference: float


@dataclass(frozen=True)
class Found:
    """What the screen said of the polar end of one pair; `None` where it said nothing."""

    pair: Pair
    parents: tuple[int, ...]
    baseline_parent: int | None
    polarization: float | None
    polarization_with_dft_parent: float | None
    energy_difference: float | None
    passed: bool

    @property
    def energy_error(self) -> float:
        """Absolute, meV/atom; `nan` where the screen gave no energy."""
        ours = np.nan if self.energy_difference is None else self.energy_difference
        return abs(ours - self.pair.energy_difference)


def run(seed: int = 0, potential: Potential | None = None) -> dict[str, Any]:
    """Measure parents, polarization and energy difference over all preferred pairs.

    Args:
        seed: Of the bootstrap over formulas.
        potential: For the energies; by default CHGNet.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the ferroelectrics.
    """
    used = potential or _chgnet()
    pairs = read_pairs(data_dir())
    started = time.process_time()
    found = screen_pairs(pairs, used)
    return {
        "benchmark": "ferroelectric-parents",
        "truth": SOURCE,
        "n": len(pairs),
        "n_formulas": len({pair.formula for pair in pairs}),
        "seed": seed,
        "cpu_seconds_per_pair": (time.process_time() - started) / len(pairs),
        "parents": parent_figures(found, seed),
        "polarization": polarization_figures(found, seed),
        "energy_difference": energy_figures(found, used.name, seed),
        "verdict": verdict_figures(found),
    }


def _chgnet() -> Potential:
    from ..predictors import POTENTIALS

    return load("chgnet", POTENTIALS, "hysteron.potentials")()


def read_pairs(folder: Path) -> list[Pair]:
    """The preferred pairs under the data folder, in the order of the table.

    Raises:
        MissingDataError: the files are not there.
    """
    table = folder / "ferroelectrics" / "smidt2020_ferroelectric_candidates.csv.gz"
    structures = folder / "ferroelectrics" / "smidt2020_structures.jsonl.gz"
    if not (table.is_file() and structures.is_file()):
        raise MissingDataError(
            f"{table.parent} lacks {table.name} or {structures.name}. 'hysteron data fetch' gets them."
        )
    with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
        preferred = [row for row in csv.DictReader(lines) if row["preferred"] == "True"]
    with gzip.open(structures, "rt", encoding="utf-8") as lines:
        ends = {record["wfid"]: record for record in map(json.loads, lines)}
    return [_pair(row, ends[row["wfid"]]) for row in preferred]


def _pair(row: dict[str, Any], ends: dict[str, Any]) -> Pair:
    return Pair(
        formula=row["reduced_formula"],
        polar=_structure(ends["polar"]),
        nonpolar=_structure(ends["nonpolar"]),
        nonpolar_spacegroup=int(row["nonpolar_spacegroup"]),
        polarization=float(row["polarization_change_norm_uC_cm2"]),
        energy_difference=float(row["energy_diff_polar_minus_nonpolar_meV_atom"]),
    )


def _structure(record: dict[str, Any]) -> Structure:
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(record["lattice"]), record["species"], record["frac_coords"])


def screen_pairs(pairs: Sequence[Pair], potential: Potential) -> list[Found]:
    """The screen's findings on the polar ends alone."""
    screen = Ferroelectric()
    candidates = [Candidate(f"pair-{i}", pair.polar) for i, pair in enumerate(pairs)]
    measured = screen.measure(candidates, Tools(potential=potential))
    return [_found(pair, screen, candidate) for pair, candidate in zip(pairs, measured, strict=True)]


def _found(pair: Pair, screen: Ferroelectric, candidate: Candidate) -> Found:
    findings = findings_of(candidate, screen.name) or {}
    baseline = dataset_at(pair.polar, BASELINE_SYMPREC_ANGSTROM)
    return Found(
        pair=pair,
        parents=tuple(parent["spacegroup_number"] for parent in findings.get("parents", ())),
        baseline_parent=None if baseline is None else int(baseline.number),
        polarization=candidate.value("polarization"),
        polarization_with_dft_parent=_with_dft_parent(pair),
        energy_difference=candidate.value("polar_nonpolar_energy_difference"),
        passed=screen.judge(candidate).passed,
    )


def _with_dft_parent(pair: Pair) -> float | None:
    charges = oxidation_states(pair.polar)
    if charges is None:
        return None
    steps = pair.polar.frac_coords - pair.nonpolar.frac_coords
    displacements = (steps - np.round(steps)) @ pair.polar.lattice.matrix
    return float(np.linalg.norm(polarization_from_charges(displacements, charges, pair.polar.volume)))


def parent_figures(found: Sequence[Found], seed: int) -> dict[str, Any]:
    """Share of pairs whose DFT parent's space group the ladder gives, from the polar end alone."""

    def right(f: Found) -> float:
        return float(f.parents[:1] == (f.pair.nonpolar_spacegroup,))

    return {
        "n": len(found),
        "share_right_first": _mean(found, right),
        "share_right_first_interval_90": _bootstrap(found, lambda some: _mean(some, right), seed),
        "share_right_among_all": _mean(found, lambda f: float(f.pair.nonpolar_spacegroup in f.parents)),
        "share_with_a_parent": _mean(found, lambda f: float(bool(f.parents))),
        "baseline": f"one spglib search at symprec {BASELINE_SYMPREC_ANGSTROM:g} A",
        "baseline_share_right": _mean(
            found, lambda f: float(f.baseline_parent == f.pair.nonpolar_spacegroup)
        ),
    }


def polarization_figures(found: Sequence[Found], seed: int) -> dict[str, Any]:
    """Polarization by oxidation-state charges against DFT, with the screen's own parents and with DFT's."""
    own = [(f.pair.polarization, f.polarization) for f in found if f.polarization is not None]
    given = [
        (f.pair.polarization, f.polarization_with_dft_parent)
        for f in found
        if f.polarization_with_dft_parent is not None
    ]
    large = [
        (f.pair.polarization >= LARGE_POLARIZATION, (f.polarization or 0) >= LARGE_POLARIZATION)
        for f in found
    ]
    return {
        "units": "uC/cm^2",
        "own_parent": _agreement(own),
        "own_parent_spearman_interval_90": _bootstrap(
            [f for f in found if f.polarization is not None],
            lambda some: _spearman([(f.pair.polarization, f.polarization) for f in some]),
            seed,
        ),
        "dft_parent": _agreement(given),
        "classifier_above_5": _classifier(large),
    }


def _agreement(values: Sequence[tuple[float, Any]]) -> dict[str, Any]:
    dft, ours = np.array(values, dtype=float).T
    large = dft >= LARGE_POLARIZATION
    ratios = ours[large] / dft[large]
    said = ours >= DFT_RATIO_FROM
    return {
        "n": len(dft),
        "spearman": _spearman(values),
        "mae": float(np.abs(ours - dft).mean()),
        "r2": float(1 - np.sum((ours - dft) ** 2) / np.sum((dft - dft.mean()) ** 2)),
        "baseline": "the median of the DFT values",
        "baseline_mae": float(np.abs(dft - np.median(dft)).mean()),
        "n_ratio": int(large.sum()),
        "median_ratio_to_dft": float(np.median(ratios)),
        "n_interval": int(said.sum()),
        "dft_over_ours_quantiles_5_95": [float(q) for q in np.quantile(dft[said] / ours[said], [0.05, 0.95])],
    }


def _spearman(values: Sequence[tuple[float, Any]]) -> float:
    from scipy.stats import spearmanr

    dft, ours = np.array(values, dtype=float).T
    if len(np.unique(dft)) < 2 or len(np.unique(ours)) < 2:
        return np.nan  # not defined; a bootstrap sample may be one pair again and again
    return float(spearmanr(dft, ours)[0])  # type: ignore[arg-type]


def _classifier(values: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    truth, said = np.array(values, dtype=bool).T
    return {
        "n": len(truth),
        "positives": int(truth.sum()),
        "precision": float((truth & said).sum() / max(said.sum(), 1)),
        "recall": float((truth & said).sum() / max(truth.sum(), 1)),
        "baseline_precision": float(truth.mean()),
    }


def energy_figures(found: Sequence[Found], method: str, seed: int) -> dict[str, Any]:
    """Polar minus nonpolar energy by the potential, parent symmetrised and not relaxed, against DFT."""
    rows = [f for f in found if f.energy_difference is not None]
    dft = np.array([f.pair.energy_difference for f in rows])
    ours = np.array([f.energy_difference for f in rows], dtype=float)
    clear = np.abs(dft) > CLEAR_SIGN_MEV_PER_ATOM
    same = np.sign(ours[clear]) == np.sign(dft[clear])
    right = [f for f in rows if f.parents[0] == f.pair.nonpolar_spacegroup]
    return {
        "units": "meV/atom",
        "method": f"{method}, symmetrised parent unrelaxed",
        "n": len(rows),
        "mae": _mean(rows, lambda f: f.energy_error),
        "mae_interval_90": _bootstrap(rows, lambda some: _mean(some, lambda f: f.energy_error), seed),
        "median_absolute_error": float(np.median([f.energy_error for f in rows])),
        "median_absolute_error_right_parent": float(np.median([f.energy_error for f in right])),
        "baseline": "the median of the DFT values, and the commoner sign",
        "baseline_mae": float(np.abs(dft - np.median(dft)).mean()),
        "n_sign": int(clear.sum()),
        "share_right_sign": float(same.mean()),
        "baseline_share_right_sign": float(max((dft[clear] < 0).mean(), (dft[clear] > 0).mean())),
    }


def verdict_figures(found: Sequence[Found]) -> dict[str, Any]:
    """The whole screen at its default windows against the same question put to the DFT values."""
    lowest = FerroelectricConfig().polarization_min
    values = [(f.pair.polarization >= lowest and f.pair.energy_difference < 0, f.passed) for f in found]
    return {
        "truth": f"DFT polarization of at least {lowest:g} uC/cm^2 and polar end lower",
        **_classifier(values),
    }


def _mean(found: Sequence[Found], value: Callable[[Found], float]) -> float:
    return float(np.mean([value(f) for f in found]))


def _bootstrap(found: Sequence[Found], figure: Callable[[Sequence[Found]], float], seed: int) -> list[float]:
    """5% and 95% quantiles of a figure over samples of formulas, drawn with replacement."""
    rng = np.random.default_rng(seed)
    by_formula: dict[str, list[Found]] = {}
    for one in found:
        by_formula.setdefault(one.pair.formula, []).append(one)
    groups = [by_formula[formula] for formula in sorted(by_formula)]
    figures = []
    for _ in range(BOOTSTRAP_SAMPLES):
        drawn = rng.integers(len(groups), size=len(groups))
        figures.append(figure([one for i in drawn for one in groups[i]]))
    return [float(q) for q in np.nanquantile(figures, [0.05, 0.95])]
