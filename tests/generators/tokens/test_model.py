"""The model: densities that are densities, an eye for the past alone, and the same answer item by item."""

import math
from dataclasses import fields, replace

import materials
import pytest
import torch
from hysteron.generators.tokens.items import Table
from hysteron.generators.tokens.model import (
    ANGLE,
    COORDINATE,
    Cache,
    Items,
    ModelConfig,
    NormalMixture,
    TokenModel,
    VonMisesMixture,
)
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.wyckoff.encode import encode

VOCABULARY = Vocabulary()
CONFIG = ModelConfig(
    len(VOCABULARY),
    width=32,
    layers=2,
    heads=4,
    coordinate_parts=3,
    lattice_parts=3,
    longest=128,
    dropout=0.0,
)
SINGLE_PRECISION = 1e-5
STEPS = 20_000


@pytest.fixture(scope="module")
def model() -> TokenModel:
    torch.manual_seed(0)
    return TokenModel(CONFIG).eval()


@pytest.fixture(scope="module")
def table() -> Table:
    crystals = (
        materials.barium_titanate_tetragonal(),
        materials.silicon(),
        materials.hafnia_polar(),
        materials.germanium_telluride(),
    )
    return Table.of([to_tokens(encode(s), VOCABULARY, {"band_gap": 1.0}) for s in crystals], VOCABULARY)


@pytest.fixture(scope="module")
def items(table) -> Items:
    return table.batch(torch.arange(len(table)))


def changed(items: Items, name: str, place: tuple, value) -> Items:
    column = getattr(items, name).clone()
    column[place] = value
    return replace(items, **{name: column})


# The model


def test_items_read_one_by_one_or_together_are_the_same(model, items):
    with torch.no_grad():
        together = model(items[:, :-1], items[:, 1:])
        cache = Cache.empty(CONFIG, len(items))
        found = [model(items[:, :3], items[:, 1:4], cache)]
        for i in range(3, items.tokens.shape[1] - 1):
            found.append(model(items[:, i : i + 1], items[:, i + 1 : i + 2], cache))
    assert torch.allclose(torch.cat(found, dim=1), together, atol=SINGLE_PRECISION)


def test_what_comes_later_changes_nothing(model, items):
    losses = model.losses(items)
    place = 6
    other = changed(items, "tokens", (slice(None), place), 50)
    assert torch.allclose(model.losses(other)[:, : place - 1], losses[:, : place - 1], atol=SINGLE_PRECISION)
    assert not torch.allclose(model.losses(other)[:, place:], losses[:, place:], atol=SINGLE_PRECISION)


def test_neighbours_in_a_batch_change_nothing(model, table):
    alone = [model.losses(table.batch(torch.tensor([i]))).sum() for i in range(len(table))]
    together = model.losses(table.batch(torch.arange(len(table)))).sum(1)
    assert torch.allclose(torch.stack(alone), together, atol=1e-4)


def test_what_is_not_judged_costs_nothing(model, items):
    losses = model.losses(items)
    assert (losses[~items.judged[:, 1:]] == 0).all()
    opening = len(VOCABULARY.properties)
    assert (losses[:, : opening - 1] == 0).all(), "property bins are given, not written"
    assert (losses[items.judged[:, 1:]] != 0).all()


def test_a_condition_is_heard(model, items):
    other = changed(items, "tokens", (slice(None), 0), VOCABULARY.id_of("band_gap", 5))
    assert not torch.allclose(model.losses(other), model.losses(items), atol=SINGLE_PRECISION)


def test_a_number_is_heard_and_its_turn_by_a_whole_period_is_not(model, items):
    losses = model.losses(items)
    row, place = (items.kinds == COORDINATE).nonzero()[0].tolist()
    turned = changed(items, "values", (row, place), items.values[row, place] + 1)
    assert torch.allclose(model.losses(turned), losses, atol=1e-3)
    moved = changed(items, "values", (row, place), items.values[row, place] + 0.3)
    assert not torch.allclose(model.losses(moved)[row, place:], losses[row, place:], atol=SINGLE_PRECISION)


def test_every_weight_takes_part(model, items):
    angles = replace(items, kinds=items.kinds.clone())
    angles.kinds[items.kinds > COORDINATE] = ANGLE
    (model.losses(items).sum() + model.losses(angles).sum()).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    model.zero_grad()
    assert idle == []


