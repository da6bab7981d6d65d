"""Which ions does a filled crystal have, and how much room do they need?

Where the ions of the template are known, the volume changes as in an ion exchange (see `cell_scaling.py`); angles, ratios
of axes and coordinates stay the template's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.oxidation import COMPOSITION_METHOD, guess_from_composition
from ..cell_scaling import volume_factor
from ..charges import TABLE_IN_WORDS, ions, neutral_states
from ..ion_pairs import Ion
from ..parents import parent_of
from ..wyckoff.lattice import LENGTHS, free_parameters

if TYPE_CHECKING:
    from ...core.candidate import Candidate
    from ..wyckoff.crystal import WyckoffCrystal

SPREAD_OF_SCALING = 0.15
"""How far the volume after an exchange is believed to be off, as a logarithm: somewhat more than it errs (`cells.py`)."""
SPREAD_UNKNOWN = 0.3
"""The same where nothing is known of the ions and the template's volume is taken."""
CONSTANT_CHARGE = "those of the template"
SOME_NEUTRAL_STATES = f"a neutral choice out of {TABLE_IN_WORDS}"


class Fitting:
    """The ions of one template, and how much room others need in their places.

    Args:
        template: Ordered.
    """

    def __init__(self, template: Candidate) -> None:
        self._structure = template.structure
        self._parent = parent_of(template)

    @property
    def volume_spread(self) -> float:
        """How far `volume_factor` is believed to be off, as a logarithm."""
        return SPREAD_UNKNOWN if self._parent is None else SPREAD_OF_SCALING

    def states(self, symbols: Sequence[str]) -> tuple[dict[str, int] | None, str]:
        """Oxidation states by element, e, and where they come from; `None` if no neutral ones are known.

        The most frequent ones of the composition, else those of the template if every newcomer can take the charge of what
        stood in its place, else some neutral choice.

        Args:
            symbols: The element of each site after the exchange.
        """
        amounts = {symbol: symbols.count(symbol) for symbol in dict.fromkeys(symbols)}
        guess = guess_from_composition(_composition(amounts))
        if guess and all(charge.is_integer() and charge for charge in guess.values()):
            return {symbol: int(guess[symbol]) for symbol in amounts}, COMPOSITION_METHOD
        kept = self._kept_states(symbols)
        if kept is not None:
            return kept, CONSTANT_CHARGE
        some = neutral_states(amounts)
        return some, "" if some is None else SOME_NEUTRAL_STATES

    def _kept_states(self, symbols: Sequence[str]) -> dict[str, int] | None:
        """Those of an exchange at constant charge."""
        if self._parent is None:
            return None
        known, found = ions(), {}
        for old, symbol in zip(self._parent.around.ions, symbols, strict=True):
            can_be = symbol == old.symbol or (
                symbol in known and old.charge in (*known[symbol].positive, *known[symbol].negative)
            )
            if not can_be or found.setdefault(symbol, old.charge) != old.charge:
                return None
        return found

    def volume_factor(self, symbols: Sequence[str], states: Mapping[str, int] | None) -> tuple[float, str]:
        """New volume over the template's, and how it was found.

        Args:
            symbols: The element of each site after the exchange.
            states: Their oxidation states, e.
        """
        if self._parent is None or states is None:
            return 1.0, "not scaled"
        around = self._parent.around
        new = [
            old if symbol == old.symbol else Ion(symbol, states[symbol])
            for old, symbol in zip(around.ions, symbols, strict=True)
        ]
        return volume_factor(self._structure, around, new)


def scaled(crystal: WyckoffCrystal, factor: float) -> WyckoffCrystal:
    """The same with another volume.

    Args:
        crystal: Of any group.
        factor: New volume over old volume.
    """
    names = free_parameters(crystal.spacegroup_number)
    length = factor ** (1 / 3)
    lattice = tuple(
        value * length if name in LENGTHS else value
        for name, value in zip(names, crystal.lattice, strict=True)
    )
    return replace(crystal, lattice=lattice)


def _composition(amounts: Mapping[str, int]):
    from pymatgen.core import Composition

    return Composition(amounts)
