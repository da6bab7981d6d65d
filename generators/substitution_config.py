"""What may `substitution` propose, and in which order?"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator, model_validator

from ..core.settings import Settings

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


class SubstitutionConfig(Settings):
    """`[[generator]] name = "substitution"`.

    Attributes:
        formula: Exactly this formula: every crystal of a like formula is tried as its prototype, the most
            probable first.
        chemsys: Exactly these elements, such as `Ba-O-Ti`.
        elements: Nothing but these elements.
        exclude_elements: None of these elements, unless `formula`, `chemsys` or `elements` names it.
        natoms: Least and greatest number of atoms in the cell.
        spacegroup_number: Exactly this space group.
        polar_only: Only polar space groups.
        skip_known: Whether a crystal that is among the seeds or known otherwise is left out.
        most_exchanged: Number of ions that change at once, at most; not a limit where `formula` is given.
        coupled: Whether changes of charge that cancel are allowed beside exchanges at constant charge.
        exchanges_per_seed: How many exchanges of one seed are weighed.
        sharpness: Exponent of the weights when exchanges are drawn: 0 draws evenly among those weighed,
            1 as weighted, more keeps closer to the most probable.
        size_tolerance_angstrom: An exchange weighs e times less for every such change of an ion's radius.
        hull_tolerance: A seed weighs e times less for every such distance above the hull, eV/atom.
        pool: Number of seeds taken up at once; the best of a pool come first.
        tries_per_candidate: Tries, for each crystal asked for, after which the search ends.
    """

    formula: str | None = None
    chemsys: str | None = None
    elements: Elements | None = None
    exclude_elements: Elements = (*NOBLE_GASES, *RADIOACTIVE)
    natoms: tuple[int, int] | None = None
    spacegroup_number: int | None = Field(default=None, ge=1, le=230)
    polar_only: bool = False
    skip_known: bool = True
    most_exchanged: int = Field(default=3, ge=1, le=4)
    coupled: bool = True
    exchanges_per_seed: int = Field(default=100, ge=1)
    sharpness: float = Field(default=2.0, ge=0)
    size_tolerance_angstrom: float = Field(default=0.22, gt=0)
    hull_tolerance: float = Field(default=0.05, gt=0)
    pool: int = Field(default=256, ge=1)
    tries_per_candidate: int = Field(default=50, ge=1)

    @field_validator("formula")
    @classmethod
    def _reduced(cls, formula: str | None) -> str | None:
        from pymatgen.core import Composition

        if formula is None:
            return None
        try:
            composition = Composition(formula)
        except Exception:
            raise ValueError(f"{formula!r} is not a chemical formula") from None
        whole = all(float(amount).is_integer() for amount in composition.values())
        if len(composition) < 2 or not whole or any(e.Z < 1 for e in composition.elements):
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
