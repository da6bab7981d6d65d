"""Rows of the property benchmark: which trainings stand side by side, and what is said of their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..predictors.properties.heads import HEADS
from ..predictors.properties.predictor import METAL
from ..predictors.properties.sets import targets_of
from .properties_training import BASELINE, OURS, PLAIN, Recipe, Trainings

SEEDS = (0, 1, 2)
OUR_EPOCHS = 60
BOOTSTRAPS = 1000
INTERVAL = (5.0, 95.0)
CASTELLI = ("castelli_heat", "castelli_metal", "castelli_conditional_gap")
DIRECT_GAP = "castelli_direct_gap"
DIRECT_GAP_TARGET = 0.050  # eV
SLOW_TRUNK = 0.1  # 119 insulators in 3,029 crystals teach a trunk that knows gaps little
MP_HEADS = (
    "formation_energy",
    "band_gap",
    "metal",
    "conditional_gap",
    "magnetization",
    "energy_above_hull",
)
MP = Recipe(
    "materials-project", MP_HEADS, epochs=12, weight_decay=0.01, averaging=0.999, with_validation=False
)
"""The training on the Materials Project alone; the trunk of smaller sets starts from it."""


def perov5_row(
    trainings: Trainings, seed: int, protocol: str, target: float | None, seeds: Sequence[int] = SEEDS
) -> dict[str, Any]:
    """Castelli's heats by one protocol; `target` in eV/atom."""
    recipes = {
        OURS: [_castelli(protocol, OURS, s, MP) for s in seeds],
        PLAIN: [_castelli(protocol, PLAIN, seeds[0], None)],
        BASELINE: [Recipe(protocol, CASTELLI[:1], BASELINE, seed=s) for s in seeds],
    }
    if protocol == "perov5-val-by-formula":
        recipes["ours from nothing"] = [_castelli(protocol, OURS, seeds[0], None)]
    return {
        "heat_of_formation": {
            name: figure(trainings, some, CASTELLI[0], 0, seed) for name, some in recipes.items()
        },
        "target": target,
        "units": "eV/atom as Castelli tabulates it",
        "training_crystals": _trained_on(trainings, recipes[OURS][0]),
    }


def direct_gap_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Castelli's direct gaps, by formula; ours is zero for what is more likely a metal."""
    protocol = "perov5-val-by-formula"
    recipes = {
        OURS: [_castelli(protocol, OURS, s, MP, CASTELLI[1:], SLOW_TRUNK) for s in SEEDS],
        "ours, with heats and a quick trunk": [_castelli(protocol, OURS, s, MP) for s in SEEDS],
        PLAIN: [_castelli(protocol, PLAIN, SEEDS[0], None)],
    }
    baseline = [Recipe(protocol, (DIRECT_GAP,), BASELINE, seed=s) for s in SEEDS]
    return {
        "direct_gap": {
            **{name: gap_figure(trainings, r, DIRECT_GAP, "castelli", seed) for name, r in recipes.items()},
            BASELINE: figure(trainings, baseline, DIRECT_GAP, 0, seed),
            "always zero": constant(trainings, baseline[0], DIRECT_GAP, 0.0),
        },
        "target": DIRECT_GAP_TARGET,
        "units": "eV, GLLB-SC",
        "training_crystals": _trained_on(trainings, recipes[OURS][0]),
    }


def _castelli(
    protocol: str,
    model: str,
    seed: int,
    start: Recipe | None,
    heads: tuple[str, ...] = CASTELLI,
    trunk_rate: float = 1.0,
) -> Recipe:
    """Constants chosen on parts of the 3,029 training crystals of `val-by-formula`."""
    return Recipe(
        protocol,
        heads,
        model,
        seed=seed,
        start=start,
        weight_decay=0.5,
        dropout=0.1,
        epochs=OUR_EPOCHS,
        trunk_rate=trunk_rate,
    )


def gap_figure(
    trainings: Trainings, recipes: Sequence[Recipe], label: str, family: str, seed: int
) -> dict[str, Any]:
    """As `figure`, of the gap that a network gives: zero for a metal, else the conditional gap.

    Args:
        trainings: Where results are.
        recipes: Equal but for the seed.
        label: A head of the gap itself.
        family: Of the heads `FAMILY_metal` and `FAMILY_conditional_gap`.
        seed: Of the bootstrap.
    """
    some = trainings.data(recipes[0].data)
    test = some.indices("test").numpy()
    wanted = targets_of(some.rows, [label]).values[label].numpy()[test, 0]
    parts = [two_stages(trainings.result(r).guesses, family) for r in recipes]
    found = _summary([gap_of(*part)[test] for part in parts], wanted, trainings, recipes, seed)
    metal, gap = (np.mean([part[i][test] for part in parts], axis=0) for i in range(2))
    errors = np.abs(gap_of(metal, gap) - wanted)[np.isfinite(wanted)]
    return found | {
        "of_the_mean_of_seeds": float(errors.mean()),
        "interval_90_of_the_mean_of_seeds": bootstrap(errors, seed),
        "metals_told": float(((metal > METAL) == (wanted <= 0))[np.isfinite(wanted)].mean()),
        "insulators": int((wanted > 0).sum()),
    }


