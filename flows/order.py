"""In which order are the steps of a run carried out?

It reads like the method section. Who calls a step is another question: a `Caller` may do it plainly, or as Prefect
tasks, one chunk at a time or several (`discovery.py`). What a chunk holds does not depend on that, and a chunk is
written together with the mark that it is done, so a run may change its caller on the way, and goes on where it
stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from . import learning, memory, refinement, steps
from .run import Run, recorded

STEPS: dict[str, Callable[..., Any]] = {
    "retrieve": steps.retrieve,
    "generate": steps.generate,
    "select": steps.select,
    "relax": steps.relax,
    "screen": steps.screen,
    "refine": refinement.refine,
    "rank": steps.rank,
    "second-opinion": steps.second_opinion,
    "export": steps.export,
}
"""Plain functions of a run, and of a chunk where there are several."""
IN_TURN = ("generate",)
"""A chunk of proposals knows those of the chunks before it, so these are made one after the other."""


class Caller(Protocol):
    """Who calls the steps."""

    def once(self, step: str, run: Run) -> Any:
        """Carry out a step that has no chunks. Returns what it returns."""
        ...

    def each(self, step: str, run: Run, chunks: Iterator[int]) -> Iterator[tuple[int, Any]]:
        """Carry out chunks of a step, drawn as there is room for them; gives each with what it returns, as they are done."""
        ...

    def say(self, sentence: str) -> None:
        """Something for the log."""
        ...


class Plainly:
    """Calls the functions themselves, in this process, one after the other."""

    def once(self, step: str, run: Run) -> Any:
        return STEPS[step](run)

    def each(self, step: str, run: Run, chunks: Iterator[int]) -> Iterator[tuple[int, Any]]:
        for chunk in chunks:
            yield chunk, STEPS[step](run, chunk)

    def say(self, sentence: str) -> None:
        pass


def carry_out(run: Run, caller: Caller | None = None) -> str:
    """Carry out, or go on with, a run that the store holds. Returns the report's path.

    Raises:
        StageError: another process carries it out, or a stage failed as a whole.
    """
    with recorded(run) as hold:
        return in_order(run, caller or Plainly(), hold.check)


def in_order(run: Run, caller: Caller, check: Callable[[], None] = lambda: None) -> str:
    """The steps that are not done yet, one after the other.

    Args:
        run: Recorded as running.
        caller: Who calls them.
        check: Called after every chunk; raises if the run must not go on.
    """

    def each(step: str, chunks: Iterator[int], told: str) -> None:
        for chunk, result in caller.each(step, run, chunks):
            caller.say(f"{step} {chunk}: {told.format(result)}")
            check()

    caller.say(f"{run.run_id}: {caller.once('retrieve', run)} known materials")
    caller.say(f"memory: {memory.remembered(run).sentence or 'no earlier run of this question'}")
    caller.say(f"lesson: {learning.sentence(learning.lesson_for(run))}")
    each("generate", steps.generate_chunks(run), "{} new crystals")
    caller.say(f"select: {caller.once('select', run)} crystals to relax")
    each("relax", steps.relax_chunks(run), "{} crystals converged")
    each("screen", steps.screen_chunks(run), "{} crystals pass a screen")
    each("refine", refinement.refine_places(run), "{} looked at closely")
    caller.say(f"rank: {caller.once('rank', run)} candidates")
    if run.settings.potential.second_opinion:
        caller.say(f"second opinion on {caller.once('second-opinion', run)} candidates")
    check()
    return caller.once("export", run)
