"""Formation energies: zero for an element's reference phase, intensive, and of the right sign and size."""

import materials
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Tools
from hysteron.core.errors import InputError
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.energies import Energies
from hysteron.predictors.hull.table import ConvexHull
from pymatgen.core import Lattice, Structure
from screening_toys import ToyHull

SINGLE_PRECISION_ENERGY = 1e-5  # eV/atom


@pytest.fixture(scope="module")
def energies():
    return Energies(Tools(potential=CHGNetPotential(), hull=ConvexHull()))


def candidate(structure):
    return Candidate(structure.composition.reduced_formula, structure)


def formation(predictor, structure):
    return predictor.predict([candidate(structure)])[0].value("formation_energy_per_atom")


@pytest.mark.parametrize(
    ("structure", "measured"),
    [
        # Standard enthalpies of formation at 298 K, eV/atom (NIST-JANAF / Barin): -601.6, -411.1, -944.7 kJ/mol.
        (materials.magnesium_oxide(), -3.12),
        (materials.sodium_chloride(), -2.13),
        (materials.titania_rutile(), -3.26),
    ],
)
def test_formation_energies_are_near_measured_ones(energies, structure, measured):
    assert formation(energies, structure) == pytest.approx(measured, abs=0.25)


def test_silicon_is_its_own_reference(energies):
    assert formation(energies, materials.silicon()) == pytest.approx(0, abs=0.01)


def test_a_supercell_has_the_same_formation_energy(energies):
    single = formation(energies, materials.strontium_titanate())
    double = formation(energies, materials.strontium_titanate() * [2, 1, 1])
    assert double == pytest.approx(single, abs=SINGLE_PRECISION_ENERGY)


def test_an_unknown_element_fails_alone(energies):
    americium = Structure(Lattice.cubic(5.0), ["Am", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    good, bad = energies.predict([candidate(materials.silicon()), candidate(americium)])
    assert good.value("energy_per_atom") is not None
    assert bad.value("energy_per_atom") is None
    assert "Am" in bad.failures[0].reason


def test_a_hull_of_another_potential_gives_no_formation_energies():
    hull = ToyHull()
    found = Energies(Tools(potential=CHGNetPotential(), hull=hull)).predict([candidate(materials.silicon())])[
        0
    ]
    assert found.value("energy_per_atom") is not None
    assert found.value("formation_energy_per_atom") is None
    assert "holds energies of Toy 1.0; formation energies by CHGNet 0.3.0" in found.failures[0].reason


def test_without_a_potential_it_says_so():
    with pytest.raises(InputError, match="potential"):
        Energies(Tools())
