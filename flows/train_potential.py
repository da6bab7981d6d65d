"""Train a potential from a configuration file, and write model, card, log and curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import OutputError
from ..core.settings import home
from .progress import Listener
from .train_properties import told

if TYPE_CHECKING:
    from ..predictors.gnn.training import Progress
    from ..predictors.trained_potential.settings import PotentialConfig


def train_potential(
    config: PotentialConfig,
    into: Path | None,
    listener: Listener,
    workers: int = 1,
    anew: bool = False,
) -> Path:
    """Train and judge; goes on where it was interrupted.

    Args:
        config: What is learned, and how.
        into: Folder of the model; `models` in HYSTERON_HOME if none is given.
        listener: Told of the preparation, of every step and of every epoch.
        workers: Processes that look for neighbours.
        anew: Forget an earlier run of this name.

    Returns:
        The file of the best epoch. Beside it stand `NAME-last.safetensors`, the card `NAME.json`, the log
        `NAME.jsonl` and the curves `NAME.png`.

    Raises:
        InputError: data or settings that cannot be used.
        StageError: the loss is no longer finite.
        OutputError: the folder cannot be written to.
    """
    from ..predictors.gnn.curves import append_to_log, draw_curves
    from ..predictors.trained_potential.fit import fit
    from ..predictors.trained_potential.model import TrainedModel
    from ..predictors.trained_potential.sets import gather
    from ..predictors.trained_potential.settings import placed

    folder = _writable(into or home() / "models")
    start = TrainedModel.load(placed(config.start_from)) if config.start_from else None
    gathered = gather(config, home() / "cache" / "frames", listener, workers, start)
    work = home() / "cache" / "train" / config.name
    log, picture = folder / f"{config.name}.jsonl", folder / f"{config.name}.png"
    if anew or not (work / "checkpoint.pt").is_file():
        log.unlink(missing_ok=True)

    def on_epoch(progress: Progress) -> None:
        append_to_log(log, progress)
        draw_curves(log, picture, config.name)
        listener.say(told(progress))

    last, best = fit(config, gathered, work, listener, on_epoch, start, resume=not anew)
    path = folder / f"{config.name}.safetensors"
    last.save(folder / f"{config.name}-last.safetensors")
    best.save(path)
    card = {"name": best.name, "weights": best.digest, **best.card}
    (folder / f"{config.name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    return folder
