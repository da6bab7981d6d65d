"""What do finished DFT runs add to a candidate?

- `energy_per_atom`, of the relaxed geometry where there is one, else of the exported one. It is on the scale of its own code,
  functional and pseudopotentials; no formation energy and no distance from a hull are made of it, since no reference of
  that scale is exported.
- `band_gap`, of the static run, on its k-points; 0.0 is a metal.
- `polarization` and `polarization_vector` of the path, if its branch is certain, and of the images' energies
  `polar_nonpolar_energy_difference` and, along the straight path, `switching_barrier`.
- The relaxed geometry becomes the candidate's present one; its id, and the structure it first appeared with, stay. Its sites
  keep the candidate's order, to which the nonpolar reference of its ferroelectric verdict is matched.
- A vacancy's energy against the pristine supercell goes into its step. It is no `vacancy_formation_energy`, because the
  energy of the element that was taken out is not computed.

Each run is one step `ingest` in the provenance. The same outputs a second time change nothing; other outputs replace the
values of the same method, and both steps stay, each with its time. Values and geometry are those of the outputs that were
read last, also if they were known before others came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate, PropertyValue, Step
from ..core.errors import InputError
from ..core.properties import LINEAR_PATH, describe, dft_method
from .belonging import LARGEST_MOVE_ANGSTROM, LARGEST_STRAIN
from .berry_phase_image import BerryPhaseImage
from .calculation import PRISTINE, RELAXATION, STATIC, VACANCY
from .crystal import detected_spacegroup
from .finished_run import FinishedRun
from .ingest_steps import is_latest, path_step, run_step, why_no_formation_energy, with_steps
from .outside_files import FileRecord
from .results import Results, Taken, TakenPath

if TYPE_CHECKING:
    from pymatgen.core import Structure

BERRY = "Berry phase"
SHOWN_OF_A_CHECKSUM = 12


def with_results(candidate: Candidate, results: Sequence[Results]) -> tuple[Candidate, list[str]]:
    """A candidate with everything its finished runs say, and the steps that brought it.

    Args:
        candidate: As it is stored.
        results: What was read for it, of each export one; where two speak of the same method, or both relax, the last counts.

    Returns:
        The richer candidate, and sentences on what could not be made of the results.

    Raises:
        InputError: the runs are of another crystal than the candidate, or of another setting of it.
    """
    for one in results:
        require_same_crystal(candidate, one)
    remarks: list[str] = []
    steps: list[Step] = []
    richer = _with_geometry(candidate, results, remarks)
    for one in results:
        richer = richer.with_property(*_energy(one), *_gap(one))
        steps += [run_step(taken, one) for taken in one.taken]
        if (path := one.path) is not None:
            richer = richer.with_property(*_switching(path, remarks), *_polarization(path))
            steps.append(path_step(path, one.asked.format))
        remarks += _on_vacancies(one)
    return with_steps(richer, steps), remarks


def require_same_crystal(candidate: Candidate, results: Results) -> None:
    """See that runs are of a candidate, by composition and, of a path, by the cell.

    Raises:
        InputError: they are of another crystal, or of another setting of it.
    """
    from pymatgen.core import Composition

    path = results.path
    of = {
        taken.asked.folder: taken.run.species
        for taken in results.taken
        if taken.asked.kind in (RELAXATION, STATIC)
    }
    if path is not None and all(label[:1].isalpha() for label in path.images[-1].species):
        of[path.folder] = path.images[-1].species
    for folder, species in of.items():
        formula = Composition.from_dict({symbol: species.count(symbol) for symbol in species}).reduced_formula
        if formula != candidate.formula:
            raise InputError(
                f"{folder} is of {formula}, and {candidate.candidate_id} in the store is {candidate.formula}: "
                "the manifest belongs to another store, or was changed."
            )
    if path is not None and (strain := _strain(candidate.structure, path.result.lattice)) > LARGEST_STRAIN:
        raise InputError(
            f"The cell of {path.folder} differs from that of {candidate.candidate_id} by {strain:.2f} (at most "
            f"{LARGEST_STRAIN}): another crystal, or another setting of it. Export it anew."
        )


def _strain(stored: Structure, lattice: Any) -> float:
    """Largest element of the strain (and rotation) that takes the stored cell to that of the runs."""
    return float(np.abs(np.linalg.solve(stored.lattice.matrix, np.array(lattice)) - np.eye(3)).max())


def _with_geometry(candidate: Candidate, results: Sequence[Results], remarks: list[str]) -> Candidate:
    """With the geometry that the last relaxation ended in, its sites in the candidate's order, unless it has that already."""
    relaxations = [(relaxed, one) for one in results if (relaxed := one.of(RELAXATION)) is not None]
    if not relaxations or is_latest(candidate, run_step(*relaxations[-1])):
        return candidate
    relaxed = relaxations[-1][0]
    structure = _in_order_of(candidate.structure, relaxed)
    if structure is None:
        remarks.append(
            f"{relaxed.asked.folder}: the stored crystal is not the exported one any more, so it keeps its "
            "geometry; the relaxed one stands in the step."
        )
        return candidate
    return candidate.with_structure(structure, detected_spacegroup(structure))


