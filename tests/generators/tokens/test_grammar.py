"""A sequence that follows the grammar ends, and what it says can be."""

import gzip
import json
import math
import os
import time
from collections import Counter
from pathlib import Path

import materials
import numpy as np
import pytest
from hysteron.core.errors import InputError
from hysteron.core.symmetry import is_polar
from hysteron.generators.charges import TABLE, neutral_states
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.request import POLAR_GROUPS, Request
from hysteron.generators.tokens.tokens import TokenSequence, from_tokens, slots, to_tokens
from hysteron.generators.tokens.vocabulary import ANY, PADDING, Vocabulary
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.positions import space_group
from pymatgen.core import Composition, Lattice, Structure
from smact import Element
from smact.screening import pauling_test, smact_validity

WORDS = Vocabulary()
KNOWN = (
    *("barium_titanate_tetragonal", "barium_titanate_cubic", "strontium_titanate", "sodium_chloride"),
    *("titania_rutile", "hafnia_polar", "hafnia_monoclinic", "germanium_telluride", "lithium_niobate"),
    *("lithium_cobaltate", "zinc_oxide", "lead_titanate"),
)
SECONDS_PER_WORD = 2e-3
"""Of processor time, with nothing worked out before; measured: 3e-5, and 2e-6 for what was met before."""


def fluorite():
    """CaF2, Fm-3m; a = 5.463 A (Wyckoff, Crystal Structures 1, 1963)."""
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.463), ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )


def nickel_aluminide():
    """Ni3Al, Pm-3m (L1_2); a = 3.572 A (Pearson's Handbook)."""
    return Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.572), ["Al", "Ni"], [[0, 0, 0], [0, 0.5, 0.5]])


@pytest.fixture(scope="module")
def free():
    return Grammar(WORDS)


def crystal_of(record):
    lattice = Lattice.from_parameters(*record["lattice"])
    return encode(Structure(lattice, record["species"], record["frac_coords"]))


def walk(grammar, seed):
    """A sequence of words drawn evenly among those allowed."""
    rng, state, tokens = np.random.default_rng(seed), grammar.start(), []
    while not state.is_finished:
        choices = np.flatnonzero(state.allowed())
        assert len(choices), "a dead end"
        tokens.append(int(rng.choice(choices)))
        state = state.advance(tokens[-1])
    return tokens


def finished(tokens, seed=0):
    """The crystal of a walk, its numbers drawn at random."""
    rng, words = np.random.default_rng(seed), [WORDS.word(token) for token in tokens]
    number = next(value for kind, value in words if kind == "spacegroup")
    letters = [value for kind, value in words if kind == "letter"]
    draws = {"coordinate": (0, 1), "log_length": (math.log(4), math.log(9)), "angle": (80, 100)}
    numbers = tuple(rng.uniform(*draws[slot.kind]) for slot in slots(number, letters))
    return from_tokens(TokenSequence(tuple(tokens), numbers), WORDS)


def assert_sound(crystal, grammar):
    """What the grammar promises of a finished crystal."""
    low, high = grammar.natoms
    assert low <= crystal.natoms <= high
    assert crystal.spacegroup_number in grammar.groups
    assert grammar.request.required <= set(crystal.amounts)
    assert all(grammar.request.lets_in(symbol) for symbol in crystal.amounts)
    positions = space_group(crystal.spacegroup_number).positions
    taken = Counter(orbit.letter for orbit in crystal.orbits)
    assert all(times == 1 or positions[letter].free for letter, times in taken.items())


def assert_ionic(crystal):
    """SMACT's table, neutrality, and SMACT's own test of the electronegativities."""
    amounts = crystal.reduced_amounts
    states = neutral_states(amounts)
    assert states is not None, amounts
    assert sum(amounts[symbol] * state for symbol, state in states.items()) == 0
    assert all(state in Element(symbol).oxidation_states_icsd24 for symbol, state in states.items())
    assert pauling_test(list(states.values()), [Element(symbol).pauling_eneg for symbol in states])


