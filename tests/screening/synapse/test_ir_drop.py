"""Voltage lost in wires, against hand calculation, a dense nodal solution and badcrossbar's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.screening.synapse.ir_drop import effective_conductances

RESISTANCES = np.array(
    [[345.0, 903, 755, 257, 646], [652, 401, 508, 166, 454], [442, 874, 190, 244, 635]]
)  # ohm; the example of badcrossbar's documentation
VOLTAGES = np.array([1.5, 2.3, 1.7])  # V, likewise
BADCROSSBAR = np.array([0.01158503, 0.00919064, 0.01511568, 0.02583321, 0.00981179])
"""Output currents in A with wires of 0.5 ohm, by badcrossbar 1.1.0; printed to 1e-8."""


def test_without_wire_resistance_nothing_changes():
    found = effective_conductances(1 / RESISTANCES, 0.0)
    np.testing.assert_array_equal(found, 1 / RESISTANCES)


def test_the_currents_are_those_of_badcrossbar():
    found = VOLTAGES @ effective_conductances(1 / RESISTANCES, 0.5)
    np.testing.assert_allclose(found, BADCROSSBAR, atol=1e-8)


def test_one_cell_is_three_resistors_in_series():
    found = effective_conductances(np.array([[1 / 100.0]]), 2.0)
    assert found[0, 0] == pytest.approx(1 / (100 + 2 * 2))


def test_one_word_line_is_a_ladder():
    """Two cells on one word line, solved by hand: r, then the first cell to ground, then r and the second cell to ground."""
    r, first, second = 3.0, 50.0, 80.0
    behind = r + second + r
    near = first + r
    node = 1 / (1 / near + 1 / behind)
    voltage = node / (r + node)
    found = effective_conductances(np.array([[1 / first, 1 / second]]), r)
    np.testing.assert_allclose(found, [[voltage / near, voltage / behind]])


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 100),
    wire=st.floats(1e-4, 1.0),
)
def test_it_is_the_dense_solution_of_kirchhoffs_law(shape, seed, wire):
    cells = np.random.default_rng(seed).uniform(0.01, 1, shape)
    found = effective_conductances(cells, wire)
    np.testing.assert_allclose(found, dense(cells, wire), rtol=1e-8, atol=1e-12)
    assert (found.sum(axis=0) <= cells.sum(axis=0)).all()


def test_thin_wires_are_approached_in_proportion():
    cells = np.random.default_rng(0).uniform(0.1, 1, (6, 5))
    small, smaller = (np.abs(effective_conductances(cells, r) - cells).max() for r in (1e-5, 1e-6))
    assert small / smaller == pytest.approx(10, rel=1e-2)


def test_a_negative_resistance_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        effective_conductances(np.ones((2, 2)), -1.0)


def dense(cells: np.ndarray, wire: float) -> np.ndarray:
    """One word line driven at a time; currents into the grounds, from node potentials of the full matrix."""
    nwords, nbits = cells.shape
    number = cells.size

    def word(i, j):
        return i * nbits + j

    matrix = np.zeros((2 * number, 2 * number))

    def connect(a, b, g):
        matrix[a, a] += g
        matrix[b, b] += g
        matrix[a, b] -= g
        matrix[b, a] -= g

    for i in range(nwords):
        for j in range(nbits):
            connect(word(i, j), number + word(i, j), cells[i, j])
            if j:
                connect(word(i, j - 1), word(i, j), 1 / wire)
            if i:
                connect(number + word(i - 1, j), number + word(i, j), 1 / wire)
    for i in range(nwords):
        matrix[word(i, 0), word(i, 0)] += 1 / wire
    for j in range(nbits):
        end = number + word(nwords - 1, j)
        matrix[end, end] += 1 / wire
    found = np.zeros_like(cells)
    for i in range(nwords):
        drive = np.zeros(2 * number)
        drive[word(i, 0)] = 1 / wire
        potentials = np.linalg.solve(matrix, drive)
        found[i] = potentials[number + word(nwords - 1, 0) :] / wire
    return found
