"""Which crystals teach the generators? Those of the data folder, encoded once for all trainings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..core.settings import home
from .progress import Listener

if TYPE_CHECKING:
    from ..generators.wyckoff.examples import Example


def taught_crystals(
    most_atoms: int, listener: Listener, workers: int = 1, data: Path | None = None
) -> list[Example]:
    """Training and validation crystals in the words of their space groups; how many could not be encoded is told.

    Args:
        most_atoms: In the primitive cell.
        listener: Told of the preparation.
        workers: Processes that encode crystals.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Raises:
        MissingDataError: the crystals are not there.
    """
    from ..core.crystals import crystals_folder, read_crystals
    from ..core.workers import map_unordered
    from ..generators.wyckoff.examples import examples

    listener.stage("encode crystals", None)
    records = list(read_crystals(crystals_folder(data), ("train", "val")))
    found, refused = examples(
        records,
        most_atoms,
        home() / "cache" / "wyckoff",
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
