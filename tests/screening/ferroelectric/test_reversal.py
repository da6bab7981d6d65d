"""A reversed state is the crystal itself with its polarization turned over, and its path says on which branch."""

from __future__ import annotations

import json

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.polar_path import displacements_between
from hysteron.core.polarization import E_PER_A2_IN_UC_PER_CM2
from hysteron.screening.ferroelectric.matching import matches
from hysteron.screening.ferroelectric.reversal import (
    ReversedState,
    find_reversed,
    polarization_change,
    spontaneous_polarization,
)
from pair_potential import PairPotential
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

SYMPREC = 0.01
ROUNDING = 1e-5
"""A or relative; coordinates pass through reduction, assignment and back in double precision."""
LEAST_MOVES = 0.02
"""A; paths closer than this are one."""


def aluminium_nitride() -> Structure:
    """Wurtzite; a = 3.1106, c = 4.9795 A, u = 0.3821 (Schulz and Thiemann, Solid State Commun. 23, 815 (1977))."""
    return Structure.from_spacegroup(
        "P6_3mc",
        Lattice.hexagonal(3.1106, 4.9795),
        ["Al", "N"],
        [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.3821]],
    )


def indium_selenide() -> Structure:
    """A model of alpha-In2Se3, one layer A B-B C A in each cell; In-Se 2.55 to 2.80 A, a = 4.05 A."""
    a, c = 4.05, 9.6
    heights = {"Se": [(0, 0.0), (1, 3.80), (0, 6.69)], "In": [(1, 1.25), (2, 5.34)]}
    third = np.array([1 / 3, 2 / 3, 0])
    sites = [
        (element, column * third + [0, 0, z / c]) for element in heights for column, z in heights[element]
    ]
    cell = Structure(Lattice.hexagonal(a, c), *zip(*sites, strict=True))
    stacked = np.array([[1, 0, 0], [0, 1, 0], [1 / 3, 2 / 3, 1]]) @ cell.lattice.matrix
    return Structure(stacked, cell.species, cell.cart_coords, coords_are_cartesian=True)


def boron_nitride_bilayer() -> Structure:
    """Two layers, B of one above N of the other; a = 2.504, 3.33 A apart (graphite-like BN, Pease, Acta Cryst. 5, 356 (1952))."""
    return Structure(
        Lattice.hexagonal(2.504, 20.0),
        ["B", "N", "B", "N"],
        [[0, 0, 0], [1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 3.33 / 20], [2 / 3, 1 / 3, 3.33 / 20]],
    )


CRYSTALS = {
    "hafnia_polar": materials.hafnia_polar,
    "aluminium_nitride": aluminium_nitride,
    "zinc_oxide": materials.zinc_oxide,
    "barium_titanate_tetragonal": materials.barium_titanate_tetragonal,
    "lithium_niobate": materials.lithium_niobate,
    "germanium_telluride": materials.germanium_telluride,
    "indium_selenide": indium_selenide,
    "boron_nitride_bilayer": boron_nitride_bilayer,
}
CHARGES = {
    "Hf": 4,
    "O": -2,
    "Al": 3,
    "N": -3,
    "Zn": 2,
    "Ba": 2,
    "Ti": 4,
    "Li": 1,
    "Nb": 5,
    "In": 3,
    "Se": -2,
    "Ge": 2,
}
CHARGES |= {"Te": -2, "B": 3}
every_crystal = pytest.mark.parametrize("crystal", [make() for make in CRYSTALS.values()], ids=list(CRYSTALS))


def charges_of(structure: Structure) -> list[float]:
    return [CHARGES[site.specie.symbol] for site in structure]


def along(state: ReversedState) -> float:
    """The polarization along the only polar direction, uC/cm^2, its sign left off."""
    return float(np.linalg.norm(spontaneous_polarization(state, charges_of(state.structure))))


def scalars(states: list[ReversedState]) -> np.ndarray:
    return np.array([(state.distortion_max, along(state), state.centric_midpoint or 0) for state in states])


@every_crystal
def test_the_reversed_state_is_the_same_crystal(crystal):
    """Equal energy by a potential that knows no symmetry; same atoms, same cell."""
    states = find_reversed(crystal, SYMPREC)
    assert states
    here, *there = PairPotential().calculate([crystal, *(state.structure for state in states)])
    for state, result in zip(states, there, strict=True):
        assert state.structure.species == crystal.species
        assert state.structure.lattice == crystal.lattice
        assert result.energy == pytest.approx(here.energy, rel=ROUNDING)


@every_crystal
def test_a_path_moves_the_atoms_as_the_state_says(crystal):
    for state in find_reversed(crystal, SYMPREC):
        assert displacements_between(state.structure, crystal) == pytest.approx(
            state.displacements, abs=ROUNDING
        )
        assert np.abs(state.displacements.mean(axis=0)).max() < ROUNDING
        assert state.distortion_max > LEAST_MOVES


