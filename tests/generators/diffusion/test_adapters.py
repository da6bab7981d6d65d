"""An adapter is silent until it has learnt, and a wish says what it was made of."""

import json
import math

import pytest
import torch
from diffusion_toys import awake, batch_of, small_network
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.adapters import (
    CENTRINGS,
    GROUP_FEATURES,
    GROUPS,
    INTERVAL_FEATURES,
    NARROWEST,
    POINT_GROUPS,
    SPACEGROUP,
    SYSTEMS,
    Adapter,
    AdapterConfig,
    drawn_intervals,
    group_features,
    interval_features,
    shares_of,
)
from hysteron.generators.diffusion.network import Expected, Network
from hysteron.generators.diffusion.process import Noisy, add_noise

SINGLE_PRECISION = 1e-4
DRAWN = 4000
seeds = st.integers(0, 2**31 - 1)


@pytest.fixture(scope="module")
def network() -> Network:
    return awake(small_network())


@pytest.fixture(scope="module")
def noisy() -> Noisy:
    batch = batch_of(True)
    hide = torch.ones(len(batch), dtype=torch.bool)
    return add_noise(batch, torch.linspace(0, 1, len(batch)), hide, torch.Generator().manual_seed(0))[0]


def adapter_for(network: Network, name: str = "band_gap", seed: int = 0) -> Adapter:
    torch.manual_seed(seed)
    return Adapter(AdapterConfig(name, network.config.width, network.config.layers, rank=4))


@torch.no_grad()
def answer(network: Network, noisy: Noisy, *adapters: tuple[Adapter, torch.Tensor]) -> Expected:
    return network(noisy.crystals, noisy.time, noisy.shown, adapters)


def wish(noisy: Noisy, low: float, high: float) -> torch.Tensor:
    count = len(noisy.crystals)
    return interval_features(torch.full((count,), low), torch.full((count,), high))


def equal(one: Expected, other: Expected) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("motions", "lattice", "types")
    )


# What it does to the network


def test_a_fresh_adapter_changes_nothing_at_all(network, noisy):
    plain = answer(network, noisy)
    groups = group_features([(98, 3, 0, 12)] * len(noisy.crystals))
    heard = ((adapter_for(network), wish(noisy, 0.2, 0.4)), (adapter_for(network, SPACEGROUP), groups))
    assert equal(answer(network, noisy, *heard), plain)
    assert equal(answer(network, noisy, *heard[:1]), plain)


def test_a_taught_adapter_is_heard_and_tells_wishes_apart(network, noisy):
    adapter = awake(adapter_for(network))
    plain, low, high = (
        answer(network, noisy),
        answer(network, noisy, (adapter, wish(noisy, 0.0, 0.1))),
        answer(network, noisy, (adapter, wish(noisy, 0.9, 1.0))),
    )
    for one, other in ((plain, low), (plain, high), (low, high)):
        assert (one.lattice - other.lattice).abs().amax(1).min() > SINGLE_PRECISION
        assert (one.motions - other.motions).abs().amax() > SINGLE_PRECISION
        assert (one.types - other.types).abs().amax() > SINGLE_PRECISION


def test_several_adapters_are_heard_in_any_order(network, noisy):
    gap = (awake(adapter_for(network), 1), wish(noisy, 0.3, 0.6))
    energy = (awake(adapter_for(network, "energy_above_hull"), 2), wish(noisy, 0.0, 0.2))
    one, other = answer(network, noisy, gap, energy), answer(network, noisy, energy, gap)
    alone = answer(network, noisy, gap)
    torch.testing.assert_close(one.lattice, other.lattice, rtol=1e-3, atol=SINGLE_PRECISION)
    assert (one.lattice - alone.lattice).abs().max() > SINGLE_PRECISION


def test_each_crystal_hears_its_own_wish(network, noisy):
    adapter = awake(adapter_for(network))
    count = len(noisy.crystals)
    ends = torch.linspace(0, 0.9, count)
    mixed = answer(network, noisy, (adapter, interval_features(ends, ends + 0.1)))
    for i in (0, 5, count - 1):
        end = ends[i].item()
        alone = answer(network, noisy, (adapter, wish(noisy, end, end + 0.1)))
        torch.testing.assert_close(mixed.lattice[i], alone.lattice[i], rtol=1e-3, atol=SINGLE_PRECISION)


