"""Through which parent does a crystal switch, and at what price?

Several parents may be near. The first is what the polarization is taken against; but a crystal is ferroelectric only if
none of them lies lower than itself (PbZrO3 has a polar relative 4 meV/atom above an antipolar one), and it switches
through the lowest. So the first and those of the lowest energies are relaxed, and the path goes through the one that
then lies lowest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.candidate import PropertyValue
from ...core.contracts import Calculation, EnergyDifference, Potential, Tools
from ..batch import calculate_each
from .case import Case
from .ends import Ends, relax_ends
from .matching import matches
from .neb import climb
from .path import MEV_PER_EV, Profile, best_matches, linear_profiles, tilted, with_notes
from .verdict import FerroelectricConfig

if TYPE_CHECKING:
    from pymatgen.core import Structure

CLEARLY_LOWER = 1.0
"""meV/atom by which a further parent must lie below those before it; P4/mmm relaxes to Pm-3m, give or take the noise."""
RELAXED_SIGMA, RELAXED_HALF = 1.9, 2.5
"""Standard deviation and half interval of a difference between ends that the potential has relaxed itself, over those at DFT's
ends, where they were calibrated: the 68% and 90% quantiles of the errors of 60 DFT pairs whose path leads to the same parent."""
ANOTHER_CRYSTAL_STRAIN = 0.08
"""A further parent whose cell strains by more than this when it relaxes has become another crystal than the one on the way:
Pbcn between the polarizations of HfO2 turns into the denser packing of PbO2 by 10%."""


@dataclass(frozen=True)
class Trial:
    """One way to switch: through a parent, by its index in `Case.parents`, or from the reversed state (`None`)."""

    case: Case
    parent: int | None

    @property
    def start(self) -> Structure:
        """Where the path begins."""
        if self.parent is not None:
            return self.case.parents[self.parent].structure
        assert self.case.reversed is not None
        return self.case.reversed.structure


def follow_paths(cases: Sequence[Case], tools: Tools, config: FerroelectricConfig) -> None:
    """Ends, energy difference and profile of the cases that are still in question, in common batches."""
    wanted = [case for case in cases if _in_question(case, config)]
    if tools.potential is None:
        for case in wanted:
            case.failures.append(
                "No potential was handed in, so neither path nor energy difference is known."
            )
        return
    trials = _trials(wanted, tools.potential, config.relaxed_parents)
    relaxing = tools if config.relax_ends else Tools(potential=tools.potential)
    found = relax_ends([(trial.start, trial.case.structure) for trial in trials], relaxing)
    _choose(trials, found, tools)
    _add_profiles([case for case in wanted if case.ends], tools.potential, config)


def _in_question(case: Case, config: FerroelectricConfig) -> bool:
    """Whether a path is worth its price; if it is not, the case says why."""
    if not case.parents and case.reversed is None:
        return False
    if config.path == "none":
        case.untried = "the settings ask for no path"
    elif case.mechanism and not case.mechanism.assessable:
        case.untried = "the mechanism is not assessable by this method"
    elif case.polarization is None:
        case.untried = "the polarization is not known"
    elif max(case.polarization.norm, case.polarization.interval[1]) < config.polarization_min:
        case.untried = f"the polarization is below {config.polarization_min:g} uC/cm^2"
    return not case.untried


def _trials(cases: Sequence[Case], potential: Potential, most: int) -> list[Trial]:
    """Of each case the first parent and those of the lowest energy as they stand, or the reversed state."""
    structures = [parent.structure for case in cases for parent in case.parents]
    results = iter(calculate_each(potential, structures))
    trials: list[Trial] = []
    for case in cases:
        energies = [
            result.energy if isinstance(result := next(results), Calculation) else np.inf
            for _ in case.parents
        ]
        others = np.argsort(energies[1:], kind="stable")[: most - 1] + 1
        chosen: list[int | None] = [0, *others.tolist()] if case.parents else [None]
        trials += [Trial(case, index) for index in chosen]
    return trials


def _choose(trials: Sequence[Trial], found: Sequence[Ends | str], tools: Tools) -> None:
    """Gives each case the ends of the trial whose nonpolar end lies lowest, and the difference between them."""
    usable = [(trial, ends) for trial, ends in zip(trials, found, strict=True) if isinstance(ends, Ends)]
    for trial, ends in zip(trials, found, strict=True):
        if isinstance(ends, str):
            trial.case.failures.append(ends)
    told, refused = _differences([(ends.polar, ends.parent) for _, ends in usable], tools)
    lowest: dict[int, float] = {}
    for (trial, ends), difference, refusal in zip(usable, told, refused, strict=True):
        case = trial.case
        if refusal and refusal not in case.failures:
            case.failures.append(refusal)
        if isinstance(difference, str):
            case.failures.append(difference)
            continue
        if trial.parent and _strain(trial.start, ends.parent) > ANOTHER_CRYSTAL_STRAIN:
            continue
        if trial.parent is not None:
            case.parent_energies[trial.parent] = -difference.value
        if difference.value > lowest.get(id(case), -np.inf) + CLEARLY_LOWER:
            lowest[id(case)] = difference.value
            case.ends, case.path_parent = ends, trial.parent
            case.difference = None if trial.parent is None else _property(difference, ends, case, tools)


def _strain(before: Structure, after: Structure) -> float:
    """Largest principal strain between two cells, absolute."""
    deformation = np.linalg.solve(before.lattice.matrix, after.lattice.matrix)
    return float(np.abs(np.linalg.svd(deformation, compute_uv=False) - 1).max())


def _differences(
    pairs: Sequence[tuple[Structure, Structure]], tools: Tools
) -> tuple[list[EnergyDifference | str], list[str]]:
    """Polar minus nonpolar: calibrated if the tools can, else (and where they cannot, with the reason) the potential's own."""
    if tools.polar_difference is None:
        return _plain_differences(pairs, tools), [""] * len(pairs)
    calibrated = tools.polar_difference.differences(pairs)
    refused = ["" if isinstance(told, EnergyDifference) else str(told) for told in calibrated]
    plain = iter(_plain_differences([pair for pair, why in zip(pairs, refused, strict=True) if why], tools))
    found = [told if isinstance(told, EnergyDifference) else next(plain) for told in calibrated]
    return found, refused


