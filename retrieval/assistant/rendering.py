"""How is a value written, with its unit, method, material and source?

Only from the ledger: `1.83 eV (PBE, BaTiO3) [1]`, and at the end `[1] BaTiO3 mp-5986 band_gap, PBE, Materials
Project, https://...`. The same hands make the table that stands alone when no text could be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ...core.properties import DIMENSIONLESS, PROPERTIES, method_rank
from .ledger import Entry, Ledger

DIGITS = 4
"""Significant digits; whole numbers keep all of theirs."""
UNCERTAIN_DIGITS = 2
_FACTS = {
    "nsites": "number of sites",
    "nelements": "number of elements",
    "spacegroup_number": "space group number",
    "crystal_system": "",
    "spacegroup_symbol": "",
    "gap_type": "gap type",
    "magnetic_ordering": "magnetic ordering",
    "count": "matches",
    "shown": "listed",
    "steps": "number of steps",
}
_FIRST_COLUMNS = ("formula", "spacegroup_symbol")
MOST_ROWS = 50


def number(value: float, digits: int = DIGITS) -> str:
    """A number at `digits` significant digits, never with an exponent.

    Args:
        value: Finite.
        digits: For whole numbers all of theirs are kept.
    """
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value))
    exact = Decimal(repr(float(value)))
    places = max(digits - 1 - exact.adjusted(), 0)
    text = f"{round(exact, places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_text(entry: Entry) -> str:
    """The value with uncertainty and unit: `0.031 +/- 0.03 eV/atom`."""
    if isinstance(entry.value, tuple):
        shown = [number(v) if isinstance(v, int | float) else v for v in entry.value]
        text = ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else shown[0]
    elif isinstance(entry.value, str):
        text = entry.value
    else:
        text = number(entry.value)
    if entry.uncertainty is not None and entry.numeric:
        text += f" +/- {number(entry.uncertainty, UNCERTAIN_DIGITS)}"
    return f"{text} {entry.units}" if entry.units and entry.units != DIMENSIONLESS else text


class Renderer:
    """Writes values and numbers their sources in the order of their appearance."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._numbered: dict[Entry, int] = {}
        formulas = [entry.formula for entry in ledger.materials().values()]
        self._shared = {formula for formula in formulas if formulas.count(formula) > 1}

    def inline(self, entry: Entry, named: bool = True) -> str:
        """As it stands in a sentence.

        Args:
            entry: What is told.
            named: Whether the sentence says which property it is; the label does so otherwise.
        """
        if entry.field in ("formula", "target"):
            return self._name(entry)
        if entry.kind == "recipe" and not entry.numeric:
            return f"{value_text(entry)} [{self.footnote(entry)}]"
        label = ", ".join(filter(None, self._labels(entry, named)))
        shown = f" ({label})" if label else ""
        return f"{value_text(entry)}{shown} [{self.footnote(entry)}]"

    def footnote(self, entry: Entry) -> int:
        """The number of its source, a new one at its first use."""
        return self._numbered.setdefault(entry, len(self._numbered) + 1)

    def sources(self) -> tuple[str, ...]:
        """The list at the end, one line each."""
        return tuple(f"[{number}] {source_line(entry)}" for entry, number in self._numbered.items())

    def _labels(self, entry: Entry, named: bool) -> list[str]:
        if entry.kind == "search":
            return [_FACTS[entry.field]]
        if entry.kind == "limit":
            return [
                "lower limit of the search" if entry.field.endswith("_min") else "upper limit of the search"
            ]
        if entry.kind == "recipe":
            step = entry.field.partition(".")[0].replace("step", "step ") if "." in entry.field else ""
            return [_FACTS.get(entry.field, ""), " ".join(filter(None, (entry.formula, entry.ref, step)))]
        said = "" if named or entry.kind != "property" else entry.field.replace("_", " ")
        return [_FACTS.get(entry.field, said), entry.method, self._name(entry)]

    def _name(self, entry: Entry) -> str:
        return f"{entry.formula} {entry.ref}" if entry.formula in self._shared else entry.formula


def best(entries: Sequence[Entry]) -> list[Entry]:
    """One entry per field: the best method, as a filter on the bare name takes it."""
    chosen: dict[str, Entry] = {}
    for entry in entries:
        held = chosen.get(entry.field)
        if held is None or _rank(entry) < _rank(held):
            chosen[entry.field] = entry
    return list(chosen.values())


