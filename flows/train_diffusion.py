"""Train the diffusion model, or one of its adapters, and write model, card, log and curves."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.clock import utc_now
from ..core.errors import InputError
from ..core.settings import config_hash, home
from .progress import Listener
from .taught import taught_crystals

if TYPE_CHECKING:
    from torch import nn

    from ..generators.diffusion.settings import DiffusionConfig
    from ..generators.diffusion.table import Table
    from ..generators.diffusion.training import Progress
    from ..generators.diffusion.weights import Trained
    from ..generators.wyckoff.examples import Example

PERCENT = 100


def train_diffusion(
    config: DiffusionConfig,
    into: Path | None,
    listener: Listener,
    workers: int = 1,
    anew: bool = False,
    data: Path | None = None,
) -> Path:
    """Train on the `train` crystals of the domain; goes on where it was interrupted.

    Args:
        config: What is learned, and how.
        into: Folder of the model; `models` in HYSTERON_HOME if none is given.
        listener: Told of the preparation and of the training, in percent.
        workers: Processes that encode crystals.
        anew: Forget an earlier run of this name.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Returns:
        The file of weights; card, log and curves stand beside it. It is written at every report, so that what an interrupted
        training has reached can be used.

    Raises:
        InputError: a checkpoint or a device that cannot be used, or no crystals to train on.
        MissingDataError: the crystals are not there.
        OutputError: the folder cannot be written to.
    """
    import torch

    from ..generators.diffusion.card import card_text
    from ..generators.diffusion.elements import descriptors
    from ..generators.diffusion.network import Network, NetworkConfig
    from ..generators.diffusion.starts import sizes_of
    from ..generators.diffusion.training import train
    from ..generators.diffusion.weights import Trained

    taught, table = _taught(config, listener, workers, data, near_hull=True)
    place = _Place.of(config.name, into, anew)
    told = descriptors()
    torch.manual_seed(config.training.seed)
    shape = NetworkConfig(**config.network.model_dump(), descriptors=told.shape[1])
    network = Network(shape, told).to(config.training.device)
    sizes = sizes_of([e.crystal for e in taught if e.split == "train"])
    reports = _Reports(place, config.name, listener)

    def on_report(progress: Progress, average: nn.Module) -> None:
        assert isinstance(average, Network)
        reports(progress)
        card = _card(config, config.name, taught, progress, average, "diffusion") | {
            "finished": progress.share >= 1
        }
        Trained(average, config.data, sizes, card).save(place.weights)
        place.card.write_text(card_text(card), encoding="utf-8")

    listener.stage("train", PERCENT)
    settings = config.training.model_dump(exclude={"device"})
    fingerprint = _fingerprint(config, taught, ("data", "network"))
    train(network, table, _training(settings), None, on_report, place.checkpoint, fingerprint)
    return place.weights


def train_adapter(
    name: str,
    config: DiffusionConfig,
    into: Path | None,
    listener: Listener,
    workers: int = 1,
    anew: bool = False,
    data: Path | None = None,
) -> Path:
    """Train the adapter of one property on a base that stays as it is; arguments, errors and what is given as `train_diffusion`.

    Args:
        name: Of the property, one of `lessons.ADAPTED`.
        config: Its `adapter` table says how; `name` says which base.
        into: Folder of the adapter; `models` in HYSTERON_HOME if none is given.
        listener: Told of the preparation and of the training, in percent.
        workers: Processes that encode crystals.
        anew: Forget an earlier run.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
    """
    import torch

    from ..generators.diffusion.adapters import SPACEGROUP, Adapter, AdapterConfig
    from ..generators.diffusion.card import adapter_card_text
    from ..generators.diffusion.generator import adapter_file
    from ..generators.diffusion.training import train, validation
    from ..generators.diffusion.weights import TrainedAdapter, grid_of

    base = _base(config, into)
    taught, table = _taught(config, listener, workers, data, near_hull=False)
    place = _Place.of(adapter_file(name, config.name).removesuffix(".safetensors"), into, anew)
    torch.manual_seed(config.training.seed)
    shape = base.network.config
    adapter = Adapter(AdapterConfig(name, shape.width, shape.layers, config.adapter.rank))
    device = config.training.device
    base.network.to(device)
    reports = _Reports(place, f"{config.name}, adapter for {name}", listener)
    values = table.properties[name]
    known = torch.ones(len(taught), dtype=torch.bool) if name == SPACEGROUP else values.isfinite()
    if not (known & table.training).any():
        raise InputError(f"{name} is known of no training crystal in this domain.")
    grid = () if name == SPACEGROUP else grid_of(values[known & table.training])
    held_out = torch.nonzero(known & ~table.training)[:, 0].to(device)
    plain = validation(base.network, table.to(device), held_out, config.training.seed)

    def on_report(progress: Progress, average: nn.Module) -> None:
        assert isinstance(average, Adapter)
        reports(progress)
        learnt = [e for e, is_known in zip(taught, known.tolist(), strict=True) if is_known]
        card = _card(config, name, learnt, progress, average, base.method) | {
            "base": config.name,
            "validation": [plain, progress.validation],
        }
        TrainedAdapter(average, base.digest, grid, card).save(place.weights)
        place.card.write_text(adapter_card_text(card), encoding="utf-8")

    listener.stage(f"train adapter for {name}", PERCENT)
    settings = config.training.model_dump(exclude={"device"}) | config.adapter.model_dump(exclude={"rank"})
    fingerprint = _fingerprint(config, taught, ("data", "adapter")) + base.digest
    train(
        base.network, table, _training(settings), adapter.to(device), on_report, place.checkpoint, fingerprint
    )
    base.network.to("cpu")
    return place.weights


def _base(config: DiffusionConfig, into: Path | None) -> Trained:
    """The model of that name: beside where the adapter goes, or wherever models are found.

    Raises:
        MissingDataError: there is none.
    """
    from ..core.settings import model_file
    from ..generators.diffusion.generator import trained_model

    own = (into or home() / "models") / f"{config.name}.safetensors"
    if own.is_file():
        return trained_model(own)
    with resources.as_file(model_file(own.name)) as found:  # type: ignore[arg-type]
        return trained_model(found)


def _taught(
    config: DiffusionConfig, listener: Listener, workers: int, data: Path | None, near_hull: bool
) -> tuple[list[Example], Table]:
    from ..generators.diffusion.lessons import lessons, table_of
    from ..predictors.gnn.training import require_device

    require_device(config.training.device)
    found = lessons(taught_crystals(config.data.most_atoms, listener, workers, data), config.data, near_hull)
    if not any(example.split == "train" for example in found):
        raise InputError(
            f"The data folder holds no training crystal of at most {config.data.most_atoms} atoms in this domain."
        )
    listener.stage("prepare crystals", len(found))
    return found, table_of(found, listener.advance)


@dataclass(frozen=True)
class _Place:
    """Where a training writes."""

    weights: Path
    card: Path
    log: Path
    picture: Path
    checkpoint: Path

    @classmethod
    def of(cls, name: str, into: Path | None, anew: bool) -> _Place:
        from ..export.folders import prepare_folder
        from ..generators.diffusion.checkpoints import INDEX

        folder = prepare_folder(into or home() / "models", overwrite=True)
        work = home() / "cache" / "train" / name
        log = folder / f"{name}.jsonl"
        if anew:
            shutil.rmtree(work, ignore_errors=True)
        if not (work / INDEX).is_file():
            log.unlink(missing_ok=True)
        return cls(folder / f"{name}.safetensors", folder / f"{name}.md", log, folder / f"{name}.png", work)


class _Reports:
    """Log, curves, and the listener's bar."""

    def __init__(self, place: _Place, title: str, listener: Listener) -> None:
        self.place, self.title, self.listener = place, title, listener
        self.reached = 0

    def __call__(self, progress: Progress) -> None:
        from ..predictors.gnn.curves import append_to_log, draw_curves
        from ..predictors.gnn.training import Progress as Shown
        from .train_properties import told

        if progress.training is None:
            return
        names = ("coordinates", "lattice", "hidden types")
        errors = dict(zip((f"validation: {name}" for name in names), progress.validation, strict=True))
        shown = Shown(
            max(1, round(progress.epochs)),
            max(1, round(progress.epochs / progress.share)),
            sum(progress.training),
            errors,
            progress.seconds,
        )
        append_to_log(self.place.log, shown)
        draw_curves(self.place.log, self.place.picture, self.title)
        done = int(PERCENT * progress.share)
        self.listener.advance(done - self.reached)
        self.reached = done
        self.listener.say(told(shown))


