"""Writing crystals: what the grammar says is what is written, and the log-probability is the model's own."""

from collections import Counter
from dataclasses import dataclass

import materials
import numpy as np
import pytest
import torch
from hysteron.generators.charges import neutral_states
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.items import Table
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.sampling import Sampler, Style
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.wyckoff.decode import decode
from hysteron.generators.wyckoff.encode import encode

VOCABULARY = Vocabulary()
SHAPE = ModelConfig(
    len(VOCABULARY),
    width=32,
    layers=2,
    heads=4,
    coordinate_parts=3,
    lattice_parts=3,
    longest=128,
    dropout=0.0,
)
CRYSTALS = (
    materials.barium_titanate_tetragonal,
    materials.hafnia_monoclinic,
    materials.silicon,
    materials.lithium_niobate,
)
SINGLE_PRECISION = 2e-3  # nats, of some hundred


@dataclass(frozen=True)
class Dictation:
    """A state that allows but the words of given sequences, each as long as they agree with what was said."""

    texts: tuple[tuple[int, ...], ...]
    said: int = 0

    @property
    def is_finished(self) -> bool:
        return self.said == len(self.texts[0])

    def allowed(self) -> np.ndarray:
        found = np.zeros(len(VOCABULARY), dtype=bool)
        found[[text[self.said] for text in self.texts]] = True
        return found

    def advance(self, token: int) -> "Dictation":
        return Dictation(tuple(t for t in self.texts if t[self.said] == token), self.said + 1)

    def start(self) -> "Dictation":
        return self

    @property
    def bins(self) -> list[np.ndarray]:
        masks = np.zeros((len(VOCABULARY.properties), len(VOCABULARY)), dtype=bool)
        for text in self.texts:
            masks[range(len(masks)), list(text[: len(masks)])] = True
        return list(masks)


@pytest.fixture(scope="module")
def texts():
    return tuple(to_tokens(encode(crystal()), VOCABULARY).tokens for crystal in CRYSTALS)


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    torch.manual_seed(0)
    return Sampler(TokenModel(SHAPE).eval(), VOCABULARY)


def seed(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_what_is_dictated_is_written(sampler, texts):
    found = list(sampler.write(Dictation(texts), 60, seed()))
    assert len(found) == 60
    counts = Counter(w.crystal.formula for w in found)
    assert set(counts) == {"BaTiO3", "HfO2", "Si", "LiNbO3"}
    for one in found:
        assert one.sequence.tokens in texts
        assert one.crystal.spacegroup_number in (99, 14, 227, 161)


@pytest.mark.parametrize("style", [Style(), Style(temperature=0.7, number_temperature=0.5, guidance=2.0)])
def test_the_log_probability_is_that_of_reading_it(sampler, texts, style):
    found = list(sampler.write(Dictation(texts), 24, seed(), style))
    table = Table.of([w.sequence for w in found], VOCABULARY)
    with torch.no_grad():
        read = -sampler.model.losses(table.batch(torch.arange(len(found)))).sum(1)
    assert [w.log_probability for w in found] == pytest.approx(read.tolist(), abs=SINGLE_PRECISION)


def test_equal_seeds_write_equal_crystals_and_others_do_not(sampler, texts):
    one, other, third = (list(sampler.write(Dictation(texts), 12, seed(n))) for n in (1, 1, 2))
    assert [w.sequence for w in one] == [w.sequence for w in other]
    assert [w.sequence for w in one] != [w.sequence for w in third]


def test_short_and_long_sequences_in_one_batch_do_not_disturb_one_another(sampler, texts):
    """Sequences that end early are put aside; those that go on are read as if alone (see the log-probability)."""
    silicon, hafnia = texts[2], texts[1]
    assert len(silicon) < len(hafnia)
    found = list(sampler.write(Dictation((silicon, hafnia)), 40, seed()))
    table = Table.of([w.sequence for w in found], VOCABULARY)
    with torch.no_grad():
        read = -sampler.model.losses(table.batch(torch.arange(40))).sum(1)
    assert [w.log_probability for w in found] == pytest.approx(read.tolist(), abs=SINGLE_PRECISION)


def test_an_origin_is_no_choice(sampler, texts):
    found = list(sampler.write(Dictation(texts[:1]), 5, seed()))
    assert all(w.crystal.orbits[0].free == (0.0,) for w in found)
    assert len({w.crystal.orbits[1].free for w in found}) == 5


def test_with_no_bin_asked_guidance_changes_nothing(sampler, texts):
    """It then compares a sequence with itself; but for rounding, since twice as many are read at once."""
    plain, guided = (
        list(sampler.write(Dictation(texts[1:2]), 8, seed(), style))
        for style in (Style(), Style(guidance=3.0))
    )
    for one, other in zip(plain, guided, strict=True):
        assert one.sequence.tokens == other.sequence.tokens
        assert one.sequence.numbers == pytest.approx(other.sequence.numbers, abs=1e-3)


def test_none_are_none(sampler, texts):
    assert list(sampler.write(Dictation(texts), 0, seed())) == []


def test_a_model_that_knows_nothing_still_writes_what_was_asked_for(sampler):
    """The grammar alone, not the weights, keeps the group, the elements and the charges."""
    request = Request(spacegroups=(99, 160), chemsys="Ba-O-Ti", natoms=(1, 10))
    found = list(sampler.write(Grammar(VOCABULARY, request), 40, seed()))
    assert len(found) == 40
    for one in found:
        assert one.crystal.spacegroup_number in (99, 160)
        assert set(one.crystal.amounts) == {"Ba", "Ti", "O"}
        assert neutral_states(one.crystal.amounts)
        assert one.crystal.natoms <= 10
        assert len(decode(one.crystal)) == one.crystal.natoms
    assert len({one.crystal.formula for one in found}) > 3


def test_angles_that_make_no_cell_are_left_out(sampler):
    """Three angles of 126 degrees go round more than once; a batch does not fall for one such crystal."""
    model = TokenModel(SHAPE).eval()
    model.load_state_dict(sampler.model.state_dict())
    parts = SHAPE.lattice_parts
    with torch.no_grad():
        model.next_angle.weight.zero_()
        model.next_angle.bias.copy_(torch.tensor([0.0] * parts + [1.2] * parts + [-6.0] * parts))
    blunt = Sampler(model, VOCABULARY)
    request = Request(spacegroups=(1, 225), chemsys="Cl-Na", natoms=(2, 4))
    found = list(blunt.write(Grammar(VOCABULARY, request), 12, seed()))
    assert 0 < len(found) < 12
    assert {one.crystal.spacegroup_number for one in found} == {225}
