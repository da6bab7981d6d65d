"""Energies along a straight path: ends, barriers, units, and what is said of a path not to be believed."""

from __future__ import annotations

import json

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.contracts import Calculation
from hysteron.core.errors import InputError
from hysteron.screening.ferroelectric.matching import Match
from hysteron.screening.ferroelectric.path import best_matches, linear_profiles, tilted
from pymatgen.core import Lattice, Structure
from screening_toys import ToyPotential

EXACT = 1e-9
"""meV/atom; the toy's energies are polynomials."""


class Landau:
    """Energy of each Ti from the height z (A) of its cell's Ti above the middle: a polynomial, eV per Ti."""

    name, energy_scale, model_hash = "Landau", "toy", "1"

    def __init__(self, *coefficients: float) -> None:
        self.polynomial = np.polynomial.Polynomial(coefficients)
        self.batches: list[int] = []

    def calculate(self, structures):
        self.batches.append(len(structures))
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        titanium = [i for i, site in enumerate(structure) if site.specie.symbol == "Ti"]
        heights = structure.cart_coords[titanium, 2] - 2.0
        nothing = np.zeros((len(structure), 3)), np.zeros((3, 3))
        return Calculation(float(self.polynomial(heights).sum()), *nothing)


def crystal(height: float) -> Structure:
    """BaTiO3-like, 4 A cubic, Ti `height` A above the middle."""
    coords = [[0, 0, 0], [0.5, 0.5, 0.5 + height / 4], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(4), ["Ba", "Ti", "O", "O", "O"], coords)


DOUBLE_WELL = (0.0, 0.0, -1.0, 0.0, 5.0)
"""eV/A^n; minima at z = sqrt(1/10) A, 0.05 eV deep."""
MINIMUM = np.sqrt(0.1)


def test_the_double_well_from_its_middle():
    profile = linear_profiles([(crystal(0), crystal(MINIMUM))], Landau(*DOUBLE_WELL))[0]
    assert profile.kind == "linear"
    assert len(profile.fractions) >= 9
    assert (profile.fractions[0], profile.fractions[-1]) == (0, 1)
    assert profile.difference == pytest.approx(-10.0, abs=EXACT)  # 0.05 eV over 5 atoms
    assert profile.barrier == pytest.approx(10.0, abs=EXACT)
    assert profile.barrier_per_formula_unit == pytest.approx(0.05)
    assert profile.difference_per_formula_unit == pytest.approx(-0.05)
    assert (profile.highest_at, profile.hill) == (0, 0)
    assert profile.notes == ()


def test_from_one_polar_state_to_the_other_the_middle_is_the_top():
    profile = linear_profiles([(crystal(-MINIMUM), crystal(MINIMUM))], Landau(*DOUBLE_WELL))[0]
    assert profile.difference == pytest.approx(0, abs=EXACT)
    assert profile.barrier == profile.backward_barrier == pytest.approx(10.0, abs=EXACT)
    assert profile.highest_at == 0.5
    assert profile.energies == pytest.approx(profile.energies[::-1], abs=EXACT)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.floats(-0.3, 0.3), st.floats(0.01, 0.3))
def test_forward_minus_backward_is_the_difference_of_the_ends(coefficients, start, length):
    ends = crystal(start), crystal(start + length)
    potential = Landau(*coefficients)
    there, back = linear_profiles([ends, ends[::-1]], potential)
    energies = [calculation.energy for calculation in potential.calculate(ends)]
    expected = 1000 * (energies[0] - energies[1]) / 5
    assert there.barrier - there.backward_barrier == pytest.approx(expected, abs=1e-6)
    assert there.difference == pytest.approx(-expected, abs=1e-6)
    assert there.barrier >= 0 <= there.backward_barrier
    assert back.barrier == pytest.approx(there.backward_barrier, abs=1e-6)
    assert back.difference == pytest.approx(-there.difference, abs=1e-6)


def test_two_more_images_close_in_on_the_highest_one():
    """A first-order well: the top, at z^2 = 1/15 of what z is in A at the end, lies between two of the images."""
    potential = Landau(0, 0, 2.0, 0, -22.0, 0, 40.0)
    ends = crystal(0), crystal(0.55)
    top = potential.polynomial(np.linspace(0, 0.55, 100_001)).max()
    profile = linear_profiles([ends], potential)[0]
    coarse = max(potential.polynomial(np.linspace(0, 0.55, 9)))
    reached = (profile.barrier / 200 - potential.polynomial(0.0) + potential.polynomial(0.55)).item()
    assert len(profile.fractions) == 11
    assert list(profile.fractions) == sorted(profile.fractions)
    assert coarse < reached <= top + 1e-12
    assert top - reached < (top - coarse) / 2


def test_all_candidates_share_two_batches_and_a_refusal_stops_no_other():
    potential = ToyPotential()
    tetragonal, cubic = materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
    ends = [(cubic, tetragonal), (crystal(0), crystal(0.2))]
    profiles = linear_profiles(ends, potential)
    assert potential.batches == [18, 4]
    xenon = tuple(end.copy() for end in ends[0])
    for end in xenon:
        end.replace_species({"Ba": "Xe"})
    unlike = (materials.strontium_titanate(), tetragonal)
    first, refused, unmatched, last = linear_profiles([ends[0], xenon, unlike, ends[1]], potential)
    assert "does not know xenon" in refused
    assert "same atoms in the same order" in unmatched
    assert [first, last] == profiles