def _in_order_of(stored: Structure, relaxed: Taken) -> Structure | None:
    """The relaxed crystal, its sites as the stored one lists them; `None` if they do not correspond.

    Sites are paired by element and place between the stored and the exported crystal, not the relaxed one.
    """
    from pymatgen.core import Structure
    from scipy.optimize import linear_sum_assignment

    asked, last = relaxed.asked, relaxed.run.last
    symbols = [site.specie.symbol for site in stored]
    if sorted(symbols) != sorted(asked.species) or _strain(stored, asked.lattice) > LARGEST_STRAIN:
        return None
    distances = stored.lattice.get_all_distances(stored.frac_coords, np.array(asked.positions))
    other = np.array(symbols)[:, None] != np.array(asked.species)[None, :]
    rows, columns = linear_sum_assignment(np.where(other, 1e6, distances**2))
    if distances[rows, columns].max() > LARGEST_MOVE_ANGSTROM:
        return None
    return Structure(last.lattice, symbols, last.positions[columns])


def _energy(results: Results) -> list[PropertyValue]:
    """Of the geometry that the candidate has from now on: by the static run, if it stands there."""
    relaxed, static = results.of(RELAXATION), results.of(STATIC)
    taken = static if static is not None and (relaxed is None or static.at_relaxed) else relaxed
    if taken is None:
        return []
    energy = round(taken.run.energy / len(taken.run.species), 6)
    return [_value("energy_per_atom", energy, taken.run.method(), _source(taken, relaxed is not None))]


def _gap(results: Results) -> list[PropertyValue]:
    static = results.of(STATIC)
    if static is None or static.run.band_gap is None:
        return []
    gap = round(static.run.band_gap, 4)
    return [_value("band_gap", gap, static.run.method(), _source(static, static.at_relaxed))]


def _polarization(path: TakenPath) -> list[PropertyValue]:
    result = path.result
    if not result.smooth:
        return []
    method = dft_method(result.functional, result.code, result.version, BERRY)
    quantum = ", ".join(f"{q:.1f}" for q in result.quantum)
    how = f"{len(path.images)} images from the nonpolar reference on one branch, quantum {quantum} uC/cm^2"
    source = _told(path.images[-1], how, path.images[-1].files[0])
    vector = tuple(round(float(x), 5) for x in result.vector)
    return [
        _value("polarization", round(result.polarization, 5), method, source),
        _value("polarization_vector", vector, method, source),
    ]


def _switching(path: TakenPath, remarks: list[str]) -> list[PropertyValue]:
    """Energies along the straight path, if every image has one of the same settings."""
    images = path.images
    energies = np.array([np.nan if image.energy is None else image.energy for image in images])
    if np.isnan(energies).any():
        remarks.append(
            f"{path.folder}: not every image has a self-consistent energy, so no switching energies are told."
        )
        return []
    if len({_essence(image) for image in images}) > 1:
        remarks.append(
            f"{path.folder}: its images were run with different cutoffs or versions, so no switching energies are told."
        )
        return []
    along = energies - energies[-1]
    last, nsites, barrier = images[-1], len(images[-1].species), float(along.max())
    # Of pw.x the energy stands in the file that is read last.
    source = _told(
        last,
        f"{len(images)} images on the straight path, its ends as exported and not relaxed",
        last.files[-1],
    )
    method = dft_method(last.functional, last.code, last.version, LINEAR_PATH)
    per_formula = barrier / _formula_units(last.species)
    return [
        _value(
            "polar_nonpolar_energy_difference",
            round(-1000 * along[0] / nsites, 4),
            method,
            source,
        ),
        _value("switching_barrier", round(per_formula, 6), method, source),
        _value("switching_barrier_per_atom", round(1000 * barrier / nsites, 4), method, source),
    ]


def _essence(image: BerryPhaseImage) -> tuple[str, str, str]:
    """What must be equal for two energies to be compared."""
    return image.version, image.functional, str(image.settings.get("cutoff_ev"))


def _formula_units(species: tuple[str, ...]) -> int:
    """In the cell; labels that are no symbols are counted just the same."""
    return int(np.gcd.reduce([species.count(label) for label in set(species)]))


def _on_vacancies(results: Results) -> list[str]:
    """Why none has a formation energy."""
    pristine = results.of(PRISTINE)
    missing = "its energy cannot be compared, for the pristine supercell is not finished."
    return [
        f"{taken.asked.folder}: {missing if pristine is None else why_no_formation_energy(taken)}"
        for taken in results.taken
        if taken.asked.kind == VACANCY
    ]


def _value(name: str, value: Any, method: str, source: str) -> PropertyValue:
    number = value if isinstance(value, tuple) else float(value)
    return PropertyValue(name, number, describe(name).units, method, source=source)


def _source(taken: Taken, at_relaxed: bool) -> str:
    where = "at the relaxed geometry" if at_relaxed else "at the exported geometry"
    return _told(taken.run, where, taken.run.files[0])


def _told(run: FinishedRun | BerryPhaseImage, what: str, file: FileRecord) -> str:
    """Code, version, time, cutoff, k-points and file of a run, or of a path's last image."""
    when = f" of {run.when}" if run.when else ""
    cutoff = run.settings.get("cutoff_ev")
    parts = [what, f"cutoff {cutoff:g} eV" if cutoff else "", str(run.settings.get("kpoints", ""))]
    told = "; ".join(part for part in parts if part)
    return f"{run.code} {run.version}{when}; {told}; {file.name} (sha256 {file.sha256[:SHOWN_OF_A_CHECKSUM]})"
