"""`hysteron ask`: a question in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .output import Format, FormatOption, StoreOption, chosen, print_candidates, say, write

if TYPE_CHECKING:
    from ..core.contracts import Source
    from ..retrieval.answer import Found
    from ..retrieval.plan import Plan


def ask(
    question: Annotated[
        str,
        typer.Argument(
            help="In plain words: 'lead-free polar oxides with a band gap above 2 eV near the hull'.",
            show_default=False,
        ),
    ],
    source: Annotated[
        str,
        typer.Option(
            help="catalog, materials-project, optimade[:NAME or URL], cif:DIR, or store for what earlier runs found."
        ),
    ] = "catalog",
    llm: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A language model writes the answer: openai:NAME, anthropic:NAME, ollama:NAME, or URL#NAME of an "
            "OpenAI-compatible server. Default: HYSTERON_LLM; without one the planner answers.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many.")] = 20,
    store: StoreOption = None,
    format: FormatOption = None,
) -> None:
    """Look up known materials by a question in plain words.

    Says the filter it made of the question and every assumption, and refuses what it does not understand. With
    --llm, every number of the answer is one of the records': others cannot pass.
    """
    import os

    if llm or os.environ.get("HYSTERON_LLM"):
        from .ask_llm import ask_model

        ask_model(question, source, llm, limit, store, format)
        return
    from ..retrieval.planner.planner import plan

    made = plan(question)
    print_plan(made)
    component = source_named(source, store)
    if made.kind == "synthesis":
        print_recipes(made, component)
        return
    from ..retrieval.answer import carry_out

    found = carry_out(made, component)
    failed = tell_of_source(component)
    print_found(found, limit, format)
    if failed:
        raise typer.Exit(1)


def source_named(source: str, store: str | None) -> Source:
    """The source that `--source` names."""
    from ..flows.run_settings import SourceTable
    from ..flows.toolbox import source as build

    name, _, path = source.partition(":")
    return build(SourceTable(name=name, path=(store if name == "store" else path) or None))


def tell_of_source(component: Source) -> bool:
    """What a source has to say of its latest search, on standard error. Returns whether a part of it failed."""
    failed = False
    for report in getattr(component, "reports", ()):
        say(report.sentence())
        failed = failed or bool(report.error)
    for sentence in getattr(component, "notes", ()):
        say(sentence)
    for what, count in sorted(getattr(component, "left_out", {}).items()):
        say(f"  left out {count} times: {what}")
    return failed


def print_plan(plan: Plan) -> None:
    """What was made of the question, on standard error."""
    if plan.filter:
        say(f"Filter: {plan.filter}")
    for sentence in plan.assumptions:
        say(f"  {sentence}")


def print_found(found: Found, limit: int, format: Format | None) -> None:
    """The materials, or how many there are."""
    from ..core.properties import PROPERTIES

    plan = found.plan
    whence = f"from {found.source} ({found.version})"
    if plan.kind == "count" and chosen(format) is Format.table:
        write(f"{found.total}\n")
        say(f"{found.total} materials match, {whence}.")
        return
    shown = found.candidates[:limit]
    print_candidates(shown, format, columns=plan.asks + ((plan.sort.lstrip("-"),) if plan.sort else ()))
    say(f"{len(shown)} of {found.total} materials {whence}.")
    for name in plan.asks:
        missing = sum(name in PROPERTIES and candidate.get(name) is None for candidate in shown)
        if missing:
            say(f"{missing} of them have no {name} on record there.")


def print_recipes(plan: Plan, component: Source) -> None:
    """Synthesis procedures, step by step."""
    from ..core.errors import InputError
    from ..retrieval.recipes import RecipeSource, recipe_lines

    if not isinstance(component, RecipeSource):
        raise InputError(f"{component.name} holds no synthesis recipes; ask --source materials-project.")
    for target in plan.targets:
        recipes = component.recipes(target)
        if not recipes:
            write(f"{target}: no recipe on record ({component.name} {component.version}).\n")
        for recipe in recipes:
            write("\n".join(recipe_lines(recipe)) + "\n\n")
