"""Tools for tests of insertion: an exact pair potential, its relaxers, and a hull of a few phases that are written down."""

from __future__ import annotations

import materials
from hysteron.core.contracts import Tools
from hysteron.predictors.hull.phase import HullCard, Phase
from hysteron.predictors.hull.table import ConvexHull, PhaseTable
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from pair_potential import PairPotential
from pymatgen.core import Structure


def hull_of(**energies: float) -> ConvexHull:
    """A hull of phases, eV/atom by formula, on the scale of the pair potential."""
    phases = [Phase(f"toy-{formula}", formula, energy, True) for formula, energy in energies.items()]
    return ConvexHull(PhaseTable(phases, HullCard("toy-2026", PairPotential.name, 0.0, None, {})))


def pair_tools(hull: ConvexHull | None = None, fmax: float = 0.02) -> Tools:
    """The pair potential with relaxers of atoms alone and of atoms and cell."""
    potential = PairPotential()
    free, fixed = (
        BatchedRelaxer(potential, RelaxerSettings(cell=cell, fmax=fmax, steps=200, workers=1))
        for cell in ("free", "fixed")
    )
    return Tools(potential=potential, relaxer=free, atoms_relaxer=fixed, hull=hull)


def pair_salt() -> Structure:
    """Rock salt as small as the pair potential has it, a = 4.010 A; far from the real one's 5.640."""
    salt = materials.sodium_chloride()
    salt.scale_lattice(4.010**3)
    return salt
