"""How well is the energy difference of polar and nonpolar ends known, and may its interval be believed?

Truth: the `preferred` pairs of Smidt, Mack, Reyes-Lillo, Jain, Neaton, Sci. Data 7, 72 (2020),
doi:10.1038/s41597-020-0407-9, at the geometries DFT left them in. Every figure of the combination is of weights
fitted without the formula, and once more without the family of chemistry (`core.chemistry_families`), leaving out one at a
time; the baseline is CHGNet 0.3.0 as it is. Intervals are 90%, from samples of formulas.

CHGNet learnt from relaxations of the Materials Project, from which the pairs come: this is recovery of known
physics, not prediction. Which pairs it has not seen cannot be told from the data at hand, since the structures it
learnt from are not among them. Three subsets are shown apart that come nearest: an end, or both, that the Materials
Project labels at hand do not hold; and pairs whose difference is not that of these labels, so that the ends are
other geometries than those it relaxed.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Potential
from ..core.errors import MissingDataError
from ..core.polar_pairs import Pair, read_preferred
from ..core.settings import data_dir
from ..predictors.chgnet.earlier import EarlierCHGNet
from ..predictors.chgnet.potential import CHGNetPotential
from ..predictors.polar_difference import (
    MEV_PER_EV,
    Combination,
    Energies,
    as_energies,
    bare_name,
    spread,
)
from ..predictors.polar_fit import covered, fit_combination, left_out
from ..predictors.polar_table import as_json, differences, family_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

SOURCE = "Smidt et al. 2020, preferred pairs, DFT ends"
CLEAR_SIGN_MEV = 2.0
OTHER_GEOMETRY_MEV = 5.0
"""Two DFT differences of one pair of crystals that lie further apart were taken at other geometries or settings."""
SIZES_MEV = ((0.0, 2.0), (2.0, 20.0), (20.0, np.inf))
BOOTSTRAP_SAMPLES = 2000


@dataclass(frozen=True)
class Row:
    """One pair of ends.

    Attributes:
        formula: Reduced.
        ids: Materials Project ids of the polar and the nonpolar end.
        polar, nonpolar: Ends as DFT left them.
        dft: Polar minus nonpolar energy, meV/atom.
        label: The same from the Materials Project's labels, meV/atom, if both ends have one.
        known_ends: How many of the ids have labels.
    """

    formula: str
    ids: tuple[str, str]
    polar: Structure
    nonpolar: Structure
    dft: float
    label: float | None
    known_ends: int


@dataclass(frozen=True)
class Rows:
    """The pairs, and what the potentials give for them.

    Attributes:
        rows: The pairs.
        members: CHGNet 0.3.0's and 0.2.0's differences, meV/atom, shape `(n, 2)`.
        names: Of these potentials.
        others: Differences of further potentials, by name, meV/atom, shape `(n,)`.
    """

    rows: list[Row]
    members: np.ndarray
    names: tuple[str, ...]
    others: dict[str, np.ndarray]

    @property
    def dft(self) -> np.ndarray:
        """meV/atom, shape `(n,)`."""
        return np.array([row.dft for row in self.rows])

    @property
    def formulas(self) -> list[str]:
        """Of each pair."""
        return [row.formula for row in self.rows]

    @property
    def families(self) -> list[str]:
        """Of each pair."""
        return [family_of(row.formula) for row in self.rows]


def run(seed: int = 0, others: Sequence[Potential] = ()) -> dict[str, Any]:
    """Measure the combination of two potentials, and its interval, on the preferred pairs.

    Args:
        seed: Of the bootstrap over formulas.
        others: Further potentials, shown beside as they are.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the ferroelectrics or the crystals.
    """
    return figures(measure(read_rows(data_dir()), others), seed)


def measure(rows: Sequence[Row], others: Sequence[Potential] = ()) -> Rows:
    """Energies of all ends by the members and by other potentials."""
    ends = [(row.polar, row.nonpolar) for row in rows]
    members: list[Energies] = [CHGNetPotential(), EarlierCHGNet()]
    columns = [differences(ends, member.energies) for member in members]
    beside = {bare_name(o.name): differences(ends, as_energies(o).energies) for o in others}
    return Rows(list(rows), np.stack(columns, axis=1), tuple(m.name for m in members), beside)


def figures(measured: Rows, seed: int = 0) -> dict[str, Any]:
    """All figures of the benchmark, as JSON."""
    by_formula = left_out(measured.members, measured.dft, measured.formulas)
    by_family = left_out(measured.members, measured.dft, measured.families)
    mean = measured.members.mean(axis=1)
    return {
        "benchmark": "ferroelectric-energies",
        "truth": SOURCE,
        "units": "meV/atom",
        "n": len(measured.rows),
        "n_formulas": len(set(measured.formulas)),
        "n_families": len(set(measured.families)),
        "seed": seed,
        "target": {"mae": 4.0, "share_right_sign": 0.97},
        "combination": {
            "fit": as_json(_fit(measured)),
            "formula_left_out": _compared(measured, by_formula, seed),
            "family_left_out": _compared(measured, by_family, seed),
        },
        "plain_mean": _compared(measured, mean, seed),
        "single": {
            name: _agreement(measured, column, seed)
            for name, column in zip(measured.names, measured.members.T, strict=True)
        },
        "others": {name: _compared(measured, column, seed) for name, column in measured.others.items()},
        "interval": {
            " and ".join(measured.names): interval_figures(measured, measured.members, by_family),
            **{
                name: interval_figures(measured, column[:, None], column)
                for name, column in measured.others.items()
            },
        },
        "apart": apart_figures(measured, by_formula, seed),
        "worst": worst(measured, by_formula),
    }


def interval_figures(measured: Rows, members: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Share of DFT values inside the 90% interval, calibrated on other families alone, by size of the difference.

    Args:
        measured: The pairs.
        members: What each potential gives, meV/atom, shape `(n, nmembers)`.
        predicted: With the family left out, meV/atom, shape `(n,)`.
    """
    errors, spreads = np.abs(predicted - measured.dft), spread(members)
    inside = covered(errors, predicted, spreads, measured.families)
    names = [str(i) for i in range(members.shape[1])]
    fit = fit_combination(names, members, measured.dft, measured.families)
    half = fit.half * fit.widths(members)
    return {
        "coverage_wanted": 0.9,
        "coverage": float(inside.mean()),
        "median_half_width": float(np.median(half)),
        "by_size": [
            {
                "from": low,
                "to": None if np.isinf(high) else high,
                "n": int(some.sum()),
                "coverage": float(inside[some].mean()) if some.any() else None,
                "median_half_width": float(np.median(half[some])) if some.any() else None,
            }
            for low, high in SIZES_MEV
            for some in [(np.abs(predicted) >= low) & (np.abs(predicted) < high)]
        ],
    }


