"""Names to import paths: listing what exists loads nothing heavy.

Each stage's `__init__.py` holds a table such as `{"substitution": "hysteron.generators.substitution:Substitution"}`.
Outside packages add to it through entry points (`hysteron.generators`, `hysteron.screens`, ...). An import
path is never taken from a settings file.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from .errors import NotFoundError, nearest


def names(table: Mapping[str, str], group: str) -> list[str]:
    """Every name of a stage, shipped or installed, sorted."""
    return sorted({*table, *(point.name for point in entry_points(group=group))})


def load(name: str, table: Mapping[str, str], group: str) -> Any:
    """The object that a name stands for.

    Args:
        name: As a user types it.
        table: The stage's own names.
        group: Entry-point group for names from outside packages.

    Raises:
        NotFoundError: no such name; the message proposes the nearest ones.
    """
    if name in table:
        module, _, attribute = table[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=group):
        if point.name == name:
            return point.load()
    kind = group.rpartition(".")[2].rstrip("s")
    raise NotFoundError(f"No {kind} {name!r}. {nearest(name, names(table, group))}")
