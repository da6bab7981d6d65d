"""Which amounts a space group holds, held against trying everything."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hysteron.generators.charges import neutral_states
from hysteron.generators.tokens.amounts import shares_table, with_amount, without
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.placement import places
from hysteron.generators.tokens.request import Request, in_order
from hysteron.generators.tokens.states import OrbitState
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.wyckoff.positions import space_group

GROUPS = (1, 2, 12, 29, 47, 62, 99, 123, 139, 160, 166, 186, 191, 194, 204, 221, 225, 227, 229)
MOST_ATOMS = 8


def placements(number, amounts):
    """Every way to give Wyckoff positions to elements of these amounts, found without any cleverness."""
    found = [((), tuple(amounts))]
    for letter, position in space_group(number).positions.items():
        found = [
            ((*orbits, *((i, letter) for i, n in enumerate(times) for _ in range(n))), rest)
            for orbits, left in found
            for times, rest in given_away(position, left)
        ]
    return [orbits for orbits, left in found if not any(left)]


def can_be_placed(number, amounts):
    """Whether there is such a way."""
    found = {tuple(amounts)}
    for position in space_group(number).positions.values():
        found = {rest for left in found for _, rest in given_away(position, left)}
    return any(not any(left) for left in found)


def given_away(position, left):
    """A position is given to no element, to one, or, with freedom, to several and repeatedly."""
    size = position.primitive_multiplicity
    for times in itertools.product(*(range(amount // size + 1) for amount in left)):
        if position.free or sum(times) <= 1:
            yield times, tuple(a - size * t for a, t in zip(left, times, strict=True))


def walks(offered, amounts, first=0, taken=0):
    """Every sequence of (element, letter) that the places allow, and whether one of them got stuck."""
    if not amounts:
        return [()], False
    found, stuck = [], False
    choices = offered.next_letters(amounts, first, taken)
    for place in choices:
        left, next_first, next_taken = offered.after(place, amounts, taken)
        rest = (left, next_first, next_taken) if left[0] else (left[1:], 0, next_taken)
        tails, tail_stuck = walks(offered, *rest)
        found += [((len(amounts), offered.letters[place]), *tail) for tail in tails]
        stuck |= tail_stuck
    return found, stuck or not choices


@pytest.mark.parametrize("number", GROUPS)
def test_a_room_holds_what_can_be_placed(number):
    room = places(number, MOST_ATOMS).room
    for shares in shares_table(MOST_ATOMS).rows:
        if 1 <= len(shares) <= 3:
            assert room.holds(shares) == can_be_placed(number, shares), shares


@pytest.mark.parametrize(
    ("number", "amounts"),
    [
        (2, (3, 1)),
        (47, (2, 2)),
        (99, (1, 1, 3)),
        (221, (1, 1, 3)),
        (225, (1, 2, 1)),
        (194, (2, 4)),
        (62, (4, 4)),
    ],
)
def test_orbits_are_written_in_every_way_and_never_get_stuck(number, amounts):
    found, stuck = walks(places(number, 20), amounts)
    wanted = placements(number, amounts)
    assert not stuck
    as_bags = [Counter((len(amounts) - i, letter) for i, letter in orbits) for orbits in wanted]
    assert len(found) == len(set(found)) == len(wanted)
    assert all(Counter(orbits) in as_bags for orbits in found)


@pytest.mark.parametrize(
    ("number", "chemsys"), [(99, "Ba-Ti-O"), (221, "Ba-Ti-O"), (166, "Pb-Te"), (12, "Al-N")]
)
def test_the_grammar_writes_every_neutral_crystal_that_can_be_placed(number, chemsys):
    symbols = in_order(chemsys.split("-"))
    wanted = Counter()
    for amounts in itertools.product(range(1, 6), repeat=len(symbols)):
        if sum(amounts) <= 6 and neutral_states(dict(zip(symbols, amounts, strict=True))):
            wanted[amounts] = len(placements(number, amounts))
    grammar = Grammar(Vocabulary(), Request(spacegroups=(number,), chemsys=chemsys, natoms=(1, 6)))
    found = Counter(cells(grammar.start()))
    assert found == +wanted
    assert found


def cells(state):
    """Amounts of every sequence that the grammar allows."""
    if isinstance(state, OrbitState) and not state.taken and not state.first:
        yield from [state.amounts] * len(walks(state.grammar.places(state.number), state.amounts)[0])
        return
    for token in np.flatnonzero(state.allowed()):
        yield from cells(state.advance(int(token)))


def test_letters_ascend_within_an_element():
    found, _ = walks(places(47, 20), (3, 2))
    for orbits in found:
        for element in (1, 2):
            letters = [(letter.isupper(), letter) for i, letter in orbits if i == element]
            assert letters == sorted(letters)


def test_groups_of_like_room_share_their_answers():
    assert places(99, 20).room is not places(221, 20).room
    assert places(3, 20).room is places(3, 20).room
    rooms = {id(places(number, 20).room) for number in range(1, 231)}
    assert len(rooms) < 110


def test_shares():
    table = shares_table(4)
    assert table.rows[:5] == ((), (1,), (2,), (1, 1), (3,))
    assert with_amount((3, 1), 2) == (3, 2, 1)
    assert without((3, 2, 2), 2) == (3, 2)
    assert len(shares_table(20).rows) == 2714
    assert table.rows[table.reduced_rows[table.row_of[2, 2]]] == (1, 1)
    after = table.rows_without(np.array([table.row_of[2, 1, 1]]))
    assert {amount: [table.rows[row] for row in rows] for amount, rows in after.items()} == {
        1: [(2, 1)],
        2: [(1, 1)],
    }