def test_all_columns_are_indexed(items):
    part = items[:, 2:5]
    assert all(getattr(part, f.name).shape == (len(items), 3) for f in fields(Items))


def test_a_cache_of_some_sequences_goes_on_as_if_they_were_alone(model, items):
    with torch.no_grad():
        cache = Cache.empty(CONFIG, len(items))
        model(items[:, :5], items[:, 1:6], cache)
        rows = torch.tensor([2, 0])
        some = model(items[rows][:, 5:6], items[rows][:, 6:7], cache.select(rows))
        together = model(items[:, :6], items[:, 1:7])
    assert torch.allclose(some[:, 0], together[rows, 5], atol=SINGLE_PRECISION)


# Densities


def circle(seed: int = 0) -> VonMisesMixture:
    torch.manual_seed(seed)
    return VonMisesMixture(torch.randn(1, 4), 3 * torch.randn(1, 4), torch.tensor([[-3.0, 0.0, 0.5, 4.0]]))


def line(seed: int = 0) -> NormalMixture:
    torch.manual_seed(seed)
    return NormalMixture(torch.randn(1, 3), torch.randn(1, 3), torch.randn(1, 3), 1.8, 0.5, 2e-3)


def test_a_density_on_the_circle_integrates_to_one_and_has_a_period():
    some = circle()
    places = torch.arange(STEPS)[:, None] / STEPS
    density = torch.stack([some.log_density(p).exp() for p in places]).double()
    assert float(density.mean()) == pytest.approx(1, abs=1e-3)
    assert float(some.log_density(torch.tensor([0.3]))) == pytest.approx(
        float(some.log_density(torch.tensor([1.3]))), abs=1e-3
    )


def test_a_density_on_the_line_integrates_to_one():
    some = line()
    places = torch.linspace(-10, 14, STEPS)
    density = torch.stack([some.log_density(p[None]).exp() for p in places]).double()
    assert float(density.mean()) * 24 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("sharpness", [-4.0, 0.0, 3.0])
def test_samples_on_the_circle_are_of_the_density(sharpness):
    """The mean of cos of a von Mises angle is I1(kappa) / I0(kappa)."""
    some = VonMisesMixture(
        torch.zeros(20_000, 1), torch.full((20_000, 1), 1.0), torch.full((20_000, 1), sharpness)
    )
    kappa = some.concentrations[0, 0].double()
    wanted = float(torch.special.i1e(kappa) / torch.special.i0e(kappa))
    found = some.sample(torch.Generator().manual_seed(0))
    assert found.min() >= 0
    assert found.max() < 1
    assert float(torch.cos(2 * math.pi * found - 1.0).double().mean()) == pytest.approx(wanted, abs=0.02)
    assert float(torch.sin(2 * math.pi * found - 1.0).double().mean()) == pytest.approx(0, abs=0.02)


def test_samples_on_the_line_are_of_the_density():
    one = torch.ones(20_000, 1)
    some = NormalMixture(one, 2 * one, 0 * one, 1.8, 0.5, 0.0)
    found = some.sample(torch.Generator().manual_seed(0))
    assert float(found.mean()) == pytest.approx(1.8 + 0.5 * 2, abs=0.01)
    assert float(found.std()) == pytest.approx(0.5 * float(some.deviations[0, 0]), rel=0.03)


def test_a_low_temperature_keeps_to_the_weightiest_part():
    weights = torch.tensor([[0.0, 1.0]]).expand(500, -1)
    some = VonMisesMixture(weights, torch.tensor([[0.0, 2.0]]).expand(500, -1), torch.full((500, 2), 1.0))
    cold = some.sample(torch.Generator().manual_seed(0), temperature=0.01)
    assert cold.numpy() == pytest.approx(2.0 / (2 * math.pi), abs=0.03)


def test_the_same_seed_draws_the_same():
    one, other = (circle().sample(torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, other)


def test_the_sharpest_density_has_no_overflow():
    some = VonMisesMixture(torch.zeros(1, 1), torch.zeros(1, 1), torch.full((1, 1), 50.0))
    assert torch.isfinite(some.log_density(torch.tensor([0.5])))
    drawn = float(some.sample(torch.Generator().manual_seed(0)))
    assert min(drawn, 1 - drawn) < 0.005
