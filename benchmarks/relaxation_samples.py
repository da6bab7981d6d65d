"""Which structures does the benchmark of relaxation use?

All are drawn with fixed seeds: published crystals of the test split, the same rattled and strained, and crystals
that ion exchange proposes from the shipped catalogue. They travel to the measuring processes as plain JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Tools
from ..core.crystals import CrystalRecord, crystals_folder, read_crystals
from ..core.settings import data_dir

if TYPE_CHECKING:
    from pymatgen.core import Structure

RATTLE_ANGSTROM = 0.05  # standard deviation of each Cartesian coordinate
LARGEST_STRAIN = 0.02  # components of a symmetric strain are drawn evenly from within
MOST_ATOMS = 20
MOST_ATOMS_OF_A_POINT = 40
SIZES = (2, 5, 10, 20, 40, 80)
SMALL = 10  # atoms; the largest among the structures that are counted by the thousand
LAST_ELEMENT = 94
STREAMS = {"near-basin": 0, "generated": 1, "points": 2, "sizes": 3, "counts": 4}

Plain = dict[str, Any]


def to_plain(structure: Structure) -> Plain:
    """As JSON that gives the same numbers back."""
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "species": [site.specie.symbol for site in structure],
        "coords": structure.cart_coords.tolist(),
    }


def from_plain(plain: Plain) -> Structure:
    """The structure of `to_plain`."""
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(plain["lattice"]), plain["species"], plain["coords"], coords_are_cartesian=True)


def near_basin(seed: int, count: int) -> list[Plain]:
    """Published crystals of 2 to 20 atoms, rattled by 0.05 A and strained by up to 2%."""
    rng = _stream(seed, "near-basin")
    return [to_plain(disturbed(r.structure(), rng)) for r in _drawn(rng, count, 2, MOST_ATOMS)]


def generated(seed: int, count: int) -> list[Plain]:
    """Crystals of at most 20 atoms as `hysteron generate substitution` proposes them."""
    from ..flows import toolbox
    from ..flows.run_settings import GeneratorTable, SourceTable

    settings = {"natoms": (2, MOST_ATOMS)}
    generator = toolbox.generator(GeneratorTable(name="substitution", settings=settings))
    seeds = list(toolbox.source(SourceTable(name="catalog")).search())
    tools = Tools(known=toolbox.known((c.candidate_id, c.structure) for c in seeds))
    found = []
    for candidate in generator.generate(seeds, 2 * count, _stream(seed, "generated"), tools):
        if len(candidate.structure) <= MOST_ATOMS:
            found.append(to_plain(candidate.structure))
        if len(found) == count:
            break
    return found


def points(seed: int, count: int) -> list[Plain]:
    """Crystals of 2 to 40 atoms, every other one rattled and strained."""
    rng = _stream(seed, "points")
    drawn = _drawn(rng, count, 2, MOST_ATOMS_OF_A_POINT)
    return [to_plain(disturbed(r.structure(), rng) if i % 2 else r.structure()) for i, r in enumerate(drawn)]


def by_size(seed: int, batches: int, atoms_per_batch: int) -> list[dict[str, Any]]:
    """Batches of crystals of one size, about `atoms_per_batch` atoms each: `natoms` and `structures`."""
    rng = _stream(seed, "sizes")
    found = []
    for natoms in SIZES:
        records = [r for r in _records() if r.nsites == natoms]
        for _ in range(batches):
            count = min(max(1, atoms_per_batch // natoms), len(records))
            chosen = rng.choice(len(records), count, replace=False)
            structures = [to_plain(records[i].structure()) for i in chosen]
            found.append({"natoms": natoms, "structures": structures})
    return found


def small(seed: int) -> list[Plain]:
    """All published crystals of 2 to 10 atoms, in random order."""
    rng = _stream(seed, "counts")
    records = [r for r in _records() if 2 <= r.nsites <= SMALL]
    return [to_plain(records[i].structure()) for i in rng.permutation(len(records))]


def disturbed(structure: Structure, rng: np.random.Generator) -> Structure:
    """Strained at random, each component within 2%, and every coordinate moved by 0.05 A (one sigma)."""
    from pymatgen.core import Lattice, Structure

    strain = rng.uniform(-LARGEST_STRAIN, LARGEST_STRAIN, (3, 3))
    deform = np.eye(3) + (np.triu(strain) + np.triu(strain, 1).T)
    moves = rng.normal(0, RATTLE_ANGSTROM, (len(structure), 3))
    lattice = structure.lattice.matrix @ deform
    coords = structure.cart_coords @ deform + moves
    return Structure(Lattice(lattice), structure.species, coords, coords_are_cartesian=True)


def _drawn(rng: np.random.Generator, count: int, fewest: int, most: int) -> Sequence[CrystalRecord]:
    records = [r for r in _records() if fewest <= r.nsites <= most]
    chosen = rng.choice(len(records), min(count, len(records)), replace=False)
    return [records[i] for i in chosen]


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS[name]]))


def _records() -> list[CrystalRecord]:
    return _read(str(data_dir()))


@lru_cache(maxsize=1)
def _read(folder: str) -> list[CrystalRecord]:
    """The test split, without elements that CHGNet does not know."""
    from pymatgen.core import Element

    known = {Element.from_Z(z).symbol for z in range(1, LAST_ELEMENT + 1)}
    return [r for r in read_crystals(crystals_folder(folder), ("test",)) if set(r.species) <= known]
