"""What may be asked of a crystal before it is written?

A request that contradicts itself is refused here; whether its words and places exist at all, `grammar.py`
finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ...core.errors import InputError, nearest
from ...core.symmetry import POLAR_SPACE_GROUPS
from ..wyckoff.crystal import electronegativity_rank
from ..wyckoff.positions import space_group

POLAR_GROUPS = tuple(number for span in POLAR_SPACE_GROUPS.values() for number in span)
"""The 68 space groups of the ten polar point groups, for `Request.spacegroups`."""


@dataclass(frozen=True)
class Request:
    """What a crystal shall be; what is left out is free.

    Attributes:
        spacegroups: Numbers of the space groups that it may have, such as `POLAR_GROUPS`.
        formula: Exactly this formula, in any number of formula units.
        chemsys: Exactly these elements, such as `Ba-O-Ti`.
        must_contain: Elements that it holds, beside others.
        elements: Nothing but these elements.
        exclude_elements: None of these elements.
        natoms: Least and greatest number of atoms in the primitive cell.
        intermetallics: Whether the rule of charges is lifted: metals among themselves, elements, and
            compounds of mixed valence are then let through.
        bins: Which bins of a property it may be given, by name; `any` for a property that is not named.

    Raises:
        InputError: a part is empty or unknown, or two parts contradict one another; the sentence says which.
    """

    spacegroups: tuple[int, ...] | None = None
    formula: str | None = None
    chemsys: str | None = None
    must_contain: tuple[str, ...] = ()
    elements: tuple[str, ...] | None = None
    exclude_elements: tuple[str, ...] = ()
    natoms: tuple[int, int] | None = None
    intermetallics: bool = False
    bins: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.spacegroups is not None and not self.spacegroups:
            raise InputError("The request names no space group. Name one, or leave the space groups out.")
        for number in self.spacegroups or ():
            space_group(number)
        if self.elements is not None and not self.elements:
            raise InputError("The request allows no element. Name some, or leave the elements out.")
        for symbol in (*self.must_contain, *(self.elements or ()), *self.exclude_elements):
            _require_element(symbol)
        if self.natoms and not 1 <= self.natoms[0] <= self.natoms[1]:
            low, high = self.natoms
            raise InputError(f"The range of atoms {low}..{high} is empty; it goes up, from 1 or more.")
        for name, bins in self.bins.items():
            if not bins:
                raise InputError(f"No bin of {name} is allowed. Widen its range, or leave it out.")
        self._require_agreement()

    @cached_property
    def amounts(self) -> dict[str, int] | None:
        """The formula: number of atoms in one formula unit, by electronegativity."""
        return None if self.formula is None else _amounts(self.formula)

    @cached_property
    def system(self) -> frozenset[str] | None:
        """The elements, where the formula or the chemical system names all of them."""
        if self.chemsys is None:
            return None if self.amounts is None else frozenset(self.amounts)
        symbols = frozenset(part.strip() for part in self.chemsys.split("-"))
        for symbol in sorted(symbols):
            _require_element(symbol)
        return symbols

    @cached_property
    def required(self) -> frozenset[str]:
        """The elements that the crystal must have."""
        return frozenset(self.must_contain) | (self.system or frozenset())

    def lets_in(self, symbol: str) -> bool:
        """Whether the crystal may have an element."""
        return (
            (self.system is None or symbol in self.system)
            and (self.elements is None or symbol in self.elements)
            and symbol not in self.exclude_elements
        )

    def _require_agreement(self) -> None:
        if self.amounts and self.chemsys and set(self.amounts) != self.system:
            raise InputError(
                f"The formula {self.formula} is not of the chemical system {self.chemsys}. Leave one of them "
                "out."
            )
        barred = sorted(symbol for symbol in self.required if not self.lets_in(symbol))
        if barred:
            raise InputError(
                f"The request both wants and forbids {', '.join(barred)}. Change the formula, the chemical "
                "system or the lists of elements so that they agree."
            )


def in_order(symbols: Iterable[str]) -> list[str]:
    """Elements in the order in which a sequence lists them."""
    return sorted(symbols, key=electronegativity_rank)


def _amounts(formula: str) -> dict[str, int]:
    from pymatgen.core import Composition

    try:
        composition = Composition(formula)
    except Exception:
        raise InputError(f"{formula!r} is not a chemical formula. Write it like BaTiO3.") from None
    for element in composition.elements:
        _require_element(element.symbol)
    whole = all(float(amount).is_integer() for amount in composition.values())
    if not composition or not whole:
        raise InputError(f"The formula {formula!r} needs whole numbers of atoms, as in BaTiO3.")
    reduced, _ = composition.get_integer_formula_and_factor()
    found = Composition(reduced).get_el_amt_dict()
    return {symbol: int(found[symbol]) for symbol in in_order(found)}


def _require_element(symbol: str) -> None:
    from pymatgen.core import Element

    if not Element.is_valid_symbol(symbol):
        guess = nearest(symbol, list(Element.__members__)).partition("Known:")[0]
        raise InputError(f"{symbol!r} is not the symbol of an element. {guess}".strip())
