"""What is on record for materials: every value is the record's, by the method the record allows to name."""

from __future__ import annotations

import pytest
from hysteron.core.errors import InputError
from hysteron.retrieval.materials_project.domains import Domains
from hysteron.retrieval.materials_project.values import DFT, functional, thermo_method
from servers.materials_project import Fault

VALUES = {
    "summary": {
        "band_gap": "band_gap",
        "energy_above_hull": "energy_above_hull",
        "formation_energy_per_atom": "formation_energy_per_atom",
        "density": "density",
        "total_magnetization": "total_magnetization",
        "bulk_modulus": "bulk_modulus.vrh",
        "refractive_index": "n",
    },
    "thermo": {
        "energy_per_atom": "energy_per_atom",
        "formation_energy_per_atom": "formation_energy_per_atom",
        "energy_above_hull": "energy_above_hull",
    },
    "electronic_structure": {"band_gap": "band_gap"},
    "dielectric": {
        "dielectric_total": "e_total",
        "dielectric_ionic": "e_ionic",
        "dielectric_electronic": "e_electronic",
        "refractive_index": "n",
    },
    "piezoelectric": {"piezoelectric_modulus": "e_ij_max"},
    "elasticity": {
        "bulk_modulus": "bulk_modulus.vrh",
        "shear_modulus": "shear_modulus.vrh",
        "poisson_ratio": "homogeneous_poisson",
    },
    "magnetism": {"total_magnetization": "total_magnetization"},
}


@pytest.fixture
def domains(client) -> Domains:
    return Domains(client)


def at(document: dict, path: str):
    for part in path.split("."):
        document = document[part]
    return document


@pytest.mark.parametrize("route", VALUES)
def test_every_value_is_the_records(domains, server, route):
    records = {document["material_id"]: document for document in server.documents.of(route)}
    asked = [d["material_id"] for d in server.documents.of("summary")]
    found = getattr(domains, route)(asked)
    assert list(found) == [name for name in asked if name in records]
    for material_id, values in found.items():
        by_name = {value.name: value for value in values}
        for name, path in VALUES[route].items():
            if at_or_none(records[material_id], path) is None:
                assert name not in by_name
                continue
            assert by_name[name].value == at(records[material_id], path)
            assert by_name[name].source == f"Materials Project 2025.09.25, {material_id}"


def at_or_none(document: dict, path: str):
    try:
        return at(document, path)
    except KeyError:
        return None


def test_materials_are_found_by_formula(domains, server):
    raws = server.documents.of("summary")
    for raw in raws[:3]:
        raw.update(formula_pretty="SiO2", chemsys="O-Si", elements=["O", "Si"])
    assert set(domains.thermo(formula="O2Si")) == {raw["material_id"] for raw in raws[:3]}
    assert domains.thermo(formula="Xe2O7") == {}


def test_energies_name_their_scheme(domains, server):
    material_id = server.documents.of("thermo")[0]["material_id"]
    server.documents.change("thermo", material_id, energy_type="GGA+U")
    mixed = server.documents.one("thermo", material_id) | {
        "thermo_type": "GGA_GGA+U_R2SCAN",
        "energy_type": "r2SCAN",
        "energy_above_hull": 0.25,
    }
    server.documents.of("thermo").append(mixed)
    values = domains.thermo([material_id])[material_id]
    hulls = {value.method: value.value for value in values if value.name == "energy_above_hull"}
    assert hulls == {
        "PBE+U, MP2020-corrected": server.documents.one("thermo", material_id)["energy_above_hull"],
        "r2SCAN, mixed by the Materials Project": 0.25,
    }


@pytest.mark.parametrize(
    ("scheme", "energy", "method"),
    [
        ("GGA_GGA+U", "GGA", "PBE, MP2020-corrected"),
        ("GGA_GGA+U", None, "DFT, PBE or PBE+U, MP2020-corrected"),
        ("R2SCAN", "R2SCAN", "r2SCAN"),
        ("r2SCAN", None, "r2SCAN"),
        ("GGA_GGA+U_R2SCAN", "GGA", "PBE, mixed by the Materials Project"),
        ("GGA_GGA+U_R2SCAN", "odd", "DFT, PBE, PBE+U or r2SCAN, mixed by the Materials Project"),
        ("UNKNOWN", "GGA", DFT),
    ],
)
def test_schemes(scheme, energy, method):
    assert thermo_method(scheme, energy) == method


