"""What does it cost to switch the crystal along a path between two ends?

The energy at the images of a path, by a potential and per atom, relative to the polar end. On the straight
way its highest point bounds the barrier from above: atoms that were free to step aside would pass lower. The
difference of the ends is another quantity and is told apart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...core.contracts import Calculation, Potential
from ...core.errors import StructureError
from ...core.polar_path import IMAGES, images_at
from ..batch import calculate_each
from .overlap import overlap

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .matching import Match

HIGH_HILL_MEV_PER_ATOM = 20.0
"""A straight path that rises so far above both its ends mostly has its atoms paired badly. So do 31 of the 182
preferred pairs of Smidt et al., Sci. Data 7, 72 (2020), LiNbO3 among them."""
MEV_PER_EV = 1000.0
CLEARLY_LOWER = 2.0
"""meV/atom by which a longer pairing's path must be the lower one to be preferred."""
PROBES = (0.25, 0.5, 0.75)
"""Where pairings are compared: between the ends, which are the same for all."""

Kind = Literal["linear", "NEB"]
Ends = tuple["Structure", "Structure"]
"""The nonpolar parent (or the reversed polar state) and the polar crystal, atoms in the same order."""


@dataclass(frozen=True)
class Profile:
    """Energies along a path from the nonpolar end (or the reversed polar one) to the polar end.

    Attributes:
        kind: `linear` or `NEB`.
        method: How it was found, as a clause.
        fractions: Where the images lie, ascending from 0 to 1 at the polar end.
        energies: meV/atom relative to the polar end, so the last is 0.
        nsites: Atoms in the cell.
        formula_units: Formula units in the cell.
        notes: What to know before the barrier is believed, one sentence each.
        structures: The images.
    """

    kind: Kind
    method: str
    fractions: tuple[float, ...]
    energies: tuple[float, ...]
    nsites: int
    formula_units: float
    notes: tuple[str, ...] = ()
    structures: tuple[Structure, ...] = field(default=(), repr=False, compare=False)

    @property
    def barrier(self) -> float:
        """Highest image minus the polar end, meV/atom; at least 0."""
        return max(self.energies)

    @property
    def backward_barrier(self) -> float:
        """Highest image minus the other end, meV/atom; at least 0."""
        return max(self.energies) - self.energies[0]

    @property
    def difference(self) -> float:
        """Polar minus other end, meV/atom; negative where the polar end is lower."""
        return -self.energies[0]

    @property
    def highest_at(self) -> float:
        """Fraction at which the highest image lies."""
        return self.fractions[int(np.argmax(self.energies))]

    @property
    def hill(self) -> float:
        """How far the highest image lies above the higher end, meV/atom; 0 if an end is the highest."""
        return max(self.energies) - max(self.energies[0], self.energies[-1])

    @property
    def barrier_per_formula_unit(self) -> float:
        """As `barrier`, eV per formula unit."""
        return self.barrier * self._atoms_per_formula_unit / MEV_PER_EV

    @property
    def difference_per_formula_unit(self) -> float:
        """As `difference`, eV per formula unit."""
        return self.difference * self._atoms_per_formula_unit / MEV_PER_EV

    @property
    def _atoms_per_formula_unit(self) -> float:
        return self.nsites / self.formula_units

    def record(self) -> dict[str, Any]:
        """As JSON, without the structures; energies in meV/atom, the barrier also in eV/f.u."""
        return {
            "kind": self.kind,
            "method": self.method,
            "images": len(self.fractions),
            "fractions": list(self.fractions),
            "energies": list(self.energies),
            "barrier_per_atom": self.barrier,
            "barrier": self.barrier_per_formula_unit,
            "difference": self.difference,
            "note": " ".join(self.notes),
        }


def linear_profiles(
    pairs: Sequence[Ends],
    potential: Potential,
    images: int = IMAGES,
    between_polar_states: Sequence[bool] | None = None,
) -> list[Profile | str]:
    """Profiles of straight paths, cell and atoms interpolated together; two batches for all of them.

    Args:
        pairs: Ends as `relax_ends` or `matches` gives them.
        potential: Of the energies.
        images: Evenly spaced, both ends counted; two more follow, halfway beside the highest one between the ends.
        between_polar_states: For each pair, whether the first end is a reversed polar state: then a hill between
            the ends is what is looked for, and no reason for a note. By default it is a nonpolar parent.

    Returns:
        One per pair, in order; a sentence where ends do not correspond or an image is refused.
    """
    grid = np.linspace(0, 1, images).tolist()
    coarse = _evaluated(pairs, [grid] * len(pairs), potential)
    refined = _evaluated(pairs, [_beside_highest(one) for one in coarse], potential)
    return [
        found
        if isinstance(found, str)
        else _linear_profile(found, {} if isinstance(more, str) else more, between)
        for found, more, between in zip(
            coarse, refined, between_polar_states or [False] * len(pairs), strict=True
        )
    ]


