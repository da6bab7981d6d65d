"""Records of one crystal become one candidate, with all that was said of it."""

from __future__ import annotations

import random

import materials
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.filters import matches, parse
from hysteron.retrieval.optimade.merging import merged
from hysteron.retrieval.optimade.providers import Provider, ProviderProperty
from hysteron.retrieval.optimade.records import Record, read_entry
from pymatgen.core import Structure
from servers.optimade import entry_of

RUTILE = materials.titania_rutile()
ALPHA, BETA, GAMMA = (
    Provider(
        name=name,
        base_url="https://example.org",
        properties=(
            ProviderProperty(name="band_gap", field="_exmpl_band_gap", method=f"{method} ({name})"),
            ProviderProperty(name="energy_above_hull", field="_exmpl_hull", method=f"PBE ({name})"),
        ),
    )
    for name, method in (("alpha", "PBE"), ("beta", "r2SCAN"), ("gamma", "HSE06"))
)


def record(provider: Provider, identifier: str, structure: Structure = RUTILE, **values) -> Record:
    return read_entry(entry_of(identifier, structure, **values), provider, "OPTIMADE 1.2.0", "")


def other_setting(structure: Structure) -> Structure:
    moved = structure.copy()
    moved.translate_sites(range(len(moved)), [0.5, 0.25, 0.1])
    moved.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    return moved


@pytest.fixture(scope="module")
def three() -> list[Record]:
    return [
        record(ALPHA, "a-1", band_gap=1.8, hull=0.01),
        record(BETA, "b-1", other_setting(RUTILE), band_gap=2.2),
        record(GAMMA, "g-1", RUTILE.get_primitive_structure(), band_gap=3.1),
    ]


def test_one_crystal_of_three_providers_in_three_settings_is_one_candidate(three):
    (candidate,) = merged(three)
    assert [step.name for step in candidate.provenance] == [
        "optimade:alpha",
        "optimade:beta",
        "optimade:gamma",
    ]
    assert [step.details["material_id"] for step in candidate.provenance] == ["a-1", "b-1", "g-1"]
    assert len(candidate.structure) == 6
    assert candidate.value("band_gap") == 3.1
    assert candidate.value("band_gap", method="pbe") == 1.8
    assert candidate.value("band_gap", method="r2scan_beta") == 2.2
    assert candidate.value("energy_above_hull") == 0.01
    assert Candidate.from_record(candidate.to_record()).properties == candidate.properties
    assert len(candidate.all_of("density")) == 1


def test_the_geometry_is_that_of_the_provider_that_stands_first():
    first, second = record(ALPHA, "z-9"), record(BETA, "a-1", other_setting(RUTILE))
    (candidate,) = merged([first, second])
    assert len(candidate.structure) == 6
    assert [step.name for step in candidate.provenance] == ["optimade:alpha", "optimade:beta"]
    (other_way,) = merged([second, first])
    assert len(other_way.structure) == 12


def test_the_result_does_not_depend_on_the_order_within_a_provider(three):
    crystals = [
        record(ALPHA, f"a-{i}", structure)
        for i, structure in enumerate(
            (
                materials.silicon(),
                RUTILE,
                materials.sodium_chloride(),
                other_setting(RUTILE),
                materials.zinc_oxide(),
            )
        )
    ]
    expected = [candidate.to_record() for candidate in merged(crystals)]
    assert len(expected) == 4
    assert [each["candidate_id"] for each in expected] == sorted(each["candidate_id"] for each in expected)
    for seed in range(5):
        shuffled = random.Random(seed).sample(crystals, len(crystals))
        assert [candidate.to_record() for candidate in merged(shuffled)] == expected


def test_different_crystals_of_one_formula_stay_apart():
    tetragonal, cubic = materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
    found = merged([record(ALPHA, "a-1", tetragonal), record(BETA, "b-1", cubic)])
    assert sorted(candidate.spacegroup_number for candidate in found) == [99, 221]


def test_a_second_value_of_one_method_stands_in_the_provenance():
    (candidate,) = merged([record(ALPHA, "a-2", band_gap=1.9), record(ALPHA, "a-1", band_gap=1.8)])
    assert [value.value for value in candidate.all_of("band_gap")] == [1.8]
    first, second = candidate.provenance
    assert "other_values" not in first.details
    assert second.details["material_id"] == "a-2"
    assert second.details["other_values"] == [
        {"name": "band_gap", "value": 1.9, "units": "eV", "method": "PBE (alpha)"}
    ]


def test_values_that_come_together_do_not_break_the_filter_that_each_record_meets():
    query = parse("band_gap > 2 OR energy_above_hull < 0.05")
    records = [record(ALPHA, "a-1", band_gap=1.0, hull=0.01), record(GAMMA, "g-1", band_gap=3.0, hull=0.2)]
    assert all(matches(query, one.candidate("x")) for one in records)
    (candidate,) = merged(records, query)
    assert matches(query, candidate) is True
    exclusive = parse("NOT (band_gap > 2 AND energy_above_hull < 0.05)")
    pair = [record(ALPHA, "a-1", hull=0.01, band_gap=1.0), record(GAMMA, "g-1", band_gap=3.0)]
    assert matches(exclusive, pair[0].candidate("x")) is True
    (kept,) = merged(pair, exclusive)
    assert matches(exclusive, kept) is True
    assert kept.value("band_gap") == 1.0
    assert kept.provenance[1].details["other_values"][0]["value"] == 3.0


def test_nothing_comes_of_nothing():
    assert merged([]) == []
