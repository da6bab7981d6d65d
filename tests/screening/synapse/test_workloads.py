"""Workloads on assumed devices: exact without errors, chance without memory, the same for the same seed."""

import numpy as np
import pytest
from hysteron.core.registry import load
from hysteron.screening.synapse.device import DeviceParameters
from hysteron.screening.synapse.workloads import WORKLOADS, equilibrium, images, perceptron, sequences
from hysteron.screening.synapse.workloads import liquid as liquid_module
from hysteron.screening.synapse.workloads.digits import Inference
from hysteron.screening.synapse.workloads.equilibrium import EquilibriumPropagation, settled
from hysteron.screening.synapse.workloads.liquid import Liquid, formed, read_out
from hysteron.screening.synapse.workloads.on_device import Backpropagation
from hysteron.screening.synapse.workloads.pulsed import PulsedWeights
from hysteron.screening.synapse.workloads.recall import Recall, match_currents

VOLATILE = DeviceParameters(retention_seconds=1.0, read_noise=0.01)
SHORT = {"epochs": 2}  # of training on the device, so that tests stay quick


def mean(task, parameters, n=4):
    return np.mean([task.accuracy(parameters, np.random.default_rng([9, i])) for i in range(n)])


@pytest.fixture(scope="module")
def inference():
    return Inference(0, wire_resistance=0.0)


@pytest.fixture(scope="module")
def recall():
    return Recall(0, episodes=5)


@pytest.fixture(scope="module")
def backpropagation():
    return Backpropagation(0, **SHORT)


@pytest.fixture(scope="module")
def equilibrium_propagation():
    return EquilibriumPropagation(0, **SHORT)


@pytest.fixture(scope="module")
def liquid():
    """With few utterances and one draw of ideal weights."""
    with pytest.MonkeyPatch.context() as small:
        for name, value in (("TRAINED_PER_WORD", 20), ("TESTED_PER_WORD", 15), ("IDEAL_DRAWS", 1)):
            small.setattr(liquid_module, name, value)
        return Liquid(0)


@pytest.mark.parametrize(
    "name", ["inference", "recall", "backpropagation", "equilibrium_propagation", "liquid"]
)
def test_ideal_weights_know_more_than_chance_and_lost_states_know_nothing(name, request):
    task = request.getfixturevalue(name)
    assert task.ideal > task.chance + 0.4
    assert task.accuracy(VOLATILE, np.random.default_rng(0)) < task.chance + 0.15
    assert task.name in WORKLOADS
    assert load(task.name, WORKLOADS, "hysteron.workloads") is type(task)


@pytest.mark.parametrize("name", ["inference", "recall", "backpropagation", "equilibrium_propagation"])
def test_the_same_seed_gives_the_same_accuracy(name, request):
    task = request.getfixturevalue(name)
    device = DeviceParameters(levels=16, programming_spread=0.05, read_noise=0.02, pulses=64)
    first, again, other = (task.accuracy(device, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", ["inference", "recall"])
@pytest.mark.parametrize("on_off", [2.0, 1e4])
def test_devices_without_errors_are_ideal(name, on_off, request):
    task = request.getfixturevalue(name)
    found = task.accuracy(DeviceParameters(on_off=on_off), np.random.default_rng(0))
    assert found == pytest.approx(task.ideal, abs=2 / task.tested)  # ties of recall may fall either way


@pytest.mark.parametrize("name", ["inference", "recall"])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("levels", (16, 4, 2)),
        ("programming_spread", (0.0, 0.1, 0.3)),
        ("stuck_fraction", (0.0, 0.1, 0.3)),
    ],
)
def test_accuracy_falls_in_the_mean(name, field, values, request):
    task = request.getfixturevalue(name)
    found = [mean(task, DeviceParameters(on_off=10, **{field: value})) for value in values]
    assert found[0] >= found[1] - 0.01
    assert found[1] > found[2]


def test_eight_levels_suffice_for_inference(inference):
    assert mean(inference, DeviceParameters(on_off=10, levels=8), n=1) > inference.ideal - 0.015


def test_wires_cost_accuracy(inference):
    assert mean(Inference(0, wire_resistance=3e-3), DeviceParameters(), n=1) < inference.ideal - 0.02


def test_many_straight_pulses_train_as_ideal_weights_do(backpropagation, equilibrium_propagation):
    fine = DeviceParameters(pulses=4000)
    for task in (backpropagation, equilibrium_propagation):
        assert task.accuracy(fine, np.random.default_rng(0)) > task.ideal - 0.03


def test_training_suffers_from_asymmetry_and_curved_pulses(backpropagation):
    straight = backpropagation.accuracy(DeviceParameters(pulses=100), np.random.default_rng(0))
    for worse in ({"asymmetry": 0.8}, {"nonlinearity_depression": 7.0}, {"cycle_spread": 0.2}):
        found = backpropagation.accuracy(DeviceParameters(pulses=100, **worse), np.random.default_rng(0))
        assert found < straight - 0.1, worse


def test_pulses_change_weights_by_the_wanted_amount_in_the_mean():
    rng = np.random.default_rng(0)
    weights = PulsedWeights(np.zeros(5000), 1.0, DeviceParameters(pulses=100), rng)
    weights.add(np.full(5000, 0.007))  # a third of a pulse
    assert weights.read().mean() == pytest.approx(0.007, rel=0.1)