REQUESTS = {
    "all": Request(),
    "polar": Request(spacegroups=POLAR_GROUPS),
    "cubic": Request(spacegroups=tuple(range(195, 231))),
    "lead titanates": Request(must_contain=("Pb", "Ti", "O"), spacegroups=POLAR_GROUPS, natoms=(5, 12)),
    "tellurides": Request(chemsys="Pb-Ge-Te"),
    "oxides": Request(elements=("O", "Sr", "Ti", "Nb", "Li", "Mg"), must_contain=("O",)),
    "barium titanate": Request(formula="BaTiO3", spacegroups=(38, 99, 160, 221)),
    "hafnia": Request(formula="Hf2O4", natoms=(12, 12)),
    "no oxides": Request(exclude_elements=("O", "F"), natoms=(2, 6)),
    "intermetallics": Request(intermetallics=True),
    "nickel and aluminium": Request(chemsys="Ni-Al", intermetallics=True, natoms=(4, 10)),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_walks_end_and_what_they_say_can_be(name):
    grammar = Grammar(WORDS, REQUESTS[name])
    for seed in range(150):
        tokens = walk(grammar, seed)
        crystal = finished(tokens, seed)
        assert_sound(crystal, grammar)
        if not grammar.request.intermetallics:
            assert_ionic(crystal)
        if grammar.request.amounts:
            assert crystal.reduced_amounts == grammar.request.amounts


def test_walks_in_every_space_group():
    for number in range(1, 231):
        grammar = Grammar(WORDS, Request(spacegroups=(number,), elements=("Ba", "Ti", "Al", "O", "N", "F")))
        crystal = finished(walk(grammar, number))
        assert crystal.spacegroup_number == number
        assert_sound(crystal, grammar)
        assert_ionic(crystal)


def test_smact_validates_what_is_written():
    grammar = Grammar(WORDS, Request(natoms=(2, 6)))
    formulas = {finished(walk(grammar, seed)).formula for seed in range(60)}
    assert len(formulas) > 40
    for formula in formulas:
        composition = Composition(formula)
        assert smact_validity(composition, include_alloys=False, oxidation_states_set=TABLE), formula


def test_words_stand_in_the_order_in_which_a_crystal_is_told(free):
    for seed in range(40):
        tokens = walk(free, seed)
        words = [WORDS.word(token) for token in tokens]
        counts = [value for kind, value in words if kind == "count"]
        assert math.gcd(*counts) == 1
        crystal = finished(tokens)
        places = [(orbit.element, orbit.letter) for orbit in crystal.orbits]
        elements = list(crystal.amounts)
        assert places == sorted(places, key=lambda p: (elements.index(p[0]), p[1].isupper(), p[1]))
        assert tuple(tokens) == to_tokens(crystal, WORDS).tokens


@pytest.mark.parametrize("name", KNOWN)
def test_known_crystals_can_be_written(free, name):
    crystal = encode(getattr(materials, name)())
    tokens = to_tokens(crystal, WORDS).tokens
    assert free.first_refused(tokens) is None
    narrow = Request(spacegroups=(crystal.spacegroup_number,), formula=crystal.formula)
    assert Grammar(WORDS, narrow).first_refused(tokens) is None


def test_fluorite_can_be_written(free):
    assert free.first_refused(to_tokens(encode(fluorite()), WORDS).tokens) is None


def test_intermetallics_only_with_the_switch(free):
    tokens = to_tokens(encode(nickel_aluminide()), WORDS).tokens
    assert free.first_refused(tokens) is not None
    assert Grammar(WORDS, Request(intermetallics=True)).first_refused(tokens) is None
    silicon = to_tokens(encode(materials.silicon()), WORDS).tokens
    assert free.first_refused(silicon) is not None
    assert Grammar(WORDS, Request(intermetallics=True)).first_refused(silicon) is None


def test_the_bins_that_were_asked_for():
    grammar = Grammar(WORDS, Request(bins={"band_gap": (5, 6), "energy_above_hull": (ANY, 0)}))
    state, allowed = grammar.start(), []
    for _ in WORDS.properties:
        choices = np.flatnonzero(state.allowed())
        allowed.append([WORDS.word(int(token)) for token in choices])
        state = state.advance(int(choices[0]))
    assert allowed == [
        [("band_gap", 5), ("band_gap", 6)],
        [("formation_energy_per_atom", ANY)],
        [("energy_above_hull", ANY), ("energy_above_hull", 0)],
    ]


def test_polar_groups():
    assert len(POLAR_GROUPS) == 68
    assert all(is_polar(number) for number in POLAR_GROUPS)


def test_a_state_stays_as_it_is_and_says_what_may_come(free):
    state = free.start()
    before = state.allowed().copy()
    after = state.advance(WORDS.id_of("band_gap", ANY))
    assert after is not state
    assert np.array_equal(state.allowed(), before)
    with pytest.raises(ValueError, match="read-only"):
        state.allowed()[0] = True
    with pytest.raises(InputError, match=r"spacegroup 99 may not come next; what may is band_gap any\."):
        state.advance(WORDS.id_of("spacegroup", 99))
    with pytest.raises(InputError, match="Token 9999 does not exist"):
        state.advance(9999)


def test_a_sequence_that_breaks_off(free):
    tokens = to_tokens(encode(materials.strontium_titanate()), WORDS).tokens
    assert free.first_refused(tokens[:-1]) == len(tokens) - 1
    assert free.first_refused((*tokens[:4], *tokens[5:])) == 4


def test_after_the_end_there_is_only_padding(free):
    state = free.start()
    for token in walk(free, 0):
        state = state.advance(token)
    padding = WORDS.id_of("special", PADDING)
    assert np.flatnonzero(state.allowed()).tolist() == [padding]
    assert state.advance(padding).is_finished
    assert free.allowed([state, free.start()]).shape == (2, len(WORDS))


def test_larger_cells():
    words = Vocabulary(most_atoms=24)
    grammar = Grammar(words, Request(spacegroups=(62, 227), chemsys="Mg-Al-O", natoms=(14, 24)))
    rng, state, tokens = np.random.default_rng(0), grammar.start(), []
    while not state.is_finished:
        tokens.append(int(rng.choice(np.flatnonzero(state.allowed()))))
        state = state.advance(tokens[-1])
    assert words.word(tokens[-1]) == ("special", "end")


def test_it_is_quick():
    grammar = Grammar(WORDS, Request(spacegroups=POLAR_GROUPS))
    began, number = time.process_time(), 0
    for seed in range(100):
        number += len(walk(grammar, seed))
    assert (time.process_time() - began) / number < SECONDS_PER_WORD


@pytest.mark.slow
@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="needs the crystals")
def test_every_neutral_training_crystal_can_be_written(free):
    path = Path(os.environ["HYSTERON_DATA_DIR"]) / "crystals" / "mp_structures_train_00.jsonl.gz"
    anything, neutral = Grammar(WORDS, Request(intermetallics=True)), 0
    with gzip.open(path, "rt") as lines:
        records = [json.loads(line) for _, line in zip(range(400), lines, strict=False)]
    crystals = [crystal_of(record) for record in records if len(record["species"]) <= WORDS.most_atoms]
    for crystal in crystals:
        tokens = to_tokens(crystal, WORDS).tokens
        is_neutral = neutral_states(crystal.reduced_amounts) is not None
        neutral += is_neutral
        assert (free.first_refused(tokens) is None) == is_neutral
        assert anything.first_refused(tokens) is None
    assert neutral > 0.5 * len(crystals)