def best_matches(
    choices: Sequence[Sequence[Match]], polars: Sequence[Structure], potential: Potential
) -> list[Match | None]:
    """Of several pairings of the same two ends, the one whose straight path rises least; one batch for all.

    Args:
        choices: For each polar end, what `matches` gives.
        polars: The polar ends.
        potential: Asked for three images of each pairing, if there is more than one.

    Returns:
        One per polar end, in order: the first where the potential refuses; `None` where there is no choice.
    """
    several = [(i, match) for i, some in enumerate(choices) if len(some) > 1 for match in some]
    ends = [(match.structure, polars[i]) for i, match in several]
    heights: dict[int, list[float]] = {}
    for (i, _), points in zip(several, _evaluated(ends, [PROBES] * len(ends), potential), strict=True):
        height = np.inf if isinstance(points, str) else max(energy for _, energy in points.values())
        heights.setdefault(i, []).append(MEV_PER_EV * height / len(polars[i]))
    return [some[_lowest(heights.get(i, [0.0]))] if some else None for i, some in enumerate(choices)]


def _lowest(heights: Sequence[float]) -> int:
    """The first that no other lies clearly below, meV/atom."""
    return next(i for i, height in enumerate(heights) if not height > min(heights) + CLEARLY_LOWER)


_Points = dict[float, tuple["Structure", float]]
"""By fraction: the image, and its energy in eV."""


def _evaluated(
    pairs: Sequence[Ends], fractions: Sequence[Sequence[float]], potential: Potential
) -> list[_Points | str]:
    """The images of every pair at its fractions, all in one batch."""
    paths = [_images(ends, chosen) for ends, chosen in zip(pairs, fractions, strict=True)]
    everything = [image for path in paths if not isinstance(path, str) for image in path]
    results = iter(calculate_each(potential, everything))
    found: list[_Points | str] = []
    for path, chosen in zip(paths, fractions, strict=True):
        if isinstance(path, str):
            found.append(path)
            continue
        energies = [(image, next(results)) for image in path]
        refusal = next((result for _, result in energies if isinstance(result, str)), None)
        found.append(refusal or _points(chosen, energies))
    return found


def _images(ends: Ends, fractions: Sequence[float]) -> list[Structure] | str:
    try:
        return images_at(*ends, fractions)
    except StructureError as error:
        return str(error)


def _points(fractions: Sequence[float], results: Sequence[tuple[Structure, Calculation | str]]) -> _Points:
    return {
        x: (image, result.energy)
        for x, (image, result) in zip(fractions, results, strict=True)
        if isinstance(result, Calculation)
    }


def _beside_highest(points: _Points | str) -> list[float]:
    """Halfway from the highest image between the ends to its two neighbours; nothing if there is none."""
    if isinstance(points, str) or len(points) < 3:
        return []
    fractions = sorted(points)
    i = max(range(1, len(fractions) - 1), key=lambda i: points[fractions[i]][1])
    return [(fractions[i - 1] + fractions[i]) / 2, (fractions[i] + fractions[i + 1]) / 2]


def _linear_profile(points: _Points, more: _Points, between_polar_states: bool) -> Profile:
    points = points | more
    fractions = sorted(points)
    structures, energies = zip(*(points[x] for x in fractions), strict=True)
    profile = profile_of("linear", "straight path", fractions, energies, structures)
    return profile if between_polar_states else with_notes(profile, _hill_notes(profile))


def profile_of(
    kind: Kind,
    method: str,
    fractions: Sequence[float],
    energies: Sequence[float],
    structures: Sequence[Structure],
    notes: Sequence[str] = (),
) -> Profile:
    """A profile from energies of whole cells, eV, with what must be said of it."""
    composition = structures[-1].composition
    nsites = len(structures[-1])
    relative = [MEV_PER_EV * (energy - energies[-1]) / nsites for energy in energies]
    profile = Profile(
        kind,
        method,
        tuple(float(x) for x in fractions),
        tuple(float(energy) for energy in relative),
        nsites,
        float(composition.get_reduced_composition_and_factor()[1]),
        structures=tuple(structures),
    )
    return with_notes(profile, [*notes, *_overlap_notes(profile)])


def tilted(profile: Profile, difference: float) -> Profile:
    """The profile with its ends as far apart as a better energy says, in proportion on the way between.

    Args:
        profile: Of a potential.
        difference: Polar minus nonpolar end, calibrated, meV/atom.
    """
    lift = profile.difference - difference
    energies = [
        energy + (1 - x) * lift for x, energy in zip(profile.fractions, profile.energies, strict=True)
    ]
    method = f"{profile.method} tilted to the calibrated difference"
    return dataclasses.replace(profile, energies=tuple(energies), method=method)


def with_notes(profile: Profile, notes: Sequence[str]) -> Profile:
    """The profile with more said of it."""
    return dataclasses.replace(profile, notes=(*profile.notes, *notes))


def _hill_notes(profile: Profile) -> list[str]:
    if profile.hill <= HIGH_HILL_MEV_PER_ATOM:
        return []
    return [
        f"The straight path rises {profile.hill:.0f} meV/atom above both its ends: an upper bound, possibly for the way "
        "its atoms are paired."
    ]


def _overlap_notes(profile: Profile) -> list[str]:
    """The first image in which atoms overlap, if there is one."""
    for x, structure in zip(profile.fractions, profile.structures, strict=True):
        found = overlap(structure)
        if found:
            return [f"Atoms come too close on the path, {found} at fraction {x:.2f}."]
    return []
