"""Do known ferroelectrics come out on top when the screen puts them in order with like compounds?

Positives and controls are those of `ferroelectric_selection`: (a) centrosymmetric and (b) polar compounds of like chemistry
and size. Controls are unlabelled, not negatives: among the polar ones are ferroelectrics that nobody has measured. The
centrosymmetric ones are set aside for their symmetry alone, so (a) is easy; what the screen's numbers are worth is
seen in (b).

The screen sees the crystal alone. Effective charges come from fits that have not seen the candidate's family of
chemistry. Two weights of the energy difference were fitted to DFT pairs, and CHGNet learnt from relaxations of the
Materials Project, from which all crystals come: this is recovery, not discovery. Formulas without a DFT label are shown
apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.candidate import Candidate, Verdict
from ..core.chemistry_families import chemistry_family
from ..core.contracts import Screen, Tools
from ..core.crystals import crystals_folder, read_crystals
from ..core.polar_pairs import read_preferred, read_unlabelled
from ..core.settings import config_hash, data_dir
from ..core.symmetry import is_polar
from ..screening.ferroelectric.charge_fitting.check import folds_of
from ..screening.ferroelectric.charge_fitting.fit import fit_charges
from ..screening.ferroelectric.charge_fitting.labels import read_labelled
from ..screening.ferroelectric.screen import Ferroelectric
from .enrichment import Group, Standing, enrichment_figures, pool_of, standing
from .ferroelectric_measured import Measured
from .ferroelectric_selection import (
    KINDS,
    LIKENESSES,
    SYMPREC_LOOSE,
    SYMPREC_TIGHT,
    TABLE,
    Crystal,
    Kind,
    Positive,
    crystal_of,
    crystal_of_pair,
    find_controls,
    find_positives,
    read_known,
)

CONTROLS = {"centric": 20, "polar": 10}
"""At most so many a positive; with nine or more a tenth of the pool has no room for more than the positives."""
TARGETS = {"centric": 5.0, "polar": 2.5}
QUICK_POSITIVES, QUICK_CONTROLS, QUICK_ATOMS = 6, 3, 12
SHORT = ("enrichment_top_decile", "interval_90", "ranked_above_control")
"""What is told of a baseline."""
ScreenOf = Callable[[Candidate], Screen]


@dataclass(frozen=True)
class Member:
    """A crystal of a table after the screen."""

    crystal: Crystal
    verdict: Verdict
    polar: bool


def run(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Rank the known ferroelectrics at hand among centric and among polar compounds.

    Args:
        seed: Of controls, folds and samples.
        resume: Keep what the screen has measured before.
        quick: A few small positives with few controls.
        tools: What the screen may use; nothing by default, so that no energy is known.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks crystals or ferroelectrics.
    """
    tools = tools or Tools()
    known = read_known()
    pairs = [*read_preferred(data_dir()), *read_unlabelled(data_dir())]
    crystals = [crystal_of(record) for record in read_crystals(crystals_folder())]
    at_hand = {crystal.id for crystal in crystals}
    others = [crystal_of_pair(pair) for pair in pairs if pair.polar_id not in at_hand]
    positives, absent = find_positives(known, crystals, others)
    if quick:
        small = [one for one in positives if one.crystal.record.nsites <= QUICK_ATOMS]
        positives = small[:: max(1, len(small) // QUICK_POSITIVES)]
    tables: dict[Kind, list[Group[Crystal]]] = {
        kind: find_controls(
            positives, crystals, known, kind, QUICK_CONTROLS if quick else CONTROLS[kind], seed
        )
        for kind in KINDS
    }
    config, screen_of = screens(seed)
    key = {"config": config, "seed": seed, "tools": describe(tools), "quick": quick}
    verdicts = judge_all(tables, screen_of, tools, Measured("known", key, resume))
    labelled = {pair.formula for pair in pairs if pair.preferred}
    by_dft = {pair.formula for pair in pairs if pair.ferroelectric}
    return {
        "truth": f"{TABLE}: formula and polar space group",
        "positives_in_table": sum(one.agreed for one in known),
        "positives_at_hand": len(positives),
        "verified_at_hand": sum(one.known.verified for one in positives),
        "not_at_hand": absent,
        "symprec": [SYMPREC_TIGHT, SYMPREC_LOOSE],
        **{
            kind: table_figures(tables[kind], positives, verdicts, labelled, by_dft, kind, seed)
            for kind in KINDS
        },
        "positives": [_told(one, verdicts[one.crystal.id]) for one in positives],
    }


def screens(seed: int) -> tuple[str, ScreenOf]:
    """Hash of the settings, and the screen for a candidate, whose effective charges have not seen its family."""
    labelled = read_labelled(data_dir())
    families = [pair.family for pair in labelled]
    folds = dict(zip(families, folds_of(families, seed).tolist(), strict=True))
    models = {
        fold: fit_charges([pair for pair in labelled if folds[pair.family] != fold]).model
        for fold in sorted(set(folds.values()))
    }
    held_out = {fold: Ferroelectric(charge_model=model) for fold, model in models.items()}
    shipped = Ferroelectric()

    def screen_of(candidate: Candidate) -> Screen:
        return held_out.get(folds.get(chemistry_family(candidate.structure.composition)), shipped)

    return config_hash(shipped.config), screen_of


def describe(tools: Tools) -> dict[str, str]:
    """What of the tools decides a measurement."""
    potential, relaxer, predictor = tools.potential, tools.relaxer, tools.predictor
    return {
        "potential": f"{potential.name} {potential.model_hash}" if potential else "",
        "relaxer": relaxer.version if relaxer else "",
        "parent_relaxer": tools.parent_relaxer.version if tools.parent_relaxer else "",
        "polar_difference": tools.polar_difference.method if tools.polar_difference else "",
        "predictor": predictor.name if predictor else "",
    }


def judge_all(
    tables: Mapping[Kind, Sequence[Group[Crystal]]], screen_of: ScreenOf, tools: Tools, kept: Measured
) -> dict[str, Verdict]:
    """Verdicts by material id; each crystal is measured once, alone."""
    members = {c.id: c for groups in tables.values() for group in groups for c in group.members}
    return {crystal.id: _judged(crystal, screen_of, tools, kept) for crystal in members.values()}


def _judged(crystal: Crystal, screen_of: ScreenOf, tools: Tools, kept: Measured) -> Verdict:
    start = Candidate(crystal.id, crystal.record.structure())
    screen = screen_of(start)
    if not is_polar(crystal.symmetry.tight):
        return screen.judge(screen.measure([start], tools)[0])  # one symmetry search: not worth keeping

    def measure(one: Candidate) -> tuple[Candidate, float]:
        predicted = tools.predictor.predict([one])[0] if tools.predictor else one
        began = time.monotonic()
        return screen.measure([predicted], tools)[0], time.monotonic() - began

    return screen.judge(kept.measured(start, measure)[0])


def table_figures(
    groups: Sequence[Group[Crystal]],
    positives: Sequence[Positive],
    verdicts: Mapping[str, Verdict],
    labelled: set[str],
    by_dft: set[str],
    kind: Kind,
    seed: int,
) -> dict[str, Any]:
    """One of the two tables: the screen, its baselines, and the figure on parts of the table.

    Args:
        groups: Positives with their controls.
        positives: In the same order.
        verdicts: By material id.
        labelled: Formulas with a DFT label, to which parts of the screen were fitted.
        by_dft: Formulas that are ferroelectric by the DFT rule.
        kind: Of the controls.
        seed: Of the samples.
    """
    whole = [_screened(group, verdicts) for group in groups]
    parts = {
        "with_a_pbe_gap": [g for g in whole if g.positive.crystal.has_gap],
        "verified": [g for g, one in zip(whole, positives, strict=True) if one.known.verified],
        "formula_without_dft_label": [g for g in whole if g.positive.crystal.formula not in labelled],
        "without_controls_ferroelectric_by_dft": [_without(g, by_dft) for g in whole],
    }
    return {
        "controls": f"{kind}, unlabelled, of like chemistry and size",
        **enrichment_figures(pool_of(whole, _place_by_screen, _formula), seed, TARGETS[kind]),
        "controls_by_likeness": _likenesses(groups),
        "passed": {
            "positives": sum(g.positive.verdict.passed for g in whole),
            "controls": sum(m.verdict.passed for g in whole for m in g.controls),
        },
        "baselines": {
            name: _in_short(enrichment_figures(pool_of(whole, place, _formula), seed))
            for name, place in BASELINES.items()
        },
        "parts": {
            name: enrichment_figures(pool_of(part, _place_by_screen, _formula), seed)
            for name, part in parts.items()
            if part
        },
        "best_controls": _best_controls(whole),
        "fewer_controls_than_wanted": [
            f"{g.positive.crystal.formula} {g.positive.crystal.id}: {len(g.controls)}"
            for g in whole
            if len(g.controls) < max(len(one.controls) for one in whole)
        ],
    }


def _in_short(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name in SHORT}


def _formula(member: Member) -> str:
    return member.crystal.formula


def _place_by_screen(member: Member) -> Standing:
    return standing(member.verdict)


def _place_by_nothing(member: Member) -> float:
    return 0.0


def _place_by_gap(member: Member) -> float:
    return -1.0 if member.crystal.band_gap is None else member.crystal.band_gap


def _place_by_stability(member: Member) -> float:
    height = member.crystal.energy_above_hull
    return -np.inf if height is None else -height


BASELINES: dict[str, Callable[[Member], float]] = {
    "random": _place_by_nothing,
    "polar_first": lambda member: float(member.polar),
    "largest_pbe_gap_first": _place_by_gap,
    "lowest_above_hull_first": _place_by_stability,
}


def _screened(group: Group[Crystal], verdicts: Mapping[str, Verdict]) -> Group[Member]:
    positive, *controls = (
        Member(crystal, verdicts[crystal.id], is_polar(crystal.symmetry.tight)) for crystal in group.members
    )
    return Group(positive, tuple(controls))


def _without(group: Group[Member], formulas: set[str]) -> Group[Member]:
    return replace(group, controls=tuple(m for m in group.controls if m.crystal.formula not in formulas))


def _likenesses(groups: Sequence[Group[Crystal]]) -> dict[str, int]:
    """How many controls are how like their positive."""
    counted: dict[str, int] = {}
    for group in groups:
        for control in group.controls:
            near = next(one for one in LIKENESSES if control.like(group.positive, one))
            kind = "same family" if near.same_family else "same kind of anion"
            name = f"{kind}, atoms within a factor of {near.size_factor:g}"
            counted[name] = counted.get(name, 0) + 1
    return counted


def _best_controls(groups: Sequence[Group[Member]], count: int = 15) -> list[str]:
    """Controls that passed, best first: false alarms, or ferroelectrics to be."""
    passed = [m for g in groups for m in g.controls if m.verdict.passed]
    best = sorted(passed, key=lambda m: standing(m.verdict), reverse=True)[:count]
    return [f"{m.crystal.formula} {m.crystal.id}: {m.verdict.score:.2f}" for m in best]


def _told(positive: Positive, verdict: Verdict) -> dict[str, Any]:
    crystal = positive.crystal
    return {
        "formula": crystal.formula,
        "material_id": crystal.id,
        "spacegroup": positive.known.spacegroup,
        "family": positive.known.family,
        "verified": positive.known.verified,
        "nsites": crystal.record.nsites,
        "energy_above_hull": crystal.energy_above_hull,
        "pbe_band_gap": crystal.band_gap,
        "passed": verdict.passed,
        "score": verdict.score,
        "reason": verdict.reason,
    }
