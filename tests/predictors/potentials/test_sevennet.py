"""SevenNet behind its extra: the contract, its energy scale, and one pass for many crystals."""

from importlib.util import find_spec

import numpy as np
import pytest
from hysteron.core.energy_scales import RAW_MP
from hysteron.core.errors import InputError
from hysteron.core.potential_check import check_potential
from hysteron.predictors import POTENTIALS
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.potentials.loading import load_potential
from hysteron.predictors.potentials.mp2020 import mp2020_corrected
from materials import (
    hafnia_polar,
    iron_one_atom,
    lithium_cobaltate,
    magnesium_oxide,
    silicon,
    sodium_chloride,
    titania_rutile,
)
from pymatgen.core import Lattice, Structure

pytestmark = pytest.mark.skipif(
    find_spec("sevenn") is None, reason="SevenNet is an extra: pip install 'hysteron[sevennet]'"
)
MODELS = ["sevennet-0", "sevennet-l3i5"]
CURIUM = Structure(Lattice.cubic(5.0), ["Cm", "O"], [[0] * 3, [0.5] * 3])
NEAR_CHGNET = 0.03  # eV/atom; both learnt MPtrj, CHGNet to 0.03 eV/atom
NEAR_PBE = 0.03  # eV/atom, as CHGNet and SevenNet report their errors on MPtrj
RAW_MGO = (
    -5.97
)  # eV/atom, PBE with MP's settings: -6.314 of the Materials Project less its correction -0.3435
RAW_SI = -5.425  # eV/atom, mp-149; elements have no correction
RAW_O2 = -4.93  # eV/atom of a molecule, PBE with the pseudopotential O (VASP's -9.86 eV)


@pytest.fixture(scope="module", params=MODELS)
def potential(request):
    return load_potential(request.param, POTENTIALS)


def test_it_keeps_its_promises(potential):
    check_potential(potential, [titania_rutile(), magnesium_oxide(), iron_one_atom()], unknown=CURIUM)


def test_its_energies_are_raw_pbe(potential):
    """Known raw energies, and CHGNet's once the corrections are added; without them it is up to 0.75 off."""
    oxygen = Structure(Lattice.cubic(12), ["O", "O"], [[0, 0, 0], [1.233, 0, 0]], coords_are_cartesian=True)
    known = [(magnesium_oxide(), RAW_MGO), (silicon(), RAW_SI), (oxygen, RAW_O2)]
    found = potential.calculate([s for s, _ in known])
    for (structure, raw), calculation in zip(known, found, strict=True):
        tolerance = 0.05 if structure is oxygen else NEAR_PBE  # molecules are rare in MPtrj
        assert calculation.energy / len(structure) == pytest.approx(raw, abs=tolerance), structure.formula
    assert potential.energy_scale == RAW_MP


@pytest.mark.parametrize(
    "make", [magnesium_oxide, sodium_chloride, titania_rutile, hafnia_polar, lithium_cobaltate]
)
def test_corrected_it_is_where_chgnet_is(potential, make):
    crystal = make()
    ours, chgnet = (p.calculate([crystal])[0].energy / len(crystal) for p in (potential, CHGNetPotential()))
    assert mp2020_corrected(ours, crystal) == pytest.approx(chgnet, abs=NEAR_CHGNET)
    assert abs(ours - chgnet) > 0.25  # the scales are apart, the crystals are not


def test_a_batch_is_the_packages_own_answer(potential):
    from pymatgen.io.ase import AseAtomsAdaptor

    crystals = [hafnia_polar(), magnesium_oxide(), lithium_cobaltate()]
    for crystal, found in zip(crystals, potential.calculate(crystals), strict=True):
        atoms = AseAtomsAdaptor.get_atoms(crystal)
        atoms.calc = potential.calculator
        assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        np.testing.assert_allclose(found.forces, atoms.get_forces(), atol=1e-4)
        np.testing.assert_allclose(found.stress, atoms.get_stress(voigt=False), atol=1e-5)


def test_models_differ_and_say_so():
    one, other = (load_potential(name, POTENTIALS) for name in MODELS)
    assert (one.name, one.model_hash) != (other.name, other.model_hash)
    assert one.name.startswith("SevenNet-0 (sevenn ")


def test_a_file_of_weights_is_read_in_its_own_name():
    import sevenn._const as shipped

    own = load_potential(f"sevennet:{shipped.SEVENNET_0_11Jul2024}", POTENTIALS)
    named = load_potential("sevennet-0", POTENTIALS)
    assert own.model_hash == named.model_hash
    assert own.energy_scale.startswith("the scale of sevennet:")


def test_a_file_that_holds_no_weights_is_told(tmp_path):
    rubbish = tmp_path / "rubbish.pth"
    rubbish.write_text("no weights")
    with pytest.raises(InputError, match="cannot be read"):
        load_potential(f"sevennet:{rubbish}", POTENTIALS)
