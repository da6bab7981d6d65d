"""`hysteron schedule`: runs that fire by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import StoreOption, say


def schedule(
    settings: Annotated[Path, typer.Argument(metavar="RUN.toml", help="Settings of every run.")],
    cron: Annotated[
        str | None,
        typer.Option(help='When, as a cron line: "0 2 * * *" is every night at two.', show_default=False),
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=1, help="Or every so many seconds.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="Each run writes to a folder of its own in here.")] = Path(
        "hysteron-runs"
    ),
    store: StoreOption = None,
) -> None:
    """Serve a schedule until interrupted: a Prefect deployment that really fires.

    Starts a Prefect server on 127.0.0.1, or attaches to the one that is running (or to PREFECT_API_URL).
    Each run takes the next seed, so that it goes on exploring.
    """
    from ..core.settings import default_store_url
    from ..export.folders import prepare_folder
    from ..flows import schedule as schedules
    from ..flows.progress import listening
    from ..flows.run_settings import resolve

    class Say:
        def stage(self, name: str, total: int | None) -> None:
            pass

        def advance(self, count: int = 1) -> None:
            pass

        def say(self, sentence: str) -> None:
            say(sentence)

    resolved = resolve(settings).model_dump(mode="json")
    out_root = out.expanduser().absolute()
    prepare_folder(out_root, overwrite=True)
    with listening(Say()):
        schedules.serve(settings.stem, resolved, store or default_store_url(), out_root, cron, every)
