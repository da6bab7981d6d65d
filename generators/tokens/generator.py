"""New crystals out of a transformer that writes them in the words of their space groups.

Many are written, those that are known or written before are dropped, the rest is ranked by the model's own
log-probability and by the predicted distance from the hull, and the best are handed on. With a mask, known crystals
are filled anew instead (see `infilling.py`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.contracts import Tools
from ...core.errors import InputError
from ...core.properties import DIMENSIONLESS
from ..lineage import generate_step
from ..novelty import Novelty
from .generator_config import TokenGeneratorConfig, request_of, style_of

if TYPE_CHECKING:
    import numpy as np
    import torch

    from .weights import Trained
    from .writing import Sound

log = logging.getLogger(__name__)

SHIPPED = "tokens.safetensors"
MOST_AT_ONCE = 256


class Tokens:
    """Writes crystals; obeys `core.contracts.Generator`.

    Args:
        config: What may be written, and how.
    """

    name = "tokens"
    version = "1"
    config_model: ClassVar[type[TokenGeneratorConfig]] = TokenGeneratorConfig
    needs_seeds: ClassVar[bool] = False
    uses_tools: ClassVar[tuple[str, ...]] = ("known", "predictor", "hull")

    def __init__(self, config: TokenGeneratorConfig | None = None) -> None:
        self.config = config or TokenGeneratorConfig()

    def generate(
        self, seeds: Sequence[Candidate], count: int, rng: np.random.Generator, tools: Tools
    ) -> Iterator[Candidate]:
        """At most `count` crystals, best first.

        The same state of `rng` and equal seeds give the same crystals. It ends early when too few are new.

        Args:
            seeds: What counts as known beside `tools.known`; with a mask, the crystals that are filled anew.
            count: How many to give at most.
            rng: Draws.
            tools: `known` is asked whether a crystal is known; `predictor` and `hull` help to rank.

        Raises:
            InputError: `count` is below one, or nothing can meet what is asked for; the sentence says why.
            MissingDataError: there are no weights.
        """
        if count < 1:
            raise InputError(f"{count} crystals were asked for; ask for one or more.")
        trained = trained_model(self.config.model)
        step = dataclasses.replace(
            generate_step(self.name, self.version, self.config, rng),
            version=f"{self.version}; {trained.method}",
        )
        if self.config.mask:
            from .infilling import infill

            for template in seeds:
                yield from islice(infill(template, self.config, trained, step, rng, tools), count)
            return
        yield from self._written(seeds, count, trained, step, rng, tools)

    def _written(
        self,
        seeds: Sequence[Candidate],
        count: int,
        trained: Trained,
        step: Step,
        rng: np.random.Generator,
        tools: Tools,
    ) -> Iterator[Candidate]:
        from ..ranking import ranked

        pool = self._pool(
            count * self.config.oversampling,
            trained,
            Novelty(seeds, tools.known, self.config.skip_known),
            rng,
        )
        candidates = [
            candidate.with_step(step).with_property(
                PropertyValue("log_probability", sound.log_probability, DIMENSIONLESS, trained.method)
            )
            for candidate, sound in pool
        ]
        items = [_items(sound) for _, sound in pool]
        for place in ranked(candidates, items, self.config.properties, tools)[:count]:
            yield place.described

    def _pool(
        self, wanted: int, trained: Trained, novelty: Novelty, rng: np.random.Generator
    ) -> list[tuple[Candidate, Sound]]:
        """New crystals, so many if they can be found, in the order in which they were written."""
        import torch

        from .grammar import Grammar
        from .writing import Writer

        grammar = Grammar(trained.vocabulary, request_of(self.config, trained.vocabulary))
        draws: torch.Generator = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
        writer = Writer(trained)
        stream = writer.sound(grammar, draws, style_of(self.config), min(wanted, MOST_AT_ONCE))
        found: list[tuple[Candidate, Sound]] = []
        known: Counter[str] = Counter()
        for sound in islice(stream, wanted * self.config.tries_per_candidate):
            candidate = novelty.admit(sound.structure)
            if candidate is None:
                known[sound.crystal.formula] += 1
                continue
            found.append((candidate, sound))
            if len(found) == wanted:
                break
        log.info(
            "tokens wrote %d crystals; %d were not sound, %d known or written before.",
            writer.written,
            writer.refused.total(),
            known.total(),
        )
        if len(found) < wanted and known:
            log.warning(
                "tokens found %d of %d new crystals: the others it wrote are known or were written before, "
                "most often %s.",
                len(found),
                wanted,
                known.most_common(1)[0][0],
            )
        return found


def trained_model(path: Path | None = None) -> Trained:
    """The model of that path, or the one in HYSTERON_HOME, or the shipped one; read once per process.

    Raises:
        InputError: the file is no token model.
        MissingDataError: there is none.
    """
    from ...core.settings import model_file

    with resources.as_file(model_file(SHIPPED, path)) as file:  # type: ignore[arg-type]
        return _loaded(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> Trained:
    from .weights import Trained

    return Trained.load(path)


def _items(sound: Sound) -> int:
    """Words and numbers that say the crystal: space group, formula, orbits, coordinates, lattice."""
    crystal = sound.crystal
    words = 3 + 2 * len(crystal.amounts) + 2 * len(crystal.orbits)
    return words + sum(len(orbit.free) for orbit in crystal.orbits) + len(crystal.lattice)
