"""What does a relaxation make of a candidate? Its geometry, its energy and a step, or the failure."""

from __future__ import annotations

from ..core.candidate import Candidate, Failure, PropertyValue, Step
from ..core.clock import utc_now
from ..core.contracts import Relaxation, Relaxer
from ..core.settings import config_hash
from . import memory
from .selection import spacegroup_number


def relaxed_candidate(candidate: Candidate, result: Relaxation, relaxer: Relaxer) -> Candidate:
    """A candidate with what a relaxer made of it: geometry, energy, step; or the failure."""
    if result.failure or result.structure is None or result.energy_per_atom is None:
        reason = result.failure or "The relaxer gave no structure."
        return candidate.with_failure(Failure("relax", relaxer.potential.name, reason))
    potential = relaxer.potential
    step = Step(
        "relax",
        potential.name,
        memory.step_version(relaxer),
        config_hash(relaxer.version),
        time=utc_now(),
        details={
            "steps": result.steps,
            "converged": result.converged,
            "max_force": result.max_force,
            **_under_pressure(result, relaxer),
        },
    )
    scale = f"{potential.energy_scale} scale"
    moved = candidate.with_structure(result.structure, spacegroup_number(result.structure))
    volume = result.structure.volume / len(result.structure)
    moved = moved.with_step(step).with_property(
        PropertyValue("energy_per_atom", result.energy_per_atom, "eV/atom", potential.name, None, scale),
        PropertyValue("volume_per_atom", volume, "A^3/atom", potential.name, None, scale),
    )
    if result.converged:
        return moved
    force = f"largest force {result.max_force:.3f} eV/A"
    reason = result.note or f"Not converged after {result.steps} steps: {force}."
    return moved.with_failure(Failure("relax", potential.name, reason))


def has_converged(candidate: Candidate) -> bool:
    """Whether its last relaxation did."""
    steps = [step for step in candidate.provenance if step.stage == "relax"]
    return bool(steps) and bool(steps[-1].details.get("converged"))


def _under_pressure(result: Relaxation, relaxer: Relaxer) -> dict[str, float]:
    """Pressure and enthalpy, if there is a pressure; the energy stays the energy."""
    pressure = getattr(getattr(relaxer, "settings", None), "pressure_gpa", 0.0)
    if not pressure or result.structure is None or result.energy_per_atom is None:
        return {}
    from ..predictors.relaxation.coordinates import GPA

    volume_per_atom = result.structure.volume / len(result.structure)
    enthalpy = result.energy_per_atom + pressure * GPA * volume_per_atom
    return {"pressure_gpa": pressure, "enthalpy_per_atom": enthalpy}