def two_stages(guesses: Mapping[str, np.ndarray], family: str) -> tuple[np.ndarray, np.ndarray]:
    """Probability of a metal, and the gap if it is none, eV, shapes `(nrows,)`."""
    return guesses[f"{family}_metal"][:, 0], guesses[f"{family}_conditional_gap"][:, 0]


def gap_of(metal: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Zero for what is more likely a metal, else the gap, eV."""
    return np.where(metal > METAL, 0.0, np.maximum(gap, 0.0))


def materials_project_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Formation energies by release, and gaps, of the Materials Project's test formulas."""
    plain = Recipe(**{**vars(MP), "model": PLAIN})
    releases = [name for (name,) in HEADS["formation_energy"].fidelities]
    found: dict[str, Any] = {}
    for head in ("formation_energy", "band_gap"):
        baseline = Recipe(**{**vars(MP), "model": BASELINE, "heads": (head,)})
        for model, recipe in ((OURS, MP), (PLAIN, plain), (BASELINE, baseline)):
            figures = {"all": figure(trainings, [recipe], head, None, seed)}
            if head == "formation_energy":
                figures |= {
                    name: figure(trainings, [recipe], head, j, seed) for j, name in enumerate(releases)
                }
            found.setdefault(head, {})[model] = figures
    found["formation_energy"]["CHGNet alone"] = chgnet_alone(trainings, MP, "formation_energy", seed)
    found["units"] = "formation energy: eV/atom; band gap: eV"
    return found


def figure(
    trainings: Trainings, recipes: Sequence[Recipe], head: str, output: int | None, seed: int
) -> dict[str, Any]:
    """Mean absolute error on the test crystals: mean over seeds, of their mean, and its interval over crystals.

    Args:
        trainings: Where results are.
        recipes: Equal but for the seed.
        head: Of the label.
        output: Which output, or all.
        seed: Of the bootstrap.
    """
    wanted, test = _wanted(trainings, recipes[0], head, output)
    guesses = [_column(trainings.result(r).guesses[head], output)[test] for r in recipes]
    return _summary(guesses, wanted, trainings, recipes, seed)


def _summary(
    guesses: Sequence[np.ndarray],
    wanted: np.ndarray,
    trainings: Trainings,
    recipes: Sequence[Recipe],
    seed: int,
) -> dict[str, Any]:
    known = np.isfinite(wanted)
    errors = [np.abs(g - wanted)[known] for g in guesses]
    together = np.abs(np.mean(guesses, axis=0) - wanted)[known]
    per_row = np.mean(errors, axis=0)
    return {
        "mean_absolute_error": float(per_row.mean()),
        "interval_90": bootstrap(per_row, seed),
        "by_seed": [float(e.mean()) for e in errors],
        "of_the_mean_of_seeds": float(together.mean()),
        "n": int(known.sum()),
        "training_seconds": [round(trainings.result(r).seconds) for r in recipes],
    }


def constant(trainings: Trainings, recipe: Recipe, head: str, value: float) -> dict[str, Any]:
    """The error of always saying the same."""
    wanted, _ = _wanted(trainings, recipe, head, 0)
    known = wanted[np.isfinite(wanted)]
    return {"mean_absolute_error": float(np.abs(known - value).mean()), "n": len(known)}


def chgnet_alone(trainings: Trainings, recipe: Recipe, head: str, seed: int) -> dict[str, Any]:
    """The error of CHGNet's own formation energy."""
    wanted, test = _wanted(trainings, recipe, head, None)
    offset = trainings.chgnet(recipe.data).numpy()[test, None]
    errors = np.abs(offset - wanted)
    errors = errors[np.isfinite(errors)]
    return {
        "mean_absolute_error": float(errors.mean()),
        "interval_90": bootstrap(errors, seed),
        "n": len(errors),
    }


def bootstrap(errors: np.ndarray, seed: int) -> list[float]:
    """90% interval of the mean, crystals drawn with replacement."""
    rng = np.random.default_rng(seed)
    means = [errors[rng.integers(len(errors), size=len(errors))].mean() for _ in range(BOOTSTRAPS)]
    low, high = np.percentile(means, INTERVAL)
    return [float(low), float(high)]


def _wanted(
    trainings: Trainings, recipe: Recipe, head: str, output: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the test crystals and their places."""
    some = trainings.data(recipe.data)
    test = some.indices("test").numpy()
    values = trainings.targets(recipe).values[head].numpy()
    return _column(values, output)[test], test


def _column(table: np.ndarray, output: int | None) -> np.ndarray:
    """One output, or all of a head."""
    return table if output is None else table[:, output]


def _trained_on(trainings: Trainings, recipe: Recipe) -> int:
    some = trainings.data(recipe.data)
    return len(some.indices("train")) + (len(some.indices("val")) if recipe.with_validation else 0)
