"""How long do 10,000 candidates take on the hull, and do they get pymatgen's distances?

Half the candidates are crystals of the table with one element swapped for another, half are drawn elements
in drawn ratios, 2 to 5 elements each: nearly every one is in a chemical system of its own, so that little
is shared. Baselines in the same run on a sample: one HiGHS linear programme a candidate over the lowest
phase of each composition, and one pymatgen `PhaseDiagram` a candidate (its entries made beforehand, off
the clock). Processor time of one thread; the table is loaded before, and timed apart.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import HullDistance, HullQuery
from ..core.workers import single_threaded
from ..predictors.hull.formula import amounts
from ..predictors.hull.table import ConvexHull, PhaseTable

if TYPE_CHECKING:
    from pymatgen.core import Composition

ELEMENTS = range(2, 6)
LARGEST_AMOUNT = 6
LP_SAMPLE = 500
PYMATGEN_SAMPLE = 1000
FORMULAS = 5000
TARGET_SECONDS = 30.0
TARGET_DIFFERENCE = 1e-6  # eV/atom


def hull_figures(seed: int, candidates: int = 10_000) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the candidates.
        candidates: How many.

    Returns:
        CPU seconds for all candidates at once, with empty caches and again; baselines in ms per
        candidate, scaled to all, and their ratios; the largest difference to pymatgen, eV/atom; load.
    """
    with single_threaded():
        loading, table = _timed(PhaseTable.load)
        items = draw_candidates(table, candidates, seed)
        hull = ConvexHull(table)
        cold, found = _timed(lambda: hull.distances(items))
        warm, _ = _timed(lambda: hull.distances(items))
        order = random.Random(seed).sample(range(candidates), min(PYMATGEN_SAMPLE, candidates))  # noqa: S311
        pymatgen_ms, by_pymatgen = _by_pymatgen(table, [items[i] for i in order])
        in_lp = order[:LP_SAMPLE]
        lp_ms, by_lp = _by_linear_programme(table, [items[i] for i in in_lp])
    each = 1000 * cold / candidates
    differences = [_difference(found[i], theirs) for i, theirs in zip(order, by_pymatgen, strict=True)]
    return {
        "candidates": candidates,
        "seed": seed,
        "chemical_systems": len({frozenset(c.get_el_amt_dict()) for c, _, _ in items}),
        "without_distance": sum(not isinstance(d, HullDistance) for d in found),
        "cpu_seconds": cold,
        "cpu_seconds_again": warm,
        "target_seconds": TARGET_SECONDS,
        "baseline_linear_programme": _baseline(lp_ms, each, candidates, len(in_lp)),
        "baseline_pymatgen": _baseline(pymatgen_ms, each, candidates, len(order)),
        "largest_difference_to_pymatgen": max(differences),
        "largest_difference_to_linear_programme": max(
            _difference(found[i], theirs) for i, theirs in zip(in_lp, by_lp, strict=True)
        ),
        "compared_with_pymatgen": len(differences),
        "target_difference": TARGET_DIFFERENCE,
        "meets_targets": cold <= TARGET_SECONDS and max(differences) <= TARGET_DIFFERENCE,
        "load": {"cpu_seconds": loading, "phases": len(table.phases)} | _formulas(table, seed),
    }


def draw_candidates(table: PhaseTable, count: int, seed: int) -> list[HullQuery]:
    """Compositions with drawn energies (eV/atom), all of them of elements that the table has."""
    from pymatgen.core import Composition

    rng = random.Random(seed)  # noqa: S311
    formulas = sorted({phase.formula for phase in table.phases})
    read = [amounts(formula) for formula in formulas]
    elements = sorted(next(iter(one)) for one in read if len(one) == 1)
    crystals = [one for one in read if len(one) in ELEMENTS]
    items: list[HullQuery] = []
    for i in range(count):
        drawn = _swapped(rng.choice(crystals), elements, rng) if i % 2 else _any_ratio(elements, rng)
        items.append((Composition(drawn), rng.uniform(-9.0, -1.0), ()))
    return items