def test_gradients_are_those_of_the_cross_entropy():
    rng = np.random.default_rng(0)
    network = perceptron.drawn(4, rng)
    inputs = perceptron.with_bias(rng.uniform(0, 1, (6, 4)))
    digits = rng.integers(0, 10, 6)

    def loss(first, second):
        hidden = perceptron.with_bias(perceptron.rectified(inputs @ first))
        return -np.log(perceptron.softmax(hidden @ second)[np.arange(6), digits]).mean()

    found = perceptron.gradients(network, inputs, digits)
    for layer, (i, j) in ((0, (2, 3)), (1, (5, 7)), (1, (-1, 0))):
        ends = []
        for step in (1e-5, -1e-5):
            moved = [network.first.copy(), network.second.copy()]
            moved[layer][i, j] += step
            ends.append(loss(*moved))
        assert found[layer][i, j] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_equilibrium_propagation_descends_the_error():
    """For a small nudge, the difference of products is minus the gradient of half the squared error of the settled output."""
    rng = np.random.default_rng(1)
    first, second = 0.1 * rng.standard_normal((5, 8)), 0.2 * rng.standard_normal((9, 3))
    first[-1] = second[-1] = 0.5
    inputs = perceptron.with_bias(rng.uniform(0, 1, (1, 4)))
    answer = np.array([[1.0, 0.0, 0.0]])
    rest = (np.zeros((1, 8)), np.zeros((1, 3)))

    def free(second):
        return settled((first, second), inputs @ first, rest, 300)

    state = free(second)
    for units in state:
        assert ((units > 0.01) & (units < 0.99)).all()
    nudge = 1e-4
    nudged = settled((first, second), inputs @ first, state, 300, nudge, answer)
    change = (nudged[0].T @ nudged[1] - state[0].T @ state[1]) / nudge
    for i, j in ((0, 0), (3, 2), (7, 1)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = second.copy()
            moved[i, j] += step
            ends.append(0.5 * ((free(moved)[1] - answer) ** 2).sum())
        assert change[i, j] == pytest.approx(-(ends[0] - ends[1]) / 2e-5, rel=2e-3)


def test_resistive_random_weights_serve_as_well_as_normal_ones(liquid):
    device = DeviceParameters(on_off=10, device_spread=0.2, read_noise=0.02, stuck_fraction=0.01)
    assert mean(liquid, device, n=2) > liquid.ideal - 0.1  # one draw has a spread of some 0.03


def test_forming_leaves_half_of_the_devices_in_the_middle():
    p = DeviceParameters(on_off=10, device_spread=0.2)
    found = formed(p, (4000,), np.random.default_rng(0))
    taken = found.conductance > 2 * found.low
    assert taken.mean() == pytest.approx(0.5, abs=0.03)
    logs = np.log(found.conductance[taken])
    assert logs.mean() == pytest.approx(np.log(0.55), abs=0.02)
    assert logs.std() == pytest.approx(0.2, rel=0.1)
    assert (found.conductance >= found.low).all()
    two = formed(DeviceParameters(on_off=10, levels=2), (4000,), np.random.default_rng(0))
    assert len(np.unique(two.conductance)) == 2


def test_the_read_out_is_ridge_regression_and_ignores_silent_neurons():
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((400, 6)) * 50 + 3
    answers = (seen[:, :3] - 3) / 50
    quiet = np.column_stack([seen, np.zeros(400)])
    found = read_out(quiet, answers, quiet)
    shrunk = 400 / (400 + 1000)
    assert np.polyfit(answers[:, 0], found[:, 0], 1)[0] == pytest.approx(shrunk, abs=0.06)


def test_utterances_of_a_word_resemble_each_other():
    rng = np.random.default_rng(0)
    words = np.repeat(np.arange(5), 20)
    heard = sequences.utter(sequences.vocabulary(5, rng), words, rng)
    assert heard.spikes.shape == (100, sequences.STEPS, sequences.CHANNELS)
    assert set(np.unique(heard.spikes)) == {0, 1}
    profiles = heard.spikes.sum(axis=1).reshape(5, 20, -1)
    within = profiles.var(axis=1).mean()
    assert profiles.reshape(100, -1).var(axis=0).mean() > 1.2 * within


def test_a_matching_memory_counts_absolute_differences():
    rng = np.random.default_rng(0)
    stored, queries = rng.uniform(0, 1, (3, 5)), rng.uniform(0, 1, (4, 5))
    held = np.stack([stored, 1 - stored])
    found = match_currents(queries, held, np.zeros((2, 3, 5)), 0.0, rng)
    np.testing.assert_allclose(found, np.abs(queries[:, None] - stored).sum(axis=2))


def test_the_digits_are_those_of_the_source():
    every = images.images()
    assert len(every) == 1797
    assert np.bincount(every.digits).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert every.pixels.min() == 0
    assert every.pixels.max() == 1
    trained, shown = images.split(0)
    assert (len(trained), len(shown)) == (1197, 600)
    together = np.vstack([trained.pixels, shown.pixels])
    np.testing.assert_array_equal(np.sort(together.sum(axis=1)), np.sort(every.pixels.sum(axis=1)))


def test_nudges_take_both_signs(equilibrium_propagation, monkeypatch):
    seen = []
    monkeypatch.setattr(equilibrium, "_step", lambda layers, inputs, answers, nudge: seen.append(nudge))
    equilibrium_propagation.accuracy(DeviceParameters(), np.random.default_rng(0))
    assert {np.sign(nudge) for nudge in seen} == {-1.0, 1.0}
