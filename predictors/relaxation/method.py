"""What must a way of moving offer? It is fed one calculation at a time and proposes the next trial."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from ...core.contracts import Calculation
from ..cell import Cell
from .coordinates import Point

METHODS = {"bfgs": "bfgs:Bfgs", "fire": "fire:Fire"}
"""Names to classes; a class is called with the first cell and a `Freedom`, and makes a `Method`."""


class Method(Protocol):
    """The minimisation of one crystal."""

    version: str
    """Name, and what else tells its results from those of a former version."""
    trial: Cell
    """The geometry to be evaluated next."""
    best: Point | None
    """Where the crystal is: the geometry that is the result if nothing else follows."""
    steps: int

    @property
    def stuck(self) -> bool:
        """Whether no further step is of use."""
        ...

    def feed(self, calculation: Calculation) -> None:
        """Take in the calculation at `trial`."""
        ...

    def propose(self) -> None:
        """Set `trial` to the next geometry."""
        ...


def method_class(name: str) -> Any:
    """The class that a name of `METHODS` stands for."""
    module, _, attribute = METHODS[name].partition(":")
    return getattr(import_module(f".{module}", __package__), attribute)
