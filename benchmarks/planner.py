"""Do plain words become the filter that was meant?

`planner_questions.jsonl` holds questions with gold filters in three parts, by writers who had seen neither the planner nor
its vocabulary: `tune` (read while both were made), `test` (written together with a part of `tune` before there was
either, never read) and `fresh` (where there is one: written later, not read yet).

A question counts by the F1 of what its plan finds against what the gold finds, order and limit included, in a pool of
crystals: the bundled catalogue with hull distances, and drawn values for properties that it does not hold, so that
every filter tells some crystals from others. A refused question has F1 zero. The baseline knows formulas, element
symbols and names and nothing else, and never refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

import numpy as np

from ..core.candidate import Candidate, PropertyValue
from ..core.errors import InputError
from ..core.filters import And, Filter, Not, Or, matches, parse
from ..core.properties import PROPERTIES
from ..retrieval.answer import sorted_by
from ..retrieval.catalog.source import Catalog
from ..retrieval.planner.chemistry import element_names, is_formula, is_symbol
from ..retrieval.planner.planner import plan
from ..retrieval.planner.trees import conjunction, formula, holds_all

QUESTIONS = "planner_questions.jsonl"
TARGET_F1 = 0.95
RESAMPLES = 2000
RANGES = {
    "formation_energy_per_atom": (-4.0, 0.5), "total_magnetization": (0.0, 0.4), "bulk_modulus": (5.0, 400.0),
    "shear_modulus": (5.0, 300.0), "dielectric_total": (1.0, 60.0), "dielectric_electronic": (1.0, 15.0),
    "refractive_index": (1.0, 4.0), "piezoelectric_modulus": (0.0, 5.0), "polarization": (0.0, 120.0),
    "switching_barrier": (0.0, 2.0), "coercive_field": (0.0, 10.0), "migration_barrier": (0.0, 3.0),
    "vacancy_formation_energy": (0.0, 9.0), "transition_temperature": (10.0, 1500.0), "energy_per_atom": (-9.0, -1.0),
}  # fmt: skip
"""Of drawn values, in the units of the property table."""
WORDS = {"magnetic_ordering": ("NM", "FM", "FiM", "AFM"), "gap_type": ("direct", "indirect")}


def run(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the drawn values and the resampling.
        quick: Every fourth crystal of the pool.
    """
    pool = Pool(make_pool(seed)[:: 4 if quick else 1])
    rows = list(read_questions())
    figures: dict[str, Any] = {
        "benchmark": "planner",
        "seed": seed,
        "pool": len(pool),
        "target_f1": TARGET_F1,
    }
    for half in ("tune", "test", "fresh"):
        asked = [row for row in rows if row["half"] == half and row["filter"]]
        if not asked:
            continue
        refusable = [row for row in rows if row["half"] == half and not row["filter"]]
        scores = [f1_of(row, pool, planned) for row in asked]
        naive = [f1_of(row, pool, baseline) for row in asked]
        figures[half] = {
            "questions": len(asked),
            "f1": float(np.mean(scores)),
            "f1_interval_90": _interval(scores, seed),
            "exact": float(np.mean([score == 1.0 for score in scores])),
            "f1_baseline": float(np.mean(naive)),
            "refused_wrongly": sum(not understood(row) for row in asked),
            "unanswerable": len(refusable),
            "unanswerable_refused": sum(not understood(row) for row in refusable),
            "asked_properties_right": float(np.mean([asks_right(row) for row in asked])),
        }
    return figures


def read_questions() -> Iterator[dict[str, Any]]:
    """The questions, one object each."""
    text = resources.files("hysteron.benchmarks").joinpath(QUESTIONS).read_text(encoding="utf-8")
    for line in text.splitlines():
        yield json.loads(line)


def make_pool(seed: int) -> list[Candidate]:
    """The catalogue with hull distances, and drawn values where it has none."""
    from ..flows.toolbox import hull

    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    return [_with_drawn(candidate, rng) for candidate in Catalog(hull=hull).search()]


