"""Which candidates of a run get DFT inputs, and why those?

By the ranking, or by what an answer is expected to add to the front of stability and device score (`[export] choose`).
Nobody is asked twice: who has an answer by the functional that is exported is left out, and belongs to the front instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.candidate import Candidate
from ..core.learnt import functional_of, is_dft
from ..core.settings import validate
from . import learning, toolbox

if TYPE_CHECKING:
    from .run import Run

EXPORTED = "PBE"
"""The functional of every format, with a Hubbard U where the conventions set one."""
LOOKED_AT = 4
"""So many times as many as are exported are weighed, best ranked first: each is judged some thirty times."""

READ_AT_ONCE = 50


@dataclass(frozen=True)
class Asked:
    """A candidate that DFT is asked about, and why, in a sentence."""

    candidate: Candidate
    why: str


def next_for_dft(run: Run, ranking: Sequence[str]) -> list[Asked]:
    """The candidates to export, the first to be run first.

    Args:
        run: Ranked.
        ranking: Ids, best first.
    """
    settings = run.settings.export
    lesson = learning.lesson_for(run)
    places = {identifier: i for i, identifier in enumerate(ranking, 1)}
    answered: list[Candidate] = []
    waiting: list[Candidate] = []
    most = settings.top if settings.choose == "rank" else LOOKED_AT * settings.top
    for candidate in _members(run, ranking):
        if len(waiting) == most and settings.choose == "rank":
            break
        if is_answered(candidate):
            answered.append(learning.seen(candidate, lesson))
        elif len(waiting) < most:
            waiting.append(learning.seen(candidate, lesson))
    if settings.choose == "rank" or not waiting:
        return [Asked(c, f"place {places[c.candidate_id]} of the ranking") for c in waiting]
    return _by_gain(run, waiting, answered, places)


def is_answered(candidate: Candidate, functional: str = EXPORTED) -> bool:
    """Whether a DFT run by that functional has come back, whatever it told."""
    told = {functional_of(p.method) for p in candidate.properties if is_dft(p.method)}
    return any(one is not None and one.removesuffix("+U") == functional for one in told)


def _members(run: Run, ranking: Sequence[str]) -> Iterator[Candidate]:
    """Ranked candidates, best first, read as they are needed."""
    for start in range(0, len(ranking), READ_AT_ONCE):
        yield from run.store.get_many(ranking[start : start + READ_AT_ONCE])


def _by_gain(
    run: Run, waiting: Sequence[Candidate], answered: Sequence[Candidate], places: dict[str, int]
) -> list[Asked]:
    """By expected improvement of the front, or by its upper confidence bound."""
    from ..screening.acquisition import choose
    from ..screening.hopes import hopes, kin, spreads, standard_draws
    from ..screening.ranking import RankConfig

    settings = run.settings
    config = validate(RankConfig, settings.rank.settings, "[rank]")
    screens, draws, spread = toolbox.screens(settings), standard_draws(), spreads([*waiting, *answered])
    stand = [hopes(c, screens, config, spread, draws) for c in waiting]
    known = [hopes(c, screens, config, spread, draws).mean(0) for c in answered]
    kind = "improvement" if settings.export.choose == "improvement" else "bound"
    chosen = choose(np.array(stand), np.array(known), settings.export.top, kind, [kin(c) for c in waiting])
    front = f"the {len(known)} that DFT has answered" if known else "the estimates"
    return [
        Asked(waiting[one.index], _why(waiting[one.index], stand[one.index], one.gain, kind, front, places))
        for one in chosen
    ]


def _why(
    candidate: Candidate, stand: np.ndarray, gain: float, kind: str, front: str, places: dict[str, int]
) -> str:
    from ..screening.hopes import GOALS, unstated

    verb = "is expected to add" if kind == "improvement" else "may add"
    told = ", ".join(
        f"{goal} {mean:.2f} +- {spread:.2f}"
        for goal, mean, spread in zip(GOALS, stand.mean(0), stand.std(0), strict=True)
    )
    moved = (
        f"{verb} {gain:.3g} to what the front of {front} encloses"
        if gain
        else f"adds nothing to the front of {front}"
    )
    open_ended = unstated(candidate)
    names = ", ".join(name.replace("_", " ") for name in open_ended)
    caution = (
        f"; no uncertainty is stated of {names}, so it is as wide as the candidates differ" if names else ""
    )
    return f"{moved} ({told}; place {places[candidate.candidate_id]} of the ranking{caution})"
