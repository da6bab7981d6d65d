"""The record, its JSON, its lattice and its tokens."""

import json

import materials
import pytest
from hysteron.core.errors import InputError, StructureError
from hysteron.generators.tokens.tokens import TokenSequence, from_tokens, slots, to_tokens
from hysteron.generators.tokens.vocabulary import ANY, PropertyBins, Vocabulary
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal, electronegativity_rank
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.lattice import all_parameters, free_parameters, lattice_matrix
from pymatgen.core import Lattice

WORDS = Vocabulary()
CRYSTALS = ("barium_titanate_tetragonal", "hafnia_polar", "hafnia_monoclinic", "lithium_niobate", "silicon")
ROUNDING = 1e-12
"""Relative; a length goes through its logarithm."""


def cubic():
    orbits = (Orbit("Sr", "a"), Orbit("Ti", "b"), Orbit("O", "c"))
    return WyckoffCrystal(221, orbits, (3.905,))


def test_what_a_record_knows():
    crystal = encode(materials.silicon())
    assert (crystal.formula, crystal.natoms, crystal.units) == ("Si", 2, 2)
    crystal = encode(materials.hafnia_polar())
    assert (crystal.formula, crystal.natoms, crystal.units) == ("HfO2", 12, 4)
    assert crystal.reduced_amounts == {"Hf": 1, "O": 2}
    assert cubic().wyckoff == "a:Sr b:Ti c:O"


@pytest.mark.parametrize("name", CRYSTALS)
def test_json_and_back(name):
    crystal = encode(getattr(materials, name)())
    assert WyckoffCrystal.from_dict(json.loads(json.dumps(crystal.to_dict()))) == crystal


@pytest.mark.parametrize("name", CRYSTALS)
def test_tokens_and_back(name):
    crystal = encode(getattr(materials, name)())
    sequence = to_tokens(crystal, WORDS, {"band_gap": 1.2})
    back = from_tokens(sequence, WORDS)
    assert (back.spacegroup_number, back.orbits) == (crystal.spacegroup_number, crystal.orbits)
    assert back.lattice == pytest.approx(crystal.lattice, rel=ROUNDING)


def test_the_sequence_in_words():
    sequence = to_tokens(encode(materials.barium_titanate_tetragonal()), WORDS, {"band_gap": 1.83})
    words = [WORDS.word(token) for token in sequence.tokens]
    assert words[:4] == [
        ("band_gap", 5),
        ("formation_energy_per_atom", ANY),
        ("energy_above_hull", ANY),
        ("spacegroup", 99),
    ]
    assert [value for _, value in words[4:]] == [
        *("Ba", 1, "Ti", 1, "O", 3, 1),
        *("Ba", "a", "Ti", "b", "O", "b", "O", "c", "end"),
    ]
    places = slots(99, ["a", "b", "b", "c"])
    assert [place.kind for place in places] == ["coordinate"] * 4 + ["log_length"] * 2
    assert [place.is_origin for place in places] == [True, False, False, False, False, False]
    assert [place.name for place in slots(14, ["a", "e"])] == ["x", "y", "z", "a", "b", "c", "beta"]
    assert slots(14, ["a", "e"])[-1].kind == "angle"


def test_every_word_has_one_id():
    assert len(set(WORDS.words)) == len(WORDS) < 500
    for kind in ("spacegroup", "element", "letter", "count", "units", "band_gap"):
        ids = WORDS.ids(kind)
        assert all(WORDS.word(i)[0] == kind for i in range(ids.start, ids.stop))
    assert WORDS.ids("spacegroup").stop - WORDS.ids("spacegroup").start == 230
    other = Vocabulary(properties=(PropertyBins("density", (1.0, 2.0)),))
    assert other.id_of("element", "Ti") == WORDS.id_of("element", "Ti"), "bins do not shift the other ids"


