"""Which crystals does the diffusion model make of a wish?

Starts are drawn, noise becomes crystals in batches, and what is sound is handed on: atoms not on one another, ions neutral, every
element there that was asked for, and with symmetry the space group that was given. Nothing else is thrown away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...core.contracts import Tools
from ...core.errors import HullError, InputError
from .adapters import SPACEGROUP, group_features
from .crystals import (
    NO_CELL,
    OTHER_ELEMENTS,
    examined_plain,
    examined_symmetric,
    structures_of,
    symmetric_crystals,
)
from .generator_config import DiffusionGeneratorConfig
from .lessons import group_kinds
from .sampler import Style, Wish, sample
from .starts import Start, Starts
from .steering import Heights, Steering, first_of_each, repeated
from .table import Batch

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..tokens.weights import Trained as TrainedTokens
    from ..wyckoff.crystal import WyckoffCrystal
    from .weights import Trained, TrainedAdapter

AT_ONCE = 64
"""Particles that become crystals side by side."""
GIVE_UP_AFTER = 1000
"""Crystals in a row of which none is sound."""


@dataclass(frozen=True)
class Sound:
    """A crystal that can be handed out.

    Attributes:
        structure: Its primitive cell.
        crystal: In the words of its space group, where that was given.
    """

    structure: Structure
    crystal: WyckoffCrystal | None = None


class Maker:
    """Makes crystals until they are sound.

    Args:
        config: What is asked, and how.
        trained: The model.
        adapters: Those of the properties that are asked for; that of space groups is told those that are imposed.
        tokens: The token model, where symmetry is asked for.
        tools: What steers asks `predictor` or `potential`, and `hull`.

    Attributes:
        made: How many crystals were made so far, sound or not.
        refused: How many were not, by reason.
    """

    def __init__(
        self,
        config: DiffusionGeneratorConfig,
        trained: Trained,
        adapters: Sequence[TrainedAdapter] = (),
        tokens: TrainedTokens | None = None,
        tools: Tools = Tools(),
    ) -> None:
        self.config, self.trained = config, trained
        self.starts = Starts(config, trained, tokens)
        self.style = Style(config.steps, config.guidance)
        self.wishes = wishes_of(config, adapters)
        self.of_groups = next((one for one in adapters if one.name == SPACEGROUP), None)
        self.heights = None if config.steering == "none" else heights_by(config.steering, tools)
        self.made = 0
        self.refused: Counter[str] = Counter()

    def sound(self, rng: np.random.Generator, at_once: int = AT_ONCE) -> Iterator[Sound]:
        """Sound crystals without end; equal seeds give equal ones.

        Raises:
            InputError: of many crystals in a row not one is sound; says what is wrong with most of them.
        """
        in_vain: Counter[str] = Counter()
        particles = 1 if self.heights is None else self.config.particles
        for start in self.starts.batches(max(1, at_once // particles), rng):
            examined = list(self._examined(start, self.sampled(start, rng)))
            for i in rng.permutation(len(examined)):  # a start goes from small crystals to large ones
                found, reason = examined[i]
                self.made += 1
                if found is not None:
                    in_vain.clear()
                    yield found
                    continue
                self.refused[reason] += 1
                in_vain[reason] += 1
            if in_vain.total() >= GIVE_UP_AFTER:
                raise InputError(_hopeless(in_vain))

    def sampled(self, start: Start, rng: np.random.Generator) -> Batch:
        """What becomes of a start, sound or not."""
        generator = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
        batch, choose = start.batch, None
        if self.heights is not None:
            batch = repeated(batch, self.config.particles)
            choose = Steering(self.heights, self.config.particles, rng)
        elements = self.starts.elements.expand(len(batch), -1)
        facts = group_facts(start, self.of_groups, len(batch) // len(start.batch))
        network = self.trained.network
        found = sample(network, batch, generator, self.style, self.wishes, elements, choose, facts)
        return found if choose is None else first_of_each(found, self.config.particles)

    def _examined(self, start: Start, batch: Batch) -> Iterator[tuple[Sound, str] | tuple[None, str]]:
        if start.skeletons is not None:
            for crystal in symmetric_crystals(batch, start.skeletons):
                structure, reason = examined_symmetric(crystal)
                yield (None, reason) if structure is None else (Sound(structure, crystal), reason)
            return
        any_charge = self.config.intermetallics or self.config.formula is not None
        system = self.starts.request.system
        for structure in structures_of(batch):
            if system is not None and {e.symbol for e in structure.elements} != system:
                yield None, OTHER_ELEMENTS
                continue
            found, reason = examined_plain(structure, any_charge)
            yield (None, reason) if found is None else (Sound(found), reason)


def wishes_of(config: DiffusionGeneratorConfig, adapters: Sequence[TrainedAdapter]) -> tuple[Wish, ...]:
    """What the adapters of properties are told."""
    asked = [one for one in adapters if one.name in config.properties]
    return tuple(Wish(one.adapter, one.told(*config.properties[one.name])) for one in asked)


def group_facts(start: Start, of_groups: TrainedAdapter | None, particles: int = 1) -> list[Wish]:
    """The space groups that a start imposes, as their adapter is told; nothing where there is neither.

    Args:
        start: Of some crystals.
        of_groups: The adapter of space groups.
        particles: Of each crystal, side by side.
    """
    if start.skeletons is None or of_groups is None:
        return []
    told = group_features([group_kinds(crystal.spacegroup_number) for crystal in start.skeletons])
    return [Wish(of_groups.adapter, told.repeat_interleave(particles, dim=0))]


def heights_by(steering: str, tools: Tools) -> Heights:
    """Distances above the hull, by the predictor or by the potential, of crystals as they are.

    Raises:
        InputError: the tools lack what is needed.
    """
    tool = tools.predictor if steering == "predictor" else tools.potential
    if tool is None or tools.hull is None:
        raise InputError(f"Steering by the {steering} needs a {steering} and a hull, and there is none here.")

    def by_predictor(batch: Batch) -> list[float | None]:
        from ...core.candidate import Candidate
        from ...core.formation import expected_distances

        assert tools.predictor is not None
        assert tools.hull is not None
        some = [Candidate(f"particle-{i}", s) for i, s in enumerate(structures_of(batch))]
        return expected_distances(tools.predictor.predict(some), tools.hull)

    def by_potential(batch: Batch) -> list[float | None]:
        assert tools.potential is not None
        assert tools.hull is not None
        structures = structures_of(batch)
        energies = [
            one.energy / len(s)
            for one, s in zip(tools.potential.calculate(structures), structures, strict=True)
        ]
        found = tools.hull.distances(
            [(s.composition, e, ()) for s, e in zip(structures, energies, strict=True)]
        )
        return [None if isinstance(one, HullError) else float(one.energy_above_hull) for one in found]

    return by_predictor if steering == "predictor" else by_potential


def _hopeless(in_vain: Counter[str]) -> str:
    reason, count = in_vain.most_common(1)[0]
    wrong = {NO_CELL: "have no sensible cell", OTHER_ELEMENTS: "lack an element that was asked for"}
    return (
        f"Of {in_vain.total()} crystals made in a row not one is sound: {count} {wrong.get(reason, 'have ' + reason)}. "
        "Ask for another formula, other elements or other space groups, or take more steps."
    )
