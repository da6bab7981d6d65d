"""The epoch that is kept: what is counted of what it wrote."""

import pytest
import torch
from hysteron.generators.tokens.card import card_text
from hysteron.generators.tokens.choice import TryOut, best, try_out
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.settings import TokensConfig
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained

VOCABULARY = Vocabulary(most_atoms=3)
SHAPE = ModelConfig(len(VOCABULARY), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.manual_seed(0)
    return Trained(TokenModel(SHAPE).eval(), VOCABULARY)


def test_each_count_is_of_the_one_before(trained):
    one = try_out(trained, 4, set(), 60, 0, lambda structures: [i % 2 == 0 for i in range(len(structures))])
    assert (one.epoch, one.written) == (4, 60)
    assert 60 >= one.sound >= one.unique == one.novel > 0
    assert one.promising == -(-one.novel // 2)
    assert one.yields == one.promising / 60


def test_training_crystals_are_not_novel(trained):
    """All crystals of the try-out are said to be known."""

    class Everything:
        def __contains__(self, key) -> bool:
            return True

    one = try_out(trained, 1, Everything(), 20, 0, lambda structures: [True] * len(structures))
    assert one.novel == one.promising == 0


def test_the_best_yields_most_and_the_earlier_of_equal_ones_is_taken():
    rows = [TryOut(1, 100, 90, 80, 70, 20), TryOut(3, 100, 95, 90, 60, 30), TryOut(6, 100, 99, 95, 40, 30)]
    assert best(rows).epoch == 3


def test_the_card_has_wilsons_interval_of_what_an_epoch_yields():
    """Of 10 in 20 it is 29.9% to 70.1%."""
    row = {"epoch": 3, "written": 20, "sound": 18, "unique": 17, "novel": 12, "promising": 10}
    card = {
        "name": "tiny",
        "method": "Wyckoff tokens",
        "trained": "2026-11-30",
        "config": TokensConfig().model_dump(mode="json"),
        "crystals": {"train": 5, "val": 2},
        "nats": 1.0,
        "epoch": 3,
        "tried_out": [row],
    }
    assert "| 3 | 20 | 90.0% | 85.0% | 60.0% | 50.0% (29.9%-70.1%) |" in card_text(card)
