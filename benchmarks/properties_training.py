"""Trainings of the property benchmark: ours, ours without CHGNet's features, and CGCNN, on the same crystals.

A training is named by its recipe; what it predicts for the crystals it did not see is kept under
`HYSTERON_HOME/cache/benchmarks/properties`, and an interrupted one goes on from its last epoch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.settings import config_hash, home
from ..predictors.datasets import perovskites
from ..predictors.gnn.network import NetworkConfig, PropertyNetwork
from ..predictors.gnn.training import Progress, Targets, TrainingConfig, predict, train
from ..predictors.properties.fit import reference_table
from ..predictors.properties.heads import HEADS
from ..predictors.properties.priors import chgnet_formation, fitted_priors, offsets_of
from ..predictors.properties.sets import TrainingSet, in_split, rows_of, targets_of, training_set
from .cgcnn import CGCNN

KIN = {
    "castelli_metal": "metal",
    "castelli_conditional_gap": "conditional_gap",
    "abx3_metal": "metal",
    "abx3_band_gap": "band_gap",
    "abx3_conditional_gap": "conditional_gap",
}
"""Heads that start from a head of the same quantity in other calculations."""
OURS, PLAIN, BASELINE = "ours", "ours without CHGNet", "CGCNN"


@dataclass(frozen=True)
class Recipe:
    """One training.

    Attributes:
        data: A key of `DATA`.
        heads: What it learns; CGCNN learns the first alone.
        model: `OURS`, `PLAIN` or `BASELINE`.
        epochs, batch, learning_rate, weight_decay, averaging, seed: Of the loop.
        dropout: In the heads of ours.
        trunk_rate: Learning rate of our trunk over that of the heads.
        start: Trunk to start from: the recipe of another training.
        with_validation: Whether `val` trains as well; then nothing was chosen on it in this training.
    """

    data: str
    heads: tuple[str, ...]
    model: str = OURS
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    averaging: float = 0.995
    seed: int = 0
    dropout: float = 0.0
    trunk_rate: float = 1.0
    start: Recipe | None = field(default=None)
    with_validation: bool = True

    @property
    def name(self) -> str:
        """Of its files; a field that stands at its default does not enter, so a new one renames nothing."""
        return f"{self.data}-{self.model.replace(' ', '-').lower()}-{config_hash(self.identity())}"

    def identity(self) -> dict[str, Any]:
        """What differs from the defaults."""
        given = {f.name: (getattr(self, f.name), f.default) for f in fields(self)}
        changed = {name: value for name, (value, default) in given.items() if value != default}
        if self.start is not None:
            changed["start"] = self.start.identity()
        return changed


@dataclass
class Result:
    """Of one training.

    Attributes:
        guesses: Mean of the members by head, on the head's scale, shape `(nrows, outputs)`; rows that trained are NaN.
        seconds: Wall time of the training.
    """

    guesses: dict[str, np.ndarray]
    seconds: float


class Trainings:
    """Makes trainings and keeps what they predict.

    Args:
        quick: Few crystals and epochs, to see that it runs.
        folder: Where results are kept.
    """

    def __init__(self, quick: bool = False, folder: Path | None = None) -> None:
        self.quick = quick
        self.folder = folder or home() / "cache" / "benchmarks" / (
            "properties-quick" if quick else "properties"
        )
        self.folder.mkdir(parents=True, exist_ok=True)

    def forget(self) -> None:
        """Remove what earlier runs left."""
        for path in self.folder.iterdir():
            path.unlink()

    @cached_property
    def references(self) -> torch.Tensor:
        """CHGNet's energy of each element, eV/atom, shape `(119,)`."""
        from ..flows import toolbox

        return reference_table(toolbox.hull())

    @lru_cache(maxsize=4)  # noqa: B019  # lives as long as the benchmark
    def data(self, name: str) -> TrainingSet:
        """Crystals of one protocol, with their split."""
        rows = DATA[name]()
        if self.quick:
            rows = rows[:: max(1, len(rows) // 400)]
        return training_set(name, rows, home() / "cache" / "properties")

    def targets(self, recipe: Recipe) -> Targets:
        """Labels of a recipe's heads."""
        some = self.data(recipe.data)
        heads = recipe.heads[:1] if recipe.model == BASELINE else recipe.heads
        found = targets_of(some.rows, heads)
        if recipe.model != BASELINE:
            seen = self.training_indices(recipe)
            priors = fitted_priors(found, some.crystals, self.references, seen, recipe.model == OURS)
            found.offsets = offsets_of(priors, some.crystals, self.references)
        return found

    def chgnet(self, data: str) -> torch.Tensor:
        """CHGNet's formation energy of each crystal of `data`, eV/atom, shape `(ncrystals,)`."""
        return chgnet_formation(self.data(data).crystals, self.references)

    def training_indices(self, recipe: Recipe) -> torch.Tensor:
        """Places of the rows that a recipe learns from."""
        some = self.data(recipe.data)
        training = some.indices("train")
        return torch.cat([training, some.indices("val")]) if recipe.with_validation else training

    def result(self, recipe: Recipe) -> Result:
        """What a training predicts; trained now if it was not before."""
        path = self.folder / f"{recipe.name}.npz"
        if not path.is_file():
            self._train(recipe, path)
        with np.load(path, allow_pickle=False) as kept:
            guesses = {name: kept[name] for name in kept.files if name != "seconds"}
            return Result(guesses, float(kept["seconds"]))

    def _train(self, recipe: Recipe, path: Path) -> None:
        some, targets = self.data(recipe.data), self.targets(recipe)
        training = self.training_indices(recipe)
        rest = torch.tensor(sorted(set(range(len(some.rows))) - set(training.tolist())), dtype=torch.long)
        torch.manual_seed(recipe.seed)
        network = self._network(recipe)
        spent = [0.0]

        def on_epoch(progress: Progress) -> None:
            spent[0] = progress.seconds
            if progress.epoch % 10 == 0 or progress.seconds / progress.epoch > 20:
                left = progress.seconds / progress.epoch * (progress.epochs - progress.epoch) / 60
                say(
                    f"{recipe.name}: epoch {progress.epoch} of {progress.epochs}, loss {progress.loss:.3g}, "
                    f"{left:.0f} min left"
                )

        checkpoint = path.with_suffix(".pt")
        torch.set_num_threads(1)
        average = train(
            network, some.crystals, targets, training, rest[:0], self._config(recipe), on_epoch, checkpoint
        )
        found = predict(average, some.crystals, targets, rest)
        guesses = {}
        for name, members in found.items():
            table = np.full((len(some.rows), members.shape[-1]), np.nan, dtype=np.float32)
            table[rest.numpy()] = members.mean(0).numpy()
            guesses[name] = table
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, seconds=np.array(spent[0]), **guesses)
        torch.save(average.state_dict(), self.folder / f"{recipe.name}.weights")
        (self.folder / f"{recipe.name}.json").write_text(json.dumps(asdict(recipe)))
        part.replace(path)
        checkpoint.unlink(missing_ok=True)

    def _config(self, recipe: Recipe) -> TrainingConfig:
        return TrainingConfig(
            epochs=2 if self.quick else recipe.epochs,
            batch=recipe.batch,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            averaging=recipe.averaging,
            trunk_rate=recipe.trunk_rate,
            seed=recipe.seed,
        )

    def _network(self, recipe: Recipe) -> torch.nn.Module:
        if recipe.model == BASELINE:
            return CGCNN(recipe.heads[0], HEADS[recipe.heads[0]].outputs)
        network = PropertyNetwork(
            NetworkConfig(
                tuple((name, HEADS[name].outputs) for name in recipe.heads),
                chgnet_features=recipe.model == OURS,
                dropout=recipe.dropout,
            )
        )
        if recipe.start is not None:
            self.result(recipe.start)
            weights = torch.load(self.folder / f"{recipe.start.name}.weights", weights_only=True)
            network.load_state_dict(_inherited(weights, recipe.heads), strict=False)
        return network


def _inherited(weights: dict[str, torch.Tensor], heads: Sequence[str]) -> dict[str, torch.Tensor]:
    """The trunk, and heads of the same quantity."""
    found = {k: v for k, v in weights.items() if k.startswith("trunk.")}
    for name in heads:
        old = f"heads.{KIN.get(name, name)}."
        found |= {k.replace(old, f"heads.{name}."): v for k, v in weights.items() if k.startswith(old)}
    return found


def _perov5(protocol: str) -> Callable[[], list[Any]]:
    def rows() -> list[Any]:
        parts = perovskites.perov5_split(perovskites.perov5(), protocol)
        return [in_split(row, split) for split, some in parts.items() for row in some]

    return rows


def _near_hull() -> list[Any]:
    from ..predictors.datasets.vacancies import near_hull

    rows = near_hull(rows_of("vacancies"))
    return [row for row in rows if row.label("vacancy_formation_energy") is not None]


DATA: dict[str, Callable[[], list[Any]]] = {
    "materials-project": lambda: rows_of("materials-project"),
    "perov5-val-by-formula": _perov5("val-by-formula"),
    "perov5-val-random": _perov5("val-random"),
    "perov5-all-by-formula": _perov5("all-by-formula"),
    "abx3": lambda: rows_of("abx3"),
    "dielectric": lambda: rows_of("dielectric"),
    "vacancies": lambda: rows_of("vacancies"),
    "vacancies-near-hull": _near_hull,
}


def say(sentence: str) -> None:
    """On standard error, where progress belongs."""
    print(sentence, file=sys.stderr, flush=True)
