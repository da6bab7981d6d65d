"""Which materials of the bundled catalogue match a filter?

Source `catalog`: some thousand compounds of the Materials Project, relaxed by the project itself. It needs no
network. Energies above hull are not in it: a hull that is handed in adds them, on the same energy scale.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...core.candidate import Candidate, Failure, PropertyValue, Step
from ...core.contracts import Hull, HullDistance
from ...core.errors import FilterError
from ...core.filters import Filter, Name, matches, names_in
from ...core.formation import elemental_energy, reference_energies
from ...core.properties import method_matches, method_slug
from ...core.settings import config_hash, data_file
from ..prototypes import METHOD as PROTOTYPES
from .file import CatalogFile, Row, read_catalog

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

NAME = "catalog"
FILE_NAME = "catalog.jsonl.gz"
PROPERTIES = ("energy_per_atom", "band_gap", "volume_per_atom", "density", "structure_type")
"""What the catalogue knows of a crystal."""
FROM_HULL = ("energy_above_hull", "formation_energy_per_atom")
A3_IN_CM3 = 1e-24
_OF_A_STORE = ("run_id", "passes", "fails")


class Catalog:
    """The bundled catalogue as a source.

    Args:
        path: A catalogue file; by default the one in `HYSTERON_HOME`, else the shipped one.
        hull: Gives the hull when a distance is needed; one of another potential than the catalogue's is not used.

    Raises:
        MissingDataError: there is no catalogue, or it cannot be read.
    """

    name = NAME

    def __init__(self, path: str | Path | None = None, hull: Callable[[], Hull] | None = None) -> None:
        self._file: CatalogFile = read_catalog(data_file(FILE_NAME, path))
        self.header = self._file.header
        self._hull_given = hull

    def __len__(self) -> int:
        return len(self._file.rows)

    @property
    def version(self) -> str:
        """Date of the build and digest of the content."""
        return f"{self.header.date} {self._file.digest}"

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Crystals that match, sorted by id; only theirs are built as `Structure`, and only theirs get a distance
        from the hull, unless the filter asks for distances.

        Raises:
            FilterError: the filter asks for something that no crystal of the catalogue can have.
        """
        if query is not None:
            for name in names_in(query):
                self._require_known(name)
        return self._search(query)

    def _search(self, query: Filter | None) -> Iterator[Candidate]:
        asked = query is not None and any(name.name in FROM_HULL for name in names_in(query))
        sketches = [(row, self._candidate(row, cast("Structure", _Sketch(row)))) for row in self._file.rows]
        if asked:
            sketches = self._with_hull(sketches)
        found = [(row, sketch) for row, sketch in sketches if query is None or matches(query, sketch)]
        for row, sketch in found if asked else self._with_hull(found):
            yield dataclasses.replace(sketch, structure=row.structure())

    @cached_property
    def _hull(self) -> Hull | None:
        hull = self._hull_given() if self._hull_given else None
        return hull if hull and hull.potential_name == self.header.potential else None

    def _with_hull(self, rows: list[tuple[Row, Candidate]]) -> list[tuple[Row, Candidate]]:
        """Each with what the hull tells of it, all in one batch; a crystal that it cannot place stays as it is."""
        hull = self._hull
        if hull is None or not rows:
            return rows
        queries = [(c.structure.composition, row.energy_per_atom, ()) for row, c in rows]
        distances = hull.distances(queries)
        references = reference_energies(hull, sorted({symbol for row, _ in rows for symbol in row.species}))
        found = []
        for (row, candidate), distance in zip(rows, distances, strict=True):
            if isinstance(distance, HullDistance):
                formation = row.energy_per_atom - elemental_energy(
                    candidate.structure.composition, references
                )
                source = f"elemental phases of {hull.name}"
                candidate = candidate.with_property(
                    distance.as_property(hull),
                    PropertyValue(FROM_HULL[1], formation, "eV/atom", hull.potential_name, None, source),
                )
            found.append((row, candidate))
        return found

    def _require_known(self, name: Name) -> None:
        if name.name in _OF_A_STORE:
            raise FilterError(
                f"{name} belongs to a store of candidates, not to the catalogue: use 'hysteron query'."
            )
        if not name.is_property:
            return
        held = (*PROPERTIES, *(FROM_HULL if self._hull is not None else ()))
        if name.name not in held:
            raise FilterError(
                f"The catalogue does not hold {name}; it holds {', '.join(held)}. "
                "'hysteron predict' and 'hysteron screen' add others."
            )
        methods = self._methods(name.name)
        if name.method and not any(method_matches(method_slug(m), name.method) for m in methods):
            raise FilterError(f"The catalogue has no {name}; its {name.name} is by {' or '.join(methods)}.")

    def _methods(self, name: str) -> list[str]:
        if name == "band_gap":
            return sorted({row.gap_method for row in self._file.rows if row.band_gap is not None})
        return [PROTOTYPES if name == "structure_type" else self.header.potential]

    def _candidate(self, row: Row, structure: Structure) -> Candidate:
        return Candidate(
            candidate_id=row.candidate_id,
            structure=structure,
            properties=tuple(self._properties(row, structure)),
            provenance=self._provenance(row),
            failures=() if row.converged else (self._not_converged(row),),
            spacegroup_number=row.spacegroup_number,
        )

    def _properties(self, row: Row, structure: Structure) -> Iterator[PropertyValue]:
        potential, source = self.header.potential, self._energy_source
        volume = _volume(row.lattice) / len(row.species)
        yield PropertyValue("energy_per_atom", row.energy_per_atom, "eV/atom", potential, None, source)
        yield PropertyValue("volume_per_atom", volume, "A^3/atom", potential, None, source)
        yield PropertyValue("density", _density(structure, volume), "g/cm^3", potential, None, source)
        if row.structure_type is not None:
            yield PropertyValue("structure_type", row.structure_type, "1", PROTOTYPES, None, source)
        if row.band_gap is not None:
            published = f"{self.header.source}, {row.material_id}"
            yield PropertyValue("band_gap", row.band_gap, "eV", row.gap_method, None, published)

    @cached_property
    def _energy_source(self) -> str:
        return f"catalog {self.version}, {self.header.energy_scale} scale"

    def _provenance(self, row: Row) -> tuple[Step, Step]:
        header = self.header
        origin: dict[str, Any] = {"material_id": row.material_id, "source": header.source}
        if row.same_as:
            origin["same_as"] = list(row.same_as)
        relaxation = {"steps": row.steps, "converged": row.converged, "max_force": row.max_force}
        how = f"{header.relaxer}; weights {header.weights}"
        return (
            Step("retrieve", NAME, self.version, time=header.date, details=origin),
            Step(
                "relax",
                header.potential,
                how,
                config_hash(header.relaxer),
                time=header.date,
                details=relaxation,
            ),
        )

    def _not_converged(self, row: Row) -> Failure:
        reason = f"Not converged after {row.steps} steps: largest force {row.max_force or 0:.3f} eV/A."
        return Failure("relax", self.header.potential, reason)


class _Sketch:
    """As much of a structure as a filter asks for, without sites."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def __len__(self) -> int:
        return len(self._row.species)

    @cached_property
    def composition(self) -> Composition:
        from pymatgen.core import Composition

        return Composition(Counter(self._row.species))


def _density(structure: Structure, volume_per_atom: float) -> float:
    """g/cm^3, from the masses of the cell."""
    from scipy.constants import atomic_mass

    grams = float(structure.composition.weight) * atomic_mass * 1e3
    return grams / (volume_per_atom * len(structure) * A3_IN_CM3)


def _volume(lattice: list[list[float]]) -> float:
    """A^3 of a cell given by rows."""
    (a, b, c), (d, e, f), (g, h, i) = lattice
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
