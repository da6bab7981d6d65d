"""ASE calculators as potentials, on a potential that is known exactly."""

import numpy as np
import potential_toys as toys
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from hysteron.core.contracts import Potential
from hysteron.core.errors import InputError, StageError, StructureError
from hysteron.core.potential_check import check_potential
from hysteron.predictors.potentials.calculator import CalculatorPotential
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from materials import disordered_alloy, silicon
from pymatgen.core import Lattice, Structure


def argon(edge=5.26):
    """Face-centred; a = 5.26 A (Kittel, Introduction to Solid State Physics, 8th ed.)."""
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Ar"], [[0, 0, 0]])


def mixed():
    return Structure(Lattice.cubic(3.9), ["Ar", "Kr"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize("factory", [toys.lennard_jones, toys.together, toys.unnamed])
def test_calculators_keep_the_promises(factory):
    potential = CalculatorPotential("toy", factory)
    assert isinstance(potential, Potential)
    unknown = None if factory is toys.unnamed else silicon()
    check_potential(potential, [argon(), mixed(), argon().get_primitive_structure()], unknown=unknown)


def test_values_are_ases_own_with_its_units_and_signs():
    structure = mixed()
    (found,) = CalculatorPotential("toy", toys.lennard_jones).calculate([structure])
    atoms = Atoms("ArKr", positions=structure.cart_coords, cell=structure.lattice.matrix, pbc=True)
    atoms.calc = LennardJones(**toys.ARGON)
    assert found.energy == pytest.approx(atoms.get_potential_energy())
    np.testing.assert_allclose(found.forces, atoms.get_forces(), atol=1e-12)
    np.testing.assert_allclose(found.stress, atoms.get_stress(voigt=False), atol=1e-12)
    assert found.magmoms is None


def test_stress_is_positive_under_tension_and_the_crystal_is_periodic():
    tight, loose = CalculatorPotential("toy", toys.lennard_jones).calculate([argon(4.9), argon(5.6)])
    assert np.trace(tight.stress) < 0 < np.trace(loose.stress)
    assert np.abs(loose.forces).max() < 1e-10  # no surface anywhere


def test_a_calculator_may_name_itself_or_not():
    named = CalculatorPotential("toy-2", toys.lennard_jones, "2")
    assert (named.name, named.energy_scale) == ("Lennard-Jones 2", "Lennard-Jones")
    silent = CalculatorPotential("toy", toys.unnamed)
    assert (silent.name, silent.energy_scale) == ("toy", "the scale of toy")


def test_the_hash_changes_with_the_parameters():
    one, two = (CalculatorPotential("toy", toys.lennard_jones, m) for m in ("1", "2"))
    assert one.model_hash != two.model_hash
    assert one.model_hash == CalculatorPotential("toy", toys.lennard_jones, "1").model_hash


def test_a_batched_calculator_gets_shares_in_order():
    potential = CalculatorPotential("toy", toys.together)
    potential.calculator.handed.clear()
    crystals = [argon(), mixed(), argon(), mixed(), argon() * (2, 1, 1)]
    found = potential.calculate(crystals)
    assert potential.calculator.handed == [[4, 2], [4, 2], [8]]
    assert [len(c.forces) for c in found] == [4, 2, 4, 2, 8]
    np.testing.assert_allclose(found[0].magmoms, 0.5)
    alone = CalculatorPotential("toy", toys.lennard_jones).calculate(crystals)
    np.testing.assert_allclose([c.energy for c in found], [c.energy for c in alone])


@pytest.mark.parametrize(
    ("structure", "error", "said"),
    [
        (silicon(), InputError, "Lennard-Jones 1 does not know Si"),
        (disordered_alloy(), StructureError, "partially occupied"),
        (Structure(Lattice.cubic(5), [], []), StructureError, "no atoms"),
        (Structure(Lattice.cubic(0.5), ["Ar"], [[0] * 3]), StructureError, "A\\^3 per atom"),
    ],
)
def test_what_cannot_be_treated_is_refused(structure, error, said):
    potential = CalculatorPotential("toy", toys.lennard_jones)
    for refuse in (potential.check, lambda s: potential.calculate([argon(), s])):
        with pytest.raises(error, match=said):
            refuse(structure)


def test_a_calculator_without_stress_is_refused():
    with pytest.raises(InputError, match="gives no stress"):
        CalculatorPotential("molecules", toys.stressless)


def test_a_calculator_that_fails_says_on_what():
    with pytest.raises(StageError, match="toy failed on Ar4: ValueError: out of memory"):
        CalculatorPotential("toy", toys.failing).calculate([argon()])
    with pytest.raises(StageError, match="0 results for 1 crystals"):
        CalculatorPotential("toy", toys.short).calculate([argon()])


def test_a_relaxer_sends_it_to_processes(monkeypatch):
    """Argon comes to rest at the distance that Lennard-Jones with this cutoff gives."""
    from hysteron.predictors.relaxation import relaxer as module

    monkeypatch.setattr(module, "ATOMS_PER_SHARE", 4)
    potential = CalculatorPotential("toy", toys.lennard_jones)
    settings = RelaxerSettings(fmax=1e-4, workers=2)
    found = BatchedRelaxer(potential, settings).relax([argon(5.1), argon(5.4), silicon()])
    assert [r.converged for r in found] == [True, True, False]
    assert "does not know Si" in found[2].failure
    edges = [r.structure.lattice.a for r in found[:2]]
    assert edges[0] == pytest.approx(edges[1], abs=0.01)
    assert found[0].energy_per_atom < potential.calculate([argon(edges[0] * 1.02)])[0].energy / 4
