"""The writer that knows nothing: what it writes is what the grammar and the checks let through."""

import math
from itertools import islice

import numpy as np
import pytest
from hysteron.benchmarks.generation_figures import is_sound, symmetry_of
from hysteron.benchmarks.generation_random import (
    LONGEST_OVER_SHORTEST,
    RandomWriter,
    random_crystal,
    random_lattice,
    volume_asked,
)
from hysteron.generators.charges import neutral_states
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal
from hysteron.generators.wyckoff.decode import decode


@pytest.fixture(scope="module")
def grammar():
    return Grammar(Vocabulary(), Request(natoms=(2, 8)))


def sounds(grammar, count, seed=0):
    writer = RandomWriter()
    return writer, list(islice(writer.sound(grammar, np.random.default_rng(seed)), count))


def test_what_is_handed_out_is_sound(grammar):
    writer, found = sounds(grammar, 20)
    assert writer.written == 20 + writer.refused.total()
    assert writer.refused.total() > 0
    for sound in found:
        assert is_sound(sound.structure)
        assert symmetry_of(sound.structure, 0.01)[0] == sound.crystal.spacegroup_number
        assert neutral_states(sound.crystal.reduced_amounts) is not None
        assert 2 <= len(sound.structure) <= 8
        assert sound.structure.volume == pytest.approx(volume_asked(sound.crystal))
        assert sound.log_probability < 0
    assert len({sound.crystal.spacegroup_number for sound in found}) > 5
    assert len({sound.crystal.formula for sound in found}) > 15


def test_equal_seeds_write_equal_crystals(grammar):
    _, first = sounds(grammar, 5)
    _, again = sounds(grammar, 5)
    _, other = sounds(grammar, 5, seed=1)
    assert [s.crystal for s in first] == [s.crystal for s in again] != [s.crystal for s in other]


def test_a_crystal_reads_as_what_was_written(grammar):
    written = random_crystal(grammar, np.random.default_rng(3))
    assert grammar.first_refused(written.sequence.tokens) is None
    assert len(decode(written.crystal)) == written.crystal.natoms


@pytest.mark.parametrize("number", [1, 5, 33, 99, 161, 186, 225])
def test_cells_of_random_shape(number):
    orbits = (Orbit("Na", "a", tuple([0.1] * _freedom(number, "a"))),)
    for seed in range(5):
        lattice = random_lattice(number, orbits, np.random.default_rng(seed))
        structure = decode(WyckoffCrystal(number, orbits, lattice))
        # A sphere of 1.66 A, Cordero's radius of sodium, times 1.76.
        assert structure.volume / len(structure) == pytest.approx(1.76 * 4 / 3 * math.pi * 1.66**3)
        lengths = decode(WyckoffCrystal(number, orbits, lattice), primitive=False).lattice.abc
        assert max(lengths) <= LONGEST_OVER_SHORTEST * min(lengths) * (1 + 1e-9)


def _freedom(number, letter):
    from hysteron.generators.wyckoff.positions import space_group

    return len(space_group(number).position(letter).free)
