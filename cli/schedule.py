"""`hysteron schedule`: runs that fire by themselves."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .output import StoreOption, say


class Overlap(StrEnum):
    """What becomes of a run that is due while the one before is under way."""

    queue = "queue"
    skip = "skip"


def schedule(
    settings: Annotated[Path, typer.Argument(metavar="RUN.toml", help="Settings of every run.")],
    cron: Annotated[
        str | None,
        typer.Option(help='When, as a cron line: "0 2 * * *" is every night at two.', show_default=False),
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=1, help="Or every so many seconds.", show_default=False)
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            help="Of the cron line, such as Europe/Zurich. Default: that of this machine.", show_default=False
        ),
    ] = None,
    overlap: Annotated[
        Overlap, typer.Option(help="A run that is due while another is under way waits, or is left out.")
    ] = Overlap.skip,
    resume_crashed: Annotated[
        bool, typer.Option("--resume-crashed", help="Go on with runs that died before a new one begins.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Each run writes to a folder of its own in here.")] = Path(
        "hysteron-runs"
    ),
    store: StoreOption = None,
    work_pool: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Give the schedule to this work pool of a Prefect server instead of serving it here.",
            show_default=False,
        ),
    ] = None,
    job_variable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="Setting of the work pool's jobs, such as image=...", show_default=False
        ),
    ] = None,
) -> None:
    """Serve a schedule until interrupted: a Prefect deployment that really fires.

    Starts a Prefect server on 127.0.0.1, or attaches to the one that is running (or to PREFECT_API_URL).
    Each run takes the next seed, so that it goes on exploring. With --work-pool the schedule is left to a Prefect
    server and the workers of that pool.
    """
    from ..core.settings import default_store_url
    from ..export.folders import prepare_folder
    from ..flows import schedule as schedules
    from ..flows.progress import Silent, listening
    from ..flows.run_settings import resolve

    class Say(Silent):
        def say(self, sentence: str) -> None:
            say(sentence)

    resolved = resolve(settings).model_dump(mode="json")
    out_root = out.expanduser().absolute()
    when = schedules.When(cron, every, timezone, overlap.value)
    when.schedule()  # refused before a folder is made
    where = store if work_pool else store or default_store_url()
    job = schedules.Job(settings.stem, resolved, where, out_root, resume_crashed)
    with listening(Say()):
        if work_pool:
            variables = dict(map(_variable, job_variable or ()))
            full_name = schedules.register(job, when, work_pool, variables)
            say(f"{full_name} is due {when.words}. Workers: prefect worker start --pool {work_pool}")
        else:
            prepare_folder(out_root, overwrite=True)
            schedules.serve(job, when)


def _variable(text: str) -> tuple[str, Any]:
    """A job variable; a value that is JSON counts as such.

    Raises:
        InputError: there is no `=` in it.
    """
    import json

    from ..core.errors import InputError

    key, sign, value = text.partition("=")
    if not sign or not key:
        raise InputError(f"--job-variable {text!r}: write KEY=VALUE.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
