"""What may `diffusion` make, how, and how many does it look at for each one it hands on?"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from ..asked import Asked, AskedOfModel
from ..tokens.generator_config import TokenGeneratorConfig
from ..wyckoff.examples import LABELS

FEWEST_STEPS, MOST_STEPS = 4, 2000


class DiffusionGeneratorConfig(AskedOfModel):
    """`[[generator]] name = "diffusion"`: what all generators are asked (`AskedOfModel`), and how noise becomes crystals.

    With a space group, polar groups, or `from_tokens`, the token generator says space group, elements and Wyckoff positions,
    and what symmetry leaves free is diffused; else all atoms and the whole cell are.

    Attributes:
        natoms: Least and greatest number of atoms in the primitive cell.
        from_tokens: Whether every crystal starts from what the token generator writes.
        near_hull: The token generator is asked for crystals no more than this above the hull, eV/atom; none asks nothing.
        intermetallics: Whether crystals whose ions are not neutral are let through.
        guidance: How much the ranges count: 0 not at all, 1 as learnt, more exaggerates.
        steps: Evaluations of the network for each crystal; 20 to 150 are sensible.
        steering: What resamples particles in the last fifth of the steps by their energy above the hull: the predictor, the
            potential, or nothing.
        particles: Of each crystal, where particles are resampled.
        oversampling: New crystals looked at for each one handed on.
        tries_per_candidate: Crystals made, for each one looked at, after which the search ends.
        model: File of weights, its adapters beside it; the trained or shipped one if none is named.
    """

    from_tokens: bool = False
    near_hull: float | None = Field(default=0.025, gt=0)
    intermetallics: bool = False
    guidance: float = Field(default=2.0, ge=0, le=20)
    steps: int = Field(default=50, ge=FEWEST_STEPS, le=MOST_STEPS)
    steering: Literal["none", "predictor", "potential"] = "none"
    particles: int = Field(default=4, ge=2, le=64)
    oversampling: int = Field(default=4, ge=1, le=1000)
    tries_per_candidate: int = Field(default=5, ge=1)
    model: Path | None = None

    @property
    def is_symmetric(self) -> bool:
        """Whether space group and Wyckoff positions are given."""
        return self.from_tokens or self.polar_only or self.spacegroup_number is not None

    def for_tokens(self) -> TokenGeneratorConfig:
        """What the token generator is asked for."""
        asked = {name: getattr(self, name) for name in (*Asked.model_fields, "near_hull", "intermetallics")}
        known = {name: limits for name, limits in self.properties.items() if name in LABELS}
        return TokenGeneratorConfig(**asked, properties=known, guidance=self.guidance)
