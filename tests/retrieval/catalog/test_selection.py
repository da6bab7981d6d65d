"""Which crystals the catalogue takes, and why."""

from __future__ import annotations

import random

import materials
import pytest
from hysteron.core.crystals import CrystalRecord
from hysteron.core.errors import MissingDataError
from hysteron.retrieval.catalog.profile import Profile, charge_balanced, eligible
from hysteron.retrieval.catalog.selection import (
    CatalogClass,
    _fill,
    choose,
    one_of_each_series,
    polymorphic_formulas,
    preference,
    read_ferroelectric_ids,
    select,
)
from pymatgen.core import Lattice, Structure
from toy_catalog import data_folder, record, shelf


def profiles() -> list[Profile]:
    return [Profile(each) for each in shelf() if eligible(each)]


def perovskite(a_site: str, b_site: str = "Ti", a: float = 4.0) -> Structure:
    coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), [a_site, b_site, "O", "O", "O"], coords)


@pytest.mark.parametrize("formula", ["BaTiO3", "Fe3O4", "HfO2", "GeTe", "CsPbI3", "AgI", "LiCoO2", "La2CuO4"])
def test_ionic_compounds_are_charge_balanced(formula):
    assert charge_balanced(formula)


@pytest.mark.parametrize("formula", ["BaTiO4Na7", "NaCl2", "MgO3"])
def test_impossible_charges_are_refused(formula):
    assert not charge_balanced(formula)


def test_the_warning_of_a_mixed_valence_search_is_not_shown(recwarn):
    charge_balanced("Ba4Na2Cu2Fe4Mn4Co4O20")
    assert not [w for w in recwarn if "Mixed-valence" in str(w.message)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"species": ["Si", "Si"], "reduced_formula": "Si"}, "an element"),
        ({"species": ["U", "O", "O"], "reduced_formula": "UO2"}, "radioactive"),
        ({"species": ["Xe", "F", "F"], "reduced_formula": "XeF2"}, "a noble gas"),
        ({"species": ["Mg", "O", "H", "O", "H"], "reduced_formula": "Mg(HO)2"}, "hydrogen"),
        ({"species": ["Ca", "C", "O", "O", "O"], "reduced_formula": "CaCO3"}, "carbon"),
        ({"species": ["Ga", "As"], "reduced_formula": "GaAs"}, "no anion of the catalogue"),
        ({"species": ["Na", "Cl"] * 11, "reduced_formula": "NaCl"}, "22 atoms"),
        ({"labels": {}}, "no hull distance"),
    ],
)
def test_what_may_not_enter(change, why):
    rock_salt = next(each for each in shelf() if each.reduced_formula == "NaCl")
    assert eligible(rock_salt)
    assert not eligible(CrystalRecord(**(vars(rock_salt) | change))), why


def test_profile_of_a_ferroelectric():
    polar = Profile(record("mp-1", materials.barium_titanate_tetragonal(), -0.001, 1.75))
    assert polar.polar_group == "4mm"
    assert polar.prototype == "perovskite"
    assert polar.family == "oxide"
    assert polar.energy_above_hull == 0.0
    assert not polar.nonpolar
    assert not polar.layered


def test_a_crystal_that_is_polar_by_a_whisker_is_neither_polar_nor_nonpolar():
    almost = materials.barium_titanate_cubic()
    almost.translate_sites([1], [0, 0, 0.02 / 4.0119])
    p = Profile(record("mp-1", almost))
    assert p.spacegroup_number == 99
    assert p.loose_spacegroup_number == 221
    assert p.polar_group is None
    assert not p.nonpolar


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (materials.sodium_chloride, "chloride"),
        (materials.germanium_telluride, "telluride"),
        (materials.zinc_oxide, "oxide"),
    ],
)
def test_family_by_the_most_electronegative_anion(make, family):
    assert Profile(record("mp-1", make())).family == family


def test_one_member_of_a_lanthanide_series_the_most_stable():
    series = [
        Profile(record(f"mp-{i}", perovskite(a_site, "Al", 3.8), energy))
        for i, (a_site, energy) in enumerate([("Nd", 0.01), ("Pr", 0.0), ("La", 0.02), ("Y", 0.03)])
    ]
    assert sorted(p.formula for p in one_of_each_series(series)) == ["LaAlO3", "PrAlO3", "YAlO3"]


def test_preference_shows_every_kind_before_the_second_of_one():
    two_perovskites = [
        Profile(record("mp-1", perovskite("Ba"), 0.0)),
        Profile(record("mp-2", perovskite("Sr"), 0.01)),
    ]
    spinel_like = Profile(record("mp-3", materials.lithium_niobate(), 0.02))
    assert [p.material_id for p in preference([*two_perovskites, spinel_like])] == ["mp-1", "mp-3", "mp-2"]


def test_a_class_keeps_its_quota_its_formulas_and_its_hull_distance():
    everything = CatalogClass("all", lambda p: True, quota=3, per_formula=1, max_energy_above_hull=0.01)
    taken = _fill(everything, preference(profiles()))
    assert len(taken) == 3
    assert len({p.formula for p in taken}) == 3
    assert all(p.energy_above_hull <= 0.01 for p in taken)


def test_polymorphic_formulas_have_a_polar_and_a_nonpolar_form():
    assert polymorphic_formulas(profiles()) == {"BaTiO3", "HfO2"}


def test_the_choice_does_not_depend_on_the_order_of_the_data():
    ids = frozenset({"mp-1", "mp-2"})
    shuffled = profiles()
    random.Random(0).shuffle(shuffled)
    chosen = choose(profiles(), ids)
    assert [(c.profile.material_id, c.classes) for c in choose(shuffled, ids)] == [
        (c.profile.material_id, c.classes) for c in chosen
    ]
    assert [c.profile.nsites for c in chosen] == sorted(c.profile.nsites for c in chosen)


def test_crystals_are_chosen_for_what_they_are(tmp_path):
    chosen = {c.profile.material_id: c.classes for c in select(data_folder(tmp_path / "data"))}
    assert {"ferroelectric search", "polar 4mm", "oxide perovskite"} <= set(chosen["mp-1"])
    assert {"ferroelectric search", "nonpolar polymorph"} <= set(chosen["mp-2"])
    assert {"switching oxide", "polar fluorite"} <= set(chosen["mp-4"])
    assert {"phase-change chalcogenide", "polar GeTe"} <= set(chosen["mp-9"])
    assert "mp-12" not in chosen, "silicon is no compound"
    assert "mp-13" not in chosen, "0.4 eV/atom above the hull"


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="smidt2020"):
        read_ferroelectric_ids(tmp_path)
