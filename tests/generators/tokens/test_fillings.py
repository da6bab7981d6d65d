"""Masked orbits are filled with every element that makes sense there, and no other."""

import materials
import pytest
from hysteron.core.errors import InputError
from hysteron.generators.charges import TABLE
from hysteron.generators.tokens.fillings import fillings
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.wyckoff.encode import encode
from pymatgen.core import Composition, Element
from smact.screening import smact_validity

WORDS = Vocabulary()


def titanate():
    """BaTiO3, P4mm: Ba, Ti, and two orbits of O."""
    return encode(materials.barium_titanate_tetragonal())


def test_one_mask_is_filled_as_smact_would():
    found = {filling.crystal.formula for filling in fillings(titanate(), [[0]])}
    wanted = set()
    for z in range(1, 104):
        amounts = Composition({Element.from_Z(z).symbol: 1}) + Composition("TiO3")
        if smact_validity(amounts, include_alloys=False, oxidation_states_set=TABLE):
            wanted.add(amounts.reduced_formula)
    assert {"BaTiO3", "TiPbO3", "SrTiO3"} <= found  # as pymatgen writes them
    assert found == wanted


def test_what_is_not_masked_stays():
    template = titanate()
    for filling in fillings(template, [[1]]):
        crystal = filling.crystal
        assert crystal.lattice == template.lattice
        assert crystal.spacegroup_number == 99
        kept = {(orbit.element, orbit.letter, orbit.free) for orbit in crystal.orbits}
        assert {(o.element, o.letter, o.free) for i, o in enumerate(template.orbits) if i != 1} <= kept


def test_the_grammar_lets_every_filling_through():
    grammar, found = Grammar(WORDS), 0
    for filling in fillings(
        titanate(), [[0], [1]], Request(elements=("Ba", "Pb", "Na", "Ti", "Nb", "Zr", "O"))
    ):
        assert grammar.first_refused(to_tokens(filling.crystal, WORDS).tokens) is None
        found += 1
    assert found > 5


def test_orbits_under_one_mask_get_one_element():
    found = [filling.crystal.reduced_amounts for filling in fillings(titanate(), [[2, 3]])]
    assert {"Ba": 1, "Ti": 1, "S": 3} in found
    assert all(len(amounts) in (2, 3) for amounts in found)


def test_a_request_narrows_the_fillings():
    formulas = [one.crystal.formula for one in fillings(titanate(), [[0]], Request(formula="PbTiO3"))]
    assert formulas == ["TiPbO3"]
    assert not list(fillings(titanate(), [[0]], Request(chemsys="Ba-Ti")))
    metals = Request(intermetallics=True, must_contain=("Fe",))
    assert [one.crystal.formula for one in fillings(titanate(), [[0]], metals)] == ["TiFeO3"]


def test_elements_named_or_excluded_are_those_in_the_masks():
    named = [one.elements for one in fillings(titanate(), [[1]], Request(elements=("Zr", "Hf")))]
    assert named == [("Hf",), ("Zr",)]
    left = {one.elements for one in fillings(titanate(), [[1]], Request(exclude_elements=("O", "Zr")))}
    assert ("Hf",) in left
    assert not {("O",), ("Zr",)} & left


def test_it_is_told_what_fills_which_mask():
    found = list(fillings(titanate(), [[1], [0]], Request(formula="PbZrO3")))
    assert [one.elements for one in found] == [("Zr", "Pb"), ("Pb", "Zr")]
    barium, titanium = titanate().orbits[:2]
    for one in found:
        places = {(orbit.element, orbit.letter) for orbit in one.crystal.orbits}
        assert (one.elements[0], titanium.letter) in places
        assert (one.elements[1], barium.letter) in places


@pytest.mark.parametrize(
    ("masked", "reason"),
    [
        ([[4]], "There is no orbit 4 in BaTiO3; it has 4"),
        ([[0], [0]], "no orbit is covered twice"),
        ([], "A mask covers one orbit or more"),
        ([[]], "A mask covers one orbit or more"),
        ([[0], [1], [2, 3]], "3 masks and 90 elements give 729000 combinations; 20000 are tried at most"),
    ],
)
def test_masks_that_cannot_be(masked, reason):
    with pytest.raises(InputError, match=reason):
        list(fillings(titanate(), masked))
