"""In which unit is polarization told, and modulo what is it defined?"""

from __future__ import annotations

import numpy as np

E_PER_A2_IN_UC_PER_CM2 = 1602.176634
"""e/A^2 in uC/cm^2; exact e of the 2019 SI."""


def polarization_quantum(lattice: np.ndarray) -> np.ndarray:
    """Lengths of the vectors by which a crystal's polarization is defined only, along a, b and c.

    One electron moved by a lattice vector changes the polarization by e*a/V. A difference between two states is
    of one branch only if it was followed; a value near a multiple of these deserves a look.

    Args:
        lattice: Vectors in rows, A, shape `(3, 3)`.

    Returns:
        uC/cm^2, shape `(3,)`.

    Source: King-Smith and Vanderbilt, Phys. Rev. B 47, 1651 (1993), text after equation 16.
    """
    return E_PER_A2_IN_UC_PER_CM2 * np.linalg.norm(lattice, axis=1) / abs(np.linalg.det(lattice))
