"""Train the property network, calibrate its intervals, and say how good it is.

Training looks at `train` alone; `val` calibrates the intervals; `test` is evaluated once, for the card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.contracts import Hull
from ...core.errors import HullError, InputError, nearest
from ...core.formation import reference_energies
from ...core.settings import config_hash
from ..datasets.records import LabelledCrystal
from ..datasets.splits import share_of
from ..gnn.network import NetworkConfig, PropertyNetwork
from ..gnn.training import Progress, Targets, TrainingConfig, require_device, train
from ..hull.chemistry import chemistry_class
from .domain import FAR, REFERENCES, Domain
from .heads import HEADS
from .intervals import COVERAGE, Intervals, with_common_unmet
from .model import Evaluation, PropertyModel
from .priors import ATOMIC_NUMBERS, chgnet_formation, fitted_priors, offsets_of
from .sets import SETS, TrainingSet, in_split, rows_of, targets_of, training_set
from .settings import PropertiesConfig

FEWEST_TO_CALIBRATE = 40  # validation labels below which an output gets no interval


def gather(
    config: PropertiesConfig,
    cache: Path,
    workers: int = 1,
    data: Path | None = None,
    on_done: Callable[[int], None] | None = None,
) -> TrainingSet:
    """All data sets of the configuration, with their graphs; no test formula of one trains another.

    Raises:
        InputError: an unknown set or head, or a device that is not here.
        MissingDataError: the files of a set are not in the data folder.
    """
    _check(config)
    sets = [training_set(name, rows_of(name, data), cache, workers, on_done) for name in config.data.sets]
    return without_leaks(TrainingSet.join(sets))


def _check(config: PropertiesConfig) -> None:
    """Refuse at the door what would otherwise be found out after the crystals are prepared."""
    for what, names, known in (("head", config.data.heads, HEADS), ("data set", config.data.sets, SETS)):
        for name in names:
            if name not in known:
                raise InputError(f"No {what} {name!r} for properties. {nearest(name, known)}")
    require_device(config.training.device)


def without_leaks(joined: TrainingSet) -> TrainingSet:
    """A row whose formula another row tests (or calibrates with) no longer trains."""
    tested = {row.formula for row in joined.rows if row.split == "test"}
    calibrating = {row.formula for row in joined.rows if row.split == "val"} - tested
    rows = []
    for row in joined.rows:
        leaks = (row.split in ("train", "val") and row.formula in tested) or (
            row.split == "train" and row.formula in calibrating
        )
        rows.append(in_split(row, "") if leaks else row)
    return TrainingSet(rows, joined.crystals)


def reference_table(hull: Hull) -> torch.Tensor:
    """CHGNet's energy of each element in the hull's reference phase, eV/atom, NaN if there is none, shape `(119,)`."""
    from pymatgen.core import Element

    symbols = {z: Element.from_Z(z).symbol for z in range(1, ATOMIC_NUMBERS)}
    found = reference_energies(hull, symbols.values())
    table = torch.full((ATOMIC_NUMBERS,), float("nan"))
    for z, symbol in symbols.items():
        energy = found[symbol]
        if not isinstance(energy, HullError):
            table[z] = energy
    return table


def fit(
    config: PropertiesConfig,
    gathered: TrainingSet,
    references: torch.Tensor,
    folder: Path,
    on_epoch: Callable[[Progress], None] | None = None,
    resume: bool = True,
) -> PropertyModel:
    """Train on `train` and calibrate on `val`.

    Args:
        config: What and how.
        gathered: Rows and graphs of all sets.
        references: CHGNet's energy of each element, shape `(119,)`.
        folder: Receives `checkpoint.pt` after each epoch.
        on_epoch: Told of every epoch.
        resume: Go on from the checkpoint, if there is one.

    Raises:
        InputError: no crystals to train on or to calibrate with, or the checkpoint belongs to a training with
            other settings or data.
    """
    targets = targets_of(gathered.rows, config.data.heads)
    training, validation = gathered.indices("train"), gathered.indices("val")
    usable = torch.isfinite(chgnet_formation(gathered.crystals, references))
    training, validation = training[usable[training]], validation[usable[validation]]
    for what, chosen in (("training", training), ("validation", validation)):
        if not len(chosen):
            raise InputError(
                f"The data sets hold no {what} crystals whose elements all have a reference phase."
            )
    with_chgnet = config.network.chgnet_features
    priors = fitted_priors(targets, gathered.crystals, references, training, with_chgnet)
    targets.offsets = offsets_of(priors, gathered.crystals, references)
    torch.manual_seed(config.training.seed)
    network = PropertyNetwork(
        NetworkConfig(
            tuple((name, HEADS[name].outputs) for name in config.data.heads),
            **config.network.model_dump(),
        )
    )
    device = config.training.device
    looked_at = validation[
        torch.randperm(len(validation), generator=torch.Generator().manual_seed(0))[
            : config.data.validation_limit
        ]
    ]
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    if not resume:
        checkpoint.unlink(missing_ok=True)
    settings = TrainingConfig(**config.training.model_dump(exclude={"device"}))
    targets = targets.to(device)  # a copy, which `train` gives its means and scales
    average = train(
        network.to(device),
        gathered.crystals.to(device),
        targets,
        training.to(device),
        looked_at.to(device),
        settings,
        on_epoch,
        checkpoint,
        fingerprint=_fingerprint(config, targets),
    )
    targets = targets.to("cpu")
    network = average.to("cpu").eval()
    assert isinstance(network, PropertyNetwork)
    model = PropertyModel(
        network,
        dict(targets.means),
        dict(targets.scales),
        references,
        Domain.fit(_vectors(network, gathered, training)),
        priors,
        elements={name: _elements(gathered, targets, name, training) for name in config.data.heads},
    )
    calibrate(model, gathered, targets, validation)
    return model


def _fingerprint(config: PropertiesConfig, targets: Targets) -> str:
    """Of everything that decides the weights, the device aside."""
    values = config.model_dump(mode="json", exclude={"training": {"device"}, "data": {"validation_limit"}})
    found = hashlib.sha256(config_hash(values).encode())
    for name in sorted(targets.values):
        found.update(targets.values[name].cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def calibrate(
    model: PropertyModel, gathered: TrainingSet, targets: Targets, validation: torch.Tensor
) -> None:
    """Fit the domain's limit and every interval on the validation crystals."""
    rows = [gathered.rows[i] for i in validation.tolist()]
    found = model.evaluate(gathered.crystals.select(validation))
    model.domain.limit = float(np.quantile(found.distances, FAR))
    classes = [class_of(row) for row in rows]
    first = np.array([share_of(row.formula, 17) < 0.5 for row in rows])
    for name in targets.values:
        if HEADS[name].kind != "l1":
            continue
        model.intervals[name] = with_common_unmet(
            [
                _intervals(found, targets.values[name][validation][:, j].numpy(), name, j, classes, first)
                for j in range(HEADS[name].outputs)
            ]
        )


