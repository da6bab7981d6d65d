"""Whose total energies are these?

A *fidelity* names a data set's kind of calculation, and keeps apart numbers that are never compared: OMat24's totals
differ from the Materials Project's by other pseudopotentials, OC20's by another functional. Which fidelities belong
to one scale of energies, `core.energy_scales` says.
"""

from __future__ import annotations

from ...core.energy_scales import RAW_MP, RAW_OMAT24

OC20_TOTAL = "oc20-rpbe"
OC20_ADSORPTION = "oc20-rpbe-adsorption"
"""Energies that are counted from the clean surface and the gas already."""

OF_DATA_SET = {
    "omat24": "omat24-pbe",
    "salex": "alexandria-pbe",
    "omc25": "omc25-pbe-d3",
}
"""Fidelity of the total energies of a public data set."""

_SCALES = {"omat24-pbe": RAW_OMAT24, "alexandria-pbe": RAW_MP}


def fidelity_of(name: str) -> str:
    """The fidelity that a data set's name stands for; any other name is a fidelity itself."""
    return OF_DATA_SET.get(name, name)


def energy_scale_of(fidelity: str) -> str | None:
    """The scale of `core.energy_scales` its totals are on, or `None` if they are comparable with themselves alone."""
    return _SCALES.get(fidelity)
