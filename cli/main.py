"""The `hysteron` command: collects the subcommands and turns errors into sentences and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from .. import __version__
from ..core.errors import HysteronError
from . import (
    ask,
    benchmark,
    data,
    discover,
    doctor,
    export,
    generate,
    ingest,
    learn,
    mcp_server,
    relax,
    retrieve,
    schedule,
    stages,
    store,
    train,
)

INTERRUPTED = 130
USAGE_ERROR: Any = typer.BadParameter.__mro__[2]  # ClickException, of click or of typer's own copy of it

app = typer.Typer(
    name="hysteron",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds and ranks candidate materials for neuromorphic devices: ferroelectric synapses, memristors.\n\n"
    "Start with **hysteron discover**. Results go to standard output, progress to standard error.",
    epilog="Exit codes: 0 finished; 1 a stage failed or some inputs could not be used; 2 bad usage or no "
    "usable input; 130 interrupted. Shell completion: hysteron --install-completion",
)

_RUN, _STAGE, _KEEP, _CARE = "Runs", "Single stages", "Results", "Data and care"
app.command(rich_help_panel=_RUN)(discover.discover)
app.command(rich_help_panel=_RUN)(schedule.schedule)
app.command(rich_help_panel=_RUN)(store.runs)
app.command(rich_help_panel=_STAGE)(ask.ask)
app.command(rich_help_panel=_STAGE)(retrieve.retrieve)
app.command(rich_help_panel=_STAGE)(generate.generate)
app.command(rich_help_panel=_STAGE)(relax.relax)
app.command(rich_help_panel=_STAGE)(stages.predict)
app.command(rich_help_panel=_STAGE)(stages.screen)
app.command(rich_help_panel=_KEEP)(store.query)
app.command(rich_help_panel=_KEEP)(store.show)
app.command(rich_help_panel=_KEEP)(export.export)
app.command(rich_help_panel=_KEEP)(ingest.ingest)
app.command(rich_help_panel=_KEEP)(learn.learn)
app.command(rich_help_panel=_KEEP)(mcp_server.mcp)
app.add_typer(train.app, name="train", rich_help_panel=_CARE)
app.add_typer(data.app, name="data", rich_help_panel=_CARE)
app.command(rich_help_panel=_CARE)(benchmark.benchmark)
app.command(rich_help_panel=_CARE)(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hysteron {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    if debug:
        os.environ["HYSTERON_DEBUG"] = "1"


def run(arguments: list[str] | None = None) -> None:
    """Entry point of the console script; exits with the codes of the epilog."""
    sys.exit(main(arguments))


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        code = app(arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except USAGE_ERROR as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _say("Interrupted.")
        return INTERRUPTED
    except HysteronError as error:
        _traceback_if_asked()
        _say(str(error))
        return error.exit_code
    except Exception as error:
        _traceback_if_asked()
        _say(f"Unexpected {type(error).__name__}: {error}. '--debug' before the command shows the traceback.")
        return 1


def _say(sentence: str) -> None:
    print(f"hysteron: {sentence}", file=sys.stderr)


def _traceback_if_asked() -> None:
    if os.environ.get("HYSTERON_DEBUG"):
        import traceback

        traceback.print_exc()
