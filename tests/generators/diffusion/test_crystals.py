"""What is handed out: cells, overlaps, charges, and the symmetry that is found in what was made without."""

import diffusion_toys as toys
import materials
import numpy as np
import pytest
from hysteron.core.identity import same_crystal
from hysteron.generators.diffusion.crystals import (
    NOT_NEUTRAL,
    examined_plain,
    examined_symmetric,
    settled,
    structures_of,
    symmetric_crystals,
)
from hysteron.generators.soundness import NO_CELL, TOO_NEAR, spacegroup_number
from pymatgen.core import Lattice, Structure

KNOWN = [
    (materials.barium_titanate_tetragonal, 99),
    (materials.hafnia_polar, 29),
    (materials.titania_rutile, 136),
    (materials.silicon, 227),
    (materials.lithium_niobate, 161),
]


def shaken(structure: Structure, size: float, seed: int = 0) -> Structure:
    rng = np.random.default_rng(seed)
    strained = Lattice(structure.lattice.matrix @ (np.eye(3) + size / 10 * rng.standard_normal((3, 3))))
    moved = Structure(strained, structure.species, structure.frac_coords)
    moved.perturb(size)
    return moved


@pytest.mark.parametrize(("material", "number"), KNOWN)
def test_a_little_noise_is_settled_away(material, number):
    np.random.seed(0)
    noisy = shaken(material(), 0.015)
    assert spacegroup_number(noisy) != number
    calm = settled(noisy)
    assert spacegroup_number(calm) == number
    assert calm.composition.reduced_formula == noisy.composition.reduced_formula
    assert len(calm) <= len(noisy)


def test_the_polar_distortion_of_barium_titanate_survives():
    """Its atoms stand about as far from the cubic places as the tolerance reaches; smaller distortions are lost."""
    calm = settled(materials.barium_titanate_tetragonal())
    assert same_crystal(calm, materials.barium_titanate_tetragonal())


def test_what_is_not_sound_says_why():
    salt = materials.sodium_chloride()
    assert examined_plain(salt, False)[0] is not None
    flat = Structure(Lattice.cubic(60.0), salt.species, salt.frac_coords)
    assert examined_plain(flat, False) == (None, NO_CELL)
    near = salt.copy()
    near.translate_sites([0], near[1].frac_coords - near[0].frac_coords + 0.02)
    assert examined_plain(near, False) == (None, TOO_NEAR)
    charged = Structure(Lattice.cubic(5.0), ["Na", "Na", "Na", "Cl"], np.eye(4)[:, :3] / 2)
    assert examined_plain(charged, False) == (None, NOT_NEUTRAL)
    assert examined_plain(charged, True)[0] is not None
    assert examined_symmetric(None) == (None, NO_CELL)


@pytest.mark.parametrize("symmetric", [True, False])
def test_batches_and_structures_are_the_same_crystals(symmetric):
    for name, structure in zip(toys.CRYSTALS, structures_of(toys.batch_of(symmetric)), strict=True):
        assert same_crystal(structure, getattr(materials, name)()), name


def test_a_cell_that_is_none_is_told():
    batch = toys.batch_of(True, ("hafnia_monoclinic",))
    broken = batch.but(lattice=batch.lattice * 0 + float("nan"))
    assert symmetric_crystals(broken, [toys.crystal("hafnia_monoclinic")]) == [None]
