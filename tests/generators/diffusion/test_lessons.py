"""Which crystals are lessons, and what of them is told."""

import math

import pytest
import spglib
import torch
from diffusion_toys import ALL_GROUPS, crystal
from hysteron.core.errors import SettingsError
from hysteron.core.settings import validate
from hysteron.generators.diffusion.adapters import (
    CENTRINGS,
    GROUP_FEATURES,
    POINT_GROUPS,
    SPACEGROUP,
    SYSTEMS,
)
from hysteron.generators.diffusion.elements import descriptors
from hysteron.generators.diffusion.lessons import formula_is_inside, group_kinds, lessons, table_of
from hysteron.generators.diffusion.network import HEAVIEST
from hysteron.generators.diffusion.settings import DataTable, DiffusionConfig
from hysteron.generators.wyckoff.examples import Example
from hysteron.generators.wyckoff.positions import space_group
from pymatgen.core import Element


def example(name: str, split: str = "train", **properties: float) -> Example:
    return Example(name, split, crystal(name), properties)


def test_lessons_are_compounds_of_anions_near_the_hull():
    taught = [
        example("strontium_titanate", energy_above_hull=0.0),
        example("hafnia_polar", energy_above_hull=0.05),
        example("zinc_oxide", energy_above_hull=0.3),
        example("lithium_niobate"),
        example("iron_one_atom", energy_above_hull=0.0),
    ]
    names = [e.key for e in lessons(taught, DataTable())]
    assert names == ["strontium_titanate", "hafnia_polar"], "unknown is not near"
    assert len(lessons(taught, DataTable(), near_hull=False)) == 4
    assert [e.key for e in lessons(taught, DataTable(anions=False, near_hull=0.01))] == [
        "strontium_titanate",
        "iron_one_atom",
    ]
    assert formula_is_inside(crystal("zinc_oxide"), DataTable())
    assert not formula_is_inside(crystal("iron_one_atom"), DataTable())
    assert formula_is_inside(crystal("iron_one_atom"), DataTable(anions=False))


def test_a_table_says_what_is_known_and_what_is_not():
    table = table_of([example("silicon", band_gap=0.6), example("zinc_oxide", "val", energy_above_hull=0.0)])
    assert table.training.tolist() == [True, False]
    assert table.properties["band_gap"][0] == pytest.approx(0.6)
    assert math.isnan(table.properties["band_gap"][1]), "unknown is not 0"
    assert math.isnan(table.properties["formation_energy_per_atom"][0])
    assert table.properties[SPACEGROUP].shape == (2, GROUP_FEATURES)
    assert table.properties[SPACEGROUP][:, [226, 185]].tolist() == [[1, 0], [0, 1]]
    assert table.symmetric.symmetric.all()
    assert not table.plain.symmetric.any()


def test_a_groups_kind_is_that_of_international_tables():
    """Held against spglib's point groups: one number for each of the 32."""
    classes: dict[int, set[str]] = {}
    for number in ALL_GROUPS:
        told, system, centring, point_group = group_kinds(number)
        assert told == number - 1
        assert 0 <= system < SYSTEMS
        assert 0 <= centring < CENTRINGS
        classes.setdefault(point_group, set()).add(point_group_of(number))
    assert sorted(classes) == list(range(POINT_GROUPS))
    assert all(len(symbols) == 1 for symbols in classes.values())
    assert len({next(iter(symbols)) for symbols in classes.values()}) == POINT_GROUPS
    assert group_kinds(99)[1] == group_kinds(139)[1]
    assert group_kinds(99)[2] != group_kinds(139)[2]
    assert group_kinds(160)[2] == group_kinds(166)[2]


def point_group_of(number: int) -> str:
    """Symbol of the point group that spglib makes of the operations."""
    operations = spglib.get_symmetry_from_database(space_group(number).hall_number)
    assert operations is not None
    found = spglib.get_pointgroup(operations["rotations"])
    assert found is not None
    return found[0].strip()


# Elements


def test_elements_of_a_column_are_alike():
    table = descriptors()
    assert table.shape == (HEAVIEST, 31)
    assert not table[0].any(), "an atom that is not known has none"
    for column in (("Li", "Na", "K"), ("O", "S", "Se"), ("Ti", "Zr", "Hf")):
        rows = [table[Element(symbol).Z] for symbol in column]
        assert all(torch.equal(row[:18], rows[0][:18]) for row in rows)
        assert all(row[-2] == rows[0][-2] for row in rows)
    assert table[1:, :18].sum(1).tolist() == [1] * (HEAVIEST - 1)
    assert table[1:, 18:25].sum(1).tolist() == [1] * (HEAVIEST - 1)
    assert table[1:, 25:29].sum(1).tolist() == [1] * (HEAVIEST - 1)


@pytest.mark.parametrize(
    ("symbol", "valence", "electronegativity"),
    [
        ("Na", 1, 0.93),
        ("O", 6, 3.44),
        ("Ti", 4, 1.54),
        ("Ga", 3, 1.81),
        ("Pb", 4, 2.33),
        ("La", 3, 1.10),
        ("Ne", 8, 0),
    ],
)
def test_what_is_told_of_an_element(symbol, valence, electronegativity):
    """Pauling's electronegativities; neon has none."""
    row = descriptors()[Element(symbol).Z]
    assert 10 * float(row[-2]) == pytest.approx(valence, abs=1e-5)
    assert 4 * float(row[-1]) == pytest.approx(electronegativity, abs=1e-5)


# Settings


def test_settings_speak_up():
    assert validate(DiffusionConfig, {}, "diffusion").data.anions
    for values, sentence in (
        ({"network": {"width": 30, "heads": 8}}, "do not share width = 30 evenly"),
        ({"data": {"most_atoms": 21}}, "most_atoms"),
        ({"training": {"epochs": 3}}, "epochs"),
        ({"name": "../elsewhere"}, "name"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            validate(DiffusionConfig, values, "diffusion")
