"""How well are oxygen vacancy energies known, before and after the correction learnt from DFT?

Truth: Emery and Wolverton, Sci. Data 4, 170153 (2017), doi:10.1038/sdata.2017.153, lowest-energy site, hosts within 0.1
eV/atom of OQMD's hull whose crystal was found by its cell (`predictors.datasets.vacancy_hosts`), at one oxygen reference. The
potential relaxes each host and its vacancies as the screen does. The correction is fitted anew without each tenth of the
formulas; once more without each tenth of the A cations, and of the B cations, which asks more of it. Intervals are 90%, from
samples of formulas.

The network's own head for vacancy energies learnt from this table, so its figures here would be in sample and are not shown;
`hysteron benchmark properties` has them on formulas it has not seen.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.contracts import Tools
from ..core.errors import InputError, MissingDataError
from ..flows.vacancy_energies import MeasuredHost, measured_hosts
from ..predictors.datasets.vacancy_hosts import REFERENCE_SHIFT_EV, VacancyHost, vacancy_hosts
from ..predictors.vacancy_correction import oxygen_features
from ..predictors.vacancy_fit import COMPETITORS, competing, covered, folds_by_formula, held_out
from .ferroelectric_figures import figure

SOURCE = "Emery and Wolverton 2017, lowest-energy site, hosts within 0.1 eV/atom of OQMD's hull"
TARGET = {"spearman": 0.85, "gain_of_correction": 0.3}
QUICK_HOSTS = 12
ENOUGH_OF_A_CATION = 4
"""Hosts of a B cation below which its mean error is not shown."""
WORST = 12
COLLAPSED_EV = 0.0
"""A vacancy energy below this by DFT: the crystal loses oxygen by itself, or falls apart."""


def vacancy_row(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Measure all hosts, and the correction on formulas it has not seen.

    Args:
        seed: Of the folds, and of the samples that intervals are made of.
        resume: Keep what was measured before.
        quick: A few hosts, to see that it runs; no claim stands on it.
        tools: `relaxer`, `atoms_relaxer` and `hull`; as `hysteron screen` has them by default.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the table or the crystals.
        InputError: the potential tells no features of atoms, which the correction stands on.
    """
    tools = tools or _tools()
    potential: Any = tools.potential
    if not hasattr(potential, "features"):
        raise InputError("The vacancy row needs tools with CHGNet: the correction stands on its features.")
    hosts = in_order(vacancy_hosts(), seed)
    chosen = hosts[:QUICK_HOSTS] if quick else hosts
    measured = measured_hosts(chosen, tools, resume, told=_told)
    usable = [one for one in measured if one.energy is not None and one.relaxed is not None]
    if len(usable) < 2:
        raise MissingDataError(
            f"Vacancies of {len(usable)} of {len(chosen)} hosts were computed; see their failures."
        )
    features = oxygen_features(potential, [one.relaxed for one in usable if one.relaxed is not None])
    return {
        "truth": SOURCE,
        "units": "eV per O atom taken out",
        "seed": seed,
        "quick": quick,
        "hosts_matched": len(hosts),
        "hosts_asked": len(chosen),
        "n": len(usable),
        "failures": [f"{one.host.key}: {one.failure}" for one in measured if one.energy is None],
        "target": TARGET,
        **figures(usable, features, seed),
        "seconds": _seconds(usable),
    }


def in_order(hosts: Sequence[VacancyHost], seed: int) -> list[VacancyHost]:
    """In an order that the seed decides, so that a part that was measured is a fair sample."""
    by_key = sorted(hosts, key=lambda host: host.key)
    order = np.random.default_rng(np.random.SeedSequence([seed])).permutation(len(by_key))
    return [by_key[i] for i in order]


