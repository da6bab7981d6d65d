"""The band of a hop finds the saddle, the same one however the crystal is written, and in time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.core.errors import InputError
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from hysteron.screening.defects.band import _Points, hop_band
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

SADDLE = 0.4  # eV above the wells, by construction
WELL = 1.0  # A: half the way between the wells
BEND = 0.5  # A: how far the valley lies off the straight way in the middle
SIDE = 4.0  # eV/A^2: stiffness across the valley
CLOSE = 0.003  # eV; what forces of 0.05 eV/A may leave: some times 0.05^2 / (2 SIDE)
RIDGE_CLOSE = 0.02  # eV; likewise, the ends' forces of 0.02 eV/A on a soft atom counted in
AT_REST = 0.003  # eV; likewise, ends and band, of the softer crystal


class BentValley:
    """Two wells at z = -WELL and WELL joined by a valley that bends to x = BEND; x, y, z of Ti against Ba.

    `tilt` raises the second well by that, eV. Implements `Potential`.
    """

    name, energy_scale, model_hash = "bent valley", "toy", "1"

    def __init__(self, pause: float = 0.0, allowed: int = 10**9, tilt: float = 0.0) -> None:
        self.pause, self.allowed, self.tilt = pause, allowed, tilt
        self.batches: list[int] = []

    def calculate(self, structures):
        self.batches.append(len(structures))
        time.sleep(self.pause)
        if len(self.batches) > self.allowed:
            raise InputError("enough of it")
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        apart = structure.cart_coords[1] - structure.cart_coords[0] - 2.5
        energy, gradient = self.valley(*apart)
        return Calculation(energy, np.array([gradient, -gradient]), np.zeros((3, 3)))

    def valley(self, x, y, z):
        t, slope = 1 - (z / WELL) ** 2, -2 * z / WELL**2
        off = x - BEND * t
        s = np.clip((z / WELL + 1) / 2, 0, 1)
        lift, lift_slope = self.tilt * s**2 * (3 - 2 * s), self.tilt * 6 * s * (1 - s) / (2 * WELL)
        energy = SADDLE * t**2 + SIDE * (off**2 + y**2) / 2 + lift
        along = (2 * SADDLE * t - SIDE * off * BEND) * slope + lift_slope
        return float(energy), np.array([SIDE * off, SIDE * y, along])


def crystal(z: float) -> Structure:
    """Ti 2.5 A beside and `z + 2.5` A above Ba."""
    places = [[0.6, 0.6, 0.6], [3.1, 3.1, 3.1 + z]]
    return Structure(Lattice.cubic(8), ["Ba", "Ti"], places, coords_are_cartesian=True)


ENDS = crystal(-WELL), crystal(WELL)


class LennardJones:
    """Argon-like atoms, smoothly cut off; the well is 0.1 eV deep at 3.8 A. Implements `Potential`."""

    name, energy_scale, model_hash = "Lennard-Jones", "toy", "1"
    depth, sigma, cutoff = 0.1, 3.8 / 2 ** (1 / 6), 5.2

    def calculate(self, structures):
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        first, second, shifts, r = structure.get_neighbor_list(self.cutoff)
        vectors = (
            structure.cart_coords[second] - structure.cart_coords[first] + shifts @ structure.lattice.matrix
        )
        six = (self.sigma / r) ** 6
        pair, slope = 4 * self.depth * (six**2 - six), -24 * self.depth * (2 * six**2 - six) / r
        ease = (1 - (r / self.cutoff) ** 2) ** 2
        ease_slope = -4 * r / self.cutoff**2 * (1 - (r / self.cutoff) ** 2)
        pulls = ((slope * ease + pair * ease_slope) / r)[:, None] * vectors
        forces = np.zeros((len(structure), 3))
        np.add.at(forces, first, pulls)
        return Calculation(float(np.sum(pair * ease) / 2), forces, np.zeros((3, 3)))


def vacancy_hop() -> tuple[Structure, Structure]:
    """A nearest-neighbour hop in face-centred cubic argon, 31 atoms in a cubic cell."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.37), ["Ar"], [[0, 0, 0]])
    crystal.make_supercell(2)
    origin = crystal[0].coords
    hopping = min(range(1, 32), key=lambda i: crystal.get_distance(0, i))
    initial = crystal.copy()
    final = crystal.copy()
    final.replace(hopping, "Ar", origin, coords_are_cartesian=True)
    for end in (initial, final):
        end.remove_sites([0])
    return initial, final


