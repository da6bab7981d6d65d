"""What is handed out: no atoms on one another, the space group that was written, or the crystal is written anew."""

from itertools import islice

import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.soundness import overlaps, spacegroup_number
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.tokens.writing import Writer

VOCABULARY = Vocabulary()
SHAPE = ModelConfig(len(VOCABULARY), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


@pytest.fixture
def writer() -> Writer:
    torch.manual_seed(0)
    return Writer(Trained(TokenModel(SHAPE).eval(), VOCABULARY))


def test_sound_crystals_come_without_end_and_equal_for_equal_seeds(writer):
    grammar = Grammar(VOCABULARY, Request(formula="NaCl", spacegroups=(225,)))
    streams = [
        list(islice(writer.sound(grammar, torch.Generator().manual_seed(1), at_once=8), 20)) for _ in range(2)
    ]
    assert len(streams[0]) == 20
    assert [one.crystal for one in streams[0]] == [one.crystal for one in streams[1]]
    for one in streams[0]:
        assert spacegroup_number(one.structure) == 225
        assert not overlaps(one.structure)
    assert writer.written >= 40 + writer.refused.total() - 16


def test_a_request_that_always_gains_symmetry_ends_with_a_sentence(writer, monkeypatch):
    """CsCl with one formula unit in P23 lies on places of Pm-3m."""
    monkeypatch.setattr("hysteron.generators.tokens.writing.GIVE_UP_AFTER", 40)
    grammar = Grammar(VOCABULARY, Request(formula="CsCl", spacegroups=(195,), natoms=(2, 2)))
    with pytest.raises(InputError, match=r"not one is sound: \d+ have more symmetry"):
        next(writer.sound(grammar, torch.Generator().manual_seed(0), at_once=16))
