"""Which energies may be compared with which?

Two potentials that learnt from different calculations differ by tenths of an eV per atom on one and the
same crystal: other pseudopotentials, other U, corrections added or not. Such a difference is no
uncertainty. A potential names its scale. Total energies are compared on one scale only. Formation
energies of different scales may be compared if each was corrected by constants fitted on its own scale,
and taken from elemental references of its own.

Corrections matter even there: MgBr2 from the elements is -1.51 eV/atom by the Materials Project's settings
and -1.64 by OMat24's as calculated, -1.86 and -1.85 with the corrections of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import EnergyScaleError

MP2020 = "MP2020-corrected"
RAW_MP = "raw PBE(+U), MP settings"
OMAT24 = "OMat24-corrected"
RAW_OMAT24 = "raw PBE(+U), OMat24 settings"
RAW_MATPES_PBE = "raw PBE, MatPES settings"
RAW_MATPES_R2SCAN = "raw r2SCAN, MatPES settings"


@dataclass(frozen=True)
class EnergyScale:
    """How the energies of one scale were calculated.

    Attributes:
        name: As a potential writes it in `energy_scale`.
        meaning: Functional, pseudopotentials, U and corrections, in a sentence.
        corrects_to: The scale that fitted corrections lead to, if there are any.
        fitted: Whether these energies hold corrections fitted to measured formation enthalpies.
    """

    name: str
    meaning: str
    corrects_to: str | None = None
    fitted: bool = False


SCALES: dict[str, EnergyScale] = {
    scale.name: scale
    for scale in (
        EnergyScale(
            MP2020,
            "Materials Project PBE and PBE+U energies with the MaterialsProject2020Compatibility "
            "corrections for anions and +U metals added (Wang et al., Sci. Rep. 11, 15496 (2021)).",
            fitted=True,
        ),
        EnergyScale(
            RAW_MP,
            "Total energies of VASP, PBE, PBE_52-era pseudopotentials of MPRelaxSet, +U for Co, Cr, Fe, Mn, "
            "Mo, Ni, V and W in oxides and fluorides; nothing added (MPtrj, Alexandria).",
            corrects_to=MP2020,
        ),
        EnergyScale(
            OMAT24,
            "OMat24 energies with the corrections that fairchem-data-omat gives for them: the rules of "
            "MaterialsProject2020Compatibility, other constants.",
            fitted=True,
        ),
        EnergyScale(
            RAW_OMAT24,
            "Total energies of VASP, PBE, pseudopotentials of the set PBE_54, +U as the Materials Project; "
            "nothing added (OMat24, Barroso-Luque et al., arXiv:2410.12771).",
            corrects_to=OMAT24,
        ),
        EnergyScale(
            RAW_MATPES_PBE,
            "Total energies of VASP, PBE without U, pseudopotentials of the set PBE_64 "
            "(MatPES, Kaplan et al., arXiv:2503.04070).",
        ),
        EnergyScale(
            RAW_MATPES_R2SCAN,
            "Total energies of VASP, r2SCAN without U, pseudopotentials of the set PBE_64 "
            "(MatPES, Kaplan et al., arXiv:2503.04070).",
        ),
    )
}
"""The scales this project knows. A potential from outside may name another; it is comparable with itself."""


def corrected_scale(name: str) -> str:
    """The scale on which formation energies of this one are given: with fitted corrections if there are any."""
    return SCALES[name].corrects_to or name if name in SCALES else name


def require_one_scale(scales: Iterable[str], what: str = "These energies") -> str:
    """The one scale that all total energies share.

    Args:
        scales: The scale of each energy.
        what: Start of the sentence, such as `The energies of CHGNet 0.3.0 and MACE-MP-0b3`.

    Raises:
        EnergyScaleError: more than one scale, or none; the sentence says how they can still meet.
    """
    found = sorted(set(scales))
    if len(found) == 1:
        return found[0]
    if not found:
        raise EnergyScaleError(f"{what} name no energy scale.")
    raise EnergyScaleError(f"{what} are on different scales ({'; '.join(found)}). {_way_out(found)}")


def formation_energies_meet(scales: Iterable[str]) -> bool:
    """Whether formation energies given on these scales, each from its own references, may be compared."""
    found = set(scales)
    return len(found) == 1 or all(name in SCALES and SCALES[name].fitted for name in found)


def _way_out(scales: list[str]) -> str:
    """What to do about total energies of several scales."""
    reached = {corrected_scale(name) for name in scales}
    if len(reached) == 1:
        return f"Bring them all to {reached.pop()} first."
    if formation_energies_meet(reached):
        return (
            "Compare formation energies instead, each corrected on its own scale and taken from "
            "elemental references that the same potential computed."
        )
    return "Nothing joins them, not even formation energies: keep them side by side."
