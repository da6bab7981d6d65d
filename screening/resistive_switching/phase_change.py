"""Does a crystal look like a phase-change material (PCM), by its valence electrons and its bonds?

Crystals of the GeTe-Sb2Te3 kind bond by half-filled p orbitals along three axes: three p electrons a site, octahedra that are
somewhat distorted, little ionicity and little mixing of s and p (Lencer et al., Nat. Mater. 7, 972 (2008),
doi:10.1038/nmat2330; Wuttig et al., Adv. Mater. 30, 1803777 (2018), doi:10.1002/adma.201803777). Where there are more
than three p electrons an atom, vacancies take up the rest (Wuttig et al., Nat. Mater. 6, 122 (2007), doi:10.1038/nmat1807).

These are descriptors and nothing else: how fast the glass crystallises, whether it forms at all, at which temperature, and how
the phases differ in resistance and colour, is not computed. So every criterion is flagged, and the class weighs half.

Windows on the bond coordinates are ours: they span GeTe, SnTe, Sb2Te3, the compounds between them, AgSbTe2 and Sb with the
radii of Zunger (1980), 2026. Lencer's map uses other radii, so its numbers do not carry over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ...core.candidate import Candidate
from ...core.settings import Settings
from ..criteria import Criterion
from ..stability import judge_energy_above_hull
from ..window import Window
from .orbital_radii import RADII, bond_coordinates

if TYPE_CHECKING:
    from pymatgen.core import Structure

MECHANISM = "PCM"
HEADLINE = "p_electrons"
WEIGHT = 0.5
"""The score of the class is multiplied by this, since it rests on descriptors alone. Ours, 2026."""
DISCLAIMER = "descriptor only: speed, crystallisation and contrast are not computed"
P_BLOCK = range(13, 19)
CHALCOGENS = frozenset(["O", "S", "Se", "Te"])
P_ELECTRONS_OF_A_SITE = 3.0
"""One for each half of three axes: with so many no vacancy is needed."""
SHELL_RATIO = 1.38
"""Neighbours within so many shortest distances of an atom are bonded to it. The second shell of a rock salt lies at 1.41, the
long bonds of GeTe at 1.11 and those of antimony at 1.15 of the short ones, the gap between layers of Sb2Te3 at 1.26."""
OCTAHEDRON = 6
OPPOSITE_PAIRS = 3
RIGHT_ANGLE, STRAIGHT_ANGLE = 90.0, 180.0

CriterionName = Literal[
    "p_electrons",
    "ionicity",
    "hybridisation",
    "octahedral_share",
    "electronegativity_difference",
    "vacancy_share",
    "energy_above_hull",
]


class PhaseChangeConfig(Settings):
    """Windows of the phase-change descriptors.

    Attributes:
        p_electrons: Valence p electrons an atom, on average. Ge2Sb2Te5 3.33, Sb2Te3 3.6, GeTe 3, InSb and Si 2.
        ionicity: a.u., difference of the sums of s and p radii. GeTe 0.11, AgSbTe2 0.40; GeS 0.46, ZnS 0.78.
        hybridisation: 1/a.u. GeTe 4.8, Sb2Te3 5.1, AgSbTe2 3.5; GeSe 5.7, GeS 7.1, Si 8.3.
        octahedral_share_min: Least share of atoms with six neighbours at nearly right angles.
        angle_deviation_max: Degrees, root mean square, up to which angles are nearly right.
        electronegativity_difference: Pauling's, between the mean anion and the mean of the rest.
        vacancy_share: Of sites of the octahedral lattice that stay empty so that three p electrons are left for each.
            Ge2Sb2Te5 0.10, Sb2Te3 0.17.
        energy_above_hull_max: eV/atom; the crystal must lie below.
        required: Criteria without which nothing passes.
    """

    p_electrons: Window = Window(low=2.7, high=3.7)
    ionicity: Window = Window(high=0.41)
    hybridisation: Window = Window(low=3.4, high=5.6)
    octahedral_share_min: float = Field(default=0.6, ge=0, le=1)
    angle_deviation_max: float = Field(default=15.0, gt=0)
    electronegativity_difference: Window = Window(high=0.5)
    vacancy_share: Window = Window(high=0.2)
    energy_above_hull_max: float = Field(default=0.1, gt=0)
    required: tuple[CriterionName, ...] = (
        "p_electrons",
        "ionicity",
        "hybridisation",
        "octahedral_share",
        "energy_above_hull",
    )


def judge_phase_change(
    candidate: Candidate, findings: Mapping[str, Any], config: PhaseChangeConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism; all are flagged.

    Args:
        candidate: With its energy above hull, where known.
        findings: Not asked: the descriptors need the crystal alone.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    amounts = candidate.structure.composition.element_composition.get_el_amt_dict()
    count = p_electrons(amounts)
    criteria = [
        _in_window(
            "p_electrons", f"{count:.2f} p electrons an atom ({DISCLAIMER})", count, config.p_electrons
        ),
        *_judge_bonds(amounts, config),
        _judge_octahedra(candidate.structure, config),
        _judge_electronegativity(amounts, config.electronegativity_difference),
        _judge_vacancies(count, config.vacancy_share),
        judge_energy_above_hull(candidate, config.energy_above_hull_max, screen),
    ]
    return [dataclasses.replace(criterion, flagged=True) for criterion in criteria]


def p_electrons(amounts: Mapping[str, float]) -> float:
    """Valence p electrons an atom; elements outside the p block have none."""
    total = sum(
        amount * max(0, _group(symbol) - 12) for symbol, amount in amounts.items() if _in_p_block(symbol)
    )
    return total / sum(amounts.values())


def vacancy_share(electrons: float) -> float:
    """Share of sites of an octahedral lattice that are empty if each site has three p electrons; negative if there are too few.

    Args:
        electrons: Valence p electrons an atom.

    Source: the count of electrons of Wuttig et al., Nat. Mater. 6, 122 (2007), doi:10.1038/nmat1807: Ge2Sb2Te5 on rock salt with
    a fifth of the cation sites empty has three a site.
    """
    return 1.0 - P_ELECTRONS_OF_A_SITE / electrons


def octahedral_share(structure: Structure, largest_deviation: float) -> float:
    """Share of atoms with six neighbours, opposite in pairs and else at right angles, within a deviation.

    Args:
        structure: Ordered.
        largest_deviation: Degrees, root mean square over the fifteen angles.
    """
    bonds = _bonds(structure)
    octahedral = [
        len(vectors) == OCTAHEDRON and _angle_deviation(vectors) <= largest_deviation for vectors in bonds
    ]
    return sum(octahedral) / len(octahedral)


def _bonds(structure: Structure) -> list[np.ndarray]:
    """Vectors to the bonded neighbours of each atom, A, shapes `(nneighbours, 3)`."""
    reach = SHELL_RATIO * _longest_shortest(structure)
    centres, others, images, distances = structure.get_neighbor_list(reach)
    places = structure.cart_coords
    vectors = places[others] + images @ structure.lattice.matrix - places[centres]
    found = []
    for i in range(len(structure)):
        mine = centres == i
        near = distances[mine] <= SHELL_RATIO * distances[mine].min() if mine.any() else mine[:0]
        found.append(vectors[mine][near])
    return found


def _longest_shortest(structure: Structure) -> float:
    """The largest of the atoms' distances to their nearest neighbour, A."""
    if len(structure) == 1:
        return float(min(structure.lattice.get_lll_reduced_lattice().abc))
    distances = structure.distance_matrix + np.diag([np.inf] * len(structure))
    own = min(structure.lattice.get_lll_reduced_lattice().abc)
    return float(np.minimum(distances.min(axis=1), own).max())


