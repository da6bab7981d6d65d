"""A space group that is asked for is kept, exactly, in any setting of the cell."""

import numpy as np
import pytest
from hysteron.core.errors import StructureError
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from hysteron.predictors.relaxation.symmetry import SYMPREC_ANGSTROM, symmetric_lattice, symmetry_of
from materials import (
    barium_titanate_tetragonal,
    hafnia_polar,
    silicon,
    sodium_chloride,
    strontium_titanate,
    titania_rutile,
    zinc_oxide,
)
from pair_potential import PairPotential
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

TIGHT = 1e-3  # A
ROUNDING = 1e-9
KNOWN = {
    "perovskite": (strontium_titanate, 221),
    "wurtzite": (zinc_oxide, 186),
    "rutile": (titania_rutile, 136),
    "polar hafnia": (hafnia_polar, 29),
}


def group(structure, symprec=TIGHT):
    return SpacegroupAnalyzer(structure, symprec=symprec).get_space_group_number()


def noisy(structure, size):
    rng = np.random.default_rng(2)
    moved = structure.copy()
    for i in range(len(moved)):
        moved.translate_sites([i], rng.normal(scale=size, size=3), frac_coords=False)
    return moved


def symmetrically_distorted(structure):
    """Another geometry of the same group: a move of the atoms and a strain, projected on it."""
    rng = np.random.default_rng(7)
    symmetry = symmetry_of(Cell.from_structure(structure))
    strain = rng.normal(scale=0.03, size=(3, 3))
    deform = np.eye(3) + symmetry.of_tensor(strain + strain.T)
    moves = symmetry.of_vectors(rng.normal(scale=0.2, size=(len(structure), 3)))
    positions = (symmetry.cell.positions + moves) @ deform
    return Structure(symmetry.cell.lattice @ deform, structure.species, positions, coords_are_cartesian=True)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("method", ["bfgs", "fire"])
def test_the_group_is_kept(name, method):
    make, number = KNOWN[name]
    start = symmetrically_distorted(make())
    assert group(start) == number
    settings = RelaxerSettings(method=method, symmetry=True, workers=1, steps=12)
    (found,) = BatchedRelaxer(PairPotential(), settings).relax([start])
    assert found.steps > 3
    assert group(found.structure) == number
    assert group(found.structure, 1e-6) == number


def test_the_group_is_kept_where_single_precision_would_lose_it():
    relaxer = BatchedRelaxer(CHGNetPotential(), RelaxerSettings(symmetry=True, workers=1))
    for found in relaxer.relax([symmetrically_distorted(make()) for make in (hafnia_polar, zinc_oxide)]):
        assert found.converged
        assert group(found.structure, 1e-6) == (29 if len(found.structure) == 12 else 186)


def test_cubic_stays_cubic_and_has_one_number_to_move():
    assert symmetry_of(Cell.from_structure(strontium_titanate())).parameters == 1
    settings = RelaxerSettings(symmetry=True, workers=1)
    (found,) = BatchedRelaxer(PairPotential(), settings).relax([strontium_titanate()])
    assert found.structure.lattice.a == pytest.approx(found.structure.lattice.c, rel=ROUNDING)
    assert found.structure.lattice.angles == pytest.approx((90, 90, 90), abs=1e-7)
    assert found.structure.volume != pytest.approx(strontium_titanate().volume, rel=0.01)


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (titania_rutile, 3),  # a, c, u
        (zinc_oxide, 4),  # a, c, z of both: the origin along c is free
        (barium_titanate_tetragonal, 6),  # a, c, and z of Ba, Ti and two kinds of O
        (hafnia_polar, 12),  # a, b, c, and three general positions
    ],
)
def test_free_parameters(make, parameters):
    symmetry = symmetry_of(Cell.from_structure(make()))
    assert symmetry.parameters == parameters
    assert np.allclose(symmetry.vectors @ symmetry.vectors, symmetry.vectors)
    assert np.allclose(symmetry.tensors @ symmetry.tensors, symmetry.tensors)


@pytest.mark.parametrize(
    "scaling", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]], [[1, 0, 0], [1, 1, 0], [2, -1, 1]]]
)
@pytest.mark.parametrize("make", [titania_rutile, sodium_chloride])
def test_any_cell_of_the_crystal_will_do(make, scaling):
    """A noisy, non-primitive or skewed cell has the group of the crystal, and keeps it."""
    crystal = make() * scaling
    start = noisy(crystal, SYMPREC_ANGSTROM / 20)
    number = group(make())
    symmetry = symmetry_of(Cell.from_structure(start))
    assert symmetry.spacegroup_number == number
    assert symmetry.cell.volume == pytest.approx(start.volume, rel=ROUNDING)
    assert symmetry.parameters == symmetry_of(Cell.from_structure(make())).parameters
    exact = Structure(
        symmetry.cell.lattice, start.species, symmetry.cell.positions, coords_are_cartesian=True
    )
    assert group(exact, 1e-6) == number
    moved = symmetry.cell.positions - start.cart_coords
    assert np.linalg.norm(moved, axis=1).max() < SYMPREC_ANGSTROM
    settings = RelaxerSettings(symmetry=True, workers=1, steps=5)
    (found,) = BatchedRelaxer(PairPotential(), settings).relax([start])
    assert group(found.structure, 1e-6) == number


def test_forces_that_keep_the_group_pass_and_others_do_not():
    symmetry = symmetry_of(Cell.from_structure(titania_rutile()))
    forces = np.random.default_rng(0).normal(size=(6, 3))
    kept = symmetry.of_vectors(forces)
    assert symmetry.of_vectors(kept) == pytest.approx(kept)
    assert np.allclose(kept[:2], 0)  # the cation has no free coordinate
    assert np.allclose(kept[2:, 2], 0)
    assert np.allclose(np.abs(kept[2:, 0]), np.abs(kept[2:, 1]))
    assert not np.allclose(kept[2:, 0], 0)


def test_fixed_volume_and_symmetry_go_together():
    start = symmetrically_distorted(titania_rutile())
    settings = RelaxerSettings(symmetry=True, cell="volume", workers=1, steps=20)
    (found,) = BatchedRelaxer(PairPotential(), settings).relax([start])
    assert found.structure.volume == pytest.approx(start.volume, rel=1e-8)
    assert group(found.structure, 1e-6) == 136


def test_the_metric_is_made_symmetric_not_the_orientation():
    turned = silicon().lattice.matrix @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    rotations = np.array([np.eye(3)])
    assert symmetric_lattice(turned, rotations) == pytest.approx(turned)


def test_overlapping_atoms_are_a_sentence():
    double = Structure(np.eye(3) * 4, ["Si", "Si"], [[0, 0, 0], [0, 0, 0]])
    with pytest.raises(StructureError, match="space group"):
        symmetry_of(Cell.from_structure(double))
