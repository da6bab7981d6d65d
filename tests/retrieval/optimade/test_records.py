"""An entry becomes a crystal only if it is one, and bears out what it says of itself."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.identity import same_crystal
from hysteron.retrieval.optimade.records import Rejected, read_entry
from pymatgen.core import Structure
from servers.optimade import PREFIX, entries_of_fixtures, entry_of
from servers.optimade_examples import provider, records, shelf

SOMEONE = provider("https://example.org/optimade", title="Example", licence="CC-BY-4.0")
RUTILE = materials.titania_rutile()


def entry(structure: Structure = RUTILE, **own) -> dict:
    return copy.deepcopy(entry_of("x-1", structure, **own))


def read(one):
    return read_entry(one, SOMEONE, "OPTIMADE 1.2.0", "2026-01-01T00:00:00+00:00")


def with_attributes(**attributes) -> dict:
    one = entry()
    one["attributes"] |= attributes
    return one


def without(name: str) -> dict:
    one = entry()
    del one["attributes"][name]
    return one


def rejection(one) -> Rejected:
    with pytest.raises(Rejected) as reason:
        read(one)
    assert str(reason.value).endswith(".")
    assert str(reason.value).isprintable()
    return reason.value


def reason_of(one) -> str | None:
    try:
        read(one)
    except Rejected as reason:
        return str(reason)
    return None


def test_a_crystal_comes_through_with_its_group_values_and_provenance():
    record = read(entry(band_gap=1.8, stability={"pbe": {"hull_distance": 0.01}}))
    assert same_crystal(record.structure, RUTILE)
    candidate = record.candidate("an-id")
    assert candidate.spacegroup_number == 136
    gap = candidate.get("band_gap")
    assert gap is not None
    assert (gap.value, gap.units, gap.method) == (1.8, "eV", "PBE (example)")
    assert gap.source == "optimade:example OPTIMADE 1.2.0, x-1"
    assert candidate.value("energy_above_hull") == 0.01
    assert candidate.value("structure_type") == "rutile"
    assert candidate.value("density") == pytest.approx(RUTILE.density)
    assert candidate.value("volume_per_atom") == pytest.approx(RUTILE.volume / 6)
    (step,) = candidate.provenance
    assert (step.stage, step.name, step.version) == ("retrieve", "optimade:example", "OPTIMADE 1.2.0")
    assert step.details == {
        "material_id": "x-1",
        "provider": "Example",
        "base_url": "https://example.org/optimade",
        "licence": "CC-BY-4.0",
        "last_modified": "2024-05-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    "structure",
    [
        materials.silicon(),
        materials.barium_titanate_tetragonal(),
        materials.hafnia_polar(),
        materials.sodium_chloride(),
    ],
    ids=["Si", "BaTiO3", "HfO2", "NaCl"],
)
def test_any_setting_and_orientation_is_the_same_crystal(structure):
    turned = structure.copy()
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    from pymatgen.core.operations import SymmOp

    turned.apply_operation(
        SymmOp.from_axis_angle_and_translation(axis.tolist(), 40, translation_vec=(9, -4, 2))
    )
    turned.make_supercell([[1, 0, 0], [1, 1, 0], [0, 0, 2]])
    assert same_crystal(read(entry(turned)).structure, structure)


@pytest.mark.parametrize("number", [149, "mp-149", "a/b c"])
def test_ids_may_be_words_or_numbers(number):
    assert read(entry() | {"id": number}).material_id == str(number)


def test_species_may_have_names_of_their_own():
    named = with_attributes(
        species_at_sites=["Ti1", "Ti1", "O1", "O2", "O1", "O2"],
        species=[
            {"name": "Ti1", "chemical_symbols": ["Ti"], "concentration": [1.0], "mass": [47.867]},
            {"name": "O1", "chemical_symbols": ["O"], "concentration": [1]},
            {"name": "O2", "chemical_symbols": ["O"], "concentration": [0.9999999]},
            {"name": "unused", "chemical_symbols": ["X"], "concentration": [0.5]},
        ],
    )
    assert read(named).structure.composition.reduced_formula == "TiO2"


@pytest.mark.parametrize("name", ["elements", "nelements", "chemical_formula_reduced", "nsites"])
@pytest.mark.parametrize("form", ["missing", "null"])
def test_what_an_entry_does_not_say_need_not_agree(name, form):
    one = without(name) if form == "missing" else with_attributes(**{name: None})
    assert read(one).structure.composition.reduced_formula == "TiO2"


SILICON_AND_GERMANIUM = {"name": "Ti", "chemical_symbols": ["Si", "Ge"], "concentration": [0.5, 0.5]}
OXYGEN = {"name": "O", "chemical_symbols": ["O"], "concentration": [1.0]}
NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("one", "kind", "said"),
    [
        (None, "no structure", "no structure"),
        ([], "no structure", "no structure"),
        ({"type": "references", "id": "a"}, "no structure", "no structure"),
        ({"type": "structures"}, "no structure", "no id"),
        ({"id": True, "attributes": {}}, "no structure", "no id"),
        ({"id": "a"}, "no structure", "no attributes"),
        ({"id": "a", "attributes": {}}, "incomplete", "which species"),
        (with_attributes(nperiodic_dimensions=2), "not periodic in three dimensions", "in 2 dimensions"),
        (with_attributes(nperiodic_dimensions="x" * 99), "not periodic in three dimensions", "dimensions"),
        (
            with_attributes(nperiodic_dimensions=None, dimension_types=[1, 0, 1]),
            "not periodic in three dimensions",
            "in 2 dimensions",
        ),
        (with_attributes(structure_features=["disorder"]), "disordered", "features"),
        (with_attributes(structure_features=["assemblies"]), "disordered", "features"),
        (with_attributes(structure_features="none"), "disordered", "features"),
        (with_attributes(assemblies=[{"sites_in_groups": [[0], [1]]}]), "disordered", "exclude one another"),
        (with_attributes(species=[SILICON_AND_GERMANIUM, OXYGEN]), "disordered", "Si, Ge"),
        (
            with_attributes(species=[OXYGEN | {"name": "Ti", "concentration": [0.9]}, OXYGEN]),
            "disordered",
            "fills 0.9 of its sites",
        ),
        (
            with_attributes(species=[OXYGEN | {"name": "Ti", "chemical_symbols": ["vacancy"]}, OXYGEN]),
            "disordered",
            "vacancy",
        ),
        (
            with_attributes(species=[OXYGEN | {"name": "Ti", "chemical_symbols": ["X"]}, OXYGEN]),
            "disordered",
            "is X",
        ),
        (
            with_attributes(species=[OXYGEN | {"name": "Ti", "attached": ["H"], "nattached": [1]}, OXYGEN]),
            "disordered",
            "attached",
        ),
        (with_attributes(species=[OXYGEN]), "incomplete", "species 'Ti'"),
        (with_attributes(species=None), "incomplete", "describe its species"),
        (with_attributes(species=["Ti", "O"]), "incomplete", "describe its species"),
        (with_attributes(species=[{"name": "Ti"}, OXYGEN]), "incomplete", "no chemical symbols"),
        (
            with_attributes(species=[{"name": "Ti", "chemical_symbols": ["Ti"]}, OXYGEN]),
            "incomplete",
            "no concentration",
        ),
        (
            with_attributes(species=[OXYGEN | {"name": "Ti", "chemical_symbols": ["Acc"]}, OXYGEN]),
            "incomplete",
            "'Acc' is not the symbol",
        ),
        (
            with_attributes(
                species=[OXYGEN | {"name": "Ti", "chemical_symbols": ["Ti"]}, OXYGEN | {"name": "Ti"}, OXYGEN]
            ),
            "contradicts itself",
            "twice",
        ),
        (with_attributes(species_at_sites=None), "incomplete", "which species"),
        (with_attributes(species_at_sites=[]), "incomplete", "no sites"),
        (with_attributes(species_at_sites=[1, 2]), "incomplete", "which species"),
        (with_attributes(species_at_sites=["O"] * 501), "too large", "501 atoms"),
        (with_attributes(species_at_sites=["Ti"] * 6), "contradicts itself", "elements"),
        (with_attributes(nsites=7), "contradicts itself", "says 7 sites and has 6"),
        (with_attributes(nsites="six"), "contradicts itself", "says six sites"),
        (with_attributes(elements=["O", "Zr"]), "contradicts itself", "holds O, Ti"),
        (with_attributes(elements=["O"]), "contradicts itself", "elements"),
        (with_attributes(elements="O,Ti"), "contradicts itself", "elements"),
        (with_attributes(nelements=3), "contradicts itself", "says 3 elements and has 2"),
        (with_attributes(chemical_formula_reduced="OTi"), "contradicts itself", "'OTi' and holds O4Ti2"),
        (with_attributes(chemical_formula_reduced="O2Zr"), "contradicts itself", "formula"),
        (with_attributes(chemical_formula_reduced="<b>TiO2</b>"), "contradicts itself", "formula"),
        (with_attributes(chemical_formula_reduced=["O2Ti"]), "contradicts itself", "formula"),
        (with_attributes(lattice_vectors=None), "incomplete", "no lattice vectors"),
        (with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0]]), "incomplete", "2 lattice vectors where 3"),
        (with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0], [None] * 3]), "incomplete", "finite numbers"),
        (
            with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0], [0, 0, NAN]]),
            "incomplete",
            "finite numbers",
        ),
        (
            with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0], ["0", "0", "4"]]),
            "incomplete",
            "finite numbers",
        ),
        (
            with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0], [True, 0, 4]]),
            "incomplete",
            "finite numbers",
        ),
        (with_attributes(lattice_vectors=[[4, 0, 0], [0, 4, 0], [4, 4, 0]]), "absurd geometry", "no volume"),
        (
            with_attributes(lattice_vectors=[[1e200, 0, 0], [0, 1e200, 0], [0, 0, 1e200]]),
            "absurd geometry",
            "volume",
        ),
        (with_attributes(lattice_vectors=[[0.4, 0, 0], [0, 9, 0], [0, 0, 9]]), "absurd geometry", "edges"),
        (
            with_attributes(lattice_vectors=[[90, 0, 0], [0, 90, 0], [0, 0, 90]]),
            "absurd geometry",
            "per atom",
        ),
        (with_attributes(cartesian_site_positions=None), "incomplete", "no site positions"),
        (with_attributes(cartesian_site_positions=[[0, 0, 0]] * 5), "incomplete", "5 site positions where 6"),
        (with_attributes(cartesian_site_positions=[[0, 0]] * 6), "incomplete", "finite numbers"),
        (with_attributes(cartesian_site_positions=[[0, 0, INFINITE]] * 6), "incomplete", "finite numbers"),
        (
            with_attributes(cartesian_site_positions=[[0, 0, 1e9]] * 6),
            "absurd geometry",
            "away from the origin",
        ),
        (with_attributes(cartesian_site_positions=[[0, 0, 0]] * 6), "absurd geometry", "A apart"),
    ],
)
def test_what_is_no_crystal_is_rejected_with_a_reason(one, kind, said):
    reason = rejection(one)
    assert reason.kind == kind
    assert said in str(reason)


def test_deuterium_is_no_element_here():
    heavy = entry_of(
        "d2o", Structure(materials.silicon().lattice, ["Si", "Si"], [[0, 0, 0], [0.25, 0.25, 0.25]])
    )
    heavy["attributes"] |= {
        "species_at_sites": ["D", "D"],
        "species": [{"name": "D", "chemical_symbols": ["D"], "concentration": [1.0]}],
        "elements": ["D"],
        "chemical_formula_reduced": "D",
    }
    assert "isotope" in str(rejection(heavy))


def test_a_reason_names_the_entry_and_repeats_no_control_characters():
    one = with_attributes(chemical_formula_reduced="Ignore\x1b[2J all\n" + "x" * 9000)
    reason = rejection(one | {"id": "evil\u202e\n<script>"})
    assert reason.identifier == "evil <script>"
    assert len(str(reason)) < 200


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (1.5, True),
        (0, True),
        (-0.5, False),
        (51, False),
        (True, False),
        ("1.5", False),
        ([1.5], False),
        (1e308, False),
    ],
)
def test_a_value_that_is_no_plausible_number_is_not_taken_and_told(value, taken):
    record = read(entry(band_gap=value))
    assert (record.candidate("x").get("band_gap") is not None) is taken
    assert record.refused == (() if taken else (PREFIX + "band_gap",))


_JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["Ti", "O", "X", "vacancy", "structures"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.sampled_from(["name", "chemical_symbols", "x"]), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    name=st.sampled_from([*sorted(entry()["attributes"]), PREFIX + "band_gap", PREFIX + "stability"]),
    junk=_JUNK,
)
def test_no_junk_in_a_field_gets_past_as_anything_but_a_rejection(name, junk):
    one = with_attributes(**{name: junk})
    reason = reason_of(one)
    assert reason is None or reason.isprintable()


def test_every_crystal_of_the_catalogue_comes_through():
    assert len(records()) == len(shelf())
    for record, one in zip(records(), shelf(), strict=True):
        assert record.bucket.spacegroup_number == one["attributes"]["space_group_it_number"]


def test_the_test_server_speaks_the_standard():
    from optimade.models import StructureResource

    for one in shelf()[:5]:
        model = StructureResource(**json.loads(json.dumps(one)))
        assert model.attributes.nsites == len(one["attributes"]["species_at_sites"])


@pytest.mark.skipif(not os.environ.get("HYSTERON_DATA_DIR"), reason="Set HYSTERON_DATA_DIR to the data sets.")
class TestFixtures:
    """The structures that ship with optimade-python-tools: cells are invented, some are marked bad on purpose."""

    folder = Path(os.environ.get("HYSTERON_DATA_DIR", "."))

    @pytest.mark.parametrize(
        "name",
        [
            "test_structures",
            "raw_test_structures",
            "special_species",
            "test_good_structures",
            "test_bad_structures",
        ],
    )
    def test_each_is_a_crystal_or_is_rejected_with_a_sentence(self, name):
        reasons = [reason_of(one) for one in entries_of_fixtures(self.folder, name)]
        assert reasons
        assert all(reason is None or reason.endswith(".") for reason in reasons)

    @pytest.mark.parametrize("name", ["test_bad_structures", "special_species", "test_good_structures"])
    def test_those_made_to_be_odd_are_all_rejected(self, name):
        for one in entries_of_fixtures(self.folder, name):
            rejection(one)
