"""Do nine of ten intervals hold the truth, on crystals like the known ones and on a chemistry that was never met?

For the first, the model in HYSTERON_HOME, if there is one, and the test formulas. For the second, a class of chemistry is taken
out of training and calibration altogether, a small network is trained on the rest, and its intervals are asked of that class
alone. CHGNet, whose features the network starts from, has seen the class.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.settings import home
from ..predictors.gnn.training import Progress
from ..predictors.properties import fit
from ..predictors.properties.model import PropertyModel
from ..predictors.properties.sets import TrainingSet, in_split
from ..predictors.properties.settings import PropertiesConfig
from .properties_training import Trainings, say

HEADS = ("formation_energy", "energy_above_hull", "band_gap", "magnetization")
CHEMISTRIES = ("chalcogenide", "halide", "pnictide", "fluoride")
TRAINING_CRYSTALS = 6000
JUDGED_CRYSTALS = 2000
EPOCHS = 8
UNSEEN = "unseen"
SHIPPED = "properties.safetensors"


def coverage_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Coverage on the test split, and on each left-out class."""
    everything = trainings.data("materials-project")
    count = 300 if trainings.quick else TRAINING_CRYSTALS
    found: dict[str, Any] = {"wanted": {"test": [0.88, 0.92], UNSEEN: 0.85}, "unseen_chemistry": {}}
    path = home() / "models" / SHIPPED
    if path.is_file():
        found["shipped_model_test"] = _shown(shipped_coverage(PropertyModel.load(path)), seed)
    for chemistry in CHEMISTRIES[:1] if trainings.quick else CHEMISTRIES:
        found["unseen_chemistry"][chemistry] = left_out(trainings, everything, chemistry, count, seed)
    return found


def shipped_coverage(model: PropertyModel) -> dict[str, dict[str, Any]]:
    """Errors and coverage of the model on the test rows of all its data sets."""
    names = [str(name) for name in model.network.heads]
    config = PropertiesConfig.model_validate({"data": {"heads": names}})
    return fit.measure(model, fit.gather(config, home() / "cache" / "properties"))


def left_out(
    trainings: Trainings, everything: TrainingSet, chemistry: str, count: int, seed: int
) -> dict[str, Any]:
    """Train and calibrate without a class, then measure on it."""
    kept = trainings.folder / f"coverage-{chemistry}-{count}.json"
    if not kept.is_file():
        some = without_class(everything, chemistry, count, seed)
        say(f"coverage: without {chemistry}, {len(some.indices('train'))} crystals train ...")
        model = _trained(trainings, some, chemistry)
        kept.write_text(
            json.dumps(
                {
                    split: fit.measure(model, some, split)
                    | {"chgnet_alone": _chgnet_alone(model, some, split)}
                    for split in ("test", UNSEEN)
                }
            )
        )
    measured = json.loads(kept.read_text())
    return {split: _shown(figures, seed) for split, figures in measured.items()}


def without_class(everything: TrainingSet, chemistry: str, count: int, seed: int) -> TrainingSet:
    """A sample in which every crystal of the class stands in the split `unseen` and in no other.

    Args:
        everything: All crystals with their split.
        chemistry: Begins the names of the classes that are left out.
        count: Crystals of `train`; a third as many of `val` and of `test`.
        seed: Of the sample.
    """
    order = np.random.default_rng(seed).permutation(len(everything.rows))
    room = {"train": count, "val": count // 3, "test": count // 3, UNSEEN: min(count, JUDGED_CRYSTALS)}
    chosen, rows = [], []
    for i in order.tolist():
        row = everything.rows[i]
        split = UNSEEN if fit.class_of(row).startswith(chemistry) else row.split
        if room.get(split, 0) > 0:
            room[split] -= 1
            chosen.append(i)
            rows.append(in_split(row, split))
        if not any(room.values()):
            break
    return TrainingSet(rows, everything.crystals.select(torch.tensor(chosen)))


def _trained(trainings: Trainings, some: TrainingSet, chemistry: str) -> PropertyModel:
    config = PropertiesConfig.model_validate(
        {
            "name": f"without-{chemistry}",
            "data": {"heads": HEADS},
            "training": {"epochs": 1 if trainings.quick else EPOCHS, "averaging": 0.99},
        }
    )

    def on_epoch(progress: Progress) -> None:
        left = progress.seconds / progress.epoch * (progress.epochs - progress.epoch) / 60
        say(f"without {chemistry}: epoch {progress.epoch} of {progress.epochs}, {left:.0f} min left")

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="hysteron-coverage-") as folder:
        model = fit.fit(config, some, trainings.references, Path(folder), on_epoch)
    model.save(trainings.folder / f"coverage-{chemistry}.safetensors")
    return model


def _chgnet_alone(model: PropertyModel, some: TrainingSet, split: str) -> dict[str, Any]:
    """Errors of CHGNet's own formation energy, and of the corrected one, where both are known."""
    indices = some.indices(split)
    offset = model.formation_energies(some.crystals.select(indices))
    targets = fit.targets_of([some.rows[i] for i in indices.tolist()], HEADS[:1])
    errors = (targets.values[HEADS[0]][:, 0] - offset).abs()
    errors = errors[torch.isfinite(errors)]
    return {
        "mean_absolute_error": float(errors.mean()) if len(errors) else None,
        "label": "formation energy, mp20",
        "n": len(errors),
    }


def _shown(measured: dict[str, dict[str, Any]], seed: int) -> dict[str, Any]:
    """With the interval that so many draws leave on a coverage."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, figures in measured.items():
        found[name] = dict(figures)
        if "coverage" in figures:
            drawn = rng.binomial(figures["n"], figures["coverage"], 1000) / figures["n"]
            found[name]["coverage_interval_90"] = [float(x) for x in np.percentile(drawn, (5, 95))]
    return found
