"""What do fitted corrections add to a raw PBE(+U) energy?

PBE is wrong by up to an eV on the molecules and metals that oxides, halides and +U compounds are made
of. The scheme MaterialsProject2020Compatibility mends that with a constant for each anion and each +U
metal, fitted to measured formation enthalpies: one set of constants for the Materials Project's settings,
another for those of OMat24. pymatgen holds the rules; this file tells it how the crystal would have been
calculated.

Source: Wang et al., Sci. Rep. 11, 15496 (2021), doi:10.1038/s41598-021-94550-5.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError, StructureError

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility


@dataclass(frozen=True)
class Correction:
    """What is added to a raw energy.

    Attributes:
        per_atom: eV/atom, to be added.
        uncertainty_per_atom: One standard deviation of the fit of the corrections, eV/atom.
        parts: (name of the correction, eV per cell), such as `("MP2020 anion correction (oxide)", -0.687)`.
    """

    per_atom: float
    uncertainty_per_atom: float
    parts: tuple[tuple[str, float], ...]


def fitted_correction(structure: Structure, scheme: MaterialsProject2020Compatibility) -> Correction:
    """The corrections a scheme adds to this crystal. Elements get none.

    Args:
        structure: Ordered; its bonds tell oxides from peroxides, superoxides and ozonides. Oxidation
            states on its sites are ignored, pymatgen guesses them from the formula.
        scheme: pymatgen's rules with one set of constants.

    Raises:
        StructureError: no atoms, or sites that are partially occupied.
        InputError: an element for which the Materials Project has no pseudopotential.
    """
    if not len(structure) or not structure.is_ordered:
        raise StructureError(
            f"{structure.formula or 'A structure without atoms'} has no {scheme.name} correction: "
            "it needs atoms, and each site fully occupied."
        )
    if len(structure.composition.element_composition) == 1:
        return Correction(0.0, 0.0, ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no guess of oxidation states: the last rule of the scheme decides
        adjustments = scheme.get_adjustments(_entry(structure))
    nsites = len(structure)
    return Correction(
        per_atom=sum(a.value for a in adjustments) / nsites,
        uncertainty_per_atom=sum(a.uncertainty**2 for a in adjustments) ** 0.5 / nsites,
        parts=tuple((a.name, a.value) for a in adjustments),
    )


def _entry(structure: Structure) -> Any:
    """The crystal as the Materials Project would have recorded its calculation; the energy is not used."""
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    bare = structure.copy()
    bare.remove_oxidation_states()
    hubbards = hubbard_u(bare.composition)
    parameters = {
        "run_type": "GGA+U" if hubbards else "GGA",
        "is_hubbard": bool(hubbards),
        "hubbards": hubbards,
        "potcar_symbols": [f"PBE {_potcar_symbol(e.symbol, structure)}" for e in bare.composition],
    }
    states = _oxidation_states(bare.composition.reduced_formula)
    return ComputedStructureEntry(bare, 0.0, parameters=parameters, data={"oxidation_states": dict(states)})


def hubbard_u(composition: Composition) -> dict[str, float]:
    """U of every element, eV, if the Materials Project calculates the compound with any; else empty.

    It does for Co, Cr, Fe, Mn, Mo, Ni, V and W in compounds whose most electronegative element is oxygen
    or fluorine.
    """
    settings = _relax_set()["INCAR"]["LDAUU"]
    symbols = [element.symbol for element in sorted(composition.element_composition, key=lambda e: e.X)]
    values = {symbol: float(settings.get(symbols[-1], {}).get(symbol, 0.0)) for symbol in symbols}
    return values if any(values.values()) else {}


def _potcar_symbol(symbol: str, structure: Structure) -> str:
    symbols = _relax_set()["POTCAR"]
    if symbol not in symbols:
        raise InputError(
            f"The Materials Project has no pseudopotential for {symbol}, "
            f"hence no fitted corrections for {structure.formula}."
        )
    return symbols[symbol]


@lru_cache(maxsize=4096)
def _oxidation_states(reduced_formula: str) -> tuple[tuple[str, float], ...]:
    """pymatgen's first guess from the formula, as the correction scheme makes it; empty if there is none.

    The formula is reduced and its guess kept: guessing costs most of the time of a correction.
    """
    from pymatgen.core import Composition

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            guesses = Composition(reduced_formula).oxi_state_guesses(max_sites=-20)
        except ValueError:
            return ()
    return tuple(guesses[0].items()) if guesses else ()


@lru_cache(maxsize=1)
def _relax_set() -> dict[str, Any]:
    from pymatgen.io.vasp.sets import MPRelaxSet

    return MPRelaxSet.CONFIG
