"""How stiff are the bonds of a crystal, before any potential was asked?

Springs between all atoms within a few A, stiff along the bond and soft across it, whose constants decay
exponentially with the length. Exact only in size, but a minimiser that starts from them knows stiff from soft.

The form is that of Lindh et al., Chem. Phys. Lett. 241, 423 (1995), doi:10.1016/0009-2614(95)00646-L, and
Packwood et al., J. Chem. Phys. 144, 164109 (2016), doi:10.1063/1.4947024. The constants were fitted here to
second derivatives of CHGNet 0.3.0 by finite differences, strains included, of 384 crystals with up to 8
atoms of the training split (Materials Project): least mean of (tr(X) - ln det X) / n - 1, X being the
inverse model times the absolute value of the true matrix, its eigenvalues at least 1 eV/A^2. On 66 other
training crystals the spread of ln(eigenvalues of X) is 0.76; one radius rule for all elements (covalent
radii) leaves 0.92, a constant 1.1.
"""

from __future__ import annotations

import numpy as np

ATOM_STIFFNESS = 2.0  # eV/A^2, on every coordinate of an atom (fitted)
DECAY = 2.07  # 1/A, of the springs with length (fitted)
ACROSS = 0.033  # stiffness of a spring across its direction, relative to along (fitted)
STIFFEST = 100.0  # eV/A^2, of a spring; the triple bond of N2 has 143
CUTOFF_ANGSTROM = 6.0

# fmt: off
RADII = np.array([
    0.57, 0.18, 1.02, 1.11, 1.16, 1.12, 1.01, 1.26, 1.09, 0.48, 1.33, 1.23, 1.28, 1.23,
    1.19, 1.32, 1.12, 0.96, 1.56, 1.61, 1.50, 1.52, 1.40, 1.39, 1.40, 1.26, 1.27, 1.23,
    1.23, 1.17, 1.08, 1.25, 1.21, 1.25, 1.20, 1.06, 1.83, 1.66, 1.63, 1.65, 1.66, 1.42,
    1.33, 1.39, 1.37, 1.26, 1.27, 1.32, 1.30, 1.45, 1.37, 1.49, 1.39, 1.30, 2.17, 1.79,
    1.76, 1.74, 1.68, 1.71, 1.58, 1.61, 1.70, 1.73, 1.76, 1.72, 1.71, 1.69, 1.68, 1.54,
    1.57, 1.53, 1.54, 1.51, 1.47, 1.47, 1.53, 1.41, 1.24, 1.08, 1.34, 1.36, 1.41, 1.30,
    1.40, 1.40, 2.50, 2.11, 1.90, 1.67, 1.76, 1.74, 1.74, 1.67,
])  # A, by atomic number less one, hydrogen to plutonium
# fmt: on
"""Two atoms at the sum of their radii are joined by 1 eV/A^2. Fitted; noble gases, Po, At, Rn, Fr and Ra did not
occur in the fit and have their covalent radius less the mean shift."""


def springs(first: np.ndarray, second: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Stiffness of each bond against relative displacement.

    Args:
        first: Atomic numbers at one end, shape `(n,)`.
        second: At the other end.
        vectors: Cartesian, from one end to the other, A, shape `(n, 3)`.

    Returns:
        eV/A^2, shape `(n, 3, 3)`.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    along = np.exp(-DECAY * (lengths - RADII[first - 1] - RADII[second - 1]))
    along = np.minimum(along, STIFFEST)[:, None, None]
    directions = vectors / lengths[:, None]
    outer = directions[:, :, None] * directions[:, None, :]
    return along * ((1 - ACROSS) * outer + ACROSS * np.eye(3))


def between_atoms(first: np.ndarray, second: np.ndarray, stiffness: np.ndarray, natoms: int) -> np.ndarray:
    """Second derivatives of the energy of the springs in the displacements of the atoms.

    Args:
        first: Indices of the atoms at one end of each spring; every spring is listed once.
        second: At the other end.
        stiffness: Of `springs`, eV/A^2, shape `(n, 3, 3)`.
        natoms: Of the crystal.

    Returns:
        eV/A^2, shape `(3 * natoms, 3 * natoms)`; a translation feels nothing.
    """
    blocks = np.zeros((natoms, natoms, 3, 3))
    np.add.at(blocks, (first, first), stiffness)
    np.add.at(blocks, (second, second), stiffness)
    np.subtract.at(blocks, (first, second), stiffness)
    np.subtract.at(blocks, (second, first), stiffness)
    return blocks.transpose(0, 2, 1, 3).reshape(3 * natoms, 3 * natoms)
