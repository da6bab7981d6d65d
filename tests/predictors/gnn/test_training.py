"""Training: seeded, resumable, deaf to labels that are not there, and it learns."""

import json
import math
import pickle
from dataclasses import asdict, replace

import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.predictors.gnn.network import NetworkConfig, PropertyNetwork
from hysteron.predictors.gnn.packed import Packed
from hysteron.predictors.gnn.training import (
    RARE,
    Progress,
    Targets,
    TrainingConfig,
    matmul_precision,
    mean_errors,
    predict,
    train,
)
from property_toys import packed, perovskite, rock_salt

NAN = math.nan
SINGLE_PRECISION = 1e-6
CATIONS = ("Mg", "Ca", "Sr", "Ba", "Zn", "Cd", "Pb", "Ni", "Mn", "Fe", "Co", "Sn")
CONFIG = TrainingConfig(epochs=4, batch=8, learning_rate=1e-2, averaging=0.9, seed=5)


@pytest.fixture(scope="module")
def crystals() -> Packed:
    """24 crystals: a rock salt and a perovskite of each cation."""
    return packed(*(build(cation) for build in (rock_salt, perovskite) for cation in CATIONS))


@pytest.fixture(scope="module")
def targets(crystals) -> Targets:
    """A value, a value of half of them, a yes or no, a class; smooth in the number of the cation."""
    numbers = crystals.numbers[crystals.atom_starts[:-1]].float()
    half = (numbers / 50)[:, None].clone()
    half[::2] = NAN
    return Targets(
        {
            "heat": torch.stack([-numbers / 20, -numbers / 20 + 1], dim=1),
            "rare": half,
            "metal": (numbers > 30).float()[:, None],
            "system": (torch.arange(24) >= 12).float()[:, None] * 2,
        },
        {"heat": "l1", "rare": "l1", "metal": "binary", "system": "classes"},
    )


ALL = torch.arange(24)
TRAINING, VALIDATION = ALL[ALL % 4 != 0], ALL[ALL % 4 == 0]


def network(seed: int = 0, dropout: float = 0.0) -> PropertyNetwork:
    torch.manual_seed(seed)
    outputs = (("heat", 2), ("rare", 1), ("metal", 1), ("system", 3))
    return PropertyNetwork(
        NetworkConfig(outputs, width=12, layers=2, members=3, head_width=8, dropout=dropout)
    )


def fresh(targets: Targets) -> Targets:
    return Targets(targets.values, targets.kinds)


def assert_same_weights(one, other) -> None:
    for (name, mine), theirs in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name


def differ(one, other) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return any(not torch.equal(mine[name], theirs[name]) for name in mine)


def single(kind: str, values: list[list[float]], **more) -> Targets:
    return Targets({"x": torch.tensor(values)}, {"x": kind}, **more)


# How the loss counts


def test_a_label_that_is_not_there_has_no_gradient():
    found = torch.randn(2, 4, 1, requires_grad=True)
    targets = single("l1", [[1.0], [NAN], [3.0], [NAN]])
    targets.fit(torch.arange(4))
    targets.loss({"x": found}, torch.arange(4)).backward()
    assert found.grad is not None
    assert (found.grad[:, [1, 3]] == 0).all()
    assert (found.grad[:, [0, 2]] != 0).all()


@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_neither_has_one_of_another_kind(kind):
    found = torch.randn(2, 3, 1 if kind == "binary" else 4, requires_grad=True)
    single(kind, [[1.0], [NAN], [0.0]]).loss({"x": found}, torch.arange(3)).backward()
    assert found.grad is not None
    assert (found.grad[:, 1] == 0).all()
    assert torch.isfinite(found.grad).all()


def test_a_head_without_any_label_costs_nothing():
    targets = single("l1", [[NAN], [NAN]])
    targets.fit(torch.arange(2))
    assert targets.loss({"x": torch.ones(2, 2, 1)}, torch.arange(2)) == 0


