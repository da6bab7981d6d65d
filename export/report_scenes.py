"""A crystal as something to draw: atoms in and on the cell, bonds, the cell's edges, a direction to look from."""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate
from .crystal import spacegroup_symbol
from .report_switching import Switching, switching

if TYPE_CHECKING:
    from pymatgen.core import Structure

ON_THE_EDGE_ANGSTROM = 0.45
"""An atom this near to a face of the cell is drawn on the opposite face too."""
BOND_STRETCH = 1.15
"""Atoms nearer than this times the sum of their covalent radii are joined."""
LOOSE_CATION = 1.15
"""Cations less electronegative than this (A sites) are drawn without bonds, if there are others."""
LEAST_DIFFERENCE = 0.35
"""Where a crystal has anions, atoms closer than this in electronegativity are not joined."""
MOST_ATOMS = 800
ARROW_FACTORS = (1, 2, 5, 10, 20, 50, 100)
LONGEST_ARROW_ANGSTROM = 1.6
"""Displacements are enlarged by the largest of the factors that keeps the longest arrow within it, and the arrows
of two bonded atoms, which often move toward each other, apart."""
SMALLER_BALLS = 0.7
"""Atoms with arrows are drawn smaller by this, so that there is room between them."""
LEAST_MOVE_ANGSTROM = 0.002
"""A crystal whose atoms move less shows no arrows."""
LEAST_SHARE = 0.06
"""An atom that moves less than this share of the largest displacement has no arrow."""
VIEW_AZIMUTH, VIEW_ELEVATION = np.radians(24.0), np.radians(13.0)


@dataclass(frozen=True)
class Moves:
    """How the atoms come from the parent to where they are.

    Attributes:
        vectors: Displacement of each drawn atom, Cartesian, A, shape `(natoms, 3)`.
        factor: So many times enlarged they are drawn, beginning at the surfaces of the smaller balls.
        origin: Where they come from, in words: `the nonpolar parent Pm-3m`.
    """

    vectors: np.ndarray
    factor: int
    origin: str

    @property
    def lengths(self) -> np.ndarray:
        """Of the displacements, A, shape `(natoms,)`."""
        return np.linalg.norm(self.vectors, axis=1)

    @property
    def shown(self) -> np.ndarray:
        """Which atoms have an arrow, shape `(natoms,)`."""
        return self.lengths >= LEAST_SHARE * self.lengths.max()

    @property
    def caption(self) -> str:
        """`arrows 10×`, and what they are."""
        return f"displacement from {self.origin}, arrows {self.factor}×"

    def to_json(self) -> dict[str, Any]:
        """For the script of the report; 4 decimals, and no vector where there is no arrow."""
        vectors = [_rounded(v, 4) if seen else None for v, seen in zip(self.vectors, self.shown, strict=True)]
        told = {"factor": self.factor, "origin": self.origin, "caption": self.caption, "balls": SMALLER_BALLS}
        return {"vectors": vectors, **told}


@dataclass(frozen=True)
class Scene:
    """What is drawn of one crystal; lengths in A, origin at the centre of the cell.

    Attributes:
        elements: Symbols, in order of appearance.
        kinds: Index into `elements` of each atom, shape `(natoms,)`.
        sites: Index into the structure of each atom, shape `(natoms,)`.
        positions: Cartesian, shape `(natoms, 3)`.
        bonds: Pairs of atoms, shape `(nbonds, 2)`.
        cell: Rows are lattice vectors, shape `(3, 3)`.
        view: Rows are right, up and toward the viewer, shape `(3, 3)`.
        polarization: Direction of the polarization, unit vector, or `None`.
        moves: How the atoms come from the nonpolar parent, or `None`.
    """

    elements: tuple[str, ...]
    kinds: np.ndarray
    sites: np.ndarray
    positions: np.ndarray
    bonds: np.ndarray
    cell: np.ndarray
    view: np.ndarray
    polarization: np.ndarray | None = None
    moves: Moves | None = None

    def to_json(self) -> dict[str, Any]:
        """For the script of the report; 3 decimals."""
        return {
            "elements": list(self.elements),
            "colors": [color(e) for e in self.elements],
            "radii": [drawn_radius(e) for e in self.elements],
            "kinds": self.kinds.tolist(),
            "sites": self.sites.tolist(),
            "positions": _rounded(self.positions),
            "bonds": self.bonds.tolist(),
            "cell": _rounded(self.cell),
            "view": _rounded(self.view),
            "polarization": None if self.polarization is None else _rounded(self.polarization),
            "moves": None if self.moves is None else self.moves.to_json(),
        }


def scene(candidate: Candidate) -> Scene:
    """The scene of a candidate."""
    structure = candidate.structure
    elements = tuple(dict.fromkeys(site.specie.symbol for site in structure))
    fractional, sites = _atoms_in_and_on_the_cell(structure)
    kinds = np.array([elements.index(structure[i].specie.symbol) for i in sites])
    lattice = structure.lattice.matrix
    positions = (fractional - 0.5) @ lattice
    bonds = _bonds(elements, kinds, positions)
    radii = SMALLER_BALLS * np.array([drawn_radius(elements[kind]) for kind in kinds])
    return Scene(
        elements=elements,
        kinds=kinds,
        sites=np.array(sites),
        positions=positions,
        bonds=bonds,
        cell=lattice,
        view=_view(lattice),
        polarization=_direction(candidate.value("polarization_vector")),
        moves=_moves(switching(candidate), sites, positions, bonds, radii),
    )


