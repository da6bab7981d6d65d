"""Do the network's corrections of CHGNet's energies tell better which crystals are stable?

A crystal is put against the hull without any phase of its formula, so that its distance may be negative; the label is the
Materials Project's own, at least 0 and exactly 0 for what is on the hull. Only systems all of whose known formulas are in the
hull's table count: a missing competitor makes everything look stable. Candidates have formulas that the network was not trained
on; competitors are mostly crystals it was, as in use. The correction is what the network adds to CHGNet's formation energy at
the published geometry; elements get none. Which correction is used, and where to draw the line, is chosen on `val`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch

from ..core.errors import HullError
from ..predictors.datasets.matbench import matbench_compositions
from ..predictors.datasets.records import LabelledCrystal
from ..predictors.gnn.network import NetworkConfig, PropertyNetwork
from ..predictors.gnn.training import predict
from ..predictors.hull.errors import MP2020_SOURCES
from ..predictors.hull.phase import Phase
from ..predictors.hull.table import ELEMENT, PhaseTable
from ..predictors.properties.heads import HEADS
from .properties_rows import BOOTSTRAPS, INTERVAL, MP
from .properties_sevennet import MOST_ATOMS, sevennet_distances
from .properties_training import OURS, Recipe, Trainings, say

HEAD = "formation_energy"
SHARES = (0.5, 1.0)
"""Of the correction that are tried."""
THRESHOLDS = np.arange(-0.06, 0.0601, 0.005)
LOWEST_OF_A_FORMULA = "lowest crystal of each formula"
ALONE = "CHGNet alone"


@dataclass(frozen=True)
class Candidate:
    """A crystal whose stability is known.

    Attributes:
        key: Its id, also in the table of phases.
        formula: Reduced.
        label: Energy above the release's hull, eV/atom.
        split: Of the data folder.
        own: Ids of all phases of its formula, which do not compete.
    """

    key: str
    formula: str
    label: float
    split: str
    own: tuple[str, ...]


def stability_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """F1 of "stable" and errors of the distance, for CHGNet's energies and corrected ones."""
    table = PhaseTable.load()
    rows = trainings.data(MP.data).rows
    say("stability: corrections of all crystals ...")
    corrections = corrections_of(trainings, MP)
    known = [row.formula for row in matbench_compositions("matbench_mp_e_form")]
    candidates = candidates_of(rows, table)
    complete = {c.key for c in complete_only(candidates, table, known)}
    say(f"stability: {len(candidates)} candidates, {len(complete)} in complete systems ...")
    variants = {ALONE: distances(candidates, table, {}, {})}
    for share in SHARES:
        some = {key: share * value for key, value in corrections.items()}
        variants[f"candidate corrected, {share:g}"] = distances(candidates, table, some, {})
        variants[f"all corrected, {share:g}"] = distances(candidates, table, some, some)
    cells = {row.key: row.cell for row in rows if row.cell is not None}
    single_points = dict(
        zip([row.key for row in rows], trainings.data(MP.data).crystals.energies.tolist(), strict=True)
    )
    tested = [c for c in candidates if c.split == "test" and c.key in complete]
    larger = sevennet_distances(tested, table, cells, single_points, 300 if trainings.quick else MOST_ATOMS)
    inside = np.array([i for i, c in enumerate(candidates) if c.key in complete], dtype=int)
    return {
        "complete systems": report(
            [candidates[i] for i in inside], {name: d[inside] for name, d in variants.items()}, seed
        ),
        "all systems, incomplete ones too": report(candidates, variants, seed),
        "SevenNet-l3i5 on small systems": larger if isinstance(larger, str) else _larger(larger, seed),
        "hull": table.card.name,
        "labels": "energy_above_hull of releases on the MP2020 scheme (mp20, mpts52)",
        "complete": "every formula that matbench_mp_e_form knows among the candidate's elements has a phase in the hull's table",
        "units": "eV/atom",
    }