def relaxer() -> BatchedRelaxer:
    """Of Lennard-Jones atoms in a fixed cell."""
    return BatchedRelaxer(LennardJones(), RelaxerSettings(cell="fixed", fmax=0.02, workers=1))


@pytest.fixture(scope="module")
def hop():
    """The band of the hop in argon."""
    return hop_band(*vacancy_hop(), LennardJones(), relaxer=relaxer(), max_force=0.02)


@pytest.mark.parametrize("images", [3, 5, 7])
def test_the_band_finds_the_saddle_that_the_straight_path_misses(images):
    band = hop_band(*ENDS, BentValley(), images=images)
    assert band.converged
    assert band.method == f"climbing-image NEB, {images} images, bent valley, converged"
    assert band.notes == ()
    assert band.max_force < 0.15
    assert band.barrier == pytest.approx(SADDLE, abs=CLOSE)
    assert band.reverse_barrier == pytest.approx(SADDLE, abs=CLOSE)
    assert band.activation == pytest.approx(band.barrier)
    assert len(band.energies) == len(band.structures) == len(band.along) == images
    top = band.structures[int(np.argmax(band.energies))]
    assert top.cart_coords[1, 0] - top.cart_coords[0, 0] - 2.5 == pytest.approx(BEND, abs=0.05)
    assert (band.along[0], band.along[-1]) == (0, 1)


def test_the_straight_path_is_higher():
    """So that the test above tests something: x = 0 all along."""
    assert BentValley().valley(0, 0, 0)[0] == pytest.approx(SADDLE + SIDE * BEND**2 / 2)


def test_all_moving_images_are_asked_for_at_once():
    potential = BentValley()
    band = hop_band(*ENDS, potential)
    assert potential.batches[0] == 8  # the ends, and three images on each of two ways to begin
    assert set(potential.batches[1:]) == {3}
    assert band.evaluations == sum(potential.batches)
    assert len(potential.batches) < 25


def test_with_swapped_ends_forward_is_backward():
    tilted = BentValley(tilt=0.15)
    there = hop_band(*ENDS, tilted)
    back = hop_band(*ENDS[::-1], tilted)
    assert there.barrier - there.reverse_barrier == pytest.approx(0.15)
    assert back.barrier == pytest.approx(there.reverse_barrier, abs=CLOSE)
    assert back.reverse_barrier == pytest.approx(there.barrier, abs=CLOSE)


def test_a_hop_between_like_places_is_even(hop):
    assert hop.converged
    assert hop.barrier > 0.1
    assert hop.energies[-1] == pytest.approx(0, abs=1e-3)
    assert hop.energies[1] == pytest.approx(hop.energies[-2], abs=AT_REST)
    assert int(np.argmax(hop.energies)) == 2


@pytest.mark.parametrize("change", ["rotated and permuted", "shifted and wrapped"])
def test_the_barrier_does_not_depend_on_how_the_crystal_is_written(hop, change):
    changed = hop_band(*_changed(vacancy_hop(), change), LennardJones(), relaxer=relaxer(), max_force=0.02)
    assert changed.barrier == pytest.approx(hop.barrier, abs=AT_REST)
    assert changed.energies == pytest.approx(hop.energies, abs=AT_REST)


def _changed(ends, change):
    if change == "rotated and permuted":
        turn = Rotation.from_euler("xyz", [0.3, 1.1, -0.4]).as_matrix()
        order = np.random.default_rng(0).permutation(len(ends[0]))
        species = ends[0].species
        return [
            Structure(Lattice(end.lattice.matrix @ turn), species, end.frac_coords[order]) for end in ends
        ]
    moved = np.array([0.13, 0.41, -0.27])
    first, last = (Structure(end.lattice, end.species, end.frac_coords + moved) for end in ends)
    return first, Structure(last.lattice, last.species, last.frac_coords + np.array([2, 0, -1]))


def test_ends_on_a_ridge_are_relaxed_again_from_the_fallen_host():
    """A host atom that the passing ion pushes off its symmetric place, where it was not at a minimum."""
    potential = Ridge()
    ends = ridge(-WELL), ridge(WELL)
    at_rest = BatchedRelaxer(potential, RelaxerSettings(cell="fixed", fmax=0.02, workers=1))
    stays = hop_band(*ends, potential)
    assert min(stays.energies) < -0.05
    assert stays.activation > stays.barrier + 0.05
    band = hop_band(*ends, potential, relaxer=at_rest)
    assert "fell below both ends" in band.notes[0]
    assert min(band.energies) > -0.01
    assert band.barrier == pytest.approx(potential.barrier(), abs=RIDGE_CLOSE)


