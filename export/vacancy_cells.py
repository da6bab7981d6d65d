"""Which supercells with a missing atom does a candidate's resistive-switching verdict ask for?

The verdict names sites, such as `V_O2(4e)`: the second kind of oxygen, of which the primitive cell has four. The kinds are
counted here as the screen counts them, so the atom that is taken out is of the kind whose energy stands in the verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ..core.settings import Settings
from ..core.supercells import Supercell, supercell_for
from ..core.vacancy_sites import Site, distinct_sites, place_of, seeded

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

SCREEN = "resistive-switching"
_LABEL = re.compile(r"V_([A-Z][a-z]?)(\d{1,3})\((\d{1,4})([a-zA-Z])\)")
"""Element, number among its kinds, multiplicity in the primitive cell, Wyckoff letter."""


class VacancySettings(Settings):
    """How vacancies are exported.

    Attributes:
        vacancies: So many of the sites that the verdict names are written, the cheapest first.
        vacancy_apart_angstrom: Images of the vacancy shall be so far apart: the supercell's shortest lattice vector, A.
        vacancy_atoms_max: Largest supercell; where images cannot be so far apart in it, the note says how far they are.
    """

    vacancies: int = Field(default=2, ge=0)
    vacancy_apart_angstrom: float = Field(default=10.0, ge=4, le=40)
    vacancy_atoms_max: int = Field(default=200, ge=8, le=2000)


@dataclass(frozen=True)
class NamedSite:
    """A vacancy as a verdict names it.

    Attributes:
        element: What is missing.
        label: `V_O2(4e)`.
        energy: Its formation energy by the screen, eV.
    """

    element: str
    label: str
    energy: float


@dataclass(frozen=True)
class VacancyCells:
    """The supercells of one candidate.

    Attributes:
        pristine: Without a vacancy.
        vacant: With one: its site, the crystal, and the fractional position of what is missing.
        notes: Sentences on them.
    """

    pristine: Structure
    vacant: tuple[tuple[NamedSite, Structure, tuple[float, ...]], ...]
    notes: tuple[str, ...]


def named_sites(candidate: Candidate) -> list[NamedSite]:
    """The vacancies that the resistive-switching verdict has energies of, the cheapest first."""
    verdict = candidate.verdict(SCREEN)
    by_element = (verdict.details if verdict else {}).get("vacancies")
    records = by_element.items() if isinstance(by_element, dict) else ()
    found = [site for element, record in records for site in _sites_of(str(element), record)]
    return sorted(found, key=lambda site: (site.energy, site.label))


def vacancy_cells(candidate: Candidate, host: Structure, settings: VacancySettings) -> VacancyCells | None:
    """Supercells of a host, whole and with each vacancy; `None` if the verdict names none or none is wanted.

    All atoms are moved a little from their places, the same way as by the screen: neither the host nor the
    atoms about a vacancy are held on a saddle by a symmetry that they would like to leave.

    Raises:
        StructureError: the host has no primitive cell.
    """
    wanted = named_sites(candidate)[: settings.vacancies]
    if not wanted:
        return None
    supercell = supercell_for(host, settings.vacancy_apart_angstrom, settings.vacancy_atoms_max)
    whole, notes = supercell.structure, []
    places: dict[int, NamedSite] = {}
    for named in wanted:
        site = _site(supercell, named)
        if site is None:
            notes.append(f"No supercell of {named.label} was written: the exported crystal has no such site.")
        else:
            places[place_of(supercell, site)] = named
    vacant = tuple(
        (named, _without(whole, place), tuple(whole.frac_coords[place].tolist()))
        for place, named in places.items()
    )
    if vacant:
        notes.insert(0, _note(supercell, settings))
    pristine = _bare(seeded(whole, whole.frac_coords[next(iter(places), 0)]))
    return VacancyCells(pristine, vacant, tuple(notes))


def _sites_of(element: str, record: Any) -> Iterator[NamedSite]:
    """Those whose label and energy can be read; a verdict may come from outside."""
    sites = record.get("sites") if isinstance(record, dict) else None
    for site in sites if isinstance(sites, list | tuple) else ():
        label, energy = (site.get("label"), site.get("energy")) if isinstance(site, dict) else (None, None)
        if not isinstance(label, str) or not isinstance(energy, int | float) or not math.isfinite(energy):
            continue
        match = _LABEL.fullmatch(label)
        if match and match.group(1) == element:
            yield NamedSite(element, label, float(energy))


def _site(supercell: Supercell, named: NamedSite) -> Site | None:
    """The site of a label; where only the Wyckoff letter differs, as it may in another setting, the one of that number."""
    kinds = distinct_sites(supercell.primitive, named.element)
    exact = next((site for site in kinds if site.label == named.label), None)
    if exact is not None:
        return exact
    stem = named.label[:-2]
    alike = [site for site in kinds if site.label[:-2] == stem]
    return alike[0] if len(alike) == 1 and _only_one_of_its_multiplicity(alike[0], kinds) else None


def _only_one_of_its_multiplicity(site: Site, kinds: list[Site]) -> bool:
    return sum(other.multiplicity == site.multiplicity for other in kinds) == 1


def _without(whole: Structure, place: int) -> Structure:
    """The supercell, moved from its symmetry, without one atom."""
    cell = seeded(whole, whole.frac_coords[place])
    cell.remove_sites([place])
    return _bare(cell)


def _bare(structure: Structure) -> Structure:
    return structure.copy().remove_site_property("origin")


def _note(supercell: Supercell, settings: VacancySettings) -> str:
    short = (
        "" if supercell.enough else f", less than the {settings.vacancy_apart_angstrom:g} A that were wanted"
    )
    return (
        f"vacancy/ holds neutral supercells of {supercell.copies} primitive cells, images "
        f"{supercell.images_apart_angstrom:.1f} A apart{short}. Charged vacancies are not covered: each charge state needs runs, "
        "and corrections, of its own."
    )
