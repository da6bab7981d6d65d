"""How does a filter become SQL? Parameterised expressions with the three-valued logic of `core.filters.matches`.

NOT is pushed down to the comparisons, so each one is asked either "is it true?" or "is it false?"; an
absent value is NULL and answers neither. A bare property is a column of `candidates`. A property with a
method (`band_gap.hse06`) and whatever lies in another table is asked once, as a set of keys, and not
once per candidate: that keeps a filter over 100,000 candidates well below 100 ms.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from ..core.errors import FilterError
from ..core.filters import And, Comparison, Filter, Has, HasLength, IsKnown, Name, Not, Or, parse, parse_name
from ..core.properties import method_slug
from .rows import element_masks
from .schema import candidates, properties, run_candidates, verdicts

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

MOST_TERMS = 400
"""SQLite reads expressions up to a depth of 1000; some terms become two or three."""


def find(
    connection: Connection,
    wanted: str | Filter | None = None,
    sort: str | None = None,
    descending: bool = False,
    limit: int | None = None,
    run_id: str | None = None,
) -> list[tuple[int, str]]:
    """(key, candidate_id) of the candidates a filter matches.

    Args:
        connection: In a transaction.
        wanted: A filter as text or tree; `None` is every candidate.
        sort: A field, a property or `property.method`. Absent values come last either way, and ties
            are broken by `candidate_id`, which is also the order without `sort`.
        descending: Greatest first.
        limit: At most so many.
        run_id: Only candidates of this run.

    Raises:
        FilterError: the filter cannot be read, or `sort` cannot be sorted by.
    """
    statement = select(candidates.c.key, candidates.c.candidate_id).where(*conditions(wanted, run_id))
    found: list[tuple[int, str]] = []
    for part in _sorted(statement, sort, descending):
        # As an expression: walking along the index of ids would visit every row out of order.
        part = part.order_by(func.coalesce(candidates.c.candidate_id, ""))
        if limit is not None:
            part = part.limit(max(0, limit - len(found)))
        found.extend((row.key, row.candidate_id) for row in connection.execute(part))
        if limit is not None and len(found) >= limit:
            break
    return found


def conditions(wanted: str | Filter | None, run_id: str | None = None) -> list[ColumnElement[bool]]:
    """What must hold of a row of `candidates`, for a filter and a run.

    Raises:
        FilterError: the filter cannot be read.
    """
    found = []
    if run_id is not None:
        found.append(candidates.c.key.in_(_members([run_id])))
    if wanted is not None:
        tree = parse(wanted) if isinstance(wanted, str) else wanted
        if (count := _count_terms(tree)) > MOST_TERMS:
            raise FilterError(f"The filter has {count} terms; a database takes {MOST_TERMS}. Ask in parts.")
        found.append(is_true(tree))
    return found


def _count_terms(tree: Filter) -> int:
    if isinstance(tree, And | Or):
        return sum(_count_terms(term) for term in tree.terms)
    return _count_terms(tree.term) if isinstance(tree, Not) else 1


def is_true(tree: Filter) -> ColumnElement[bool]:
    """An expression that is true where the filter is; false or NULL elsewhere."""
    return _compiled(tree, True)


def _compiled(tree: Filter, positive: bool) -> ColumnElement[bool]:
    """True where `tree` is true, or for `positive=False` where it is false; never where it is left open."""
    if isinstance(tree, Not):
        return _compiled(tree.term, not positive)
    if isinstance(tree, And | Or):
        terms = [_compiled(term, positive) for term in tree.terms]
        return and_(*terms) if isinstance(tree, And) == positive else or_(*terms)
    if isinstance(tree, Comparison):
        return _comparison(tree, positive)
    if isinstance(tree, IsKnown):
        return _is_known(tree.name, tree.known == positive)
    clause = _has(tree) if isinstance(tree, Has) else _has_length(tree)
    return clause if positive else not_(clause)


def _comparison(tree: Comparison, positive: bool) -> ColumnElement[bool]:
    def compare(column: ColumnElement) -> ColumnElement[bool]:
        if tree.operator in _SIGNS:
            sign = tree.operator if positive else _OPPOSITE[tree.operator]
            return _SIGNS[sign](column, _constant(tree.value))
        clause = _contains(column, tree.operator, str(tree.value))
        return clause if positive else not_(clause)

    if tree.name.method is None:
        return compare(candidates.c[tree.name.name])
    best = _of_method(tree.name).subquery()
    return candidates.c.key.in_(select(best.c.key).where(compare(best.c.value)))


def _constant(value: float | int | str) -> ColumnElement:
    if isinstance(value, str):
        return literal(value, String)
    try:
        return literal(float(value), Double)
    except OverflowError:
        return literal(float("inf") if value > 0 else float("-inf"), Double)


def _contains(column: ColumnElement, where: str, part: str) -> ColumnElement[bool]:
    """Text comparisons that heed the case, which LIKE does not on SQLite."""
    size = len(part)
    if not part:
        return func.length(column) >= 0
    if where == "starts":
        return func.substr(column, 1, size) == part
    if where == "ends":
        return and_(
            func.length(column) >= size, func.substr(column, func.length(column) - (size - 1)) == part
        )
    return func.replace(column, part, "") != column


def _of_method(name: Name) -> Select:
    """(key, value) of every candidate that has a property by a method: the best if it has several."""
    better = properties.alias("better")
    return select(properties.c.key, _value_column(properties, name).label("value")).where(
        _by_method(properties, name),
        or_(
            properties.c.place == 0,
            not_(
                exists().where(
                    better.c.key == properties.c.key,
                    better.c.place < properties.c.place,
                    _by_method(better, name),
                )
            ),
        ),
    )


def _value_column(table: Any, name: Name) -> ColumnElement:
    return table.c.text if name.kind == "text" else table.c.value


def _by_method(table: Any, name: Name) -> ColumnElement[bool]:
    slug = method_slug(name.method or "")
    # Slugs hold a-z, 0-9 and '_' only, and '`' is the character after '_'. The two bounds walk the index.
    bounds = (table.c.slug >= slug, table.c.slug < f"{slug}`")
    return and_(table.c.name == name.name, *bounds, or_(table.c.slug == slug, table.c.slug >= f"{slug}_"))


def _is_known(name: Name, known: bool) -> ColumnElement[bool]:
    if name.kind == "list":
        return true() if known else false()
    if name.method is None:
        column = candidates.c[name.name]
        return column.is_not(None) if known else column.is_(None)
    keys = select(_of_method(name).subquery().c.key)
    return candidates.c.key.in_(keys) if known else candidates.c.key.not_in(keys)


def _has(tree: Has) -> ColumnElement[bool]:
    if tree.name.name == "elements":
        return _has_elements(tree)
    keys = _members if tree.name.name == "run_id" else _judged(tree.name.name == "passes")
    if tree.mode == "all":
        return and_(*(candidates.c.key.in_(keys([value])) for value in tree.values))
    if tree.mode == "any":
        return candidates.c.key.in_(keys(list(tree.values)))
    return candidates.c.key.not_in(keys(list(tree.values), others=True))


def _has_elements(tree: Has) -> ColumnElement[bool]:
    columns = (candidates.c.elements_low, candidates.c.elements_high)
    pairs = list(zip(columns, element_masks(tree.values), strict=True))
    if tree.mode == "all":
        return and_(*(column.bitwise_and(mask) == mask for column, mask in pairs if mask))
    if tree.mode == "any":
        return or_(*(column.bitwise_and(mask) != 0 for column, mask in pairs if mask))
    return and_(*(column.bitwise_or(mask) == mask for column, mask in pairs))


def _members(run_ids: list[str], others: bool = False) -> Select:
    column = run_candidates.c.run_id
    return select(run_candidates.c.key).where(column.not_in(run_ids) if others else column.in_(run_ids))


def _judged(passed: bool) -> Callable[..., Select]:
    def keys(screens: list[str], others: bool = False) -> Select:
        column = verdicts.c.screen
        named = column.not_in(screens) if others else column.in_(screens)
        return select(verdicts.c.key).where(named, verdicts.c.passed.is_(passed))

    return keys


def _has_length(tree: HasLength) -> ColumnElement[bool]:
    compare = _SIGNS[tree.operator]
    if tree.name.name == "elements":
        return compare(candidates.c.nelements, _constant(tree.value))
    if tree.name.name == "run_id":
        table, condition = run_candidates, true()
    else:
        table, condition = verdicts, verdicts.c.passed.is_(tree.name.name == "passes")
    grouped = select(table.c.key).where(condition).group_by(table.c.key)
    clause = candidates.c.key.in_(grouped.having(compare(func.count(), _constant(tree.value))))
    if compare(0, tree.value):
        clause = or_(clause, candidates.c.key.not_in(select(table.c.key).where(condition)))
    return clause


def _sorted(statement: Select, sort: str | None, descending: bool) -> list[Select]:
    """The statement in the order asked for; where a method is named, those that have it come before the rest."""
    if sort is None:
        return [statement]
    name = parse_name(sort)
    if name.kind == "list":
        raise FilterError(
            f"{name} is a list, which has no order; sort by a property or by a field such as nsites."
        )
    if name.method is None:
        return [statement.order_by(_direction(candidates.c[name.name], descending).nulls_last())]
    best = _of_method(name).subquery()
    present = statement.join(best, best.c.key == candidates.c.key)
    absent = statement.where(_is_known(name, False))
    return [present.order_by(_direction(best.c.value, descending)), absent]


def _direction(column: ColumnElement, descending: bool) -> ColumnElement:
    return column.desc() if descending else column.asc()
