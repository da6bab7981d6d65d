"""The catalogue as a source: filters, provenance, refusals."""

from __future__ import annotations

import gzip
import json

import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Source
from hysteron.core.errors import FilterError, MissingDataError
from hysteron.core.filters import matches, parse
from hysteron.core.registry import load
from hysteron.retrieval import SOURCES
from hysteron.retrieval.catalog.build import build_catalog
from hysteron.retrieval.catalog.source import Catalog
from toy_catalog import ToyRelaxer, data_folder


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Catalog:
    folder = tmp_path_factory.mktemp("catalog")
    build_catalog(
        data_folder(folder / "data"),
        folder / "catalog.jsonl.gz",
        ToyRelaxer(),
        work_dir=folder / "work",
        date="2026-01-31",
    )
    return Catalog(folder / "catalog.jsonl.gz")


def found(catalog: Catalog, text: str) -> list[str]:
    return sorted(c.formula for c in catalog.search(parse(text)))


def test_it_is_a_source_and_registered(catalog):
    assert isinstance(catalog, Source)
    assert load("catalog", SOURCES, "hysteron.sources") is Catalog
    assert catalog.version.startswith("2026-01-31 ")


def test_every_candidate_says_where_it_came_from(catalog):
    for candidate in catalog.search():
        retrieved, relaxed = candidate.provenance
        assert (retrieved.stage, retrieved.name, retrieved.version) == (
            "retrieve",
            "catalog",
            catalog.version,
        )
        assert retrieved.details["material_id"].startswith("mp-")
        assert (relaxed.stage, relaxed.name) == ("relax", "Toy 1.0")
        assert relaxed.details["steps"] == 7
        assert relaxed.details["converged"] == (candidate.formula != "NaCl")
        assert {p.method for p in candidate.all_of("energy_per_atom")} == {"Toy 1.0"}
        assert all(p.source for p in candidate.properties)


def test_records_survive_the_round_trip(catalog):
    for candidate in catalog.search():
        assert Candidate.from_record(json.loads(json.dumps(candidate.to_record()))) == candidate


def test_what_did_not_converge_says_so(catalog):
    (salt,) = catalog.search(parse('formula = "NaCl"'))
    assert "Not converged after 7 steps" in salt.failures[0].reason


def test_an_unknown_gap_is_absent(catalog):
    (salt,) = catalog.search(parse('formula = "NaCl"'))
    assert salt.get("band_gap") is None
    assert "NaCl" not in found(catalog, "band_gap > 0") + found(catalog, "NOT band_gap > 0")
    assert found(catalog, "band_gap IS UNKNOWN") == ["NaCl"]


def test_gaps_name_method_and_material(catalog):
    (vanadia,) = catalog.search(parse('formula = "VO2"'))
    gap = vanadia.get("band_gap")
    assert gap is not None
    assert (gap.value, gap.method) == (0.0, "PBE+U")
    assert gap.source == "Materials Project 2018-2022, mp-8"


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ('elements HAS ALL "Ti","O"', ["BaTiO3", "BaTiO3", "TiO2"]),
        ('elements HAS "O" AND band_gap > 3', ["HfO2", "HfO2", "LiNbO3"]),
        ("spacegroup_number = 99", ["BaTiO3"]),
        ("nelements = 2 AND nsites < 5", ["ZnO"]),
        ('chemsys = "Hf-O"', ["HfO2", "HfO2"]),
        ('chemical_formula_reduced = "O3TiBa"', ["BaTiO3", "BaTiO3"]),
        ('origin = "catalog" AND formula = "ZnO"', ["ZnO"]),
        ("energy_per_atom < -0.6 AND nsites = 5", ["BaTiO3", "BaTiO3"]),
        ("band_gap.pbe > 1.9 AND nsites = 10", ["LiNbO3"]),
        ('elements HAS "Xe"', []),
    ],
)
def test_filters(catalog, text, formulas):
    assert found(catalog, text) == formulas


