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
    return bool(conditions[i].kind in HEADS and own_noun and after_noun)


def _clusters(conditions: Sequence[Condition]) -> list[Filter]:
    for i in range(2, len(conditions) - 1):
        if _is_pair(conditions, i):
            left, right = conditions[i - 2 : i], conditions[i : i + 2]
            both = disjunction(conjunction(c.tree for c in pair) for pair in (left, right))
            return [*_clusters(conditions[: i - 2]), both, *_clusters(conditions[i + 2 :])]
    clusters: list[list[Condition]] = []
    for i, condition in enumerate(conditions):
        if clusters and _joins(clusters[-1], conditions, i):
            clusters[-1].append(condition)
        else:
            clusters.append([condition])
    return [disjunction(c.tree for c in cluster) for cluster in clusters]


def _is_pair(conditions: Sequence[Condition], i: int) -> bool:
    """Whether "or" stands between twins: "magnetic with a gap above 1 eV or nonmagnetic with one above 3 eV"."""
    left, right = conditions[i - 2 : i], conditions[i : i + 2]
    alike = [c.kind for c in left] == [c.kind for c in right]
    apart = left[0].kind != left[1].kind and left[1].kind == "property"
    return right[0].joint == "or" and alike and apart and left[1].joint == right[1].joint == ""


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
