"""What do all hops of an oxygen vacancy cost in seconds, and how close do their barriers come to the literature's?

Two rows. `hops`: all symmetry-distinct hops of SrTiO3, TiO2, HfO2 and CeO2, with the seconds they took, and as a baseline
in the same run one plain elastic band of one hop of SrTiO3: seven images, one after the other, ASE's FIRE from a straight
path, with the same potential. `oxides`: the barrier at which the vacancy gets through the crystal against values of
the literature (`data/oxygen_vacancy_migration.csv`).

Geometries are those of the Materials Project, relaxed by the potential under their symmetry. A potential knows neutral
cells alone, the literature neutral and charged vacancies: the errors are told for each.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Potential, Relaxer, Tools
from ..core.crystals import crystals_folder, read_crystals
from ..core.errors import InputError, MissingDataError
from ..core.settings import data_file, home
from ..core.symmetry import dataset_at
from ..screening.defects.barriers import MigrationConfig, migration_of
from ..screening.defects.hop_cells import hop_cell, vacancies_at
from ..screening.defects.hops import hops_of
from ..screening.defects.invariant import Effort
from ..screening.defects.symmetric_supercells import symmetric_supercell
from .ferroelectric_figures import figure

if TYPE_CHECKING:
    from pymatgen.core import Structure

TABLE = "oxygen_vacancy_migration.csv"
FOUR = (("SrTiO3", 221), ("TiO2", 136), ("HfO2", 14), ("CeO2", 225))
TARGET_SECONDS = 300.0
TARGET_MAE = 0.25
SYMPRECS_ANGSTROM = (0.01, 0.1)
"""At which a crystal's space group is looked for; LaCoO3's cell is rhombohedral at the second only."""
UNHURRIED = MigrationConfig(seconds=3600.0, seconds_per_hop=900.0)
"""Wall time may be that of a busy machine; what is told and held against the target is the processor's."""
ALL_HOPS = UNHURRIED.model_copy(update={"exhaustive": True})
BASELINE_IMAGES = 7
BASELINE_SECONDS = 300.0
"""Of the processor."""
BASELINE_FORCE = 0.05
LEAST_HOPS = 4
QUICK = MigrationConfig(apart_angstrom=7.0, atoms_max=48, max_force=0.1, seconds=20.0, seconds_per_hop=10.0)
QUICK_SECONDS = 10.0
CODE = (
    "core/springs.py",
    "core/supercells.py",
    "screening/defects/band.py",
    "screening/defects/band_path.py",
    "screening/defects/band_steps.py",
    "screening/defects/barriers.py",
    "screening/defects/bond_valence.py",
    "screening/defects/hop_cells.py",
    "screening/defects/hops.py",
    "screening/defects/invariant.py",
    "screening/defects/migration.py",
    "screening/defects/percolation.py",
    "screening/defects/saddle.py",
    "screening/defects/symmetric_supercells.py",
)
"""What decides a barrier."""


@dataclass(frozen=True)
class Literature:
    """One value of the literature.

    Attributes:
        formula: As chemists write it.
        spacegroup_number: Of the crystal.
        barrier: eV.
        charge_state: `0`, `2+` or `measured`.
        doi: Of the paper.
        value_checked: What was read of it: `text`, `abstract`, `own fit`, or `memory`.
        sure: `high`, `medium` or `low`.
    """

    formula: str
    spacegroup_number: int
    barrier: float
    charge_state: str
    doi: str
    value_checked: str
    sure: str

    @property
    def crystal(self) -> tuple[str, int]:
        """Formula and space group."""
        return self.formula, self.spacegroup_number


def read_literature() -> list[Literature]:
    """The table, in its own order."""
    rows = csv.DictReader(data_file(TABLE).read_text(encoding="utf-8").splitlines())
    return [
        Literature(
            row["formula"],
            int(row["spacegroup_number"]),
            float(row["barrier_ev"]),
            row["charge_state"],
            row["doi"],
            row["value_checked"],
            row["sure"],
        )
        for row in rows
    ]


