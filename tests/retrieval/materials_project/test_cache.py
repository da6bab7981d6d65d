"""Pages on disk: whole or absent, never trusted when damaged, of one query and one version each."""

from __future__ import annotations

import gzip
import subprocess
import sys

import orjson
import pytest
from hysteron.core.errors import OutputError
from hysteron.core.settings import home
from hysteron.retrieval.materials_project.cache import Page, Query, QueryCache, server_folder

SERVER = "https://api.example/"
QUERY = Query("summary", {"elements": "O", "deprecated": False}, ("material_id", "structure"), 2)
PAGE = Page(2, 5, "2026-11-25T12:00:00+00:00", [{"material_id": "mp-1"}, {"material_id": "mp-2"}])


def cache(query: Query = QUERY, version: str = "2025.09.25", server: str = SERVER) -> QueryCache:
    return QueryCache(server, version, query)


def test_a_page_comes_back_as_it_was():
    cache().write(PAGE)
    assert cache().read(2) == PAGE
    assert cache().read(0) is None
    assert cache().folder.is_relative_to(home() / "cache" / "materials_project")


def test_the_order_of_criteria_and_fields_does_not_matter():
    other = Query("summary", {"deprecated": False, "elements": "O"}, ("structure", "material_id"), 2)
    cache().write(PAGE)
    assert cache(other).read(2) == PAGE


@pytest.mark.parametrize(
    "other",
    [
        {"query": Query("thermo", QUERY.criteria, QUERY.fields, 2)},
        {"query": Query("summary", {"elements": "N", "deprecated": False}, QUERY.fields, 2)},
        {"query": Query("summary", QUERY.criteria, ("material_id",), 2)},
        {"query": Query("summary", QUERY.criteria, QUERY.fields, 3)},
        {"version": "2026.02.01"},
        {"server": "https://api.example/other/"},
    ],
)
def test_another_query_version_or_server_has_pages_of_its_own(other):
    cache().write(PAGE)
    assert cache(**other).read(2) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"not gzip",
        lambda content: content[:40] + bytes([content[40] ^ 255]) + content[41:],
        lambda content: gzip.compress(b"[1]"),
        lambda content: gzip.compress(b'{"query": "another", "skip": 2}'),
        lambda content: gzip.compress(gzip.decompress(content).replace(b'"skip":2', b'"skip":4')),
        lambda content: gzip.compress(gzip.decompress(content).replace(b'"total":5', b'"total":"5"')),
        lambda content: gzip.compress(gzip.decompress(content)[:-1]),
    ],
)
def test_a_damaged_page_is_absent(damage):
    cache().write(PAGE)
    path = cache().folder / "page-00000002.json.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert cache().read(2) is None


def test_the_total_is_that_of_this_query_only():
    one = cache()
    assert one.total() is None
    one.begin(5)
    assert one.total() == 5
    described = orjson.loads((one.folder / "query.json").read_bytes())
    assert (described["route"], described["version"]) == ("summary", "2025.09.25")
    (one.folder / "query.json").write_bytes(orjson.dumps(described | {"version": "2024.01.01"}))
    assert one.total() is None
    (one.folder / "query.json").write_bytes(b"{")
    assert one.total() is None


def test_pages_of_older_versions_are_removed_and_named():
    old, new, elsewhere = cache(version="2024.11.14"), cache(), cache(server="https://other.example/")
    for one in (old, new, elsewhere):
        one.write(PAGE)
    assert new.prune() == ["2024.11.14"]
    assert (old.read(2), new.read(2), elsewhere.read(2)) == (None, PAGE, PAGE)


@pytest.mark.parametrize("version", ["../../../etc", "a/b", "..", "2025.09.25\n"])
def test_no_version_leads_out_of_the_folder(version):
    folder = cache(version=version).folder.resolve()
    assert folder.is_relative_to(server_folder(SERVER).resolve())
    assert folder.parent != server_folder(SERVER)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file in the way")
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    with pytest.raises(OutputError, match="Set HYSTERON_HOME to a folder that can be written"):
        cache().write(PAGE)


WRITER = """
import orjson, sys
from hysteron.retrieval.materials_project.cache import Page, Query, QueryCache
skip, total, fetched, documents = orjson.loads(sys.argv[1])
criteria = {"elements": "O", "deprecated": False}
query = Query("summary", criteria, ("material_id", "structure"), 2)
cache = QueryCache("https://api.example/", "2025.09.25", query)
for _ in range(150):
    cache.write(Page(skip, total, fetched, documents))
"""


def test_two_processes_may_write_one_page():
    page = orjson.dumps([PAGE.skip, PAGE.total, PAGE.fetched, PAGE.documents]).decode()
    command = [sys.executable, "-c", WRITER, page]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    seen = []
    while any(writer.poll() is None for writer in writers):
        seen.append(cache().read(2))
    for writer in writers:
        assert writer.wait() == 0, writer.communicate()[1]
    assert {page is None or page == PAGE for page in seen} == {True}
    assert cache().read(2) == PAGE
    assert [path.name for path in cache().folder.iterdir()] == ["page-00000002.json.gz"]
