"""Builds the components a run names, once per process, and hands them on as `Tools`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.contracts import (
    ConductionClasses,
    Generator,
    Hull,
    Known,
    PolarDifference,
    Potential,
    Predictor,
    Screen,
    Source,
    Tools,
    VacancyCorrection,
)
from ..core.errors import InputError, MissingDataError
from ..core.registry import load
from ..core.settings import validate

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate
    from ..predictors.relaxation.relaxer import BatchedRelaxer
    from ..retrieval.known import KnownCrystals
    from .run_settings import GeneratorTable, PotentialTable, RunSettings, ScreenTable, SourceTable


def source(table: SourceTable) -> Source:
    """The source that a `[[source]]` names."""
    from ..core.errors import SettingsError
    from ..retrieval import SOURCES

    if table.name == "store":
        from ..store.source import StoreSource
        from ..store.store import CandidateStore

        return StoreSource(CandidateStore.open(table.path, create=False))
    component = load(table.name, SOURCES, "hysteron.sources")
    if table.name == "catalog":
        return component(hull=hull)
    if table.name == "optimade":
        return component(table.path)
    if table.name == "cif":
        if not table.path:
            raise SettingsError("[[source]] 'cif' needs a path: the folder that holds the files.")
        return component(table.path)
    return component()


def generator(table: GeneratorTable) -> Generator:
    """The generator that a `[[generator]]` names, with its own settings validated."""
    from ..generators import GENERATORS

    return _configured(
        load(table.name, GENERATORS, "hysteron.generators"), table.settings, f"[[generator]] {table.name}"
    )


def screen(table: ScreenTable) -> Screen:
    """The screen that a `[[screen]]` names, with its own windows validated."""
    from ..screening import SCREENS

    return _configured(
        load(table.name, SCREENS, "hysteron.screens"), table.settings, f"[[screen]] {table.name}"
    )


@lru_cache(maxsize=4)
def potential(name: str, device: str = "cpu") -> Potential:
    """The potential of that name (`FAMILY`, `FAMILY-MODEL` or `FAMILY:PATH`); loaded once per process.

    Raises:
        NotFoundError: no such name.
        MissingDataError: its package or weights are not here; the sentence says what to do.
    """
    from ..predictors import POTENTIALS
    from ..predictors.potentials.loading import load_potential

    return load_potential(name, POTENTIALS, device)


def relaxer(table: PotentialTable, seconds: float | None = None) -> BatchedRelaxer:
    """The relaxer of a `[potential]`; `seconds` limits the wall time of each call."""
    from ..predictors.relaxation.relaxer import BatchedRelaxer
    from ..predictors.relaxation.settings import RelaxerSettings

    settings = RelaxerSettings(
        method=table.method,
        fmax=table.max_force,
        steps=table.max_steps,
        cell=table.cell,
        pressure_gpa=table.pressure_gpa,
        symmetry=table.symmetry,
        seconds=seconds,
        workers=table.workers,
    )
    return BatchedRelaxer(potential(table.name, table.device), settings)


def second_opinion(table: PotentialTable) -> Predictor:
    """Who asks the second potential of a `[potential]`, at the geometry that the first one left."""
    from ..predictors.disagreement import SecondOpinion

    assert table.second_opinion is not None
    first, second = (potential(name, table.device) for name in (table.name, table.second_opinion))
    return SecondOpinion(first, second, hull(table.name))


def hull(name: str = "chgnet") -> Hull:
    """The competing phases with energies of the potential of that name, read once per process (`read_hull` remembers).

    Raises:
        MissingDataError: there is no table of this potential; the sentence names the command that makes it.
        HullError: the table was made with other weights.
    """
    return read_hull(name)


@lru_cache(maxsize=4)
def read_hull(name: str) -> Hull:
    """As `hull`, for a name."""
    from ..predictors.hull.table import ConvexHull, PhaseTable

    # The device is named as a `[potential]` names it, so that both find the one that is loaded already.
    return ConvexHull(PhaseTable.load(potential=name), potential=potential(name, "cpu"))


def known(
    crystals: Iterable[tuple[str, Structure]], also: Callable[[str], Iterable] | None = None
) -> KnownCrystals:
    """The crystals that count as known; `also` gives further ones of a reduced formula when it is first asked for."""
    from ..retrieval.known import KnownCrystals

    return KnownCrystals(crystals, also)


def tools(settings: RunSettings, seconds: float | None = None) -> Tools:
    """Everything a screen may need of another stage; `seconds` limits the wall time of each call of a relaxer."""
    return _tools(settings.potential, seconds)


def _tools(table: PotentialTable, seconds: float | None = None) -> Tools:
    """Potential, hull, what was calibrated with them, and three relaxers as a `[potential]` says: one leaves all free,
    one holds the space group, one the cell."""
    free, held = (table.model_copy(update={"symmetry": symmetry}) for symmetry in (False, True))
    return Tools(
        potential=potential(table.name, table.device),
        relaxer=relaxer(free, seconds),
        parent_relaxer=relaxer(held, seconds),
        atoms_relaxer=relaxer(free.model_copy(update={"cell": "fixed", "workers": 1}), seconds),
        polar_difference=polar_difference(table),
        vacancy_correction=vacancy_correction(table),
        conduction=conduction(),
        hull=hull(table.name),
        workers=table.workers or os.cpu_count() or 1,
    )


def polar_difference(table: PotentialTable) -> PolarDifference | None:
    """Calibrated energies of polar against nonpolar crystals, if a calibration goes with the potential."""
    from ..predictors import polar_difference as calibrated

    try:
        return calibrated.PolarDifference(potential(table.name, table.device))
    except InputError:
        return None


def vacancy_correction(table: PotentialTable) -> VacancyCorrection | None:
    """What was learnt of the potential's vacancy energies, if a correction goes with it."""
    from ..predictors import vacancy_correction as learnt

    try:
        return learnt.VacancyCorrection(potential(table.name, table.device))
    except (InputError, MissingDataError):  # of another potential, or not built yet
        return None


@lru_cache(maxsize=1)
def conduction() -> ConductionClasses | None:
    """The classifier of metals, insulators and transitions, if it was built."""
    from ..predictors.conduction.model import Conductor

    try:
        return Conductor()
    except MissingDataError:
        return None


def tools_for_generation(
    settings: RunSettings, known: Known, interest: Callable[[Candidate], float] | None = None
) -> Tools:
    """What a generator may ask: what is known, the hull, the predictor that orders proposals, the potential if one needs it,
    and which seeds to draw more often."""
    first = predictor(settings.predictor[0].name) if settings.predictor else None
    asked = {name for table in settings.generator for name in getattr(generator(table), "uses_tools", ())}
    table = settings.potential
    energies = potential(table.name, table.device) if "potential" in asked else None
    return Tools(known=known, hull=hull(table.name), predictor=first, potential=energies, interest=interest)


def screens(settings: RunSettings) -> Sequence[Screen]:
    """The screens of a run, in order."""
    return [screen(table) for table in settings.screen]


@lru_cache(maxsize=4)
def predictor(name: str) -> Predictor:
    """The predictor of that name; built once per process."""
    from ..predictors import PREDICTORS

    return load(name, PREDICTORS, "hysteron.predictors")(tools_for_prediction())


def tools_for_prediction() -> Tools:
    """Potential, relaxers and hull where no run says which: for predictors and for `hysteron screen`."""
    from .run_settings import PotentialTable

    return _tools(PotentialTable())


def _configured(component: Any, values: dict[str, Any], where: str) -> Any:
    return component(validate(component.config_model, values, where))
