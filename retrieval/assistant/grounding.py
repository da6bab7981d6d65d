"""May this answer be delivered?

The model writes prose with placeholders; this file reads it as `text.plain` leaves it, asks every rule, and either
renders it or says in sentences what is wrong with it. Nothing is repaired silently: what is delivered is what was
checked, with values that only the ledger can give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .absence import absence_problems
from .bounds import bound_problems
from .claims import claim_problems, named_places
from .ledger import Ledger
from .mentions import elemental, materials
from .permitted import permitted
from .rendering import Renderer
from .sentences import sentences
from .surroundings import surrounding_problems
from .text import LONGEST, plain
from .tokens import Token, scan
from .wording import wording_problems

MOST_PROBLEMS = 8
"""So many are told at once; the rest shows when these are gone."""


@dataclass(frozen=True)
class Grounded:
    """An answer that may be delivered.

    Attributes:
        text: Prose with rendered values.
        sources: Lines of the list of sources, in the order of their numbers.
    """

    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """An answer that may not, with sentences for the model."""

    problems: tuple[str, ...]

    def message(self) -> str:
        """What the model is told."""
        listed = "\n".join(f"* {problem}" for problem in self.problems)
        return (
            f"Your answer was not delivered:\n{listed}\n"
            "Write it again. Every number comes from a placeholder {{ref.field}} of a tool's result."
        )


def ground(answer: str, ledger: Ledger, question: str) -> Grounded | Rejected:
    """Check an answer and render it.

    Args:
        answer: As the model wrote it.
        ledger: What was retrieved.
        question: The user's words.
    """
    if len(answer) > LONGEST:
        return Rejected((f"The answer has more than {LONGEST} characters: be brief.",))
    prose = plain(answer)
    if not prose:
        return Rejected(("The answer is empty.",))
    allowed = permitted(ledger, question)
    tokens = scan(prose, ledger, allowed)
    unread = [token.problem for token in tokens if token.kind == "bad"]
    found = sentences(tokens)
    elements = elemental(ledger)
    asked = materials(scan(plain(question), ledger, allowed), elements)
    problems = [
        *unread,
        *wording_problems(tokens, allowed, ledger),
        *(problem for sentence in found for problem in surrounding_problems(prose, sentence)),
        *claim_problems(found, ledger),
        *bound_problems(found, ledger, asked),
        *absence_problems(found, ledger),
    ]
    if problems:
        return Rejected(tuple(dict.fromkeys(problems))[:MOST_PROBLEMS])
    return _rendered(prose, tokens, ledger, named_places(found))


def _rendered(prose: str, tokens: Sequence[Token], ledger: Ledger, named: frozenset[int]) -> Grounded:
    renderer = Renderer(ledger)
    pieces: list[str] = []
    at = 0
    for token in tokens:
        if token.entry is not None:
            pieces += [prose[at : token.start], renderer.inline(token.entry, token.start in named)]
            at = token.end
    return Grounded("".join([*pieces, prose[at:]]), renderer.sources())
