"""The toy potential is a potential, though a poor one."""

import numpy as np
import pytest
from hysteron.benchmarks.toy_world import VOLUME_PER_ATOM, Toy
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from materials import magnesium_oxide, strontium_titanate

STRAIN = 1e-5
FINITE_DIFFERENCE = 1e-6  # eV/A^3


@pytest.mark.parametrize("material", [magnesium_oxide, strontium_titanate])
def test_the_stress_is_the_slope_of_the_energy(material):
    crystal, energies = material(), []
    for sign in (1, -1):
        strained = crystal.copy()
        strained.apply_strain([sign * STRAIN, 0, 0])
        energies.append(Toy().calculate([strained])[0].energy)
    slope = (energies[0] - energies[1]) / (2 * STRAIN) / crystal.volume
    stress = Toy().calculate([crystal])[0].stress
    assert stress[0, 0] == pytest.approx(slope, abs=FINITE_DIFFERENCE)
    assert np.allclose(stress, stress[0, 0] * np.eye(3))


def test_a_crystal_comes_to_rest_at_the_volume_of_the_world():
    (relaxed,) = BatchedRelaxer(Toy(), RelaxerSettings(workers=1)).relax([strontium_titanate()])
    assert relaxed.converged
    assert relaxed.structure.volume / len(relaxed.structure) == pytest.approx(VOLUME_PER_ATOM, rel=0.05)
