"""Property bins that open a sequence: drawn together, as often as the training crystals have them."""

from collections import Counter

import numpy as np
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.tokens.openings import Openings
from hysteron.generators.tokens.tokens import TokenSequence
from hysteron.generators.tokens.vocabulary import ANY, PropertyBins, Vocabulary

WORDS = Vocabulary((PropertyBins("band_gap", (1.0, 2.0)), PropertyBins("formation_energy_per_atom", (-1.0,))))


def bins(gap, energy) -> tuple[int, int]:
    return WORDS.id_of("band_gap", gap), WORDS.id_of("formation_energy_per_atom", energy)


def allowed(gaps, energies) -> list[np.ndarray]:
    return [
        np.array([WORDS.id_of("band_gap", gap) for gap in gaps]),
        np.array([WORDS.id_of("formation_energy_per_atom", energy) for energy in energies]),
    ]


@pytest.fixture
def openings() -> Openings:
    """Wide gaps with low energies, none without; a crystal without a gap told."""
    opened = [*[bins(2, 0)] * 30, *[bins(1, 0)] * 10, *[bins(0, 1)] * 60, bins(ANY, 1)]
    return Openings.of((TokenSequence((*row, 5), ()) for row in opened), WORDS)


def drawn(openings: Openings, *choices, count: int = 400) -> Counter:
    generator = torch.Generator().manual_seed(0)
    return Counter(map(tuple, openings.draw(allowed(*choices), WORDS, count, generator)))


def test_bins_come_as_often_as_in_the_training_crystals(openings):
    found = drawn(openings, (1, 2), (0, 1))
    assert set(found) == {bins(2, 0), bins(1, 0)}
    assert found[bins(2, 0)] / 400 == pytest.approx(0.75, abs=0.07)


def test_of_a_property_that_is_not_asked_nothing_is_said(openings):
    found = drawn(openings, (0, 1, 2), (ANY,))
    assert set(found) == {bins(0, ANY), bins(1, ANY), bins(2, ANY)}
    assert found[bins(0, ANY)] / 400 == pytest.approx(0.6, abs=0.08)


def test_nothing_asked_opens_with_any(openings):
    assert set(drawn(openings, (ANY,), (ANY,))) == {bins(ANY, ANY)}


def test_a_corner_without_crystals_is_drawn_evenly(openings):
    assert set(drawn(openings, (1, 2), (1,))) == {bins(1, 1), bins(2, 1)}
    assert set(drawn(Openings(), (1, 2), (0,))) == {bins(1, 0), bins(2, 0)}


def test_equal_seeds_draw_equally(openings):
    one, other = (
        openings.draw(allowed((0, 1, 2), (0, 1)), WORDS, 20, torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert one == other


def test_rows_and_back(openings):
    assert Openings.from_rows(openings.rows(), WORDS) == openings


@pytest.mark.parametrize("row", [[5, 3], [1, 2, 3], [*bins(0, 0), 0], [*reversed(bins(0, 0)), 4], []])
def test_a_row_that_is_no_count_is_refused(row):
    with pytest.raises((InputError, ValueError)):
        Openings.from_rows([row], WORDS)
