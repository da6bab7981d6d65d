"""Items and training of the token model: nothing lost in the table, seeded, resumable, and it learns."""

import math

import materials
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.tokens.items import Table, batches, forget, items_of, orbit_tokens
from hysteron.generators.tokens.model import (
    ANGLE,
    COORDINATE,
    LOG_LENGTH,
    NAMES,
    WORD,
    ModelConfig,
    TokenModel,
)
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.training import Progress, TrainingConfig, nats, train
from hysteron.generators.tokens.vocabulary import ANY, Vocabulary
from hysteron.generators.wyckoff.encode import encode

VOCABULARY = Vocabulary()
SHAPE = ModelConfig(
    len(VOCABULARY),
    width=24,
    layers=1,
    heads=2,
    coordinate_parts=2,
    lattice_parts=2,
    longest=128,
    dropout=0.1,
)
CONFIG = TrainingConfig(epochs=4, batch=3, learning_rate=5e-3, averaging=0.9, seed=5)
CRYSTALS = (
    materials.barium_titanate_tetragonal,
    materials.strontium_titanate,
    materials.silicon,
    materials.hafnia_polar,
    materials.hafnia_monoclinic,
    materials.germanium_telluride,
    materials.titania_rutile,
    materials.lithium_niobate,
)


@pytest.fixture(scope="module")
def sequences():
    return [to_tokens(encode(crystal()), VOCABULARY, {"band_gap": 1.7}) for crystal in CRYSTALS]


@pytest.fixture(scope="module")
def table(sequences) -> Table:
    return Table.of(sequences, VOCABULARY)


ALL = torch.arange(len(CRYSTALS))
TRAINING, VALIDATION = ALL[:6], ALL[6:]


def model(seed: int = 0) -> TokenModel:
    torch.manual_seed(seed)
    return TokenModel(SHAPE)


def same(one, other) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


# Items


def test_words_come_first_and_then_coordinates_and_the_lattice(sequences):
    """Tetragonal BaTiO3, P4mm: Ba, Ti and two O orbits with one z each, then a and c."""
    items = items_of(sequences[0], VOCABULARY)
    words = len(sequences[0].tokens)
    assert (items.kinds[:words] == WORD).all()
    assert items.tokens[:words].tolist() == list(sequences[0].tokens)
    numbers = items[words:]
    assert numbers.kinds.tolist() == [COORDINATE] * 4 + [LOG_LENGTH] * 2
    assert [NAMES[i] for i in numbers.names.tolist()] == ["z", "z", "z", "z", "a", "c"]
    assert numbers.values.tolist() == pytest.approx(sequences[0].numbers)
    assert numbers.judged.tolist() == [False] + [True] * 5, "the origin along z is a choice"
    assert (numbers.tokens == 0).all()
    told = [VOCABULARY.word(t) for t in numbers.elements[:4].tolist()]
    assert [symbol for _, symbol in told] == [
        VOCABULARY.word(e)[1] for e, _ in orbit_tokens(sequences[0].tokens, VOCABULARY)
    ]


def test_a_monoclinic_cell_has_an_angle(sequences):
    items = items_of(sequences[4], VOCABULARY)
    assert items.kinds[-1] == ANGLE
    assert 90 < float(items.values[-1]) < 180


def test_the_space_group_is_known_from_where_it_is_said(sequences):
    items = items_of(sequences[0], VOCABULARY)
    opening = len(VOCABULARY.properties)
    assert (items.groups[:opening] == 0).all()
    assert (items.groups[opening:] == VOCABULARY.id_of("spacegroup", 99)).all()
    assert not items.judged[:opening].any()


def test_a_table_gives_back_what_was_put_in(sequences, table, tmp_path):
    table.save(tmp_path / "table.safetensors")
    for some in (table, Table.load(tmp_path / "table.safetensors")):
        for i, sequence in enumerate(sequences):
            batch, alone = some.batch(torch.tensor([i])), items_of(sequence, VOCABULARY)
            assert torch.equal(batch.tokens[0], alone.tokens)
            assert torch.equal(batch.values[0], alone.values)
            assert torch.equal(batch.judged[0], alone.judged)