@every_crystal
def test_the_reversed_of_the_reversed_is_the_crystal(crystal):
    states = find_reversed(crystal, SYMPREC)
    back = find_reversed(states[0].structure, SYMPREC)
    assert scalars(back) == pytest.approx(scalars(states), abs=1e-3)
    match = matches(back[0].structure, crystal)[0]
    assert match is not None
    assert match.distortion_max < 1e-3


@pytest.mark.parametrize("name", [name for name in CRYSTALS if name != "boron_nitride_bilayer"])
def test_the_polarization_of_the_reversed_state_is_reversed(name):
    """The same path walked from the other end. (Two equal layers of BN have no polarization by formal charges.)"""
    crystal = CRYSTALS[name]()
    state = find_reversed(crystal, SYMPREC)[0]
    back = find_reversed(state.structure, SYMPREC)[0]
    there = spontaneous_polarization(state, charges_of(crystal))
    assert np.linalg.norm(there) > 1
    assert spontaneous_polarization(back, charges_of(crystal)) == pytest.approx(-there, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "midpoint", "polarization"),
    [
        # By hand: N goes by (1 - 2u) c = 1.1741 A through the plane of Al. Dreyer et al., Phys. Rev. X 6, 021038 (2016) have
        # 135 uC/cm^2 by DFT against the layered hexagonal P6_3/mmc.
        ("aluminium_nitride", 194, 3 * 1.1741 / 20.863 * E_PER_A2_IN_UC_PER_CM2 / 2),
        # P4/mmm and not Pm-3m, for the cell stays. The same by hand as from the parent, positions by Harada et al. (1970).
        (
            "barium_titanate_tetragonal",
            123,
            (4 * 0.0224 + 2 * 0.0244 + 4 * 0.0105) / 3.9945**2 * E_PER_A2_IN_UC_PER_CM2,
        ),
        # Li goes by 0.0287 c from the plane of O, three O by 1/12 - 0.0647 the other way; six formula units in the cell.
        (
            "lithium_niobate",
            167,
            6 * (0.0287 + 6 * (1 / 12 - 0.0647)) * 13.8631 / 318.21 * E_PER_A2_IN_UC_PER_CM2,
        ),
        ("zinc_oxide", 194, 2 * (1 - 2 * 0.3819) * 5.2066 / 23.811 * E_PER_A2_IN_UC_PER_CM2 / 2),
    ],
)
def test_known_midpoints(name, midpoint, polarization):
    state = find_reversed(CRYSTALS[name](), SYMPREC)[0]
    assert state.centric_midpoint == midpoint
    assert state.operation == "inversion"
    assert along(state) == pytest.approx(polarization, rel=2e-3)


def test_nitrogen_goes_through_the_plane_of_aluminium():
    state = find_reversed(aluminium_nitride(), SYMPREC)[0]
    assert state.framework == ("Al",)
    moves = state.displacements - state.displacements[0]
    lengths = np.linalg.norm(moves, axis=1)
    nitrogen = [site.specie.symbol == "N" for site in state.structure]
    assert lengths[nitrogen] == pytest.approx(4.9795 * (1 - 2 * 0.3821), abs=ROUNDING)
    assert lengths[np.logical_not(nitrogen)] == pytest.approx(0, abs=ROUNDING)


def test_the_two_branches_of_hafnia():
    """Aramberri and Iniguez (2023), figure 1, by DFT: 54 uC/cm^2 within the cage, -68 through the plane of Hf (midpoint Pbcm),
    two quanta apart; and paths within the cage by Pbca or Pbcn."""
    crystal = materials.hafnia_polar()
    states = {state.centric_midpoint: state for state in find_reversed(crystal, SYMPREC)}
    assert {57, 60, 61} <= states.keys()
    values = {
        group: spontaneous_polarization(state, charges_of(crystal))[2] for group, state in states.items()
    }
    assert abs(values[60]) == pytest.approx(54, abs=3)
    assert values[61] == pytest.approx(values[60])
    assert abs(values[57]) == pytest.approx(68, abs=3)
    quantum = crystal.lattice.c / crystal.volume * E_PER_A2_IN_UC_PER_CM2
    assert abs(values[57] - values[60]) == pytest.approx(2 * quantum)
    assert all(state.framework == ("Hf",) for state in states.values())


@every_crystal
def test_paths_differ_by_whole_quanta(crystal):
    changes = [
        polarization_change(state, charges_of(crystal)) for state in find_reversed(crystal, SYMPREC, limit=6)
    ]
    for change in changes[1:]:
        quanta = (change - changes[0]) * crystal.volume / E_PER_A2_IN_UC_PER_CM2
        steps = quanta @ np.linalg.inv(crystal.lattice.matrix)
        assert steps == pytest.approx(np.round(steps), abs=1e-3)


