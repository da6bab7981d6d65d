"""Oxygen vacancies and permittivity: two properties with few labels, beside what composition alone tells.

Vacancies are asked for near the hull, where a crystal keeps together when an oxygen is taken; formulas are unseen, and both
orders of an A and a B are on one side. The composition baseline is told which of the two is A. Permittivities are learned as
their logarithm with absolute errors, and labels that cannot be of an insulator are left out. The error of the refractive index
stands beside its median, so that few large ones do not hide the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..predictors.datasets.dielectric import dielectric
from ..predictors.datasets.records import LabelledCrystal
from ..predictors.datasets.vacancies import near_hull
from .properties_rows import MP, bootstrap, figure
from .properties_tables import Model, choose, element_properties, mean_absolute, regressions
from .properties_training import BASELINE, OURS, PLAIN, Recipe, Trainings, say

VACANCY = "oxygen_vacancy"
VACANCY_SEEDS = (0, 1, 2)
DIELECTRIC = ("dielectric_electronic", "dielectric_ionic", "dielectric_total")
DIELECTRIC_SEEDS = (0,)
DIELECTRIC_EPOCHS = 30
PUBLISHED_INDEX = {"MODNet": 0.271, "coGN": 0.309}
ROLES = ("valence_a", "valence_b", "radius_a_angstrom", "radius_b_angstrom")
CELL = ("volume_per_atom_angstrom3",)


def vacancies_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Errors near the hull, of what was trained near the hull and of what was trained on the whole table."""
    whole = trainings.data("vacancies").rows
    near = {row.key for row in near_hull(whole)}
    found: dict[str, Any] = {}
    for name, data in (("trained near the hull", "vacancies-near-hull"), ("trained on all", "vacancies")):
        rows = trainings.data(data).rows
        test = np.array([i for i, r in enumerate(rows) if r.split == "test" and _energy(r) is not None])
        judged = {"near the hull": np.array([rows[i].key in near for i in test])}
        if data == "vacancies":
            judged["all"] = np.ones(len(test), dtype=bool)
        guesses = {
            model: [trainings.result(r).guesses[VACANCY][test, 0] for r in _vacancies(data, model)]
            for model in (OURS, PLAIN, BASELINE)
        }
        say(f"vacancies, {name}: composition baselines ...")
        tables = {
            "A and B alone": roles(rows, with_cell=False),
            "A, B and volume": roles(rows, with_cell=True),
        }
        for label, inputs in tables.items():
            chosen = composition_baseline(rows, inputs, near, seed, trainings.quick)
            guesses[f"{label}: {chosen[0]}"] = [chosen[1]]
        guesses["mean of ours and A and B alone"] = [
            (np.mean(guesses[OURS], axis=0) + guesses[next(k for k in guesses if k.startswith("A and B"))][0])
            / 2
        ]
        wanted = np.array([_energy(rows[i]) for i in test], dtype=float)
        trained = np.array([_energy(r) for r in rows if r.split in ("train", "val")], dtype=float)
        guesses["always the median"] = [np.full(len(wanted), np.nanmedian(trained))]
        found[name] = {
            where: {model: _errors(some, wanted, which, seed) for model, some in guesses.items()}
            for where, which in judged.items()
        }
        found[name]["training_crystals"] = int(np.isfinite(trained).sum())
    return found | {"units": "eV per O atom, lowest-energy site"}


def _vacancies(data: str, model: str) -> list[Recipe]:
    small = data == "vacancies-near-hull"
    return [
        Recipe(
            data,
            (VACANCY,),
            model,
            epochs=60 if small else 40,
            batch=32 if small else 64,
            seed=s,
            start=MP if model == OURS else None,
            weight_decay=0.01 if model == BASELINE else 0.5,
        )
        for s in (VACANCY_SEEDS if small or model == OURS else VACANCY_SEEDS[:1])
    ]


def roles(rows: Sequence[LabelledCrystal], with_cell: bool) -> np.ndarray:
    """Which element is A and which is B, their properties, valences and radii, shape `(nrows, width)`."""
    found = []
    for row in rows:
        a, b = (int(row.columns[f"atomic_number_{site}"]) for site in "ab")
        hot = np.zeros(2 * 119)
        hot[a] = hot[119 + b] = 1
        first, second = np.array(element_properties(a)), np.array(element_properties(b))
        given = [row.columns.get(name, np.nan) for name in (ROLES + CELL if with_cell else ROLES)]
        found.append(np.concatenate([hot, first, second, first - second, given]))
    table = np.array(found)
    known = np.isfinite(table)
    middle = [
        float(np.median(column[k])) if k.any() else 0.0 for column, k in zip(table.T, known.T, strict=True)
    ]
    return np.where(known, table, middle)


