"""Steering by resampling: the lower energies go on, each crystal keeps its particles, the law is Boltzmann's."""

import diffusion_toys as toys
import numpy as np
import pytest
import torch
from hysteron.generators.diffusion.steering import (
    TEMPERATURE_EV,
    UNKNOWN_EV,
    Steering,
    first_of_each,
    repeated,
)

BATCH = repeated(toys.batch_of(True, ("silicon", "sodium_chloride")), 4)


def steering(heights, seed: int = 0) -> Steering:
    return Steering(lambda batch: heights, 4, np.random.default_rng(seed))


def test_particles_stay_with_their_crystal():
    rows = steering([0.3, 0.0, 0.3, 0.3, 0.0, 0.3, 0.3, 0.3])(BATCH, 0.0)
    assert set(rows[:4].tolist()) <= {0, 1, 2, 3}
    assert set(rows[4:].tolist()) <= {4, 5, 6, 7}
    assert (rows[:4] == 1).sum() >= 3
    assert (rows[4:] == 4).sum() >= 3


def test_equal_energies_end_no_particle():
    rows = steering([0.1] * 8)(BATCH, 0.1)
    assert sorted(rows.tolist()) == list(range(8))


@pytest.mark.parametrize("missing", [None, 5.0])
def test_an_unknown_or_absurd_energy_counts_as_high(missing):
    rows = steering([missing, 0.0, missing, missing, *[missing] * 4])(BATCH, 0.0)
    assert (rows[:4] == 1).all()
    assert sorted(rows[4:].tolist()) == [4, 5, 6, 7]
    assert UNKNOWN_EV < 5.0


def test_weighed_in_several_steps_the_share_is_boltzmanns():
    """Two kinds of particles whose energies never change: after all steps their numbers stand as their weights do."""
    gap = TEMPERATURE_EV
    particles = 4000
    energy = np.array([0.0, gap])
    kind = np.arange(particles) % 2
    steered = Steering(lambda batch: energy[kind].tolist(), particles, np.random.default_rng(1))
    for time in (0.2, 0.15, 0.1, 0.05, 0.0):
        kind = kind[steered(BATCH, time).numpy()]
    assert steered.asked == 5
    assert np.mean(kind == 0) == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)


def test_repeating_and_taking_the_first_are_opposite():
    once = first_of_each(BATCH, 4)
    assert torch.equal(once.types, toys.batch_of(True, ("silicon", "sodium_chloride")).types)
    assert torch.equal(BATCH.types[0], BATCH.types[3])
