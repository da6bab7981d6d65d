"""Electrode against host on the hull: the deepest point of the line that mixes them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.screening.resistive_switching.electrode_reaction import NO_REACTION_EV, electrode_reaction
from insertion_toys import hull_of
from pymatgen.core import Composition

MIXING_EV = 5e-4  # what three looks at 33 points leave of a kink


@settings(max_examples=25, deadline=None)
@given(depth=st.floats(0.01, 2.0))
def test_one_product_is_found_with_its_energy_and_ratio(depth):
    # CuS + Ag -> AgCuS, which lies `depth` below the mean of its atoms
    hull = hull_of(Cu=0.0, S=0.0, Ag=0.0, CuS=-0.5, AgCuS=-0.5 * 2 / 3 - depth)
    found = electrode_reaction(Composition("CuS"), "Ag", hull)
    assert found.energy == pytest.approx(-depth, abs=MIXING_EV)
    assert found.metal_fraction == pytest.approx(1 / 3, abs=1e-3)
    assert "CuAgS" in found.products or "AgCuS" in found.products


def test_a_noble_electrode_on_a_stable_host_does_nothing():
    hull = hull_of(Hf=0.0, O=0.0, Ag=0.0, HfO2=-3.5, Ag2O=-0.1)
    found = electrode_reaction(Composition("HfO2"), "Ag", hull)
    assert (found.energy, found.metal_fraction, found.products) == (0.0, 0.0, ())


def test_reduction_of_the_host_is_a_reaction():
    hull = hull_of(Pb=0.0, O=0.0, Cu=0.0, PbO2=-0.3, PbO=-0.8, CuO=-0.9)
    found = electrode_reaction(Composition("PbO2"), "Cu", hull)
    assert found.energy < -0.2
    assert set(found.products) >= {"PbO", "CuO"} or set(found.products) >= {"Pb", "CuO"}


def test_amounts_do_not_matter_and_the_metal_itself_is_inert():
    hull = hull_of(Cu=0.0, S=0.0, Ag=0.0, CuS=-0.5, AgCuS=-0.6)
    one, many = (electrode_reaction(Composition(f), "Ag", hull) for f in ("CuS", "Cu4S4"))
    assert one.energy == pytest.approx(many.energy)
    assert electrode_reaction(Composition("CuS"), "Cu", hull).energy == 0.0


def test_what_the_host_gains_by_falling_apart_alone_is_no_reaction():
    """CuS3 is not on the hull: it is CuS and sulphur, which silver leaves alone here."""
    hull = hull_of(Cu=0.0, S=0.0, Ag=0.0, CuS=-0.5)
    assert electrode_reaction(Composition("CuS3"), "Ag", hull, energy_per_atom=0.2).energy == 0.0


def test_a_host_that_the_hull_does_not_list_counts_with_its_own_energy():
    hull = hull_of(Sn=0.0, O=0.0, Ag=0.0, SnO=-1.0, AgO=-0.5)
    unlisted = electrode_reaction(Composition("SnO2"), "Ag", hull)
    assert unlisted.energy < -NO_REACTION_EV
    assert electrode_reaction(Composition("SnO2"), "Ag", hull, energy_per_atom=-2.0).energy == 0.0


def test_an_element_without_phases_is_a_sentence():
    found = electrode_reaction(Composition("HfO2"), "Ag", hull_of(Hf=0.0, O=0.0))
    assert "is not known" in found
    assert "Ag" in found


def test_the_record_is_json():
    record = electrode_reaction(Composition("CuS"), "Ag", hull_of(Cu=0.0, S=0.0, Ag=0.0, AgCuS=-0.6)).record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
