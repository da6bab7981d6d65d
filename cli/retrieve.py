"""`hysteron retrieve`: known materials by filter."""

from __future__ import annotations

from typing import Annotated

import typer

from .output import FormatOption, print_candidates, print_failures, say


def retrieve(
    filter: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILTER]",
            help='OPTIMADE filter, such as \'elements HAS ALL "Ti","O" AND band_gap > 2\'. Without one: all.',
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            help="catalog, materials-project (key in MP_API_KEY), optimade[:NAME or URL], or cif:DIR for a folder "
            "of structure files."
        ),
    ] = "catalog",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Print at most so many.", show_default=False)
    ] = None,
    format: FormatOption = None,
) -> None:
    """Look up known materials by an OPTIMADE filter: in the bundled catalogue, in databases, in a folder of files."""
    from itertools import islice

    from ..core.errors import InputError
    from ..core.filters import parse
    from .ask import source_named, tell_of_source

    query = parse(filter) if filter else None
    component = source_named(source, None)
    found = list(islice(component.search(query), limit))
    failures = [(entry.input, entry.failure.reason) for entry in getattr(component, "failures", ())]
    if failures:
        say(f"{len(failures)} inputs could not be used:")
        print_failures(failures)
    if failures and not found:
        raise InputError("None of the inputs could be used.")
    failed = tell_of_source(component)
    print_candidates(found, format)
    say(f"{len(found)} candidates from {component.name} ({component.version}).")
    if failures or failed:
        raise typer.Exit(1)
