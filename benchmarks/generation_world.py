"""What does the generation benchmark stand on? How much is measured, with which weights, and from which random streams."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ..core.errors import MissingDataError
from ..core.settings import Settings, model_file
from ..flows import toolbox
from ..flows.progress import Silent
from ..flows.run_settings import PotentialTable
from ..flows.taught import taught_crystals
from ..generators.diffusion.generator import trained_adapter
from ..generators.diffusion.generator import trained_model as trained_diffusion
from ..generators.diffusion.generator_config import DiffusionGeneratorConfig
from ..generators.diffusion.lessons import ADAPTED
from ..generators.tokens.generator import SHIPPED, trained_model
from ..generators.tokens.generator_config import TokenGeneratorConfig, request_of
from ..generators.tokens.grammar import Grammar
from .generation_cells import MeanCells
from .generation_kept import Kept
from .generation_reference import MOST_SITES, Reference

if TYPE_CHECKING:
    from ..core.contracts import Hull, Predictor
    from ..generators.diffusion.weights import Trained as TrainedDiffusion
    from ..generators.diffusion.weights import TrainedAdapter
    from ..generators.tokens.weights import Trained
    from ..predictors.relaxation.relaxer import BatchedRelaxer

DECIDING_CODE = (
    "generators",
    "benchmarks/generation_handed_on.py",
    "benchmarks/generation_random.py",
    "benchmarks/generation_sets.py",
)
DIFFUSION_CODE = "generators/diffusion"
"""Decides nothing of what the token model writes."""
DECIDING_DIFFUSION_CODE = (
    "generators",
    "benchmarks/generation_cells.py",
    "benchmarks/generation_diffusion.py",
    "benchmarks/generation_handed_on.py",
    "benchmarks/generation_prediction.py",
    "benchmarks/generation_targets.py",
)


class Plan(Settings):
    """How much is measured; the defaults are what the claims stand on."""

    count: int = Field(default=1000, ge=1)
    """Crystals of a set."""
    per_group: int = Field(default=40, ge=1)
    """Crystals of each space group asked for."""
    conditioned: int = Field(default=1000, ge=1)
    """Crystals for each range of a property, each guidance, and of those that nothing is asked of."""
    training: int = Field(default=3000, ge=1)
    """Training crystals whose formulas are looked at."""
    timed: int = Field(default=512, ge=1)
    """Crystals of each timing."""
    repeats: int = Field(default=5, ge=1)
    """Timings."""
    diffused: int = Field(default=300, ge=1)
    """Crystals of a set of the diffusion model."""
    diffused_per_group: int = Field(default=12, ge=1)
    """Crystals of the diffusion model of each space group asked for."""
    predicted: int = Field(default=500, ge=1)
    """Test formulas of which the structure is predicted."""
    curve: int = Field(default=150, ge=1)
    """Of those, the ones that are predicted with other numbers of evaluations; and crystals made so of which nothing is asked."""
    adapted: int = Field(default=200, ge=1)
    """Crystals for each wish that an adapter is told, each guidance, and of those that nothing is asked of."""
    diffusion_timed: int = Field(default=64, ge=1)
    """Crystals of each timing of the diffusion model."""


QUICK = Plan(
    count=12,
    per_group=1,
    conditioned=12,
    training=100,
    timed=16,
    repeats=2,
    diffused=6,
    diffused_per_group=1,
    predicted=6,
    curve=3,
    adapted=4,
    diffusion_timed=4,
)


class World:
    """Everything that the rows share; each part is made when it is asked for.

    Args:
        seed: Of all streams.
        plan: How much is measured.
        kept: Where sets and relaxations stand.
    """

    def __init__(self, seed: int, plan: Plan, kept: Kept) -> None:
        self.seed, self.plan, self.kept = seed, plan, kept

    @cached_property
    def relaxer(self) -> BatchedRelaxer:
        """The one that relaxes every set."""
        return toolbox.relaxer(PotentialTable())

    @cached_property
    def hull(self) -> Hull:
        """The one that every set is measured on."""
        return toolbox.hull()

    @cached_property
    def predictor(self) -> Predictor:
        """The property network."""
        return toolbox.predictor("properties")

    @cached_property
    def reference(self) -> Reference:
        """The crystals that are known."""
        return Reference.read()

    @cached_property
    def trained(self) -> Trained:
        """The token model."""
        return trained_model()

    @cached_property
    def weights(self) -> str:
        """Of the token model: sixteen digits of its file's SHA-256."""
        with resources.as_file(model_file(SHIPPED)) as file:  # type: ignore[arg-type]
            return hashlib.sha256(file.read_bytes()).hexdigest()[:16]

    @cached_property
    def code(self) -> str:
        """Of the sources that decide what is written."""
        return _code(DECIDING_CODE, but=DIFFUSION_CODE)

    @cached_property
    def diffusion(self) -> TrainedDiffusion:
        """The diffusion model."""
        return trained_diffusion(self.diffusion_config().model)

    @cached_property
    def diffusion_weights(self) -> str:
        """Of the diffusion model: its digest, which its adapters name."""
        return self.diffusion.digest

    @cached_property
    def diffusion_code(self) -> str:
        """Of the sources that decide what is diffused."""
        return _code(DECIDING_DIFFUSION_CODE)

    @cached_property
    def mean_cells(self) -> MeanCells:
        """Those of training crystals of at most 20 atoms, which are encoded once, in some minutes, and kept."""
        taught = taught_crystals(MOST_SITES, Silent())
        return MeanCells(example.crystal for example in taught if example.split == "train")

    def adapter(self, name: str) -> TrainedAdapter | None:
        """The adapter of a property for the diffusion model; none if there is none."""
        return trained_adapter(name, self.diffusion, self.diffusion_config().model)

    def adapter_weights(self, name: str) -> str | None:
        """Of an adapter: sixteen digits of the SHA-256 of its weights and its grid."""
        trained = self.adapter(name)
        if trained is None:
            return None
        digest = hashlib.sha256(repr(trained.grid).encode())
        for key, tensor in sorted(trained.adapter.state_dict().items()):
            digest.update(key.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()[:16]

    def diffusion_config(self, **wishes: Any) -> DiffusionGeneratorConfig:
        """Settings of the diffusion generator: its defaults but for these."""
        return DiffusionGeneratorConfig(**wishes)

    def config(self, **wishes: Any) -> TokenGeneratorConfig:
        """Settings of the generator: its defaults but for these."""
        return TokenGeneratorConfig(**wishes)

    def grammar(self, config: TokenGeneratorConfig) -> Grammar:
        """What may be written under these settings."""
        return Grammar(self.trained.vocabulary, request_of(config, self.trained.vocabulary))

    def rng(self, stream: str) -> np.random.Generator:
        """A random stream of that name."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(stream.encode())]))

    def told(self) -> dict[str, Any]:
        """Which models, relaxer and hull it was."""
        return {
            "token_model": {"method": self.trained.method, "weights": self.weights},
            "diffusion_model": self._diffusion_told(),
            "relaxer": f"{self.relaxer.version}; {self.relaxer.potential.name}, weights "
            f"{self.relaxer.potential.model_hash}",
            "hull": self.hull.name,
            "reference": {
                "crystals": sum(map(len, self.reference.records.values())),
                "formulas": len(self.reference.formulas),
            },
        }

    def _diffusion_told(self) -> dict[str, Any]:
        try:
            trained = self.diffusion
        except MissingDataError as error:
            return {"missing": str(error)}
        found = {name: self.adapter_weights(name) for name in ADAPTED}
        return {
            "method": trained.method,
            "weights": self.diffusion_weights,
            "domain": trained.data.model_dump(mode="json"),
            "adapters": {name: weights for name, weights in found.items() if weights is not None},
        }


def _code(names: Sequence[str], but: str | None = None) -> str:
    """Sixteen digits of the SHA-256 of sources.

    Args:
        names: Files, or folders with all that is in them, from the root of the project.
        but: A folder that is left out.
    """
    root, digest = Path(__file__).resolve().parents[1], hashlib.sha256()
    for name in names:
        place = root / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            if but is None or not path.is_relative_to(root / but):
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