def test_selenium_jumps_from_one_indium_to_the_other():
    """In the plane by a / sqrt(3), which changes the polarization there by two thirds of a quantum (Ji et al. 2024)."""
    crystal = indium_selenide()
    state = find_reversed(crystal, SYMPREC)[0]
    moves = state.displacements - state.displacements[crystal.indices_from_symbol("In")[0]]
    aside = np.linalg.norm(moves[:, :2], axis=1)
    assert aside == pytest.approx([0, 4.05 / np.sqrt(3), 0, 0, 0], abs=ROUNDING)
    change = polarization_change(state, charges_of(crystal))
    quantum = 4.05 * np.sqrt(3) / crystal.volume * E_PER_A2_IN_UC_PER_CM2  # along [110] of the layer's cell
    assert np.linalg.norm(change[:2]) == pytest.approx(2 / 3 * quantum)
    assert spontaneous_polarization(state, charges_of(crystal))[:2] == pytest.approx(0, abs=ROUNDING)


def test_a_layer_slides_over_the_other():
    """The mirror between the layers reverses them; halfway one lies on the bonds of the other, which is no centric crystal."""
    state = find_reversed(boron_nitride_bilayer(), SYMPREC)[0]
    assert state.framework == ("layer BN",)
    assert state.overlap is None
    assert state.centric_midpoint is None
    moves = state.displacements - state.displacements[0]
    slide = 2.504 / np.sqrt(3)
    assert np.linalg.norm(moves, axis=1) == pytest.approx([0, 0, slide, slide], abs=ROUNDING)
    assert moves[2] == pytest.approx(moves[3], abs=ROUNDING)


def test_atoms_that_run_into_each_other_come_last():
    """Chains of HF in a wide cell: H through its F is the shorter way, over to the next F the free one."""
    length, c = 0.92, 5.0
    chains = Structure(Lattice.tetragonal(4.0, c), ["F", "H"], [[0, 0, 0], [0, 0, length / c]])
    free, crossing = find_reversed(chains, SYMPREC)
    assert free.overlap is None
    assert crossing.overlap is not None
    assert crossing.overlap.startswith("F-H")
    assert free.distortion_max == pytest.approx((c - 2 * length) / 2)
    assert crossing.distortion_max == pytest.approx(length)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(CRYSTALS)), st.integers(0, 2**32 - 1))
def test_rotation_origin_and_order_do_not_matter(name, seed):
    """Scalars stay; the polarization turns with the crystal."""
    rng = np.random.default_rng(seed)
    crystal = CRYSTALS[name]()
    states = find_reversed(crystal, SYMPREC, limit=1)
    turn = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
    order = rng.permutation(len(crystal))
    other = Structure(
        crystal.lattice.matrix @ turn.T,
        [crystal[i].specie for i in order],
        (crystal.frac_coords[order] + rng.uniform(-1, 1, 3)) % 1,
    )
    turned = find_reversed(other, SYMPREC, limit=1)
    assert scalars(turned) == pytest.approx(scalars(states), abs=1e-3)
    expected = turn @ spontaneous_polarization(states[0], charges_of(crystal))
    assert spontaneous_polarization(turned[0], charges_of(other)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "scaling", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [0, -1, 1]]]
)
@pytest.mark.parametrize("name", ["hafnia_polar", "aluminium_nitride", "indium_selenide"])
def test_the_cell_does_not_matter(name, scaling):
    crystal = CRYSTALS[name]()
    larger = crystal * scaling
    states, others = (find_reversed(cell, SYMPREC) for cell in (crystal, larger))
    assert scalars(others) == pytest.approx(scalars(states), abs=1e-3)
    there = displacements_between(others[0].structure, larger)
    assert there == pytest.approx(others[0].displacements, abs=ROUNDING)


def test_bismuth_tellurohalides_turn_over_by_a_mirror():
    """P3m1: inversion is not the only way; a mirror normal to c leaves the columns of atoms where they are. BiTeI, a = 4.339,
    c = 6.854 A, z(Te) = 0.6928, z(I) = 0.2510 (Shevelkov et al., J. Solid State Chem. 114, 379 (1995))."""
    crystal = Structure(
        Lattice.hexagonal(4.339, 6.854),
        ["Bi", "Te", "I"],
        [[0, 0, 0], [2 / 3, 1 / 3, 0.6928], [1 / 3, 2 / 3, 0.2510]],
    )
    states = find_reversed(crystal, SYMPREC)
    assert states[0].operation == "mirror normal to [0 0 1]"
    assert states[0].distortion_max > 2


@pytest.mark.parametrize("make", [materials.silicon, materials.strontium_titanate, materials.titania_rutile])
def test_what_is_not_polar_has_none(make):
    assert find_reversed(make(), SYMPREC) == []


def test_a_limit_holds_and_the_record_is_json():
    crystal = materials.hafnia_polar()
    states = find_reversed(crystal, SYMPREC, limit=2)
    assert len(states) == 2
    record = json.loads(json.dumps(states[0].record()))
    assert record["framework"] == ["Hf"]
    assert record["distortion_max"] == states[0].distortion_max
