"""Ask a question in plain words and get an answer whose every number is a record's.

With a language model: supervisor and assistants retrieve, the prose is grounded, and where that fails the table of
what was retrieved is the answer. Without one, the planner answers. No failure of a model reaches the user as more
than a sentence.
"""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.contracts import Source
from ...core.errors import HysteronError, InputError, MissingDataError
from ..plan import Plan
from ..recipes import RecipeSource
from .agents import SENT_BACK, Attempt, Desk, supervisor
from .disclosure import disclosure
from .failures import sentence_for
from .limits import Limits, Usage, price_is_known
from .models import Endpoint, open_endpoint
from .rendering import Renderer, table, with_heading

if TYPE_CHECKING:
    from pydantic_ai.models import Model

    from ...core.candidate import Candidate

GRACE_SECONDS = 2.0
"""How long a run that was told to stop may take to do so; then it is left behind."""
LONGEST_QUESTION = 4000


@dataclass(frozen=True)
class Answer:
    """What the user gets.

    Attributes:
        question: The user's words.
        text: The answer with its sources; the table alone if no text could be delivered.
        table: Materials that were retrieved, in the order of retrieval.
        plans: What was asked of sources, in order.
        assumptions: Sentences about meanings that were chosen.
        sources: Lines of the list of sources.
        rejected: Answers of the model that were sent back.
        usage: What it cost.
        fell_back: Whether the text is not the model's.
        notes: Sentences beside the answer: limits reached, sources that failed.
        model: Which model answered; empty for the planner.
    """

    question: str
    text: str
    table: tuple[Candidate, ...] = ()
    plans: tuple[Plan, ...] = ()
    assumptions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rejected: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    fell_back: bool = False
    notes: tuple[str, ...] = ()
    model: str = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """Filters that were asked, in order, each once."""
        return tuple(dict.fromkeys(plan.filter for plan in self.plans if plan.filter))

    def report(self) -> str:
        """Text, filters, assumptions, notes and usage, as a terminal shows them."""
        lines = [self.text, ""]
        lines += [f"Filter: {text}" for text in self.filters]
        lines += [f"Assumed: {sentence}" for sentence in self.assumptions]
        lines += self.notes
        if self.model:
            lines.append(self.usage.sentence())
        return "\n".join(lines).rstrip()


def ask(
    question: str,
    sources: Mapping[str, Source],
    recipes: RecipeSource | None = None,
    model: str | Model | None = None,
    limits: Limits | None = None,
    say: Callable[[str], Any] = lambda sentence: None,
) -> Answer:
    """Answer a question.

    Args:
        question: In plain words.
        sources: By name; the first one is asked by default, `store` only by its own assistant.
        recipes: Who knows procedures, if anybody does.
        model: As `models.address_of` reads it, or a model of pydantic-ai; `None` asks the planner.
        limits: What the answer may cost.
        say: Told who receives what, before the first call.

    Raises:
        InputError: the question is empty or too long, the planner does not understand it (without a model), or the
            model's name or key does not fit.
        MissingDataError: the assistants are not installed.
    """
    if not question.strip() or len(question) > LONGEST_QUESTION:
        raise InputError(f"A question has 1 to {LONGEST_QUESTION} characters; this one has {len(question)}.")
    if not sources:
        raise InputError("There is no source to ask; name one with --source.")
    if model is None:
        from .planned import planned_answer

        return planned_answer(question, sources, recipes)
    endpoint = _opened(model)
    say(disclosure(endpoint.address, "store" in sources))
    return _Run(question, sources, recipes, endpoint, limits or Limits()).answer()


def _opened(model: str | Model) -> Endpoint:
    try:
        import pydantic_ai  # noqa: F401
    except ImportError:
        raise MissingDataError(
            'Asking a language model needs the assistants: pip install "hysteron[llm]".'
        ) from None
    return open_endpoint(model)


