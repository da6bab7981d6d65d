"""Rows of the generation benchmark: what is said of a set before and after relaxation, and how sets compare."""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np

from .generation_chemistry import chemistry
from .generation_diffusion import BEFORE_REDRAWING, DIFFUSED, DIFFUSED_BY_GROUP, MODES
from .generation_figures import (
    METASTABLE_EV_PER_ATOM,
    Outcome,
    displacement,
    groups_after,
    groups_as_made,
    is_novel,
    novelty,
    stability,
    sun,
    validity,
)
from .generation_intervals import Figures, difference, share
from .generation_kept import say
from .generation_reference import loosely_distinct
from .generation_sets import GROUPS, RELAXED, made, outcomes
from .generation_types import known_types, type_of
from .generation_world import World

NEAR = f"within_{METASTABLE_EV_PER_ATOM:g}_eV_per_atom"
PAIRS = (
    ("raw", "random"),
    ("raw", "substitution"),
    ("reranked", "raw"),
    ("reranked", "substitution"),
    ("reranked", "random"),
)
DIFFUSION_PAIRS = (
    ("diffusion_raw", "random"),
    ("diffusion_raw", "raw"),
    ("diffusion_symmetric", "raw"),
    ("diffusion_steered", "diffusion_raw"),
    ("diffusion_reranked", "diffusion_raw"),
    ("diffusion_reranked", "reranked"),
    ("diffusion_reranked", "substitution"),
)
BY_GROUP = ("groups", "reranked_groups", *DIFFUSED_BY_GROUP)
"""Sets of which one space group after the other is asked."""


def written_row(world: World) -> Figures:
    """Every set that the diffusion model has no part in, as it is handed out, before anything is relaxed."""
    types = known_types(world)
    found: Figures = {"training_crystals": training(world), "before_redrawing": before_redrawing(world)}
    for name in RELAXED:
        if name not in DIFFUSED:
            found[name] = _as_made(world, name, types)
    return found


def diffusion_written_row(world: World) -> Figures:
    """The sets of the diffusion model, likewise, beside the token model's `raw`."""
    types = known_types(world)
    found: Figures = {
        "before_redrawing": {mode: diffused_before_redrawing(world, mode) for mode in MODES},
        "raw": _as_made(world, "raw", types),
    }
    for name in DIFFUSED:
        crystals = made(world, name)[0]
        unsymmetric = sum(one.spacegroup_number == 1 for one in crystals)
        found[name] = _as_made(world, name, types) | {"without_symmetry": share(unsymmetric, len(crystals))}
    return found


def _as_made(world: World, name: str, types: Container[str]) -> Figures:
    crystals, told = made(world, name)
    structures = [one.structure for one in crystals]
    found = {
        "n": len(crystals),
        "made": told,
        "validity": validity(structures),
        "group_kept": groups_as_made(crystals),
        "chemistry": chemistry([s.composition.reduced_formula for s in structures]),
        **novelty(structures, world.reference, world.reference.formulas),
        "of_a_new_type": share(sum(type_of(s) not in types for s in structures), len(structures)),
        "atoms": _quartiles([len(s) for s in structures]),
    }
    say(f"{name}: looked at as written")
    return found


def training(world: World) -> Figures:
    """The compositions of training crystals, by the rules that generated ones are judged by."""
    records = world.reference.training()
    chosen = world.rng("training").permutation(len(records))[: world.plan.training]
    return {
        "chemistry": chemistry([records[i].reduced_formula for i in chosen]),
        "of": len(records),
    }


def before_redrawing(world: World) -> Figures:
    """What the model writes when nothing is written anew; what is no cell at all is neither valid nor in its group."""
    crystals, n = made(world, "unchecked")[0], world.plan.count
    kept = groups_as_made(crystals)
    return {
        "n": n,
        "without_a_cell": n - len(crystals),
        "validity": share(validity([one.structure for one in crystals])["hits"], n),
        "group_kept": {tolerance: share(figure["hits"], n) for tolerance, figure in kept.items()},
    }


