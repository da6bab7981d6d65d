"""What may `tokens` write, how boldly, and how many does it look at for each one it hands on?"""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field

from ...core.errors import InputError, nearest
from ..asked import AskedOfModel
from ..ranges import STABILITY, Range
from .request import POLAR_GROUPS, Request
from .sampling import Style
from .vocabulary import PropertyBins, Vocabulary


class TokenGeneratorConfig(AskedOfModel):
    """`[[generator]] name = "tokens"`: what all generators are asked (`AskedOfModel`), and how the model writes.

    Attributes:
        natoms: Least and greatest number of atoms in the primitive cell.
        near_hull: The model is asked for crystals no more than this above the hull, eV/atom, unless `properties` says
            otherwise; none asks nothing.
        intermetallics: Whether the rule of charges is lifted: metals among themselves, and mixed valence.
        mask: Species or sites of the seeds that are filled anew; see `masks.py`. Without it crystals are written from nothing.
        temperature: Of words; below one, the likelier are preferred.
        number_temperature: Of coordinates and lattice.
        guidance: How much more the ranges of `properties` count than the model thinks; 0 for not more. Without such
            ranges nothing is guided: `near_hull` alone gains nothing by it, and guided writing takes twice as long.
        oversampling: New crystals looked at for each one handed on.
        tries_per_candidate: Crystals written, for each one looked at, after which the search ends.
        model: File of weights; the trained or shipped one if none is named.
    """

    near_hull: float | None = Field(default=0.025, gt=0)
    intermetallics: bool = False
    mask: tuple[str, ...] = ()
    temperature: float = Field(default=1.0, gt=0, le=10)
    number_temperature: float = Field(default=0.2, gt=0, le=10)
    guidance: float = Field(default=2.0, ge=0, le=20)
    oversampling: int = Field(default=8, ge=1, le=1000)
    tries_per_candidate: int = Field(default=5, ge=1)
    model: Path | None = None


def request_of(config: TokenGeneratorConfig, vocabulary: Vocabulary) -> Request:
    """What the grammar is told.

    Raises:
        InputError: the wishes contradict one another, or the model knows nothing of a property.
    """
    groups = (config.spacegroup_number,) if config.spacegroup_number else None
    return Request(
        spacegroups=groups or (POLAR_GROUPS if config.polar_only else None),
        formula=config.formula,
        chemsys=config.chemsys,
        elements=config.elements,
        exclude_elements=() if config.names_elements else config.exclude_elements,
        natoms=config.natoms,
        intermetallics=config.intermetallics,
        bins={name: _bins(name, limits, vocabulary) for name, limits in asked_ranges(config).items()},
    )


def asked_ranges(config: TokenGeneratorConfig) -> dict[str, Range]:
    """The property ranges that the model is asked for."""
    if STABILITY in config.properties or config.near_hull is None:
        return dict(config.properties)
    return {**config.properties, STABILITY: (None, config.near_hull)}


def style_of(config: TokenGeneratorConfig) -> Style:
    """How boldly the model writes."""
    return Style(config.temperature, config.number_temperature, config.guidance if config.properties else 0.0)


def _bins(name: str, limits: Range, vocabulary: Vocabulary) -> tuple[int, ...]:
    known: dict[str, PropertyBins] = {bins.name: bins for bins in vocabulary.properties}
    if name not in known:
        raise InputError(f"The model cannot be asked for {name!r}. {nearest(name, known)}")
    low, high = limits
    return known[name].bins_within(-math.inf if low is None else low, math.inf if high is None else high)