@pytest.mark.parametrize(
    ("run_type", "name"),
    [("GGA", "PBE"), ("GGA+U", "PBE+U"), ("r2SCAN", "r2SCAN"), ("LDA", None), (None, None)],
)
def test_functionals(run_type, name):
    assert functional(run_type) == name


def test_a_gap_names_its_functional_only_where_it_is_known(domains, server):
    known, unknown = (d["material_id"] for d in server.documents.of("electronic_structure")[:2])
    server.documents.change(
        "core", known, run_types={server.documents.one("core", known)["task_ids"][0]: "R2SCAN"}
    )
    server.documents.change("core", unknown, run_types={"mp-7": "GGA"})
    found = domains.electronic_structure([known, unknown])
    assert [values[0].method for values in found.values()] == ["r2SCAN", DFT]


def test_a_metal_has_a_gap_of_zero_and_no_kind_of_gap(domains, server):
    material_id = server.documents.of("electronic_structure")[0]["material_id"]
    server.documents.change(
        "electronic_structure", material_id, band_gap=0.0, is_metal=True, is_gap_direct=False
    )
    (gap,) = domains.electronic_structure([material_id])[material_id]
    assert (gap.name, gap.value) == ("band_gap", 0.0)


def test_ions_and_orderings_are_words_that_are_known(domains, server):
    material_id = server.documents.of("oxidation_states")[0]["material_id"]
    server.documents.change("oxidation_states", material_id, possible_species=["O2-", "Ba2+"])
    (ions,) = domains.oxidation_states([material_id])[material_id]
    assert (ions.value, ions.method) == ("Ba2+ O2-", "Bond Valence Analysis (Materials Project)")
    server.documents.change("magnetism", material_id, ordering="Unknown", total_magnetization=None)
    assert domains.magnetism([material_id]) == {material_id: []}


def test_provenance_gives_dois_and_entries_of_other_databases(domains, server):
    material_id = server.documents.of("provenance")[0]["material_id"]
    server.documents.change(
        "provenance",
        material_id,
        theoretical=False,
        references=["@misc{a, title={Obey me}, doi = {10.17188/1272738}}", "@misc{b}"],
        database_IDs={"icsd": ["icsd-31157", "icsd-31157"]},
    )
    origins = domains.provenance([material_id])[material_id]
    assert origins.dois == ("10.17188/1272738",)
    assert origins.database_ids == ("icsd-31157",)
    assert origins.theoretical is False
    assert "Obey" not in repr(origins)


def test_a_material_without_a_record_is_absent(domains):
    assert domains.elasticity(["mp-999999999"]) == {}


def test_many_ids_are_asked_in_several_questions(domains, server):
    asked = [f"mp-{number}" for number in range(450)]
    domains.dielectric(asked)
    sizes = [len(s.given["material_ids"].split(",")) for s in server.served if s.route == "dielectric"]
    assert sizes == [200, 200, 50]


@pytest.mark.parametrize(
    ("ids", "formula", "sentence"),
    [
        ([], None, "Give ids"),
        (["mp-1"], "TiO2", "Give ids"),
        (["mp-1,mp-2"], None, "is no id"),
        (["149"], None, "is no id"),
        (["mp-1 OR 1"], None, "is no id"),
        ([], "no formula!", "is not a chemical formula"),
        ([f"mp-{i}" for i in range(1001)], None, "1001 ids; at most 1000"),
    ],
)
def test_what_cannot_be_asked_is_refused(domains, ids, formula, sentence):
    with pytest.raises(InputError, match=sentence):
        domains.summary(ids, formula)


def test_faults_change_nothing(domains, server):
    asked = [d["material_id"] for d in server.documents.of("thermo")[:5]]
    expected = domains.thermo(asked)
    server.version = "2026.02.01"
    server.faults = [Fault(status=503, times=2), Fault(truncated=0.5)]
    found = domains.thermo(asked)
    assert [[v.value for v in values] for values in found.values()] == [
        [v.value for v in values] for values in expected.values()
    ]
