"""The shipped classifier: what it says of known crystals, its symmetries, and its refusals."""

import json
from importlib import resources

import numpy as np
import pytest
from hysteron.core.contracts import Conduction, ConductionClasses
from hysteron.core.errors import InputError, MissingDataError
from hysteron.predictors.conduction.model import TABLE, Conductor, Learnt, read_learnt
from materials import (
    barium_titanate_tetragonal,
    disordered_alloy,
    iron_one_atom,
    magnesium_oxide,
    strontium_titanate,
    titania_rutile,
    vanadia_rutile,
)
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def conductor():
    return Conductor()


def perovskite(a, b, length=3.9):
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(length), [a, b, "O", "O", "O"], sites)


def likeliest(found):
    told = {"metal": found.metal, "insulator": found.insulator, "transition": found.transition}
    return max(told, key=lambda name: told[name])


def test_it_keeps_the_contract(conductor):
    assert isinstance(conductor, ConductionClasses)
    assert "301 compounds" in conductor.method


def test_known_crystals(conductor):
    """In sample: that the shipped weights and the features belong together."""
    crystals = [
        strontium_titanate(),
        magnesium_oxide(),
        barium_titanate_tetragonal(),
        titania_rutile(),
        perovskite("Sr", "Ru"),
        perovskite("Nd", "Ni"),
        perovskite("La", "Co"),
    ]
    found = conductor.classes(crystals)
    assert [likeliest(one) for one in found] == ["insulator"] * 4 + ["metal"] + ["transition"] * 2
    assert all(one.familiar for one in found)
    for one in found:
        assert one.metal + one.insulator + one.transition == pytest.approx(1)


def test_a_compound_that_was_not_learnt_from(conductor):
    """CaFeO3, of which the table has no row: charge order at 290 K, metallic above."""
    (found,) = conductor.classes([perovskite("Ca", "Fe")])
    assert likeliest(found) == "transition"
    assert found.family == "iron perovskites of high valence"


def test_the_known_family_is_named(conductor):
    found = conductor.classes([vanadia_rutile(), titania_rutile()])
    assert found[0].family == "vanadium oxides, VO2 and Magneli phases"
    assert found[1].family is None


def test_supercell_rotation_strain_and_order_of_atoms_change_nothing(conductor):
    crystal = vanadia_rutile()
    turned = crystal.copy()
    turned.make_supercell([2, 1, 1])
    turned.apply_strain(0.05)
    turned = Structure.from_sites(list(reversed(turned.sites)))
    assert conductor.classes([turned])[0] == conductor.classes([crystal])[0]


def test_oxidation_states_on_the_sites_are_not_read(conductor):
    crystal = vanadia_rutile()
    decorated = crystal.copy()
    decorated.add_oxidation_state_by_element({"V": 4, "O": -2})
    assert conductor.classes([decorated])[0] == conductor.classes([crystal])[0]


def test_alone_or_with_others_the_same(conductor):
    crystals = [strontium_titanate(), vanadia_rutile(), iron_one_atom()]
    together = conductor.classes(crystals)
    assert together[:2] == [conductor.classes([crystal])[0] for crystal in crystals[:2]]


def test_one_that_cannot_be_told_does_not_stop_the_others(conductor):
    found = conductor.classes([iron_one_atom(), disordered_alloy(), strontium_titanate()])
    assert isinstance(found[0], InputError)
    assert "Fe" in str(found[0])
    assert isinstance(found[1], InputError)
    assert "ordered" in str(found[1])
    assert isinstance(found[2], Conduction)


def test_nitrides_and_halides_are_not_familiar(conductor):
    """None and one of them were learnt from."""
    rock_salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.15), ["Cr", "N"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    fluoride = perovskite("K", "Ni")
    fluoride.replace_species({"O": "F"})
    assert [one.familiar for one in conductor.classes([rock_salt, fluoride])] == [False, False]


def test_the_table_goes_to_json_and_back():
    learnt = read_learnt()
    again = Learnt.from_dict(json.loads(json.dumps(learnt.to_dict())))
    asked = learnt.fitted.rows[:7]
    assert np.allclose(again.fitted.probabilities(asked), learnt.fitted.probabilities(asked), atol=1e-4)
    assert again.farthest == learnt.farthest
    assert again.anion_classes == learnt.anion_classes


def test_the_shipped_table_is_small_and_names_data_and_licence():
    file = resources.files("hysteron.data").joinpath(TABLE)
    table = json.loads(file.read_text())
    assert len(file.read_bytes()) < 60_000
    assert "MIT" in table["licence"]
    assert "10.1021/acs.chemmater.1c00905" in table["source"]
    assert len(table["rows"]) == len(table["labels"]) == table["n"] == 301


@pytest.mark.parametrize(
    "change", [{"format": "other"}, {"features": ["one"]}, {"rows": [[1.0]]}, {"members": None}]
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, change):
    path = tmp_path / TABLE
    path.write_text(json.dumps({**read_learnt().to_dict(), **change}))
    with pytest.raises(InputError, match="no table of conduction"):
        Conductor(path)


def test_a_missing_table_is_told(tmp_path):
    with pytest.raises(MissingDataError, match=r"nothing\.json"):
        Conductor(tmp_path / "nothing.json")
