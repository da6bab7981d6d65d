"""A crystal that is told is as probable as one that is written, alone, beside others, and with its cell changed."""

import math

import materials
import pytest
import torch
from hysteron.generators.tokens.fitting import scaled
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.reading import log_probabilities, variant_log_probabilities
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.sampling import Sampler
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.wyckoff.encode import encode

WORDS = Vocabulary()
SHAPE = ModelConfig(
    len(WORDS), width=32, layers=2, heads=4, coordinate_parts=3, lattice_parts=3, longest=128, dropout=0.0
)
SINGLE_PRECISION = 2e-3  # nats, of some hundred


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.manual_seed(0)
    return Trained(TokenModel(SHAPE).eval(), WORDS)


def test_reading_agrees_with_writing(trained):
    request = Request(spacegroups=(1, 14, 99, 225), natoms=(1, 6))
    sampler = Sampler(trained.model, WORDS)
    found = list(sampler.write(Grammar(WORDS, request), 20, torch.Generator().manual_seed(0)))
    read = log_probabilities([written.sequence for written in found], trained)
    assert read == pytest.approx([written.log_probability for written in found], abs=SINGLE_PRECISION)


def test_variants_are_read_as_if_alone(trained):
    """Cubic, tetragonal, rhombohedral, monoclinic: one to four numbers of the lattice, some shapes twice."""
    crystals = [
        encode(make())
        for make in (
            materials.strontium_titanate,
            materials.hafnia_monoclinic,
            materials.barium_titanate_tetragonal,
            materials.barium_titanate_cubic,
            materials.lithium_niobate,
            materials.lead_titanate,
        )
    ]
    tails = [len(crystal.lattice) for crystal in crystals]
    variants = [
        [to_tokens(scaled(crystal, math.exp(step)), WORDS) for step in (-0.2, 0.0, 0.1)]
        for crystal in crystals
    ]
    found = variant_log_probabilities(variants, tails, trained)
    alone = [log_probabilities(own, trained) for own in variants]
    for one, other in zip(found, alone, strict=True):
        assert one == pytest.approx(other, abs=SINGLE_PRECISION)


def test_nothing_to_read(trained):
    assert log_probabilities([], trained) == []
    assert variant_log_probabilities([], [], trained) == []