def test_batches_hold_every_row_once_and_lengths_together():
    lengths = torch.randint(5, 90, (2000,), generator=torch.Generator().manual_seed(0))
    rows = torch.arange(0, 2000, 2)
    found = list(batches(lengths, rows, 20, torch.Generator().manual_seed(1)))
    assert torch.cat(found).sort().values.tolist() == rows.tolist()
    spread = sum(float(lengths[b].max() - lengths[b].min()) for b in found) / len(found)
    assert spread < 10
    again = list(batches(lengths, rows, 20, torch.Generator().manual_seed(1)))
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_forgetting_takes_bins_away_and_nothing_else(table):
    items = table.batch(ALL.repeat(200))
    found = forget(items, VOCABULARY, 0.4, torch.Generator().manual_seed(0))
    opening = len(VOCABULARY.properties)
    assert torch.equal(found.tokens[:, opening:], items.tokens[:, opening:])
    anything = VOCABULARY.id_of("band_gap", ANY)
    share = float((found.tokens[:, 0] == anything).float().mean())
    assert share == pytest.approx(1 - 0.6 * 0.8, abs=0.05)
    assert ((found.tokens[:, 0] == anything) | (found.tokens[:, 0] == items.tokens[:, 0])).all()


# Training


def test_the_loss_falls_and_beats_the_first_weights(table):
    told: list[Progress] = []
    long = TrainingConfig(epochs=25, batch=6, learning_rate=1e-2, averaging=0.8, seed=1)
    average = train(model(), table, VOCABULARY, ALL, ALL, long, lambda p, _: told.append(p))
    assert [p.epoch for p in told] == list(range(1, 26))
    assert told[-1].loss < 0.6 * told[0].loss
    assert told[-1].validation == pytest.approx(nats(average, table, ALL))
    assert nats(average, table, ALL) < 0.6 * nats(model(), table, ALL)


def test_the_same_seed_gives_the_same_weights(table):
    one, other = (train(model(), table, VOCABULARY, TRAINING, VALIDATION, CONFIG) for _ in range(2))
    assert same(one, other)
    reseeded = TrainingConfig(epochs=4, batch=3, learning_rate=5e-3, averaging=0.9, seed=6)
    assert not same(one, train(model(), table, VOCABULARY, TRAINING, VALIDATION, reseeded))


def test_an_interrupted_training_goes_on_as_if_undisturbed(table, tmp_path):
    undisturbed = train(model(), table, VOCABULARY, TRAINING, VALIDATION, CONFIG)
    path = tmp_path / "checkpoint.pt"

    def interrupt(progress: Progress, _) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model(), table, VOCABULARY, TRAINING, VALIDATION, CONFIG, interrupt, path, "a")
    told: list[int] = []
    torch.manual_seed(99)
    resumed = train(
        TokenModel(SHAPE),
        table,
        VOCABULARY,
        TRAINING,
        VALIDATION,
        CONFIG,
        lambda p, _: told.append(p.epoch),
        path,
        "a",
    )
    assert told == [3, 4]
    assert same(undisturbed, resumed)


def test_a_checkpoint_of_another_training_is_refused(table, tmp_path):
    path = tmp_path / "checkpoint.pt"
    short = TrainingConfig(epochs=1, batch=3)
    train(model(), table, VOCABULARY, TRAINING, VALIDATION, short, None, path, "a")
    with pytest.raises(InputError, match="other settings or data"):
        train(model(), table, VOCABULARY, TRAINING, VALIDATION, short, None, path, "b")
    path.write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        train(model(), table, VOCABULARY, TRAINING, VALIDATION, short, None, path, "a")


def test_validation_decides_nothing_and_may_be_absent(table):
    one = train(model(), table, VOCABULARY, TRAINING, VALIDATION, CONFIG)
    told: list[Progress] = []
    other = train(model(), table, VOCABULARY, TRAINING, ALL[:0], CONFIG, lambda p, _: told.append(p))
    assert same(one, other)
    assert math.isnan(told[0].validation)
