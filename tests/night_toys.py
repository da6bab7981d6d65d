"""A small world in which a whole run takes a second: a hundred binary salts, and a model of each kind that counts its work.

Every number is a function of the formula and the prototype, so what is relaxed or measured twice gives the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import pytest
import spglib
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.contracts import HullDistance, Relaxation, Tools
from hysteron.core.identity import candidate_id
from hysteron.core.settings import Settings
from hysteron.flows import launch, steps, toolbox
from hysteron.flows.run import recorded
from hysteron.flows.run_settings import resolve
from hysteron.generators import GENERATORS
from hysteron.generators.lineage import generate_step
from hysteron.generators.novelty import Novelty
from hysteron.predictors import PREDICTORS
from hysteron.screening import SCREENS
from hysteron.screening.measurement import with_measurement
from pymatgen.core import Lattice, Structure

CATIONS = ("Li", "Mg", "Ca", "Ba", "Ti", "V", "Mn", "Fe", "Zn", "Sn", "La")
ANIONS = ("O", "S", "N", "Cl", "F")
PROTOTYPES = {"rock salt": 0.5, "zincblende": 0.25}
VAIN = "Sn"
"""Crystals of it fly apart in the relaxer."""
SHRINKAGE = 0.99
PROPOSALS_A_CHUNK = 8


def salt(cation: str, anion: str, prototype: str = "rock salt") -> Structure:
    """In its cell of two atoms."""
    half = 2.2 + 0.05 * len(cation + anion)
    cell = Lattice([[0, half, half], [half, 0, half], [half, half, 0]])
    return Structure(cell, [cation, anion], [[0, 0, 0], [PROTOTYPES[prototype]] * 3])


def drawn(*words: object) -> float:
    """A number from 0 to 1 that the words decide."""
    return int(hashlib.sha256("|".join(map(str, words)).encode()).hexdigest()[:8], 16) / 16**8


def kind(structure: Structure) -> tuple[str, float]:
    """Formula and prototype."""
    return structure.composition.reduced_formula, float(round(structure[1].frac_coords[0], 2))


class Salts:
    """Writes salts in an order of its own, whatever the seeds are."""

    name = "salts"
    version = "1"

    class config_model(Settings):
        skip_known: bool = True

    def __init__(self, config=None) -> None:
        self.config = config or self.config_model()

    def generate(self, seeds, count, rng, tools) -> Iterator[Candidate]:
        novelty = Novelty(seeds, tools.known, self.config.skip_known)
        step = generate_step(self.name, self.version, self.config, rng)
        every = [(c, a, g) for c in CATIONS for a in ANIONS for g in PROTOTYPES]
        given = 0
        for i in rng.permutation(len(every)):
            if given == count:
                return
            structure = salt(*every[i])
            candidate = novelty.admit(structure)
            if candidate is not None:
                given += 1
                yield candidate.with_step(step).with_property(
                    PropertyValue("log_probability", -float(i % 7), "1", self.name)
                )


class Potential:
    name = "Toy 1.0"
    energy_scale = "toy"
    model_hash = "aaaa"


class Relaxer:
    """Shrinks every cell by one per cent."""

    version = "toy fmax=0.05"
    relaxed: ClassVar[Counter] = Counter()

    def __init__(self, model_hash: str = "aaaa") -> None:
        self.potential = Potential()
        self.potential.model_hash = model_hash

    def relax(self, structures, on_done=None):
        results = []
        for i, structure in enumerate(structures):
            self.relaxed[(*kind(structure), self.potential.model_hash)] += 1
            results.append(self._one(structure))
            if on_done:
                on_done(i, results[-1])
        return results

    def _one(self, structure: Structure) -> Relaxation:
        if VAIN in structure.symbol_set:
            return Relaxation(None, None, None, 2, False, "The cell exploded.")
        smaller = structure.copy()
        smaller.scale_lattice(structure.volume * SHRINKAGE**3)
        return Relaxation(smaller, -5.0 + drawn("energy", *kind(structure)), 0.01, 5, True)


class Hull:
    name = "toy-hull"
    potential_name = "Toy 1.0"

    def distances(self, items):
        return [HullDistance(energy + 5.0, 0.02, ()) for _, energy, _ in items]


class Predictor:
    """Expects the distance from the hull that it will have, give or take."""

    name = "oracle"
    version = "oracle 1; weights 77"
    asked: ClassVar[Counter] = Counter()

    def predict(self, candidates):
        found = []
        for candidate in candidates:
            self.asked[candidate.candidate_id] += 1
            expected = drawn("energy", *kind(candidate.structure)) + 0.05 * drawn("error", candidate.formula)
            value = PropertyValue("formation_energy_per_atom", expected - 10.0, "eV/atom", self.name)
            found.append(candidate.with_step(Step("predict", self.name, self.version)).with_property(value))
        return found


class Screen:
    """Measures one number, and counts how often."""

    measured: ClassVar[Counter] = Counter()

    class config_model(Settings):
        limit: float = 0.7

    def __init__(self, config=None) -> None:
        self.config = config or self.config_model()

    def measure(self, candidates, tools):
        self.measured.update((self.name, c.candidate_id) for c in candidates)
        return [
            with_measurement(c, self.name, self.config, self.found(c), {"seen": True}) for c in candidates
        ]


class Stability(Screen):
    name = "stability"

    def found(self, candidate):
        energy = candidate.value("energy_per_atom")
        if energy is None:
            return []
        return [PropertyValue("energy_above_hull", energy + 5.0, "eV/atom", "Toy 1.0", None, Hull.name)]

    def judge(self, candidate):
        height = candidate.value("energy_above_hull")
        passed = height is not None and height < self.config.limit
        return Verdict(
            self.name,
            passed,
            None if height is None else 1 - height,
            height,
            self.config.limit,
            "Near, or not.",
        )


class Device(Screen):
    """Oxides are good at it, fluorides never."""

    name = "resistive-switching"

    def found(self, candidate):
        best = 50.0 if "O" in candidate.structure.symbol_set else 15.0
        value = best * drawn("polar", *kind(candidate.structure))
        return [PropertyValue("polarization", float(value), "uC/cm^2", "toy")]

    def judge(self, candidate):
        value = candidate.value("polarization") or 0.0
        passed = value > 10 and "F" not in candidate.structure.symbol_set
        return Verdict(self.name, passed, value / 50, value, 10.0, "Polar, or not.")


class Source:
    name = "toys"
    version = "1"

    def search(self, query=None):
        for cation, anion in (("Mg", "O"), ("Ca", "S"), ("Na", "Cl")):
            structure = salt(cation, anion)
            energy = PropertyValue("energy_per_atom", -4.9, "eV/atom", "Toy 1.0")
            known = Candidate(candidate_id(structure), structure, (energy,), spacegroup_number=225)
            yield known.with_step(Step("retrieve", self.name, self.version))


spglib_dataset, datasets = spglib.get_symmetry_dataset, {}


def dataset(cell, symprec):
    """spglib's, asked once of each crystal: half of a toy's night would go into it."""
    key = repr((cell, symprec))
    if key not in datasets:
        datasets[key] = spglib_dataset(cell, symprec=symprec)
    return datasets[key]


def install(patch: pytest.MonkeyPatch) -> None:
    """Let runs of this process be made of toys, from nothing counted."""
    for counter in (Relaxer.relaxed, Predictor.asked, Screen.measured):
        counter.clear()
    patch.setitem(GENERATORS, "salts", "night_toys:Salts")
    patch.setitem(PREDICTORS, "oracle", "night_toys:Predictor")
    patch.setitem(SCREENS, "stability", "night_toys:Stability")
    patch.setitem(SCREENS, "resistive-switching", "night_toys:Device")
    patch.setattr(toolbox, "source", lambda table: Source())
    patch.setattr(toolbox, "potential", lambda name, device="cpu": Potential())
    patch.setattr(toolbox, "hull", lambda name="chgnet": Hull())
    patch.setattr(toolbox, "predictor", lambda name: Predictor())
    patch.setattr(toolbox, "tools", lambda settings, seconds=None: Tools(hull=Hull()))
    patch.setattr(launch, "versions", lambda potential: {"toy": "1"})
    patch.setattr(steps, "PROPOSALS_A_CHUNK", PROPOSALS_A_CHUNK)
    patch.setattr(spglib, "get_symmetry_dataset", dataset)
    use_model(patch, "aaaa")
    steps.forget()


def use_model(patch: pytest.MonkeyPatch, model_hash: str) -> None:
    """From now on relax with these weights."""
    patch.setattr(toolbox, "relaxer", lambda table, seconds=None: Relaxer(model_hash))


def settings(**more) -> dict:
    """A resolved RUN.toml of the toys; `more` is for `[run]`, or whole tables."""
    tables = {name: more.pop(name) for name in ("generator", "screen", "rank", "export") if name in more}
    values = resolve(options={"relaxations": 6, "seed": 0}).model_dump(mode="json")
    run = values["run"] | {"known": 1, "proposals": 2 * PROPOSALS_A_CHUNK} | more
    return values | {
        "run": run,
        "generator": [{"name": "salts", "share": 1.0, "settings": {}}],
        "predictor": [{"name": "oracle"}],
        "screen": [{"name": "stability", "settings": {}}, {"name": "resistive-switching", "settings": {}}],
        "rank": {"top": 4, "known": 1, "settings": {"per_prototype": None}},
        "export": {"formats": [], "top": 1},
        "flow": values["flow"] | {"chunk": 3, "refine": 0},
    } | tables  # fmt: skip


def new_run(folder, name: str, values: dict | None = None, **more):
    """A run on the folder's store."""
    return launch.new_run(values or settings(**more), str(folder / "store.db"), folder / name)


def carry_out(run) -> dict:
    """The flow's own order, without Prefect."""
    steps.forget()
    with recorded(run):
        steps.retrieve(run)
        for chunk in steps.generate_chunks(run):
            steps.generate(run, chunk)
        steps.select(run)
        for chunk in steps.relax_chunks(run):
            steps.relax(run, chunk)
        for chunk in steps.screen_chunks(run):
            steps.screen(run, chunk)
        steps.rank(run)
        steps.export(run)
    return run.done("export")[0]
