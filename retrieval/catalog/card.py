"""What should a reader of the catalogue know of it? Writes the card `catalog.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from ...core.symmetry import POLAR_SPACE_GROUPS, polar_point_group
from .file import Header, Row
from .profile import MAX_SITES
from .selection import Chosen, classes


@dataclass(frozen=True)
class Left:
    """A chosen crystal that is not in the catalogue, and why."""

    material_id: str
    formula: str
    reason: str


_INTRODUCTION = """# The bundled catalogue

{count} compounds for offline use, chosen for ferroelectric and resistive-switching work and relaxed (positions and
cell) by the project itself. Built {date} by `hysteron data build catalog`.

| | |
| --- | --- |
| Crystals from | {source} (ids in every row), CC BY 4.0 |
| Cite | Jain et al., APL Materials 1, 011002 (2013), doi:10.1063/1.4812323 |
| Relaxed with | {potential}, weights {weights}, {relaxer} |
| Energies | eV/atom, {energy_scale} scale |
| Band gaps | of the crystal as published: PBE, or PBE+U for oxides and fluorides of Co, Cr, Fe, Mn, Mo, Ni, V, W |
| Converged | {converged} of {count} |
| Same crystal published more than once | {merged} entries joined to another one |
| Chosen and left out | {left} |

## How they were chosen

`retrieval/catalog/selection.py`: compounds of at most {max_sites} atoms in the cell, charge-balanced (SMACT, mixed valence
allowed), without radioactive elements, noble gases, H and C; a quota per class, best of every structure type
first; one member of each lanthanide series. The ferroelectric class follows the ids in the table of Smidt et
al., Sci. Data 7, 72 (2020). The data folder lacks about one formula in eight (kept for blind tests), so a
missing well-known compound can be intended. A crystal may count for several classes.

"""

_LIMITS = """
## What it should not be used for

Energies are those of a machine-learned potential: differences between polymorphs of a few meV/atom are within its
error. Magnetic order is not resolved. It is a sample, not a census: absence says nothing about a compound.
"""


def write_card(
    path: Path,
    header: Header,
    rows: Sequence[Row],
    left: Sequence[Left],
    chosen: Sequence[Chosen],
    twins: Sequence[tuple[str, str]],
) -> None:
    """Write the card of a catalogue, in Markdown.

    Args:
        path: Where to.
        header: Of the catalogue.
        rows: Of the catalogue.
        left: Chosen crystals that are not in it.
        chosen: All chosen crystals.
        twins: Ids of crystals that relaxed into one another.
    """
    present = {i for row in rows for i in (row.material_id, *row.same_as)}
    kept = [each for each in chosen if each.profile.material_id in present]
    text = _introduction(header, rows, left)
    text += _table(("Class", "Quota", "Crystals"), _class_lines(kept))
    text += "\n" + _table(("Polar point group", "As published", "After relaxation"), _polar_lines(rows, kept))
    text += "\n" + _table(("Family", "Crystals"), Counter(e.profile.family for e in kept).most_common())
    text += _section("In the catalogue, not converged", _NOT_CONVERGED, _not_converged(rows))
    text += _section("Different as published, the same after relaxation", ("Candidate", "Candidate"), twins)
    text += _section("Chosen and left out", ("Material", "Formula", "Reason"), map(astuple, left)) + _LIMITS
    path.write_text(text, encoding="utf-8")


def _introduction(header: Header, rows: Sequence[Row], left: Sequence[Left]) -> str:
    return _INTRODUCTION.format(
        count=len(rows),
        date=header.date,
        source=header.source,
        potential=header.potential,
        weights=header.weights,
        relaxer=header.relaxer,
        energy_scale=header.energy_scale,
        converged=sum(row.converged for row in rows),
        merged=sum(len(row.same_as) for row in rows),
        left=len(left),
        max_sites=MAX_SITES,
    )


def _class_lines(kept: Sequence[Chosen]) -> Iterable[tuple]:
    counts = Counter(name for each in kept for name in each.classes)
    return [(each.name, each.quota, counts[each.name]) for each in classes(frozenset(), frozenset())]


def _polar_lines(rows: Sequence[Row], kept: Sequence[Chosen]) -> Iterable[tuple]:
    before = Counter(polar_point_group(each.profile.spacegroup_number) for each in kept)
    after = Counter(polar_point_group(row.spacegroup_number) for row in rows)
    return [(symbol, before[symbol], after[symbol]) for symbol in POLAR_SPACE_GROUPS]


def _table(head: Sequence[str], lines: Iterable[Sequence]) -> str:
    written = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |\n" for line in written)


def _section(title: str, head: Sequence[str], lines: Iterable[Sequence]) -> str:
    """A titled table, or nothing if it has no lines."""
    lines = list(lines)
    return f"\n## {title}\n\n{_table(head, lines)}" if lines else ""


_NOT_CONVERGED = ("Material", "Candidate", "Steps", "Largest force (eV/A)")


def _not_converged(rows: Sequence[Row]) -> Iterable[tuple]:
    for row in rows:
        if not row.converged:
            force = "-" if row.max_force is None else f"{row.max_force:.3f}"
            yield row.material_id, row.candidate_id, row.steps, force
