"""Absurd geometries are seen, and the search for colliding atoms is made only when it may find some."""

import numpy as np
import pytest
from hysteron.predictors.cell import Cell
from hysteron.predictors.relaxation import guards
from hysteron.predictors.relaxation.guards import MIN_DISTANCE, Guard, shortest_distance
from materials import magnesium_oxide, skewed_silicon
from pymatgen.core import Lattice, Structure


def pair(distance):
    structure = Structure(
        Lattice.cubic(6), ["Na", "Cl"], [[0, 0, 0], [distance, 0, 0]], coords_are_cartesian=True
    )
    return Cell.from_structure(structure)


def test_colliding_atoms_are_seen_however_they_came_together():
    guard = Guard(pair(3.0))
    seen = [guard.trouble(pair(x)) is not None for x in (3.0, 2.5, 1.9, 1.2, 0.8, 0.55, 0.45, 0.2, 0.6)]
    assert seen == [False] * 6 + [True, True, False]
    across = Guard(pair(3.0))
    assert "0.30 A apart" in across.trouble(pair(5.7))  # the image in the next cell


def test_the_bound_is_never_above_the_distance():
    rng = np.random.default_rng(0)
    first = Cell.from_structure(magnesium_oxide() * [2, 2, 1])
    guard = Guard(first)
    guard.trouble(first)
    for size in np.linspace(0.01, 0.4, 40):
        deform = np.eye(3) + rng.normal(scale=size / 4, size=(3, 3))
        moved = (first.positions + rng.normal(scale=size, size=first.positions.shape)) @ deform
        cell = Cell(first.numbers, moved, first.lattice @ deform)
        assert guard.at_least(cell) <= shortest_distance(cell, 6.0)


def test_small_moves_need_no_search(monkeypatch):
    searches = []
    search = guards.shortest_distance
    monkeypatch.setattr(guards, "shortest_distance", lambda cell: searches.append(1) or search(cell))
    first = Cell.from_structure(magnesium_oxide())
    guard = Guard(first)
    for step in range(20):
        positions = first.positions.copy()
        positions[0, 0] += 0.02 * step
        assert guard.trouble(Cell(first.numbers, positions, first.lattice)) is None
    assert len(searches) == 1


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.6, "volume changed"), (0.6, "volume changed"), (np.nan, "not finite"), (20, "empty")],
)
def test_exploding_and_broken_cells(factor, words):
    first = Cell.from_structure(magnesium_oxide())
    assert words in Guard(first).trouble(
        Cell(first.numbers, first.positions * factor, first.lattice * factor)
    )


def test_a_skewed_cell_is_not_flat():
    structure = skewed_silicon() * [[1, 0, 0], [0, 1, 0], [5, 5, 1]]
    cell = Cell.from_structure(structure)
    assert cell.heights.min() < MIN_DISTANCE
    assert Guard(cell).trouble(cell) is None
    flat = Cell(cell.numbers[:1], np.zeros((1, 3)), np.diag([20, 20, 0.1]))
    assert "flat" in Guard(flat).trouble(flat)
