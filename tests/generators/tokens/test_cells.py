"""The volume of a filled crystal lies between what its ions say and what the model says."""

import materials
import numpy as np
import pytest
import torch
from hysteron.generators.tokens import cells
from hysteron.generators.tokens.cells import STEPS, in_their_cells, opened
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.proposals import Proposal
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.wyckoff.decode import decode
from hysteron.generators.wyckoff.encode import encode

WORDS = Vocabulary()
SHAPE = ModelConfig(len(WORDS), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)
DETAILS = {"volume_factor": 1.1, "volume_method": "Shannon radii"}


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.manual_seed(0)
    return Trained(TokenModel(SHAPE).eval(), WORDS)


def bins() -> tuple[int, ...]:
    return tuple(WORDS.id_of(bins.name, "any") for bins in WORDS.properties)


def volumes(trained, monkeypatch, favourite: int | None, spread: float) -> float:
    """The factor by which the volume changes for a model that knows but one volume, or none."""
    crystal = encode(materials.hafnia_monoclinic())
    if favourite is not None:
        nats = np.where(np.arange(len(STEPS)) == favourite, 0.0, -1e6).tolist()
        monkeypatch.setattr(cells, "variant_log_probabilities", lambda *_: [nats])
    (found,) = in_their_cells([Proposal("Hf -> Zr", crystal, spread, dict(DETAILS))], trained, bins())
    factor = decode(found.crystal).volume / decode(crystal).volume
    assert found.details["volume_factor"] == pytest.approx(1.1 * factor, abs=1e-5)
    assert found.details["volume_method"] == "Shannon radii; the model"
    assert found.crystal.orbits == crystal.orbits
    return factor


def test_ions_that_are_sure_are_believed(trained, monkeypatch):
    assert volumes(trained, monkeypatch, None, 0.005) == pytest.approx(1.0, abs=1e-6)


def test_a_model_that_is_sure_is_believed(trained, monkeypatch):
    assert volumes(trained, monkeypatch, 10, 0.15) == pytest.approx(np.exp(STEPS[10]))


def test_the_mean_of_all_volumes_is_taken(trained, monkeypatch):
    nats = np.full(len(STEPS), -1e6)
    nats[[8, 10]] = 0.0
    monkeypatch.setattr(cells, "variant_log_probabilities", lambda *_: [nats.tolist()])
    crystal = encode(materials.strontium_titanate())
    (found,) = in_their_cells([Proposal("", crystal, 100.0)], trained, bins())
    assert decode(found.crystal).volume == pytest.approx(decode(crystal).volume * np.exp(STEPS[9]), rel=1e-4)
    assert found.details == {}


def test_a_sequence_opens_with_the_bins_asked_for():
    sequence = to_tokens(encode(materials.silicon()), WORDS, {"band_gap": 0.6})
    found = opened(sequence, bins())
    assert found.tokens[: len(bins())] == bins()
    assert found.tokens[len(bins()) :] == sequence.tokens[len(bins()) :]
    assert found.numbers == sequence.numbers
