"""How is the bundled catalogue made?

Choose (`selection`), relax with the relaxer that is handed in, name each crystal as it was published, and
write the file and its card. Every relaxation is written down as soon as it is known; nothing is dropped in silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.contracts import Relaxation, Relaxer
from ...core.errors import StageError
from ...core.filters import anonymous_of
from ...core.identity import SYMPREC_ANGSTROM, IdentityIndex
from ...core.settings import home
from ..prototypes import prototype_of
from ..relaxation_log import RelaxationLog, geometry_fields
from .card import Left, write_card
from .file import Header, Row, write_catalog
from .profile import Profile, elements, spglib_cell
from .selection import Chosen, select

if TYPE_CHECKING:
    from pymatgen.core import Structure

RELAXATION_LOG = "catalog_relaxations.jsonl"
CRYSTALS_PER_CALL = 200
"""Handed to the relaxer at once; it makes its own batches."""
ENERGY_DECIMALS = 6
HUBBARD_METALS = elements("Co Cr Fe Mn Mo Ni V W")
"""With O or F, the Materials Project adds a Hubbard U to these; pymatgen's MPRelaxSet."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CatalogBuild:
    """What a build came to.

    Attributes:
        header: The file's header.
        rows: Crystals in the catalogue.
        left: Chosen crystals that are not in it, with the reason.
    """

    header: Header
    rows: tuple[Row, ...]
    left: tuple[Left, ...]


def build_catalog(
    data_dir: Path,
    out_path: Path,
    relaxer: Relaxer,
    progress: Progress | None = None,
    work_dir: Path | None = None,
    relaxed: Iterable[tuple[str, Relaxation]] = (),
    date: str | None = None,
) -> CatalogBuild:
    """Build the catalogue from the data folder; resumable.

    Args:
        data_dir: `HYSTERON_DATA_DIR`.
        out_path: The file to write; its card `catalog.md` is written beside it.
        relaxer: Relaxes what is not known yet.
        progress: Called with (stage, done, total).
        work_dir: Where finished relaxations are kept; `HYSTERON_HOME`/cache by default.
        relaxed: (material_id, relaxation) known already, by the same potential and relaxer.
        date: ISO date for the header; today by default.

    Raises:
        MissingDataError: the data folder lacks a table.
        StageError: nothing could be relaxed.
    """
    tell = progress or (lambda *_: None)
    chosen = select(Path(data_dir), lambda done, total: tell("symmetry", done, total))
    log = RelaxationLog((work_dir or home() / "cache") / RELAXATION_LOG, method_of(relaxer))
    known = dict(relaxed) | log.finished
    relax_missing([c.profile for c in chosen], relaxer, log, known, tell)
    header = header_for(relaxer, date or f"{datetime.now(UTC):%Y-%m-%d}")
    rows, left = rows_of(chosen, known)
    if not rows:
        raise StageError("None of the chosen crystals could be relaxed; the catalogue is left as it was.")
    write_catalog(out_path, header, rows)
    write_card(out_path.with_name("catalog.md"), header, rows, left, chosen, twins_of(rows))
    return CatalogBuild(header, tuple(rows), tuple(left))


def method_of(relaxer: Relaxer) -> str:
    """What a relaxation must share with another one to stand for it."""
    return f"{relaxer.potential.name}; weights {relaxer.potential.model_hash}; {relaxer.version}"


def header_for(relaxer: Relaxer, date: str) -> Header:
    """The header of a file made with this relaxer."""
    potential = relaxer.potential
    return Header(date, potential.name, potential.energy_scale, potential.model_hash, relaxer.version)