def figures(measured: Sequence[MeasuredHost], features: np.ndarray, seed: int) -> dict[str, Any]:
    """All figures of the row, as JSON.

    Args:
        measured: Hosts with an energy.
        features: Of their oxygen atoms, shape `(n, width)`.
        seed: Of folds and samples.
    """
    energies = np.array([one.energy for one in measured], dtype=float)
    dft = np.array([one.host.dft_at_reference for one in measured])
    formulas = [one.host.formula for one in measured]
    groups = {
        "formula": formulas,
        "A cation": [one.host.a for one in measured],
        "B cation": [one.host.b for one in measured],
    }
    folds = {name: folds_by_formula(labels, seed) for name, labels in groups.items()}
    corrected = {name: held_out(energies, features, dft, fold)[0] for name, fold in folds.items()}
    after = corrected["formula"]
    inside, half = covered(energies, features, dft, folds["formula"], formulas)
    sound = dft - REFERENCE_SHIFT_EV > COLLAPSED_EV
    return {
        "reference": {
            "shift_added_to_dft": REFERENCE_SHIFT_EV,
            "mae_without_it": float(np.abs(energies - dft + REFERENCE_SHIFT_EV).mean()),
        },
        "before": accuracy(dft, energies, formulas, seed),
        "after_formula_left_out": accuracy(dft, after, formulas, seed),
        "after_a_cation_left_out": accuracy(dft, corrected["A cation"], formulas, seed),
        "after_b_cation_left_out": accuracy(dft, corrected["B cation"], formulas, seed),
        "gain_of_correction": _figure(np.column_stack([dft, energies, after]), formulas, _gain, seed),
        "beside": {
            name: accuracy(
                dft, competing(predictor, energies, features, dft, folds["formula"]), formulas, seed
            )
            for name, predictor in COMPETITORS.items()
        },
        "interval": {
            "coverage_wanted": 0.9,
            "coverage": _figure(inside.astype(float), formulas, _mean, seed),
            "median_half_width": float(np.median(half)),
        },
        "where_dft_is_positive": {
            "before": accuracy(dft[sound], energies[sound], _those(formulas, sound), seed),
            "after_formula_left_out": accuracy(dft[sound], after[sound], _those(formulas, sound), seed),
        },
        "by_b_cation": by_cation(measured, dft, energies, after),
        "worst": _worst(measured, dft, energies, after),
    }


def accuracy(dft: np.ndarray, ours: np.ndarray, formulas: Sequence[str], seed: int) -> dict[str, Any]:
    """Rank correlation and errors of energies against DFT's, each with its interval.

    Args:
        dft: eV, shape `(n,)`.
        ours: eV, shape `(n,)`.
        formulas: Of each row.
        seed: Of the samples.
    """
    rows = np.column_stack([dft, ours])
    computed: dict[str, Callable[[np.ndarray], float]] = {
        "spearman": _spearman,
        "mae": lambda some: float(np.abs(some[:, 1] - some[:, 0]).mean()),
        "bias": lambda some: float((some[:, 1] - some[:, 0]).mean()),
    }
    return {
        "n": len(rows),
        "median_absolute_error": float(np.median(np.abs(rows[:, 1] - rows[:, 0]))),
        **{name: _figure(rows, formulas, compute, seed) for name, compute in computed.items()},
    }


def by_cation(
    measured: Sequence[MeasuredHost], dft: np.ndarray, before: np.ndarray, after: np.ndarray
) -> dict[str, dict[str, float]]:
    """Mean errors of hosts that share a B cation, eV: what the potential misses has much to do with it."""
    cations = np.array([one.host.b for one in measured])
    counts = Counter(cations.tolist())
    return {
        cation: {
            "n": count,
            "before": float((before - dft)[cations == cation].mean()),
            "after": float((after - dft)[cations == cation].mean()),
        }
        for cation, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= ENOUGH_OF_A_CATION
    }


def _worst(
    measured: Sequence[MeasuredHost], dft: np.ndarray, before: np.ndarray, after: np.ndarray
) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(after - dft), kind="stable")[:WORST]
    return [
        {
            "host": measured[i].host.key,
            "material_id": measured[i].host.material_id,
            "dft": float(dft[i]),
            "before": float(before[i]),
            "after": float(after[i]),
        }
        for i in order
    ]


def _seconds(measured: Sequence[MeasuredHost]) -> dict[str, float]:
    sites = sum(len(one.record["sites"]) for one in measured if one.record is not None)
    seconds = [one.seconds for one in measured]
    return {
        "median_per_host": float(np.median(seconds)),
        "per_site": float(sum(seconds) / sites),
        "sites": sites,
    }


def _figure(
    rows: np.ndarray, formulas: Sequence[str], compute: Callable[[np.ndarray], float], seed: int
) -> dict[str, Any]:
    return {k: v for k, v in figure(rows, formulas, compute, seed).items() if k != "n"}


def _gain(rows: np.ndarray) -> float:
    """Of columns (DFT, before, after): by what share the mean absolute error falls."""
    before, after = (float(np.abs(rows[:, i] - rows[:, 0]).mean()) for i in (1, 2))
    return 1 - after / before if before else np.nan


def _mean(rows: np.ndarray) -> float:
    return float(rows.mean())


def _spearman(rows: np.ndarray) -> float:
    from scipy.stats import rankdata

    if len(rows) < 3 or not np.ptp(rows, axis=0).all():
        return np.nan
    ranks = rankdata(rows, axis=0)
    return float(np.corrcoef(ranks.T)[0, 1])


def _those(names: Sequence[str], which: np.ndarray) -> list[str]:
    return [name for name, kept in zip(names, which, strict=True) if kept]


def _tools() -> Tools:
    from ..flows import toolbox

    return toolbox.tools_for_prediction()


def _told(done: int, total: int) -> None:
    if done % 20 == 0 or done == total:
        print(f"vacancies: {done} of {total} hosts", file=sys.stderr, flush=True)
