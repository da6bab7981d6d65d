"""How much current is lost in a crossbar's wires?

Word line i is driven from its left end, bit line j is held at ground at its lower end; between two cells, before the first and
after the last stands one wire segment. The circuit is linear, so its whole effect is another matrix of conductances: a unit
voltage on word line i makes a current G_eff[i, j] in bit line j.

Own solver of Kirchhoff's current law at all 2 n m nodes. `badcrossbar` (MIT) solves the same circuit; its package needs the cairo
library of the system to be installed, which a calculation should not, so it stands in the tests as numbers.

Source: Joksas and Mehonic, SoftwareX 12, 100617 (2020), doi:10.1016/j.softx.2020.100617, for the circuit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def effective_conductances(conductances: np.ndarray, wire_resistance: float) -> np.ndarray:
    """Conductances that a crossbar of ideal wires would need to give the same currents.

    Args:
        conductances: Of the cells, word line first, shape `(nwords, nbits)`, none negative.
        wire_resistance: Of one segment, in the inverse of the conductances' unit.

    Returns:
        The same shape and unit; not greater than without wires, column by column in sum.

    Raises:
        ValueError: the wire resistance is negative.
    """
    if wire_resistance < 0:
        raise ValueError(f"wire_resistance is {wire_resistance}, expected at least 0.")
    if wire_resistance == 0:
        return np.array(conductances, dtype=float)
    from scipy.sparse.linalg import splu

    nwords, nbits = conductances.shape
    wire = 1 / wire_resistance
    sources = np.zeros((2 * nwords * nbits, nbits))
    ends = nwords * nbits + (nwords - 1) * nbits + np.arange(nbits)
    sources[ends, np.arange(nbits)] = wire
    potentials = splu(_nodal_matrix(conductances, wire)).solve(sources)
    return wire * potentials[: nwords * nbits : nbits]


def _nodal_matrix(conductances: np.ndarray, wire: float) -> csc_array:
    """Kirchhoff's matrix of all nodes: first those of word lines, then of bit lines, each row by row.

    It is symmetric: driving bit line j's ground end and reading the current into word line i's source end, which takes one
    solution for each bit line, gives the same as driving i and reading j (reciprocity).
    """
    from scipy.sparse import coo_array

    nwords, nbits = conductances.shape
    words = np.arange(nwords * nbits).reshape(nwords, nbits)
    bits = words + words.size
    pairs = [
        (words, bits, conductances),
        (words[:, :-1], words[:, 1:], np.full((nwords, nbits - 1), wire)),
        (bits[:-1], bits[1:], np.full((nwords - 1, nbits), wire)),
    ]
    first = np.concatenate([one.ravel() for one, _, _ in pairs])
    second = np.concatenate([other.ravel() for _, other, _ in pairs])
    value = np.concatenate([np.asarray(g, dtype=float).ravel() for _, _, g in pairs])
    diagonal = np.zeros(2 * words.size)
    np.add.at(diagonal, first, value)
    np.add.at(diagonal, second, value)
    diagonal[words[:, 0]] += wire
    diagonal[bits[-1]] += wire
    every = np.arange(diagonal.size)
    rows = np.concatenate([first, second, every])
    columns = np.concatenate([second, first, every])
    return coo_array((np.concatenate([-value, -value, diagonal]), (rows, columns))).tocsc()