def test_means_and_scales_are_those_of_the_training_labels():
    targets = single("l1", [[1.0, NAN], [2.0, 10.0], [6.0, 14.0], [1000.0, 0.0]])
    targets.fit(torch.arange(3))
    assert targets.means["x"].tolist() == [2.0, 10.0]
    assert targets.scales["x"].tolist() == pytest.approx([5 / 3, 2.0])


def test_the_loss_of_a_value_is_its_error_in_units_of_the_scale():
    targets = single("l1", [[0.0], [4.0]])
    targets.means["x"], targets.scales["x"] = torch.tensor([1.0]), torch.tensor([2.0])
    # Scaled labels -0.5 and 1.5, found 0.5 by one member and 1.5 by the other.
    found = torch.tensor([[[0.5], [0.5]], [[1.5], [1.5]]])
    assert targets.loss({"x": found}, torch.arange(2)) == pytest.approx((1.0 + 1.0 + 2.0 + 0.0) / 4)


def test_log_odds_that_are_known_are_only_corrected():
    known = torch.tensor([[3.0], [-3.0]])
    targets = single("binary", [[1.0], [0.0]], offsets={"x": known})
    nothing = torch.zeros(2, 2, 1)
    surprise = float(torch.log1p(torch.exp(torch.tensor(-3.0))))
    assert targets.loss({"x": nothing}, torch.arange(2)) == pytest.approx(surprise)
    found = targets.predictions({"x": nothing}, torch.arange(2))["x"]
    assert torch.equal(found, known.sigmoid().expand(2, -1, -1))


def test_a_rare_head_does_not_outshout_the_rest():
    """One label in a batch of 64 counts as one of the 8 that a head needs to count in full."""
    rare = single("l1", [[2.0]] + [[NAN]] * 63)
    rare.means["x"], rare.scales["x"] = torch.zeros(1), torch.ones(1)
    found = torch.zeros(3, 64, 1)
    assert rare.loss({"x": found}, torch.arange(64)) == pytest.approx(2.0 / (64 / RARE))
    rare.values["x"] = torch.full((64, 1), 2.0)
    assert rare.loss({"x": found}, torch.arange(64)) == pytest.approx(2.0)


def test_a_weight_is_the_share_of_a_head():
    found = torch.randn(2, 3, 1)
    targets = single("binary", [[1.0], [0.0], [1.0]])
    whole = targets.loss({"x": found}, torch.arange(3))
    assert replace(targets, weights={"x": 0.25}).loss({"x": found}, torch.arange(3)) == pytest.approx(
        float(whole) / 4
    )


