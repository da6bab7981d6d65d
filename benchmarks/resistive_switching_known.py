"""Do known resistive-switching materials come out on top when the screen puts them in order with like compounds?

Positives and controls are those of `resistive_switching_selection`. The screen asks one class of mechanism after the other, and
a crystal stands where its best verdict puts it; the figure is pooled over all classes. Controls are unlabelled, not negatives:
among them are compounds in which nobody has looked for switching. So no precision is told, and nothing of a class with
fewer than ten formulas.

The screen sees the crystal alone; gaps are predicted. The classifier of conduction has not seen the family of the compound it
is asked of, and a compound does not pass for being named as a known transition. What a minute's relaxations would tell is not
asked, so mechanisms that require it are not judged. Windows and rules were written by people who know these materials, and the
models behind them learnt from crystals of the Materials Project, from which all crystals here come: this is recovery,
not discovery.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

from ..core.candidate import Candidate, Verdict
from ..core.contracts import Screen, Tools
from ..core.crystals import crystals_folder, read_crystals
from ..core.settings import config_hash, home
from ..screening.resistive_switching.screen import ResistiveSwitching, ResistiveSwitchingConfig
from .conduction_held_out import HeldOutConduction
from .enrichment import Group, Standing, enrichment_figures, pool_of
from .ferroelectric_known import describe
from .ferroelectric_measured import Measured
from .ferroelectric_selection import LIKENESSES, Crystal, crystal_of
from .resistive_switching_selection import (
    TABLE,
    Switch,
    find_controls,
    find_positives,
    is_like,
    read_known,
)

CONTROLS = 12
"""At most so many a positive; with nine or more the best tenth has no room for more than the positives."""
TARGET = 2.0
LEAST_FOR_A_CLASS = 10
"""Formulas, below which nothing is told of a class."""
QUICK_POSITIVES, QUICK_CONTROLS, QUICK_ATOMS = 6, 3, 8
SHORT = ("enrichment_top_decile", "interval_90", "ranked_above_control")
"""What is told of a baseline."""


@dataclass(frozen=True)
class Member:
    """A crystal after the screen."""

    crystal: Crystal
    verdict: Verdict


def known_row(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Rank the known materials at hand among unlabelled compounds of like chemistry and size.

    Args:
        seed: Of controls and samples.
        resume: Keep what the screen has measured before.
        quick: A few small positives with few controls; no claim stands on it.
        tools: What the screen may use; nothing by default.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks crystals, or the labels of conduction.
    """
    tools = held_out(tools or Tools(), seed)
    known = read_known()
    crystals = [crystal_of(record) for record in read_crystals(crystals_folder())]
    positives, absent = find_positives(known, crystals)
    if quick:
        small = [one for one in positives if one.crystal.record.nsites <= QUICK_ATOMS]
        positives = small[:: max(1, len(small) // QUICK_POSITIVES)]
    chosen = find_controls(positives, crystals, known, QUICK_CONTROLS if quick else CONTROLS, seed)
    screen = screen_to_test()
    groups = judge_groups(chosen, screen, tools, kept_measurements(screen, tools, resume))
    return {
        "truth": f"{TABLE}: formula, and space group where one is named",
        "known_in_table": sum(one.agreed for one in known),
        "at_hand": len(positives),
        "verified_at_hand": sum(one.known.verified for one in positives),
        "not_at_hand": absent,
        "controls": "unlabelled, of like chemistry and size; not negatives",
        **figures(groups, positives, seed),
        "controls_by_likeness": _likenesses(chosen),
        "positives": [_told(one, group.positive) for one, group in zip(positives, groups, strict=True)],
    }


def held_out(tools: Tools, seed: int) -> Tools:
    """With a classifier of conduction that has not seen the family it is asked of, if there is a classifier."""
    return dataclasses.replace(tools, conduction=HeldOutConduction(seed)) if tools.conduction else tools


def screen_to_test() -> Screen:
    """With its default settings, but for the list of known transitions, which does not count."""
    default = ResistiveSwitchingConfig()
    named_only = default.mit.model_copy(update={"count_known": False})
    return ResistiveSwitching(default.model_copy(update={"mit": named_only}))


def kept_measurements(screen: Screen, tools: Tools, resume: bool) -> Measured:
    """What was measured before with the same screen, code, tables and tools."""
    key = {
        "config": config_hash(screen.config),  # type: ignore[attr-defined]
        "tools": describe(tools),
        "conduction": tools.conduction.method if tools.conduction else "",
        "vacancy_correction": tools.vacancy_correction.method if tools.vacancy_correction else "",
        "screening": _digest(files("hysteron") / "screening"),
    }
    return Measured("known", key, resume, home() / "cache" / "benchmarks" / "resistive_switching")


def judge_groups(
    groups: Sequence[Group[Crystal]], screen: Screen, tools: Tools, kept: Measured
) -> list[Group[Member]]:
    """The groups after the screen; each crystal is measured alone."""

    def judged(crystal: Crystal) -> Member:
        start = Candidate(crystal.id, crystal.record.structure())
        return Member(crystal, screen.judge(kept.measured(start, measure)[0]))

    def measure(one: Candidate) -> tuple[Candidate, float]:
        predicted = tools.predictor.predict([one])[0] if tools.predictor else one
        began = time.monotonic()
        return screen.measure([predicted], tools)[0], time.monotonic() - began

    return [Group(judged(group.positive), tuple(map(judged, group.controls))) for group in groups]


def figures(groups: Sequence[Group[Member]], positives: Sequence[Switch], seed: int) -> dict[str, Any]:
    """Pooled enrichment, the baselines in the same pool, and parts of the pool.

    Args:
        groups: Positives with their controls.
        positives: In the same order.
        seed: Of the samples.
    """
    pairs = list(zip(groups, positives, strict=True))
    classes = sorted({one.known.mechanisms[0] for one in positives})
    of_class = {name: [g for g, one in pairs if one.known.mechanisms[0] == name] for name in classes}
    return {
        **enrichment_figures(pool_of(groups, place_by_screen, _formula), seed, TARGET),
        "passed": _passed(groups),
        "baselines": {
            name: _in_short(enrichment_figures(pool_of(groups, place, _formula), seed))
            for name, place in BASELINES.items()
        },
        "verified_alone": _part([g for g, one in pairs if one.known.verified], seed),
        "positives_by_class": {name: len(part) for name, part in of_class.items()},
        f"classes_of_at_least_{LEAST_FOR_A_CLASS}": {
            name: _part(part, seed) for name, part in of_class.items() if len(part) >= LEAST_FOR_A_CLASS
        },
        "pooled_without_one_class": {
            name: _part([g for g, one in pairs if one.known.mechanisms[0] != name], seed) for name in classes
        },
        "best_controls": _best_controls(groups),
    }


def _part(groups: Sequence[Group[Member]], seed: int) -> dict[str, Any] | None:
    if not groups:
        return None
    told = enrichment_figures(pool_of(groups, place_by_screen, _formula), seed)
    return {"n_positives": told["n_positives"], **_in_short(told), "passed": _passed(groups)}


def _in_short(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in SHORT}


def _passed(groups: Sequence[Group[Member]]) -> dict[str, int]:
    return {
        "positives": sum(group.positive.verdict.passed for group in groups),
        "controls": sum(member.verdict.passed for group in groups for member in group.controls),
    }


def _formula(member: Member) -> str:
    return member.crystal.formula


def place_by_screen(member: Member) -> Standing:
    """Passed first, then by score; no score is as good as 0."""
    return float(member.verdict.passed), float(member.verdict.score or 0.0)


def _place_by_stability(member: Member) -> float:
    height = member.crystal.energy_above_hull
    return -np.inf if height is None else -height


def _place_by_large_gap(member: Member) -> float:
    return -1.0 if member.crystal.band_gap is None else member.crystal.band_gap


def _place_by_small_gap(member: Member) -> float:
    return -np.inf if member.crystal.band_gap is None else -member.crystal.band_gap


BASELINES: dict[str, Callable[[Member], float]] = {
    "random": lambda member: 0.0,
    "lowest_above_hull_first": _place_by_stability,
    "largest_pbe_gap_first": _place_by_large_gap,
    "smallest_pbe_gap_first": _place_by_small_gap,
}


def _likenesses(groups: Sequence[Group[Crystal]]) -> dict[str, int]:
    """How many controls are how like their positive."""
    counted: dict[str, int] = {}
    for group in groups:
        for control in group.controls:
            near = next(one for one in LIKENESSES if is_like(control, group.positive, one))
            kind = "same family" if near.same_family else "same kind of anion"
            name = f"{kind}, atoms within a factor of {near.size_factor:g}"
            counted[name] = counted.get(name, 0) + 1
    return counted


def _best_controls(groups: Sequence[Group[Member]], count: int = 15) -> list[str]:
    """Controls that passed, best first: false alarms, or switches to be."""
    passed = [member for group in groups for member in group.controls if member.verdict.passed]
    best = sorted(passed, key=lambda one: (place_by_screen(one), one.crystal.id), reverse=True)[:count]
    return [f"{one.crystal.formula} {one.crystal.id}: {one.verdict.score or 0.0:.2f}" for one in best]


def _told(known: Switch, member: Member) -> dict[str, Any]:
    crystal, verdict = member.crystal, member.verdict
    return {
        "formula": crystal.formula,
        "material_id": crystal.id,
        "mechanisms": list(known.known.mechanisms),
        "verified": known.known.verified,
        "nsites": crystal.record.nsites,
        "energy_above_hull": crystal.energy_above_hull,
        "pbe_band_gap": crystal.band_gap,
        "passed": verdict.passed,
        "score": verdict.score,
        "mechanism_of_verdict": verdict.details.get("mechanism"),
        "not_judged": verdict.details.get("mechanisms_not_judged"),
        "reason": verdict.reason,
    }


def _digest(folder: Traversable) -> str:
    """Of the Python source in a folder and below it."""
    digest = hashlib.sha256()
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir() and entry.name != "__pycache__":
            digest.update(_digest(entry).encode())
        elif entry.name.endswith(".py"):
            digest.update(entry.read_bytes())
    return digest.hexdigest()
