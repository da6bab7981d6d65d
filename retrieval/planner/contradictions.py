"""Can anything meet this filter?

Looks at what must hold together at the top of a filter: bounds of each number, space groups, elements asked for and
excluded, and how many there may be. It finds plain contradictions of a question, not every empty filter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.filters import And, Comparison, Filter, Has, Name, Not, Or
from .trees import GROUP

GROUPS = frozenset(range(1, 231))


def contradiction(tree: Filter) -> str | None:
    """Why nothing can meet a filter, or `None`. A disjunction contradicts itself if each side does."""
    if isinstance(tree, Or):
        sides = [contradiction(term) for term in tree.terms]
        return sides[0] if all(sides) else None
    facts = _Facts()
    for term in tree.terms if isinstance(tree, And) else (tree,):
        facts.take(term)
    return facts.conflict()


@dataclass
class _Facts:
    low: dict[Name, tuple[float, bool]] = field(default_factory=dict)
    high: dict[Name, tuple[float, bool]] = field(default_factory=dict)
    words: dict[Name, set[str]] = field(default_factory=dict)
    groups: frozenset[int] = GROUPS
    wanted: set[str] = field(default_factory=set)
    excluded: set[str] = field(default_factory=set)
    only: set[str] | None = None
    choices: list[frozenset[str]] = field(default_factory=list)

    def take(self, term: Filter) -> None:
        """One thing that must hold."""
        groups = _groups_of(term)
        if groups is not None:
            self.groups &= groups
        elif isinstance(term, And):
            for part in term.terms:
                self.take(part)
        elif isinstance(term, Has):
            self._take_elements(term)
        elif isinstance(term, Not) and isinstance(term.term, Has) and term.term.name == Name("elements"):
            if term.term.mode == "any" or len(term.term.values) == 1:
                self.excluded |= set(term.term.values)
        elif isinstance(term, Comparison):
            self._take_comparison(term)

    def _take_elements(self, term: Has) -> None:
        values = frozenset(term.values)
        if term.name != Name("elements"):
            return
        if term.mode == "only":
            self.only = set(values)
        elif term.mode == "any":
            self.choices.append(values)
        else:
            self.wanted |= values

    def _take_comparison(self, term: Comparison) -> None:
        name, value, sign = term.name, term.value, term.operator
        if isinstance(value, str):
            if sign == "=":
                self.words.setdefault(name, set()).add(value)
                if name == Name("chemsys"):
                    self.only = set(value.split("-"))
            return
        if sign in (">", ">=", "="):
            self.low[name] = max(self.low.get(name, (value, sign == ">")), (value, sign == ">"))
        if sign in ("<", "<=", "="):
            bound = (value, sign == "<")
            present = self.high.get(name, bound)
            self.high[name] = min(present, bound, key=lambda b: (b[0], not b[1]))

    def conflict(self) -> str | None:
        for name in self.low.keys() & self.high.keys():
            (low, above), (high, below) = self.low[name], self.high[name]
            if low > high or (low == high and (above or below)):
                least, most = "above" if above else "at least", "below" if below else "at most"
                return f"{name} cannot be {least} {low:g} and {most} {high:g}"
        if not self.groups:
            return "no space group is all of that at once"
        for name, values in self.words.items():
            if len(values) > 1:
                return f"{name} cannot be {' and '.join(sorted(values))} at once"
        if both := sorted(self.wanted & self.excluded):
            return f"{', '.join(both)} cannot be in it and excluded"
        if any(choice <= self.excluded for choice in self.choices):
            return "every element it may hold is excluded"
        if self.only is not None and self.wanted - self.only:
            return f"{', '.join(sorted(self.wanted - self.only))} cannot be in it: only {', '.join(sorted(self.only))} may"
        return self._count_conflict()

    def _count_conflict(self) -> str | None:
        highest = self.high.get(Name("nelements"))
        alone = [choice for choice in self.choices if not choice & self.wanted]
        needed = len(self.wanted) + (1 if alone else 0)
        if highest and needed > highest[0]:
            return f"at least {needed} elements are asked for, and at most {highest[0]:g}"
        if (
            self.only is not None
            and (lowest := self.low.get(Name("nelements")))
            and lowest[0] > len(self.only)
        ):
            return f"{len(self.only)} elements cannot be {lowest[0]:g}"
        return None


def _groups_of(term: Filter) -> frozenset[int] | None:
    """The space groups that a condition on nothing else allows."""
    if isinstance(term, Comparison) and term.name == GROUP and not isinstance(term.value, str):
        value = term.value
        test = {"=": lambda g: g == value, "!=": lambda g: g != value, "<": lambda g: g < value, "<=": lambda g: g <= value,
                ">": lambda g: g > value, ">=": lambda g: g >= value}.get(term.operator)  # fmt: skip
        return frozenset(filter(test, GROUPS)) if test else None
    if isinstance(term, Not):
        inner = _groups_of(term.term)
        return None if inner is None else GROUPS - inner
    if isinstance(term, And | Or):
        parts = [_groups_of(part) for part in term.terms]
        if any(part is None for part in parts):
            return None
        sets = [part for part in parts if part is not None]
        return frozenset.intersection(*sets) if isinstance(term, And) else frozenset.union(*sets)
    return None
