"""Both ends at rest, or neither; and what is said of an end that is no longer what it was."""

from __future__ import annotations

import json

import materials
import numpy as np
import pytest
from hysteron.core.contracts import Relaxation, Tools
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from hysteron.screening.ferroelectric.ends import relax_ends
from hysteron.screening.ferroelectric.path import linear_profiles
from pair_potential import PairPotential
from pymatgen.core import Lattice, Structure

ROUNDING = 1e-6
"""A; coordinates pass through a few matrix products in double precision."""


class Scripted:
    """A relaxer that does with each structure what it is told; keeps what it was handed."""

    potential = None
    version = "scripted"

    def __init__(self, *outcomes) -> None:
        self.outcomes = outcomes
        self.calls: list[list[Structure]] = []

    def relax(self, structures, on_done=None):
        self.calls.append(list(structures))
        return [self._one(s, outcome) for s, outcome in zip(structures, self.outcomes, strict=True)]

    @staticmethod
    def _one(structure, outcome):
        if isinstance(outcome, str):
            return Relaxation(None, None, None, 0, False, outcome)
        if isinstance(outcome, Relaxation):
            return outcome
        return Relaxation(outcome(structure), -1.0, 0.01, 3, True)


def as_it_is(structure):
    return structure.copy()


def becomes(structure):
    return lambda _: structure


def titanate():
    return materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()


def pairs_relaxer(symmetry: bool) -> BatchedRelaxer:
    return BatchedRelaxer(PairPotential(), RelaxerSettings(fmax=1e-3, symmetry=symmetry, workers=1))


def rock_salt(shift: float) -> Structure:
    """NaCl, primitive cell; Cl moved along [111] by a fraction of the diagonal: R3m, as GeTe is."""
    lattice = Lattice([[0, 2.1, 2.1], [2.1, 0, 2.1], [2.1, 2.1, 0]])
    return Structure(lattice, ["Na", "Cl"], [[0, 0, 0], [0.5 + shift] * 3])


def test_barium_titanate_stays_polar_and_cubic():
    """CHGNet; DFT of Smidt et al. 2020: -11.3 meV/atom, 0.15 A. Below: this potential was made on such relaxations."""
    potential = CHGNetPotential()
    tools = Tools(
        potential=potential,
        relaxer=BatchedRelaxer(potential, RelaxerSettings(workers=1)),
        parent_relaxer=BatchedRelaxer(potential, RelaxerSettings(symmetry=True, workers=1)),
    )
    ends = relax_ends([titanate()], tools)[0]
    assert (ends.tight.spacegroup_number, ends.parent_symmetry.spacegroup_number) == (99, 221)
    assert ends.relaxed
    assert not ends.collapsed
    assert not ends.reversed
    assert ends.method == "ends relaxed, parent held in Pm-3m"
    assert ends.notes == ()
    assert ends.distortion_max == pytest.approx(0.15, abs=0.05)
    profile = linear_profiles([(ends.parent, ends.polar)], potential)[0]
    assert profile.difference == pytest.approx(-11.3, abs=3)
    assert profile.barrier == pytest.approx(-profile.difference, abs=1)


def test_a_polar_end_that_collapses_is_told():
    """Morse bonds like rock salt: the polar distortion heals."""
    tools = Tools(relaxer=pairs_relaxer(False), parent_relaxer=pairs_relaxer(True))
    ends = relax_ends([(rock_salt(0), rock_salt(0.03))], tools)[0]
    assert ends.collapsed
    assert ends.loose.spacegroup_number == 225
    assert "relaxes from R3m (160) to Fm-3m (225), not polar" in ends.notes[0]
    assert ends.distortion_max < 0.02


def test_a_plain_relaxer_will_do_where_the_parent_keeps_its_group():
    ends = relax_ends([(rock_salt(0), rock_salt(0.03))], Tools(relaxer=pairs_relaxer(False)))[0]
    assert ends.relaxed
    assert ends.method == "ends relaxed, parent found again in Fm-3m"
    assert ends.parent_symmetry.spacegroup_number == 225


def test_without_a_relaxer_the_ends_stay():
    cubic, polar = titanate()
    ends = relax_ends([(cubic, polar)], Tools())[0]
    assert (ends.relaxed, ends.method, ends.notes) == (False, "ends unrelaxed", ())
    assert not ends.collapsed
    assert ends.polar == polar
    assert ends.parent.lattice == cubic.lattice


def test_a_parent_that_loses_its_group_leaves_both_ends_as_they_were():
    cubic, polar = titanate()
    tools = Tools(relaxer=_by_formula({"polar": as_it_is, "nonpolar": becomes(polar)}, polar))
    ends = relax_ends([(cubic, polar)], tools)[0]
    assert not ends.relaxed
    assert ends.method == "ends unrelaxed"
    assert "relaxes out of Pm-3m (221) into P4mm (99)" in ends.notes[0]


def _by_formula(outcomes, polar):
    class Chooses(Scripted):
        def relax(self, structures, on_done=None):
            return [
                self._one(s, outcomes["polar" if s.lattice == polar.lattice else "nonpolar"])
                for s in structures
            ]

    return Chooses()


