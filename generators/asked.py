"""What may be asked of every generator: which crystals are wanted?"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator, model_validator

from ..core.settings import Settings
from ..core.symmetry import is_polar
from .ranges import Range, require_ascending

NOBLE_GASES = ("He", "Ne", "Ar", "Kr", "Xe", "Rn")
RADIOACTIVE = (
    *("Tc", "Pm", "Po", "At", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es"),
    *("Fm", "Md", "No", "Lr"),
)


def _known_elements(symbols: tuple[str, ...] | None) -> tuple[str, ...] | None:
    from pymatgen.core import Element

    unknown = [s for s in symbols or () if not Element.is_valid_symbol(s)]
    if unknown:
        raise ValueError(f"{', '.join(map(repr, unknown))}: not the symbol of an element")
    return tuple(sorted(set(symbols))) if symbols is not None else None


Elements = Annotated[tuple[str, ...], AfterValidator(_known_elements)]


class Asked(Settings):
    """The wishes that all generators understand.

    Attributes:
        formula: Exactly this formula.
        chemsys: Exactly these elements, such as `Ba-O-Ti`.
        elements: Nothing but these elements.
        exclude_elements: None of these elements, unless `formula`, `chemsys` or `elements` names it.
        natoms: Least and greatest number of atoms in the cell.
        spacegroup_number: Exactly this space group.
        polar_only: Only polar space groups.
        skip_known: Whether a crystal that is among the seeds or known otherwise is left out.
    """

    formula: str | None = None
    chemsys: str | None = None
    elements: Elements | None = None
    exclude_elements: Elements = (*NOBLE_GASES, *RADIOACTIVE)
    natoms: tuple[int, int] | None = None
    spacegroup_number: int | None = Field(default=None, ge=1, le=230)
    polar_only: bool = False
    skip_known: bool = True

    @field_validator("formula")
    @classmethod
    def _reduced(cls, formula: str | None) -> str | None:
        from pymatgen.core import Composition, Element

        if formula is None:
            return None
        try:
            composition = Composition(formula)
        except Exception:
            raise ValueError(f"{formula!r} is not a chemical formula") from None
        unknown = [e.symbol for e in composition.elements if not Element.is_valid_symbol(e.symbol)]
        if unknown:
            raise ValueError(f"{', '.join(map(repr, unknown))}: not the symbol of an element")
        whole = all(float(amount).is_integer() for amount in composition.values())
        if len(composition) < 2 or not whole:
            raise ValueError("a compound with whole numbers of atoms is wanted, such as SrTiO3")
        return composition.reduced_formula

    @field_validator("chemsys")
    @classmethod
    def _sorted(cls, chemsys: str | None) -> str | None:
        return chemsys and "-".join(_known_elements(tuple(chemsys.split("-"))) or ())

    @field_validator("natoms")
    @classmethod
    def _ordered(cls, natoms: tuple[int, int] | None) -> tuple[int, int] | None:
        if natoms and not 1 <= natoms[0] <= natoms[1]:
            raise ValueError("the first number is the smaller one, from 1")
        return natoms

    @model_validator(mode="after")
    def _agreeing(self) -> Any:
        from pymatgen.core import Composition

        asked = set(Composition(self.formula).chemical_system.split("-")) if self.formula else None
        if asked and self.chemsys and asked != set(self.chemsys.split("-")):
            raise ValueError(f"formula {self.formula} is not of the chemical system {self.chemsys}")
        named = asked or (set(self.chemsys.split("-")) if self.chemsys else None)
        if named and self.elements is not None and not named <= set(self.elements):
            raise ValueError(f"elements leaves out {', '.join(sorted(named - set(self.elements)))}")
        return self

    @property
    def names_elements(self) -> bool:
        """Whether the wishes themselves say which elements there may be; then none is excluded besides."""
        return bool(self.formula or self.chemsys or self.elements is not None)


class AskedOfModel(Asked):
    """The wishes that generative models understand besides.

    Attributes:
        properties: Ranges that the model is asked for, such as `{band_gap = [2, 4]}`, in the unit of the property table; an
            end that is left open is none. What it makes need not obey: of those handed on the ones come first of which
            the predictor confirms it.
    """

    properties: dict[str, Range] = {}

    @field_validator("properties")
    @classmethod
    def _ascending(cls, ranges: dict[str, Range]) -> dict[str, Range]:
        require_ascending(ranges)
        return ranges

    @model_validator(mode="after")
    def _polar_agrees(self) -> Any:
        if self.polar_only and self.spacegroup_number and not is_polar(self.spacegroup_number):
            raise ValueError(f"space group {self.spacegroup_number} is not polar")
        return self
