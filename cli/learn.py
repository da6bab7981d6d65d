"""`hysteron learn`: what ingested DFT results say of the estimates that were made before them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .output import StoreOption, say, write_record


def learn(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the lesson and keep nothing.")] = False,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Print this lesson of the store, or 'last'; learn nothing.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Hold every estimate against the DFT value of the same property, and make a lesson of it.

    For each property, method and DFT: errors overall and by class of chemistry, whether the stated uncertainties hold, and
    a correction where it predicts left-out DFT values better. Runs judge by the newest lesson; estimates stay as they are.
    Tables on a terminal; piped, one JSON object for each property, method and DFT.
    """
    from ..core.errors import InputError
    from ..store.store import CandidateStore

    if show is not None and dry_run:
        raise InputError(
            "--show prints what was learned before, and --dry-run learns: leave one of them out."
        )
    with CandidateStore.open(store, create=False) as opened:
        if show is not None:
            kept = opened.lesson(show)
            _print(kept.content, kept.version)
            say(f"Lesson {kept.version}, number {kept.number} of the store, made {kept.made}.")
            return
        content, version, told = _learned(opened, dry_run)
    _print(content, version)
    _say_left_out(content)
    say(told)


def _learned(store: Any, dry_run: bool) -> tuple[dict[str, Any], str, str]:
    """Content, version and a sentence on what became of it.

    Raises:
        InputError: nothing can be learned yet.
    """
    from ..core.errors import InputError
    from ..core.settings import config_hash
    from ..flows.learning import keep, learned

    found = learned(store)
    if not found.content:
        raise InputError(
            "The store holds no DFT results of its candidates, so there is nothing to learn yet. "
            "Run what 'hysteron export' wrote, and read it in with 'hysteron ingest'."
        )
    if not found.content["pairs"]:
        _say_left_out(found.content)
        raise InputError("DFT has answered, but no estimate of the same property stands beside its values.")
    if dry_run:
        would = "It would be kept" if found.is_new else "It says nothing that the newest lesson does not know"
        return found.content, config_hash(found.content), f"{would}; nothing was written (--dry-run)."
    kept = keep(store, found)
    assert kept is not None
    if found.is_new:
        return (
            kept.content,
            kept.version,
            f"Kept as lesson {kept.version}; runs that begin from now on use it.",
        )
    return (
        kept.content,
        kept.version,
        f"No DFT results since lesson {kept.version} of {kept.made}, which stands.",
    )


def _say_left_out(content: dict[str, Any]) -> None:
    rows = content.get("left_out", [])
    if not rows:
        return
    say(f"{len(rows)} {'estimate is' if len(rows) == 1 else 'estimates are'} left out:")
    for row in rows:
        say(f"  {row['candidate_id']}: {row['name']} by {row['method']}: {row['reason']}")


def _print(content: dict[str, Any], version: str) -> None:
    import sys

    if sys.stdout.isatty():
        from .lesson_tables import print_lesson

        print_lesson(content, version)
        return
    for group in content.get("groups", ()):
        write_record({"lesson": version, "learned_from": content["learned_from"], **group})
