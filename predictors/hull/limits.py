"""Between which chemical potentials of an element does a composition stand against its neighbours on the hull?

In equilibrium with a phase, the chemical potentials of its elements add up to its energy; no other phase may have a
lower one than they add up to. What is left to one element is an interval, whose ends two linear programmes find: at
each end the composition is about to take in, or to give, a neighbour on the hull.

Source: the construction is that of Saal et al., JOM 65, 1501 (2013), doi:10.1007/s11837-013-0755-4, for the grand
potential; Zhang and Northrup, Phys. Rev. Lett. 67, 2339 (1991), doi:10.1103/PhysRevLett.67.2339, for the limits.
"""

from __future__ import annotations

import numpy as np

from ...core.errors import HullError

SLACK = 1e-9  # eV/atom: rounding of the equality, far below what energies are known to


def potential_limits(
    fractions: np.ndarray, energies: np.ndarray, target: np.ndarray, energy: float, row: int
) -> tuple[float, float]:
    """Lowest and highest chemical potential of an element, eV.

    Args:
        fractions: Atomic fractions of the phases, elements among them, shape `(nelements, nphases)`.
        energies: eV/atom, shape `(nphases,)`.
        target: Atomic fractions of the composition, shape `(nelements,)`.
        energy: eV/atom of what stands there, not above the mixtures of the phases.
        row: Of the element.

    Raises:
        HullError: the composition is above the hull, so no potentials keep it.
    """
    from scipy.optimize import linprog

    wanted = np.zeros(len(target))
    wanted[row] = 1.0
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(
            sign * wanted,
            A_ub=fractions.T,
            b_ub=energies + SLACK,
            A_eq=target[None],
            b_eq=[energy],
            bounds=(None, None),
            method="highs",
        )
        if found.status != 0:
            raise HullError(f"No chemical potentials keep a phase of {energy:.4f} eV/atom: {found.message}")
        ends.append(float(found.x[row]))
    return ends[0], ends[1]
