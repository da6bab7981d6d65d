"""Which candidates come first, and why?

A weighted mean of verdict scores, each part of which is kept. Only what passes the required screens and at
least one device screen is ranked, and nothing that a veto rejects. Near copies make way: of one prototype
(anonymous formula and space group) only the best few keep their place, the others follow after all prototypes
have had theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from ..core.candidate import Candidate
from ..core.errors import StructureError, nearest
from ..core.identity import SYMPREC_ANGSTROM
from ..core.registry import names
from ..core.settings import Settings
from . import SCREENS
from .ferroelectric.symmetry import find_symmetry

DEVICE = "device"
SYNAPSE = "synapse"


class RankConfig(Settings):
    """How the shortlist is ordered.

    Attributes:
        required: Screens that a candidate must pass.
        device_screens: Screens of which it must pass at least one; the best score among those passed counts.
        vetoes: Screens whose rejection keeps a candidate out, where they were asked; the supply screen rejects what its
            settings name, and nothing by default.
        weights: By screen, and `device` for the device screens. A screen that was not asked adds nothing.
        per_prototype: How many of one prototype keep their place; `None`: all.
    """

    required: tuple[str, ...] = ("stability",)
    device_screens: tuple[str, ...] = Field(default=("ferroelectric", "resistive-switching"), min_length=1)
    vetoes: tuple[str, ...] = ("supply",)
    weights: dict[str, float] = {"device": 0.6, "stability": 0.3, "supply": 0.1}
    per_prototype: int | None = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _weighted(self) -> RankConfig:
        if any(weight < 0 for weight in self.weights.values()) or sum(self.weights.values()) <= 0:
            raise ValueError(
                f"weights must not be negative, and at least one must be positive; got {self.weights}"
            )
        return self

    @model_validator(mode="after")
    def _known(self) -> RankConfig:
        known = names(SCREENS, "hysteron.screens")
        named = (*self.required, *self.device_screens, *self.vetoes, *(self.weights.keys() - {DEVICE}))
        for screen in named:
            if screen not in known:
                raise ValueError(f"no screen {screen!r}. {nearest(screen, known)}")
        return self


@dataclass(frozen=True)
class Ranked:
    """One place in the shortlist.

    Attributes:
        candidate_id: Who.
        score: 0 to 1; compares inside one ranking only.
        position: 1 is the first.
        parts: What the score is made of: under `scores`, by screen or `device`, its `score`, `weight` and
            `contribution`; the `device_screen` that counted; the `prototype`, the place in it, and whether the
            candidate was `held_back` for that place.
    """

    candidate_id: str
    score: float
    position: int
    parts: dict[str, Any]


def rank(candidates: Sequence[Candidate], config: RankConfig | None = None) -> list[Ranked]:
    """Order the candidates that pass; ties by `candidate_id`, so the order of the input does not matter.

    Args:
        candidates: Judged candidates; those that do not pass are left out.
        config: Weights and conditions.

    Returns:
        The best first, of each prototype no more than `per_prototype` before the others have had their turn.
    """
    config = config or RankConfig()
    scored = [(*_score(c, config), c) for c in candidates if _eligible(c, config)]
    scored.sort(key=lambda row: (-row[0], row[2].candidate_id))
    places: Counter[str] = Counter()
    rows: list[tuple[bool, float, str, dict[str, Any]]] = []
    for score, parts, candidate in scored:
        prototype = _prototype(candidate)
        places[prototype] += 1
        held_back = config.per_prototype is not None and places[prototype] > config.per_prototype
        told = {
            "prototype": prototype,
            "place_in_prototype": places[prototype],
            "held_back": held_back,
            "profiles": _profiles(candidate),
        }
        rows.append((held_back, score, candidate.candidate_id, parts | told))
    rows.sort(key=lambda row: row[0])  # stable: the order by score stands within both groups
    return [Ranked(who, score, i, parts) for i, (_, score, who, parts) in enumerate(rows, start=1)]


def _passed(candidate: Candidate, screen: str) -> bool:
    verdict = candidate.verdict(screen)
    return verdict is not None and verdict.passed


def _eligible(candidate: Candidate, config: RankConfig) -> bool:
    required = all(_passed(candidate, screen) for screen in config.required)
    vetoed = any(v is not None and not v.passed for v in map(candidate.verdict, config.vetoes))
    return required and not vetoed and any(_passed(candidate, screen) for screen in config.device_screens)


def _score(candidate: Candidate, config: RankConfig) -> tuple[float, dict[str, Any]]:
    passed = [screen for screen in config.device_screens if _passed(candidate, screen)]
    best = max(passed, key=lambda screen: _score_of(candidate, screen) or 0.0)
    total = sum(config.weights.values())
    parts: dict[str, Any] = {}
    for name, weight in sorted(config.weights.items()):
        score = _score_of(candidate, best if name == DEVICE else name)
        parts[name] = {"score": score, "weight": weight, "contribution": weight * (score or 0.0) / total}
    return sum(part["contribution"] for part in parts.values()), {"scores": parts, "device_screen": best}


def _score_of(candidate: Candidate, screen: str) -> float | None:
    verdict = candidate.verdict(screen)
    return None if verdict is None else verdict.score


def _profiles(candidate: Candidate) -> list[dict[str, Any]]:
    """What the synapse screen said of each application that the candidate fits, best first."""
    verdict = candidate.verdict(SYNAPSE)
    told = verdict.details.get("profiles") if verdict else None
    fitting = (
        [one for one in told if isinstance(one, dict) and one.get("fits")] if isinstance(told, list) else []
    )
    return [
        {
            "name": one.get("name"),
            "assumed_class": one.get("assumed_class"),
            "limiting": (one.get("limiting") or {}).get("sentence"),
        }
        for one in fitting
    ]


def _prototype(candidate: Candidate) -> str:
    formula = candidate.structure.composition.anonymized_formula
    return f"{formula}-{candidate.spacegroup_number or _spacegroup_number(candidate)}"


def _spacegroup_number(candidate: Candidate) -> int | str:
    try:
        return find_symmetry(candidate.structure, SYMPREC_ANGSTROM).spacegroup_number
    except StructureError:
        return "unknown"