def _intervals(
    found: Evaluation, wanted: np.ndarray, name: str, j: int, classes: list[str], first: np.ndarray
) -> Intervals:
    """Of one output; without quantiles if there are too few labels."""
    known = np.isfinite(wanted)
    if known.sum() < FEWEST_TO_CALIBRATE:
        return Intervals()
    errors = np.abs(found.means(name)[known, j] - wanted[known])
    chosen = [c for c, k in zip(classes, known, strict=True) if k]
    return Intervals.fit(errors, found.spreads(name)[known, j], found.distances[known], chosen, first[known])


def measure(model: PropertyModel, gathered: TrainingSet, split: str = "test") -> dict[str, dict[str, Any]]:
    """Errors and coverage of every head on a split, with the number of crystals."""
    indices = gathered.indices(split)
    if not len(indices):
        return {}
    rows = [gathered.rows[i] for i in indices.tolist()]
    crystals = gathered.crystals.select(indices)
    found = model.evaluate(crystals)
    targets = targets_of(rows, [str(name) for name in model.network.heads])
    classes = [class_of(row) for row in rows]
    report: dict[str, dict[str, Any]] = {}
    for name in model.network.heads:
        head = HEADS[str(name)]
        guess = found.means(str(name))
        if head.kind == "classes":
            wanted = targets.values[head.name][:, 0].numpy()
            known = np.isfinite(wanted)
            if known.any():
                right = guess[known].argmax(-1) == wanted[known]
                report[head.name] = {"accuracy": float(right.mean()), "n": int(known.sum())}
            continue
        for j in range(head.outputs):
            wanted = targets.values[head.name][:, j].numpy()
            known = np.isfinite(wanted) & np.isfinite(guess[:, j])
            if not known.any():
                continue
            key = head.name if head.outputs == 1 else f"{head.name}.{head.fidelities[j][0]}"
            report[key] = _measured(
                model, found, head.name, j, guess[known, j], wanted[known], known, classes
            )
    return report


def _measured(
    model: PropertyModel,
    found: Evaluation,
    name: str,
    j: int,
    guess: np.ndarray,
    wanted: np.ndarray,
    known: np.ndarray,
    classes: Sequence[str],
) -> dict[str, Any]:
    head = HEADS[name]
    if head.kind == "binary":
        return {"accuracy": float(((guess > 0.5) == wanted).mean()), "n": int(known.sum())}
    errors = np.abs(guess - wanted)
    result: dict[str, Any] = {
        "mean_absolute_error": float(errors.mean()),
        "median_absolute_error": float(np.median(errors)),
        "mean_absolute_deviation": float(np.abs(wanted - np.median(wanted)).mean()),
        "n": int(known.sum()),
        "scale": head.scale,
        "units": head.units,
    }
    intervals = model.intervals[name][j]
    if intervals.quantiles:
        chosen = [c for c, k in zip(classes, known, strict=True) if k]
        half, _ = intervals.half(found.spreads(name)[known, j], found.distances[known], chosen)
        result["coverage"] = float((errors <= half).mean())
        result["wanted_coverage"] = COVERAGE
        result["median_half_interval"] = float(np.median(half))
    return result


def class_of(row: LabelledCrystal) -> str:
    """Class of chemistry of a row."""
    from pymatgen.core import Element

    assert row.cell is not None
    return chemistry_class(Element.from_Z(int(z)).symbol for z in set(row.cell.numbers.tolist()))


@torch.no_grad()
def _vectors(network: PropertyNetwork, gathered: TrainingSet, indices: torch.Tensor) -> torch.Tensor:
    """The trunk's vectors of a sample of crystals."""
    order = torch.randperm(len(indices), generator=torch.Generator().manual_seed(1))[: 2 * REFERENCES]
    chosen = indices[order]
    return torch.cat([network.trunk(gathered.crystals.batch(some)) for some in chosen.split(256)])


def _elements(gathered: TrainingSet, targets: Targets, name: str, training: torch.Tensor) -> list[int]:
    """Atomic numbers among the training crystals that have a label of this head."""
    known = ~torch.isnan(targets.values[name][training]).all(dim=1)
    found: set[int] = set()
    for i in training[known].tolist():
        cell = gathered.rows[i].cell
        if cell is not None:
            found.update(cell.numbers.tolist())
    return sorted(int(z) for z in found)
