"""How is a ferroelectric verdict read at a terminal? One block a candidate, from the symmetry to the score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..core.candidate import Candidate, PropertyValue
    from ..export.report_switching import JudgedCriterion, Switching, SwitchingPath

SCREEN = "ferroelectric"
LONGEST_REASON = 2000
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"
MARKS = {"passed": ("pass", "green"), "failed": ("fail", "red"), "missing": ("missing", "yellow")}


def print_ferroelectric(candidates: Sequence[Candidate], inputs: Sequence[str] = ()) -> None:
    """A block for each candidate that the ferroelectric screen has judged; one line for the others.

    Args:
        candidates: In the order to print.
        inputs: The path each one came from.
    """
    from .blocks import print_blocks

    def block(console: Console, candidate: Candidate) -> None:
        print_block(console, candidate)
        _print_verdict(console, candidate)

    print_blocks(candidates, inputs, block)


def print_block(console: Console, candidate: Candidate) -> None:
    """Symmetry, parents, path, polarization, estimates, mechanism and criteria of a judged candidate.

    What is absent is left out; of a candidate that the screen has not judged there is nothing.
    """
    from rich.padding import Padding
    from rich.table import Table

    from ..export.report_switching import switching

    told = switching(candidate)
    if told is None:
        return
    rows = (
        ("symmetry", _symmetry(told)),
        ("parents", _parents(told)),
        ("path", _path(candidate, told, _bars(console))),
        ("polarization", _polarization(candidate, told)),
        ("estimates", _estimates(told)),
        ("mechanism", _mechanism(told)),
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, shown in rows:
        if shown is not None:
            grid.add_row(name, shown)
    if grid.row_count:
        console.print(Padding(grid, (0, 0, 0, 2)))
    # At 80 columns the names of criteria leave no room beside a heading.
    if told.criteria:
        console.print("  criteria", style="bold")
        console.print(Padding(_criteria(told.criteria), (0, 0, 0, 4)))
        if any(one.required for one in told.criteria):
            console.print("    * required", style="dim")


def _print_verdict(console: Console, candidate: Candidate) -> None:
    """Whether it passes, with the score, and why not."""
    from rich.padding import Padding

    from ..export.report_switching import switching, text

    verdict, told = candidate.verdict(SCREEN), switching(candidate)
    if verdict is None or told is None:
        console.print("  The ferroelectric screen has not judged it.", style="dim")
        return
    mark, style = ("passes", "green") if verdict.passed else ("fails", "red")
    score = "" if verdict.score is None else f", score {verdict.score:.2f}"
    console.print(f"  [bold]verdict[/bold]  [{style}]{mark}[/{style}]{score}")
    if not verdict.passed or not told.criteria:
        console.print(Padding(_plain(text(verdict.reason, LONGEST_REASON)), (0, 0, 0, 2)))


def _symmetry(told: Switching) -> Text | None:
    """The polar group at the tight and the loose tolerance; one line where both see the same."""
    seen: dict[str, list[str]] = {}
    for found in told.symmetry:
        group = _group(found.spacegroup_number) + (
            f", point group {found.point_group}" if found.point_group else ""
        )
        polar = "" if found.polar is None else ", polar" if found.polar else ", not polar"
        seen.setdefault(group + polar, []).append("?" if found.symprec is None else f"{found.symprec:g}")
    return _lines(f"{group} at symprec {' and '.join(tolerances)} A" for group, tolerances in seen.items())


def _parents(told: Switching) -> Table | None:
    if not told.parents:
        return None
    table = _small_table(
        ("space group", "left"),
        ("largest move, A", "right"),
        ("strain, %", "right"),
        ("above polar, meV/atom", "right"),
        ("found by", "left"),
    )
    for parent in told.parents:
        cells = (
            _group(parent.spacegroup_number),
            _decimals(parent.distortion_max, 3),
            "-" if parent.strain is None else f"{100 * parent.strain:.2f}",
            _decimals(parent.energy_above_polar, 1),
            ", ".join(parent.found_by) or "-",
        )
        table.add_row(*map(_plain, cells))
    return table


def _path(candidate: Candidate, told: Switching, bars: str) -> Text | None:
    path = told.path
    if path is None:
        return None
    first = "the reversed state (-P)" if path.reversed else f"parent {_group(told.parent_number)}"
    where = f"{len(path.energies)} images from {first}, highest at {path.fractions[path.highest]:.2f}"
    barrier = f"barrier {_barrier(candidate, path)}, above the polar end"
    lines = [f"{path.kind_in_words}; {where}", barrier]
    difference = (
        path.difference
        if path.difference is not None
        else candidate.value("polar_nonpolar_energy_difference")
    )
    if difference is not None:
        lines.append(
            f"polar minus {'reversed' if path.reversed else 'nonpolar'} end {difference:.1f} meV/atom"
        )
    lines += _calibrated(candidate)
    low, high = path.energies.min(), path.energies.max()
    ends = ("-P", "+P") if path.reversed else ("0", "1")
    lines.append(
        f"{ends[0]} {_sparkline(path.energies.tolist(), bars)} {ends[1]}   from {low:.1f} to {high:.1f} meV/atom"
    )
    lines += _ends(told)
    return _lines([*lines, path.note])


def _calibrated(candidate: Candidate) -> list[str]:
    """How sure the difference of the ends is."""
    found = candidate.get("polar_nonpolar_energy_difference")
    if found is None or not found.interval:
        return []
    low, high = found.interval
    return [f"calibrated on DFT, {found.coverage:.0%} interval {low:.1f} to {high:.1f} meV/atom"]


def _barrier(candidate: Candidate, path: SwitchingPath) -> str:
    per_formula = path.barrier if path.barrier is not None else candidate.value("switching_barrier")
    per_atom = f"{path.barrier_per_atom:.1f} meV/atom"
    return per_atom if per_formula is None else f"{per_formula:.3f} eV/f.u., {per_atom}"


def _ends(told: Switching) -> list[str]:
    """How the ends were relaxed, and whether one of them became another crystal."""
    lines = [told.ends_method] if told.ends_method else []
    for name, end in (("polar", told.polar_end), ("parent", told.parent_end)):
        if end is not None and end.collapsed:
            lines.append(f"the {name} end collapsed to {_group(end.spacegroup_number)} when relaxed")
        if end is not None and end.converged is False:
            lines.append(f"the {name} end did not converge")
    return lines


def _polarization(candidate: Candidate, told: Switching) -> Text | None:
    found = candidate.get("polarization")
    if found is None:
        return None
    lines = [f"{_with_spread(found)} {found.units}{_interval(found)}", f"by {found.method}"]
    vector = candidate.get("polarization_vector", found.method) or candidate.get("polarization_vector")
    if vector is not None and isinstance(vector.value, tuple):
        lines.append(f"vector ({_joined(vector.value)}) {vector.units}, sign arbitrary")
    if told.quantum:
        lines.append(f"quantum along a, b, c: {_joined(told.quantum)} uC/cm^2")
    if told.effective_charges:
        lines.append(
            "charges " + ", ".join(f"{ion} {charge:+.2f}" for ion, charge in told.effective_charges) + " e"
        )
    return _lines(lines)


def _estimates(told: Switching) -> Table | None:
    """Proxies, each with its method; what was not estimated says why."""
    if not told.estimates:
        return None
    table = _small_table(("proxy", "left"), ("value", "right"), ("unit", "left"), ("method", "left"))
    for one in told.estimates:
        how = one.method if one.value is not None else one.reason or "not estimated"
        value = "-" if one.value is None else f"{one.value:.3g}"
        table.add_row(*map(_plain, (one.name.replace("_", " "), value, one.units, how)))
    return table


def _mechanism(told: Switching) -> Text | None:
    if told.mechanism is None:
        return None
    assessable = {True: "assessable by this method", False: "not assessable by this method", None: ""}
    words = [told.mechanism.kind.replace("_", " "), assessable[told.mechanism.assessable]]
    line = ", ".join(word for word in words if word)
    return _lines(
        [
            f"{line}: {told.mechanism.reason}"
            if line and told.mechanism.reason
            else line or told.mechanism.reason
        ]
    )


def _criteria(criteria: Sequence[JudgedCriterion]) -> Table:
    """Value, threshold, unit and result of each."""
    from rich.text import Text

    table = _small_table(
        ("criterion", "left"),
        ("value", "right"),
        ("threshold", "right"),
        ("unit", "left"),
        ("result", "left"),
    )
    for one in criteria:
        mark, style = MARKS.get(one.status, (one.status, "dim"))
        units = "" if one.units == "1" or (one.value is None and one.threshold is None) else one.units
        value = "-" if one.value is None else f"{one.value:.4g}"
        name = f"{one.name}{'*' if one.required else ''}"
        table.add_row(*map(_plain, (name, value, one.bound or "-", units)), Text(mark, style=style))
    return table


def _small_table(*headings: tuple[str, str]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    for heading, justify in headings:
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def _sparkline(energies: Sequence[float], bars: str) -> str:
    """Heights between the lowest and the highest energy; all low if they do not differ."""
    low, high = min(energies), max(energies)
    span = high - low
    last = len(bars) - 1
    return "".join(bars[round(last * (energy - low) / span) if span > 0 else 0] for energy in energies)


def _bars(console: Console) -> str:
    """Blocks where the output can carry them."""
    try:
        BARS.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII_BARS
    return BARS


def _group(number: int | None) -> str:
    from ..export.crystal import spacegroup_symbol

    return f"{spacegroup_symbol(number)} ({number})" if number else "of unknown symmetry"


def _with_spread(found: PropertyValue) -> str:
    value = f"{found.value:.1f}" if isinstance(found.value, float | int) else str(found.value)
    return value if found.uncertainty is None else f"{value} +- {found.uncertainty:.1f}"


def _interval(found: PropertyValue) -> str:
    if found.interval is None:
        return ""
    low, high = found.interval
    coverage = "" if found.coverage is None else f", {100 * found.coverage:.0f}% interval"
    return f"{coverage or ', interval'} {low:.1f} to {high:.1f}"


def _joined(values: Sequence[float]) -> str:
    return ", ".join(f"{value + 0.0:.1f}" for value in values)


def _decimals(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _lines(lines: Iterable[str]) -> Text | None:
    shown = [line for line in lines if line]
    return _plain("\n".join(shown)) if shown else None


def _plain(text: str) -> Text:
    """Text in which nothing is markup."""
    from rich.text import Text

    return Text(text)
