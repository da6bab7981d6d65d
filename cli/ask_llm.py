"""`hysteron ask --llm`: a language model writes the answer, held to the records."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from .output import Format, chosen, console_error, print_candidates, say, write

if TYPE_CHECKING:
    from ..core.contracts import Source
    from ..retrieval.assistant.assistant import Answer


def ask_model(
    question: str, source: str, llm: str | None, limit: int, store: str | None, format: Format | None
) -> None:
    """Answer, and show what it took: filters, assumptions, sources, use of the model.

    On a terminal the text comes first and the records below; for programs the records alone are printed. What the
    source has to say of its latest search goes before, and a part of it that failed ends the command with exit code 1.
    """
    from ..retrieval.assistant.assistant import ask
    from ..retrieval.assistant.models import chosen as chosen_model
    from ..retrieval.recipes import RecipeSource
    from .ask import source_named, tell_of_source

    component = source_named(source, store)
    sources = {component.name: component} | _own_store(store, component)
    recipes = component if isinstance(component, RecipeSource) else None
    with console_error().status("asking"):
        answer = ask(question, sources, recipes, chosen_model(llm), say=say)
    failed = tell_of_source(component)
    _print(answer, limit, format)
    if failed:
        raise typer.Exit(1)


def _own_store(store: str | None, asked: Source) -> dict[str, Source]:
    """The user's store, if there is one; its assistant alone may ask it."""
    from ..core.errors import NoStoreError
    from .ask import source_named

    with suppress(NoStoreError):
        if asked.name != "store":
            return {"store": source_named("store", store)}
    return {}


def _print(answer: Answer, limit: int, format: Format | None) -> None:
    if chosen(format) is not Format.table:
        say(answer.report())
        print_candidates(answer.table[:limit], format)
        return
    write(answer.report() + "\n")
    if answer.table and not answer.fell_back:
        typer.echo("")
        print_candidates(answer.table[:limit], format)