def _plain_differences(
    pairs: Sequence[tuple[Structure, Structure]], tools: Tools
) -> list[EnergyDifference | str]:
    assert tools.potential is not None
    results = calculate_each(tools.potential, [end for pair in pairs for end in pair])
    found: list[EnergyDifference | str] = []
    for (crystal, _), polar, nonpolar in zip(pairs, results[0::2], results[1::2], strict=True):
        if isinstance(polar, str) or isinstance(nonpolar, str):
            found.append(polar if isinstance(polar, str) else str(nonpolar))
            continue
        value = MEV_PER_EV * (polar.energy - nonpolar.energy) / len(crystal)
        found.append(EnergyDifference(float(value), None, None, None, {}))
    return found


def _property(told: EnergyDifference, ends: Ends, case: Case, tools: Tools) -> PropertyValue:
    assert tools.potential is not None
    calibrated = told.interval is not None and tools.polar_difference is not None
    by = tools.polar_difference.method if calibrated and tools.polar_difference else tools.potential.name
    sure = _widened(told) if ends.relaxed else told
    return PropertyValue(
        "polar_nonpolar_energy_difference",
        told.value,
        "meV/atom",
        f"{by}, {ends.state}",
        sure.uncertainty,
        f"parent {ends.parent_symmetry}",
        sure.interval,
        sure.coverage,
    )


def _widened(told: EnergyDifference) -> EnergyDifference:
    """As sure as it is between ends at which DFT has not been."""
    if told.uncertainty is None or told.interval is None:
        return told
    low, high = (told.value + RELAXED_HALF * (end - told.value) for end in told.interval)
    return dataclasses.replace(told, uncertainty=RELAXED_SIGMA * told.uncertainty, interval=(low, high))


def _add_profiles(cases: Sequence[Case], potential: Potential, config: FerroelectricConfig) -> None:
    pairs = _paired(cases, potential)
    between_polar = [case.path_parent is None for case in cases]
    found = linear_profiles(pairs, potential, config.path_images, between_polar)
    for case, ends, profile in zip(cases, pairs, found, strict=True):
        if isinstance(profile, Profile):
            followed = _climbed(profile, ends, potential, config) if config.path == "neb" else profile
            calibrated = case.difference is not None and case.difference.interval is not None
            case.profile = tilted(followed, float(case.difference.value)) if calibrated else followed  # type: ignore[union-attr,arg-type]
        else:
            case.failures.append(profile)


def _paired(cases: Sequence[Case], potential: Potential) -> list[tuple[Structure, Structure]]:
    """Ends of each path, the parent's atoms paired with the polar crystal's so that the straight way rises least."""
    ends = [case.ends for case in cases if case.ends]
    choices = [
        [] if case.path_parent is None else matches(one.parent, one.polar)
        for case, one in zip(cases, ends, strict=True)
    ]
    best = best_matches(choices, [one.polar for one in ends], potential)
    return [
        (one.parent if match is None else match.structure, one.polar)
        for one, match in zip(ends, best, strict=True)
    ]


def _climbed(
    straight: Profile, ends: tuple[Structure, Structure], potential: Potential, config: FerroelectricConfig
) -> Profile:
    """The elastic band's profile, or the straight path's with the reason why there is no other."""
    band = climb(*ends, potential, config.neb_seconds, config.path_images)
    return band if isinstance(band, Profile) else with_notes(straight, [f"No elastic band: {band}"])
