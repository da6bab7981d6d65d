"""Which parts of a message are addressed to a person, and ask for nothing?

Greetings, introductions, occasions and signatures are cut out before the question is read, unless a word in them could be a
condition; what was cut out is told as left unread.
"""

from __future__ import annotations

import re

from .vocabulary import CONDITIONS, vocabulary
from .words import tokenise

PEOPLE = (
    "student|engineer|physicist|chemist|scientist|researcher|postdoc|person|developer|founder|professor|lecturer|teacher|"
    "mineralogist|crystallographer|technician|intern|manager|group leader|theorist|experimentalist|newcomer|beginner"
)
PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"^\s*(?:dear|hi|hello|hey)\b(?:\s+[A-Za-z]+){0,3}\s*[,!.:-]+\s*", re.IGNORECASE),
        (r"^\s*[A-Z][a-z]+ here\b[^.!?:,;]*[.!?:,;]+\s*", 0),
        (r"\b(?:this is|my name is|I'?m called) [A-Z][a-z]+\b[^.!?:,;]*[.!?:,;]+\s*", 0),
        (
            rf"\bI(?:'m| am) an? (?:[\w'-]+ ){{0,4}}?(?:{PEOPLE})\b(?: (?:at|from|in) [^.,;:!?]*)?"
            r"\s*(?:and\b|[.,;:!?])\s*",
            re.IGNORECASE,
        ),
        (rf"\b(?:question|one|request) from an? (?:[\w'-]+ ){{0,4}}?(?:{PEOPLE})\s*[:,.;-]*\s*", re.IGNORECASE),
        (
            r"\bfor (?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|today|next week|this week)'?s? "
            r"(?:call|meeting|talk|lecture|review|deadline|seminar|report)\b,?\s*",
            re.IGNORECASE,
        ),
        (
            r"(?<=[.,!?;\s])(?i:thanks|thank you|cheers|kind regards|best regards|best wishes|regards|sincerely|yours)"
            r"(?i: so much| a lot| in advance)?\s*[,!.-]*\s*(?:[A-Z][a-z]+(?: [A-Z][a-z]+)?)?\s*[.!]*\s*$",
            0,
        ),
    )
)  # fmt: skip


def without_talk(question: str) -> tuple[str, list[str]]:
    """The question without small talk, and what was cut out."""
    cut: list[str] = []
    for pattern in PATTERNS:
        found = pattern.search(question)
        if found and found[0].strip() != question.strip() and not _could_be_a_condition(found[0]):
            cut.append(found[0].strip(" ,.;:!-"))
            question = f"{question[: found.start()]} {question[found.end() :]}"
    return question, cut


def _could_be_a_condition(text: str) -> bool:
    """Whether a part of a message holds a number, chemistry, or a word of a condition."""
    from .elements import elements_at

    tokens = tokenise(text)
    roles = (*CONDITIONS, "negators.phrases")
    return any(
        token.kind not in ("word", "mark")
        or elements_at(tokens, i) is not None
        or any(vocabulary().match(role, tokens, i) for role in roles)
        for i, token in enumerate(tokens)
    )
