"""`hysteron discover`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import FormatOption, StoreOption, print_candidates, say


def discover(
    settings: Annotated[
        Path | None, typer.Argument(metavar="[RUN.toml]", help="Settings of the run.", show_default=False)
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="all, ferroelectric or resistive-switching. Default: all.", show_default=False),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Wall time, such as 90s, 5m, 1h30m. Default: 5m.", show_default=False),
    ] = None,
    relaxations: Annotated[
        int | None,
        typer.Option(min=1, help="A fixed amount of work instead of a budget.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Root of every random stream. Default: 0.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Output folder. Default: ./hysteron-runs/RUN_ID.", show_default=False),
    ] = None,
    store: StoreOption = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN_ID", help="Go on with this run, or with 'last'.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Resume although code or models have changed.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="How many candidates to print.")] = 10,
    format: FormatOption = None,
) -> None:
    """Retrieve, generate, relax, screen, rank, export: prints the shortlist and writes a report.

    Runs offline on what ships with the program. Writes report.html, shortlist.csv and dft/ to the output
    folder. A run that was interrupted goes on with --resume.
    """
    from ..core.settings import default_store_url
    from ..flows import launch

    url = store or default_store_url()
    options = {"preset": preset, "budget": budget, "relaxations": relaxations, "seed": seed}
    if resume:
        run = _resumed(resume, url, force, settings, options, out)
    else:
        from ..flows.run_settings import resolve

        run = launch.new_run(resolve(settings, options).model_dump(mode="json"), url, out)
    say(run.run_id)
    summary = _carry_out(run)
    shown = run.store.get_many(summary["shortlist"][:top])
    print_candidates(
        shown, format, title=f"{len(shown)} best of {summary['counts']['shortlist']} in the shortlist"
    )
    say(summary["sentence"])
    for sentence in summary.get("generators", ()):
        say(sentence)
    if summary.get("lesson"):
        say(
            f"Judged by lesson {summary['lesson']} of DFT results; 'hysteron learn --show {summary['lesson']}' prints it."
        )
    if summary.get("since"):
        from ..export.run_summary import Since

        say(Since.from_record(summary["since"]).sentence)
    say(f"Report: {summary['report']}")


def _resumed(resume: str, url: str, force: bool, settings: Path | None, options: dict, out: Path | None):
    """The stored run; an option that conflicts with its settings is refused unless forced."""
    from ..core.errors import SettingsError
    from ..flows import launch

    run = launch.resume(resume, url, force)
    stored = run.settings.run.model_dump()
    conflicts = [
        f"--{key} {value}" for key, value in options.items() if value is not None and stored[key] != value
    ]
    if settings is not None:
        from ..flows.run_settings import resolve

        if resolve(settings).model_dump() != run.settings.model_dump():
            conflicts.append(str(settings))
    if out is not None and out.expanduser().absolute() != Path(run.out_dir):
        conflicts.append(f"--out {out}")
    if conflicts:
        raise SettingsError(
            f"Run {run.run_id} has settings of its own, and {', '.join(conflicts)} conflicts with them. "
            "Leave it out, or start a new run."
        )
    return run


def _carry_out(run) -> dict:
    from ..flows.foreground import execute
    from .progress import bars

    try:
        with bars():
            return execute(run)
    except KeyboardInterrupt:
        say(f"Interrupted; nothing is lost. Go on with: hysteron discover --resume {run.run_id}")
        raise