def hops_row(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Seconds and barriers of all hops of four oxides, and the seconds of one plain band.

    Args:
        seed: Not used: nothing is drawn.
        resume: Keep what was measured before.
        quick: Small supercells and little time, to see that it runs; no claim stands on it.
        tools: With `potential` and `parent_relaxer`.

    Raises:
        InputError: a tool is missing.
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks a crystal.
    """
    potential, relaxer = _tools(tools)
    config = QUICK.model_copy(update={"exhaustive": True}) if quick else ALL_HOPS
    kept = Measured("hops", potential, relaxer, config, resume)
    crystals = _crystals(FOUR)
    found = [kept.measured(name, crystals[name]) for name in FOUR]
    slowest = max(record.get("processor_seconds", np.inf) for record in found)
    return {
        "potential": potential.name,
        "quick": quick,
        "element": "O",
        "target_processor_seconds_each": TARGET_SECONDS,
        "slowest_processor_seconds": slowest if np.isfinite(slowest) else None,
        "first_look": first_look(found),
        "crystals": found,
        "baseline": kept.plain_band(crystals[FOUR[0]], QUICK_SECONDS if quick else BASELINE_SECONDS),
    }


def first_look(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How well the room on the straight way orders the hops of each crystal: rank correlation with minus their height.

    Args:
        found: Records of crystals; those with fewer than four heights are left out.
    """
    from scipy.stats import spearmanr

    told = {}
    for record in found:
        hops = [hop for hop in record.get("hops", ()) if hop["height"] is not None]
        if len(hops) >= LEAST_HOPS:
            rooms, heights = zip(*((hop["bottleneck_angstrom"], hop["height"]) for hop in hops), strict=True)
            ranks: Any = spearmanr(rooms, heights)
            told[record["name"]] = {"spearman": -float(ranks.statistic), "n": len(hops)}
    return told


def oxides_row(
    seed: int = 0, resume: bool = False, quick: bool = False, tools: Tools | None = None
) -> dict[str, Any]:
    """Barriers of oxygen vacancies against the literature's.

    Args:
        seed: Of the bootstrap.
        resume: Keep what was measured before.
        quick: Two oxides in small supercells, to see that it runs; no claim stands on it.
        tools: With `potential` and `parent_relaxer`.

    Raises:
        InputError: a tool is missing.
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks a crystal.
    """
    potential, relaxer = _tools(tools)
    table = read_literature()
    names = list(dict.fromkeys(row.crystal for row in table))[: 2 if quick else None]
    kept = Measured("oxides", potential, relaxer, QUICK if quick else UNHURRIED, resume)
    crystals = _crystals(names)
    found = {name: kept.measured(name, crystals[name]) for name in names}
    return {
        "potential": potential.name,
        "quick": quick,
        "target_mae": TARGET_MAE,
        **oxide_figures([row for row in table if row.crystal in found], found, seed),
    }


def oxide_figures(
    table: Sequence[Literature], found: dict[tuple[str, int], dict[str, Any]], seed: int
) -> dict[str, Any]:
    """Errors over all values of the literature, by the charge of the vacancy, and by what was read.

    Args:
        table: Values.
        found: `barrier` by crystal, eV; a crystal without one is counted.
        seed: Of the bootstrap.
    """
    told = [row for row in table if found[row.crystal].get("barrier") is not None]
    parts = {
        "all": told,
        **{
            f"charge {charge}": [row for row in told if row.charge_state == charge]
            for charge in ("measured", "2+", "0")
        },
        "value read": [row for row in told if row.value_checked != "memory"],
        "measured or 2+": [row for row in told if row.charge_state != "0"],
    }
    return {
        "oxides": len({row.crystal for row in told}),
        "without_a_barrier": sorted({f"{f} ({n})" for f, n in found if found[f, n].get("barrier") is None}),
        "errors": {name: _errors(rows, found, seed) for name, rows in parts.items() if rows},
        "values": [
            {
                "formula": row.formula,
                "spacegroup_number": row.spacegroup_number,
                "charge_state": row.charge_state,
                "literature": row.barrier,
                "doi": row.doi,
                "value_checked": row.value_checked,
                "sure": row.sure,
                "ours": found[row.crystal].get("barrier"),
            }
            for row in table
        ],
        "crystals": list(found.values()),
    }


def _errors(
    rows: Sequence[Literature], found: dict[tuple[str, int], dict[str, Any]], seed: int
) -> dict[str, Any]:
    differences = np.array([found[row.crystal]["barrier"] - row.barrier for row in rows])
    formulas = [row.formula for row in rows]
    return {
        "mae": figure(np.abs(differences), formulas, lambda values: float(values.mean()), seed),
        "bias": figure(differences, formulas, lambda values: float(values.mean()), seed),
        "root_mean_square": float(np.sqrt(np.mean(differences**2))),
        "median_absolute_error": float(np.median(np.abs(differences))),
    }


class Measured:
    """What was found of a crystal, kept in `HYSTERON_HOME/cache/benchmarks/resistive-switching`, a line each.

    Args:
        row: Name of the row.
        potential: Of the energies.
        relaxer: Holds the space group.
        config: Of the hops.
        resume: Read what was measured before, by the same settings, potential and code.
        folder: Where it is kept.
    """

    def __init__(
        self,
        row: str,
        potential: Potential,
        relaxer: Relaxer,
        config: MigrationConfig,
        resume: bool = False,
        folder: Path | None = None,
    ) -> None:
        self.row, self.potential, self.relaxer, self.config = row, potential, relaxer, config
        folder = folder or home() / "cache" / "benchmarks" / "resistive-switching"
        folder.mkdir(parents=True, exist_ok=True)
        key = [config.model_dump(mode="json"), potential.name, potential.model_hash, relaxer.version, _code()]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
        self.path = folder / f"{row}-{digest}.jsonl"
        if not resume:
            self.path.unlink(missing_ok=True)
        self._kept = {record["name"]: record for record in _lines(self.path)}

    def measured(self, crystal: tuple[str, int], structure: Structure) -> dict[str, Any]:
        """The record of `Migration`, or `failure`, with the processor's seconds but for the relaxation of the host."""
        name = f"{crystal[0]} ({crystal[1]})"
        if name not in self._kept:
            self._keep({"name": name, **self._migration(structure)})
            print(f"{self.row}: {name} measured", file=sys.stderr, flush=True)
        return self._kept[name]

    def plain_band(self, structure: Structure, seconds: float) -> dict[str, Any]:
        """The baseline: one hop of a crystal by a band as one would write it down."""
        name = f"plain band, at most {seconds:g} s"
        if name not in self._kept:
            self._keep({"name": name, **self._plain(structure, seconds)})
        return self._kept[name]

    def _migration(self, structure: Structure) -> dict[str, Any]:
        rest = self.relaxer.relax([structure])[0]
        if rest.structure is None:
            return {"failure": rest.failure}
        began = time.process_time()
        found = migration_of(rest.structure, "O", Tools(potential=self.potential), self.config)
        seconds = round(time.process_time() - began, 1)
        if isinstance(found, str):
            return {"failure": found, "processor_seconds": seconds}
        return {**found.record(), "classes": len(found.hops), "processor_seconds": seconds}

    def _plain(self, structure: Structure, seconds: float) -> dict[str, Any]:
        rest = self.relaxer.relax([structure])[0]
        if rest.structure is None:
            return {"failure": rest.failure}
        config = self.config
        hops = hops_of(rest.structure, "O", config.hops)
        supercell = symmetric_supercell(hops.primitive, config.apart_angstrom, config.atoms_max)
        cell = hop_cell(hops.classes[0], hops, supercell)
        ends = vacancies_at(
            [cell.start_site, cell.end_site],
            supercell.structure,
            self.potential,
            Effort(config.max_force, config.steps),
        )
        start, end = ends[cell.start_site], ends[cell.end_site]
        if isinstance(start, str) or isinstance(end, str):
            return {"failure": str(start if isinstance(start, str) else end)}
        return plain_band(cell.relaxed(start, 0), cell.relaxed(end, 1), self.potential, seconds)

    def _keep(self, record: dict[str, Any]) -> None:
        self._kept[record["name"]] = record
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")


def plain_band(
    initial: Structure, final: Structure, potential: Potential, seconds: float = BASELINE_SECONDS
) -> dict[str, Any]:
    """ASE's climbing band of seven images, asked of the potential one after the other, until converged or out of time."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.mep import NEB
    from ase.optimize import FIRE

    from ..screening.defects.invariant import moved

    began, evaluations = time.process_time(), 0
    gaps = final.frac_coords - initial.frac_coords
    way = (gaps - np.round(gaps)) @ initial.lattice.matrix
    symbols = [site.specie.symbol for site in initial]
    images = [Atoms(symbols, initial.cart_coords + x * way) for x in np.linspace(0, 1, BASELINE_IMAGES)]

    class Band(NEB):
        def get_forces(self) -> np.ndarray:
            nonlocal evaluations
            for image in self.images:
                if image.calc is None or image.calc.check_state(image):
                    (found,) = potential.calculate([moved(initial, image.positions - initial.cart_coords)])
                    image.calc = SinglePointCalculator(image, energy=found.energy, forces=found.forces)
                    evaluations += 1
            return super().get_forces()

    band = Band(images, climb=True, method="improvedtangent")
    converged = False
    for reached in FIRE(band, logfile=None).irun(fmax=BASELINE_FORCE, steps=1000):  # type: ignore[arg-type]
        converged = bool(reached)
        if converged or time.process_time() - began > seconds:
            break
    energies = [float(image.get_potential_energy()) for image in images]
    return {
        "natoms": len(initial),
        "images": BASELINE_IMAGES,
        "processor_seconds": round(time.process_time() - began, 1),
        "evaluations": evaluations,
        "converged": converged,
        "barrier": max(energies) - energies[0],
    }


def _tools(tools: Tools | None) -> tuple[Potential, Relaxer]:
    if tools is None or tools.potential is None or tools.parent_relaxer is None:
        raise InputError("The hops and oxides rows need tools with a potential and a parent_relaxer.")
    return tools.potential, tools.parent_relaxer


def _crystals(names: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Structure]:
    """The crystal of lowest energy above the hull of each formula and space group.

    Raises:
        MissingDataError: one is not there.
    """
    from pymatgen.core import Composition

    wanted = {Composition(formula).reduced_formula for formula, _ in names}
    found: dict[tuple[str, int], tuple[float, Structure]] = {}
    for record in read_crystals(crystals_folder()):
        if record.reduced_formula not in wanted:
            continue
        structure = record.structure()
        above = float(record.labels.get("e_above_hull") or 0.0)
        for formula, number in names:
            if Composition(formula).reduced_formula != record.reduced_formula or not _is(structure, number):
                continue
            if (formula, number) not in found or above < found[formula, number][0]:
                found[formula, number] = above, structure
    missing = [f"{formula} ({number})" for formula, number in names if (formula, number) not in found]
    if missing:
        raise MissingDataError(f"The crystals in HYSTERON_DATA_DIR lack {', '.join(missing)}.")
    return {name: _symmetric(structure, name[1]) for name, (_, structure) in found.items()}


def _is(structure: Structure, number: int) -> bool:
    return any(
        (dataset := dataset_at(structure, symprec)) is not None and dataset.number == number
        for symprec in SYMPRECS_ANGSTROM
    )


def _symmetric(structure: Structure, number: int) -> Structure:
    """Made exactly symmetric where it is so within the wider tolerance only."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    for symprec in SYMPRECS_ANGSTROM:
        dataset = dataset_at(structure, symprec)
        if dataset is not None and dataset.number == number:
            return SpacegroupAnalyzer(structure, symprec).get_primitive_standard_structure()
    return structure


def _lines(path: Path) -> list[dict[str, Any]]:
    records = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue  # half a line, from an interruption
    return records


def _code() -> str:
    """Digest of the code that decides a barrier."""
    digest = hashlib.sha256()
    for name in CODE:
        digest.update(files("hysteron").joinpath(*name.split("/")).read_bytes())
    return digest.hexdigest()
