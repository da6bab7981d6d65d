"""The network learns, an interruption leaves no trace, and an adapter leaves its base as it is."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusion_toys import CRYSTALS, awake, crystal, small_network
from hysteron.core.errors import InputError
from hysteron.generators.diffusion import training
from hysteron.generators.diffusion.adapters import GROUPS, SPACEGROUP, SYSTEMS, Adapter, AdapterConfig
from hysteron.generators.diffusion.lessons import table_of
from hysteron.generators.diffusion.network import Network
from hysteron.generators.diffusion.table import Table
from hysteron.generators.diffusion.training import (
    DEAF_SHARE,
    DECISIVE,
    DECISIVE_SHARE,
    FALLING,
    WARMUP_STEPS,
    Progress,
    TrainingConfig,
    Wishes,
    gathered,
    rate_at,
    train,
    validation,
)
from hysteron.generators.wyckoff.examples import Example
from torch import nn

NAMES = (
    *CRYSTALS,
    "barium_titanate_cubic",
    "barium_titanate_rhombohedral",
    "lead_titanate",
    "magnesium_oxide",
)
GAPS = np.linspace(0, 5, len(NAMES)).round(1)
CONFIG = TrainingConfig(steps=12, batch=6, learning_rate=0.05, averaging=0.9, report_steps=6, seed=3)
"""Steps alone decide its end; on the way are three passes."""
HELD_OUT = 3


@pytest.fixture(scope="module")
def table() -> Table:
    """Real crystals; the band gaps are made up, and unknown of one of them."""
    return table_of(
        [
            Example(
                name,
                "val" if i < HELD_OUT else "train",
                crystal(name),
                {"band_gap": float(GAPS[i])} if i != 5 else {},
            )
            for i, name in enumerate(NAMES)
        ]
    )


@pytest.fixture
def quick(monkeypatch):
    """A rate that is at its highest after a few steps."""
    monkeypatch.setattr(training, "WARMUP_STEPS", 5)


def network(layers: int = 1) -> Network:
    return small_network(layers=layers)


def taught_network() -> Network:
    """Stands for one that has been trained: its last layers speak, so that an adapter has something to change."""
    return awake(network())


def adapter(name: str = "band_gap") -> Adapter:
    torch.manual_seed(1)
    return Adapter(AdapterConfig(name, 16, 1, rank=4))


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# The network


def test_the_loss_falls(table, quick):
    told: list[Progress] = []
    config = TrainingConfig(steps=150, batch=14, learning_rate=0.02, averaging=0.9, report_steps=25)
    rows = table.training.nonzero()[:, 0]
    before = validation(network(), table, rows, 7)
    average = train(network(), table, config, on_report=lambda p, _: told.append(p))
    after = validation(average, table, rows, 7)
    assert after[2] < 0.6 * before[2], "types"
    assert sum(after[:2]) < 0.95 * sum(before[:2]), "motions and lattice"
    assert told[-1].training[2] < 0.6 * told[0].training[2]
    assert [p.step for p in told] == list(range(25, 151, 25))
    assert told[-1].epochs == 150
    assert told[-1].share == 1
    assert all(math.isfinite(loss) for p in told for loss in (*p.training, *p.validation))


def test_the_same_seed_gives_the_same_weights(table):
    one, other = (train(network(), table, CONFIG) for _ in range(2))
    assert same(one, other)
    reseeded = TrainingConfig(steps=12, batch=6, learning_rate=0.05, averaging=0.9, report_steps=6, seed=4)
    assert not same(one, train(network(), table, reseeded))


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(table, tmp_path, quick):
    """Equal to the last bit, the average as well."""
    undisturbed = network()
    average = train(undisturbed, table, CONFIG)

    def interrupt(progress: Progress, _) -> None:
        if progress.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(network(), table, CONFIG, None, interrupt, tmp_path, "a")
    assert (tmp_path / "index.json").is_file(), "an interruption writes a checkpoint"
    told: list[int] = []
    resumed = awake(network(), 9)
    torch.manual_seed(99)
    again = train(resumed, table, CONFIG, None, lambda p, _: told.append(p.step), tmp_path, "a")
    assert told == [12]
    assert same(resumed, undisturbed)
    assert same(again, average)


def test_a_finished_training_is_not_trained_again(table, tmp_path):
    average = train(network(), table, CONFIG, checkpoint=tmp_path, fingerprint="a")
    told: list[Progress] = []
    again = train(network(), table, CONFIG, None, lambda p, _: told.append(p), tmp_path, "a")
    assert [(p.step, p.share, p.training) for p in told] == [(CONFIG.steps, 1.0, None)], (
        "weights, and no step"
    )
    assert same(again, average)
    with pytest.raises(InputError, match="other settings or data"):
        train(network(), table, CONFIG, checkpoint=tmp_path, fingerprint="b")


def test_time_ends_a_training_as_steps_do(table):
    told: list[Progress] = []
    config = TrainingConfig(minutes=1e-9, batch=6, report_steps=1)
    train(network(), table, config, on_report=lambda p, _: told.append(p))
    assert [(p.step, p.training) for p in told] == [(0, None)], "no time, no step"
    config = TrainingConfig(minutes=1 / 60, batch=6, report_steps=1)
    train(network(), table, config, on_report=lambda p, _: told.append(p))
    assert told[-1].share == 1, "the end is told, however time runs out"
    assert 1 < told[-1].step < config.steps


def test_the_average_is_kept_and_the_weights_move_on(table):
    first, learner = network(), network()
    average = train(learner, table, CONFIG)
    assert not same(average, learner)
    assert not same(average, first)
    assert not any(p.requires_grad for p in average.parameters())
    assert not average.training


def test_held_out_crystals_decide_nothing_and_may_be_absent(table):
    rows = torch.arange(HELD_OUT, len(NAMES))
    alone = Table(table.symmetric[rows], table.plain[rows], {}, table.training[rows])
    told: list[Progress] = []
    one = train(network(), table, CONFIG)
    other = train(network(), alone, CONFIG, on_report=lambda p, _: told.append(p))
    assert same(one, other)
    assert math.isnan(told[0].validation[0])


def test_the_validation_is_under_the_same_noise_every_time(table):
    rows = torch.arange(len(NAMES))
    one, other, another = (validation(taught_network(), table, rows, seed) for seed in (0, 0, 1))
    assert one == other
    assert one != another


def test_the_noise_of_a_validation_is_the_same_whatever_is_heard(table):
    """So that losses with an adapter and without it compare: one that changes nothing yet gives equal ones."""
    rows = torch.arange(len(NAMES)).repeat(40)  # more than one batch
    wishes = training.Wishes("band_gap", table)
    untaught = adapter()
    with_it = validation(
        taught_network(), table, rows, 0, lambda some, draws: [(untaught, wishes.drawn(some, draws))]
    )
    assert with_it == pytest.approx(validation(taught_network(), table, rows, 0))


def test_a_pass_shows_every_crystal_once_and_sizes_together(table):
    loop = training.Training(network(), table, CONFIG, None, None, "")
    batches = []
    for step in range(loop.steps_per_epoch):
        loop.step = step
        batches.append(loop._batch())
    assert sorted(torch.cat(batches).tolist()) == list(range(HELD_OUT, len(NAMES)))
    sizes = sorted(
        (int(table.symmetric.natoms[b].min()), int(table.symmetric.natoms[b].max())) for b in batches
    )
    assert all(greatest <= least for (_, greatest), (least, _) in pairwise(sizes))
    loop.step += 1
    assert not torch.equal(loop._batch(), batches[0]) or len(batches) == 1


# The rate and the times


def test_the_rate_rises_stays_and_falls_to_nothing():
    rising = [rate_at(step, 0.1) for step in range(WARMUP_STEPS)]
    assert rising[0] == pytest.approx(1 / WARMUP_STEPS)
    assert np.diff(rising) == pytest.approx(1 / WARMUP_STEPS)
    assert rising[-1] == 1
    assert [rate_at(10_000, share) for share in (0.2, 0.5, 1 - FALLING)] == [1, 1, 1]
    falling = [rate_at(10_000, share) for share in np.linspace(1 - FALLING, 1, 20)]
    assert (np.diff(falling) < 0).all()
    assert falling[-1] == 0


def test_times_gather_where_a_crystal_takes_shape():
    even = (torch.arange(10_000) + 0.5) / 10_000
    times = gathered(even)
    assert (times.diff() > 0).all()
    assert float(times[0]) == pytest.approx(0, abs=1e-3)
    assert float(times[-1]) == pytest.approx(1, abs=1e-3)
    low, high = DECISIVE
    share = ((times > low) & (times < high)).float().mean().item()
    assert share == pytest.approx(DECISIVE_SHARE + (1 - DECISIVE_SHARE) * (high - low), abs=1e-3)
    assert gathered(torch.tensor([0.0, 1.0])).tolist() == pytest.approx([0.0, 1.0])


# Adapters


def test_the_base_stays_as_it_is_while_an_adapter_learns(table, quick):
    base = taught_network()
    before, fresh, learner = copy.deepcopy(base), adapter(), adapter()
    average = train(base, table, CONFIG, learner)
    assert same(base, before)
    assert not any(p.requires_grad for p in base.parameters())
    assert not base.training
    assert isinstance(average, Adapter)
    assert not same(average, fresh)
    assert learner.up[0].weight.abs().max() > 0


@pytest.mark.parametrize("name", ["band_gap", SPACEGROUP])
def test_an_interrupted_adapter_goes_on_as_if_it_had_not_been(table, tmp_path, name, quick):
    average = train(taught_network(), table, CONFIG, adapter(name))

    def interrupt(progress: Progress, _) -> None:
        if progress.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(taught_network(), table, CONFIG, adapter(name), interrupt, tmp_path, "a")
    again = train(taught_network(), table, CONFIG, adapter(name), None, tmp_path, "a")
    assert same(again, average)


def test_an_adapter_learns_from_crystals_whose_value_is_known(table):
    loop = training.Training(taught_network(), table, CONFIG, adapter(), None, "")
    unknown = 5
    assert sorted(loop.rows.tolist()) == [i for i in range(HELD_OUT, len(NAMES)) if i != unknown]
    assert loop.held_out.tolist() == list(range(HELD_OUT))


def test_wishes_hold_the_value_of_their_crystal(table):
    """Counted among the training crystals alone; some crystals are told nothing."""
    wishes = Wishes("band_gap", table)
    rows = torch.tensor([0, 4, 10, 16]).repeat(1000)
    told = wishes.drawn(rows, torch.Generator().manual_seed(0))
    known = [float(GAPS[i]) for i in range(HELD_OUT, len(NAMES)) if i != 5]
    for row in (0, 4, 10, 16):
        below = np.mean([gap < GAPS[row] for gap in known])
        through = np.mean([gap <= GAPS[row] for gap in known])
        some = told[rows == row]
        assert (some[:, 0] <= below + 1e-6).all()
        assert (some[:, 1] >= through - 1e-6).all()
    nothing = ((told[:, 0] == 0) & (told[:, 1] == 1)).float().mean().item()
    assert nothing > 0.8 * DEAF_SHARE


def test_wishes_for_groups_are_left_out_in_part_or_whole(table):
    wishes = Wishes(SPACEGROUP, table)
    rows = torch.zeros(4000, dtype=torch.long)
    told = wishes.drawn(rows, torch.Generator().manual_seed(0))
    full = table.properties[SPACEGROUP][0]
    assert (told <= full).all(), "never another group"
    empty = (told.sum(1) == 0).float().mean().item()
    assert empty == pytest.approx(DEAF_SHARE, abs=0.02)
    heard = told[told.sum(1) > 0]
    assert (heard[:, GROUPS : GROUPS + SYSTEMS].sum(1) == 1).all(), "the crystal system at least"
    assert (heard[:, :GROUPS].sum(1) == 1).float().mean().item() == pytest.approx(0.6, abs=0.03)
    assert (heard.sum(1) == 1).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(table.properties[SPACEGROUP][0], full)