def relax_missing(
    profiles: Sequence[Profile],
    relaxer: Relaxer,
    log: RelaxationLog,
    known: dict[str, Relaxation],
    tell: Progress,
) -> None:
    """Relax what is not in `known`, add it there and to the log."""
    missing = [p for p in profiles if p.material_id not in known]
    done = count(len(profiles) - len(missing))
    tell("relax", next(done), len(profiles))
    for start in range(0, len(missing), CRYSTALS_PER_CALL):
        batch = missing[start : start + CRYSTALS_PER_CALL]

        def take(i: int, relaxation: Relaxation, batch: Sequence[Profile] = batch) -> None:
            known[batch[i].material_id] = log.append(batch[i].material_id, relaxation)
            tell("relax", next(done), len(profiles))

        relaxer.relax([p.record.structure() for p in batch], on_done=take)


def rows_of(chosen: Sequence[Chosen], known: dict[str, Relaxation]) -> tuple[list[Row], list[Left]]:
    """Rows of the catalogue, one per crystal, and what is left out with the reason."""
    good, left = [], []
    for each in chosen:
        relaxation = known[each.profile.material_id]
        if relaxation.failure or relaxation.structure is None or relaxation.energy_per_atom is None:
            reason = relaxation.failure or "The relaxer gave no structure."
            left.append(Left(each.profile.material_id, each.profile.formula, reason))
        else:
            good.append(each.profile)
    by_id: dict[str, list[Profile]] = defaultdict(list)
    named = IdentityIndex().assign_all([p.record.structure() for p in good])
    for p, (candidate_id, _, _) in zip(good, named, strict=True):
        by_id[candidate_id].append(p)
    return [_row(candidate_id, same, known) for candidate_id, same in sorted(by_id.items())], left


def twins_of(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Ids of crystals that were different as published and are the same after relaxation."""
    index = IdentityIndex()
    twins = []
    for row in sorted(rows, key=lambda row: row.candidate_id):
        structure = row.structure()
        earlier = index.find(structure)
        if earlier is not None:
            twins.append((earlier, row.candidate_id))
        index.add(row.candidate_id, structure)
    return twins


def _row(candidate_id: str, same: Sequence[Profile], known: dict[str, Relaxation]) -> Row:
    """The row of a crystal; published several times, the one of lowest energy stands for all."""

    def rank(p: Profile) -> tuple:
        relaxation = known[p.material_id]
        return not relaxation.converged, relaxation.energy_per_atom, p.material_id

    best, *others = sorted(same, key=rank)
    relaxation = known[best.material_id]
    assert relaxation.structure is not None
    assert relaxation.energy_per_atom is not None
    gap = best.band_gap
    spacegroup_number, structure_type = symmetry_of(relaxation.structure)
    return Row(
        candidate_id=candidate_id,
        material_id=best.material_id,
        spacegroup_number=spacegroup_number,
        **geometry_fields(relaxation.structure),
        energy_per_atom=round(float(relaxation.energy_per_atom), ENERGY_DECIMALS),
        max_force=None if relaxation.max_force is None else round(float(relaxation.max_force), 4),
        steps=relaxation.steps,
        converged=relaxation.converged,
        band_gap=None if gap is None else round(float(gap), 4),
        gap_method=gap_method(best.elements),
        same_as=tuple(p.material_id for p in others),
        structure_type=structure_type,
    )


def symmetry_of(structure: Structure) -> tuple[int, str | None]:
    """Space group number at symprec 0.01 A, and the name of the structure type if it is a well-known one."""
    import spglib

    data = spglib.get_symmetry_dataset(spglib_cell(structure), symprec=SYMPREC_ANGSTROM)
    if data is None:
        return 1, None
    letters = [data.wyckoffs[i] for i in sorted(set(data.crystallographic_orbits))]
    anonymous = anonymous_of(structure.composition.get_el_amt_dict())
    return int(data.number), prototype_of(anonymous, int(data.number), letters)


def gap_method(present: frozenset[str]) -> str:
    """How the Materials Project computed a gap: `PBE+U` for oxides and fluorides of some metals, else `PBE`."""
    return "PBE+U" if present & HUBBARD_METALS and present & {"O", "F"} else "PBE"