def composition_baseline(
    rows: Sequence[LabelledCrystal], inputs: np.ndarray, near: set[str], seed: int, quick: bool = False
) -> tuple[str, np.ndarray]:
    """The model that validation rows near the hull prefer, and what it says of all test rows."""
    energies = np.array([np.nan if _energy(r) is None else _energy(r) for r in rows], dtype=float)
    places = {
        split: np.array(
            [i for i, r in enumerate(rows) if r.split == split and np.isfinite(energies[i])], dtype=int
        )
        for split in ("train", "val", "test")
    }
    close = np.array([rows[i].key in near for i in places["val"]])

    def error(guesses: np.ndarray, wanted: np.ndarray) -> float:
        which = close if len(wanted) == len(close) and close.any() else np.ones(len(wanted), dtype=bool)
        return mean_absolute(guesses[which], wanted[which])

    models: Mapping[str, Model] = regressions(seed, 1, 5) if quick else regressions(seed, 3, 60)
    chosen = choose(models, inputs, energies, places, error)
    return chosen.model, chosen.guesses


def _energy(row: LabelledCrystal) -> float | None:
    return row.label("vacancy_formation_energy")


def _errors(
    guesses: Sequence[np.ndarray], wanted: np.ndarray, which: np.ndarray, seed: int
) -> dict[str, Any]:
    """Mean over seeds of the errors of some test rows, and of the mean of seeds."""
    errors = [np.abs(g - wanted)[which] for g in guesses]
    per_row = np.mean(errors, axis=0)
    return {
        "mean_absolute_error": float(per_row.mean()),
        "interval_90": bootstrap(per_row, seed),
        "by_seed": [float(e.mean()) for e in errors],
        "of_the_mean_of_seeds": float(np.abs(np.mean(guesses, axis=0) - wanted)[which].mean()),
        "n": len(per_row),
    }


def dielectric_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Errors of the refractive index and of the logarithms of the permittivities."""
    dropped: Counter[str] = Counter()
    list(dielectric(dropped=dropped, crystals=False))
    models = {
        OURS: [_permittivity(OURS, DIELECTRIC, s) for s in DIELECTRIC_SEEDS],
        PLAIN: [_permittivity(PLAIN, DIELECTRIC, s) for s in DIELECTRIC_SEEDS],
    }
    found: dict[str, Any] = {}
    for head in DIELECTRIC:
        some = models | {BASELINE: [_permittivity(BASELINE, (head,), s) for s in DIELECTRIC_SEEDS]}
        found[f"ln {head}"] = {name: figure(trainings, r, head, 0, seed) for name, r in some.items()}
        found[f"ln {head}"]["always the median"] = _median(trainings, models[OURS][0], head, seed)
        if head == "dielectric_electronic":
            found["refractive_index"] = _index(trainings, some, seed)
    return found | {
        "published_refractive_index": PUBLISHED_INDEX,
        "published_on": "matbench_dielectric, 4,764 crystals, five random folds: another table and split",
        "left_out_as_unphysical": dict(dropped),
        "handling": "learned as ln, loss of absolute errors; electronic part within (1, 100], ionic within [0, 1000]",
        "units": "1",
    }


def _permittivity(model: str, heads: tuple[str, ...], seed: int) -> Recipe:
    return Recipe(
        "dielectric",
        heads,
        model,
        epochs=DIELECTRIC_EPOCHS,
        seed=seed,
        start=MP if model == OURS else None,
        weight_decay=0.01 if model == BASELINE else 0.5,
    )


def _index(trainings: Trainings, recipes: Mapping[str, Sequence[Recipe]], seed: int) -> dict[str, Any]:
    """Errors of the root of the electronic part."""
    first = recipes[OURS][0]
    some = trainings.data(first.data)
    labels = np.exp(trainings.targets(first).values["dielectric_electronic"][:, 0].numpy() / 2)
    test = some.indices("test").numpy()
    test = test[np.isfinite(labels[test])]
    wanted = labels[test]
    guesses = {
        name: [
            np.exp(trainings.result(r).guesses["dielectric_electronic"][test, 0].astype(float) / 2)
            for r in rs
        ]
        for name, rs in recipes.items()
    }
    training = np.concatenate([some.indices("train").numpy(), some.indices("val").numpy()])
    guesses["always the median"] = [np.full(len(wanted), np.nanmedian(labels[training]))]
    everything = np.ones(len(wanted), dtype=bool)
    figures = {name: _errors(g, wanted, everything, seed) for name, g in guesses.items()}
    for name, g in guesses.items():
        figures[name]["median_absolute_error"] = float(np.median(np.abs(np.mean(g, axis=0) - wanted)))
    return figures


def _median(trainings: Trainings, recipe: Recipe, head: str, seed: int) -> dict[str, Any]:
    """The error of always saying the median of the training labels."""
    some = trainings.data(recipe.data)
    labels = trainings.targets(recipe).values[head][:, 0].numpy()
    training = np.concatenate([some.indices("train").numpy(), some.indices("val").numpy()])
    errors = np.abs(labels[some.indices("test").numpy()] - np.nanmedian(labels[training]))
    errors = errors[np.isfinite(errors)]
    return {
        "mean_absolute_error": float(errors.mean()),
        "interval_90": bootstrap(errors, seed),
        "n": len(errors),
    }
