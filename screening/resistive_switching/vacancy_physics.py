"""What do a host's anion vacancies cost, and how do they move? Minutes of relaxation, asked of few crystals.

The host is relaxed first by the same potential, for a vacancy's energy is a small difference of large ones. Energies are those of
supercells with images 8 A apart, as the correction was learnt; barriers want 10 A (`MigrationConfig`). Of each anion
the cheapest vacancy and the barrier at which its hops connect are kept; the anion that leaves most cheaply speaks for
the crystal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.candidate import PropertyValue
from ...core.contracts import Tools
from ..defects.barriers import MigrationConfig, migration_of
from ..defects.vacancies import Vacancies, vacancies_of
from .wall_times import LEAST_SECONDS, seconds_left, within

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass
class Found:
    """What was computed of a crystal's vacancies.

    Attributes:
        properties: `vacancy_formation_energy` and `migration_barrier` of the anion that leaves most cheaply.
        vacancies: JSON by element.
        migration: JSON by element.
        failures: One sentence for each thing that could not be computed.
    """

    properties: list[PropertyValue] = field(default_factory=list)
    vacancies: dict[str, Any] = field(default_factory=dict)
    migration: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def at_rest(structure: Structure, tools: Tools) -> Structure | str:
    """The crystal relaxed by the potential of the tools, atoms and cell; a sentence if it cannot be."""
    if tools.relaxer is None:
        return "Vacancies and hops need a relaxer; none was given."
    result = tools.relaxer.relax([structure])[0]
    if result.structure is None or result.failure:
        return f"The host could not be relaxed: {result.failure or 'no geometry'}"
    return result.structure


def vacancy_physics(
    host: Structure,
    anions: Sequence[str],
    tools: Tools,
    config: MigrationConfig,
    stop_at: float | None = None,
) -> Found:
    """Vacancy energies and hops of each anion.

    Args:
        host: At rest by the potential of the tools.
        anions: Symbols, the most abundant first.
        tools: Potential, relaxer of atoms, hull; a correction of vacancy energies where there is one.
        config: How far hops are followed.
        stop_at: By `time.monotonic`, after which nothing more is begun.
    """
    found = Found()
    energies: dict[str, PropertyValue] = {}
    barriers: dict[str, PropertyValue] = {}
    for anion in anions:
        if seconds_left(stop_at) < LEAST_SECONDS:
            found.failures.append(f"Vacancies of {anion} were not computed: no time was left.")
            continue
        vacancies = vacancies_of(host, anion, tools)
        if isinstance(vacancies, str):
            found.failures.append(vacancies)
        else:
            energies[anion], found.vacancies[anion] = _vacancy_energy(host, vacancies, tools)
        migration = migration_of(host, anion, tools, within(config, stop_at))
        if isinstance(migration, str):
            found.failures.append(migration)
            continue
        found.migration[anion] = migration.record()
        if (barrier := migration.as_property()) is not None:
            barriers[anion] = barrier
    speaker = _speaker(anions, energies, barriers)
    found.properties = [kept[speaker] for kept in (energies, barriers) if speaker in kept]
    return found


def _speaker(
    anions: Sequence[str], energies: dict[str, PropertyValue], barriers: dict[str, PropertyValue]
) -> str:
    """The anion with the cheapest vacancy; without vacancy energies the first with a barrier."""
    if energies:
        return min(energies, key=lambda anion: float(energies[anion].value))  # type: ignore[arg-type]
    return next((anion for anion in anions if anion in barriers), "")


def _vacancy_energy(
    host: Structure, vacancies: Vacancies, tools: Tools
) -> tuple[PropertyValue, dict[str, Any]]:
    """The cheapest vacancy's energy, corrected where that was learnt, and all that was found as JSON."""
    raw = vacancies.as_property()
    record = vacancies.record()
    correction = tools.vacancy_correction
    corrected = (
        correction.corrected(host, vacancies.element, float(raw.value))  # type: ignore[arg-type]
        if correction is not None and tools.potential is not None
        else None
    )
    if correction is None or corrected is None:
        return raw, record
    value = PropertyValue(
        "vacancy_formation_energy",
        corrected.value,
        "eV",
        f"{correction.method}, {raw.method}",
        corrected.uncertainty,
        raw.source,
        corrected.interval,
        corrected.coverage,
    )
    return value, record | {"corrected": corrected.value, "correction": correction.method}
