"""The local server speaks the protocol: the real `MPRester` runs against it, and it refuses as the real one does."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from servers.materials_project import KEY
from servers.materials_project_query import PAGING, RANGES, WORDS

DATA = os.environ.get("HYSTERON_DATA_DIR")
TESTS = Path(__file__).resolve().parents[2]


def get(server, path: str, key: str | None = KEY, **given):
    headers = {"x-api-key": key} if key else {}
    return requests.get(server.url + path, params=given, headers=headers, timeout=10)


@pytest.fixture
def rester(server):
    from mp_api.client import MPRester

    with MPRester(KEY, endpoint=server.url, mute_progress_bars=True, use_document_model=False) as opened:
        yield opened


def test_the_real_client_hears_the_heartbeat(rester, server):
    assert rester.db_version == "2025.09.25"
    assert [served.route for served in server.served] == ["heartbeat", "heartbeat"]


def test_the_real_client_searches_summaries_page_by_page(rester, server):
    found = rester.materials.summary.search(
        elements=["O"], band_gap=(2, 5), fields=["material_id"], chunk_size=4
    )
    expected = {
        d["material_id"]
        for d in server.documents.of("summary")
        if "O" in d["elements"] and 2 <= (d.get("band_gap") or 0) <= 5
    }
    assert {document["material_id"] for document in found} == expected
    assert len(server.pages()) == -(-len(expected) // 4) > 2


def test_the_real_client_makes_its_own_models_of_the_documents(server):
    from mp_api.client import MPRester

    material_id = server.documents.of("summary")[0]["material_id"]
    with MPRester(KEY, endpoint=server.url, mute_progress_bars=True) as rester:
        (document,) = rester.materials.summary.search(material_ids=[material_id])
    assert len(document.structure) == document.nsites
    assert document.band_gap == server.documents.one("summary", material_id)["band_gap"]


def test_the_real_client_asks_other_routes(rester, server):
    material_id = server.documents.of("elasticity")[0]["material_id"]
    for route in ("thermo", "electronic_structure", "elasticity", "dielectric", "provenance", "magnetism"):
        (found,) = getattr(rester.materials, route).search(material_ids=[material_id])
        assert found["material_id"] == material_id, route
    (core,) = rester.materials.search(material_ids=[material_id], fields=["run_types"])
    assert list(core) == ["run_types"]


def test_the_real_client_searches_syntheses(rester):
    (found,) = rester.materials.synthesis.search(target_formula="LiFePO4")
    assert found["doi"] == "10.1149/1.1348257"
    assert rester.materials.synthesis.search(target_formula="BaTiO3") == []


@pytest.mark.parametrize("key", [None, "b" * 32])
def test_without_the_right_key_it_answers_401(server, key):
    assert get(server, "materials/summary/", key, elements="O").status_code == 401
    assert get(server, "heartbeat", key).status_code == 200


def test_refusals(server):
    assert get(server, "materials/nonsense/").status_code == 404
    unknown = get(server, "materials/summary/", colour="red")
    assert (unknown.status_code, "cannot be used: colour" in unknown.json()["detail"]) == (400, True)
    ill = get(server, "materials/summary/", nsites_max="many")
    assert ill.status_code == 422
    assert ill.json()["detail"][0]["loc"] == ["query", "nsites_max"]
    assert get(server, "materials/summary/", _limit="1001").status_code == 400
    assert get(server, "materials/synthesis/", target_formula="LiFePO4", _limit="11").status_code == 400


def test_pages_and_fields(server):
    every = get(server, "materials/summary/", _limit="1000", _fields="nsites").json()
    assert every["meta"]["total_doc"] == len(every["data"]) == 100
    assert list(every["data"][0]) == ["nsites"]
    page = get(server, "materials/summary/", _page="3", _per_page="7", _fields="nsites").json()["data"]
    assert page == every["data"][14:21]
    assert page == get(server, "materials/summary/", _skip="14", _limit="7", _fields="nsites").json()["data"]
    assert list(get(server, "materials/summary/", _limit="1").json()["data"][0]) == ["material_id"]
    ordered = get(
        server, "materials/summary/", _sort_fields="-nsites", _limit="1000", _fields="nsites"
    ).json()
    sizes = [document["nsites"] for document in ordered["data"]]
    assert sizes == sorted(sizes, reverse=True)


def test_withdrawn_materials_are_left_out_unless_asked_for(server):
    material_id = server.documents.of("summary")[0]["material_id"]
    server.documents.change("summary", material_id, deprecated=True)
    assert get(server, "materials/summary/", material_ids=material_id).json()["data"] == []
    assert (
        len(get(server, "materials/summary/", material_ids=material_id, deprecated="True").json()["data"])
        == 1
    )


@pytest.mark.skipif(not DATA, reason="needs the API documents: set HYSTERON_DATA_DIR")
@pytest.mark.parametrize("route", sorted(RANGES))
def test_its_parameters_are_those_of_the_real_one(route):
    path = Path(DATA or "") / "api_fixtures" / "materials_project" / "mp_openapi.json.gz"
    document = json.loads(gzip.decompress(path.read_bytes()))
    newer = {"elasticity": {"material_ids"}}  # mp-api 0.46 asks it
    known = newer.get(route, set()) | {
        p["name"] for p in document["paths"][f"/materials/{route}/"]["get"]["parameters"]
    }
    ranges = {f"{name}_{end}" for name in RANGES[route] for end in ("min", "max")}
    paging = ("_skip", "_limit") if route == "synthesis" else PAGING
    assert {*WORDS[route], *ranges, *paging} <= known


def test_it_can_be_started_by_hand():
    command = [sys.executable, str(TESTS / "servers" / "materials_project.py"), "--port", "0", "--count", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            answer = requests.get(url + "heartbeat", timeout=10)
        finally:
            process.terminate()
    assert url.startswith("http://127.0.0.1:")
    assert answer.json()["db_version"] == "2025.09.25"
