"""A generator beside substitution: it writes zincblende oxides from nothing, with probabilities on a scale of their own."""

from __future__ import annotations

from typing import ClassVar

from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.identity import bucket_of
from hysteron.core.settings import Settings
from hysteron.generators.lineage import generate_step
from hysteron.generators.novelty import Novelty
from pymatgen.core import Lattice, Structure

CATIONS = ("Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Cd", "Sn", "Pb", "V", "Ti", "Eu")
METHOD = "zincblende writer"


def zincblende(cation: str, a: float, anion: str = "O") -> Structure:
    return Structure.from_spacegroup("F-43m", Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.25] * 3])


class WriterConfig(Settings):
    """How many it knows at most."""

    most: int = len(CATIONS)


class Writer:
    """In an order of its own, cells somewhat off; the larger a cation, the less probable by far."""

    name = "writer"
    version = "1"
    config_model: ClassVar[type[WriterConfig]] = WriterConfig

    def __init__(self, config: WriterConfig | None = None) -> None:
        self.config = config or WriterConfig()

    def generate(self, seeds, count, rng, tools):
        novelty = Novelty(seeds, tools.known, skip_known=True)
        step = generate_step(self.name, self.version, self.config, rng)
        given = 0
        for i in rng.permutation(len(CATIONS))[: self.config.most]:
            structure = zincblende(CATIONS[i], 4.6 + 0.05 * rng.random())
            candidate = novelty.admit(structure, Candidate("", structure))
            if candidate is None or given == count:
                continue
            given += 1
            nats = PropertyValue("log_probability", -40.0 - 10.0 * int(i), "1", METHOD)
            yield candidate.with_step(step).with_property(nats)


def proposal(structure: Structure, name: str, generator: str, **nats: float) -> Candidate:
    """A crystal as some generator would give it; `nats` by method."""
    from hysteron.core.candidate import Step

    values = tuple(PropertyValue("log_probability", value, "1", method) for method, value in nats.items())
    number = bucket_of(structure).spacegroup_number
    return Candidate(name, structure, values, (Step("generate", generator),), spacegroup_number=number)
