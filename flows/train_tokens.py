"""Train the token generator from a configuration file, and write model, log and curves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.clock import utc_now
from ..core.errors import InputError
from ..core.settings import config_hash, home
from .progress import Listener
from .taught import taught_crystals
from .train_properties import told

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..generators.tokens.choice import TryOut
    from ..generators.tokens.model import TokenModel
    from ..generators.tokens.openings import Openings
    from ..generators.tokens.settings import TokensConfig
    from ..generators.tokens.training import Progress
    from ..generators.wyckoff.examples import Example
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
        The file of weights of the epoch that writes the best crystals (see `generators/tokens/choice.py`); card,
        log and curves stand beside it, the weights of every epoch in the work folder.

    Raises:
        InputError: a checkpoint or a device that cannot be used, or no crystals to train on.
        MissingDataError: the crystals are not there.
        OutputError: the folder cannot be written to.
    """
    import torch

    from ..export.folders import prepare_folder
    from ..generators.tokens.card import card_text
    from ..generators.tokens.choice import best
    from ..generators.tokens.items import Table
    from ..generators.tokens.model import ModelConfig, TokenModel
    from ..generators.tokens.openings import Openings
    from ..generators.tokens.tokens import to_tokens
    from ..generators.tokens.training import TrainingConfig, nats, train
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
    taught = taught_crystals(config.data.most_atoms, listener, workers, data)
    vocabulary = Vocabulary(most_atoms=config.data.most_atoms)
    sequences = [to_tokens(e.crystal, vocabulary, e.properties) for e in taught]
    table = Table.of(sequences, vocabulary)
    openings = Openings.of((sequences[i] for i, e in enumerate(taught) if e.split == "train"), vocabulary)
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
        Trained(average, vocabulary, openings=openings).save(_epoch_file(work, progress.epoch))
        listener.advance(progress.epoch - reached)
        reached = progress.epoch
        listener.say(told(shown))

    train(
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
    tried = _tried_out(config, work, taught, openings, listener)
    chosen = best(tried)
    listener.say(
        f"epoch {chosen.epoch} is kept: of {chosen.written} crystals that it wrote {chosen.promising} are sound, new and "
        f"expected near the hull"
    )
    kept = Trained.load(_epoch_file(work, chosen.epoch))
    card = {
        "name": config.name,
        "method": f"Wyckoff tokens {utc_now()[:7]}",
        "trained": utc_now()[:10],
        "config": config.model_dump(mode="json"),
        "crystals": {split: len(some) for split, some in rows.items()},
        "nats": nats(kept.model, table, rows["val"]),
        "epoch": chosen.epoch,
        "tried_out": [one.as_dict() for one in tried],
    }
    path = folder / f"{config.name}.safetensors"
    Trained(kept.model, vocabulary, card, openings).save(path)
    (folder / f"{config.name}.md").write_text(card_text(card), encoding="utf-8")
    return path


def _epoch_file(work: Path, epoch: int) -> Path:
    return work / f"epoch-{epoch:03d}.safetensors"


def _tried_out(
    config: TokensConfig, work: Path, taught: Sequence[Example], openings: Openings, listener: Listener
) -> list[TryOut]:
    """What the epochs write, every so many of them and the last."""
    from ..generators.tokens.choice import key_of, try_out
    from ..generators.tokens.weights import Trained

    choice, last = config.choice, config.training.epochs
    epochs = sorted({*range(choice.every, last + 1, choice.every), last})
    listener.stage("try out epochs", len(epochs))
    known = {key_of(example.crystal) for example in taught}
    tried = []
    for epoch in epochs:
        trained = Trained.load(_epoch_file(work, epoch))
        trained.openings = openings
        judge = partial(_near_hull, limit=choice.near_hull)
        tried.append(try_out(trained, epoch, known, choice.crystals, config.training.seed, judge))
        listener.advance()
    return tried


def _near_hull(structures: Sequence[Structure], limit: float) -> list[bool]:
    """Whether the property network expects each structure no further above the hull, as it is written."""
    from ..core.candidate import Candidate
    from ..core.formation import expected_distances
    from . import toolbox

    if not structures:
        return []
    candidates = [Candidate(str(i), structure) for i, structure in enumerate(structures)]
    predicted = toolbox.predictor("properties").predict(candidates)
    return [d is not None and d <= limit for d in expected_distances(predicted, toolbox.hull())]


def _shown(progress: Progress) -> Shown:
    """As the log and the curves of the other trainings have it."""
    from ..predictors.gnn.training import Progress as Shown

    errors = {"nats of a validation crystal": progress.validation}
    return Shown(progress.epoch, progress.epochs, progress.loss, errors, progress.seconds)


def _fingerprint(config: TokensConfig, taught: Sequence[Example]) -> str:
    """Of everything that decides the weights, the device aside."""
    found = hashlib.sha256(
        config_hash(config.model_dump(mode="json", exclude={"training": {"device"}, "choice": True})).encode()
    )
    for example in taught:
        found.update(f"{example.key}|{example.split}|{example.crystal.wyckoff}".encode())
    return found.hexdigest()[:16]