def test_no_candidates_give_no_profiles():
    assert linear_profiles([], ToyPotential()) == []


def test_per_atom_and_per_formula_unit_values_do_not_depend_on_the_cell():
    potential = Landau(*DOUBLE_WELL)
    ends = crystal(0), crystal(0.25)
    single, double = linear_profiles([ends, tuple(end * [1, 2, 1] for end in ends)], potential)
    assert (double.nsites, double.formula_units) == (10, 2)
    for name in ("barrier", "difference", "barrier_per_formula_unit", "difference_per_formula_unit"):
        assert getattr(double, name) == pytest.approx(getattr(single, name), abs=EXACT)


@pytest.mark.parametrize(("hill", "flagged"), [(15, False), (25, True)])
def test_a_high_hill_is_told(hill, flagged):
    """A hill of so many meV/atom in the middle of two even ends: 16 h (z / w)^2 (1 - z / w)^2."""
    width, height = 0.4, 5 * hill / 1000
    parabola = np.polynomial.Polynomial([0, 1 / width]) * np.polynomial.Polynomial([1, -1 / width])
    potential = Landau(*(16 * height * parabola**2).coef)
    profile = linear_profiles([(crystal(0), crystal(width))], potential)[0]
    assert profile.hill == pytest.approx(hill)
    assert bool(profile.notes) == flagged
    if flagged:
        assert "rises 25 meV/atom above both its ends: an upper bound" in profile.notes[0]


def test_a_hill_between_two_polar_states_is_what_was_looked_for():
    ends = crystal(-MINIMUM), crystal(MINIMUM)
    deep = Landau(0, 0, -4.0, 0, 20.0)  # 0.2 eV: 40 meV/atom
    told, meant = (linear_profiles([ends], deep, between_polar_states=flags)[0] for flags in (None, [True]))
    assert told.hill == meant.hill == pytest.approx(40)
    assert len(told.notes) == 1
    assert meant.notes == ()


def choice(*heights):
    """Pairings of `crystal(0.2)` whose straight paths start at these heights; their sums ascend."""
    return [Match(crystal(height), np.zeros((5, 3)), np.arange(5)) for height in heights]


def test_of_several_pairings_the_lowest_path_is_taken_in_one_batch():
    """Energy rises with z^2: a path that starts at 0 A stays lower than one that starts at 0.6 A."""
    potential = Landau(0, 0, 1.0)
    choices = [choice(0.6, 0.0, 0.3), choice(0.6), [], choice(0.0, 0.6)]
    best = best_matches(choices, [crystal(0.2)] * 4, potential)
    assert best[0] is choices[0][1]
    assert best[1] is choices[1][0]
    assert best[2] is None
    assert best[3] is choices[3][0]
    assert potential.batches == [15]


def test_a_longer_pairing_must_be_clearly_lower():
    potential = Landau(0, 0, 0.01)  # a path may start 0.01 * 0.6^2 eV higher: 0.7 meV/atom
    choices = [choice(0.6, 0.0)]
    assert best_matches(choices, [crystal(0.2)], potential)[0] is choices[0][0]


def test_where_the_potential_refuses_the_shortest_pairing_stands():
    class Refuses(Landau):
        def calculate(self, structures):
            raise InputError("no such crystal")

    choices = [choice(0.6, 0.0)]
    assert best_matches(choices, [crystal(0.2)], Refuses(0.0))[0] is choices[0][0]


def test_atoms_that_pass_through_each_other_are_told():
    """Two oxygens that change places meet in the middle."""
    lattice = Lattice.cubic(6)
    here, there = (Structure(lattice, ["O", "O"], [[x, 0.5, 0.5], [1 - x, 0.5, 0.5]]) for x in (0.3, 0.7))
    profile = linear_profiles([(here, there)], Landau(0.0))[0]
    assert "O-O" in profile.notes[0]
    assert "too close" in profile.notes[0]


def test_the_record_is_json_and_holds_both_units():
    profile = linear_profiles([(crystal(0), crystal(MINIMUM))], Landau(*DOUBLE_WELL))[0]
    record = json.loads(json.dumps(profile.record()))
    assert record["energies"] == list(profile.energies)
    assert record["barrier"] == pytest.approx(5 * record["barrier_per_atom"] / 1000)
    assert record["kind"] == "linear"


def test_a_tilted_profile_has_the_difference_asked_for_and_keeps_its_polar_end():
    profile = linear_profiles([(crystal(0), crystal(MINIMUM))], Landau(*DOUBLE_WELL))[0]
    other = tilted(profile, profile.difference - 3.0)
    assert other.difference == pytest.approx(profile.difference - 3.0)
    assert other.energies[-1] == 0
    assert other.barrier - other.backward_barrier == pytest.approx(-other.difference)
    halfway = profile.fractions.index(0.5)
    assert other.energies[halfway] == pytest.approx(profile.energies[halfway] + 1.5)
    assert tilted(profile, profile.difference).energies == pytest.approx(profile.energies)
