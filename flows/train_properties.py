"""Train the property network from a configuration file, and write model, card, log and curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.clock import utc_now
from ..core.settings import home
from .progress import Listener

if TYPE_CHECKING:
    from ..predictors.gnn.training import Progress
    from ..predictors.properties.settings import PropertiesConfig


def train_properties(
    config: PropertiesConfig,
    into: Path | None,
    listener: Listener,
    workers: int = 1,
    anew: bool = False,
    data: Path | None = None,
) -> Path:
    """Train, calibrate and evaluate; goes on where it was interrupted.

    Args:
        config: What is learned, and how.
        into: Folder of the model; `models` in HYSTERON_HOME if none is given.
        listener: Told of the preparation and of every epoch.
        workers: Processes that prepare crystals.
        anew: Forget an earlier run of this name.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Returns:
        The file of weights; card, log and curves stand beside it.

    Raises:
        InputError: a configuration or a checkpoint that cannot be used.
        MissingDataError: the files of a data set are not there.
        OutputError: the folder cannot be written to.
    """
    from ..export.folders import prepare_folder
    from ..predictors.gnn.curves import append_to_log, draw_curves
    from ..predictors.properties import fit
    from ..predictors.properties.card import card_text
    from . import toolbox

    folder = prepare_folder(into or home() / "models", overwrite=True)
    work = home() / "cache" / "train" / config.name
    listener.stage("prepare crystals", None)
    gathered = fit.gather(config, home() / "cache" / "properties", workers, data, listener.advance)
    references = fit.reference_table(toolbox.hull())
    log, picture = folder / f"{config.name}.jsonl", folder / f"{config.name}.png"
    if anew or not (work / "checkpoint.pt").is_file():
        log.unlink(missing_ok=True)
    listener.stage("train", config.training.epochs)
    reached = 0

    def on_epoch(progress: Progress) -> None:
        nonlocal reached
        append_to_log(log, progress)
        draw_curves(log, picture, config.name)
        listener.advance(progress.epoch - reached)
        reached = progress.epoch
        listener.say(told(progress))

    model = fit.fit(config, gathered, references, work, on_epoch, resume=not anew)
    listener.stage("evaluate", None)
    model.card = _card(config, fit.measure(model, gathered), gathered)
    path = folder / f"{config.name}.safetensors"
    model.save(path)
    (folder / f"{config.name}.md").write_text(card_text(model.card))
    return path


def told(progress: Progress) -> str:
    """`epoch 3 of 24: loss 1.34; band_gap 0.235, ...; 12 min left`."""
    errors = ", ".join(f"{name} {value:.3g}" for name, value in progress.errors.items())
    left = progress.seconds / progress.epoch * (progress.epochs - progress.epoch) / 60
    return f"epoch {progress.epoch} of {progress.epochs}: loss {progress.loss:.3g}; {errors}; {left:.0f} min left"


def _card(config: PropertiesConfig, measured: dict[str, Any], gathered: Any) -> dict[str, Any]:
    splits: dict[str, int] = {}
    for row in gathered.rows:
        splits[row.split or "left out"] = splits.get(row.split or "left out", 0) + 1
    return {
        "name": config.name,
        "method": f"GNN {utc_now()[:7]}",
        "trained": utc_now()[:10],
        "config": config.model_dump(mode="json"),
        "crystals": splits,
        "test": measured,
    }