def _larger(found: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Both potentials' single points on the same candidates."""
    chosen: list[Candidate] = found["chosen"]
    labels = np.array([c.label for c in chosen])
    draws = _draws(np.array([c.formula for c in chosen]), seed)
    return {
        "n": len(chosen),
        "phases_computed": found["phases"],
        "stable_share": float((labels <= 0).mean()),
        **{name: _figures(found[name], labels, 0.0, draws) for name in ("chgnet", "sevennet")},
    }


def corrections_of(trainings: Trainings, recipe: Recipe) -> dict[str, float]:
    """What the network adds to CHGNet's formation energy of every crystal of a recipe's data, eV/atom, by id."""
    some = trainings.data(recipe.data)
    path = trainings.folder / f"{recipe.name}-corrections.npy"
    if not path.is_file():
        targets = trainings.targets(recipe)
        targets.fit(some.indices("train"))
        found = predict(network_of(trainings, recipe), some.crystals, targets, torch.arange(len(some.rows)))
        added = found[HEAD].mean(0)[:, 0] - trainings.chgnet(recipe.data)
        np.save(path, added.numpy(), allow_pickle=False)
    added = np.load(path, allow_pickle=False)
    return {
        row.key: float(value)
        for row, value in zip(some.rows, added, strict=True)
        if np.isfinite(value) and row.cell is not None and len(set(row.cell.numbers.tolist())) > 1
    }


def network_of(trainings: Trainings, recipe: Recipe) -> PropertyNetwork:
    """The trained network of a recipe of ours."""
    trainings.result(recipe)
    config = NetworkConfig(
        tuple((name, HEADS[name].outputs) for name in recipe.heads), chgnet_features=recipe.model == OURS
    )
    network = PropertyNetwork(config)
    weights = torch.load(trainings.folder / f"{recipe.name}.weights", weights_only=True)
    network.load_state_dict(weights)
    return network.eval()


def candidates_of(rows: Iterable[LabelledCrystal], table: PhaseTable) -> list[Candidate]:
    """Crystals of `val` and `test` that stand in the table and whose label is on the scheme of today."""
    own: dict[str, list[str]] = {}
    for phase in table.phases:
        own.setdefault(phase.formula, []).append(phase.material_id)
    formula_of = {phase.material_id: phase.formula for phase in table.phases}
    found = []
    for row in rows:
        if row.split not in ("val", "test") or row.key not in formula_of:
            continue
        formula = formula_of[row.key]
        for label in row.labels:
            if label.name == "energy_above_hull" and label.fidelity in MP2020_SOURCES:
                if len(set(ELEMENT.findall(formula))) > 1:
                    found.append(Candidate(row.key, formula, label.value, row.split, tuple(own[formula])))
                break
    return found


def complete_only(
    candidates: Iterable[Candidate], table: PhaseTable, known: Iterable[str]
) -> list[Candidate]:
    """Those among whose elements no known formula lacks a phase in the table, but for their own."""
    from pymatgen.core import Composition

    there = {_canonical(Composition(phase.formula).reduced_formula) for phase in table.phases}
    missing: dict[frozenset[str], set[str]] = {}
    for formula in known:
        reduced = _canonical(formula)
        if reduced not in there:
            missing.setdefault(frozenset(ELEMENT.findall(formula)), set()).add(reduced)
    return [c for c in candidates if not _lacks(c.formula, missing)]


def _canonical(formula: str) -> str:
    """Elements in alphabetical order with their counts, so that two spellings of a formula are one."""
    from pymatgen.core import Composition

    return Composition(formula).reduced_composition.alphabetical_formula


def _lacks(formula: str, missing: Mapping[frozenset[str], set[str]]) -> bool:
    elements = sorted(set(ELEMENT.findall(formula)))
    subsets = (frozenset(s) for n in range(1, len(elements) + 1) for s in combinations(elements, n))
    return any(missing.get(subset) for subset in subsets)


def distances(
    candidates: Sequence[Candidate],
    table: PhaseTable,
    of_candidates: Mapping[str, float],
    of_competitors: Mapping[str, float],
) -> np.ndarray:
    """Distance of each candidate from the hull without its formula, eV/atom, NaN where there is none.

    Args:
        candidates: All in the table.
        table: Energies of the potential.
        of_candidates, of_competitors: Added to the energies, eV/atom, by id.
    """
    from pymatgen.core import Composition

    energies = {p.material_id: p.energy_per_atom for p in table.phases}
    competing = table
    if of_competitors:
        phases = [
            Phase(
                p.material_id,
                p.formula,
                p.energy_per_atom + of_competitors.get(p.material_id, 0.0),
                p.relaxed,
            )
            for p in table.phases
        ]
        competing = PhaseTable(phases, table.card)
    found = competing.lowest_mixtures([(Composition(c.formula).get_el_amt_dict(), c.own) for c in candidates])
    return np.array(
        [
            np.nan
            if isinstance(mixture, HullError)
            else energies[c.key] + of_candidates.get(c.key, 0.0) - mixture[0]
            for c, mixture in zip(candidates, found, strict=True)
        ]
    )


def report(candidates: Sequence[Candidate], variants: Mapping[str, np.ndarray], seed: int) -> dict[str, Any]:
    """The variants on `val` and `test`, for all crystals and for the lowest of each formula by its label."""
    lowest: dict[str, Candidate] = {}
    for c in candidates:
        if c.formula not in lowest or (c.label, c.key) < (lowest[c.formula].label, lowest[c.formula].key):
            lowest[c.formula] = c
    chosen_keys = {c.key for c in lowest.values()}
    is_lowest = np.array([c.key in chosen_keys for c in candidates])
    finite = np.isfinite(np.stack(list(variants.values()))).all(0)
    groups = {"all crystals": finite, LOWEST_OF_A_FORMULA: finite & is_lowest}
    return {name: _group(candidates, variants, which, seed) for name, which in groups.items()}


def _group(
    candidates: Sequence[Candidate], variants: Mapping[str, np.ndarray], which: np.ndarray, seed: int
) -> dict[str, Any]:
    labels = np.array([c.label for c in candidates])
    split = np.array([c.split for c in candidates])
    val, test = which & (split == "val"), which & (split == "test")
    lines = {
        name: max(THRESHOLDS, key=lambda t: (f1(d[val] <= t, labels[val] <= 0), -abs(t)))
        for name, d in variants.items()
    }
    on_val = {name: f1(d[val] <= 0, labels[val] <= 0) for name, d in variants.items()}
    corrected = [name for name in variants if name != ALONE]
    best = max(corrected, key=lambda name: on_val[name])
    formulas = np.array([c.formula for c in candidates])[test]
    draws = _draws(formulas, seed)
    shown = {
        name: _figures(variants[name][test], labels[test], float(lines[name]), draws) for name in variants
    }
    gain = [
        f1(variants[best][test][d] <= 0, labels[test][d] <= 0)
        - f1(variants[ALONE][test][d] <= 0, labels[test][d] <= 0)
        for d in draws
    ]
    errors = _errors(variants[best][test], labels[test]) - _errors(variants[ALONE][test], labels[test])
    return {
        "n": int(test.sum()),
        "n_formulas": len(set(formulas)),
        "n_validation": int(val.sum()),
        "stable_share": float((labels[test] <= 0).mean()),
        "chosen_on_validation": best,
        "f1_on_validation": on_val,
        "gain_of_f1": float(shown[best]["f1"] - shown[ALONE]["f1"]),
        "gain_interval_90": _interval(gain),
        "change_of_error_interval_90": _interval([errors[d].mean() for d in draws]),
        "test": shown,
    }


def _figures(
    distance: np.ndarray, labels: np.ndarray, line: float, draws: Sequence[np.ndarray]
) -> dict[str, Any]:
    stable, said = labels <= 0, distance <= 0
    errors = _errors(distance, labels)
    return {
        "f1": f1(said, stable),
        "f1_interval_90": _interval([f1(said[d], stable[d]) for d in draws]),
        "precision": float(stable[said].mean()) if said.any() else None,
        "recall": float(said[stable].mean()) if stable.any() else None,
        "line_of_validation": line,
        "f1_at_that_line": f1(distance <= line, stable),
        "mean_absolute_error": float(errors.mean()),
        "error_interval_90": _interval([errors[d].mean() for d in draws]),
        "area_under_roc": area_under_roc(-distance, stable),
    }


def _errors(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of the distance, where one below the hull counts as on it: labels are never negative."""
    return np.abs(np.maximum(distance, 0) - labels)


def f1(said: np.ndarray, true: np.ndarray) -> float:
    """Harmonic mean of precision and recall; 0 if nothing is said or true."""
    both = float((said & true).sum())
    total = float(said.sum() + true.sum())
    return 2 * both / total if total else 0.0


def area_under_roc(scores: np.ndarray, true: np.ndarray) -> float:
    """Chance that a stable crystal scores above one that is not; ties count half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positive = int(true.sum())
    pairs = positive * (len(true) - positive)
    return float((ranks[true].sum() - positive * (positive + 1) / 2) / pairs) if pairs else float("nan")


def _draws(formulas: np.ndarray, seed: int) -> list[np.ndarray]:
    """Places of crystals when formulas are drawn with replacement."""
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(formulas == f) for f in np.unique(formulas)]
    return [
        np.concatenate([places[i] for i in rng.integers(len(places), size=len(places))])
        for _ in range(BOOTSTRAPS // 4)
    ]


def _interval(values: Sequence[float]) -> list[float]:
    low, high = np.percentile(values, INTERVAL)
    return [float(low), float(high)]
