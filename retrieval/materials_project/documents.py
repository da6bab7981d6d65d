"""Which fields of a record are what they should be?

Only the fields that are used are looked at, in raw documents, so that a newer server breaks nothing. A field of
another type than it should have is left out and named; without a field that is needed there is no document.
Text is taken only where its form is known (an id, a formula, an ion, a DOI): no sentence of a record goes on
from here, so none can be an instruction to whoever reads on.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

MaterialId = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{1,8}-[A-Za-z0-9]{1,20}(-[A-Za-z0-9]{1,20}){0,2}$")
]
FormulaText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9().]{1,200}$")]
Ion = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]?[0-9]{0,2}(\.[0-9]{1,6})?[+-]$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+_.-]{1,40}$")]
DatabaseId = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,10}-[A-Za-z0-9]{1,20}$")]
ID_PATTERN = re.compile(r"[a-z]{1,8}-[A-Za-z0-9]{1,20}(-[A-Za-z0-9]{1,20}){0,2}")
FORMULA_PATTERN = re.compile(r"[A-Za-z0-9(). ]{1,80}")
DOI_PATTERN = re.compile(r"\b10\.[0-9]{4,9}/[A-Za-z0-9._;()/:-]{1,120}")


class Document(BaseModel):
    """Base of all records: strict types, finite numbers, what is not used is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class Named(Document):
    """A record about one material."""

    material_id: MaterialId


class Origin(Document):
    """Which calculation a property comes from."""

    name: Word
    task_id: MaterialId


class Average(Document):
    """An elastic modulus, GPa."""

    vrh: float | None = None


class BuilderMeta(Document):
    """How the record was built."""

    license: Literal["BY-C", "BY-NC"] | None = None


class SymmetryOfRecord(Document):
    """By the Materials Project's tolerance, 0.1 A."""

    number: Annotated[int, Field(ge=1, le=230)] | None = None


class Summary(Named):
    """Route `summary`."""

    structure: dict[str, Any]
    formula_pretty: FormulaText | None = None
    deprecated: bool | None = None
    symmetry: SymmetryOfRecord | None = None
    builder_meta: BuilderMeta | None = None
    origins: list[Origin] | None = None
    density: float | None = None
    band_gap: float | None = None
    is_gap_direct: bool | None = None
    is_metal: bool | None = None
    energy_per_atom: float | None = None
    formation_energy_per_atom: float | None = None
    energy_above_hull: float | None = None
    total_magnetization: float | None = None
    ordering: Word | None = None
    bulk_modulus: Average | None = None
    shear_modulus: Average | None = None
    homogeneous_poisson: float | None = None
    e_total: float | None = None
    e_ionic: float | None = None
    e_electronic: float | None = None
    n: float | None = None
    e_ij_max: float | None = None
    possible_species: list[Ion] | None = None
    theoretical: bool | None = None


class SummaryValues(Summary):
    """Route `summary` without the structure."""

    structure: dict[str, Any] = Field(default_factory=dict)


class Thermo(Named):
    """Route `thermo`; several records per material, one for each scheme of mixing functionals."""

    thermo_type: Word
    energy_type: Word | None = None
    energy_per_atom: float | None = None
    formation_energy_per_atom: float | None = None
    energy_above_hull: float | None = None


class ElectronicStructure(Named):
    """Route `electronic_structure`."""

    task_id: MaterialId | None = None
    origins: list[Origin] | None = None
    band_gap: float | None = None
    is_gap_direct: bool | None = None
    is_metal: bool | None = None


class Dielectric(Named):
    """Route `dielectric`."""

    e_total: float | None = None
    e_ionic: float | None = None
    e_electronic: float | None = None
    n: float | None = None


class Piezoelectric(Named):
    """Route `piezoelectric`."""

    e_ij_max: float | None = None


class Elasticity(Named):
    """Route `elasticity`."""

    bulk_modulus: Average | None = None
    shear_modulus: Average | None = None
    homogeneous_poisson: float | None = None


class OxidationStates(Named):
    """Route `oxidation_states`."""

    possible_species: list[Ion] | None = None
    method: Literal["Manual", "Bond Valence Analysis", "Oxidation State Guess"] | None = None


class Magnetism(Named):
    """Route `magnetism`."""

    ordering: Word | None = None
    total_magnetization: float | None = None


class Provenance(Named):
    """Route `provenance`. References are BibTeX; only the DOIs in them are used."""

    references: list[str] | None = None
    theoretical: bool | None = None
    database_IDs: dict[Word, list[DatabaseId]] | None = None


class Core(Named):
    """Route `core`: the functional of each calculation."""

    run_types: dict[MaterialId, Word] | None = None


Model = TypeVar("Model", bound=Document)


def read(model: type[Model], raw: Any) -> tuple[Model | None, tuple[str, ...]]:
    """A record, checked.

    Args:
        model: What it should be.
        raw: As sent.

    Returns:
        The record without the fields that are not what they should be, and one note for each of these; no
        record where a needed field is among them. A note says nothing in the sender's words.
    """
    if not isinstance(raw, dict):
        return None, ("the record is no object",)
    wanted = {name: raw[name] for name in model.model_fields if name in raw}
    try:
        return model.model_validate(wanted), ()
    except ValidationError as error:
        kinds = {str(problem["loc"][0]): problem["type"] for problem in error.errors(include_input=False)}
    notes = tuple(f"{name} is not usable ({kind})" for name, kind in sorted(kinds.items()))
    if any(model.model_fields[name].is_required() for name in kinds):
        return None, notes
    kept = {name: value for name, value in wanted.items() if name not in kinds}
    return model.model_validate(kept), notes


def dois(texts: list[str]) -> tuple[str, ...]:
    """The DOIs in some texts, in order, each once."""
    found = (match.rstrip(".;)") for text in texts for match in DOI_PATTERN.findall(text))
    return tuple(dict.fromkeys(found))


def reduced_formula(text: str) -> str | None:
    """Reduced formula of a text, or `None` if it is no formula."""
    from pymatgen.core import Composition

    if not FORMULA_PATTERN.fullmatch(text):
        return None
    try:
        composition = Composition(text)
        return composition.reduced_formula if composition.valid and len(composition) else None
    except Exception:
        return None