class _Run:
    """One question put to a model, within its limits."""

    def __init__(
        self,
        question: str,
        sources: Mapping[str, Source],
        recipes: RecipeSource | None,
        endpoint: Endpoint,
        limits: Limits,
    ) -> None:
        from pydantic_ai.usage import RunUsage

        address = endpoint.address
        priced = price_is_known(address.name, address.provider)
        self._endpoint, self._limits = endpoint, limits
        self._usage = RunUsage()
        self._error: BaseException | None = None
        self._desk = Desk(question, sources, recipes, limits, limits.as_usage_limits(priced))
        if not priced and address.provider in ("openai", "anthropic"):
            self._desk.note(
                f"The price of {address.name} is not known here; the limit of {limits.tokens} tokens holds instead."
            )

    def answer(self) -> Answer:
        began = time.monotonic()
        worker = threading.Thread(target=self._work, name="hysteron-ask", daemon=True)
        worker.start()
        worker.join(self._limits.seconds + GRACE_SECONDS)
        if worker.is_alive():
            self._error = TimeoutError()
        usage = Usage.of(self._usage, time.monotonic() - began)
        desk = self._desk
        if desk.delivered is not None and self._error is None:
            return self._delivered(usage)
        if self._error is not None:
            desk.note(sentence_for(self._error, self._endpoint.address, self._limits))
        else:
            desk.note(
                f"No text of the model could be delivered: {len(desk.rejected)} answers held something that the "
                f"records do not bear out (sent back {SENT_BACK} times). The table stands alone."
            )
        return self._fallback(usage)

    def _work(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                asyncio.run(self._ask())
        except BaseException as error:
            self._error = error

    async def _ask(self) -> None:
        try:
            await supervisor(self._endpoint.model, self._desk).run(
                self._desk.question,
                deps=self._desk,
                usage=self._usage,
                usage_limits=self._desk.usage_limits,
                timeout=self._limits.seconds,
            )
        finally:
            await self._endpoint.close()

    def _delivered(self, usage: Usage) -> Answer:
        delivered = self._desk.delivered
        assert delivered is not None
        sources = delivered.sources
        if not len(self._desk.ledger):
            self._desk.note("No record was retrieved for this answer.")
        text = "\n".join([delivered.text, *with_heading(sources)])
        return self._made(text, sources, usage, fell_back=False)

    def _fallback(self, usage: Usage) -> Answer:
        """The table of what was retrieved; if nothing was, what the planner finds."""
        desk = self._desk
        if len(desk.ledger) or desk.ledger.missing_recipes:
            renderer = Renderer(desk.ledger)
            text = table(desk.ledger, asked(desk.plans), renderer)
            return self._made(text, renderer.sources(), usage, fell_back=True)
        if desk.waiting_for:
            silent = ", ".join(sorted(desk.waiting_for))
            desk.note(f"The source {silent} did not answer either, so the planner is not asked.")
            return self._made("No answer.", (), usage, fell_back=True)
        from .planned import planned_answer

        try:
            planned = planned_answer(desk.question, desk.sources, desk.recipes)
        except HysteronError as error:
            desk.note(f"The planner cannot answer either: {error}")
            return self._made("No answer.", (), usage, fell_back=True)
        made = self._made(planned.text, planned.sources, usage, fell_back=True)
        return _with_plan(made, planned)

    def _made(self, text: str, sources: tuple[str, ...], usage: Usage, fell_back: bool) -> Answer:
        desk = self._desk
        return Answer(
            question=desk.question,
            text=text,
            table=tuple(desk.ledger.candidates.values()),
            plans=tuple(desk.plans),
            assumptions=tuple(dict.fromkeys(a for plan in desk.plans for a in plan.assumptions)),
            sources=sources,
            rejected=tuple(desk.rejected),
            usage=usage,
            fell_back=fell_back,
            notes=tuple(desk.notes),
            model=self._endpoint.address.name,
        )


def _with_plan(answer: Answer, planned: Answer) -> Answer:
    from dataclasses import replace

    return replace(answer, table=planned.table, plans=planned.plans, assumptions=planned.assumptions)


def asked(plans: list[Plan]) -> list[str]:
    """Properties that some plan asks for, in order."""
    return list(dict.fromkeys(name for plan in plans for name in plan.asks))
