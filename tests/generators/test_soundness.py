"""What is handed out: no atoms on one another, the space group that was written."""

import materials
import pytest
from hysteron.generators.soundness import (
    NO_CELL,
    OTHER_GROUP,
    TOO_NEAR,
    examined,
    overlaps,
    spacegroup_number,
)
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal
from hysteron.generators.wyckoff.encode import encode


def perovskite(z: float = 0.0, a: float = 4.0) -> WyckoffCrystal:
    """BaTiO3 in P4mm whose titanium is z above the middle; with z = 0 it is cubic."""
    orbits = [("Ba", "a", 0.0), ("Ti", "b", 0.5 + z), ("O", "b", 0.0), ("O", "c", 0.5)]
    return WyckoffCrystal(99, tuple(Orbit(e, letter, (h,)) for e, letter, h in orbits), (a, a))


def test_a_sound_crystal_is_its_primitive_cell():
    structure, reason = examined(encode(materials.barium_titanate_tetragonal()))
    assert structure is not None
    assert not reason
    assert structure.composition.reduced_formula == "BaTiO3"
    assert spacegroup_number(structure) == 99


@pytest.mark.parametrize(
    ("crystal", "reason"),
    [
        (perovskite(0.0), OTHER_GROUP),
        (perovskite(0.45), TOO_NEAR),
        (perovskite(0.03, a=0.3), NO_CELL),
        (perovskite(0.03, a=40.0), NO_CELL),
    ],
)
def test_what_is_not_sound_says_why(crystal, reason):
    assert examined(crystal) == (None, reason)


def test_a_displaced_titanium_keeps_the_group():
    structure, _ = examined(perovskite(0.03))
    assert structure is not None


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.55])
def test_atoms_overlap_below_half_their_covalent_radii(scale):
    """Si-Si is 2.35 A, twice the covalent radius of 1.11 A is 2.22 A."""
    silicon = materials.silicon()
    silicon.scale_lattice(silicon.volume * scale**3)
    assert overlaps(silicon) == (2.352 * scale < 0.5 * 2.22)


def test_an_image_in_the_next_cell_counts():
    silicon = materials.silicon()
    one = silicon.copy()
    one.remove_sites([1])
    one.scale_lattice(0.9)
    assert overlaps(one)