@pytest.mark.parametrize(
    "text", ["volume_per_atom > 10", 'elements HAS ONLY "Ti","O"', 'NOT formula = "ZnO"']
)
def test_a_filter_on_rows_says_what_it_says_on_candidates(catalog, text):
    query = parse(text)
    expected = [c.candidate_id for c in catalog.search() if matches(query, c)]
    assert [c.candidate_id for c in catalog.search(query)] == expected
    assert expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('run_id HAS "x"', "store of candidates"),
        ('band_gap > 1 AND NOT passes HAS "ferroelectric"', "store of candidates"),
        ("energy_above_hull < 0.05", "does not hold energy_above_hull"),
        ("nsites < 5 OR polarization > 1", "does not hold polarization"),
        ("band_gap.hse06 > 2", "its band_gap is by PBE or PBE[+]U"),
    ],
)
def test_a_filter_that_cannot_match_is_refused_at_once(catalog, text, sentence):
    with pytest.raises(FilterError, match=sentence):
        catalog.search(parse(text))


def test_no_catalogue_at_the_path_is_said(tmp_path):
    with pytest.raises(MissingDataError, match="There is no file"):
        Catalog(tmp_path / "none.jsonl.gz")


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip",
        gzip.compress(b""),
        gzip.compress(b'{"format": 1}\n'),
        gzip.compress(b"[1]\n"),
        gzip.compress(b'{"format": 99}\n'),
        gzip.compress(
            b'{"date":"x","potential":"x","energy_scale":"x","weights":"x","relaxer":"x","format":1}\n{}\n'
        ),
    ],
)
def test_a_damaged_catalogue_is_a_sentence(tmp_path, content):
    path = tmp_path / "catalog.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(MissingDataError, match="data build catalog"):
        Catalog(path)


def test_the_one_at_home_wins_over_the_shipped_one(tmp_path, monkeypatch, catalog):
    home = tmp_path / "home"
    build_catalog(
        data_folder(tmp_path / "data"), home / "data" / "catalog.jsonl.gz", ToyRelaxer(), work_dir=tmp_path
    )
    monkeypatch.setenv("HYSTERON_HOME", str(home))
    assert len(Catalog()) == len(catalog)


class ToyHull:
    """Every compound lies 0.1 eV/atom above it; each element's reference is -1 eV/atom."""

    name = "toy-hull"

    def __init__(self, potential_name):
        self.potential_name = potential_name

    def distances(self, items):
        from hysteron.core.contracts import HullDistance

        return [
            HullDistance(1.0 if len(c.elements) == 1 and e == 0.0 else 0.1, 0.02, ()) for c, e, _ in items
        ]


def test_a_hull_that_is_handed_in_adds_distances_and_formation_energies():
    catalog = Catalog()
    with_hull = Catalog(hull=lambda: ToyHull(catalog.header.potential))
    found = list(with_hull.search(parse('formula = "BaTiO3" AND energy_above_hull < 0.2')))
    assert found
    for candidate in found:
        assert candidate.get("energy_above_hull").source == "toy-hull"
        expected = candidate.value("energy_per_atom") + 1.0
        assert candidate.value("formation_energy_per_atom") == pytest.approx(expected)
    assert list(with_hull.search(parse("energy_above_hull < 0.05 AND nsites = 5"))) == []
    with pytest.raises(FilterError, match="does not hold energy_above_hull"):
        catalog.search(parse("energy_above_hull < 0.05"))


def test_a_hull_of_another_potential_is_not_used():
    catalog = Catalog(hull=lambda: ToyHull("Other 1.0"))
    assert next(catalog.search(parse('formula = "BaTiO3"'))).get("energy_above_hull") is None


def test_structure_types_and_densities_are_known():
    """X-ray densities: BaTiO3 6.02, MgO 3.58, ZnO 5.68 g/cm^3; CHGNet's cells are some per cent larger."""
    catalog = Catalog()
    for formula, kind, density in (("BaTiO3", "perovskite", 6.02), ("MgO", "rock salt", 3.58)):
        found = list(catalog.search(parse(f'formula = "{formula}" AND structure_type = "{kind}"')))
        assert found
        assert all(c.value("density") == pytest.approx(density, rel=0.08) for c in found)