def _rank(entry: Entry) -> int:
    return method_rank(entry.field, entry.method) if entry.kind == "property" else 0


def source_line(entry: Entry) -> str:
    """Record, field, method, database with version, address."""
    if entry.kind in ("search", "limit"):
        where = " ".join(filter(None, (entry.source, entry.version)))
        return f"{where}, search {entry.ref.removeprefix('search')}: {entry.note}"
    source = " ".join(
        filter(None, (entry.source, entry.version if entry.version not in entry.source else ""))
    )
    parts = (f"{entry.formula} {entry.ref} {entry.field}", entry.method, source, entry.link)
    return ", ".join(filter(None, parts))


def table(ledger: Ledger, asked: Iterable[str], renderer: Renderer | None = None) -> str:
    """Every material of the ledger with the asked values, one line each, sources below.

    Args:
        ledger: What was retrieved.
        asked: Names of properties; without any, all that the records hold.
        renderer: To go on numbering sources; the sources are listed here either way.
    """
    renderer = renderer or Renderer(ledger)
    columns = _columns(ledger, asked)
    lines = [_row(ledger, renderer, ref, columns) for ref in list(ledger.materials())[:MOST_ROWS]]
    lines += [line for ref in ledger.recipes for line in recipe_lines(ledger, renderer, ref)]
    lines += [f"No recipe on record for {target}." for target in ledger.missing_recipes]
    lines += [_count_line(ledger, renderer, f"search{i}") for i in range(1, len(ledger.searches) + 1)]
    hidden = len(ledger.materials()) - MOST_ROWS
    if hidden > 0:
        lines.append(f"{hidden} further materials are not shown.")
    return "\n".join([*lines, *with_heading(renderer.sources())])


def with_heading(sources: Sequence[str]) -> list[str]:
    """The list of sources as it ends an answer."""
    return ["", "Sources:", *sources] if sources else []


def recipe_lines(ledger: Ledger, renderer: Renderer, ref: str) -> list[str]:
    """A recipe step by step."""
    entries = {entry.field: entry for entry in ledger.of(ref)}
    head = entries["target"]
    made = f" from {value_text(entries['precursors'])}" if "precursors" in entries else ""
    kind = f", {entries['synthesis_type'].value}" if "synthesis_type" in entries else ""
    lines = [f"{head.formula} {ref}{kind}{made} [{renderer.footnote(head)}]"]
    for i in range(1, int(_first(entries["steps"])) + 1):
        operation = entries.get(f"step{i}.operation")
        if operation is None:
            continue
        parts = [str(operation.value)]
        for field, before in (("temperature", "at"), ("time", "for"), ("atmosphere", "in")):
            entry = entries.get(f"step{i}.{field}")
            if entry:
                parts.append(f"{before} {value_text(entry)}")
        lines.append(f"  {ref} step {i}: {' '.join(parts)} [{renderer.footnote(head)}]")
    return lines


def _first(entry: Entry) -> float:
    return entry.value if isinstance(entry.value, int | float) else 0


def _columns(ledger: Ledger, asked: Iterable[str]) -> list[str]:
    held = {entry.field for entry in ledger if entry.kind == "property"}
    wanted = [name for name in dict.fromkeys(asked) if name in held]
    return wanted or [name for name in PROPERTIES if name in held]


def _row(ledger: Ledger, renderer: Renderer, ref: str, columns: Sequence[str]) -> str:
    entries = ledger.of(ref)
    first = [str(e.value) for field in _FIRST_COLUMNS for e in entries if e.field == field][:2]
    cells = [
        f"{e.field} {value_text(e)}{f' ({e.method})' if e.method else ''} [{renderer.footnote(e)}]"
        for name in columns
        for e in entries
        if e.field == name
    ]
    return ", ".join([f"{' '.join(first)} ({ref})", *cells])


def _count_line(ledger: Ledger, renderer: Renderer, ref: str) -> str:
    entry = ledger.of(ref)[0]
    noun = "material matches" if entry.value == 1 else "materials match"
    return f"{entry.value} {noun}: {entry.note} [{renderer.footnote(entry)}]"