def _angle_deviation(vectors: np.ndarray) -> float:
    """Of fifteen angles from those of an octahedron, degrees, root mean square."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [float(np.clip(units[i] @ units[j], -1, 1)) for i, j in combinations(range(len(units)), 2)]
    angles = np.sort(np.degrees(np.arccos(cosines)))
    ideal = np.full(len(angles), RIGHT_ANGLE)
    ideal[-OPPOSITE_PAIRS:] = STRAIGHT_ANGLE
    return float(np.sqrt(np.mean((angles - ideal) ** 2)))


def _parts(amounts: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Electropositive elements and others: the chalcogens, or else the most electronegative one; one alone is both."""
    if len(amounts) == 1:
        return dict(amounts), dict(amounts)
    anions = {symbol for symbol in amounts if symbol in CHALCOGENS}
    if not anions or len(anions) == len(amounts):
        anions = {max(amounts, key=lambda symbol: (_electronegativity(symbol), symbol))}
    return (
        {symbol: amount for symbol, amount in amounts.items() if symbol not in anions},
        {symbol: amount for symbol, amount in amounts.items() if symbol in anions},
    )


def _judge_bonds(amounts: Mapping[str, float], config: PhaseChangeConfig) -> list[Criterion]:
    unknown = sorted(set(amounts) - set(RADII))
    if unknown:
        why = f"no orbital radii of {', '.join(unknown)}, so its bonds cannot be judged"
        return [
            Criterion(name, "missing", f"{name} is missing: {why}", units=units)
            for name, units in (("ionicity", "a.u."), ("hybridisation", "1/a.u."))
        ]
    bond = bond_coordinates(*_parts(amounts))
    return [
        _in_window("ionicity", f"ionicity {bond.ionicity:.2f} a.u.", bond.ionicity, config.ionicity, "a.u."),
        _in_window(
            "hybridisation",
            f"hybridisation {bond.hybridisation:.1f}/a.u.",
            bond.hybridisation,
            config.hybridisation,
            "1/a.u.",
        ),
    ]


