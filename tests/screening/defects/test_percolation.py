"""Networks whose dimensions are known, and the same ones written otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.screening.defects.percolation import Edge, percolation

X, Y, Z = (1, 0, 0), (0, 1, 0), (0, 0, 1)


def test_a_simple_cubic_net_connects_axis_by_axis():
    found = percolation([Edge(0, 0, Z, 0.9), Edge(0, 0, X, 0.3), Edge(0, 0, Y, 0.5)])
    assert (found.one, found.two, found.three) == (0.3, 0.5, 0.9)
    assert found.dimensions == 3


def test_a_chain_connects_in_one_dimension_whatever_the_number_of_its_hops():
    found = percolation([Edge(0, 1, (0, 0, 0), 0.2), Edge(1, 0, X, 0.4), Edge(0, 0, X, 0.7)])
    assert (found.one, found.two, found.three) == (0.4, None, None)


def test_layers_connect_in_two_dimensions():
    found = percolation([Edge(0, 0, X, 0.3), Edge(0, 0, Y, 0.3), Edge(0, 0, (1, 1, 0), 0.1)])
    assert (found.one, found.two, found.three) == (0.1, 0.3, None)


def test_chains_that_cross_without_touching_do_not_make_a_plane():
    found = percolation([Edge(0, 0, X, 0.3), Edge(1, 1, Y, 0.4)])
    assert (found.one, found.two) == (0.3, None)
    joined = percolation([Edge(0, 0, X, 0.3), Edge(1, 1, Y, 0.4), Edge(0, 1, (0, 0, 0), 0.8)])
    assert (joined.one, joined.two) == (0.3, 0.8)


def test_a_dumbbell_leads_nowhere():
    """Two sites joined by many hops inside one cell: cycles without a lattice vector."""
    assert percolation([Edge(0, 1, (0, 0, 0), 0.1), Edge(0, 1, (0, 0, 0), 0.2)]).dimensions == 0
    assert percolation([]).dimensions == 0


def test_the_bottleneck_is_the_highest_hop_of_the_easiest_way():
    """Two roads along x: over 0.2 and 0.9, or over 0.6 and 0.5."""
    road = [Edge(0, 1, (0, 0, 0), 0.2), Edge(1, 0, X, 0.9)]
    other = [Edge(0, 2, (0, 0, 0), 0.6), Edge(2, 0, X, 0.5)]
    assert percolation(road + other).one == 0.6


NET = [
    Edge(0, 1, (0, 0, 0), 0.2),
    Edge(1, 0, X, 0.35),
    Edge(1, 2, (0, 0, 0), 0.5),
    Edge(2, 1, Y, 0.55),
    Edge(2, 0, Z, 0.8),
    Edge(0, 0, (1, 1, 0), 0.9),
]


@given(
    st.permutations([0, 1, 2]),
    st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=3, max_size=3),
    st.permutations(range(len(NET))),
    st.lists(st.booleans(), min_size=len(NET), max_size=len(NET)),
)
@settings(max_examples=50, deadline=None)
def test_origin_order_and_direction_do_not_matter(names, origins, order, turned):
    changed = []
    for k in order:
        edge = NET[k]
        cell = np.array(edge.translation) + origins[edge.end] - np.array(origins[edge.start])
        start, end = names[edge.start], names[edge.end]
        if turned[k]:
            start, end, cell = end, start, -cell
        changed.append(Edge(start, end, tuple(int(x) for x in cell), edge.height))
    assert percolation(changed) == percolation(NET)


@pytest.mark.parametrize("repeats", [(2, 1, 1), (1, 3, 1), (2, 2, 2)])
def test_a_supercell_is_the_same_net(repeats):
    assert percolation(_repeated(NET, 3, np.array(repeats))) == percolation(NET)


def _repeated(edges, nsites, repeats):
    cells = [np.array(cell) for cell in np.ndindex(*repeats)]
    number = {tuple(cell): k for k, cell in enumerate(cells)}
    found = []
    for edge in edges:
        for cell in cells:
            outside, inside = np.divmod(cell + edge.translation, repeats)
            start = edge.start + nsites * number[tuple(cell)]
            end = edge.end + nsites * number[tuple(inside)]
            found.append(Edge(start, end, tuple(int(x) for x in outside), edge.height))
    return found
