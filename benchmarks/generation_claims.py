"""Which figures of the generation benchmark have a target, and are they met?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .generation_chemistry import DECODING, SECOND, TAUTOLOGY
from .generation_diffusion_claims import (
    DIFFUSED_RAW,
    adapters,
    diffused_after_relaxation,
    diffused_as_written,
    diffusion_speed,
    evaluations,
    prediction,
)
from .generation_figures import COARSE_SYMPREC_ANGSTROM
from .generation_intervals import Figures, claim
from .generation_rows import BY_GROUP, NEAR
from .generation_sets import RELAXED

KEPT_TARGET, POLAR_TARGET = 0.90, 0.70
STABLE_TARGETS = {"raw": 0.35, "reranked": 0.60}
SUN_TARGETS = {"raw": 0.15, "reranked": 0.25}
MOVED_TARGET_ANGSTROM = 0.15
TIMES_TARGET = 3.0
RATE_TARGET = 50.0
KINDS = {"neutral": "neutral", "and_balanced": "neutral and balanced"}


def claims(rows: Mapping[str, Figures]) -> list[Figures]:
    """One line for each figure, with its target, whether it is met, and by how much it is missed."""
    return [line for name, figures in rows.items() for line in CLAIMS[name](figures)]


def _written(row: Figures) -> list[Figures]:
    raw, training = row["raw"], row["training_crystals"]["chemistry"]
    lines = [
        claim(f"raw: neutral by {DECODING}", raw["chemistry"][DECODING]["neutral"], 0.999, note=TAUTOLOGY),
        claim(
            f"raw: neutral and balanced by {DECODING}",
            raw["chemistry"][DECODING]["and_balanced"],
            0.97,
            note=TAUTOLOGY,
        ),
    ]
    for kind in KINDS:
        words = f"raw: {KINDS[kind]} by {SECOND}, a table that decoding does not use"
        theirs = training[SECOND][kind]
        lines.append(claim(words, raw["chemistry"][SECOND][kind], training_crystals=theirs))
    before = row["before_redrawing"]
    lines += [
        claim(
            "raw: no atoms nearer than 0.5 A, cell of 0.1 A^3 or more",
            raw["validity"],
            0.995,
            before_redrawing=before["validity"],
        ),
        claim(
            "raw: written space group found at 0.01 A",
            raw["group_kept"]["symprec_0.01_A"],
            1.0,
            before_redrawing=before["group_kept"]["symprec_0.01_A"],
        ),
        claim(
            "groups: space group asked for found at 0.01 A",
            row["groups"]["group_kept"]["symprec_0.01_A"],
            1.0,
        ),
        claim("raw: unique", raw["unique"], 0.97, baseline=_others(row, "unique")),
        claim("raw: novel", raw["novel"], 0.65, baseline=_others(row, "novel")),
        claim(
            "raw: of a structure type that no known crystal has",
            raw["of_a_new_type"],
            baseline=_others(row, "of_a_new_type"),
        ),
        claim(
            "raw: reduced formula novel", raw["novel_by_formula"], baseline=_others(row, "novel_by_formula")
        ),
    ]
    return lines


def _others(row: Figures, figure: str) -> dict[str, Any]:
    return {name: row[name][figure]["share"] for name in ("reranked", "substitution", "random")}


def _relaxed(row: Figures, name: str) -> list[Figures]:
    """Targets are for the sets that the claims are about; the others are their baselines."""
    lines = []
    for tolerance, group in row["group"].items():
        is_named = tolerance == f"symprec_{COARSE_SYMPREC_ANGSTROM:g}_A"
        where = f"after relaxation, {tolerance.replace('_', ' ')}"
        if name in BY_GROUP:
            target = KEPT_TARGET if is_named else None
            lines.append(claim(f"{name}: space group asked for kept {where}", group["kept"], target))
        elif name == "polar":
            target = POLAR_TARGET if is_named else None
            still = group["polar_and_not_fallen_to_P1"]["share"]
            lines.append(claim(f"polar: polar {where}", group["polar"], target, not_fallen_to_P1=still))
        else:
            target = KEPT_TARGET if is_named and name == "diffusion_symmetric" else None
            lines.append(claim(f"{name}: space group kept {where}", group["kept"], target))
    stable, moved = row["stability"], row["displacement"]
    lines += [
        claim(
            f"{name}: at most 0.1 eV/atom above the hull",
            stable[NEAR],
            STABLE_TARGETS.get(name),
            far_below_the_hull=stable["far_below_the_hull"]["share"],
        ),
        claim(
            f"{name}: median energy above hull, eV/atom",
            stable["energy_above_hull_eV_per_atom"],
            not_at_rest=stable["not_at_rest"],
            failed=stable["failed"],
        ),
        claim(
            f"{name}: stable or metastable, unique and novel, of all relaxed",
            row["sun"],
            SUN_TARGETS.get(name),
            per_1000=row["sun"]["per_1000_relaxations"],
            whatever_the_group=row["sun_whatever_the_group"]["share"],
            in_its_group=row["sun_in_its_group"]["share"],
            strictly=row["sun_strictly"]["share"],
        ),
        claim(
            f"{name}: median displacement from generated to relaxed, A",
            moved["all_A"],
            MOVED_TARGET_ANGSTROM if name in ("raw", *DIFFUSED_RAW) else None,
            at_most=True,
            at_rest=moved["at_rest_A"],
            volume_change=moved["volume_change"],
        ),
    ]
    return lines + diffused_after_relaxation(row, name)


def _compared(row: Figures) -> list[Figures]:
    lines = []
    for pair, differences in row["differences"].items():
        target = 0.0 if pair == "reranked less substitution" else None
        words = f"{pair}: stable or metastable, unique and novel"
        strictly = differences["sun_strictly"]
        lines.append(claim(words, differences["sun"], target, strictly=strictly))
        lines.append(claim(f"{pair}: at most 0.1 eV/atom above the hull", differences[NEAR]))
    return lines


def _conditioning(row: Figures) -> list[Figures]:
    lines = []
    for name, by_guidance in row["ranges"].items():
        for guidance, figures in by_guidance.items():
            is_default = guidance == f"guidance_{row['default_guidance']:g}"
            lines.append(
                claim(
                    f"{name}, {guidance.replace('_', ' ')}: times as many inside the range as unasked",
                    figures["times"],
                    TIMES_TARGET if is_default else None,
                    inside=figures["asked"]["share"],
                    base_rate=figures["not_asked"]["share"],
                    greatest_possible=figures["greatest_possible_times"],
                )
            )
    return lines


def _speed(row: Figures) -> list[Figures]:
    words = {"written": "written, crystals a second", "handed_out": "handed out, crystals a second"}
    return [
        claim(
            words[name],
            row[name],
            RATE_TARGET if name == "handed_out" else None,
            times_random=row[name]["times_random"]["ratio"],
            times_encode=row[name]["times_encode"]["ratio"],
        )
        for name in words
    ]


CLAIMS: dict[str, Callable[[Figures], list[Figures]]] = {
    "written": _written,
    **{name: partial(_relaxed, name=name) for name in RELAXED},
    "compared": _compared,
    "conditioning": _conditioning,
    "speed": _speed,
    "diffusion_written": diffused_as_written,
    "diffusion_compared": _compared,
    "structure_prediction": prediction,
    "evaluations": evaluations,
    "adapters": adapters,
    "diffusion_speed": diffusion_speed,
}
