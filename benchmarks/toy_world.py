"""What does a run need that costs almost nothing beside the store and the orchestration?

A world of its own: some hundred known crystals in a store, a potential that knows volumes and electronegativities
alone, and a hull of its energies. A generator puts together perovskites. Everything else is what any run has:
relaxer, screens, ranking, report. Potential and generator stand in a package of their own, as an outside package
would bring them, so that every process of a run finds them.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate, Step
from ..core.contracts import Calculation, Tools
from ..core.identity import candidate_id
from ..core.settings import Settings
from ..predictors.cell import Cell
from ..predictors.hull.table import COLUMNS, card_file, table_name

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

NAME = "toy"
GENERATOR = "toy-perovskites"
METHOD = "toy volumes 1"
VOLUME_PER_ATOM = 14.0
"""A^3; where the toy's crystals are at rest."""
STIFFNESS = 0.6
"""eV/A^3: of the energy per atom against the relative change of volume, divided by `VOLUME_PER_ATOM`."""
AFFINITY_EV = 1.5
"""eV for each unit of electronegativity squared by which two kinds of atoms differ, times their fractions."""


NOBLE = (2, 10, 18)
"""Elements without an electronegativity; this world has none."""


EDGES = (4.1, 4.5)
"""A; of what is proposed, before it comes to rest."""
PLACES = ((0, 0, 0), (0.5, 0.5, 0.45), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
"""Of two metals and three anions: tetragonal and polar, whose symmetry is found in a tenth of the time of the cubic one."""
METALS = (
    *(
        "Li",
        "Na",
        "K",
        "Rb",
        "Cs",
        "Be",
        "Mg",
        "Ca",
        "Sr",
        "Ba",
        "Sc",
        "Y",
        "La",
        "Ti",
        "Zr",
        "Hf",
        "V",
        "Nb",
        "Ta",
        "Cr",
    ),
    *(
        "Mo",
        "W",
        "Mn",
        "Re",
        "Fe",
        "Ru",
        "Os",
        "Co",
        "Rh",
        "Ir",
        "Ni",
        "Pd",
        "Pt",
        "Cu",
        "Ag",
        "Au",
        "Zn",
        "Cd",
        "Hg",
        "Al",
    ),
    *(
        "Ga",
        "In",
        "Tl",
        "Ge",
        "Sn",
        "Pb",
        "Sb",
        "Bi",
        "Ce",
        "Pr",
        "Nd",
        "Sm",
        "Eu",
        "Gd",
        "Tb",
        "Dy",
        "Ho",
        "Er",
        "Tm",
        "Lu",
    ),
)
ANIONS = ("O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N")


class Toy:
    """Implements `Potential`: an energy of mixing, and a spring on the volume."""

    name, energy_scale, model_hash = METHOD, "toy", "1"

    def calculate(self, structures: Sequence[Structure]) -> list[Calculation]:
        return self.calculate_cells([Cell.from_structure(structure) for structure in structures])

    def calculate_cells(self, cells: Sequence[Cell]) -> list[Calculation]:
        """As `calculate`, of bare arrays."""
        return [_calculation(cell) for cell in cells]


def _calculation(cell: Cell) -> Calculation:
    count = len(cell.numbers)
    strain = cell.volume / (count * VOLUME_PER_ATOM) - 1
    energy = count * (_mixing_energy(cell.numbers) + 0.5 * STIFFNESS * VOLUME_PER_ATOM * strain**2)
    return Calculation(energy, np.zeros_like(cell.positions), STIFFNESS * strain * np.eye(3))


def _mixing_energy(numbers: np.ndarray) -> float:
    """eV/atom, of the elements by atomic number; some compounds are spoilt, so that not all of them are stable."""
    kinds, counts = np.unique(numbers, return_counts=True)
    fractions, chi = counts / counts.sum(), np.array([_electronegativity(int(z)) for z in kinds])
    attraction = 0.5 * AFFINITY_EV * fractions @ (chi[:, None] - chi[None, :]) ** 2 @ fractions
    spoilt = 0.0 if len(kinds) == 1 else abs(math.sin(float(kinds @ counts)))
    return float(-attraction * (0.7 - spoilt))


def _electronegativity(z: int) -> float:
    from pymatgen.core import Element

    return float(Element.from_Z(z).X)


class PerovskitesConfig(Settings):
    """Nothing can be set."""


class Perovskites:
    """Proposes tetragonal perovskites of any two metals; obeys `core.contracts.Generator`."""

    name = GENERATOR
    config_model = PerovskitesConfig

    def __init__(self, config: PerovskitesConfig) -> None:
        self.config = config

    def generate(
        self, seeds: Sequence[Candidate], count: int, rng: np.random.Generator, tools: Tools
    ) -> Iterator[Candidate]:
        """At most `count` of those that are not known, in an order that is drawn."""
        pairs = list(permutations(METALS, 2))
        left = count
        for number in rng.permutation(len(pairs) * len(ANIONS)) if left else ():
            (one, other), anion = pairs[number // len(ANIONS)], ANIONS[number % len(ANIONS)]
            made = _perovskite(one, other, anion, seeds[number % len(seeds)].candidate_id)
            if tools.known is None or tools.known.find(made) is None:
                yield made
                left -= 1
            if not left:
                return


def _perovskite(one: str, other: str, anion: str, parent: str) -> Candidate:
    from pymatgen.core import Lattice, Structure

    structure = Structure(Lattice.tetragonal(*EDGES), [one, other, *[anion] * 3], PLACES)
    step = Step("generate", GENERATOR, "1", parents=(parent,))
    return Candidate(candidate_id(structure), structure, provenance=(step,))


class World:
    """A folder that holds the toy's home; see `make`.

    Attributes:
        folder: All of it.
        home: To be `HYSTERON_HOME`.
        known: Path of the store with the known crystals.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.known, self._package = folder / "home", folder / "known.db", folder / "package"

    def make(self, crystals: int) -> World:
        """Write everything.

        Args:
            crystals: Known ones, the smallest of the bundled catalogue.
        """
        from ..retrieval.catalog.source import Catalog
        from ..store.store import CandidateStore

        smallest = sorted(Catalog().search(), key=lambda c: (len(c.structure), c.candidate_id))[:crystals]
        known = [_as_known(candidate) for candidate in smallest]
        with CandidateStore.open(self.known) as store:
            store.upsert(known)
        (self.home / "data").mkdir(parents=True)
        self._write_hull([candidate.structure.composition for candidate in known])
        info = self._package / "hysteron_toy-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hysteron-toy\nVersion: 1\n")
        points = {
            "potentials": f"{NAME} = {__name__}:Toy",
            "generators": f"{GENERATOR} = {__name__}:Perovskites",
        }
        (info / "entry_points.txt").write_text("".join(f"[hysteron.{k}]\n{v}\n" for k, v in points.items()))
        return self

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This process, and those it starts, live in this world while the block lasts."""
        before = dict(os.environ)
        paths = [str(self._package), *filter(None, [before.get("PYTHONPATH")])]
        os.environ |= {"HYSTERON_HOME": str(self.home), "PYTHONPATH": os.pathsep.join(paths)}
        sys.path.insert(0, str(self._package))
        try:
            yield
        finally:
            sys.path.remove(str(self._package))
            os.environ.clear()
            os.environ.update(before)

    def settings(self, relaxations: int, chunk: int = 24, seed: int = 0, **flow: Any) -> dict[str, Any]:
        """A resolved RUN.toml of this world.

        Args:
            relaxations: How many crystals are relaxed, and proposed.
            chunk: Structures a task.
            seed: Of the run.
            flow: More of `[flow]`.
        """
        from ..flows.run_settings import RunSettings

        tables: dict[str, Any] = {
            "run": {
                "relaxations": relaxations,
                "proposals": relaxations,
                "budget": None,
                "known": 8,
                "seed": seed,
            },
            "source": [{"name": "store", "path": str(self.known)}],
            "generator": [{"name": GENERATOR}],
            "potential": {"name": NAME, "workers": 1},
            "predictor": [],
            "screen": [{"name": "stability"}, {"name": "supply"}],
            "rank": {"settings": {"device_screens": ["stability"]}},
            "export": {"formats": ["cif"], "top": 5},
            "flow": {"chunk": chunk, **flow},
        }
        return RunSettings.model_validate(tables).model_dump(mode="json")

    def _write_hull(self, known: Sequence[Composition]) -> None:
        """The toy's energies of the known crystals and of all elements."""
        from pymatgen.core import Composition, Element

        table = self.home / "data" / table_name(NAME)
        elements = [Composition(Element.from_Z(z).symbol) for z in range(1, 104) if z not in NOBLE]
        with gzip.open(table, "wt", newline="", encoding="utf-8") as lines:
            rows = csv.writer(lines)
            rows.writerow(COLUMNS)
            for i, composition in enumerate([*elements, *known]):
                numbers = np.array([el.Z for el, n in composition.items() for _ in range(round(n))])
                rows.writerow((f"toy-{i}", composition.reduced_formula, _mixing_energy(numbers), "true"))
        card = {"name": "toy hull", "potential": METHOD, "single_point_excess": 0.0, "model_error": 0.01}
        card_file(table).write_text(json.dumps(card | {"model_hash": Toy.model_hash}))


def _as_known(candidate: Candidate) -> Candidate:
    """A crystal as a store of known ones would hold it, without what another potential said."""
    return dataclasses.replace(candidate, properties=(), provenance=(Step("retrieve", "catalog", "1"),))
