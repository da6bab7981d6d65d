"""A generator that proposes what it was told to, and remembers what it was handed."""

import dataclasses
from typing import ClassVar

import materials
from hysteron.core.candidate import Candidate, PropertyValue, Step
from hysteron.core.identity import bucket_of, candidate_id
from hysteron.core.settings import Settings

CRYSTALS = (materials.strontium_titanate, materials.magnesium_oxide, materials.zinc_oxide)


class ToyConfig(Settings):
    """Knows a model's options and no chemistry."""

    polar_only: bool = False
    steps: int = 10
    properties: dict[str, tuple[float | None, float | None]] = {}


class Toy:
    """Needs no seeds; `handed` holds the arguments of each call."""

    name = "toy"
    version = "1"
    config_model: ClassVar[type[ToyConfig]] = ToyConfig
    needs_seeds: ClassVar[bool] = False
    uses_tools: ClassVar[tuple[str, ...]] = ("known", "predictor")
    handed: ClassVar[list] = []

    def __init__(self, config: ToyConfig | None = None) -> None:
        self.config = config or ToyConfig()

    def generate(self, seeds, count, rng, tools):
        self.handed.append((self.config, list(seeds), tools))
        for make in CRYSTALS[:count]:
            structure = make()
            number = bucket_of(structure).spacegroup_number
            found = Candidate(candidate_id(structure), structure, spacegroup_number=number)
            nats = PropertyValue("log_probability", float(rng.normal()), "1", "toy")
            yield found.with_step(Step("generate", "toy", "1", seed=0)).with_property(nats)


class Oracle:
    """Predicts a gap of 2 eV for everything."""

    name = "oracle"

    def predict(self, candidates):
        gap = PropertyValue("band_gap", 2.0, "eV", self.name, 0.1)
        formation = PropertyValue("formation_energy_per_atom", -2.0, "eV/atom", self.name)
        return [
            dataclasses.replace(c).with_property(gap, formation).with_step(Step("predict", self.name))
            for c in candidates
        ]
