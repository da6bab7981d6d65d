"""How should the estimates of one method be corrected, if at all?

Four answers are tried on the pairs of one property, method and DFT, the simplest first:

- *as stated*: nothing is changed;
- *width*: the value stays, its uncertainty is set by the errors seen;
- *offset*: a shift overall and one of each class of chemistry, shrunk to none (`regression.py`);
- *slope*: with a part that grows with the estimate.

Each predicts every DFT value from all others (leave one out); a later answer is taken only where its mean log score beats
that of the best one before it by `MARGIN`, and, if it moves values, by `SURE` standard errors of the gain; nothing is
corrected with fewer than `least` pairs, and no slope taken from fewer than `LEAST_FOR_A_SLOPE`. Where estimates state
an uncertainty, the noise goes with it and has a floor; else it is one width for all. An estimate that states a deviation and
an interval is taken at its wider word.

A class that was not among the pairs gets the overall shift and the variance that classes differ by, and never a smaller
uncertainty than the estimate states. A zero that means something of its own (a metal) is neither learned from nor moved,
and nothing is moved below zero that cannot be negative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from ...core.candidate import PropertyValue
from ...core.chemistry_families import family_in_words
from ...core.learnt import NEVER_NEGATIVE, Learnt
from ...core.uncertainty import stated_deviation
from .calibration import PRIOR_PAIRS
from .pairs import AS_EXPORTED, Pair
from .regression import Posterior, fit
from .statistics import student_quantile

LEAST_PAIRS = 5
"""Below, nothing is corrected."""
LEAST_FOR_A_SLOPE = 15
MARGIN = 0.02
"""Nats an answer by which a richer model must predict better."""
SURE = 1.6
"""Standard errors of the mean gain by which values that are moved must be predicted better. Of 0, 1, 1.6 and 2, on validation
crystals: below, what had no bias was moved and got worse; above, Castelli's bias was found later (`hysteron benchmark learning`
measures on test crystals)."""
COVERAGE = 0.9
AS_STATED, WIDTH, OFFSET, SLOPE = "as stated", "width", "offset", "slope"


@dataclass(frozen=True)
class Correction:
    """What is done to the estimates of one method; JSON as `to_record` has it.

    Attributes:
        name: The property.
        method: Of the estimates.
        teacher: The DFT.
        n: Pairs that it was learned from.
        kind: `as stated` (nothing is done), `width`, `offset` or `slope`.
        why: In a sentence.
        log_scores: Mean log density of a DFT value predicted from the others, by kind.
        families: Pairs of each class.
        mean: Of the offset, the slope if there is one, and the offset of each class, in the order of `families`.
        covariance: Of these.
        noise: Variance of an error, for each unit of the squared statement over the reference.
        floor: Variance that it has besides.
        between: Variance of the offset of another class.
        freedom: Of Student's distribution.
        reference: Deviation that a typical estimate states; `None` if none is stated.
        centre: Of the estimates, where there is a slope.
        spread: Of the estimates.
    """

    name: str
    method: str
    teacher: str
    n: int
    kind: str
    why: str
    log_scores: dict[str, float]
    families: dict[str, int]
    mean: tuple[float, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    noise: float = 0.0
    floor: float = 0.0
    between: float = 0.0
    freedom: float = 0.0
    reference: float | None = None
    centre: float = 0.0
    spread: float = 1.0

    @property
    def does_something(self) -> bool:
        """Whether estimates are corrected by it."""
        return self.kind != AS_STATED

    def shift(self, family: str, estimate: float, uncertainty: float | None = None) -> tuple[float, float]:
        """What is added to an estimate, and the standard deviation of the sum.

        Args:
            family: Class of chemistry of the crystal.
            estimate: In the property's unit.
            uncertainty: That the estimate states (`core.uncertainty`).
        """
        stated = 1.0 if self.reference is None or not uncertainty else (uncertainty / self.reference) ** 2
        seen = family in self.families
        mean, variance = 0.0, self.noise * stated + self.floor
        if self.mean:
            row = np.array(self._row(family, estimate))
            mean = float(row @ np.array(self.mean))
            variance += float(row @ np.array(self.covariance) @ row) + (0.0 if seen else self.between)
        deviation = math.sqrt(variance)
        return mean, deviation if seen else max(deviation, uncertainty or 0.0)

    def corrected(self, value: PropertyValue, family: str, version: str) -> PropertyValue | None:
        """The corrected value that stands beside an estimate; `None` where nothing is corrected."""
        estimate = float(value.value)  # type: ignore[arg-type]
        bounded = self.name in NEVER_NEGATIVE
        if not self.does_something or (bounded and estimate <= 0):
            return None
        uncertainty = stated_deviation(value.uncertainty, value.interval, value.coverage)
        shift, deviation = self.shift(family, estimate, uncertainty)
        half = student_quantile(COVERAGE, self.freedom) * deviation * math.sqrt(1 - 2 / self.freedom)
        least = 0.0 if bounded else -math.inf
        middle, low, high = (max(least, estimate + shift + step) for step in (0.0, -half, half))
        return PropertyValue(
            value.name,
            round(middle, 6),
            value.units,
            Learnt(version, self.method, self.teacher).method,
            round(deviation, 6),
            self._source(value, family, shift),
            (round(low, 6), round(high, 6)),
            COVERAGE,
        )

    def to_record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"mean": list(self.mean), "covariance": [list(row) for row in self.covariance]}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The inverse of `to_record`."""
        fields: dict[str, Any] = dict(record)
        fields["mean"] = tuple(record["mean"])
        fields["covariance"] = tuple(tuple(row) for row in record["covariance"])
        return cls(**fields)

    def _row(self, family: str, estimate: float) -> list[float]:
        slope = [(estimate - self.centre) / self.spread] if self.kind == SLOPE else []
        return [1.0, *slope, *(float(family == known) for known in self.families)]

    def _source(self, value: PropertyValue, family: str, shift: float) -> str:
        alike = self.families.get(family, 0)
        words = family_in_words(family)
        of_class = (
            f"{alike} of them of {words}" if alike else f"none of them of {words}, so it is less certain"
        )
        unit = "" if value.units == "1" else f" {value.units}"
        moved = f"moved by {shift:+.4g}{unit}" if self.mean else "its uncertainty alone was set"
        return f"{value.method} gave {value.value:.6g}{unit}; {moved} after {self.n} values by {self.teacher}, {of_class}"


