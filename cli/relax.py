"""`hysteron relax`: crystals of files come to rest under any potential."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .output import FormatOption, say
from .stages import PathsArgument, each_input

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..core.contracts import Hull, Potential, Relaxation


def relax(
    paths: PathsArgument,
    potential: Annotated[str, typer.Option(help="What energies and forces come from.")] = "chgnet",
    device: Annotated[str, typer.Option(help="Where energies are computed: cpu, cuda.")] = "cpu",
    method: Annotated[
        Literal["bfgs", "fire"],
        typer.Option(help="bfgs: fewest steps. fire: the steps of ASE's FIRE with FrechetCellFilter."),
    ] = "bfgs",
    symmetry: Annotated[bool, typer.Option("--symmetry", help="Keep the space group exactly.")] = False,
    pressure: Annotated[float, typer.Option(metavar="GPA", help="Positive compresses.")] = 0.0,
    cell: Annotated[
        Literal["free", "fixed", "volume"],
        typer.Option(help="What the cell may do; volume: change its shape at fixed volume."),
    ] = "free",
    fmax: Annotated[float, typer.Option(min=1e-4, help="Stop at this largest force, eV/A.")] = 0.05,
    steps: Annotated[int, typer.Option(min=1, help="Give up after so many steps.")] = 300,
    time_limit: Annotated[
        str | None,
        typer.Option(help="Wall time, such as 10m; the rest comes back as it is then.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep finished results in this file, and go on from those it holds.",
            show_default=False,
        ),
    ] = None,
    format: FormatOption = None,
) -> None:
    """Relax positions and cell, and say how far each crystal lies above the hull."""
    from ..flows import toolbox
    from ..flows.relaxed import relaxed_candidate
    from ..flows.run_settings import PotentialTable
    from .progress import bars

    table = PotentialTable(
        name=potential,
        device=device,
        workers=None if device == "cpu" else 1,
        method=method,
        max_force=fmax,
        max_steps=steps,
        cell=cell,
        pressure_gpa=_finite(pressure),
        symmetry=symmetry,
    )
    relaxer = toolbox.relaxer(table, _seconds(time_limit))

    def work(candidates: Sequence[Candidate]) -> list[Candidate]:
        began = monotonic()
        with bars() as shown:
            shown.stage("relax", len(candidates))
            structures = [c.structure for c in candidates]
            results = relaxer.relax(structures, lambda *_: shown.advance(), checkpoint)
        seconds = monotonic() - began
        relaxed = [relaxed_candidate(c, r, relaxer) for c, r in zip(candidates, results, strict=True)]
        placed = _above_hull(relaxed, results, relaxer.potential, toolbox.hull(), pressure)
        say(summary(results, f"{relaxer.potential.name}, {relaxer.version}", seconds))
        return placed

    each_input(paths, work, format, "relax")


def summary(results: Sequence[Relaxation], how: str, seconds: float) -> str:
    """One line: how many came to rest, how many steps they took, and how fast that was."""
    failed = sum(r.failure is not None for r in results)
    converged = [r for r in results if r.converged]
    parts = [f"{len(converged)} converged"]
    if len(results) > failed + len(converged):
        parts.append(f"{len(results) - failed - len(converged)} not converged")
    if failed:
        parts.append(f"{failed} failed")
    if converged:
        parts.append(f"{sum(r.steps for r in converged) / len(converged):.1f} steps on average")
    parts.append(f"{len(results) / seconds:.2g} structures/s")
    return f"Of {len(results)} structures ({how}): {', '.join(parts)}."


def _above_hull(
    candidates: list[Candidate],
    results: Sequence[Relaxation],
    potential: Potential,
    hull: Hull,
    pressure: float,
) -> list[Candidate]:
    """With `energy_above_hull` for what was relaxed, where energies and hull belong together."""
    from ..core.contracts import Tools
    from ..flows import toolbox
    from ..flows.run_settings import ScreenTable
    from ..flows.steps import judged

    if pressure:
        say("No energy_above_hull: hulls stand at zero pressure. The enthalpy is in the provenance.")
        return candidates
    if potential.name != hull.potential_name:
        say(
            f"No energy_above_hull: the hull {hull.name} holds energies of {hull.potential_name}, "
            f"and those of {potential.name} are not compared with them."
        )
    moved = [i for i, result in enumerate(results) if result.structure is not None and not result.failure]
    screens = [toolbox.screen(ScreenTable(name="stability"))]
    tools = Tools(potential=potential, hull=hull)
    placed = list(candidates)
    for i, found in zip(moved, judged([candidates[i] for i in moved], screens, tools), strict=True):
        placed[i] = found
    return placed


def _seconds(text: str | None) -> float | None:
    from ..core.errors import SettingsError
    from ..flows.run_settings import seconds

    if text is None:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise SettingsError(f"--time-limit: {error}.") from None


def _finite(pressure: float) -> float:
    from math import isfinite

    from ..core.errors import SettingsError

    if not isfinite(pressure):
        raise SettingsError(f"--pressure {pressure} is no pressure in GPa.")
    return pressure
