"""What is the answer when no language model is asked? The planner's, as a table with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...core.contracts import Source
from ...core.errors import InputError
from ..answer import carry_out
from ..recipes import RecipeSource
from . import records
from .domains import STORE
from .ledger import Ledger
from .rendering import Renderer, table

if TYPE_CHECKING:
    from ..plan import Plan
    from .assistant import Answer


def planned_answer(
    question: str, sources: Mapping[str, Source], recipes: RecipeSource | None = None
) -> Answer:
    """Plan a question, ask the first source (or for recipes), and tell what was found.

    Raises:
        InputError: the planner does not understand a word, or no source of recipes is at hand.
        FilterError: the source cannot be asked this.
    """
    from ..planner.planner import plan as make_plan
    from .assistant import Answer

    plan = make_plan(question)
    ledger = Ledger()
    if plan.kind == "synthesis":
        _look_up(plan, ledger, recipes)
    else:
        name = next((name for name in sources if name != STORE), next(iter(sources)))
        ledger.add_found(carry_out(plan, sources[name]))
    renderer = Renderer(ledger)
    text = table(ledger, plan.asks, renderer)
    return Answer(
        question=question,
        text=text,
        table=tuple(ledger.candidates.values()),
        plans=(plan,),
        assumptions=plan.assumptions,
        sources=renderer.sources(),
    )


def _look_up(plan: Plan, ledger: Ledger, recipes: RecipeSource | None) -> None:
    if recipes is None:
        raise InputError(
            "No source of recipes is at hand: the Materials Project has them; use --source materials-project."
        )
    for target in plan.targets:
        if records.amounts(target) is not None:
            ledger.add_recipes(target, recipes.recipes(target), recipes.version)