class Ridge(BentValley):
    """The valley, beside an oxygen atom with two places, of which the ion prefers one in the middle of its way."""

    name = "ridge"
    push = 0.2  # eV/A

    def _of(self, structure):
        around = structure.cart_coords - structure.cart_coords[0]
        (x, y, z), w = around[1] - 2.5, around[2, 1] - 4
        energy, gradient = self.valley(x, y, z)
        t, slope = 1 - (z / WELL) ** 2, -2 * z / WELL**2
        side = around[2, [0, 2]] - 4
        energy += -(w**2) + w**4 - self.push * w * t + np.sum(side**2)
        gradient[2] -= self.push * w * slope
        other = np.array([2 * side[0], -2 * w + 4 * w**3 - self.push * t, 2 * side[1]])
        forces = np.array([gradient + other, -gradient, -other])
        return Calculation(float(energy), forces, np.zeros((3, 3)))

    def barrier(self) -> float:
        """With oxygen at rest in its lower place all the way."""
        w, z = np.linspace(0, 1.5, 3001)[:, None], np.linspace(-1, 1, 401) * WELL
        t = 1 - (z / WELL) ** 2
        lowest = (-(w**2) + w**4 - self.push * w * t).min(axis=0) + SADDLE * t**2
        return float(lowest.max() - lowest[0])


def ridge(z: float) -> Structure:
    """As `crystal`, with oxygen 4 A off along every axis."""
    places = [[0.6, 0.6, 0.6], [3.1, 3.1, 3.1 + z], [4.6, 4.6, 4.6]]
    return Structure(Lattice.cubic(8), ["Ba", "Ti", "O"], places, coords_are_cartesian=True)


def test_between_images_the_energy_is_followed_by_cubics():
    """A sine with no image at its top; the largest image alone would miss it by a fifth."""
    x = np.array([0.0, 0.3, 0.7, 1.0])
    positions = np.zeros((4, 1, 3))
    positions[:, 0, 0] = x
    forces = np.zeros((4, 1, 3))
    forces[:, 0, 0] = -np.pi * np.cos(np.pi * x)
    points = _Points(crystal(0), positions, np.sin(np.pi * x), forces)
    assert points.energies.max() < 0.82
    assert points.peak == pytest.approx(1, abs=0.01)


def test_a_band_out_of_time_says_what_it_knows():
    band = hop_band(*ENDS, BentValley(pause=0.02), seconds=0.03)
    assert not band.converged
    assert band.method.endswith("stopped after 0.03 s")
    assert "not yet that of the saddle" in band.notes[-1]
    assert band.barrier > SADDLE
    assert band.max_force > 0.05
    assert 0.02 < band.seconds < 1


def test_a_band_out_of_steps_gives_its_best():
    band = hop_band(*ENDS, BentValley(), steps=2)
    assert band.method.endswith("stopped after 2 steps")


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ((ENDS[0], ENDS[0]), "same crystal"),
        ((ENDS[0], ENDS[1].copy().replace(0, "Sr")), "another order"),
        ((ENDS[0], Structure(Lattice.cubic(8.1), ["Ba", "Ti"], ENDS[1].frac_coords)), "differ by 0.100 A"),
    ],
)
def test_ends_that_do_not_correspond_are_a_sentence(ends, says):
    assert says in hop_band(*ends, BentValley())


def test_a_band_without_images_between_is_a_sentence():
    assert "at least one lies between" in hop_band(*ENDS, BentValley(), images=2)


def test_a_refusal_of_the_potential_is_a_sentence():
    assert "enough of it" in hop_band(*ENDS, BentValley(allowed=0))
    assert "enough of it" in hop_band(*ENDS, BentValley(allowed=3))


def test_an_end_that_is_not_at_rest_is_told():
    band = hop_band(crystal(-0.8), ENDS[1], BentValley())
    assert "not at rest" in band.notes[0]


def test_an_end_that_cannot_be_relaxed_is_a_sentence():
    refuses = BatchedRelaxer(BentValley(allowed=0), RelaxerSettings(cell="fixed", workers=1))
    assert "first end could not be relaxed" in hop_band(*ENDS, BentValley(), relaxer=refuses)
