"""What may `diffusion` make, how, and how many does it look at for each one it hands on?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ...core.symmetry import is_polar
from ..asked import Asked
from ..ranges import Range, require_ascending
from ..tokens.generator_config import TokenGeneratorConfig

FEWEST_STEPS, MOST_STEPS = 4, 2000


class DiffusionGeneratorConfig(Asked):
    """`[[generator]] name = "diffusion"`: what all generators are asked (`Asked`), and how noise becomes crystals.

    With a space group, polar groups, or `from_tokens`, the token generator says space group, elements and Wyckoff positions,
    and what symmetry leaves free is diffused; else all atoms and the whole cell are.

    Attributes:
        natoms: Least and greatest number of atoms in the primitive cell.
        properties: Ranges that are asked of the adapters, such as `{band_gap = [2, 4]}`, in the unit of the property table; an
            end that is left open is none. Of those handed on the ones come first of which the predictor confirms it.
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

    properties: dict[str, Range] = {}
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

    @field_validator("properties")
    @classmethod
    def _ascending(cls, ranges: dict[str, Range]) -> dict[str, Range]:
        require_ascending(ranges)
        return ranges

    @model_validator(mode="after")
    def _polar_agrees(self) -> Any:
        if self.polar_only and self.spacegroup_number and not is_polar(self.spacegroup_number):
            raise ValueError(f"space group {self.spacegroup_number} is not polar")
        return self

    @property
    def is_symmetric(self) -> bool:
        """Whether space group and Wyckoff positions are given."""
        return self.from_tokens or self.polar_only or self.spacegroup_number is not None

    def for_tokens(self) -> TokenGeneratorConfig:
        """What the token generator is asked for."""
        asked = {name: getattr(self, name) for name in (*Asked.model_fields, "near_hull", "intermetallics")}
        known = {name: limits for name, limits in self.properties.items() if name in TOKEN_PROPERTIES}
        return TokenGeneratorConfig(**asked, properties=known, guidance=self.guidance)


TOKEN_PROPERTIES = ("band_gap", "formation_energy_per_atom", "energy_above_hull")
"""What the token generator may be asked for besides."""
