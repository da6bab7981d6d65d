"""What is on record for these materials? One method for each kind of record.

Each takes ids or a formula, and gives a list of values for every material that has a record; so a material
without one is absent, and nothing is made up for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ...core.candidate import PropertyValue
from ...core.errors import InputError
from . import values
from .cache import Query
from .client import AtServer
from .documents import (
    ID_PATTERN,
    Dielectric,
    Elasticity,
    ElectronicStructure,
    Magnetism,
    Named,
    OxidationStates,
    Piezoelectric,
    Provenance,
    SummaryValues,
    Thermo,
    dois,
    read,
    reduced_formula,
)
from .functionals import IDS_PER_QUERY, gap_functionals
from .pages import Gathered, gather

MOST_IDS = 1000
SUMMARY_FIELDS = tuple(name for name in SummaryValues.model_fields if name != "structure")

Found = dict[str, list[PropertyValue]]
"""Values by material id, in the order of the ids."""
AnyRecord = TypeVar("AnyRecord", bound=Named)


@dataclass(frozen=True)
class Origins:
    """Where a material is known from.

    Attributes:
        theoretical: No experimental record is known; `None` if that is not on record.
        dois: Of the papers and data sets it refers to.
        database_ids: Entries of experimental databases, such as `icsd-31157`.
        source: Database with its version, and the material's id.
    """

    theoretical: bool | None
    dois: tuple[str, ...]
    database_ids: tuple[str, ...]
    source: str


class Domains(AtServer):
    """Records by kind.

    Args:
        client: The server; by default the one `MP_API_ENDPOINT` names, else the public one.

    Every method takes `material_ids` (such as `mp-2998`) or a `formula`, and raises

        InputError: neither or both are given, an id or the formula is none, or there are too many.
        SettingsError: there is no key, or it was refused.
        StageError: the server gave no usable answer.
    """

    def summary(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Everything a summary holds; the functional of the gap where it is known."""
        records, version = self._records("summary", SummaryValues, material_ids, formula, SUMMARY_FIELDS)
        known = gap_functionals(self._client, records, version)

        def held(record: SummaryValues, source: str) -> list[PropertyValue]:
            return values.of_summary(record, source, known.get(record.material_id, values.DFT))

        return _found(records, version, held)

    def thermo(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Energies, formation energies and distances to the hull, by scheme of correction and mixing."""
        return self._values("thermo", Thermo, values.of_thermo, material_ids, formula)

    def electronic_structure(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Band gaps, by functional where it is known."""
        records, version = self._records("electronic_structure", ElectronicStructure, material_ids, formula)
        known = gap_functionals(self._client, records, version)

        def held(record: ElectronicStructure, source: str) -> list[PropertyValue]:
            method = known.get(record.material_id, values.DFT)
            return values.of_electronic_structure(record, source, method)

        return _found(records, version, held)

    def dielectric(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Permittivities and refractive index."""
        return self._values("dielectric", Dielectric, values.of_dielectric, material_ids, formula)

    def piezoelectric(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Piezoelectric modulus."""
        return self._values("piezoelectric", Piezoelectric, values.of_piezoelectric, material_ids, formula)

    def elasticity(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Bulk and shear modulus, Poisson's ratio."""
        return self._values("elasticity", Elasticity, values.of_elasticity, material_ids, formula)

    def oxidation_states(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Ions."""
        return self._values(
            "oxidation_states", OxidationStates, values.of_oxidation_states, material_ids, formula
        )

    def magnetism(self, material_ids: Sequence[str] = (), formula: str | None = None) -> Found:
        """Magnetization and ordering."""
        return self._values("magnetism", Magnetism, values.of_magnetism, material_ids, formula)

    def provenance(self, material_ids: Sequence[str] = (), formula: str | None = None) -> dict[str, Origins]:
        """References and experimental records."""
        records, version = self._records("provenance", Provenance, material_ids, formula)
        return {record.material_id: _origins(record, version) for record in records}

    def ids_of(self, formula: str) -> list[str]:
        """Materials of a formula."""
        reduced = reduced_formula(formula)
        if reduced is None:
            raise InputError(f"{formula[:40]!r} is not a chemical formula.")
        criteria = {"formula": reduced, "deprecated": False, "_sort_fields": "material_id"}
        gathered = gather(self._client, [Query("summary", criteria, ("material_id",))])
        return [record.material_id for record in _readable(Named, gathered)]

    def _values(
        self,
        route: str,
        model: type[AnyRecord],
        held: Callable[[AnyRecord, str], list[PropertyValue]],
        material_ids: Sequence[str],
        formula: str | None,
    ) -> Found:
        records, version = self._records(route, model, material_ids, formula)
        return _found(records, version, held)

    def _records(
        self,
        route: str,
        model: type[AnyRecord],
        material_ids: Sequence[str],
        formula: str | None,
        fields: Sequence[str] | None = None,
    ) -> tuple[list[AnyRecord], str]:
        """Records in the order of their ids, and the database version."""
        asked = self._ids(material_ids, formula)
        wanted = tuple(fields or model.model_fields)
        batches = [asked[i : i + IDS_PER_QUERY] for i in range(0, len(asked), IDS_PER_QUERY)]
        queries = [Query(route, {"material_ids": ",".join(batch)}, wanted) for batch in batches]
        gathered = gather(self._client, queries)
        place = {identifier: i for i, identifier in enumerate(asked)}
        records = [record for record in _readable(model, gathered) if record.material_id in place]
        return sorted(records, key=lambda record: place[record.material_id]), gathered.version

    def _ids(self, material_ids: Sequence[str], formula: str | None) -> list[str]:
        if bool(material_ids) == bool(formula):
            raise InputError("Give ids of the Materials Project, such as mp-2998, or a formula.")
        if formula:
            return self.ids_of(formula)
        for identifier in material_ids:
            if not ID_PATTERN.fullmatch(identifier):
                raise InputError(
                    f"{identifier[:40]!r} is no id of the Materials Project; one looks like mp-2998."
                )
        if len(material_ids) > MOST_IDS:
            raise InputError(f"{len(material_ids)} ids; at most {MOST_IDS} are asked for at once.")
        return list(dict.fromkeys(material_ids))


def _readable(model: type[AnyRecord], gathered: Gathered) -> Iterator[AnyRecord]:
    for raw in gathered.documents():
        record, _ = read(model, raw)
        if record is not None:
            yield record


def _found(
    records: Sequence[AnyRecord], version: str, held: Callable[[AnyRecord, str], list[PropertyValue]]
) -> Found:
    """Values by material; each once."""
    found: Found = {}
    for record in records:
        told = found.setdefault(record.material_id, [])
        new = held(record, values.source_of(version, record.material_id))
        told.extend(value for value in new if value not in told)
    return found


def _origins(record: Provenance, version: str) -> Origins:
    entries = [entry for group in (record.database_IDs or {}).values() for entry in group]
    return Origins(
        record.theoretical,
        dois(record.references or []),
        tuple(dict.fromkeys(entries)),
        values.source_of(version, record.material_id),
    )
