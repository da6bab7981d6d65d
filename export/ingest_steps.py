"""Which step does a finished DFT run leave in a candidate's provenance?

With the checksums of its outputs and without anything that tells the machine, so that the same outputs leave the same
step. Energy, forces, stress and geometry stand in it together: that is a frame that a potential can be trained on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.candidate import Candidate, Step
from ..core.clock import utc_now
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, VACANCY
from .finished_run import FinishedRun, Geometry
from .outside_files import FileRecord
from .results import Results, Taken, TakenPath

REPEAT = "repeat"
"""In a step's details: that it comes for the second, third ... time, after others had taken its place."""


def with_steps(candidate: Candidate, steps: Sequence[Step]) -> Candidate:
    """With the steps of finished runs in the order they were read, without those that change nothing.

    That is what has been read before, and either others of its subject follow, or none has come since. What was read before
    and replaced since comes anew, counted in `repeat`.
    """
    last = {_subject(step): step for step in steps}
    for step in steps:
        known = is_latest(candidate, step) if step is last[_subject(step)] else _times(candidate, step) > 0
        if not known:
            candidate = candidate.with_step(_numbered(step, _times(candidate, step)))
    return candidate


def is_latest(candidate: Candidate, step: Step) -> bool:
    """Whether the candidate's last step of the same subject is this one, at whatever time."""
    of_it = [known for known in candidate.provenance if _subject(known) == _subject(step)]
    return bool(of_it) and _essence(of_it[-1]) == _essence(step)


def _subject(step: Step) -> tuple[str, ...]:
    """What a step speaks of, and a later one of the same replaces: the geometry, or what one method says of it."""
    if step.stage == "relax" or (step.stage, step.name) == ("ingest", RELAXATION):
        return (RELAXATION,)
    if step.stage != "ingest":
        return ()
    told = [str(step.details.get(name, "")) for name in ("format", "functional", "folder")]
    # Without the candidate's folder, which another export may have called otherwise.
    return (step.name, told[0], told[1], told[2].partition("/")[2])


def _times(candidate: Candidate, step: Step) -> int:
    """How often the candidate has it."""
    return sum(_essence(known) == _essence(step) for known in candidate.provenance)


def _essence(step: Step) -> Step:
    details = {name: value for name, value in step.details.items() if name != REPEAT}
    return dataclasses.replace(step, time="", details=details)


def _numbered(step: Step, before: int) -> Step:
    return dataclasses.replace(step, details=step.details | {REPEAT: before + 1}) if before else step


def run_step(taken: Taken, results: Results) -> Step:
    """The step of one run."""
    run = taken.run
    details: dict[str, Any] = {
        "calculation": taken.asked.kind,
        "folder": taken.asked.folder,
        "format": results.asked.format,
        "functional": run.functional,
        "files": checksums(run.files),
        "settings": dict(run.settings),
        "run_at": run.when,
        "energy_ev": round(run.energy, 8),
        "structure": _geometry_record(run.species, run.last),
    }
    optional = {
        "band_gap_ev": run.band_gap,
        "charge": None if run.charge is None else round(run.charge, 4),
        "forces_ev_per_a": None if run.forces is None else np.round(run.forces, 6).tolist(),
        "stress_ev_per_a3": None if run.stress is None else np.round(run.stress, 8).tolist(),
        "hubbard_u_ev": dict(run.hubbard) if run.hubbard else None,
        "edited_inputs": list(taken.edited) or None,
        "remarks": list(taken.remarks) or None,
    }
    details |= {name: value for name, value in optional.items() if value is not None}
    if taken.asked.kind == VACANCY:
        details |= _vacancy_details(taken, results.of(PRISTINE))
    return Step("ingest", taken.asked.kind, f"{run.code} {run.version}", time=utc_now(), details=details)


def path_step(path: TakenPath, format: str) -> Step:
    """The step of a polarization path."""
    result = path.result
    energies = [image.energy for image in path.images]
    details: dict[str, Any] = {
        "calculation": BERRY_PHASE,
        "folder": path.folder,
        "format": format,
        "functional": result.functional,
        "files": {name: digest for image in path.images for name, digest in checksums(image.files).items()},
        "settings": dict(path.images[-1].settings),
        "run_at": path.images[-1].when,
        "images": len(result.path),
        "branch": result.verdict,
        "polarization_quantum": [round(float(q), 4) for q in result.quantum],
        "path": [[round(float(x), 4) for x in row] for row in result.path],
        "largest_step": round(result.largest_step, 4),
        "largest_kink": round(result.largest_kink, 4),
        "nonpolar_residual": round(result.nonpolar_residual, 4),
    }
    if None not in energies:
        details["energies_ev"] = [round(float(energy or 0.0), 8) for energy in energies]
    if path.edited:
        details["edited_inputs"] = list(path.edited)
    return Step("ingest", BERRY_PHASE, f"{result.code} {result.version}", time=utc_now(), details=details)


def checksums(files: tuple[FileRecord, ...]) -> dict[str, str]:
    """SHA-256 by name."""
    return {file.name: file.sha256 for file in files}


def why_no_formation_energy(taken: Taken) -> str:
    """Of a vacancy."""
    element = (taken.asked.missing or {}).get("element", "the missing element")
    return (
        f"no vacancy formation energy is told: it needs the energy of {element} in its reference phase, by the "
        "same functional and "
        "pseudopotentials, which the export does not ask for. The difference to the pristine supercell stands in the step."
    )


def _vacancy_details(taken: Taken, pristine: Taken | None) -> dict[str, Any]:
    details: dict[str, Any] = {"missing": dict(taken.asked.missing or {})}
    if pristine is not None and _comparable(taken.run, pristine.run):
        details["energy_minus_pristine_ev"] = round(taken.run.energy - pristine.run.energy, 6)
        details["why_no_formation_energy"] = why_no_formation_energy(taken)
    return details


def _comparable(one: FinishedRun, other: FinishedRun) -> bool:
    return one.method() == other.method() and one.settings.get("cutoff_ev") == other.settings.get("cutoff_ev")


def _geometry_record(species: tuple[str, ...], geometry: Geometry) -> dict[str, Any]:
    return {
        "lattice": np.round(geometry.lattice, 8).tolist(),
        "species": list(species),
        "positions": np.round(geometry.positions, 8).tolist(),
    }
