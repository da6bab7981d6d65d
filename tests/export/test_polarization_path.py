"""How many images a path needs, from what is expected of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.candidate import PropertyValue
from hysteron.core.polarization import polarization_quantum
from hysteron.export.branch import ambiguity, polarization, reduced_dipole
from hysteron.export.polarization_path import (
    CLEAR_STEP,
    LEAST_IMAGES,
    MOST_IMAGES,
    images_for,
    polarization_images,
)

CELL = np.diag([4.0, 4.0, 4.1])


def test_nothing_expected_is_the_number_asked_for():
    assert images_for(None, CELL, 9) == 9
    assert images_for((0.0, 0.0, 26.0), CELL, 9) == 9


def test_a_large_polarization_in_a_large_cell_gets_more_images():
    """LiNbO3's 84.5 uC/cm^2 (PBE, Smidt et al. 2020) in its hexagonal cell, whose smallest quantum is 25 uC/cm^2."""
    cell = np.array([[5.21, 0, 0], [-2.605, 4.512, 0], [0, 0, 14.06]])
    assert polarization_quantum(cell).min() == pytest.approx(25, abs=1)
    count = images_for((0.0, 0.0, 84.5), cell, 9)
    assert 9 < count < 25
    step = reduced_dipole(np.array([0.0, 0.0, 84.5]), cell) / (count - 1)
    assert ambiguity(step, cell) <= CLEAR_STEP < ambiguity(step * (count - 1) / (count - 2), cell)


@given(expected=st.tuples(*[st.floats(-2000, 2000)] * 3), least=st.integers(LEAST_IMAGES, MOST_IMAGES))
@settings(max_examples=40, deadline=None)
def test_the_number_stays_within_its_bounds(expected, least):
    assert least <= images_for(expected, CELL, least) <= MOST_IMAGES


def test_more_images_than_asked_for_are_told(ferroelectric):
    one_quantum_and_more = polarization(np.array([0, 0, 2.5]), ferroelectric.structure.lattice.matrix)
    large = dataclasses.replace(ferroelectric, properties=()).with_property(
        PropertyValue(
            "polarization", float(np.linalg.norm(one_quantum_and_more)), "uC/cm^2", "formal charges"
        ),
        PropertyValue(
            "polarization_vector", tuple(map(float, one_quantum_and_more)), "uC/cm^2", "formal charges"
        ),
    )
    images, remarks = polarization_images(large, large.structure, 9)
    assert len(images) == 14  # 2.5 quanta in 13 steps: 0.192 against 0.808 for the next reading
    assert "14 images and not 9" in remarks[0]
    images, remarks = polarization_images(ferroelectric, ferroelectric.structure, 9)
    assert (len(images), remarks) == (9, [])
