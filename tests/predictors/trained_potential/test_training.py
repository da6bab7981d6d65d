"""Training: the loss falls, an interruption leaves no trace, weights of data sets hold."""

import copy
from dataclasses import replace

import pytest
import torch
from alloy_frames import FIDELITY, alloys, slabs
from hysteron.core.errors import InputError, StageError
from hysteron.predictors.datasets.extxyz import frame_of_atoms
from hysteron.predictors.trained_potential.data import Recipe, pack_frames
from hysteron.predictors.trained_potential.network import PotentialNetwork, PotentialShape
from hysteron.predictors.trained_potential.packed_frames import PackedFrames
from hysteron.predictors.trained_potential.training import (
    PotentialTraining,
    Share,
    epoch_order,
    loss_of,
    measure,
    train_network,
)

SHAPE = PotentialShape(("a", "b"), cutoff_angstrom=4.5, width=16, layers=2, radial=16, vectors=4)
CONFIG = PotentialTraining(epochs=3, batch=2, learning_rate=2e-2, averaging=0.8, energy_weight=2.0)

SHORT = replace(CONFIG, epochs=2, batch=8)


@pytest.fixture(scope="module")
def frames():
    """40 alloys of the head a, 8 slabs of the head b without stress."""
    some = pack_frames([frame_of_atoms(a, "x", FIDELITY) for a in alloys(40)], Recipe(4.5))
    other = pack_frames([frame_of_atoms(a, "x", FIDELITY) for a in slabs(8)], Recipe(4.5))
    other.stresses[:] = float("nan")
    other.forces[0] = float("nan")
    return PackedFrames.join([some, other.with_fidelity(1)])


@pytest.fixture
def shares():
    return [Share(torch.arange(32), 32), Share(torch.arange(40, 46), 8)]


JUDGES = torch.tensor([*range(32, 40), 46, 47])


def network():
    torch.manual_seed(0)
    made = PotentialNetwork(SHAPE)
    made.scales.fill_(0.5)
    return made


def same(one, other):
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_loss_and_errors_fall(frames, shares):
    told = []
    trained = train_network(network(), frames, shares, JUDGES, CONFIG, told.append)
    assert [p.epoch for p in told] == [1, 2, 3]
    assert told[-1].loss < 0.9 * told[0].loss
    assert told[-1].errors["a force_mae"] < 0.7 * told[0].errors["a force_mae"]
    assert {"a stress_mae", "b energy_mae", "validation loss"} <= set(told[0].errors)
    assert trained.best_epoch == 3


@pytest.fixture(scope="module")
def undisturbed(frames):
    told = []
    shares = [Share(torch.arange(32), 32), Share(torch.arange(40, 46), 8)]
    return train_network(network(), frames, shares, JUDGES, SHORT, told.append), told


@pytest.mark.parametrize("steps", [1, 7])
def test_interrupted_and_resumed_is_the_same_as_undisturbed(frames, shares, undisturbed, tmp_path, steps):
    config = replace(SHORT, checkpoint_seconds=0.0)
    left = steps

    def interrupt():
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        train_network(network(), frames, shares, JUDGES, config, None, interrupt, checkpoint)
    told = []
    resumed = train_network(network(), frames, shares, JUDGES, config, told.append, None, checkpoint)
    assert same(resumed.last, undisturbed[0].last)
    assert same(resumed.best, undisturbed[0].best)
    assert [p.loss for p in told] == [p.loss for p in undisturbed[1]][-len(told) :]


def test_a_checkpoint_of_other_settings_is_refused(frames, shares, tmp_path):
    config, checkpoint = replace(SHORT, epochs=1), tmp_path / "checkpoint.pt"
    train_network(network(), frames, shares, JUDGES, config, checkpoint=checkpoint, fingerprint="one")
    with pytest.raises(InputError, match="other settings or data"):
        train_network(network(), frames, shares, JUDGES, config, checkpoint=checkpoint, fingerprint="two")


def test_an_epoch_takes_of_each_set_what_its_share_says(shares):
    order = epoch_order(shares, seed=1, epoch=0)
    assert len(order) == 40
    assert sorted(order[order < 40].tolist()) == list(range(32))
    assert set(order[order >= 40].tolist()) == set(range(40, 46)), "the small set comes again"
    assert torch.equal(order, epoch_order(shares, 1, 0))
    assert not torch.equal(order, epoch_order(shares, 1, 1))


def test_a_frozen_trunk_stays(frames, shares):
    made = network()
    before = copy.deepcopy(made)
    trained = train_network(made, frames, shares, JUDGES, replace(SHORT, epochs=1, freeze_trunk=True))
    assert same(trained.last.trunk, before.trunk)
    assert not same(trained.last.heads, before.heads)


def test_what_is_not_known_teaches_nothing(frames):
    """Forces of atoms held in place and stresses that were not told leave the loss as it is, and finite slopes."""
    made, data = network(), frames.batch(torch.tensor([40]))
    output = made.evaluate(data, training=True)
    loss = loss_of(output, data, made, CONFIG)
    moved = output._replace(forces=output.forces.clone(), stresses=output.stresses + 1)
    moved.forces[0] += 100
    assert loss_of(moved, data, made, CONFIG) == loss
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in made.parameters() if p.grad is not None)


def test_errors_are_told_by_fidelity_and_counted_over_what_is_known(frames):
    made = network()
    _, found = measure(made, frames, torch.arange(len(frames)), CONFIG)
    assert found["a"]["frames"] == 40
    assert found["b"]["frames"] == 8
    assert "stress_mae" not in found["b"]
    assert found["a"]["force_mae_of_zero"] == pytest.approx(float(frames.forces[:160].abs().mean()), rel=1e-5)
    output = made.evaluate(frames.batch(torch.arange(40)))
    assert found["a"]["force_mae"] == pytest.approx(
        float((output.forces - frames.forces[:160]).abs().mean()), rel=1e-4
    )
    per_atom = (output.energies - frames.energies[:40]).abs().mean() / 4
    assert found["a"]["energy_mae"] == pytest.approx(float(per_atom), rel=1e-5)


def test_the_share_within_the_threshold(frames):
    """Frames whose truth is what the network says are all within; one force beyond takes its frame out."""
    made = network()
    ours = frames.to("cpu")
    output = made.evaluate(ours.batch(torch.arange(len(ours))))
    exact = replace(ours, energies=output.energies, forces=output.forces.clone())
    exact.forces[0, 2] += 0.04
    _, found = measure(made, exact, torch.arange(40), CONFIG)
    assert found["a"]["within_threshold"] == pytest.approx(39 / 40)


def test_an_energy_only_training_needs_no_slopes(frames):
    ours = replace(frames, forces=frames.forces * float("nan"), stresses=frames.stresses * float("nan"))
    told = []
    train_network(network(), ours, [Share(torch.arange(32), 32)], torch.arange(32, 40), SHORT, told.append)
    assert told[-1].loss < told[0].loss
    assert "a force_mae" not in told[-1].errors


def test_a_loss_that_is_not_finite_ends_it(frames):
    ours = replace(frames, energies=frames.energies * float("inf"))
    with pytest.raises(StageError, match="lower learning_rate"):
        train_network(network(), ours, [Share(torch.arange(8), 8)], JUDGES, CONFIG)
