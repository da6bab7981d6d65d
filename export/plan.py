"""Which calculations does a candidate ask for, whatever the code that runs them?

Every format writes the same folders: `relax/`, `static/`; with a nonpolar reference `polarization/00`, `01`, ... from it to
the crystal; with a vacancy that the resistive-switching verdict names `vacancy/pristine/` and `vacancy/<label>/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ..core.errors import StructureError
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY
from .crystal import plain_structure
from .folders import distinct_name
from .path import IMAGES
from .polarization_path import LEAST_IMAGES, MOST_IMAGES, polarization_images
from .vacancy_cells import VacancyCells, VacancySettings, vacancy_cells

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

PATH_FOLDER = "polarization"
VACANCY_FOLDER = "vacancy"
ABOUT_VACANCIES = (
    "The formation energy of a vacancy is its energy, less that of vacancy/pristine, plus the chemical potential of the atom "
    "that was taken out: its reference phase (for oxygen half an O2 molecule) by the same settings, which is not written here."
)


class PlanSettings(VacancySettings):
    """What can be chosen in every format.

    Attributes:
        path_images: Number of images from the nonpolar to the polar end, both counted; more are written where
            the estimated polarization asks for them.
    """

    path_images: int = Field(default=IMAGES, ge=LEAST_IMAGES, le=MOST_IMAGES)


@dataclass(frozen=True)
class Run:
    """One calculation to be written.

    Attributes:
        kind: One of `calculation.KINDS`.
        folder: Below the candidate's: `static`, `polarization/03`.
        structure: The crystal.
        mesh_of: The crystal whose k-points it takes: its own, or the one that its energy is compared with.
        more: Fields of its `Calculation` that only some have: `image`, `missing`.
    """

    kind: str
    folder: str
    structure: Structure
    mesh_of: Structure
    more: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """All runs of one candidate.

    Attributes:
        structure: The crystal, plain.
        runs: In the order in which they are listed.
        notes: Sentences on what was left out or is special.
    """

    structure: Structure
    runs: tuple[Run, ...]
    notes: tuple[str, ...]

    def of(self, *kinds: str) -> list[Run]:
        """The runs of some kinds."""
        return [run for run in self.runs if run.kind in kinds]


def plan_of(candidate: Candidate, settings: PlanSettings, fixed_occupations: list[str] | None = None) -> Plan:
    """What is to be computed of a candidate.

    Args:
        candidate: Its verdicts say whether there is a path, and which vacancies.
        settings: Of the format.
        fixed_occupations: For a code whose Berry phases need them: elements that may be magnetic, with which it computes none.

    Raises:
        StructureError: a disordered or empty structure.
    """
    structure = plain_structure(candidate)
    runs = [
        Run(RELAXATION, "relax", structure, structure, {}),
        Run(STATIC, "static", structure, structure, {}),
    ]
    path, path_notes = _path(candidate, structure, settings, fixed_occupations or [])
    vacancies, vacancy_notes = _vacancies(candidate, structure, settings)
    return Plan(structure, (*runs, *path, *vacancies), (*path_notes, *vacancy_notes))


def _path(
    candidate: Candidate, polar: Structure, settings: PlanSettings, magnetic: list[str]
) -> tuple[list[Run], list[str]]:
    """The Berry-phase images; a sentence if a reference is there but no path can be drawn to it."""
    try:
        images, remarks = polarization_images(candidate, polar, settings.path_images)
    except StructureError as error:
        return [], [f"No polarization path was written. {error}"]
    if images and magnetic:
        return [], [
            "No polarization path was written. This code computes Berry phases with fixed occupations only, and with "
            f"{', '.join(magnetic)} the magnetic moment of the cell has to be known for them."
        ]
    runs = [
        Run(BERRY_PHASE, f"{PATH_FOLDER}/{i:02d}", image, polar, {"image": i})
        for i, image in enumerate(images)
    ]
    return runs, remarks


def _vacancies(
    candidate: Candidate, host: Structure, settings: PlanSettings
) -> tuple[list[Run], tuple[str, ...]]:
    try:
        cells = vacancy_cells(candidate, host, settings)
    except StructureError as error:
        return [], (f"No vacancy supercell was written. {error}",)
    return ([], ()) if cells is None else (list(_vacancy_runs(cells)), cells.notes)


def _vacancy_runs(cells: VacancyCells) -> Iterator[Run]:
    if not cells.vacant:
        return
    taken = {"pristine"}
    yield Run(PRISTINE, f"{VACANCY_FOLDER}/pristine", cells.pristine, cells.pristine, {})
    for site, structure, position in cells.vacant:
        folder = f"{VACANCY_FOLDER}/{distinct_name(site.label, taken)}"
        missing = {"element": site.element, "position": list(position), "label": site.label}
        yield Run(VACANCY, folder, structure, cells.pristine, {"missing": missing})
