"""CHGNet 0.2.0: what physics demands, and a quiet standard output."""

import numpy as np
import pytest
from hysteron.core.errors import InputError, StructureError
from hysteron.predictors.chgnet.earlier import EarlierCHGNet
from hysteron.predictors.chgnet.potential import CHGNetPotential
from materials import barium_titanate_tetragonal, disordered_alloy, hafnia_polar, magnesium_oxide, silicon
from pymatgen.core import Lattice, Structure

SAME_ENERGY = 1e-5  # eV/atom, single precision over different orders of summation
TWO_VERSIONS = 0.06  # eV/atom; each errs by about 0.03 on its own training set


@pytest.fixture(scope="module")
def earlier():
    return EarlierCHGNet()


def without_angles():
    """Rock salt with all bonds longer than 3 A, so that no two of them form an angle; KBr's a = 6.600 A (Wyckoff)."""
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(6.600), ["K", "Br"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()


def test_alone_or_batched_it_is_one_value(earlier):
    crystals = [without_angles(), magnesium_oxide(), barium_titanate_tetragonal()]
    alone = [earlier.energies([crystal])[0] for crystal in crystals]
    np.testing.assert_allclose(earlier.energies(crystals), alone, atol=SAME_ENERGY)
    assert earlier.energies([]).shape == (0,)


def test_energy_scales_with_the_cell_and_knows_no_direction(earlier):
    crystal = barium_titanate_tetragonal()
    turned = crystal.copy()
    turned.lattice = Lattice(crystal.lattice.matrix @ [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    shuffled = Structure.from_sites([crystal[i] for i in (3, 0, 4, 1, 2)])
    first, doubled, rotated, permuted = earlier.energies([crystal, crystal * (1, 1, 2), turned, shuffled])
    assert doubled / 10 == pytest.approx(first / 5, abs=SAME_ENERGY)
    assert rotated / 5 == pytest.approx(first / 5, abs=SAME_ENERGY)
    assert permuted / 5 == pytest.approx(first / 5, abs=SAME_ENERGY)


def test_it_is_another_network_on_the_same_scale(earlier):
    crystals = [magnesium_oxide(), silicon(), hafnia_polar()]
    sizes = np.array([len(c) for c in crystals])
    difference = (earlier.energies(crystals) - CHGNetPotential().energies(crystals)) / sizes
    assert (np.abs(difference) < TWO_VERSIONS).all()
    assert (np.abs(difference) > SAME_ENERGY).all()


def test_it_says_nothing_on_standard_output(earlier, capsys):
    earlier.energies([silicon()])
    assert capsys.readouterr().out == ""


def test_what_it_does_not_know_is_refused(earlier):
    with pytest.raises(StructureError, match="partially occupied"):
        earlier.energies([silicon(), disordered_alloy()])
    with pytest.raises(InputError, match="hydrogen to plutonium"):
        earlier.energies([Structure(Lattice.cubic(3.4), ["Am"], [[0, 0, 0]])])