def test_yes_or_no_and_classes_are_cross_entropies():
    found = torch.randn(1, 3, 1)
    wanted = torch.tensor([[1.0], [0.0], [1.0]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(found[0], wanted)
    assert single("binary", wanted.tolist()).loss({"x": found}, torch.arange(3)) == pytest.approx(
        float(expected)
    )
    found = torch.randn(1, 3, 5)
    wanted = torch.tensor([[4.0], [0.0], [2.0]])
    expected = torch.nn.functional.cross_entropy(found[0], wanted[:, 0].long())
    assert single("classes", wanted.tolist()).loss({"x": found}, torch.arange(3)) == pytest.approx(
        float(expected)
    )


def test_an_offset_is_only_corrected():
    targets = single("l1", [[1.0], [2.0], [6.0]], offsets={"x": torch.tensor([[1.0], [1.0], [2.0]])})
    targets.fit(torch.arange(3))
    assert targets.residual("x").tolist() == [[0.0], [1.0], [4.0]]
    assert targets.means["x"].tolist() == [1.0]
    chosen = torch.tensor([2, 0])
    found = targets.predictions({"x": torch.zeros(1, 2, 1)}, chosen)["x"]
    assert found.flatten().tolist() == [3.0, 2.0]  # the mean residual, and what was known before
    nearest = torch.tensor([[[3.0 / (5 / 3 - 0.0)], [-1.0 / (5 / 3)]]])
    targets.scales["x"] = torch.tensor([5 / 3])
    assert targets.loss({"x": nearest}, chosen) == pytest.approx(0.0, abs=SINGLE_PRECISION)


def test_predictions_are_in_units_or_probabilities():
    targets = Targets({name: torch.zeros(2, 1) for name in "abc"}, {"a": "l1", "b": "binary", "c": "classes"})
    targets.means["a"], targets.scales["a"] = torch.tensor([5.0]), torch.tensor([2.0])
    raw = {"a": torch.ones(3, 2, 1), "b": torch.zeros(3, 2, 1), "c": torch.randn(3, 2, 4)}
    found = targets.predictions(raw, torch.arange(2))
    assert (found["a"] == 7.0).all()
    assert (found["b"] == 0.5).all()
    assert torch.allclose(found["c"].sum(-1), torch.ones(3, 2))


# How it is trained


def test_the_same_seed_gives_the_same_weights(crystals, targets):
    runs = [
        train(network(), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, validate_every=9)
        for _ in range(2)
    ]
    assert_same_weights(*runs)
    other = train(network(), crystals, fresh(targets), TRAINING, VALIDATION, replace(CONFIG, seed=6))
    assert differ(runs[0], other)


def test_validation_crystals_decide_nothing(crystals, targets):
    none = torch.zeros(0, dtype=torch.long)
    told: list[Progress] = []
    with_them = train(network(), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG)
    without = train(network(), crystals, fresh(targets), TRAINING, none, CONFIG, told.append)
    assert_same_weights(with_them, without)
    assert all(p.errors == {} for p in told)


class Interrupted(Exception):
    pass


def test_an_interrupted_training_goes_on_as_if_undisturbed(crystals, targets, tmp_path):
    """With dropout, so that torch's random state matters too."""
    seen: list[Progress] = []
    torch.manual_seed(1)
    undisturbed = train(
        network(dropout=0.3), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, seen.append
    )

    def interrupt(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Interrupted

    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(Interrupted):
        train(
            network(dropout=0.3),
            crystals,
            fresh(targets),
            TRAINING,
            VALIDATION,
            CONFIG,
            interrupt,
            checkpoint,
        )
    told: list[Progress] = []
    resumed = train(
        network(seed=99, dropout=0.3),
        crystals,
        fresh(targets),
        TRAINING,
        VALIDATION,
        CONFIG,
        told.append,
        checkpoint,
    )
    assert_same_weights(resumed, undisturbed)
    assert [p.epoch for p in told] == [3, 4]
    assert [(p.loss, p.errors) for p in told] == [(p.loss, p.errors) for p in seen[2:]]
    assert not list(tmp_path.glob("*.part"))


def test_a_finished_training_is_not_repeated(crystals, targets, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    done = train(network(), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, checkpoint=checkpoint)
    told: list[Progress] = []
    again = train(network(7), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, told.append, checkpoint)
    assert told == []
    assert_same_weights(again, done)


def test_a_checkpoint_of_another_training_is_refused(crystals, targets, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"

    def go_on(fingerprint: str):
        return train(
            network(),
            crystals,
            fresh(targets),
            TRAINING,
            VALIDATION,
            replace(CONFIG, epochs=1),
            checkpoint=checkpoint,
            fingerprint=fingerprint,
        )

    go_on("one")
    go_on("one")
    with pytest.raises(InputError, match=r"other settings or data.*--anew"):
        go_on("other")


class Poisoned:
    def __reduce__(self):
        return (pytest.fail, ("A pickle was opened.",))


def test_something_that_is_no_checkpoint_is_a_sentence(crystals, targets, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    train(network(), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, checkpoint=checkpoint)
    whole = checkpoint.read_bytes()
    for content in (b"", b"nonsense", whole[:1000], whole[:-100], pickle.dumps(Poisoned())):
        checkpoint.write_bytes(content)
        with pytest.raises(InputError, match=r"cannot be read as a checkpoint.*--anew"):
            train(network(), crystals, fresh(targets), TRAINING, VALIDATION, CONFIG, checkpoint=checkpoint)


def test_the_loss_falls_and_the_heads_learn(crystals, targets):
    """Every head, and the mean of members is better than the median of the labels."""
    told: list[Progress] = []
    config = replace(CONFIG, epochs=40)
    average = train(
        network(), crystals, fresh(targets), TRAINING, TRAINING, config, told.append, validate_every=40
    )
    assert told[-1].loss < 0.5 * told[0].loss
    errors = told[-1].errors
    assert errors.keys() == {"heat", "rare", "metal", "system"}
    labels = targets.values["heat"][TRAINING]
    assert errors["heat"] < 0.4 * (labels - labels.median(0).values).abs().mean()
    assert errors["metal"] <= 0.1
    assert errors["system"] == 0
    known = fresh(targets)
    known.fit(TRAINING)
    assert mean_errors(average, crystals, known, TRAINING) == errors


def test_a_trunk_at_rate_zero_is_kept_and_the_heads_learn(crystals, targets):
    before = network()
    after = network()
    still = replace(CONFIG, trunk_rate=0.0, weight_decay=0.0)
    train(after, crystals, fresh(targets), TRAINING, VALIDATION, still)
    assert_same_weights(before.trunk, after.trunk)
    assert differ(before.heads, after.heads)


def test_a_slower_trunk_stays_nearer_to_its_start(crystals, targets):
    start = network().trunk.state_dict()

    def moved(rate: float) -> float:
        some = network()
        train(some, crystals, fresh(targets), TRAINING, VALIDATION, replace(CONFIG, trunk_rate=rate))
        return sum(float((v - start[k]).abs().sum()) for k, v in some.trunk.state_dict().items())

    assert moved(0.1) < 0.5 * moved(1.0)


def test_the_precision_of_products_is_as_it_was_before():
    before = torch.get_float32_matmul_precision()
    with matmul_precision("medium"):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


def test_a_batch_without_any_label_teaches_nothing(crystals, targets):
    few = replace(targets, values={name: torch.full_like(v, NAN) for name, v in targets.values.items()})
    few.values["heat"][1] = targets.values["heat"][1]
    heard = []
    config = replace(CONFIG, epochs=2, batch=4)
    train(network(), crystals, few, TRAINING, TRAINING[:0], config, heard.append)
    assert [progress.epoch for progress in heard] == [1, 2]
    assert all(math.isfinite(progress.loss) for progress in heard)


def test_validation_is_looked_at_as_often_as_asked(crystals, targets):
    told: list[Progress] = []
    config = replace(CONFIG, epochs=5)
    train(network(), crystals, fresh(targets), TRAINING, VALIDATION, config, told.append, validate_every=2)
    assert [p.epoch for p in told if p.errors] == [2, 4, 5]
    assert all(p.epochs == 5 and p.seconds > 0 and math.isfinite(p.loss) for p in told)
    json.dumps([asdict(p) for p in told], allow_nan=False)


def test_the_network_kept_is_the_average_and_ready_for_use(crystals, targets):
    first = network()
    average = train(first, crystals, fresh(targets), TRAINING, VALIDATION, CONFIG)
    assert average is not first
    assert not average.training
    assert not any(p.requires_grad for p in average.parameters())
    assert differ(average, first)


def test_predictions_do_not_depend_on_the_batch(crystals, targets):
    known = fresh(targets)
    known.fit(TRAINING)
    small, large = (predict(network(), crystals, known, ALL, batch=size) for size in (5, 100))
    for name, found in small.items():
        assert found.shape[:2] == (3, 24)
        assert torch.allclose(found, large[name], atol=1e-5), name


def test_errors_are_counted_by_hand(crystals, targets):
    class Fixed(torch.nn.Module):
        def forward(self, data):
            n = len(data.sizes)
            system = torch.zeros(2, n, 3)
            system[..., 2] = 1
            return {"heat": torch.zeros(2, n, 2), "metal": torch.ones(2, n, 1), "system": system}

    known = fresh(targets)
    known.means["heat"], known.scales["heat"] = torch.zeros(2), torch.ones(2)
    chosen = torch.tensor([0, 20])  # MgO and MnTiO3
    found = mean_errors(Fixed(), crystals, known, chosen)
    labels = targets.values
    assert found["heat"] == pytest.approx(float(labels["heat"][chosen].abs().mean()))
    assert found["metal"] == pytest.approx(float((labels["metal"][chosen] != 1).float().mean()))
    assert found["system"] == 0.5