def test_a_gradient_reaches_a_fresh_adapter(network, noisy):
    """Zeros at its ends only: what it adds can grow from the first step."""
    adapter = adapter_for(network)
    found = network(noisy.crystals, noisy.time, noisy.shown, [(adapter, wish(noisy, 0.2, 0.4))])
    found.lattice.square().sum().backward()
    assert adapter.shift.weight.grad is not None
    assert adapter.shift.weight.grad.abs().max() > 0
    for up in adapter.up:
        assert up.weight.grad.abs().max() > 0


def test_the_shape_comes_back_from_json_and_names_its_numbers():
    config = AdapterConfig("band_gap", 24, 3, 8)
    assert AdapterConfig(**json.loads(json.dumps(config.as_dict()))) == config
    assert config.features == INTERVAL_FEATURES
    assert AdapterConfig(SPACEGROUP, 24, 3).features == GROUP_FEATURES


# Intervals


def test_an_interval_says_its_ends_and_its_width():
    told = interval_features(torch.tensor([0.0, 0.25, 0.4]), torch.tensor([1.0, 0.75, 0.4]))
    assert told.shape == (3, INTERVAL_FEATURES)
    assert told[:, 0].tolist() == pytest.approx([0.0, 0.25, 0.4])
    assert told[:, 1].tolist() == pytest.approx([1.0, 0.75, 0.4])
    assert told[:, 2].tolist() == pytest.approx([0.0, math.log(0.5), math.log(NARROWEST / 2)]), (
        "a point has a width"
    )
    assert told.isfinite().all()


def test_intervals_that_differ_by_little_are_told_apart():
    ends = torch.linspace(0, 1, 51)
    low, high = (one.flatten() for one in torch.meshgrid(ends, ends, indexing="ij"))
    told = interval_features(low[low <= high], high[low <= high])
    away = torch.cdist(told, told) + 10 * torch.eye(len(told))
    assert away.min() > 0.1


def test_shares_count_what_is_less_and_what_is_no_greater():
    """Many band gaps are exactly 0: a metal's share below is 0, through is that of all metals."""
    known = torch.tensor([0.0, 3.0, 0.0, 1.0, 0.0, 1.0, 2.0, 4.0])
    below, through = shares_of(torch.tensor([0.0, 1.0, 2.5, -1.0, 9.0]), known)
    assert below.tolist() == pytest.approx([0, 3 / 8, 6 / 8, 0, 1])
    assert through.tolist() == pytest.approx([3 / 8, 5 / 8, 6 / 8, 0, 1])


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_drawn_intervals_hold_the_value(seed):
    generator = torch.Generator().manual_seed(seed)
    known = (3 * torch.randn(300, generator=generator)).round()
    values = torch.cat([known, torch.tensor([-99.0, 99.0])])
    below, through = shares_of(values, known)
    told = drawn_intervals(below, through, generator)
    low, high = told[:, 0], told[:, 1]
    assert (low <= below).all()
    assert (high >= through).all()
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert told.isfinite().all()


def test_drawn_intervals_are_narrow_and_wide_and_open():
    generator = torch.Generator().manual_seed(0)
    middle = torch.full((DRAWN,), 0.5)
    told = drawn_intervals(middle, middle, generator)
    low, high = told[:, 0], told[:, 1]
    closed = (low > 0) & (high < 1)
    wide = (high - low)[closed]
    assert (wide < 2 * NARROWEST).float().mean() > 0.1
    assert (wide > 0.3).float().mean() > 0.1
    assert wide.min() >= NARROWEST * (1 - 1e-3)
    for opened in (low == 0, high == 1):
        assert 0.2 < opened.float().mean() < 0.4
    place = ((0.5 - low) / (high - low))[closed]
    assert place.mean().item() == pytest.approx(0.5, abs=0.05), "the value lies anywhere in it"


# Groups


def test_a_group_is_told_by_four_ones():
    """P4mm: number 99, tetragonal (the fourth system), P, point group 4mm (the thirteenth)."""
    told = group_features([(98, 3, 0, 12), (-1, 3, -1, -1), (-1, -1, -1, -1)])
    assert told.shape == (3, GROUP_FEATURES)
    ones = [row.nonzero()[:, 0].tolist() for row in told]
    assert ones[0] == [98, GROUPS + 3, GROUPS + SYSTEMS, GROUPS + SYSTEMS + CENTRINGS + 12]
    assert ones[1] == [GROUPS + 3], "the crystal system alone"
    assert ones[2] == [], "nothing asked"
    assert GROUPS + SYSTEMS + CENTRINGS + POINT_GROUPS == GROUP_FEATURES