def learn_correction(pairs: Sequence[Pair], least: int = LEAST_PAIRS) -> Correction:
    """The correction that pairs of one group support.

    Args:
        pairs: Of one property, method and DFT, in any order; at least one.
        least: Pairs below which nothing is corrected.
    """
    name, method, teacher = pairs[0].group
    usable = sorted(
        (p for p in pairs if p.geometry == AS_EXPORTED and not p.at_bound),
        key=lambda p: (p.candidate_id, p.estimate, p.dft),
    )
    counted = Counter(p.family for p in usable)
    families = {family: counted[family] for family in sorted(counted)}
    if len(usable) < max(least, 4):
        why = f"{len(usable)} usable pairs, and nothing is corrected with fewer than {max(least, 4)}"
        return Correction(name, method, teacher, len(usable), AS_STATED, why, {}, families)
    problem = _Problem(usable, list(families))
    kinds = [WIDTH, OFFSET, *([SLOPE] if len(usable) >= LEAST_FOR_A_SLOPE else [])]
    fits = {kind: problem.fit(kind) for kind in kinds}
    scores = problem.stated_scores() | {kind: found.scores for kind, found in fits.items()}
    kind, why = _chosen(scores)
    told = {key: round(float(score.mean()), 6) for key, score in scores.items()}
    made = Correction(name, method, teacher, len(usable), kind, why, told, families)
    return made if kind == AS_STATED else problem.with_fit(made, fits[kind])


def _chosen(scores: dict[str, np.ndarray]) -> tuple[str, str]:
    """The last kind that beats the best one before it, and why."""
    best, *later = scores
    for kind in later:
        gains = scores[kind] - scores[best]
        needed = SURE * float(gains.std(ddof=1)) / math.sqrt(len(gains)) if kind in (OFFSET, SLOPE) else 0.0
        if gains.mean() > max(MARGIN, needed):
            best = kind
    told = f"{best} {scores[best].mean():.3f}"
    others = ", ".join(f"{kind} {score.mean():.3f}" for kind, score in scores.items() if kind != best)
    if best == AS_STATED:
        return best, f"no correction predicts left-out DFT values surely better: {told} nats each, {others}"
    unstated = "" if AS_STATED in scores else "the estimates state no uncertainty; "
    return best, f"{unstated}left-out DFT values are best predicted by {told} nats each, against {others}"


class _Problem:
    """The pairs as arrays."""

    def __init__(self, pairs: Sequence[Pair], families: list[str]) -> None:
        self.estimates = np.array([p.estimate for p in pairs])
        self.residuals = np.array([-p.error for p in pairs])
        self.families = np.array([[float(p.family == family) for family in families] for p in pairs])
        stated = np.array([p.stated or 0.0 for p in pairs])
        self.stated = stated if (stated > 0).all() else None
        self.centre, self.spread = float(self.estimates.mean()), float(self.estimates.std()) or 1.0
        if self.stated is not None:
            self.reference, self.prior_pairs = float(np.median(self.stated)), PRIOR_PAIRS
        else:
            size = max(1.0, float(np.abs(self.estimates).max()))
            self.reference = max(float(np.sqrt((self.residuals**2).mean())), 1e-6 * size)
            self.prior_pairs = 0.0

    def fit(self, kind: str) -> Posterior:
        """The posterior of a kind of correction."""
        n = len(self.residuals)
        slope = [(self.estimates - self.centre) / self.spread] if kind == SLOPE else []
        design = np.column_stack([np.ones(n), *slope, self.families]) if kind != WIDTH else np.zeros((n, 0))
        classes = 0 if kind == WIDTH else self.families.shape[1]
        stated = None if self.stated is None else (self.stated / self.reference) ** 2
        return fit(self.residuals, stated, design, classes, self.reference, self.prior_pairs)

    def stated_scores(self) -> dict[str, np.ndarray]:
        """Log density of the residuals as the estimates state it, if they do."""
        if self.stated is None:
            return {}
        z = self.residuals / self.stated
        return {AS_STATED: -0.5 * z**2 - np.log(self.stated) - 0.5 * math.log(2 * math.pi)}

    def with_fit(self, made: Correction, found: Posterior) -> Correction:
        """The correction with its numbers, rounded as they are kept."""
        rounded = asdict(made) | {
            "mean": tuple(_digits(x) for x in found.mean),
            "covariance": tuple(tuple(_digits(x) for x in row) for row in found.covariance),
            "noise": _digits(found.noise),
            "floor": _digits(found.floor),
            "between": _digits(found.between),
            "freedom": found.freedom,
            "reference": None if self.stated is None else _digits(self.reference),
            "centre": _digits(self.centre),
            "spread": _digits(self.spread),
        }
        return Correction(**rounded)


def _digits(number: float) -> float:
    """Nine significant digits: what is kept does not hang on the last bits of a library."""
    return float(f"{float(number):.9g}")
