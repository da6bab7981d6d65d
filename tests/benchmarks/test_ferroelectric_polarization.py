"""The figures of the polarization by effective charges, where they need no labels."""

import numpy as np
from hysteron.benchmarks.ferroelectric_polarization import (
    _branch_distance,
    born_charge_figures,
    classifier,
)
from hysteron.screening.ferroelectric.charge_fitting.labels import LabelledPair
from pymatgen.core import Lattice, Structure


def test_dynamical_charges_of_perovskites_beat_the_formal_ones_along_the_bonds():
    found = born_charge_figures()
    mae, baseline = np.array(found["mae"]), np.array(found["baseline_mae"])
    assert found["n_crystals"] == len(found["ours"]) == 8
    assert (mae[:3] < 0.5 * baseline[:3]).all()
    for a, b, along, across in found["ours"].values():
        assert abs(a + b + along + 2 * across) < 0.03  # rounded to 0.01 each


def test_the_classifier_counts():
    found = classifier(np.array([10.0, 10.0, 1.0, 1.0]), np.array([9.0, 2.0, 6.0, 0.0]))
    assert (found["precision"], found["recall"], found["positives"]) == (0.5, 0.5, 2)


def test_a_branch_is_reached_by_whole_quanta():
    salt = Structure(Lattice.cubic(5.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    pair = LabelledPair("NaCl", (221, 1), salt, np.zeros((2, 3)), (1.0, -1.0), np.array([1.0, 0.0, 0.0]))
    target = pair.polarization + 3 * pair.quanta[0] - 2 * pair.quanta[2]
    assert _branch_distance(pair, target + np.array([0, 0.5, 0])) < 0.5 + 1e-9
    assert _branch_distance(pair, target) < 1e-9