def _with_drawn(candidate: Candidate, rng: np.random.Generator) -> Candidate:
    values = []
    for name, (low, high) in RANGES.items():
        share, value = rng.random(2)
        if share < 0.8 and candidate.get(name) is None:
            values.append(PropertyValue(name, low + (high - low) * value, PROPERTIES[name].units, "drawn"))
    values.extend(PropertyValue(name, str(rng.choice(words)), "1", "drawn") for name, words in WORDS.items())
    for method in ("HSE06", "experiment", "PBE"):
        if rng.random() < 0.3 and candidate.get("band_gap", method) is None:
            values.append(PropertyValue("band_gap", 6 * rng.random(), "eV", method))
    return candidate.with_property(*values)


class Pool:
    """Crystals, and what each elementary condition that was asked says of all of them: conditions recur."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self._known: dict[Filter, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.candidates)

    def truth(self, tree: Filter) -> np.ndarray:
        """1 where a filter holds, 0 where it does not, 0.5 where an absent value leaves it open (Kleene's logic)."""
        if isinstance(tree, And | Or):
            parts = [self.truth(term) for term in tree.terms]
            return np.min(parts, axis=0) if isinstance(tree, And) else np.max(parts, axis=0)
        if isinstance(tree, Not):
            return 1.0 - self.truth(tree.term)
        if tree not in self._known:
            answers = (matches(tree, candidate) for candidate in self.candidates)
            self._known[tree] = np.array([0.5 if answer is None else float(answer) for answer in answers])
        return self._known[tree]


Reader = Any
"""What gives (filter, sort, limit) for a question, or raises `InputError`."""


def planned(question: str) -> tuple[Filter | None, str | None, int | None]:
    """What the planner makes of a question."""
    made = plan(question)
    return parse(made.filter) if made.filter else None, made.sort, made.limit


def baseline(question: str) -> tuple[Filter | None, str | None, int | None]:
    """Formulas and elements alone."""
    terms: list[Filter] = []
    for word in re.findall(r"[A-Za-z][A-Za-z0-9()]*", question):
        if is_formula(word):
            terms.append(formula(word))
        elif is_symbol(word) and len(word) > 1:
            terms.append(holds_all([word]))
        elif word.lower() in element_names():
            terms.append(holds_all([element_names()[word.lower()]]))
    return conjunction(terms) if terms else None, None, None


def f1_of(row: dict[str, Any], pool: Pool, read: Reader) -> float:
    """F1 of what is found against what the gold finds; 1 where both find nothing."""
    gold = found_by(pool, parse(row["filter"]), row["sort"], row["limit"])
    try:
        mine = found_by(pool, *read(row["question"]))
    except InputError:
        return 0.0
    if not gold and not mine:
        return 1.0
    return 2 * len(gold & mine) / (len(gold) + len(mine))


def found_by(pool: Pool, tree: Filter | None, sort: str | None, limit: int | None) -> set[str]:
    """Ids of what a filter finds, the first ones where there is a limit."""
    holds = np.ones(len(pool)) if tree is None else pool.truth(tree)
    matching = [candidate for candidate, value in zip(pool.candidates, holds, strict=True) if value == 1.0]
    if limit is not None:
        matching = sorted_by(matching, sort)[:limit]
    return {c.candidate_id for c in matching}


def understood(row: dict[str, Any]) -> bool:
    """Whether the planner makes a plan at all."""
    try:
        plan(row["question"])
    except InputError:
        return False
    return True


def asks_right(row: dict[str, Any]) -> bool:
    """Whether the properties to be told are the gold's, and the order is."""
    try:
        made = plan(row["question"])
    except InputError:
        return False
    return set(made.asks) == set(row["asks"] or ()) and made.sort == row["sort"]


def _interval(scores: Sequence[float], seed: int) -> list[float]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    draws = rng.choice(np.asarray(scores), (RESAMPLES, len(scores))).mean(axis=1)
    return [float(q) for q in np.quantile(draws, (0.05, 0.95))]
