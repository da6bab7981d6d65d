"""`hysteron export`: candidates leave, as DFT inputs or CIF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .output import StoreOption, print_failures, say


def export(
    filter: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILTER]",
            help="Which candidates; without one, the last run's shortlist.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[str, typer.Option(help="vasp, espresso, gpaw, atomate2 or cif.")] = "vasp",
    out: Annotated[Path, typer.Option(help="Output folder; must be empty or new.")] = Path("dft"),
    top: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    sort: Annotated[
        str | None, typer.Option(help="Property or field; a leading - turns the order.", show_default=False)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the format, such as kpoint_spacing=0.15; again for more.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Write DFT inputs with a manifest of lineage, checksums and the question to each candidate.

    vasp, espresso, gpaw and atomate2 write a relaxation and a static run; for a ferroelectric with a nonpolar
    reference the path for its polarization; for a resistive-switching host supercells of the vacancies that
    the screen has named.
    """
    from ..core.errors import NotFoundError
    from ..export.bundle import export_candidates
    from ..store.store import CandidateStore

    settings = _settings(set_ or [])
    with CandidateStore.open(store, create=False) as opened:
        if filter is None and sort is None:
            ids = [identifier for identifier, _ in opened.ranking(opened.get_run().run_id)[:top]]
            found = opened.get_many(ids)
        else:
            descending = bool(sort) and sort.startswith("-")
            found = opened.query(
                filter, sort=sort.lstrip("-") if sort else None, descending=descending, limit=top
            )
    if not found:
        raise NotFoundError("No candidate matches; nothing was written.")
    manifest = export_candidates(found, to, out, settings=settings)
    say(f"{len(manifest.candidates)} candidates written to {out} for {to}.")
    if manifest.failed:
        say(f"{len(manifest.failed)} could not be written:")
        print_failures((refused.id, refused.reason) for refused in manifest.failed)
        raise typer.Exit(1)


def _settings(assignments: list[str]) -> dict[str, Any]:
    """From `NAME=VALUE`, the value as TOML would read it; what TOML does not read is a word."""
    import tomllib

    from ..core.errors import InputError

    found: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, value = assignment.partition("=")
        if not sign or not name.strip().isidentifier():
            raise InputError(
                f"--set {assignment!r} is no setting; write NAME=VALUE, such as kpoint_spacing=0.15."
            )
        try:
            found[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name.strip()] = value.strip()
    return found