def _swapped(crystal: dict[str, float], elements: Sequence[str], rng: random.Random) -> dict[str, float]:
    """One element in the place of another."""
    out = rng.choice(sorted(crystal))
    new = rng.choice([element for element in elements if element not in crystal])
    return {new if element == out else element: amount for element, amount in crystal.items()}


def _any_ratio(elements: Sequence[str], rng: random.Random) -> dict[str, float]:
    return {element: rng.randint(1, LARGEST_AMOUNT) for element in rng.sample(elements, rng.choice(ELEMENTS))}


def _by_pymatgen(table: PhaseTable, items: Sequence[HullQuery]) -> tuple[float, list[float]]:
    """ms per candidate of a phase diagram each, and the distances."""
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    seconds, found = 0.0, []
    for composition, energy, _ in items:
        entries = []
        for phase in table.subsystem(composition.get_el_amt_dict()).phases:
            theirs = Composition(phase.formula)
            entries.append(PDEntry(theirs, phase.energy_per_atom * theirs.num_atoms))
        own = PDEntry(composition, energy * composition.num_atoms)

        def distance(own: PDEntry = own, entries: list[PDEntry] = entries) -> float:
            diagram = PhaseDiagram(entries)
            return float(diagram.get_decomp_and_e_above_hull(own, allow_negative=True)[1])  # type: ignore[arg-type]

        took, value = _timed(distance)
        seconds += took
        found.append(value)
    return 1000 * seconds / len(items), found


def _by_linear_programme(table: PhaseTable, items: Sequence[HullQuery]) -> tuple[float, list[float]]:
    """ms per candidate of a programme each, columns made beforehand, and the distances."""
    from scipy.optimize import linprog

    seconds, found = 0.0, []
    for composition, energy, _ in items:
        fractions, energies, target = _columns(table, composition)

        def lowest(c: np.ndarray = energies, a: np.ndarray = fractions, b: np.ndarray = target) -> float:
            return float(linprog(c, A_eq=a, b_eq=b, bounds=(0, None), method="highs").fun)

        took, value = _timed(lowest)
        seconds += took
        found.append(energy - value)
    return 1000 * seconds / len(items), found


def _columns(table: PhaseTable, composition: Composition) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fractions, energies and target of the programme: the lowest phase of each formula."""
    shares = composition.fractional_composition.get_el_amt_dict()
    elements = sorted(shares)
    lowest: dict[str, float] = {}
    for phase in table.subsystem(elements).phases:
        lowest[phase.formula] = min(phase.energy_per_atom, lowest.get(phase.formula, np.inf))
    rows = np.array([[amounts(formula).get(el, 0.0) for el in elements] for formula in lowest])
    fractions = (rows / rows.sum(axis=1, keepdims=True)).T
    return fractions, np.array(list(lowest.values())), np.array([shares[el] for el in elements])


def _formulas(table: PhaseTable, seed: int) -> dict[str, Any]:
    """us per formula of the table, read here and by pymatgen."""
    from pymatgen.core import Composition

    names = random.Random(seed).sample([phase.formula for phase in table.phases], FORMULAS)  # noqa: S311
    ours, _ = _timed(lambda: [amounts(name) for name in names])
    theirs, _ = _timed(lambda: [Composition(name) for name in names])
    return {
        "us_per_formula": 1e6 * ours / len(names),
        "us_per_formula_by_pymatgen": 1e6 * theirs / len(names),
        "formulas": len(names),
    }


def _difference(ours: object, theirs: float) -> float:
    """eV/atom; infinite where one has a distance and the other has none."""
    return abs(ours.energy_above_hull - theirs) if isinstance(ours, HullDistance) else float("inf")


def _baseline(ms: float, ours_ms: float, candidates: int, sample: int) -> dict[str, Any]:
    return {
        "ms_per_candidate": ms,
        "scaled_to_all_seconds": ms * candidates / 1000,
        "sample": sample,
        "ratio": ms / ours_ms,
    }


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of this process, s, and what the call returned."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result
