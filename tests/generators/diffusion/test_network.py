"""The network answers the same for a crystal however it is told, and notices whatever is another crystal."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusion_toys import awake, batch_of, small_network
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.elements import descriptors
from hysteron.generators.diffusion.entries import plain_entry_of
from hysteron.generators.diffusion.network import (
    HEAVIEST,
    Expected,
    Network,
    NetworkConfig,
    forbid_mask,
)
from hysteron.generators.diffusion.process import Noisy, add_noise
from hysteron.generators.diffusion.table import MASK, PER_ATOM, Batch, padded

SINGLE_PRECISION = 2e-4
"""Of outputs of order one."""
MOST_BYTES = 10_000_000
"""Of shipped weights in bfloat16."""
seeds = st.integers(0, 2**31 - 1)
both = pytest.mark.parametrize("symmetric", [True, False])


@pytest.fixture(scope="module")
def network() -> Network:
    """With noise on every weight: as initialised it would answer nothing but zeros."""
    return awake(small_network())


def noisy(symmetric: bool, seed: int = 0) -> Noisy:
    """Real crystals under noise of all strengths, some of their types hidden."""
    batch = batch_of(symmetric)
    generator = torch.Generator().manual_seed(seed)
    time = torch.linspace(0.05, 0.95, len(batch))
    return add_noise(batch, time, torch.ones(len(batch), dtype=torch.bool), generator)[0]


@torch.no_grad()
def answer(network: Network, crystals: Noisy, shown: torch.Tensor | None = None) -> Expected:
    return network(crystals.crystals, crystals.time, crystals.shown if shown is None else shown)


def changed(crystals: Noisy, **changes: torch.Tensor) -> Noisy:
    return replace(crystals, crystals=crystals.crystals.but(**changes))


def assert_same(one: Expected, other: Expected, present: torch.Tensor):
    for name in ("motions", "types"):
        mine, theirs = (getattr(found, name)[present] for found in (one, other))
        torch.testing.assert_close(mine, theirs, rtol=0, atol=SINGLE_PRECISION)
    torch.testing.assert_close(one.lattice, other.lattice, rtol=0, atol=SINGLE_PRECISION)


def differ(one: Expected, other: Expected) -> torch.Tensor:
    """By how much the answers for each crystal differ, shape `(ncrystals,)`."""
    motions = (one.motions - other.motions).abs().amax((1, 2))
    return torch.maximum(motions, (one.lattice - other.lattice).abs().amax(1))


# The same crystal


@both
@settings(deadline=None, max_examples=5)
@given(seeds)
def test_a_shift_of_the_crystal_changes_nothing(network, symmetric, seed):
    crystals = noisy(symmetric)
    rng = np.random.default_rng(seed)
    shift = torch.tensor(rng.random((len(crystals.crystals), 1, 3)), dtype=torch.float32)
    moved = changed(crystals, offsets=crystals.crystals.offsets + shift)
    assert_same(answer(network, crystals), answer(network, moved), crystals.crystals.present)


@both
@settings(deadline=None, max_examples=5)
@given(seeds)
def test_sites_a_lattice_vector_apart_are_one(network, symmetric, seed):
    """Said with free coordinates as with offsets."""
    crystals = noisy(symmetric)
    rng = np.random.default_rng(seed)
    whole = [torch.tensor(rng.integers(-3, 4, crystals.crystals.free.shape)).float() for _ in range(2)]
    free = whole[0] * (~crystals.crystals.symmetric)[:, None, None]
    moved = changed(
        crystals, free=crystals.crystals.free + free, offsets=crystals.crystals.offsets + whole[1]
    )
    assert_same(answer(network, crystals), answer(network, moved), crystals.crystals.present)


@both
@settings(deadline=None, max_examples=5)
@given(seeds)
def test_another_order_of_atoms_gives_the_answers_in_that_order(network, symmetric, seed):
    crystals = noisy(symmetric)
    order = torch.tensor(np.random.default_rng(seed).permutation(crystals.crystals.types.shape[1]))
    place = order.argsort()
    parts = {name: getattr(crystals.crystals, name)[:, order] for name in PER_ATOM}
    parts["orbits"] = place[parts["orbits"]]
    found, wanted = answer(network, changed(crystals, **parts)), answer(network, crystals)
    wanted = Expected(wanted.motions[:, order], wanted.lattice, wanted.types[:, order])
    assert_same(found, wanted, crystals.crystals.present[:, order])


@both
def test_alone_or_side_by_side_the_answer_is_the_same(network, symmetric):
    crystals = noisy(symmetric)
    together = answer(network, crystals)
    for i in range(len(crystals.crystals)):
        natoms = int(crystals.crystals.natoms[i])
        one = crystals.crystals[i : i + 1]
        one = one.but(**{name: getattr(one, name)[:, :natoms] for name in PER_ATOM})
        alone = answer(network, Noisy(one, crystals.time[i : i + 1]))
        beside = Expected(
            together.motions[i : i + 1, :natoms],
            together.lattice[i : i + 1],
            together.types[i : i + 1, :natoms],
        )
        assert_same(alone, beside, one.present)
    assert (together.motions[~crystals.crystals.present] == 0).all()


@settings(deadline=None, max_examples=10)
@given(seeds)
def test_a_rotation_of_the_crystal_changes_nothing(network, seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    types, sites = np.array([56, 22, 8, 8, 8]), rng.random((5, 3))
    cell = 4 * np.eye(3) + rng.normal(scale=0.4, size=(3, 3))
    batches = [padded([plain_entry_of(types, sites, vectors)]) for vectors in (cell, cell @ turn)]
    answers = [answer(network, Noisy(batch, torch.tensor([0.3]))) for batch in batches]
    assert_same(answers[0], answers[1], batches[0].present)


def test_without_noise_special_positions_are_no_exception(network):
    """Sites half a lattice vector apart, of which rounding cannot say on which side the next image is."""
    for symmetric in (True, False):
        batch = batch_of(symmetric)
        clean = Noisy(batch, torch.full((len(batch),), 0.1))
        moved = changed(clean, offsets=batch.offsets + torch.tensor([0.31, 0.77, 0.45]))
        assert_same(answer(network, clean), answer(network, moved), batch.present)


def test_mixed_precision_says_nearly_the_same(network):
    """Distances are taken with all their digits: in bfloat16 they would be off by some tenths of an A."""
    crystals = noisy(True)
    plain = answer(network, crystals)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = answer(network, crystals)
    off = (mixed.motions - plain.motions)[crystals.crystals.present].square().mean().sqrt()
    assert 0 < off < 0.03 * plain.motions[crystals.crystals.present].square().mean().sqrt()


# Another crystal


@both
def test_whatever_tells_crystals_apart_is_heard(network, symmetric):
    """Without this the tests above would hold for a network that is deaf."""
    crystals = noisy(symmetric)
    batch, plain = crystals.crystals, answer(network, crystals)
    moving = batch.movable.any(-1)[:, 0] & (batch.natoms > 1)
    one = torch.zeros_like(batch.free)
    one[:, 0] = 0.1
    heard = {
        "one atom moves": changed(crystals, offsets=batch.offsets + one),
        "another element": changed(crystals, types=torch.where(batch.types == 8, 16, batch.types)),
        "another time": replace(crystals, time=(crystals.time + 0.37) % 1),
        "a group or none": changed(crystals, symmetric=~batch.symmetric),
    }
    for what, other in heard.items():
        found = differ(plain, network_answer(network, other, crystals.shown))
        concerned = moving if what == "one atom moves" else (batch.types == 8).any(1)
        assert concerned.any()
        assert (found[concerned] > 10 * SINGLE_PRECISION).all(), what
    larger = network_answer(network, crystals, crystals.shown + torch.tensor([0.1, 0, 0, 0, 0, 0]))
    assert (differ(plain, larger) > 10 * SINGLE_PRECISION).all()


def network_answer(network: Network, crystals: Noisy, shown: torch.Tensor) -> Expected:
    """With the same lattice to measure in."""
    return answer(network, crystals, shown)


def test_which_atoms_are_of_one_orbit_is_heard(network):
    crystals = noisy(True)
    alone = torch.arange(crystals.crystals.types.shape[1]).expand_as(crystals.crystals.orbits)
    other = changed(crystals, orbits=alone)
    shared = crystals.crystals.same_orbit.sum((1, 2)) > crystals.crystals.natoms
    assert (differ(answer(network, crystals), answer(network, other))[shared] > 10 * SINGLE_PRECISION).all()


# As a whole


def test_before_training_it_expects_nothing():
    """Scores and lattice of noise are zero, types equal: training starts from no opinion."""
    found = answer(small_network().eval(), noisy(True))
    assert (found.motions == 0).all()
    assert (found.lattice == 0).all()
    assert (found.types == 0).all()


def test_every_weight_is_taught():
    network = small_network()
    awake(network).train()
    crystals = noisy(True)
    found = network(crystals.crystals, crystals.time, crystals.shown)
    (found.motions.square().sum() + found.lattice.square().sum() + found.types.square().sum()).backward()
    deaf = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert deaf == []


def test_the_default_has_about_five_million_parameters_and_fits_the_package():
    network = Network(NetworkConfig(descriptors=descriptors().shape[1]), descriptors())
    parameters = sum(p.numel() for p in network.parameters())
    assert 4.5e6 < parameters < 5.5e6
    assert sum(2 * tensor.numel() for tensor in network.state_dict().values()) <= MOST_BYTES


def test_the_descriptors_travel_with_the_weights():
    one, other = small_network(), Network(small_network().config)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.descriptors, descriptors())


def test_the_shape_comes_back_from_json():
    config = NetworkConfig(width=24, layers=3, heads=4, pair_width=8, descriptors=31, dropout=0.1)
    assert NetworkConfig(**json.loads(json.dumps(config.as_dict()))) == config


def test_an_unknown_type_is_never_the_answer():
    logits = torch.zeros(2, HEAVIEST)
    found = forbid_mask(logits).softmax(-1)
    assert (found[:, MASK] == 0).all()
    assert (found[:, 1:] > 0).all()
    assert (logits == 0).all(), "what came in is left as it is"


def test_an_unknown_number_of_places_is_not_an_atom(network):
    """A batch cut to the atoms that there are, and one with five empty places more."""
    crystals = noisy(False)
    batch = crystals.crystals
    wider = {}
    for name in PER_ATOM:
        kept = getattr(batch, name)
        wider[name] = torch.cat([kept, torch.zeros_like(kept[:, :5])], dim=1)
    found = answer(network, changed(crystals, **wider))
    natoms = batch.types.shape[1]
    cut = Expected(found.motions[:, :natoms], found.lattice, found.types[:, :natoms])
    assert_same(cut, answer(network, crystals), batch.present)
    assert isinstance(batch, Batch)
