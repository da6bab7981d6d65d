"""New crystals out of noise: atom types, coordinates and lattice together, or what a space group leaves free of them.

Many are made, those that are known or were made before are dropped, the rest is ranked by the predicted distance from the
hull, and the best are handed on.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ...core.candidate import Candidate
from ...core.contracts import Tools
from ...core.errors import InputError, MissingDataError, nearest
from ..lineage import generate_step
from ..novelty import Novelty
from ..wyckoff.examples import LABELS
from .generator_config import DiffusionGeneratorConfig

if TYPE_CHECKING:
    import numpy as np

    from ..tokens.weights import Trained as TrainedTokens
    from .weights import Trained, TrainedAdapter

log = logging.getLogger(__name__)

SHIPPED = "diffusion.safetensors"


class Diffusion:
    """Makes crystals out of noise; obeys `core.contracts.Generator`.

    Args:
        config: What may be made, and how.
    """

    name = "diffusion"
    version = "1"
    config_model: ClassVar[type[DiffusionGeneratorConfig]] = DiffusionGeneratorConfig
    needs_seeds: ClassVar[bool] = False

    def __init__(self, config: DiffusionGeneratorConfig | None = None) -> None:
        self.config = config or DiffusionGeneratorConfig()

    @property
    def uses_tools(self) -> tuple[str, ...]:
        """What it asks; the potential where that steers."""
        return ("known", "predictor", "hull") + (
            ("potential",) if self.config.steering == "potential" else ()
        )

    def generate(
        self, seeds: Sequence[Candidate], count: int, rng: np.random.Generator, tools: Tools
    ) -> Iterator[Candidate]:
        """At most `count` crystals, best first.

        The same state of `rng` and equal seeds give the same crystals. It ends early when too few are new.

        Args:
            seeds: What counts as known beside `tools.known`.
            count: How many to give at most.
            rng: Draws.
            tools: `known` is asked whether a crystal is known; `predictor` and `hull` help to rank, and `potential` may steer.

        Raises:
            InputError: `count` is below one, or nothing can meet what is asked for; the sentence says why.
            OutsideDomainError: the model never learnt such crystals.
            MissingDataError: there are no weights.
        """
        from ..ranking import ranked

        if count < 1:
            raise InputError(f"{count} crystals were asked for; ask for one or more.")
        trained = trained_model(self.config.model)
        step = dataclasses.replace(
            generate_step(self.name, self.version, self.config, rng),
            version=f"{self.version}; {trained.method}",
        )
        wanted = count * self.config.oversampling
        novelty = Novelty(seeds, tools.known, self.config.skip_known)
        pool = [c.with_step(step) for c in self._pool(wanted, trained, novelty, rng, tools)]
        for place in ranked(pool, [1] * len(pool), self.config.properties, tools)[:count]:
            yield place.described

    def _pool(
        self, wanted: int, trained: Trained, novelty: Novelty, rng: np.random.Generator, tools: Tools
    ) -> list[Candidate]:
        """New crystals, so many if they can be found, in the order in which they were made."""
        from ..soundness import one_thread
        from .maker import AT_ONCE, Maker

        config = self.config
        maker = Maker(
            config, trained, self._adapters(trained), _tokens() if config.is_symmetric else None, tools
        )
        found: list[Candidate] = []
        known = 0
        with one_thread():
            for sound in islice(maker.sound(rng, min(wanted, AT_ONCE)), wanted * config.tries_per_candidate):
                candidate = novelty.admit(sound.structure)
                if candidate is None:
                    known += 1
                    continue
                found.append(candidate)
                if len(found) == wanted:
                    break
        log.info(
            "diffusion made %d crystals; %d were not sound (%s), %d known or made before.",
            maker.made,
            maker.refused.total(),
            ", ".join(f"{reason}: {n}" for reason, n in maker.refused.most_common()) or "none",
            known,
        )
        if len(found) < wanted and known:
            log.warning(
                "diffusion found %d of %d new crystals: the others are known or were made before.",
                len(found),
                wanted,
            )
        return found

    def _adapters(self, trained: Trained) -> list[TrainedAdapter]:
        """Those of the properties asked for, and that of space groups where they are imposed and there is one.

        Raises:
            InputError: there is none for a property that the token generator is not asked for either.
        """
        from .adapters import SPACEGROUP

        found = []
        for name in self.config.properties:
            adapter = trained_adapter(name, trained, self.config.model)
            if adapter is not None:
                found.append(adapter)
            elif not (self.config.is_symmetric and name in LABELS):
                known = known_adapters(trained, self.config.model)
                raise InputError(
                    f"The diffusion model has no adapter for {name!r}. {nearest(name, known) if known else ''} "
                    f"'hysteron train diffusion-adapter --property {name}' makes one."
                )
        if self.config.is_symmetric:
            adapter = trained_adapter(SPACEGROUP, trained, self.config.model)
            found += [adapter] if adapter is not None else []
        return found


def trained_model(path: Path | None = None) -> Trained:
    """The model of that path, or the one in HYSTERON_HOME, or the shipped one; read once per process.

    Raises:
        InputError: the file is no diffusion model.
        MissingDataError: there is none.
    """
    from ...core.settings import model_file

    with resources.as_file(model_file(SHIPPED, path)) as file:  # type: ignore[arg-type]
        return _loaded(file, file.stat().st_mtime_ns)


def trained_adapter(name: str, trained: Trained, model: Path | None = None) -> TrainedAdapter | None:
    """The adapter of a property that belongs to a model; none if there is none.

    Args:
        name: Of the property.
        trained: The model.
        model: Its file, if it was named: adapters stand beside it.

    Raises:
        InputError: the file is no adapter.
    """
    from ...core.settings import model_file

    file_name = adapter_file(name)
    explicit = None if model is None else model.with_name(f"{model.stem}-{name}.safetensors")
    try:
        with resources.as_file(model_file(file_name, explicit)) as file:  # type: ignore[arg-type]
            adapter = _loaded_adapter(file, file.stat().st_mtime_ns)
    except MissingDataError:
        return None
    if adapter.base != trained.digest:
        log.warning("The adapter for %s belongs to another diffusion model and is not used.", name)
        return None
    return adapter


def adapter_file(name: str, model: str = "diffusion") -> str:
    """Name of the file of an adapter."""
    return f"{model}-{name}.safetensors"


def known_adapters(trained: Trained, model: Path | None = None) -> list[str]:
    """Properties that have an adapter."""
    from .lessons import ADAPTED

    return [name for name in ADAPTED if trained_adapter(name, trained, model) is not None]


def _tokens() -> TrainedTokens:
    from ..tokens.generator import trained_model as trained_tokens

    return trained_tokens()


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> Trained:
    from .weights import Trained

    return Trained.load(path)


@lru_cache(maxsize=8)
def _loaded_adapter(path: Path, _changed: int) -> TrainedAdapter:
    from .weights import TrainedAdapter

    return TrainedAdapter.load(path)