def apart_figures(measured: Rows, predicted: np.ndarray, seed: int) -> dict[str, Any]:
    """The subsets that come nearest to what CHGNet has not seen; none of them is proof."""
    rows = measured.rows
    subsets = {
        "an end without a Materials Project label at hand": [row.known_ends < 2 for row in rows],
        "both ends without one": [row.known_ends == 0 for row in rows],
        f"labels differ from this DFT by more than {OTHER_GEOMETRY_MEV:g} meV/atom": [
            row.label is not None and abs(row.label - row.dft) > OTHER_GEOMETRY_MEV for row in rows
        ],
        "both ends with labels that agree": [
            row.label is not None and abs(row.label - row.dft) <= OTHER_GEOMETRY_MEV for row in rows
        ],
    }
    baseline = measured.members[:, 0]
    return {
        name: {
            "combination": _agreement(measured, predicted, seed, np.array(some)),
            measured.names[0]: _agreement(measured, baseline, seed, np.array(some)),
            **{
                other: _agreement(measured, column, seed, np.array(some))
                for other, column in measured.others.items()
            },
        }
        for name, some in subsets.items()
    }


def worst(measured: Rows, predicted: np.ndarray, count: int = 15) -> list[dict[str, Any]]:
    """The pairs with the largest errors, and what each source says of them, meV/atom."""
    order = np.argsort(-np.abs(predicted - measured.dft))[:count]
    return [
        {
            "formula": measured.rows[i].formula,
            "polar_id": measured.rows[i].ids[0],
            "nonpolar_id": measured.rows[i].ids[1],
            "dft": measured.rows[i].dft,
            "materials_project_labels": measured.rows[i].label,
            "combination": float(predicted[i]),
            **{name: float(x) for name, x in zip(measured.names, measured.members[i], strict=True)},
            **{name: float(column[i]) for name, column in measured.others.items()},
        }
        for i in order
    ]


