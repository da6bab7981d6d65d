"""Potentials for a second opinion: CHGNet shifted, on its own scale and on one that nothing leads from."""

from hysteron.core.contracts import Calculation
from hysteron.core.energy_scales import MP2020, RAW_MATPES_R2SCAN
from hysteron.predictors.chgnet.potential import CHGNetPotential

SHIFT = 0.05  # eV/atom


class Shifted:
    """CHGNet's energies raised by `SHIFT`."""

    name = "Shifted 1.0"
    energy_scale = MP2020
    model_hash = "shifted"

    def calculate(self, structures):
        results = CHGNetPotential().calculate(structures)
        return [
            Calculation(r.energy + SHIFT * len(s), r.forces, r.stress)
            for r, s in zip(results, structures, strict=True)
        ]


class Elsewhere(Shifted):
    """The same energies, said to be r2SCAN."""

    name = "Elsewhere 1.0"
    energy_scale = RAW_MATPES_R2SCAN