def _training(settings: dict[str, Any]) -> Any:
    from ..generators.diffusion.training import TrainingConfig

    return TrainingConfig(**settings)


def _card(
    config: DiffusionConfig,
    name: str,
    taught: Sequence[Example],
    progress: Progress,
    learnt: nn.Module,
    method: str,
) -> dict[str, Any]:
    return {
        "name": name,
        "method": f"{method} {utc_now()[:7]}" if method == "diffusion" else method,
        "trained": utc_now()[:10],
        "config": config.model_dump(mode="json"),
        "crystals": {split: sum(e.split == split for e in taught) for split in ("train", "val")},
        "steps": progress.step,
        "epochs": progress.epochs,
        "hours": progress.seconds / 3600,
        "parameters": sum(p.numel() for p in learnt.parameters()),
        "validation": list(progress.validation),
    }


def _fingerprint(config: DiffusionConfig, taught: Sequence[Example], tables: tuple[str, ...]) -> str:
    """Of what decides which weights there are; how long they are trained may change when a training goes on."""
    settings = {table: config.model_dump(mode="json")[table] for table in tables}
    settings["training"] = {"seed": config.training.seed, "batch": config.training.batch}
    for table in tables:
        for free in ("minutes", "steps", "learning_rate"):
            settings[table].pop(free, None)
    found = hashlib.sha256(config_hash(settings).encode())
    for example in taught:
        found.update(f"{example.key}|{example.split}|{example.crystal.wyckoff}".encode())
    return found.hexdigest()[:16]
