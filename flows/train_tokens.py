"""Train the token generator from a configuration file, and write model, log and curves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.clock import utc_now
from ..core.errors import InputError
from ..core.settings import config_hash, home
from .progress import Listener
from .train_properties import told

if TYPE_CHECKING:
    from ..generators.tokens.examples import Example
    from ..generators.tokens.model import TokenModel
    from ..generators.tokens.settings import TokensConfig
    from ..generators.tokens.training import Progress
    from ..predictors.gnn.training import Progress as Shown


def train_tokens(
    config: TokensConfig,
    into: Path | None,
    listener: Listener,
    workers: int = 1,
    anew: bool = False,
    data: Path | None = None,
) -> Path:
    """Train on the `train` crystals of the data folder; goes on where it was interrupted.

    Args:
        config: What is learned, and how.
        into: Folder of the model; `models` in HYSTERON_HOME if none is given.
        listener: Told of the preparation and of every epoch.
        workers: Processes that encode crystals.
        anew: Forget an earlier run of this name.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Returns:
        The file of weights of the last epoch; log and curves stand beside it, those of every epoch in the work folder.

    Raises:
        InputError: a checkpoint or a device that cannot be used, or no crystals to train on.
        MissingDataError: the crystals are not there.
        OutputError: the folder cannot be written to.
    """
    import torch

    from ..export.folders import prepare_folder
    from ..generators.tokens.items import Table
    from ..generators.tokens.model import ModelConfig, TokenModel
    from ..generators.tokens.tokens import to_tokens
    from ..generators.tokens.training import TrainingConfig, train
    from ..generators.tokens.vocabulary import Vocabulary
    from ..generators.tokens.weights import Trained
    from ..predictors.gnn.curves import append_to_log, draw_curves
    from ..predictors.gnn.training import require_device

    require_device(config.training.device)
    folder = prepare_folder(into or home() / "models", overwrite=True)
    work = home() / "cache" / "train" / config.name
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = work / "checkpoint.pt"
    log, picture = folder / f"{config.name}.jsonl", folder / f"{config.name}.png"
    if anew:
        checkpoint.unlink(missing_ok=True)
    if not checkpoint.is_file():
        for stale in (log, *work.glob("epoch-*.safetensors")):
            stale.unlink(missing_ok=True)
    taught = crystals(config, listener, workers, data)
    vocabulary = Vocabulary(most_atoms=config.data.most_atoms)
    table = Table.of([to_tokens(e.crystal, vocabulary, e.properties) for e in taught], vocabulary)
    rows = {
        split: torch.tensor([i for i, e in enumerate(taught) if e.split == split], dtype=torch.long)
        for split in ("train", "val")
    }
    if not len(rows["train"]):
        raise InputError(
            f"The data folder holds no training crystal of at most {config.data.most_atoms} atoms."
        )
    device = config.training.device
    torch.manual_seed(config.training.seed)
    model = TokenModel(ModelConfig(len(vocabulary), **config.model.model_dump())).to(device)
    listener.stage("train", config.training.epochs)
    reached = 0

    def on_epoch(progress: Progress, average: TokenModel) -> None:
        nonlocal reached
        shown = _shown(progress)
        append_to_log(log, shown)
        draw_curves(log, picture, config.name)
        Trained(average, vocabulary).save(work / f"epoch-{progress.epoch:03d}.safetensors")
        listener.advance(progress.epoch - reached)
        reached = progress.epoch
        listener.say(told(shown))

    average = train(
        model,
        table,
        vocabulary,
        rows["train"],
        rows["val"],
        TrainingConfig(**config.training.model_dump(exclude={"device"})),
        on_epoch,
        checkpoint,
        _fingerprint(config, taught),
    )
    card = {
        "name": config.name,
        "method": f"Wyckoff tokens {utc_now()[:7]}",
        "trained": utc_now()[:10],
        "config": config.model_dump(mode="json"),
        "crystals": {split: len(some) for split, some in rows.items()},
    }
    path = folder / f"{config.name}.safetensors"
    Trained(average, vocabulary, card).save(path)
    return path


def crystals(
    config: TokensConfig, listener: Listener, workers: int = 1, data: Path | None = None
) -> list[Example]:
    """The crystals that teach, encoded; how many could not be is told."""
    from ..core.crystals import crystals_folder, read_crystals
    from ..generators.tokens.examples import examples
    from ..predictors.workers import map_unordered

    listener.stage("encode crystals", None)
    records = list(read_crystals(crystals_folder(data), ("train", "val")))
    found, refused = examples(
        records,
        config.data.most_atoms,
        home() / "cache" / "tokens",
        lambda function, tasks: map_unordered(function, tasks, workers),
        listener.advance,
    )
    if refused:
        reason, count = refused.most_common(1)[0]
        listener.say(
            f"{sum(refused.values())} of {len(found) + sum(refused.values())} crystals cannot be written in Wyckoff "
            f"positions and teach nothing, {count} of them because: {reason}"
        )
    return found


def _shown(progress: Progress) -> Shown:
    """As the log and the curves of the other trainings have it."""
    from ..predictors.gnn.training import Progress as Shown

    errors = {"nats of a validation crystal": progress.validation}
    return Shown(progress.epoch, progress.epochs, progress.loss, errors, progress.seconds)


def _fingerprint(config: TokensConfig, taught: Sequence[Example]) -> str:
    """Of everything that decides the weights, the device aside."""
    found = hashlib.sha256(
        config_hash(config.model_dump(mode="json", exclude={"training": {"device"}})).encode()
    )
    for example in taught:
        found.update(f"{example.key}|{example.split}|{example.crystal.wyckoff}".encode())
    return found.hexdigest()[:16]
