"""What charge does each ion of a crystal carry, formally?

Two answers are tried in turn. Bond valences: the sum of O'Keeffe and Brese's bond valences around a site
is compared with what each oxidation state showed in the ICSD, and the most probable neutral assignment
wins (the model and tables of pymatgen's `BVAnalyzer`, evaluated at once for all sites; sites of one element
with like bond valence sums share a charge). Then the composition alone: the most frequent neutral
combination in the ICSD, an average where an element is of mixed valence.

An assignment is formal: it names the ions for substitution and for a first polarization, and is no
charge density. Metals and alloys mostly have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .bond_valences import bond_valence_sums
from .identity import require_ordered

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

SAME_SUM_VALENCE = 0.05
"""Sites of one element whose bond valence sums follow each other this closely carry one charge."""
LEAST_RELATIVE_PROBABILITY = 0.01
LARGEST_SPREAD = 1
"""Oxidation states of one element in one crystal differ by no more than this."""
MOST_ASSIGNMENTS = 20_000

BOND_VALENCE_METHOD = "bond valence sums (O'Keeffe and Brese 1991, ICSD statistics)"
COMPOSITION_METHOD = "composition (most frequent neutral oxidation states in the ICSD)"
ELEMENT_METHOD = "element"


@dataclass(frozen=True)
class OxidationStates:
    """A formal charge for every site.

    Attributes:
        charges: In units of e, one per site; they add up to zero. Not whole where only the average of a
            mixed-valence element is known.
        method: Which of the answers it is.
    """

    charges: tuple[float, ...]
    method: str

    @property
    def are_whole(self) -> bool:
        """Whether every charge is a whole number."""
        return all(abs(charge - round(charge)) < 1e-6 for charge in self.charges)


def oxidation_states(structure: Structure) -> tuple[float, ...] | None:
    """The charges of `assign_oxidation_states` alone, e, one per site; `None` if there are none."""
    assigned = assign_oxidation_states(structure)
    return assigned.charges if assigned else None


def assign_oxidation_states(structure: Structure) -> OxidationStates | None:
    """A neutral set of formal charges, or `None` where no chemistry of ions explains the crystal.

    Unchanged by rotation, origin, order of sites and choice of cell. Decorations of the sites by
    oxidation states are not read.

    Raises:
        StructureError: the structure is empty or disordered.
    """
    require_ordered(structure)
    symbols = [site.specie.symbol for site in structure]
    if len(set(symbols)) == 1:
        return OxidationStates((0.0,) * len(symbols), ELEMENT_METHOD)
    charges = _from_bond_valences(structure, symbols)
    if charges is not None:
        return OxidationStates(charges, BOND_VALENCE_METHOD)
    guess = guess_from_composition(structure.composition)
    if guess is None:
        return None
    return OxidationStates(tuple(guess[symbol] for symbol in symbols), COMPOSITION_METHOD)


def guess_from_composition(composition: Composition) -> dict[str, float] | None:
    """The most frequent neutral oxidation states of the elements, e, or `None`.

    Args:
        composition: Any multiple of the formula; oxidation states on it are ignored.

    Returns:
        The average oxidation state by element symbol.

    Source: `pymatgen.core.Composition.oxi_state_guesses`, frequencies from the ICSD.
    """
    guess = _guess(composition.element_composition.reduced_formula)
    return dict(guess) if guess else None


@lru_cache(maxsize=65536)
def _guess(reduced_formula: str) -> tuple[tuple[str, float], ...] | None:
    from pymatgen.core import Composition

    composition = Composition(reduced_formula)
    if len(composition) == 1:
        return ((composition.elements[0].symbol, 0.0),)
    guesses = composition.oxi_state_guesses(max_sites=-1)
    return tuple((str(symbol), float(charge)) for symbol, charge in guesses[0].items()) if guesses else None


@lru_cache(maxsize=1)
def _valence_statistics() -> dict[str, list[tuple[int, float, float, float]]]:
    """By element: (oxidation state, mean and deviation of its bond valence sum, occurrence) in the ICSD."""
    from pymatgen.analysis.bond_valence import ICSD_BV_DATA, PRIOR_PROB

    rows: dict[str, list[tuple[int, float, float, float]]] = defaultdict(list)
    for ion, data in ICSD_BV_DATA.items():
        if ion.oxi_state and data["std"] > 0 and PRIOR_PROB[ion] > 0:
            rows[ion.symbol].append((int(ion.oxi_state), data["mean"], data["std"], PRIOR_PROB[ion]))
    return {symbol: sorted(states) for symbol, states in rows.items()}


def _from_bond_valences(structure: Structure, symbols: Sequence[str]) -> tuple[float, ...] | None:
    sums = bond_valence_sums(structure)
    statistics = _valence_statistics()
    if sums is None or any(symbol not in statistics for symbol in symbols):
        return None
    groups = _like_sites(symbols, sums)
    options = [_probable_states(statistics[symbols[g[0]]], float(np.mean(sums[g]))) for g in groups]
    if not all(options):
        return None
    chosen = _best_neutral(options, [len(g) for g in groups], [symbols[g[0]] for g in groups])
    if chosen is None:
        return None
    charges = np.zeros(len(symbols))
    for group, charge in zip(groups, chosen, strict=True):
        charges[group] = charge
    return tuple(float(charge) for charge in charges)


def _like_sites(symbols: Sequence[str], sums: np.ndarray) -> list[list[int]]:
    """Sites of one element with like bond valence sums; elements in order, sums descending."""
    groups: list[list[int]] = []
    for symbol in sorted(set(symbols)):
        sites = sorted((i for i, s in enumerate(symbols) if s == symbol), key=lambda i: -sums[i])
        groups.append([sites[0]])
        for before, site in pairwise(sites):
            if sums[before] - sums[site] > SAME_SUM_VALENCE:
                groups.append([])
            groups[-1].append(site)
    return groups


def _probable_states(
    states: Sequence[tuple[int, float, float, float]], bond_valence_sum: float
) -> dict[int, float]:
    """Natural logarithm of the relative probability of each state that is not far-fetched, best first."""
    scores = {
        state: np.log(prior / spread) - 0.5 * ((bond_valence_sum - mean) / spread) ** 2
        for state, mean, spread, prior in states
    }
    least = max(scores.values()) + np.log(LEAST_RELATIVE_PROBABILITY)
    kept = {state: float(score) for state, score in scores.items() if score > least}
    return dict(sorted(kept.items(), key=lambda item: -item[1]))


def _best_neutral(
    options: Sequence[Mapping[int, float]], sizes: Sequence[int], symbols: Sequence[str]
) -> list[int] | None:
    """The neutral choice of one state per group with the greatest sum of logarithms, each group counted once."""
    count = len(options)
    lowest, highest, best_rest = [0] * (count + 1), [0] * (count + 1), [0.0] * (count + 1)
    for i in reversed(range(count)):
        lowest[i] = lowest[i + 1] + min(options[i]) * sizes[i]
        highest[i] = highest[i + 1] + max(options[i]) * sizes[i]
        best_rest[i] = best_rest[i + 1] + max(options[i].values())
    best: list[int] | None = None
    best_score, visited = -np.inf, 0

    def extend(chosen: list[int], charge: int, score: float) -> None:
        nonlocal best, best_score, visited
        i = len(chosen)
        visited += 1
        if visited > MOST_ASSIGNMENTS or score + best_rest[i] <= best_score:
            return
        if not -highest[i] <= charge <= -lowest[i]:
            return
        if i == count:
            best, best_score = chosen, score
            return
        for state, gain in options[i].items():
            alike = [c for c, symbol in zip(chosen, symbols, strict=False) if symbol == symbols[i]]
            if all(abs(state - c) <= LARGEST_SPREAD for c in alike):
                extend([*chosen, state], charge + state * sizes[i], score + gain)

    extend([], 0, 0.0)
    return best
