"""Whole shells of neighbours, the same whichever way a crystal is written down."""

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.predictors.cell import Cell
from hysteron.predictors.gnn.graphs import NEIGHBOURS, SHELL_TOLERANCE_ANGSTROM, nearest_neighbours
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

DOUBLE_PRECISION_DISTANCE = 1e-9  # A


def aluminium() -> Structure:
    """fcc, a = 4.0495 A (Kittel), one atom."""
    half = 4.0495 / 2
    return Structure(Lattice(half * (np.ones((3, 3)) - np.eye(3))), ["Al"], [[0, 0, 0]])


def found(structure: Structure, count: int = NEIGHBOURS):
    return nearest_neighbours(Cell.from_structure(structure), count)


def shells(structure: Structure, count: int = NEIGHBOURS) -> list[np.ndarray]:
    """Distances of each atom, ascending."""
    edges = found(structure, count)
    return [np.sort(edges.distances[edges.targets == i]) for i in range(len(structure))]


def same(one, other) -> bool:
    return len(one) == len(other) and np.allclose(one, other, atol=DOUBLE_PRECISION_DISTANCE)


@pytest.mark.parametrize(
    ("structure", "degrees"),
    [
        (aluminium(), [12]),
        (materials.iron_one_atom(), [8 + 6]),
        (materials.silicon(), [4 + 12] * 2),
        (materials.strontium_titanate(), [12, 6 + 8, 2 + 12, 2 + 12, 2 + 12]),
    ],
    ids=["fcc", "bcc", "diamond", "perovskite"],
)
def test_the_last_shell_is_kept_whole(structure, degrees):
    edges = found(structure)
    assert np.bincount(edges.targets).tolist() == degrees


def test_distances_of_a_perovskite():
    a = 3.905
    strontium, titanium, oxygen = shells(materials.strontium_titanate())[:3]
    assert same(strontium, [a / 2**0.5] * 12)
    assert same(titanium, [a / 2] * 6 + [a * 3**0.5 / 2] * 8)
    assert same(oxygen, [a / 2] * 2 + [a / 2**0.5] * 12)


def test_the_count_is_a_lower_bound():
    assert [len(d) for d in shells(aluminium(), count=1)] == [12]
    assert [len(d) for d in shells(aluminium(), count=13)] == [12 + 6]


def test_a_shell_split_by_less_than_the_tolerance_stays_together():
    """A body-centred cell so distorted that its first 8 and next 6 neighbours are two shells, the latter 4 + 2."""
    for stretch, degree in ((SHELL_TOLERANCE_ANGSTROM / 2, 14), (SHELL_TOLERANCE_ANGSTROM * 4, 12)):
        cell = Structure(Lattice.tetragonal(2.8665, 2.8665 + stretch), ["Fe"] * 2, [[0] * 3, [0.5] * 3])
        assert [len(d) for d in shells(cell)] == [degree] * 2


def test_edges_are_sorted_by_target_and_join_atoms_of_the_cell():
    edges = found(materials.lithium_niobate())
    assert (np.diff(edges.targets) >= 0).all()
    assert set(edges.sources.tolist()) <= set(range(10))
    assert edges.distances.min() > 1.5


def test_a_sparse_crystal_is_searched_as_far_as_needed():
    """Simple cubic, a = 9 A: 6 neighbours at a, 12 at a * sqrt(2), far beyond the first radius."""
    sparse = Structure(Lattice.cubic(9.0), ["Ar"], [[0, 0, 0]])
    assert same(shells(sparse)[0], [9.0] * 6 + [9.0 * 2**0.5] * 12)


def test_a_gas_has_no_neighbours():
    alone = found(Structure(Lattice.cubic(100.0), ["Ar"], [[0.3, 0.3, 0.3]]))
    assert len(alone.sources) == len(alone.targets) == len(alone.distances) == 0


def test_an_atom_without_neighbours_beside_a_molecule():
    coords = [[0, 0, 0], [0, 0, 1.1], [50, 50, 50]]
    gas = Structure(Lattice.cubic(100.0), ["N", "N", "Ar"], coords, coords_are_cartesian=True)
    assert [d.tolist() for d in shells(gas)] == [[pytest.approx(1.1)], [pytest.approx(1.1)], []]


def test_coinciding_atoms_are_not_their_own_neighbours():
    twice = Structure(Lattice.cubic(3.0), ["H", "H"], [[0, 0, 0], [0, 0, 0]])
    assert all(d.min() == pytest.approx(3.0) for d in shells(twice))


def test_a_skewed_cell_has_the_same_neighbours():
    wanted = shells(materials.silicon())[0]
    assert all(same(d, wanted) for d in shells(materials.skewed_silicon()))


@pytest.mark.parametrize("scaling", [[2, 1, 1], [2, 2, 2], [[1, 1, 0], [0, 1, 0], [1, 0, 2]]])
def test_a_supercell_has_the_same_neighbours(scaling):
    primitive = materials.hafnia_polar()
    wanted = shells(primitive)
    supercell = primitive.copy()
    supercell.add_site_property("place", list(range(len(primitive))))
    supercell = supercell * scaling
    for distances, place in zip(shells(supercell), supercell.site_properties["place"], strict=True):
        assert same(distances, wanted[place])


@settings(max_examples=15, deadline=None)
@given(
    st.permutations(range(10)),
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.integers(0, 10**6),
)
def test_order_origin_and_rotation_change_nothing(order, shift, seed):
    crystal = materials.lithium_niobate()
    wanted = shells(crystal)
    turn = Rotation.random(random_state=seed).as_matrix()
    moved = Cell(
        numbers=np.array([crystal[i].specie.Z for i in order]),
        positions=(crystal.cart_coords[order] + shift) @ turn.T,
        lattice=crystal.lattice.matrix @ turn.T,
    )
    edges = nearest_neighbours(moved)
    for place, i in enumerate(order):
        assert same(np.sort(edges.distances[edges.targets == place]), wanted[i])