def diffused_before_redrawing(world: World, mode: str) -> Figures:
    """What the diffusion model samples; without symmetry there is no group that could be kept."""
    crystals, n = made(world, BEFORE_REDRAWING[mode])[0], world.plan.diffused
    found: Figures = {
        "n": n,
        "without_a_cell": n - len(crystals),
        "validity": share(validity([one.structure for one in crystals])["hits"], n),
    }
    if mode != "plain":
        kept = groups_as_made(crystals)
        found["group_kept"] = {tolerance: share(figure["hits"], n) for tolerance, figure in kept.items()}
    return found


def relaxed_row(world: World, name: str) -> Figures:
    """A set after relaxation."""
    results = outcomes(world, name)
    at_rest = [o.relaxed for o in results if o.relaxed is not None]
    say(f"{name}: looking at what is relaxed")
    found = {
        "n": len(results),
        "made": made(world, name)[1],
        "group": groups_after(results),
        "stability": stability(results, world.seed),
        **suns(world, results),
        "at_rest": novelty(at_rest, world.reference, world.reference.formulas),
        "displacement": displacement(results, world.seed),
    }
    if name in BY_GROUP:
        found["by_group"] = by_group(results)
    if name in DIFFUSED:
        found["after_dropping_the_known"] = of_the_novel(world, results)
    return found


def of_the_novel(world: World, results: list[Outcome]) -> Figures:
    """Stability of those that were not known as they were made, as the generator drops them."""
    novel = [one for one in results if is_novel(one.made.structure, world.reference)]
    return {"dropped": len(results) - len(novel), **stability(novel, world.seed)}


def suns(world: World, results: list[Outcome]) -> Figures:
    """Stable or metastable, unique and novel ones, counted in four ways.

    `sun` as the project tells crystals apart; `..._whatever_the_group` by the matcher alone; `..._in_its_group` only those that
    relaxed in the group they were written in, so that the generator found them and not the relaxer; `..._strictly` all of it, and
    without those so far below the hull that a phase must be missing there.
    """
    reference = world.reference
    doubted = [o if o.is_beyond_doubt else replace(o, height=None) for o in results]
    moved = [o if o.kept_its_group else replace(o, height=None) for o in results]
    return {
        "sun": sun(results, reference),
        "sun_whatever_the_group": sun(results, reference.loosely, loosely_distinct),
        "sun_in_its_group": sun(moved, reference),
        "sun_strictly": sun(doubted, reference.loosely, loosely_distinct),
    }


def by_group(results: list[Outcome]) -> Figures:
    """Of each group asked for, how many crystals there are and what became of the group."""
    found: Figures = {}
    for number in GROUPS:
        own = [o for o in results if o.made.spacegroup_number == number]
        after = groups_after(own)
        found[str(number)] = {"n": len(own)} | {
            f"kept_{tolerance}": figures["kept"]["hits"] for tolerance, figures in after.items()
        }
    return found


def compared_row(world: World, pairs: Sequence[tuple[str, str]] = PAIRS) -> Figures:
    """Differences between sets, all relaxed alike and on the same hull."""
    rows = {}
    for name in dict.fromkeys(itertools.chain(*pairs)):
        results = outcomes(world, name)
        rows[name] = {NEAR: stability(results, world.seed)[NEAR], **suns(world, results)}
    differences = {
        f"{one} less {other}": {
            figure: difference(
                rows[one][figure]["hits"],
                rows[one][figure]["n"],
                rows[other][figure]["hits"],
                rows[other][figure]["n"],
            )
            for figure in rows[one]
        }
        for one, other in pairs
    }
    return {"sets": rows, "differences": differences}


def _quartiles(values: list[int]) -> list[float]:
    return [float(q) for q in np.percentile(values, (25, 50, 75))] if values else []