@pytest.mark.parametrize("broken", ["relaxer", "parent_relaxer"])
def test_an_end_that_cannot_be_relaxed_leaves_both_as_they_were(broken):
    relaxers = {"relaxer": Scripted(as_it_is), "parent_relaxer": Scripted(as_it_is)}
    relaxers[broken] = Scripted("BaTiO3: the cell is empty; given up at step 3.")
    ends = relax_ends([titanate()], Tools(**relaxers))[0]
    assert not ends.relaxed
    assert "given up at step 3" in ends.notes[0]
    assert "polar end" in ends.notes[0] if broken == "relaxer" else "nonpolar parent" in ends.notes[0]


def test_ends_that_drift_too_far_apart_are_left_as_they_were():
    """The relaxed cell is twice as long: no longer two ends of one path."""
    cubic, polar = titanate()
    stretched = Structure(Lattice.tetragonal(4, 8), polar.species, polar.frac_coords)
    far = polar.copy().translate_sites([1], [0.5, 0.5, 0.5])
    tools = Tools(relaxer=Scripted(becomes(far)), parent_relaxer=Scripted(as_it_is))
    ends = relax_ends([(cubic, polar)], tools)[0]
    assert not ends.relaxed
    assert "site 1" in ends.notes[0]
    assert linear_profiles([(cubic, stretched)], PairPotential())[0].startswith("The lattice")


def test_another_polar_group_is_told():
    cubic, polar = titanate()
    rhombohedral = materials.barium_titanate_rhombohedral()
    tools = Tools(relaxer=Scripted(becomes(rhombohedral)), parent_relaxer=Scripted(as_it_is))
    ends = relax_ends([(cubic, polar)], tools)[0]
    assert ends.relaxed
    assert not ends.collapsed
    assert ends.notes == ("The polar end relaxes from P4mm (99) to R3m (160), another polar group.",)


def test_an_end_not_at_rest_is_told():
    cubic, polar = titanate()
    slow = Relaxation(polar, -1.0, 0.3, 300, False, note="Not converged after 300 steps.")
    tools = Tools(relaxer=Scripted(slow), parent_relaxer=Scripted(as_it_is))
    ends = relax_ends([(cubic, polar)], tools)[0]
    assert ends.relaxed
    assert ends.notes == ("The polar end is not at rest: Not converged after 300 steps.",)


def test_a_reversed_state_relaxes_freely_beside_the_polar_one():
    _, polar = titanate()
    back = Structure(polar.lattice, polar.species, -polar.frac_coords, to_unit_cell=True)
    free, held = Scripted(as_it_is, as_it_is), Scripted()
    ends = relax_ends([(back, polar)], Tools(relaxer=free, parent_relaxer=held))[0]
    assert ends.reversed
    assert ends.relaxed
    assert ends.method == "both polar ends relaxed"
    assert [len(call) for call in free.calls] == [2]
    assert held.calls == []
    # Harada et al. 1970: Ti and O(1) part by 0.0468 c in each of the two states.
    assert ends.displacements[1, 2] - ends.displacements[2, 2] == pytest.approx(2 * 0.0468 * 4.0335)


def test_many_pairs_take_one_call_of_each_relaxer_in_order():
    cubic, polar = titanate()
    unlike = (materials.strontium_titanate(), polar)
    back = Structure(polar.lattice, polar.species, -polar.frac_coords, to_unit_cell=True)
    free, held = Scripted(*[as_it_is] * 3), Scripted(*[as_it_is] * 2)  # one polar end stands in two pairs
    pairs = [(cubic, polar), unlike, (back, polar), (rock_salt(0), rock_salt(0.03))]
    first, refused, reversed_, last = relax_ends(pairs, Tools(relaxer=free, parent_relaxer=held))
    assert (len(free.calls), len(held.calls)) == (1, 1)
    assert "same atoms in the same order" in refused
    assert (first.parent_symmetry.spacegroup_number, first.tight.spacegroup_number) == (221, 99)
    assert (reversed_.parent_symmetry.spacegroup_number, reversed_.tight.spacegroup_number) == (99, 99)
    assert (last.parent_symmetry.spacegroup_number, last.tight.spacegroup_number) == (225, 160)


def test_no_drift_is_left_between_the_ends():
    cubic, polar = titanate()
    drifted = polar.copy().translate_sites(range(5), [0.02, 0, 0.1], to_unit_cell=False)
    tools = Tools(relaxer=Scripted(becomes(drifted)), parent_relaxer=Scripted(as_it_is))
    ends = relax_ends([(cubic, polar)], tools)[0]
    moves = ends.polar.frac_coords - ends.parent.frac_coords
    assert np.abs(moves.mean(axis=0)).max() < ROUNDING
    assert moves @ ends.polar.lattice.matrix == pytest.approx(ends.displacements, abs=ROUNDING)


def test_the_record_is_json():
    tools = Tools(relaxer=pairs_relaxer(False), parent_relaxer=pairs_relaxer(True))
    record = json.loads(json.dumps(relax_ends([(rock_salt(0), rock_salt(0.03))], tools)[0].record()))
    assert record["polar"]["collapsed"] is True
    assert [record["polar"]["tight"]["symprec"], record["polar"]["symprec"]] == [0.01, 0.05]
