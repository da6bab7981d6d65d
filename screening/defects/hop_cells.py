"""How does a hop look in a supercell, and what do its two ends look like when the vacancy is at rest?

The atoms of both ends stand in the same order, the one that hops last, and its coordinates run straight from one to the
other without wrapping. Only the vacancies of distinct sites are relaxed; the others follow by symmetry, so that
alike ends have the same energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Potential
from ...core.errors import StructureError
from ...core.supercells import SYMPREC_ANGSTROM, Supercell
from ...core.symmetry import dataset_at
from .hops import Hop, Hops
from .invariant import Effort, Rest, descend, images_of, subspace_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_SITE_ANGSTROM = 0.1
"""A site of the primitive cell is found in the supercell within this distance."""


@dataclass(frozen=True)
class HopCell:
    """A hop in a supercell, atoms where the perfect crystal has them.

    Attributes:
        hop: Its class.
        start_site: In the perfect supercell: where the vacancy is first, and the ion afterwards.
        end_site: Where the ion is first.
        start: Cartesian, A, shape `(3,)`.
        end: Cartesian, A, at the image of `end_site` that is the neighbour of `start`.
        whole: The perfect supercell.
    """

    hop: Hop
    start_site: int
    end_site: int
    start: np.ndarray
    end: np.ndarray
    whole: Structure

    @property
    def direction(self) -> np.ndarray:
        """Unit vector along which the ion moves."""
        return (self.start - self.end) / np.linalg.norm(self.start - self.end)

    def at(self, fraction: float) -> Structure:
        """The supercell with the ion on the straight way: 0 at its own site, 1 in the vacancy."""
        from pymatgen.core import Structure

        kept = [i for i in range(len(self.whole)) if i not in (self.start_site, self.end_site)]
        positions = [*self.whole.cart_coords[kept], self.end + fraction * (self.start - self.end)]
        species = [*(self.whole[i].specie for i in kept), self.whole[self.end_site].specie]
        return Structure(self.whole.lattice, species, positions, coords_are_cartesian=True)

    def relaxed(self, vacancy: Vacancy, fraction: float) -> Structure:
        """An end with the displacements of its vacancy: `fraction` 0 for that at `start_site`, 1 at `end_site`."""
        from pymatgen.core import Structure

        ideal = self.at(fraction)
        kept = [i for i in range(len(self.whole)) if i not in (self.start_site, self.end_site)]
        ion = self.start_site if fraction else self.end_site
        moves = vacancy.displacements[[*kept, ion]]
        return Structure(ideal.lattice, ideal.species, ideal.cart_coords + moves, coords_are_cartesian=True)


@dataclass(frozen=True)
class Vacancy:
    """A vacancy at rest in a supercell.

    Attributes:
        site: In the perfect supercell.
        energy: eV, of the cell without the atom.
        displacements: Of the sites of the perfect supercell, A, shape `(nsites, 3)`; zero at `site`.
        converged: Whether the forces fell below what was asked for.
    """

    site: int
    energy: float
    displacements: np.ndarray
    converged: bool


def hop_cell(hop: Hop, hops: Hops, supercell: Supercell) -> HopCell:
    """A hop laid into a supercell of the same crystal.

    Raises:
        StructureError: the supercell has no atom where the primitive cell has one.
    """
    primitive, whole = hops.primitive, supercell.structure
    start = primitive.frac_coords[hop.start] @ primitive.lattice.matrix
    end = (primitive.frac_coords[hop.end] + hop.translation) @ primitive.lattice.matrix
    sites = [site_at(whole, start), site_at(whole, end)]
    if sites[0] == sites[1]:
        raise StructureError(
            f"The hop {hop.name} leads to an image of its own vacancy in a supercell of {len(whole)} atoms; "
            "allow more atoms."
        )
    return HopCell(hop, sites[0], sites[1], start, end, whole)


def site_at(whole: Structure, position: np.ndarray) -> int:
    """The site of a crystal at a Cartesian position, A, or one of its images.

    Raises:
        StructureError: there is none.
    """
    gaps = whole.frac_coords - whole.lattice.get_fractional_coords(position)
    distances = np.linalg.norm((gaps - np.round(gaps)) @ whole.lattice.matrix, axis=1)
    nearest = int(distances.argmin())
    if distances[nearest] > SAME_SITE_ANGSTROM:
        raise StructureError(
            f"The supercell has no atom within {SAME_SITE_ANGSTROM:g} A of a site of its primitive cell."
        )
    return nearest


def vacancies_at(
    sites: list[int],
    whole: Structure,
    potential: Potential,
    effort: Effort,
) -> dict[int, Vacancy | str]:
    """Vacancies at rest; of those that symmetry makes alike one is relaxed, and all in one batch.

    Args:
        sites: Of the perfect supercell.
        whole: The perfect supercell.
        potential: Of energies and forces.
        effort: How far relaxations go.

    Returns:
        By site; a sentence where the potential refuses. A vacancy keeps the symmetry of its site.
    """
    operations = _Operations(whole)
    firsts: dict[int, int] = {}
    for site in sites:
        firsts[site] = next((first for first in firsts.values() if operations.leads(first, site)), site)
    distinct = sorted(set(firsts.values()))
    structures = [without(whole, site) for site in distinct]
    rests = descend(structures, [subspace_of(one) for one in structures], potential, effort)
    at_rest = {
        site: rest if isinstance(rest, str) else _vacancy(site, whole, rest)
        for site, rest in zip(distinct, rests, strict=True)
    }
    return {site: operations.carried(at_rest[first], site) for site, first in firsts.items()}


def without(whole: Structure, site: int) -> Structure:
    """The crystal without one atom and without site properties."""
    from pymatgen.core import Structure

    kept = [i for i in range(len(whole)) if i != site]
    return Structure(whole.lattice, [whole[i].specie for i in kept], whole.frac_coords[kept])


def _vacancy(site: int, whole: Structure, rest: Rest) -> Vacancy:
    kept = [i for i in range(len(whole)) if i != site]
    displacements = np.zeros((len(whole), 3))
    gaps = rest.structure.frac_coords - whole.frac_coords[kept]
    displacements[kept] = (gaps - np.round(gaps)) @ whole.lattice.matrix
    return Vacancy(site, rest.energy, displacements, rest.converged)


class _Operations:
    """Those of a supercell, translations of the primitive lattice among them."""

    def __init__(self, whole: Structure) -> None:
        dataset = dataset_at(whole, SYMPREC_ANGSTROM)
        self.whole = whole
        self.rotations = np.eye(3)[None] if dataset is None else dataset.rotations
        self.translations = np.zeros((1, 3)) if dataset is None else dataset.translations

    def leads(self, site: int, other: int) -> int | None:
        """The number of the first operation, plus one, that carries a site to another; `None` if none does."""
        carried = self.rotations @ self.whole.frac_coords[site] + self.translations
        gaps = carried - self.whole.frac_coords[other]
        distances = np.linalg.norm((gaps - np.round(gaps)) @ self.whole.lattice.matrix, axis=1)
        found = np.flatnonzero(distances < SAME_SITE_ANGSTROM)
        return int(found[0]) + 1 if len(found) else None

    def carried(self, vacancy: Vacancy | str, site: int) -> Vacancy | str:
        """A vacancy at a site that an operation leads to."""
        if isinstance(vacancy, str) or vacancy.site == site:
            return vacancy
        number = self.leads(vacancy.site, site)
        assert number is not None
        rotation, translation = self.rotations[number - 1], self.translations[number - 1]
        columns = self.whole.lattice.matrix.T
        turn = columns @ rotation @ np.linalg.inv(columns)
        displacements = np.zeros_like(vacancy.displacements)
        images = images_of(self.whole, rotation, translation)
        displacements[images] = vacancy.displacements @ turn.T
        return Vacancy(site, vacancy.energy, displacements, vacancy.converged)
