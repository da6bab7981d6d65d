"""The ions of a filled crystal are those that a chemist would name, and its volume follows them."""

import materials
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.oxidation import COMPOSITION_METHOD
from hysteron.generators.tokens.fitting import (
    CONSTANT_CHARGE,
    SOME_NEUTRAL_STATES,
    SPREAD_OF_SCALING,
    SPREAD_UNKNOWN,
    Fitting,
    scaled,
)
from hysteron.generators.wyckoff.decode import decode
from hysteron.generators.wyckoff.encode import encode


def fitting(make) -> Fitting:
    return Fitting(Candidate("template", make()))


@pytest.mark.parametrize(
    ("symbols", "states", "origin"),
    [
        ("Pb Ti O O O", {"Pb": 2, "Ti": 4, "O": -2}, COMPOSITION_METHOD),
        ("La Ti O O O", {"La": 3, "Ti": 3, "O": -2}, COMPOSITION_METHOD),
        ("Ba Fe O O O", {"Ba": 2, "Fe": 4, "O": -2}, CONSTANT_CHARGE),
        ("K Ti O O O", {"K": 1, "Ti": 2, "O": -1}, SOME_NEUTRAL_STATES),
        ("Ba He O O O", None, ""),
    ],
)
def test_states(symbols, states, origin):
    assert fitting(materials.barium_titanate_cubic).states(symbols.split()) == (states, origin)


def test_a_larger_ion_needs_more_room():
    """BaZrO3 a = 4.192 A (Levin et al. 2003), BaTiO3 a = 4.012 A."""
    titanate = fitting(materials.barium_titanate_cubic)
    symbols = ["Ba", "Zr", "O", "O", "O"]
    factor, method = titanate.volume_factor(symbols, titanate.states(symbols)[0])
    assert factor == pytest.approx((4.192 / 4.012) ** 3, abs=0.06)
    assert method == "Shannon radii, bond valences"
    assert titanate.volume_spread == SPREAD_OF_SCALING


def test_what_is_not_known_is_not_scaled():
    assert fitting(materials.barium_titanate_cubic).volume_factor(["Ba", "He", "O", "O", "O"], None) == (
        1.0,
        "not scaled",
    )
    metal = fitting(materials.iron_one_atom)
    assert metal.volume_factor(["Cr"], {"Cr": 0}) == (1.0, "not scaled")
    assert metal.volume_spread == SPREAD_UNKNOWN


@pytest.mark.parametrize("make", [materials.hafnia_monoclinic, materials.lithium_niobate, materials.silicon])
def test_scaling_changes_the_volume_and_no_angle(make):
    crystal = encode(make())
    larger = scaled(crystal, 1.2)
    assert decode(larger).volume == pytest.approx(1.2 * decode(crystal).volume)
    assert decode(larger).lattice.angles == pytest.approx(decode(crystal).lattice.angles)
    assert larger.orbits == crystal.orbits
