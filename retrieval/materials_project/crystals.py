"""Which candidates do records become?

Records of one formula are treated together, since only these can be the same crystal: so the ids do not depend on
the order in which records came, and no more than one formula's structures are held at a time.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.candidate import Candidate, Failure, PropertyValue, Step
from ...core.errors import HysteronError, InputError, StructureError
from ...core.foreign import structure_from_dict
from ..prototypes import METHOD as PROTOTYPES
from ..prototypes import prototype_of
from ..sanity import require_site_count, usable
from .access import NAME
from .documents import Summary, read
from .values import DFT, of_summary, source_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...core.identity import Bucket

NOT_READ = "The structure cannot be read."


@dataclass(frozen=True)
class Record:
    """A summary with a usable crystal, and what it is called here."""

    summary: Summary
    candidate: Candidate


@dataclass
class Tally:
    """What could not be used.

    Attributes:
        failures: (material id, reason) of records that became no candidate.
        left_out: How often a field was left out, with the reason.
    """

    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Crystal:
    summary: Summary
    notes: tuple[str, ...]
    structure: Structure
    bucket: Bucket
    changes: dict[str, Any]


def records_of(raws: Sequence[Any], fetched: str, version: str, tally: Tally) -> list[Record]:
    """The records of one formula as candidates, each with the id of its crystal; two may share one.

    Args:
        raws: As sent; all records of the formula that there are.
        fetched: When, ISO 8601, UTC.
        version: Of the database.
        tally: Takes what could not be used.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pymatgen's, of elements without an electronegativity
        crystals = [crystal for raw in raws if (crystal := _crystal(raw, tally)) is not None]
        try:
            identifiers = _identifiers(crystals)
        except Exception as error:  # a geometry can break the comparison of crystals
            reason = f"It cannot be told from others of its formula ({type(error).__name__})."
            tally.failures.extend((crystal.summary.material_id, reason) for crystal in crystals)
            return []
        return [
            Record(crystal.summary, _candidate(crystal, identifier, version, fetched))
            for crystal, identifier in zip(crystals, identifiers, strict=True)
        ]


def merged(records: Sequence[Record]) -> Iterator[Candidate]:
    """One candidate for each crystal: of two records of one crystal the lower in energy, which names the other."""
    by_id: dict[str, list[Record]] = {}
    for record in records:
        by_id.setdefault(record.candidate.candidate_id, []).append(record)
    for same in by_id.values():
        first, *others = sorted(same, key=_preference)
        yield _naming(first.candidate, [other.summary.material_id for other in others])


def with_gap_method(candidate: Candidate, method: str) -> Candidate:
    """With the functional of the gap, once it is known."""
    gaps = ("band_gap", "gap_type")
    properties = tuple(
        dataclasses.replace(value, method=method) if value.name in gaps else value
        for value in candidate.properties
    )
    return dataclasses.replace(candidate, properties=properties)


def _preference(record: Record) -> tuple[float, int, str]:
    above_hull, material_id = record.summary.energy_above_hull, record.summary.material_id
    return (float("inf") if above_hull is None else above_hull, len(material_id), material_id)


def _naming(candidate: Candidate, others: list[str]) -> Candidate:
    if not others:
        return candidate
    (step,) = candidate.provenance
    details = step.details | {"same_as": others}
    return dataclasses.replace(candidate, provenance=(dataclasses.replace(step, details=details),))


def _crystal(raw: Any, tally: Tally) -> _Crystal | None:
    from ...core.identity import bucket_of

    summary, notes = read(Summary, raw)
    tally.left_out.update(notes)
    if summary is None:
        tally.failures.append((_name_of(raw), f"The record cannot be used: {'; '.join(notes)}."))
        return None
    try:
        if summary.deprecated:
            raise InputError("The Materials Project has withdrawn this material.")
        structure, changes = usable(_structure(summary.structure))
        return _Crystal(summary, notes, structure, bucket_of(structure), changes)
    except HysteronError as error:
        reason = str(error)
    except Exception as error:  # the geometry of a foreign record can break spglib or the neighbour search
        reason = f"The structure cannot be treated ({type(error).__name__})."
    tally.failures.append((summary.material_id, reason))
    return None


def _structure(raw: dict[str, Any]) -> Structure:
    """A structure from its cell, elements and places; a sender's words stay out of the message.

    Properties of sites are left behind before anything is built: they are not used, and reading them is slow.
    """
    sites = raw.get("sites")
    if not isinstance(sites, list):
        raise StructureError(NOT_READ)
    require_site_count(len(sites))
    try:
        bare = {
            "lattice": {"matrix": raw["lattice"]["matrix"]},
            "sites": [{"species": site["species"], "abc": site["abc"]} for site in sites],
        }
        return structure_from_dict(bare)
    except (KeyError, TypeError, InputError):
        raise StructureError(NOT_READ) from None


def _name_of(raw: Any) -> str:
    """The id of a record that cannot be used, where it has one."""
    from .documents import ID_PATTERN

    named = raw.get("material_id") if isinstance(raw, dict) else None
    return named if isinstance(named, str) and ID_PATTERN.fullmatch(named) else "a record without an id"


def _identifiers(crystals: Sequence[_Crystal]) -> list[str]:
    """What `IdentityIndex.assign_all` gives, with the symmetry that is at hand; distances rank a bucket of several."""
    from ...core.identity import IdentityIndex, average_minimum_distances

    sizes = Counter(crystal.bucket for crystal in crystals)

    def rank(i: int) -> tuple:
        crystal = crystals[i]
        shared = sizes[crystal.bucket] > 1
        distances = average_minimum_distances(crystal.structure).round(6) if shared else ()
        return str(crystal.bucket), *distances

    index = IdentityIndex()
    order = sorted(range(len(crystals)), key=rank)
    given = {i: index.assign(crystals[i].structure, crystals[i].bucket)[0] for i in order}
    return [given[i] for i in range(len(crystals))]


def _candidate(crystal: _Crystal, identifier: str, version: str, fetched: str) -> Candidate:
    summary = crystal.summary
    source = source_of(version, summary.material_id)
    left_out = tuple(Failure("retrieve", NAME, f"{note}.") for note in crystal.notes)
    return Candidate(
        candidate_id=identifier,
        structure=crystal.structure,
        properties=(*of_summary(summary, source), *_of_structure(crystal, source)),
        provenance=(Step("retrieve", NAME, version, time=fetched, details=_details(crystal)),),
        failures=left_out,
        spacegroup_number=crystal.bucket.spacegroup_number,
    )


def _of_structure(crystal: _Crystal, source: str) -> Iterator[PropertyValue]:
    structure, bucket = crystal.structure, crystal.bucket
    volume = structure.volume / len(structure)
    yield PropertyValue("volume_per_atom", volume, "A^3/atom", DFT, None, source)
    letters = [orbit.partition(":")[0] for orbit in bucket.wyckoff.split()]
    anonymous = structure.composition.anonymized_formula
    prototype = prototype_of(anonymous, bucket.spacegroup_number, letters) if letters else None
    if prototype is not None:
        yield PropertyValue("structure_type", prototype, "1", PROTOTYPES, None, source)


def _details(crystal: _Crystal) -> dict[str, Any]:
    summary = crystal.summary
    details: dict[str, Any] = {"material_id": summary.material_id} | crystal.changes
    symmetry = summary.symmetry
    if symmetry is not None and symmetry.number not in (None, crystal.bucket.spacegroup_number):
        details["spacegroup_number_at_0.1_A"] = symmetry.number
    if summary.builder_meta is not None and summary.builder_meta.license:
        details["licence"] = summary.builder_meta.license
    return details