def test_bins():
    bins = PropertyBins("band_gap", (0.5, 1.0, 2.0))
    assert [bins.bin_of(value) for value in (None, float("nan"), 0.0, 0.5, 1.5, 9.0)] == [
        ANY,
        ANY,
        0,
        1,
        2,
        3,
    ]
    assert bins.bins_within(0.6, 1.5) == (1, 2)
    assert bins.bins_within(1.0, 2.0) == (2,)
    assert bins.bins_within(float("-inf"), 0.5) == (0,)
    with pytest.raises(InputError, match="empty"):
        bins.bins_within(2.0, 2.0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: TokenSequence(s.tokens[1:], s.numbers), "wants a band_gap"),
        (lambda s: TokenSequence(s.tokens[:-1], s.numbers), "wants a special; nothing"),
        (lambda s: TokenSequence((*s.tokens, s.tokens[-1]), s.numbers), "closes with 'end', once"),
        (lambda s: TokenSequence(s.tokens, s.numbers[1:]), "needs 6 numbers after its tokens, not 5"),
        (
            lambda s: TokenSequence((*s.tokens[:-3], s.tokens[-1]), s.numbers[:3] + s.numbers[4:]),
            "the formula",
        ),
        (lambda s: TokenSequence((9999, *s.tokens[1:]), s.numbers), "Token 9999 does not exist"),
    ],
)
def test_a_broken_sequence_gets_a_sentence(change, sentence):
    sequence = to_tokens(encode(materials.barium_titanate_tetragonal()), WORDS)
    with pytest.raises(InputError, match=sentence):
        from_tokens(change(sequence), WORDS)


def test_coordinates_of_tokens_are_taken_modulo_one():
    sequence = to_tokens(encode(materials.barium_titanate_tetragonal()), WORDS)
    moved = TokenSequence(sequence.tokens, (-1e-20, sequence.numbers[1] + 1, *sequence.numbers[2:]))
    orbits = from_tokens(moved, WORDS).orbits
    assert orbits[0].free == (0.0,)
    assert orbits[1].free == pytest.approx(sequence.numbers[1:2])


def test_words_that_do_not_exist():
    large = encode(materials.silicon() * (3, 2, 2), most_atoms=2)
    assert large.natoms == 2
    with pytest.raises(InputError, match=r"no count 21 in the vocabulary \(1 to 20\)"):
        WORDS.id_of("count", 21)
    with pytest.raises(InputError, match=r"no 'spacegrup'\. Did you mean 'spacegroup'"):
        WORDS.ids("spacegrup")


@pytest.mark.parametrize(
    ("number", "orbits", "lattice", "sentence"),
    [
        (231, [("Sr", "a", ())], (4.0,), "no space group 231"),
        (221, [("Xx", "a", ())], (4.0,), "'Xx' is not the symbol"),
        (221, [("Sr", "q", ())], (4.0,), "no Wyckoff position 'q'"),
        (221, [("Sr", "a", (0.1,))], (4.0,), "a has 0 free coordinates"),
        (221, [("Sr", "a", ())], (4.0, 4.0), "takes 1 lattice parameters"),
        (221, [("Sr", "a", ())], (-4.0,), "parameter a cannot be -4"),
        (99, [("Ti", "a", (1.2,))], (4.0, 4.1), r"lie in \[0, 1\)"),
        (99, [("Ti", "a", (float("nan"),))], (4.0, 4.1), r"lie in \[0, 1\)"),
        (1, [("Ti", "a", (0.0, 0.0, 0.0))], (4.0, 4.0, 4.0, 60.0, 60.0, 170.0), "make no cell"),
    ],
)
def test_a_wrong_record_gets_a_sentence(number, orbits, lattice, sentence):
    with pytest.raises(InputError, match=sentence):
        WyckoffCrystal(number, tuple(Orbit(*orbit) for orbit in orbits), lattice)


def test_records_of_impossible_crystals():
    with pytest.raises(StructureError, match="no orbits"):
        WyckoffCrystal(221, (), (4.0,))
    with pytest.raises(StructureError, match="taken twice"):
        WyckoffCrystal(221, (Orbit("Sr", "a"), Orbit("Ti", "a")), (4.0,))
    with pytest.raises(InputError, match="says SrTiO2, but its orbits make SrTiO3"):
        WyckoffCrystal.from_dict({**cubic().to_dict(), "formula": "SrTiO2"})
    for record in ({}, None, {"spacegroup_number": 1, "orbits": [["Ti"]], "lattice": []}):
        with pytest.raises(InputError, match="No crystal can be read"):
            WyckoffCrystal.from_dict(record)


def test_elements_are_ordered_by_electronegativity():
    order = sorted(["O", "Ti", "Ba", "Ar", "H"], key=electronegativity_rank)
    assert order == ["Ba", "Ti", "H", "O", "Ar"], "a noble gas without a value comes last"


@pytest.mark.parametrize("number", [2, 14, 62, 99, 166, 194, 225])
def test_a_lattice_obeys_its_group(number):
    values = {"a": 4.0, "b": 5.0, "c": 6.0, "alpha": 85.0, "beta": 97.0, "gamma": 93.0}
    free = [values[name] for name in free_parameters(number)]
    matrix = lattice_matrix(free, number)
    assert Lattice(matrix).parameters == pytest.approx(all_parameters(free, number))