def _moves(
    told: Switching | None, sites: list[int], positions: np.ndarray, bonds: np.ndarray, radii: np.ndarray
) -> Moves | None:
    if told is None or told.displacements is None:
        return None
    largest = float(np.linalg.norm(told.displacements, axis=1).max())
    if largest < LEAST_MOVE_ANGSTROM:
        return None
    vectors = told.displacements[sites]
    most = min(LONGEST_ARROW_ANGSTROM / largest, _room(vectors, positions, bonds, radii))
    fitting = [factor for factor in ARROW_FACTORS if factor <= most]
    return Moves(vectors, fitting[-1] if fitting else ARROW_FACTORS[0], origin_of_moves(told))


def _room(vectors: np.ndarray, positions: np.ndarray, bonds: np.ndarray, radii: np.ndarray) -> float:
    """By how much displacements may be enlarged before the arrows of two bonded atoms meet; infinite if none approach."""
    if not len(bonds):
        return math.inf
    i, j = bonds.T
    apart = positions[j] - positions[i]
    lengths = np.linalg.norm(apart, axis=1)
    approach = ((vectors[i] - vectors[j]) * apart).sum(axis=1) / lengths
    gaps = np.maximum(lengths - radii[i] - radii[j], 0.0)
    nearing = approach > 1e-4
    return float((gaps[nearing] / approach[nearing]).min(initial=math.inf))


def origin_of_moves(told: Switching) -> str:
    """The end that displacements start from: the first of the parents."""
    if not told.parents:
        return "the reference"
    if told.parents[0].is_reversal:
        return "the reversed polar state"
    return f"the nonpolar parent {spacegroup_symbol(told.parents[0].spacegroup_number)}"


def _atoms_in_and_on_the_cell(structure: Structure) -> tuple[np.ndarray, list[int]]:
    """Every atom once inside the cell, then copies on opposite faces as far as `MOST_ATOMS` allows."""
    edge = ON_THE_EDGE_ANGSTROM / np.array(structure.lattice.abc)
    inside = structure.frac_coords % 1.0
    copies = []
    for i, coords in enumerate(inside):
        shifts = [
            (0.0, 1.0) if x < margin else (0.0, -1.0) if x > 1 - margin else (0.0,)
            for x, margin in zip(coords, edge, strict=True)
        ]
        copies += [(i, coords + shift) for shift in itertools.product(*shifts) if any(shift)]
    copies = copies[: max(0, MOST_ATOMS - len(inside))]
    points = np.vstack([inside, *(point for _, point in copies)])
    return points, [*range(len(inside)), *(i for i, _ in copies)]


def _bonds(elements: tuple[str, ...], kinds: np.ndarray, positions: np.ndarray) -> np.ndarray:
    longest = _bond_lengths(elements)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    joined = (distances < longest[kinds[:, None], kinds[None]]) & (distances > 0.1)
    return np.argwhere(np.triu(joined))


def _bond_lengths(elements: tuple[str, ...]) -> np.ndarray:
    """Longest bond between two elements, A, shape `(nelements, nelements)`; 0 where none is drawn."""
    strengths = [_electronegativity(e) for e in elements]
    ionic = max(strengths) - min(strengths) > LEAST_DIFFERENCE
    tight = any(LOOSE_CATION <= x < max(strengths) - LEAST_DIFFERENCE for x in strengths)
    lengths = np.zeros((len(elements), len(elements)))
    for i, j in itertools.product(range(len(elements)), repeat=2):
        if ionic and abs(strengths[i] - strengths[j]) < LEAST_DIFFERENCE:
            continue
        if tight and min(strengths[i], strengths[j]) < LOOSE_CATION:
            continue
        lengths[i, j] = BOND_STRETCH * (covalent_radius(elements[i]) + covalent_radius(elements[j]))
    return lengths


def _electronegativity(symbol: str) -> float:
    """Pauling's; a middling 2 for the few elements that have none."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = float(Element(symbol).X)
    return value if math.isfinite(value) else 2.0


def _view(lattice: np.ndarray) -> np.ndarray:
    """Up is c; the viewer stands near a, so that b points to the right."""
    up = lattice[2] / np.linalg.norm(lattice[2])
    front = lattice[0] - (lattice[0] @ up) * up
    front /= np.linalg.norm(front)
    side = np.cross(up, front)
    around = np.cos(VIEW_AZIMUTH) * front + np.sin(VIEW_AZIMUTH) * side
    toward = np.cos(VIEW_ELEVATION) * around + np.sin(VIEW_ELEVATION) * up
    right = np.cross(up, toward)
    right /= np.linalg.norm(right)
    return np.array([right, np.cross(toward, right), toward])


def _direction(vector: Any) -> np.ndarray | None:
    if not isinstance(vector, tuple) or len(vector) != 3:
        return None
    length = float(np.linalg.norm(vector))
    return np.array(vector) / length if length > 1e-6 else None


def color(symbol: str) -> str:
    """Jmol's colour of an element, `#rrggbb`."""
    from ase.data.colors import jmol_colors

    red, green, blue = (round(255 * float(x)) for x in _row(jmol_colors, symbol))
    return f"#{red:02x}{green:02x}{blue:02x}"


def covalent_radius(symbol: str) -> float:
    """Cordero's covalent radius, A; doi:10.1039/b801115j."""
    from ase.data import covalent_radii

    return float(_row(covalent_radii, symbol))


def _row(table: Any, symbol: str) -> Any:
    """The entry of an element in a table by atomic number; deuterium is hydrogen, the heaviest share the last."""
    from pymatgen.core import Element

    return table[min(Element(symbol).Z, len(table) - 1)]


def drawn_radius(symbol: str) -> float:
    """Radius of the ball that stands for an atom, A: anions stay visible beside large cations."""
    return round(0.15 + 0.34 * covalent_radius(symbol), 3)


def _rounded(values: np.ndarray, decimals: int = 3) -> list[Any]:
    return np.round(values + 0.0, decimals).tolist()
