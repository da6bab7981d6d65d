"""Who asks whom: a supervisor that answers, and one assistant per domain that retrieves.

All share one desk: the ledger, the plans that were carried out, the limits. The supervisor's answer is checked by
`grounding`; it is sent back three times at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.contracts import Source
from ...core.errors import HysteronError, InputError
from ..answer import carry_out
from ..plan import Plan
from ..recipes import RecipeSource
from . import prompts, records
from .domains import DOMAINS, STORE, Domain
from .grounding import Grounded, Rejected, ground
from .ledger import Ledger
from .limits import Limits
from .tools import Search, briefing, plan_of

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.models import Model
    from pydantic_ai.usage import UsageLimits

SENT_BACK = 3
"""So often is an answer sent back; then the table stands alone."""
TOOL_RETRIES = 3
NO_RECIPE = "no recipe on record"


@dataclass(frozen=True)
class Attempt:
    """An answer that was not delivered, and why."""

    text: str
    problems: tuple[str, ...]


@dataclass
class Desk:
    """What supervisor and assistants share while they work on one question."""

    question: str
    sources: Mapping[str, Source]
    recipes: RecipeSource | None
    limits: Limits
    usage_limits: UsageLimits
    ledger: Ledger = field(default_factory=Ledger)
    plans: list[Plan] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rejected: list[Attempt] = field(default_factory=list)
    delivered: Grounded | None = None
    waiting_for: set[str] = field(default_factory=set)

    @contextmanager
    def asking(self, source: str) -> Iterator[None]:
        """While a source is asked, its name stands in `waiting_for`."""
        self.waiting_for.add(source)
        try:
            yield
        finally:
            self.waiting_for.discard(source)

    def note(self, sentence: str) -> None:
        """Something the user is told beside the answer, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def supervisor(model: Model, desk: Desk) -> Agent[Desk, str]:
    """The agent that answers, with a tool for each assistant that has something to look into."""
    from pydantic_ai import Agent, ModelRetry

    agent: Agent[Desk, str] = Agent(
        model,
        deps_type=Desk,
        output_type=str,
        instructions=prompts.SUPERVISOR,
        tools=[_delegate(model, domain) for domain in DOMAINS if _has_something(domain, desk)],
        retries={"tools": TOOL_RETRIES, "output": SENT_BACK + 1},
    )

    @agent.output_validator
    def check(answer: str) -> str:
        result = ground(answer, desk.ledger, desk.question)
        if isinstance(result, Grounded):
            desk.delivered = result
        elif _take_back(desk, answer, result):
            raise ModelRetry(result.message())
        return answer

    return agent


def _take_back(desk: Desk, answer: str, result: Rejected) -> bool:
    """Note an answer that cannot be delivered; whether the model may try again."""
    desk.rejected.append(Attempt(answer, result.problems))
    return len(desk.rejected) <= SENT_BACK


def _has_something(domain: Domain, desk: Desk) -> bool:
    if domain.own_store:
        return STORE in desk.sources
    if domain.recipes:
        return desk.recipes is not None
    return any(name != STORE for name in desk.sources)


def _delegate(model: Model, domain: Domain) -> Any:
    """A tool of the supervisor: ask one assistant, get the records that it retrieved."""
    from pydantic_ai import RunContext, Tool
    from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded

    async def ask(ctx: RunContext[Desk], request: str) -> dict[str, Any]:
        desk = ctx.deps
        results: list[dict[str, Any]] = []
        try:
            answer = await _assistant(model, domain, desk, results).run(
                request[:2000], deps=desk, usage=ctx.usage, usage_limits=desk.usage_limits
            )
        except UsageLimitExceeded:
            raise
        except UnexpectedModelBehavior:
            return {"results": results, "remark": "The assistant could not finish."}
        return {"results": results, "remark": answer.output[:500]}

    ask.__annotations__ = {"ctx": RunContext[Desk], "request": str, "return": dict[str, Any]}
    return Tool(ask, name=f"ask_{domain.name}", description=domain.about, takes_ctx=True)


def _assistant(model: Model, domain: Domain, desk: Desk, results: list[dict[str, Any]]) -> Agent[Desk, str]:
    """The agent of one domain; what its tools find is also kept in `results`."""
    from pydantic_ai import Agent

    names = [STORE] if domain.own_store else [name for name in desk.sources if name != STORE]

    def search(arguments: Search, source: str = "") -> dict[str, Any]:
        """Find materials; says the count, the filter and the values of the first ones."""
        found = search_materials(desk, domain, arguments, source, names)
        results.append(found)
        return found

    def look_up_recipes(formula: str) -> dict[str, Any]:
        """Published procedures that make this formula, step by step."""
        found = find_recipes(desk, formula)
        results.append(found)
        return found

    return Agent(
        model,
        deps_type=Desk,
        output_type=str,
        instructions=prompts.assistant(domain, names),
        tools=[look_up_recipes if domain.recipes else search],
        retries={"tools": TOOL_RETRIES, "output": 1},
    )


def search_materials(
    desk: Desk, domain: Domain, arguments: Search, source: str, names: list[str]
) -> dict[str, Any]:
    """Carry out a search, enter it into the ledger, and show what was admitted.

    Args:
        desk: Shared by all.
        domain: Whose properties are told by default.
        arguments: As the model gave them.
        source: One of `names`; empty for the first.
        names: Sources that this assistant may ask.
    """
    name = source or names[0]
    if name not in names:
        return {"refused": f"There is no source {source[:40]!r}. Sources: {', '.join(names)}."}
    try:
        plan = plan_of(arguments, desk.question, domain.properties)
        with desk.asking(name):
            found = carry_out(plan, desk.sources[name])
    except InputError as error:
        return {"refused": str(error)[:600]}
    except HysteronError as error:
        desk.note(f"The source {name} did not answer: {error}")
        return {"refused": f"The source {name} did not answer; try another one."}
    desk.plans.append(plan)
    ref, refs = desk.ledger.add_found(found)
    return briefing(desk.ledger, ref, refs, plan.asks)


def find_recipes(desk: Desk, formula: str) -> dict[str, Any]:
    """Recipes for a formula, entered into the ledger; says so if there is none."""
    source = desk.recipes
    if records.amounts(formula) is None:
        return {"refused": f"{formula[:30]!r} is no formula. Write it like LiFePO4."}
    if source is None:
        return {"refused": "There is no source of recipes."}
    try:
        with desk.asking(source.name):
            recipes = source.recipes(formula)
    except InputError as error:
        return {"refused": str(error)[:600]}
    except HysteronError as error:
        desk.note(f"The source {source.name} did not answer: {error}")
        return {"refused": f"The source {source.name} did not answer."}
    desk.plans.append(Plan(desk.question, None, kind="synthesis", targets=(formula,)))
    refs = desk.ledger.add_recipes(formula, recipes, source.version)
    if not refs:
        return {"recipes": [], "remark": f"{NO_RECIPE} for {formula}"}
    return {"recipes": [_recipe(desk.ledger, ref) for ref in refs[:5]], "further": max(len(refs) - 5, 0)}


def _recipe(ledger: Ledger, ref: str) -> dict[str, Any]:
    from .rendering import value_text

    return {"ref": ref, "values": {entry.field: value_text(entry) for entry in ledger.of(ref)}}