def _judge_octahedra(structure: Structure, config: PhaseChangeConfig) -> Criterion:
    name, least = "octahedral_share", config.octahedral_share_min
    if not structure.is_ordered:
        return Criterion(name, "missing", f"{name} is missing: the crystal is disordered", None, least)
    share = octahedral_share(structure, config.angle_deviation_max)
    told = f"{share:.0%} of its atoms have six neighbours within {config.angle_deviation_max:g} degrees of an octahedron"
    return _in_window(name, told, share, Window(low=least))


def _judge_electronegativity(amounts: Mapping[str, float], window: Window) -> Criterion:
    positive, negative = _parts(amounts)
    means = [
        sum(amount * _electronegativity(symbol) for symbol, amount in part.items()) / sum(part.values())
        for part in (positive, negative)
    ]
    value = abs(means[1] - means[0])
    return _in_window(
        "electronegativity_difference", f"electronegativity difference {value:.2f}", value, window
    )


def _judge_vacancies(electrons: float, window: Window) -> Criterion:
    name = "vacancy_share"
    if electrons <= 0:
        return Criterion(name, "missing", f"{name} is missing: there are no p electrons")
    share = vacancy_share(electrons)
    if share < 0:
        return Criterion(name, "passed", "too few p electrons for vacancies", share, window.high, score=None)
    return _in_window(name, f"{share:.0%} of sites empty by the count of electrons", share, window)


def _in_window(name: str, told: str, value: float, window: Window, units: str = "1") -> Criterion:
    inside = window.holds(value)
    unit = "" if units == "1" else f" {units}"
    return Criterion(
        name=name,
        status="passed" if inside else "failed",
        sentence=f"{told}, {'in' if inside else 'outside'} the window of {window}{unit}",
        value=value,
        threshold=window.edge(value),
        units=units,
        method="descriptor",
        score=1.0 if inside else 0.0,
    )


def _in_p_block(symbol: str) -> bool:
    return _group(symbol) in P_BLOCK


@lru_cache(maxsize=128)
def _group(symbol: str) -> int:
    """Of the periodic table; helium, which has no p electrons, counts as 2."""
    from pymatgen.core import Element

    return 2 if symbol == "He" else int(Element(symbol).group)


@lru_cache(maxsize=128)
def _electronegativity(symbol: str) -> float:
    from pymatgen.core import Element

    return float(Element(symbol).X)
