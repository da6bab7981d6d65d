"""What does the generation benchmark stand on? How much is measured, with which weights, and from which random streams."""

from __future__ import annotations

import hashlib
import zlib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ..core.settings import Settings, model_file
from ..flows import toolbox
from ..flows.run_settings import PotentialTable
from ..generators.tokens.generator import SHIPPED, trained_model
from ..generators.tokens.generator_config import TokenGeneratorConfig, request_of
from ..generators.tokens.grammar import Grammar
from .generation_kept import Kept
from .generation_reference import Reference

if TYPE_CHECKING:
    from ..core.contracts import Hull, Predictor
    from ..generators.tokens.weights import Trained
    from ..predictors.relaxation.relaxer import BatchedRelaxer

DECIDING_CODE = ("generators", "benchmarks/generation_random.py", "benchmarks/generation_sets.py")


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


QUICK = Plan(count=12, per_group=1, conditioned=12, training=100, timed=16, repeats=2)


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
        root, digest = Path(__file__).resolve().parents[1], hashlib.sha256()
        for name in DECIDING_CODE:
            place = root / name
            for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
        return digest.hexdigest()[:16]

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
        """Which model, relaxer and hull it was."""
        return {
            "token_model": {"method": self.trained.method, "weights": self.weights},
            "relaxer": f"{self.relaxer.version}; {self.relaxer.potential.name}, weights "
            f"{self.relaxer.potential.model_hash}",
            "hull": self.hull.name,
            "reference": {
                "crystals": sum(map(len, self.reference.records.values())),
                "formulas": len(self.reference.formulas),
            },
        }
