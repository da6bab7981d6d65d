"""How good are polarizations by effective charges, on chemistry that the fit has not seen?

Truth: DFT norms of the 182 `preferred` pairs of Smidt, Mack, Reyes-Lillo, Jain, Neaton, Sci. Data 7, 72 (2020),
doi:10.1038/s41597-020-0407-9, with DFT's own nonpolar parents, so that the parent search is not in question.
Baselines: formal charges alone, and the median of the labels. All pairs count, also those whose label is of another
branch of the polarization; the figures without them stand apart. Intervals are 90%, from samples of groups.

Dynamical charges are tested on cubic perovskites besides: none of them is a label, and no dynamical charge is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.settings import data_dir
from ..export.berry_phase import FOLLOWED
from ..export.branch import ambiguity, reduced_dipole
from ..screening.ferroelectric.charge_fitting.check import (
    BOOTSTRAP_QUANTILES,
    FOLDS,
    HeldOut,
    agreement,
    bootstrapped,
    held_out,
    interval_covers,
    norms,
)
from ..screening.ferroelectric.charge_fitting.labels import SOURCE, LabelledPair, read_labelled
from ..screening.ferroelectric.charges import load_model, polarization

if TYPE_CHECKING:
    from pymatgen.core import Structure

LARGE_POLARIZATION = 5.0
"""uC/cm^2; the classifier is asked above this."""
QUANTA_TRIED = 12
PATH_IMAGES = (8, 9, 17)
BORN_CHARGES = {
    ("Ba", "Ti", 4.00): (2.75, 7.16, -5.69, -2.11),
    ("Pb", "Ti", 3.93): (3.90, 7.06, -5.83, -2.56),
    ("Sr", "Ti", 3.87): (2.54, 7.12, -5.66, -2.00),
    ("Ca", "Ti", 3.84): (2.58, 7.08, -5.65, -2.00),
    ("K", "Nb", 4.00): (1.14, 9.23, -7.01, -1.68),
    ("Na", "Nb", 3.95): (1.13, 9.11, -7.01, -1.61),
    ("Pb", "Zr", 4.12): (3.92, 5.85, -4.81, -2.48),
    ("Ba", "Zr", 4.15): (2.73, 6.03, -4.74, -2.01),
}
"""A, B and lattice parameter (A) of cubic ABO3: charges of A, of B, of O along the bond to B and across it, e; LDA.
Zhong, King-Smith, Vanderbilt, Phys. Rev. Lett. 72, 3618 (1994), doi:10.1103/PhysRevLett.72.3618, table I."""
FORMAL = {"Ba": 2, "Pb": 2, "Sr": 2, "Ca": 2, "K": 1, "Na": 1, "Ti": 4, "Zr": 4, "Nb": 5}


def run(seed: int = 0) -> dict[str, Any]:
    """All figures.

    Args:
        seed: Of the folds and of the samples of groups.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the ferroelectrics, or there is no shipped table.
    """
    pairs = read_labelled(data_dir())
    families, formulas = [pair.family for pair in pairs], [pair.formula for pair in pairs]
    by_family = held_out(pairs, families, seed)
    return {
        "benchmark": "ferroelectric-polarization",
        "truth": SOURCE,
        "units": "uC/cm^2",
        "n": len(pairs),
        "seed": seed,
        "interval_quantiles": list(BOOTSTRAP_QUANTILES),
        "folds": FOLDS,
        "by_family": figures(pairs, by_family, families, seed),
        "by_formula": figures(pairs, held_out(pairs, formulas, seed), formulas, seed),
        "formal_charges": nominal_figures(pairs),
        "baseline_mae_of_median": _median_baseline(pairs),
        "wrong_branches": branch_figures(pairs, by_family),
        "branches_followed_on_a_straight_path": followed_figures(pairs),
        "dynamical_charges": born_charge_figures(),
        "seconds_per_crystal": seconds_per_crystal(pairs),
    }


def figures(
    pairs: Sequence[LabelledPair], said: Sequence[HeldOut], groups: Sequence[str], seed: int
) -> dict[str, Any]:
    """Errors, coverage and the classifier over held-out pairs."""
    dft, ours = norms([pair.polarization for pair in pairs]), norms([one.vector for one in said])
    covers = interval_covers(said)
    right = np.array([not pair.against_its_ions for pair in pairs])
    return {
        "groups": len(set(groups)),
        **agreement(dft, ours),
        "mae_interval": bootstrapped(groups, lambda i: agreement(dft[i], ours[i])["mae"], seed),
        "r2_interval": bootstrapped(groups, lambda i: agreement(dft[i], ours[i])["r2"], seed),
        "coverage_of_90": float(covers.mean()),
        "coverage_interval": bootstrapped(groups, lambda i: float(covers[i].mean()), seed),
        "without_wrong_branches": agreement(dft[right], ours[right]),
        "classifier_above_5": classifier(dft, ours),
    }


def nominal_figures(pairs: Sequence[LabelledPair]) -> dict[str, Any]:
    """The baseline: formal charges alone."""
    dft, ours = norms([pair.polarization for pair in pairs]), norms([pair.nominal for pair in pairs])
    return {**agreement(dft, ours), "classifier_above_5": classifier(dft, ours)}


def _median_baseline(pairs: Sequence[LabelledPair]) -> float:
    dft = norms([pair.polarization for pair in pairs])
    return float(np.abs(dft - np.median(dft)).mean())


def classifier(dft: np.ndarray, ours: np.ndarray) -> dict[str, Any]:
    """Is the polarization at least `LARGE_POLARIZATION`?"""
    truth, said = dft >= LARGE_POLARIZATION, ours >= LARGE_POLARIZATION
    return {
        "n": len(truth),
        "positives": int(truth.sum()),
        "precision": float((truth & said).sum() / max(said.sum(), 1)),
        "recall": float((truth & said).sum() / max(truth.sum(), 1)),
        "baseline_precision": float(truth.mean()),
    }


def branch_figures(pairs: Sequence[LabelledPair], said: Sequence[HeldOut]) -> list[dict[str, Any]]:
    """Labels that point against their ions: how near to ours is the nearest of their branches?"""
    return [
        {
            "formula": pair.formula,
            "spacegroups": list(pair.spacegroups),
            "label": float(np.linalg.norm(pair.polarization)),
            "ours": one.norm,
            "distance_to_nearest_branch": _branch_distance(pair, one.vector),
            "smallest_quantum": float(np.linalg.norm(pair.quanta, axis=1).min()),
        }
        for pair, one in zip(pairs, said, strict=True)
        if pair.against_its_ions
    ]


def _branch_distance(pair: LabelledPair, vector: np.ndarray) -> float:
    steps = np.array(list(product(range(-QUANTA_TRIED, QUANTA_TRIED + 1), repeat=3)))
    return float(np.linalg.norm(pair.polarization + steps @ pair.quanta - vector, axis=1).min())


def followed_figures(pairs: Sequence[LabelledPair]) -> dict[str, int]:
    """Of how many labels each step of a Berry-phase path is clearly the shortest reading of it, by number of images."""
    wholes = [(reduced_dipole(p.polarization, p.polar.lattice.matrix), p.polar.lattice.matrix) for p in pairs]
    return {
        str(images): sum(ambiguity(whole / (images - 1), lattice) <= FOLLOWED for whole, lattice in wholes)
        for images in PATH_IMAGES
    }


def born_charge_figures() -> dict[str, Any]:
    """Charge tensors of cubic perovskites by the shipped table, against published linear response."""
    published = np.array(list(BORN_CHARGES.values()))
    ours = np.array([_perovskite_charges(*key) for key in BORN_CHARGES])
    formal = np.array([(FORMAL[a], FORMAL[b], -2, -2) for a, b, _ in BORN_CHARGES])
    return {
        "units": "e",
        "truth": "Zhong, King-Smith, Vanderbilt 1994, LDA",
        "n_crystals": len(published),
        "columns": ["A", "B", "O along", "O across"],
        "mae": np.abs(ours - published).mean(axis=0).tolist(),
        "baseline": "formal charges",
        "baseline_mae": np.abs(formal - published).mean(axis=0).tolist(),
        "ours": {
            f"{a}{b}O3": np.round(row, 2).tolist() for (a, b, _), row in zip(BORN_CHARGES, ours, strict=True)
        },
    }


def _perovskite_charges(a_site: str, b_site: str, length: float) -> np.ndarray:
    """Of A, of B, of O along its bonds to B and across them, e."""
    structure = _cubic_perovskite(a_site, b_site, length)
    tensors = load_model().charge_tensors(structure, [FORMAL[a_site], FORMAL[b_site], -2, -2, -2])
    return np.array([tensors[0, 0, 0], tensors[1, 0, 0], tensors[4, 2, 2], tensors[4, 0, 0]])


def _cubic_perovskite(a_site: str, b_site: str, length: float) -> Structure:
    from pymatgen.core import Lattice, Structure

    coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    return Structure(Lattice.cubic(length), [a_site, b_site, "O", "O", "O"], coords)


def seconds_per_crystal(pairs: Sequence[LabelledPair]) -> dict[str, float]:
    """Processor time of an estimate, formal charges given: median and largest."""
    spent = []
    for pair in pairs:
        before = time.process_time()
        polarization(pair.polar, pair.displacements, pair.charges)
        spent.append(time.process_time() - before)
    return {"median": float(np.median(spent)), "largest": float(np.max(spent))}
