"""Does a sentence turn recorded values into something derived: a difference, a mean, a drop?"""

from __future__ import annotations

from collections.abc import Sequence

from . import mentions
from .ledger import Entry
from .several import several
from .tokens import Token

_ALWAYS = several("difference differences averages ratio ratios subtracting subtracted totals")
_WITH_OF = several(
    "sum sums product increase decrease drop rise shift factor change margin error errors deviation deviations "
    "uncertainty uncertainties median combined"
)
_AMOUNTS = several("of by between is are both")
_ADDING = several("add adding")
_AVERAGES = several("mean average averaged")
_AVERAGING = several("the an arithmetic geometric overall on")
_MODULI = ("bulk_modulus", "shear_modulus", "poisson_ratio")
"""Averages by themselves, over the directions of a crystal."""
_DERIVED_THEMSELVES = ("polar_nonpolar_energy_difference", "poisson_ratio", "resistance_ratio", "rank_score")


def derived_word(tokens: Sequence[Token], i: int, entry: Entry) -> str | None:
    """The word before a placeholder that makes something else of its value; `None` if there is none.

    Args:
        tokens: Of the sentence.
        i: The placeholder's place.
        entry: Its value.
    """
    if entry.field in _DERIVED_THEMSELVES or entry.kind in ("limit", "search"):
        return None
    covered = {k for said in mentions.properties(tokens[:i]) for k in range(said.at, said.last + 1)}
    for k, token in enumerate(tokens[:i]):
        if token.kind == "word" and k not in covered and _derives(tokens, k, i, entry):
            return token.lower
    return None


def _derives(tokens: Sequence[Token], k: int, i: int, entry: Entry) -> bool:
    word = tokens[k].lower
    before = tokens[k - 1].lower if k else ""
    after = tokens[k + 1].lower if k + 1 < len(tokens) else ""
    if word in _ALWAYS or (word in _ADDING and entry.kind == "property"):
        return True
    if word in _AVERAGES:
        own = entry.field in _MODULI and word != "mean" and any(t.name or t.entry for t in tokens[:i])
        return (before in _AVERAGING or after in ("of", "is", "value", "gap")) and not own
    if entry.kind == "recipe" or before in ("in", "to", "phase"):
        return False
    counted = after in _AMOUNTS or (after == "in" and before in ("a", "an", "the", "this"))
    return word in _WITH_OF and counted
