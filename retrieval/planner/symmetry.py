"""Which point groups and space groups are named?"""

from __future__ import annotations

from ...core.errors import InputError
from ...core.filters import Comparison
from .chemistry import POINT_GROUPS, group_number
from .quantities import comparison
from .reading import Reading
from .trees import GROUP, disjunction, in_groups, within
from .vocabulary import english


def point_group(reading: Reading, i: int) -> int | None:
    """Reads `point group 4mm`, `crystal class m-3m`."""
    if (reading.word(i), reading.word(i + 1)) not in (
        ("point", "group"),
        ("crystal", "class"),
        ("point", "groups"),
    ):
        return None
    j = reading.skip(i + 2, ("is", "of", "symbol", "being", "(", "equal", "to", "="))
    ranges, end = [], j
    while end < len(reading.tokens):
        symbol, k = _joined_symbol(reading, end)
        if symbol is None:
            break
        ranges.append(POINT_GROUPS[symbol])
        end = k
        if reading.word(k) not in ("or", "and", ","):
            break
        end = k + 1
    if not ranges:
        return None
    reading.add(disjunction(in_groups(text) for text in ranges), "symmetry")
    return end


def _joined_symbol(reading: Reading, i: int) -> tuple[str | None, int]:
    """A point group's symbol, whose parts the tokens may have split (`4/mmm`, `-43m`)."""
    best: tuple[str | None, int] = (None, i)
    text = ""
    for j in range(i, min(i + 5, len(reading.tokens))):
        if j > i and not reading.tokens[j].glued and reading.tokens[j].text not in "/-":
            break
        text += reading.tokens[j].text
        if text in POINT_GROUPS:
            best = (text, j + 1)
    return best


def groups_at(reading: Reading, i: int) -> int | None:
    """Reads `space group 99, 160 or P6_3mc`, `space groups 75 to 142`."""
    start = reading.skip(
        i, english("fillers") | {"no", "number", "numbers", "no.", "#", "symbol", "symbols", "="}
    )
    bound = comparison(reading.tokens, start, bare=False)
    if bound:
        reading.add(within(GROUP, bound[1]), "group")
        return bound[0]
    numbers, end, j = [], start, start
    while j < len(reading.tokens):
        token = reading.tokens[j]
        number = group_number(token.text, even_if_element=True)
        if number is None and token.kind == "number" and token.text.isdigit():
            number = int(token.text)
        if number is None:
            break
        if not 1 <= number <= 230:
            raise InputError(f"There is no space group {number}; they go from 1 to 230.")
        numbers.append(number)
        end = j + 1
        j = reading.skip(end, (",", "or", "and", "/", "(", ")", "no", "no.", ".", "number", "#"))
        if j == end:
            break
    if not numbers:
        return None
    reading.add(disjunction(Comparison(GROUP, "=", n) for n in dict.fromkeys(numbers)), "group")
    return end
