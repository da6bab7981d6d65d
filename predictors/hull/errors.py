"""How far are the hull's distances from the truth, for each class of chemistry?

Truth is the Materials Project. Labels in the data folder come from several of its releases, and those
before 2021 follow another correction scheme: their bromides, iodides, selenides and tellurides lie 0.2 to
0.3 eV/atom higher. So only sources on the scheme of today (`MP2020_SOURCES`) count. Two hulls are made
of the same phases, one on the table's energies and one on the labels' formation energies; every compared
formula is left out of both, since a phase on its own hull would agree by construction. One phase of each
formula is compared, so that the residuals are independent.

Fitted on the data set's `train` split, checked on `val` and `test`, whose formulas are others. Split
conformal prediction (Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018), doi:10.1080/01621459.2017.1307116):
the interval is a quantile of residuals, whatever their distribution. It holds for crystals like these.
CHGNet was trained on most of them; for crystals that are unlike any known one the error is larger.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.crystals import SPLITS, read_crystals
from ...core.errors import HullError
from .chemistry import chemistry_class

if TYPE_CHECKING:
    from .table import PhaseTable

MP2020_SOURCES = frozenset({"mp20", "mpts52"})
LABELS = "mp_labels.csv.gz"
WINDOW = 0.2  # eV/atom: phases further from the hull than this are not compared
COVERAGE = 0.9
ONE_SIGMA = 0.6827  # what a normal distribution holds within one standard deviation
FEWEST = 100  # formulas; a smaller class takes the error of all
ALL = "all"
DIGITS = 4


@dataclass(frozen=True)
class Residual:
    """The table's distance from the hull less the labels' one, for one phase of a formula, eV/atom."""

    material_id: str
    formula: str
    split: str
    distance: float
    formation: float

    @property
    def chemistry(self) -> str:
        """See `chemistry.chemistry_class`."""
        from .table import ELEMENT

        return chemistry_class(ELEMENT.findall(self.formula))


@dataclass(frozen=True)
class ExpectedError:
    """Of a distance from the hull, eV/atom.

    Attributes:
        sigma: One standard deviation: 68.27% of the residuals are smaller.
        half_width: 90% of the residuals are smaller; `None` if that was not measured.
    """

    sigma: float
    half_width: float | None

    def joined(self, independent: float) -> ExpectedError:
        """With another error added in quadrature; the interval grows by the same factor."""
        sigma = math.hypot(self.sigma, independent)
        return ExpectedError(sigma, self.half_width and self.half_width * sigma / self.sigma)


def expected_error(
    errors: Mapping[str, Any] | None, model_error: float | None, elements: Iterable[object]
) -> ExpectedError | None:
    """The error of a composition's class; that of all if the class was too small or none were measured.

    Args:
        errors: `errors_by_class` of a hull's card, if it has them.
        model_error: Of the card.
        elements: Of the composition.
    """
    if errors:
        row = errors.get(chemistry_class(elements)) or errors[ALL]
        return ExpectedError(row["sigma"], row["half_width_90"])
    return None if model_error is None else ExpectedError(model_error, None)


def residuals(table: PhaseTable, crystals_dir: Path) -> list[Residual]:
    """One residual for each formula of the sources on the scheme of today within `WINDOW` of the hull.

    Some 20,000 formulas and two linear programmes for each: minutes.
    """
    from .phase import Phase
    from .table import PhaseTable

    splits = {r.material_id: r.labels.get("split", "train") for r in read_crystals(crystals_dir, SPLITS)}
    labels = _labels(crystals_dir)
    kept = [p for p in table.phases if p.material_id in labels]
    ours = PhaseTable(kept, table.card)
    truth = PhaseTable(
        [Phase(p.material_id, p.formula, labels[p.material_id][0], True) for p in kept], table.card
    )
    references = _elemental_energies(ours)
    groups: dict[str, list[Phase]] = {}
    for phase in kept:
        groups.setdefault(phase.formula, []).append(phase)
    found = []
    for formula in sorted(groups):
        residual = _residual(groups[formula], ours, truth, labels, references)
        if residual is not None:
            material_id, distance, formation = residual
            found.append(Residual(material_id, formula, splits[material_id], distance, formation))
    return found


def _residual(
    group: list[Any],
    ours: PhaseTable,
    truth: PhaseTable,
    labels: Mapping[str, tuple[float, float]],
    references: Mapping[str, float],
) -> tuple[str, float, float] | None:
    """Id and residuals of the phase that is lowest by its label, if it is near the hull."""
    from pymatgen.core import Composition

    phase = min(group, key=lambda p: (labels[p.material_id][1], p.material_id))
    formation, above_hull = labels[phase.material_id]
    shares = {str(el): x for el, x in Composition(phase.formula).fractional_composition.items()}
    if len(shares) < 2 or above_hull >= WINDOW:
        return None
    own = [p.material_id for p in group]
    composition = Composition(phase.formula)
    try:
        mixture, true_mixture = (t.lowest_mixture(composition, own)[0] for t in (ours, truth))
    except HullError:
        return None
    elements = sum(references[el] * x for el, x in shares.items())
    distance = (phase.energy_per_atom - mixture) - (formation - true_mixture)
    return phase.material_id, distance, phase.energy_per_atom - elements - formation


def _labels(crystals_dir: Path) -> dict[str, tuple[float, float]]:
    """Formation energy and distance from the hull by id; elements of any source, as they are uncorrected.

    Without the table of labels the scheme of none is known: nothing.
    """
    found = {}
    if not (crystals_dir / LABELS).is_file():
        return found
    with gzip.open(crystals_dir / LABELS, "rt", newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            of_today = row["src_formation_energy_per_atom"] in MP2020_SOURCES or row["n_elements"] == "1"
            formation, above_hull = row["formation_energy_per_atom"], row["e_above_hull"]
            if of_today and formation and above_hull:
                found[row["material_id"]] = (float(formation), float(above_hull))
    return found


def _elemental_energies(table: PhaseTable) -> dict[str, float]:
    from .table import ELEMENT

    lowest: dict[str, float] = {}
    for phase in table.phases:
        symbols = set(ELEMENT.findall(phase.formula))
        if len(symbols) == 1:
            (symbol,) = symbols
            lowest[symbol] = min(phase.energy_per_atom, lowest.get(symbol, math.inf))
    return lowest


def errors_by_class(found: Sequence[Residual]) -> dict[str, dict[str, Any]]:
    """Fit on `train`, check on the other splits; for the card.

    Returns:
        For each class of at least `FEWEST` train formulas, and for `all`: n, bias (median), sigma,
        half_width_90 (eV/atom), and `held_out`: what share the two widths covered there, and the mean
        absolute residual with and without the bias. The same for formation energies. Empty if there are
        no residuals of `train`. Nothing subtracts the bias.
    """
    groups: dict[str, list[Residual]] = {ALL: list(found)}
    for residual in found:
        groups.setdefault(residual.chemistry, []).append(residual)
    sizes = {name: sum(r.split == "train" for r in group) for name, group in groups.items()}
    return {
        name: _class_row(group)
        for name, group in sorted(groups.items())
        if sizes[name] >= (1 if name == ALL else FEWEST)
    }


def _class_row(group: Sequence[Residual]) -> dict[str, Any]:
    train = [r for r in group if r.split == "train"]
    held_out = [r for r in group if r.split != "train"]
    row = _spread([r.distance for r in train], [r.distance for r in held_out])
    return (
        {"n": len(train), "n_held_out": len(held_out)}
        | row
        | {"formation_energy": _spread([r.formation for r in train], [r.formation for r in held_out])}
    )


def _spread(fitted: Sequence[float], held_out: Sequence[float]) -> dict[str, Any]:
    """Median and widths of the residuals, and how they do on formulas they were not fitted on."""
    residuals, others = np.array(fitted), np.array(held_out)
    bias = float(np.median(residuals))
    sigma, half_width = (conformal_quantile(np.abs(residuals), share) for share in (ONE_SIGMA, COVERAGE))
    return {
        "bias": round(bias, DIGITS),
        "sigma": round(sigma, DIGITS),
        "half_width_90": round(half_width, DIGITS),
        "held_out": {
            "within_sigma": _mean(np.abs(others) <= sigma),
            "within_half_width_90": _mean(np.abs(others) <= half_width),
            "mean_absolute": _mean(np.abs(others)),
            "mean_absolute_less_bias": _mean(np.abs(others - bias)),
        },
    }


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The smallest width that holds a new score with at least this probability, if it is exchangeable.

    The k-th smallest of n scores with k = ceil((n + 1) coverage), at most the largest.
    """
    k = min(len(scores), math.ceil((len(scores) + 1) * coverage))
    return float(np.sort(scores)[k - 1])


def _mean(values: np.ndarray) -> float | None:
    return round(float(values.mean()), DIGITS) if len(values) else None