def read_rows(folder: Path) -> list[Row]:
    """The preferred pairs under the data folder, in the order of the table.

    Raises:
        MissingDataError: the files are not there.
    """
    labels = folder / "crystals" / "mp_labels.csv.gz"
    pairs = read_preferred(folder)
    if not labels.is_file():
        raise MissingDataError(f"{labels.parent} lacks {labels.name}. 'hysteron data fetch' gets it.")
    with gzip.open(labels, "rt", encoding="utf-8", newline="") as lines:
        known = {row["material_id"]: row["formation_energy_per_atom"] for row in csv.DictReader(lines)}
    return [_row(pair, known) for pair in pairs]


def _row(pair: Pair, known: dict[str, str]) -> Row:
    ids = (pair.polar_id, pair.nonpolar_id)
    energies = [known.get(i) or None for i in ids]
    label = None
    if energies[0] is not None and energies[1] is not None:
        label = MEV_PER_EV * (float(energies[0]) - float(energies[1]))
    if pair.energy_difference is None:
        raise MissingDataError(f"The preferred pair {ids[0]}, {ids[1]} has no energy in the table.")
    return Row(
        formula=pair.formula,
        ids=ids,
        polar=pair.polar,
        nonpolar=pair.nonpolar,
        dft=pair.energy_difference,
        label=label,
        known_ends=sum(i in known for i in ids),
    )


def _fit(measured: Rows) -> Combination:
    return fit_combination(measured.names, measured.members, measured.dft, measured.families)


def _agreement(
    measured: Rows, ours: np.ndarray, seed: int, chosen: np.ndarray | None = None
) -> dict[str, Any]:
    """Mean and median absolute error, and share of right signs where the DFT difference is clear."""
    some = np.flatnonzero(np.ones(len(ours), dtype=bool) if chosen is None else chosen)
    errors = np.abs(ours - measured.dft)
    clear = np.abs(measured.dft) > CLEAR_SIGN_MEV
    same = (np.sign(ours) == np.sign(measured.dft)).astype(float)

    def mae(rows: np.ndarray) -> float:
        return float(errors[rows].mean()) if len(rows) else np.nan

    def sign(rows: np.ndarray) -> float:
        return float(same[rows][clear[rows]].mean()) if clear[rows].any() else np.nan

    return {
        "n": len(some),
        "mae": mae(some),
        "mae_interval_90": _bootstrap(measured, some, mae, seed),
        "median_absolute_error": float(np.median(errors[some])) if len(some) else None,
        "n_sign": int(clear[some].sum()),
        "share_right_sign": sign(some),
        "share_right_sign_interval_90": _bootstrap(measured, some, sign, seed),
    }


def _compared(measured: Rows, ours: np.ndarray, seed: int) -> dict[str, Any]:
    """As `_agreement`, and how much it gains on the first potential alone, on the same samples of formulas."""
    gains = np.abs(measured.members[:, 0] - measured.dft) - np.abs(ours - measured.dft)
    everything = np.arange(len(gains))
    interval = _bootstrap(measured, everything, lambda rows: float(gains[rows].mean()), seed)
    return {
        **_agreement(measured, ours, seed),
        "baseline": f"{measured.names[0]} as it is",
        "baseline_mae": float(np.abs(measured.members[:, 0] - measured.dft).mean()),
        "gain_in_mae": float(gains.mean()),
        "gain_in_mae_interval_90": interval,
    }


def _bootstrap(
    measured: Rows, some: np.ndarray, figure: Callable[[np.ndarray], float], seed: int
) -> list[float] | None:
    """5% and 95% quantiles of a figure over samples of formulas, drawn with replacement."""
    rng = np.random.default_rng(seed)
    by_formula: dict[str, list[int]] = {}
    for i in some:
        by_formula.setdefault(measured.rows[i].formula, []).append(int(i))
    groups = [np.array(by_formula[formula]) for formula in sorted(by_formula)]
    if not groups:
        return None
    draws = rng.integers(len(groups), size=(BOOTSTRAP_SAMPLES, len(groups)))
    values = [figure(np.concatenate([groups[i] for i in draw])) for draw in draws]
    return [float(q) for q in np.nanquantile(values, [0.05, 0.95])]
