"""Where do energies of different scales meet?

At the formation energy: the energy of a crystal less that of its elements, both by the same potential,
corrected by constants fitted on its own scale. Total energies of different scales never meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.contracts import Relaxer
from ...core.energy_scales import RAW_MP, RAW_OMAT24, corrected_scale, require_one_scale
from ...core.errors import EnergyScaleError
from .mp2020 import mp2020_corrected
from .omat24 import omat24_corrected

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

_CORRECTED: dict[str, Callable[[float, Structure], float]] = {
    RAW_MP: mp2020_corrected,
    RAW_OMAT24: omat24_corrected,
}


@dataclass(frozen=True)
class ElementalReferences:
    """Energies of elements in their ground states, by one potential.

    Attributes:
        potential: `Potential.name` of the potential that computed them.
        energy_scale: Its scale; elements carry no corrections, so the corrected scale has the same ones.
        energies: eV/atom of each element, by symbol.
    """

    potential: str
    energy_scale: str
    energies: Mapping[str, float]

    def energy_per_atom(self, composition: Composition) -> float:
        """Energy of the elements that a composition is made of, eV/atom of the compound.

        Raises:
            EnergyScaleError: an element has no reference; it is never filled with 0.
        """
        shares = composition.element_composition.fractional_composition
        missing = sorted(e.symbol for e in shares if e.symbol not in self.energies)
        if missing:
            raise EnergyScaleError(
                f"{composition.reduced_formula} needs references of {self.potential} for {', '.join(missing)}; "
                f"it has {', '.join(sorted(self.energies)) or 'none'}."
            )
        return sum(self.energies[e.symbol] * share for e, share in shares.items())


def elemental_references(relaxer: Relaxer, phases: Sequence[Structure]) -> ElementalReferences:
    """Relax elemental crystals with a potential; the lowest of each element is its reference.

    Args:
        relaxer: Moves atoms and cell; its potential is the one the references are for.
        phases: Crystals of one element each; several of one element may be given.

    Raises:
        EnergyScaleError: a phase is no element, or the relaxer failed on all phases of one.
    """
    compounds = [p.composition.reduced_formula for p in phases if len(p.composition.element_composition) != 1]
    if compounds:
        raise EnergyScaleError(f"Elemental references need elements; {', '.join(compounds)} is none.")
    symbols = [next(iter(p.composition.element_composition)).symbol for p in phases]
    energies: dict[str, float] = {}
    for symbol, relaxed in zip(symbols, relaxer.relax(phases), strict=True):
        if relaxed.converged and relaxed.energy_per_atom is not None:
            energies[symbol] = min(relaxed.energy_per_atom, energies.get(symbol, relaxed.energy_per_atom))
    lost = sorted(set(symbols) - set(energies))
    if lost:
        raise EnergyScaleError(f"No phase of {', '.join(lost)} came to rest with {relaxer.potential.name}.")
    return ElementalReferences(relaxer.potential.name, relaxer.potential.energy_scale, energies)


def on_scale(energy_per_atom: float, structure: Structure, scale: str, wanted: str) -> float:
    """An energy brought from one scale to another, eV/atom.

    Args:
        energy_per_atom: Of `structure`, on `scale`.
        structure: Ordered.
        scale: As the potential that gave it names it.
        wanted: The same scale, or the one its fitted corrections lead to.

    Raises:
        EnergyScaleError: nothing leads from `scale` to `wanted`.
        MissingDataError: the constants of OMat24 are not installed.
        InputError: the corrections do not know an element.
    """
    if scale == wanted:
        return energy_per_atom
    if corrected_scale(scale) != wanted:
        require_one_scale(
            [scale, wanted], f"{structure.composition.reduced_formula} and what it is compared with"
        )
    return _CORRECTED[scale](energy_per_atom, structure)


def formation_energy_per_atom(
    energy_per_atom: float, structure: Structure, potential: str, scale: str, references: ElementalReferences
) -> float:
    """Formation energy with fitted corrections if the scale has any, eV/atom.

    It is given on `corrected_scale(scale)`; `core.energy_scales.formation_energies_meet` says which may
    be compared.

    Args:
        energy_per_atom: Of `structure`, by `potential`, eV/atom.
        structure: Ordered.
        potential: `Potential.name`.
        scale: `Potential.energy_scale`.
        references: By the same potential.

    Raises:
        EnergyScaleError: references of another potential, or an element without one.
        MissingDataError, InputError: as `on_scale`.
    """
    if references.potential != potential:
        raise EnergyScaleError(
            f"Formation energies of {potential} need elemental references that it computed itself; "
            f"these are by {references.potential}."
        )
    corrected = on_scale(energy_per_atom, structure, scale, corrected_scale(scale))
    return corrected - references.energy_per_atom(structure.composition)
