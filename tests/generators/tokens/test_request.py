"""A request that cannot be met is refused at the door, with the reason and the next step."""

import pytest
from hysteron.core.errors import InputError
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.request import POLAR_GROUPS, Request
from hysteron.generators.tokens.vocabulary import Vocabulary

WORDS = Vocabulary()
CONTRADICTIONS = [
    ({"spacegroups": (231,)}, r"no space group 231; they are numbered from 1 to 230"),
    ({"spacegroups": ()}, r"names no space group\. Name one"),
    ({"formula": "Xx2O"}, r"'Xx' is not the symbol of an element"),
    ({"formula": "Ba(TiO3"}, r"is not a chemical formula\. Write it like BaTiO3"),
    ({"formula": "BaTi0.5O3"}, r"needs whole numbers of atoms"),
    ({"formula": ""}, r"is not a chemical formula"),
    ({"chemsys": "Ba-Zz-O"}, r"'Zz' is not the symbol of an element\. Did you mean"),
    ({"elements": ("Q",)}, r"'Q' is not the symbol of an element"),
    ({"elements": ()}, r"allows no element\. Name some"),
    ({"natoms": (5, 3)}, r"range of atoms 5\.\.3 is empty"),
    ({"natoms": (0, 3)}, r"range of atoms 0\.\.3 is empty"),
    ({"bins": {"band_gap": ()}}, r"No bin of band_gap is allowed\. Widen its range"),
    ({"formula": "BaTiO3", "chemsys": "Sr-Ti-O"}, r"BaTiO3 is not of the chemical system Sr-Ti-O"),
    ({"formula": "BaTiO3", "exclude_elements": ("Ba",)}, r"both wants and forbids Ba"),
    ({"chemsys": "Ba-O", "must_contain": ("Ti",)}, r"both wants and forbids Ti"),
    ({"formula": "BaTiO3", "elements": ("Ba", "O")}, r"both wants and forbids Ti"),
]
IMPOSSIBLE = [
    ({"formula": "Fe3O4"}, r"Fe3O4 is not neutral under SMACT's table 'icsd24'.*let intermetallics through"),
    ({"formula": "Ni3Al"}, r"Ni3Al is not neutral under SMACT's table 'icsd24'.*let intermetallics through"),
    ({"formula": "Si"}, r"Si alone is no compound of ions.*let intermetallics through"),
    ({"formula": "ArO2"}, r"Ar has no oxidation state in SMACT's table 'icsd24'"),
    ({"chemsys": "Al-Fe"}, r"No neutral formula .* can be written with Al-Fe and 1 to 20 atoms"),
    ({"must_contain": ("Ba", "Ti", "O"), "natoms": (1, 2)}, r"3 elements, too many for 1 to 2 atoms"),
    ({"formula": "RfO2"}, r"no word for Rf; its elements go from H to Lr"),
    ({"formula": "K2Cr2O7F14"}, r"25 atoms to the formula unit; the sequence takes 20 at most"),
    ({"formula": "BaTiO3", "natoms": (6, 9)}, r"no number of units makes a cell of 6 to 9 atoms"),
    (
        {"formula": "BaTiO3", "natoms": (24, 30)},
        r"24 to 30 atoms were asked for; the sequence takes 20 at most",
    ),
    ({"bins": {"bandgap": (1,)}}, r"not conditioned on 'bandgap'\. Did you mean 'band_gap'"),
    ({"bins": {"band_gap": (77,)}}, r"no band_gap 77 in the vocabulary"),
    (
        {"formula": "NaCl", "spacegroups": (228,), "natoms": (1, 6)},
        r"Space group 228 \(Fd-3c\) cannot hold NaCl with 1 to 6 atoms.*: its Wyckoff positions hold 4, 8",
    ),
    (
        {"formula": "HfO2", "spacegroups": (29,), "natoms": (1, 6)},
        r"hold 4 atoms, any number of times\. The smallest cell that would do has 12 atoms",
    ),
    (
        {"formula": "Ba2TiO4", "spacegroups": (19,)},
        r"The smallest cell that would do has 28 atoms, more than the 20 of a sequence\. Ask for another group",
    ),
    (
        {"formula": "Ba2TiO4", "spacegroups": (19, 29, 33)},
        r"None of the 3 space groups asked for can hold Ba2TiO4 with 1 to 20 atoms",
    ),
    (
        {"chemsys": "Na-Cl", "spacegroups": (228,), "natoms": (1, 8)},
        r"cannot hold a formula of Na-Cl with 1 to 8",
    ),
    ({"chemsys": "Na-Cl", "natoms": (7, 7)}, r"No space group can hold a formula of Na-Cl with 7 atoms"),
    ({"elements": ("Ar", "He")}, r"No neutral formula .* with elements out of He, Ar"),
]


@pytest.mark.parametrize(("parts", "reason"), CONTRADICTIONS)
def test_contradictions_are_refused(parts, reason):
    with pytest.raises(InputError, match=reason):
        Request(**parts)


@pytest.mark.parametrize(("parts", "reason"), IMPOSSIBLE)
def test_what_nothing_can_meet_is_refused(parts, reason):
    with pytest.raises(InputError, match=reason):
        Grammar(WORDS, Request(**parts))


@pytest.mark.parametrize("formula", ["Fe3O4", "Ni3Al", "Si", "ArO2"])
def test_the_switch_lets_them_through(formula):
    grammar = Grammar(WORDS, Request(formula=formula, intermetallics=True))
    assert len(grammar.groups) > 100


def test_groups_that_cannot_hold_the_formula_are_left_out():
    grammar = Grammar(WORDS, Request(formula="Ba2TiO4", spacegroups=POLAR_GROUPS))
    assert set(grammar.groups) < set(POLAR_GROUPS)
    assert 99 in grammar.groups
    assert 29 not in grammar.groups


def test_a_request_in_other_words():
    request = Request(formula="Ti2Ba2O6")
    assert request.amounts == {"Ba": 1, "Ti": 1, "O": 3}
    assert request.required == Request(chemsys="O-Ti-Ba").required == {"Ba", "Ti", "O"}
    assert not request.lets_in("Sr")
    assert Request(elements=("Sr", "O")).lets_in("Sr")
