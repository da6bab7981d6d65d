"""How do conditions join to one filter?

Next to each other they must all hold. "or" joins its neighbours, unless what stands on its right begins anew with
a noun of its own ("oxides with a gap above 2 eV or nitrides with one above 3 eV"): then it joins all that is on
either side. Two nouns that "and" joins in the plural mean either ("oxides and nitrides"), and so do things
that exclude each other ("cubic and hexagonal").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.filters import Filter
from .trees import conjunction, disjunction

EXCLUSIVE = frozenset(["structure", "symmetry system", "arity", "formula", "system", "group", "anonymous"])
HEADS = frozenset(["compound", "structure", "formula", "system", "anonymous", "known", "elements"])


ADJECTIVES = frozenset(["elements", "excluded", "anonymous", "structure"])
"""Kinds that may stand before a noun and belong to it alone."""


@dataclass(frozen=True)
class Condition:
    """One condition of a question.

    Attributes:
        tree: What must hold.
        kind: `compound`, `structure`, `symmetry`, `symmetry system`, `arity`, `formula`, `system`, `group`, `anonymous`,
            `elements`, `excluded`, `known`, `word` or `property`.
        joint: What joined it to the condition before: `or`, `and`, `,` or nothing.
        plural: Whether its noun stands in the plural.
    """

    tree: Filter
    kind: str
    joint: str = ""
    plural: bool = False


def combined(conditions: Sequence[Condition]) -> Filter | None:
    """One filter; `None` if there is no condition."""
    if not conditions:
        return None
    sides = _sides(conditions)
    return disjunction(conjunction(_clusters(side)) for side in sides)


def _sides(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Split at each "or" that begins a noun phrase of its own after conditions on the one before."""
    sides: list[list[Condition]] = [[]]
    for i, condition in enumerate(conditions):
        if condition.joint == "or" and _begins_anew(conditions, i, sides[-1]):
            sides.append([])
        sides[-1].append(condition)
    return sides


def _begins_anew(conditions: Sequence[Condition], i: int, before: Sequence[Condition]) -> bool:
    own_noun = any(c.kind in HEADS for c in before)
    after_noun = before and before[-1].kind not in HEADS | {"arity", "symmetry", "symmetry system"}
    noun_near = any(c.kind in HEADS for c in _run(conditions, i))
    return bool(noun_near and own_noun and after_noun)


def _run(conditions: Sequence[Condition], i: int) -> Sequence[Condition]:
    """A condition and those that follow it without a connective, up to the first with a number."""
    end = i + 1
    while end < len(conditions) and conditions[end].joint == "" and conditions[end].kind != "property":
        end += 1
    return conditions[i:end]


def _clusters(conditions: Sequence[Condition]) -> list[Filter]:
    for i in range(1, len(conditions) - 1):
        start, end = _twins(conditions, i)
        if start < end:
            phrases = (conditions[start:i], conditions[i:end])
            both = disjunction(conjunction(c.tree for c in phrase) for phrase in phrases)
            return [*_clusters(conditions[:start]), both, *_clusters(conditions[end:])]
    clusters: list[list[Condition]] = []
    for i, condition in enumerate(conditions):
        if clusters and _joins(clusters[-1], conditions, i):
            clusters[-1].append(condition)
        else:
            clusters.append([condition])
    return [disjunction(c.tree for c in cluster) for cluster in clusters]


def _twins(conditions: Sequence[Condition], i: int) -> tuple[int, int]:
    """Where two phrases of one build begin and end, of which the second begins at `i`; nowhere if they do not.

    Either states with numbers ("magnetic with a gap above 1 eV or nonmagnetic with one above 3 eV"), or nouns with
    adjectives of their own ("alkali niobates and alkali tantalates").
    """
    left, right = conditions[max(0, i - 2) : i], conditions[i : i + 2]
    alike = [c.kind for c in left] == [c.kind for c in right] and len(left) == 2
    states = alike and left[0].kind != left[1].kind and left[1].kind == "property"
    if states and right[0].joint == "or" and left[1].joint == right[1].joint == "":
        return i - 2, i + 2
    if right[0].joint not in ("or", "and", ",") or not _is_noun(conditions[i - 1]):
        return i, i
    start, end = i - 1, i
    while start > 0 and conditions[start].joint == "" and conditions[start - 1].kind in ADJECTIVES:
        start -= 1
    while (
        conditions[end].kind in ADJECTIVES and end + 1 < len(conditions) and conditions[end + 1].joint == ""
    ):
        end += 1
    return (start, end + 1) if end > i and _is_noun(conditions[end]) else (i, i)


def _is_noun(condition: Condition) -> bool:
    return condition.kind == "compound" and condition.plural


def _joins(cluster: Sequence[Condition], conditions: Sequence[Condition], i: int) -> bool:
    """Whether a condition is an alternative to those just before it."""
    condition, last = conditions[i], cluster[-1]
    if condition.kind == last.kind and condition.kind in ("formula", "system"):
        return True
    joint = condition.joint
    if joint == ",":
        joint = _spoken_after(conditions, i, last.kind) or (
            "and" if condition.kind in ("compound", "structure") else ""
        )
    if joint == "or":
        return True
    if joint != "and" or condition.kind != last.kind:
        return False
    return condition.kind in EXCLUSIVE or (condition.kind == "compound" and last.plural and condition.plural)


def _spoken_after(conditions: Sequence[Condition], i: int, kind: str) -> str:
    """The "or" or "and" that ends a list of one kind in which a comma stands."""
    for later in conditions[i:]:
        if later.kind != kind:
            return ""
        if later.joint in ("or", "and"):
            return later.joint
    return ""
