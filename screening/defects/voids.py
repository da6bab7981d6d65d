"""Where in a crystal is room for a foreign ion?

Points that are as far as possible from all atoms are the corners of the atoms' Voronoi cells. They are found in the
primitive cell and its surroundings, moved onto the symmetry elements they all but lie on, and told once for each kind that
the space group makes alike. How well an ion fits is its distance to each atom over the sum of their radii. A proton has
no size and sits on an anion, so its sites are looked for there.

Sources: Blatov and Shevchenko, Acta Cryst. A 59, 34 (2003), doi:10.1107/S0108767302020603 (voids as corners of Voronoi
polyhedra); Shannon, Acta Cryst. A 32, 751 (1976), doi:10.1107/S0567739476001551 (radii, the crystal ones, as in pymatgen).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.oxidation import oxidation_states
from ...core.supercells import SYMPREC_ANGSTROM, primitive_of
from ...core.symmetry import dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from scipy.spatial import KDTree

MERGE_ANGSTROM = 0.5
"""Corners closer to each other are one void."""
FIT_MIN = 0.7
"""Least distance to an atom over the sum of the radii. Lithium on the octahedral void of rutile TiO2 has 0.77, before anything
has relaxed."""
SURROUNDINGS_ANGSTROM = 10.0
"""Atoms this far from the cell are counted: no void of a crystal of the Materials Project without molecules is wider."""
PROTON_BOND_ANGSTROM = 0.98  # O-H in water and hydroxides
PROTON_ROOM_ANGSTROM = 1.3
"""A proton stays this far from all atoms but its own."""
PROTON_TURNS_ANGSTROM = 3.0
"""A proton points from its anion to a void no farther than this."""
ANIONS_OF_PROTONS = frozenset(["N", "O", "F", "S", "Se", "Te", "Cl", "Br", "I"])
UNKNOWN_RADIUS_ANGSTROM = 1.0
SHORTEST_ANGSTROM = 1e-6
TIE_DECIMALS = 4


@dataclass(frozen=True)
class Void:
    """One kind of site for a foreign ion.

    Attributes:
        positions: All equal sites of the primitive cell, fractional, shape `(multiplicity, 3)`; the first stands for all.
        fit: Distance to the atom that leaves least room, over the sum of the radii.
        radius_angstrom: Distance to the nearest atom.
        neighbours: Elements of the atoms about as near as the nearest: `O6`.
    """

    positions: np.ndarray
    fit: float
    radius_angstrom: float
    neighbours: str

    @property
    def multiplicity(self) -> int:
        """Number of equal sites in the primitive cell."""
        return len(self.positions)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "position": self.positions[0].tolist(),
            "multiplicity": self.multiplicity,
            "fit": self.fit,
            "radius_angstrom": self.radius_angstrom,
            "neighbours": self.neighbours,
        }


def voids_of(
    host: Structure, ion: str, fit_min: float = FIT_MIN, merge_angstrom: float = MERGE_ANGSTROM
) -> list[Void]:
    """The kinds of sites at which an ion finds room, the roomiest first.

    Args:
        host: Ordered, in any setting; positions are told in its primitive cell, `supercells.primitive_of`.
        ion: Symbol.
        fit_min: Smaller voids are left out.
        merge_angstrom: Corners closer to each other are one void.

    Raises:
        StructureError: disordered, or no primitive cell is found.
    """
    primitive = primitive_of(host)
    around = Surroundings.of(primitive)
    corners = around.corners()
    if ion == "H":
        corners = around.proton_sites(corners)
    group = Group.of(primitive)
    found = [_void(group, around, corner, ion, merge_angstrom) for corner in corners]
    roomy = sorted((void for void in found if void.fit >= fit_min), key=_order)
    return _apart(roomy, group, merge_angstrom)


@lru_cache(maxsize=1024)
def ionic_radius(symbol: str, charge: int) -> float:
    """Shannon's crystal radius at six neighbours, A; that of the nearest charge, or of the atom, where there is none."""
    from pymatgen.core import Element

    if symbol == "H":
        return 0.0
    element = Element(symbol)
    radii = {
        int(state): float(radius) for state, radius in element.ionic_radii.items() if state * charge >= 0
    }
    if radii:
        return radii[min(radii, key=lambda state: (abs(state - charge), state))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(element.atomic_radius or UNKNOWN_RADIUS_ANGSTROM)


@dataclass(frozen=True)
class Group:
    """The space group of a primitive cell.

    Attributes:
        rotations: Fractional, integers, shape `(n, 3, 3)`.
        translations: Fractional, shape `(n, 3)`.
        matrix: Lattice vectors in rows, A, shape `(3, 3)`.
    """

    rotations: np.ndarray
    translations: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, primitive: Structure) -> Group:
        """The identity alone if spglib finds nothing."""
        dataset = dataset_at(primitive, SYMPREC_ANGSTROM)
        if dataset is None:
            return cls(np.eye(3, dtype=int)[None], np.zeros((1, 3)), primitive.lattice.matrix)
        return cls(dataset.rotations, dataset.translations, primitive.lattice.matrix)

    def images(self, position: np.ndarray) -> np.ndarray:
        """Where the operations put a fractional position, shape `(n, 3)`."""
        return self.rotations @ position + self.translations

    def steps(self, start: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """From a position to the nearest image of others: fractional, shape as `ends`."""
        steps = ends - start
        steps = steps - np.round(steps)
        near = steps[:, None, :] + NEXT_CELLS
        best = np.linalg.norm(near @ self.matrix, axis=2).argmin(axis=1)
        return near[np.arange(len(steps)), best]

    def distances(self, start: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """From a position to the nearest image of others, A."""
        return np.linalg.norm(self.steps(start, ends) @ self.matrix, axis=1)

    def settled(self, position: np.ndarray, tolerance: float) -> np.ndarray:
        """The position moved to the middle of its images within `tolerance`: onto the symmetry elements beside it."""
        for _ in range(5):
            steps = self.steps(position, self.images(position))
            near = steps[np.linalg.norm(steps @ self.matrix, axis=1) < tolerance]
            position = position + near.mean(axis=0)
            if np.linalg.norm(near @ self.matrix, axis=1).max() < SHORTEST_ANGSTROM:
                break
        return position

    def orbit(self, position: np.ndarray) -> np.ndarray:
        """The different images of a settled position in one cell, itself first, shape `(multiplicity, 3)`."""
        kept = [position - np.floor(position)]
        for image in self.images(position):
            if self.distances(image, np.array(kept)).min() > 10 * SYMPREC_ANGSTROM:
                kept.append(image - np.floor(image))
        return np.array(kept)


NEXT_CELLS = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class Surroundings:
    """The atoms in and around a primitive cell.

    Attributes:
        primitive: The cell.
        places: Cartesian, A, shape `(n, 3)`; those of the cell first.
        symbols: Of the atoms.
        radii: Of the atoms, A.
        tree: For neighbours.
    """

    primitive: Structure
    places: np.ndarray
    symbols: np.ndarray
    radii: np.ndarray
    tree: KDTree

    @classmethod
    def of(cls, primitive: Structure) -> Surroundings:
        """All atoms within `SURROUNDINGS_ANGSTROM` of the cell."""
        from scipy.spatial import KDTree

        matrix = primitive.lattice.matrix
        heights = 1 / np.linalg.norm(np.linalg.inv(matrix), axis=0)
        reach = SURROUNDINGS_ANGSTROM / heights
        steps = [np.arange(-np.ceil(r), np.ceil(r) + 1) for r in reach]
        cells = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
        cells = cells[np.argsort(np.abs(cells).sum(axis=1), kind="stable")]
        inside = primitive.frac_coords - np.floor(primitive.frac_coords)
        places = (cells[:, None, :] + inside[None, :, :]).reshape(-1, 3)
        near = ((places >= -reach - 1e-9) & (places <= 1 + reach + 1e-9)).all(axis=1)
        symbols = np.array([site.specie.symbol for site in primitive])
        radii = _radii(primitive)
        copies = len(cells)
        cartesian = places[near] @ matrix
        return cls(
            primitive,
            cartesian,
            np.tile(symbols, copies)[near],
            np.tile(radii, copies)[near],
            KDTree(cartesian),
        )

    def corners(self) -> np.ndarray:
        """Corners of the Voronoi cells that lie in the primitive cell, fractional, shape `(n, 3)`."""
        from scipy.spatial import Voronoi

        found = np.linalg.solve(self.primitive.lattice.matrix.T, Voronoi(self.places).vertices.T).T
        return found[((found >= -1e-6) & (found < 1 - 1e-6)).all(axis=1)]

    def proton_sites(self, corners: np.ndarray) -> np.ndarray:
        """Points on bonds from the cell's anions towards the voids around them, fractional, shape `(n, 3)`."""
        matrix = self.primitive.lattice.matrix
        voids = ((corners[:, None, :] + NEXT_CELLS).reshape(-1, 3)) @ matrix
        found = []
        for site in self.primitive:
            if site.specie.symbol in ANIONS_OF_PROTONS:
                anion = (site.frac_coords - np.floor(site.frac_coords)) @ matrix
                bonds = voids - anion
                lengths = np.linalg.norm(bonds, axis=1)
                near = (lengths < PROTON_TURNS_ANGSTROM) & (lengths > PROTON_BOND_ANGSTROM / 2)
                found += list(anion + PROTON_BOND_ANGSTROM * bonds[near] / lengths[near, None])
        if not found:
            return corners
        free = [place for place in found if self.tree.query(place, k=2)[0][1] > PROTON_ROOM_ANGSTROM]
        return np.array(free).reshape(-1, 3) @ np.linalg.inv(matrix)

    def fit(self, positions: np.ndarray, radius: float) -> np.ndarray:
        """How well an ion fits at some places: least distance to an atom over the sum of radii.

        Args:
            positions: Fractional, within a cell or so of the home cell, shape `(n, 3)`.
            radius: Of the ion, A; a proton has 0, and its own anion is not counted.
        """
        folded = positions - np.floor(positions)
        count = min(48, len(self.places))
        distances, atoms = self.tree.query(folded @ self.primitive.lattice.matrix, k=count)
        own = 0 if radius else 1  # the anion that a proton sits on leaves it no room
        return (distances / np.maximum(self.radii[atoms] + radius, 0.1))[:, own:].min(axis=1)

    def nearest(self, position: np.ndarray) -> tuple[float, str]:
        """Distance to the nearest atom, A, and the atoms up to a fifth farther."""
        count = min(24, len(self.places))
        distances, atoms = self.tree.query(
            (position - np.floor(position)) @ self.primitive.lattice.matrix, k=count
        )
        near = self.symbols[atoms[distances < 1.2 * distances[0]]]
        names, numbers = np.unique(near, return_counts=True)
        return float(distances[0]), "".join(f"{name}{n}" for name, n in zip(names, numbers, strict=True))


def charge_of(ion: str) -> int:
    """The charge at which an ion's size is taken, e: of anions that of their closed shell, else 1."""
    return {"O": -2, "S": -2, "Se": -2, "Te": -2, "F": -1, "Cl": -1, "Br": -1, "I": -1, "N": -3}.get(ion, 1)


def _radii(primitive: Structure) -> np.ndarray:
    charges = oxidation_states(primitive) or [0.0] * len(primitive)
    return np.array(
        [ionic_radius(site.specie.symbol, round(q)) for site, q in zip(primitive, charges, strict=True)]
    )


def _void(group: Group, around: Surroundings, corner: np.ndarray, ion: str, tolerance: float) -> Void:
    position = group.settled(corner, tolerance)
    radius, neighbours = around.nearest(position)
    fit = float(around.fit(position[None], ionic_radius(ion, charge_of(ion)))[0])
    return Void(group.orbit(position), fit, radius, neighbours)


def _order(void: Void) -> tuple[float, ...]:
    """The roomiest first; ties are broken by what does not depend on the setting."""
    return (-round(void.fit, TIE_DECIMALS), -round(void.radius_angstrom, TIE_DECIMALS), void.multiplicity)


def _apart(voids: Sequence[Void], group: Group, tolerance: float) -> list[Void]:
    """Without those that lie within `tolerance` of a roomier one."""
    kept: list[Void] = []
    for void in voids:
        taken = np.concatenate([one.positions for one in kept]) if kept else np.empty((0, 3))
        if not len(taken) or group.distances(void.positions[0], taken).min() >= tolerance:
            kept.append(void)
    return kept
