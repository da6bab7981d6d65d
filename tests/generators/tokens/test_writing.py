"""What is handed out: no atoms on one another, the space group that was written, or the crystal is written anew."""

from itertools import islice

import materials
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.tokens.encode import encode
from hysteron.generators.tokens.grammar import Grammar
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.request import Request
from hysteron.generators.tokens.sampling import Written
from hysteron.generators.tokens.sequence import Orbit, WyckoffCrystal
from hysteron.generators.tokens.tokens import TokenSequence
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.tokens.writing import (
    NO_CELL,
    OTHER_GROUP,
    TOO_NEAR,
    Writer,
    examined,
    overlaps,
    spacegroup_number,
)

VOCABULARY = Vocabulary()
SHAPE = ModelConfig(len(VOCABULARY), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


@pytest.fixture
def writer() -> Writer:
    torch.manual_seed(0)
    return Writer(Trained(TokenModel(SHAPE).eval(), VOCABULARY))


def written(crystal: WyckoffCrystal) -> Written:
    return Written(crystal, 0.0, TokenSequence((), ()))


def perovskite(z: float = 0.0, a: float = 4.0) -> WyckoffCrystal:
    """BaTiO3 in P4mm whose titanium is z above the middle; with z = 0 it is cubic."""
    orbits = [("Ba", "a", 0.0), ("Ti", "b", 0.5 + z), ("O", "b", 0.0), ("O", "c", 0.5)]
    return WyckoffCrystal(99, tuple(Orbit(e, letter, (h,)) for e, letter, h in orbits), (a, a))


def test_a_sound_crystal_is_its_primitive_cell():
    structure, reason = examined(written(encode(materials.barium_titanate_tetragonal())))
    assert structure is not None
    assert not reason
    assert structure.composition.reduced_formula == "BaTiO3"
    assert spacegroup_number(structure) == 99


@pytest.mark.parametrize(
    ("crystal", "reason"),
    [
        (perovskite(0.0), OTHER_GROUP),
        (perovskite(0.45), TOO_NEAR),
        (perovskite(0.03, a=0.3), NO_CELL),
        (perovskite(0.03, a=40.0), NO_CELL),
    ],
)
def test_what_is_not_sound_says_why(crystal, reason):
    assert examined(written(crystal)) == (None, reason)


def test_a_displaced_titanium_keeps_the_group():
    structure, _ = examined(written(perovskite(0.03)))
    assert structure is not None


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.55])
def test_atoms_overlap_below_half_their_covalent_radii(scale):
    """Si-Si is 2.35 A, twice the covalent radius of 1.11 A is 2.22 A."""
    silicon = materials.silicon()
    silicon.scale_lattice(silicon.volume * scale**3)
    assert overlaps(silicon) == (2.352 * scale < 0.5 * 2.22)


def test_an_image_in_the_next_cell_counts():
    silicon = materials.silicon()
    one = silicon.copy()
    one.remove_sites([1])
    one.scale_lattice(0.9)
    assert overlaps(one)


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
