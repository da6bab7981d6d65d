"""A potential whose energy, forces and stress are exact in double precision: Morse bonds, cut off smoothly.

For tests of what moves crystals, where the physics does not matter and noise would blur the comparison.
"""

import numpy as np
from hysteron.core.contracts import Calculation
from hysteron.core.errors import InputError
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.graph import find_bonds

CUTOFF = 6.0  # A
WIDTH = 1.2  # 1/A
DEPTHS = {True: 0.25, False: 0.9}  # eV, between equal and unequal elements
LENGTHS = {True: 3.0, False: 2.1}  # A


class PairPotential:
    """Implements `Potential`; refuses gold, and counts what it is asked."""

    name, energy_scale, model_hash = "pairs", "toy", "1"

    def __init__(self):
        self.evaluations = 0

    def calculate(self, structures):
        return self.calculate_cells([Cell.from_structure(s) for s in structures])

    def calculate_cells(self, cells):
        if any((cell.numbers == 79).any() for cell in cells):
            raise InputError("The toy does not know gold.")
        self.evaluations += len(cells)
        return [morse(cell) for cell in cells]


def morse(cell):
    bonds = find_bonds(cell, cutoff=CUTOFF)
    vectors = bonds.vectors(cell)
    lengths = np.linalg.norm(vectors, axis=1)
    alike = cell.numbers[bonds.first] == cell.numbers[bonds.second]
    depth = np.where(alike, DEPTHS[True], DEPTHS[False])
    decay = np.exp(-WIDTH * (lengths - np.where(alike, LENGTHS[True], LENGTHS[False])))
    fade = (1 - (lengths / CUTOFF) ** 2) ** 3
    slope_of_fade = -6 * lengths / CUTOFF**2 * (1 - (lengths / CUTOFF) ** 2) ** 2
    well = depth * (decay**2 - 2 * decay)
    slope = 2 * WIDTH * depth * (decay - decay**2) * fade + well * slope_of_fade
    pulls = (slope / lengths)[:, None] * vectors
    forces = np.zeros_like(cell.positions)
    np.add.at(forces, bonds.first, pulls)
    np.add.at(forces, bonds.second, -pulls)
    return Calculation(float((well * fade).sum()), forces, vectors.T @ pulls / cell.volume)
