"""How is a vasprun.xml read without trusting it?

By Python's expat, as a stream: a document type or an entity is refused where it begins, so none is ever expanded or
fetched; subtrees that nobody here needs (densities of states, projections) are passed over, and what is kept is bounded.
pymatgen's `Vasprun` reads far more and takes far more for granted: it resolves entities with lxml, looks for POTCARs in
the folders around, calls an unconverged run a warning, and meets a damaged file with whichever exception comes first.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from ..core.errors import InputError

MOST_ELEMENTS = 3_000_000
"""Of those kept: a run of 100 atoms, 100 steps and 500 k-points has a tenth of that."""
DEEPEST = 60
PASSED_OVER = frozenset(
    {
        "total",
        "partial",
        "projected",
        "projected_kpoints_opt",
        "eigenvalues_kpoints_opt",
        "dielectricfunction",
        "dynmat",
    }
)


def parse(content: bytes, where: str) -> Element:
    """The root of a vasprun.xml.

    Args:
        content: The file.
        where: Its name, for errors.

    Raises:
        InputError: it declares a document type or an entity, is too large, cut off, or no vasprun.xml.
    """
    tree = _Tree(where)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    parser.StartDoctypeDeclHandler = tree.refuse
    parser.EntityDeclHandler = tree.refuse
    parser.ExternalEntityRefHandler = tree.refuse
    try:
        parser.Parse(content, True)
        root = tree.builder.close()
    except expat.ExpatError as error:
        raise InputError(_broken(content, where, error)) from None
    except AssertionError:
        raise InputError(f"{where} holds no XML. A vasprun.xml is wanted there.") from None
    if root.tag != "modeling":
        raise InputError(
            f"{where} is no vasprun.xml: it begins with <{root.tag[:40]}> and not with <modeling>."
        )
    return root


class _Tree:
    """What of the stream is kept."""

    def __init__(self, where: str) -> None:
        self.builder = TreeBuilder()
        self.where = where
        self.depth = 0
        self.kept = 0
        self.passing = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.passing or tag in PASSED_OVER:
            self.passing += 1
            return
        self.depth += 1
        self.kept += 1
        if self.kept > MOST_ELEMENTS or self.depth > DEEPEST:
            raise InputError(
                f"{self.where} has more elements, or deeper ones, than any run writes, and was not read."
            )
        self.builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        if self.passing:
            self.passing -= 1
            return
        self.depth -= 1
        self.builder.end(tag)

    def data(self, text: str) -> None:
        if not self.passing:
            self.builder.data(text)

    def refuse(self, *_: Any) -> NoReturn:
        raise InputError(
            f"{self.where} declares a document type or an entity. VASP writes none: the file was not read."
        )


def _broken(content: bytes, where: str, error: expat.ExpatError) -> str:
    if b"<modeling" not in content[:2000]:
        return f"{where} is no vasprun.xml: {expat.ErrorString(error.code)} in line {error.lineno}."
    return (
        f"{where} is cut off or damaged ({expat.ErrorString(error.code)} in line {error.lineno}): the run is "
        "unfinished, or the file was not copied whole."
    )


def tag_value(parent: Element, name: str) -> str:
    """The text of the first `<i name="...">` or `<v name="...">` below an element; empty if there is none."""
    for found in parent.iter():
        if found.tag in ("i", "v") and found.get("name") == name:
            return (found.text or "").strip()
    return ""


def number(parent: Element, name: str, where: str) -> float | None:
    """A number by its name; `None` if it is not there.

    Raises:
        InputError: what stands there is none, as the stars that Fortran prints for one that does not fit.
    """
    text = tag_value(parent, name)
    return None if not text else finite(text, f"{name} of {where}")


def rows(parent: Element | None, where: str) -> np.ndarray:
    """The numbers of an element's `<v>` or `<r>` children, one row each.

    Raises:
        InputError: the element is missing, or holds something that is no number.
    """
    lines = (
        [] if parent is None else [(child.text or "").split() for child in parent if child.tag in ("v", "r")]
    )
    if not lines or len({len(line) for line in lines}) != 1:
        raise InputError(f"{where} lacks rows of numbers that every run writes: it is damaged.")
    return np.array([[finite(word, where) for word in line] for line in lines])


def finite(word: str, where: str) -> float:
    """A number.

    Raises:
        InputError: it is none, or is infinite.
    """
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where} holds {word[:40]!r} where a number is wanted. Run it again.")
    return value
