"""All pages of a query: each fetched once whatever happens, all of one database version."""

from __future__ import annotations

import gzip
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
from hysteron.core.errors import StageError
from hysteron.core.settings import home
from hysteron.retrieval.materials_project.cache import Query
from hysteron.retrieval.materials_project.client import Client
from hysteron.retrieval.materials_project.pages import gather
from hysteron.retrieval.materials_project.session import Clock, Patience
from servers.materials_project import KEY, Fault

PAGES = 20
QUERY = Query(
    "summary",
    {"nelements_min": 1, "deprecated": False, "_sort_fields": "material_id"},
    ("material_id", "formula_pretty", "band_gap"),
    5,
)
EVERY_PAGE = [5 * i for i in range(PAGES)]


def ids(gathered) -> list[str]:
    return [document["material_id"] for document in gathered.documents()]


@pytest.fixture
def expected(server) -> list[str]:
    return sorted(document["material_id"] for document in server.documents.of("summary"))


def test_every_page_is_fetched_once_and_read_from_disk_afterwards(client, server, expected):
    gathered = gather(client, [QUERY])
    assert (ids(gathered), gathered.missing, gathered.version) == (expected, 0, "2025.09.25")
    assert ids(gathered) == expected
    assert ids(gather(Client(server.url), [QUERY])) == expected
    assert server.pages() == EVERY_PAGE


FAULTS = {
    "a storm of 429": [
        Fault(status=429, headers={"Retry-After": "1"}, skip=skip, times=2) for skip in EVERY_PAGE
    ],
    "500 and 503 in turn": [Fault(status=500 if s % 2 else 503, skip=s, times=2) for s in EVERY_PAGE],
    "a cut in the middle of page 7": [Fault(cut=0.5, skip=30)],
    "JSON that breaks off on page 7": [Fault(truncated=0.5, skip=30)],
    "a heartbeat that fails": [Fault(status=502, route="heartbeat")],
    "a page that is no JSON": [Fault(body=b"<html>Bad gateway</html>", skip=45)],
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_disturbed_answer_is_the_undisturbed_one_and_nothing_is_fetched_twice(
    client, server, expected, name
):
    faults = [Fault(**vars(fault)) for fault in FAULTS[name]]
    server.faults = list(faults)
    assert ids(gather(client, [QUERY])) == expected
    assert server.pages() == EVERY_PAGE
    assert not any(fault.times for fault in faults), "every fault has struck"


def test_the_heartbeats_of_mp_api_may_fail(client, server, expected):
    server.faults = [Fault(status=500, route="heartbeat", wait=1, times=2)]
    assert ids(gather(client, [QUERY])) == expected


def test_a_query_that_was_given_up_goes_on_at_the_missing_page(client, server, expected):
    server.faults = [Fault(status=500, skip=30, times=99)]
    with pytest.raises(StageError, match="What was retrieved so far is kept"):
        gather(client, [QUERY])
    assert server.pages() == EVERY_PAGE[:6]
    server.faults.clear()
    assert ids(gather(Client(server.url), [QUERY])) == expected
    assert server.pages() == EVERY_PAGE


def retrieve(address: str) -> list[str]:
    """In a process of its own."""
    return ids(gather(Client(address, Patience(attempts=2), Clock(sleep=lambda _: None)), [QUERY]))


def retrieve_in_processes(address: str, count: int = 1) -> list[list[str]]:
    with multiprocessing.get_context("fork").Pool(count) as pool:
        return pool.map(retrieve, [address] * count, chunksize=1)


def test_another_process_goes_on_where_one_was_stopped(client, server, expected):
    server.faults = [Fault(cut=0.5, skip=30, times=99)]
    with pytest.raises(StageError):
        retrieve_in_processes(server.url)
    server.faults.clear()
    assert retrieve_in_processes(server.url) == [expected]
    assert server.pages() == EVERY_PAGE


def test_two_processes_at_once_share_their_pages_and_agree(client, server, expected):
    assert retrieve_in_processes(server.url, 2) == [expected, expected]
    assert len(server.pages()) <= 2 * PAGES
    server.served.clear()
    assert ids(gather(client, [QUERY])) == expected
    assert server.pages() == []


def test_threads_may_share_a_client(client, server, expected):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ids(gather(client, [QUERY])), range(4)))
    assert answers == [expected] * 4


def test_a_damaged_page_is_fetched_again_and_no_other(client, server, expected):
    gather(client, [QUERY])
    server.served.clear()
    (damaged,) = home().rglob("page-00000035.json.gz")
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert ids(gather(client, [QUERY])) == expected
    assert server.pages() == [35]


def test_a_page_that_vanishes_meanwhile_is_fetched_again(client, server, expected):
    gathered = gather(client, [QUERY])
    (page,) = home().rglob("page-00000035.json.gz")
    page.unlink()
    assert ids(gathered) == expected


def test_a_new_database_version_is_fetched_afresh_and_the_old_pages_removed(client, server, expected):
    gather(client, [QUERY])
    server.version = "2026.02.01"
    server.documents.change("summary", expected[0], band_gap=7.25)
    gathered = gather(client, [QUERY])
    assert next(gathered.documents())["band_gap"] == 7.25
    assert (gathered.version, gathered.pruned) == ("2026.02.01", ("2025.09.25",))
    assert server.pages() == EVERY_PAGE * 2
    assert not list(home().rglob("2025.09.25"))


def test_a_version_that_changes_on_the_way_begins_again(client, server, expected, monkeypatch):
    fetch = client.fetch

    def change_on_page_7(query, skip):
        if skip == 30:
            server.version = "2026.02.01"
        return fetch(query, skip)

    monkeypatch.setattr(client, "fetch", change_on_page_7)
    gathered = gather(client, [QUERY])
    assert (ids(gathered), gathered.version) == (expected, "2026.02.01")
    assert not list(home().rglob("2025.09.25"))


def test_a_count_that_changes_on_the_way_begins_again(client, server, expected, monkeypatch):
    fetch = client.fetch

    def lose_some_on_page_7(query, skip):
        if skip == 30 and len(server.documents.of("summary")) == 100:
            del server.documents.of("summary")[:10]
        return fetch(query, skip)

    monkeypatch.setattr(client, "fetch", lose_some_on_page_7)
    gathered = gather(client, [QUERY])
    assert ids(gathered) == sorted(document["material_id"] for document in server.documents.of("summary"))
    assert gathered.totals == (90,)


def test_data_that_never_stand_still_are_given_up(client, server, monkeypatch):
    versions = iter(f"2026.01.{day:02d}" for day in range(1, 29))
    monkeypatch.setattr(client, "ask_version", lambda: next(versions))
    with pytest.raises(StageError, match="changed 3 times while it was read"):
        gather(client, [QUERY])


def test_records_that_were_counted_and_not_sent_are_told(client, server):
    server.faults = [Fault(body=b'{"data": [{"material_id": "mp-1"}], "meta": {"total_doc": 100}}', skip=0)]
    assert gather(client, [QUERY]).missing == 4


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"data": []}',
        b'{"data": [], "meta": {"total_doc": -1}}',
        b'{"data": [], "meta": {"total_doc": "many"}}',
        b'{"data": [], "meta": {"total_doc": true}}',
    ],
)
def test_an_answer_that_is_no_page_is_refused(client, server, body):
    server.faults = [Fault(body=body, times=99)]
    with pytest.raises(StageError, match=r"is no page of records|cannot be read"):
        gather(client, [QUERY])


def test_a_query_without_a_criterion_never_leaves(client, server):
    with pytest.raises(ValueError, match="without a criterion"):
        gather(client, [Query("summary", {})])
    assert [served.route for served in server.served] == ["heartbeat"]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"db_version": ""}', b'{"db_version": "../../x"}', b'{"db_version": 3}']
)
def test_a_heartbeat_without_a_version_is_refused(client, server, body):
    server.faults = [Fault(body=body, route="heartbeat", times=99)]
    with pytest.raises(StageError, match="names no database version"):
        client.ask_version()


def test_the_version_is_asked_afresh_in_a_long_running_process(client, server):
    assert client.version == "2025.09.25"
    server.version = "2026.02.01"
    assert client.ask_version() == client.version == "2026.02.01"


def test_what_the_server_refuses_is_said_without_the_key(client, server):
    with pytest.raises(StageError, match="does not support the request made to") as caught:
        gather(client, [Query("summary", {"nonsense": 1})])
    assert KEY not in str(caught.value)
    with pytest.raises(StageError, match="nelements_min - Input should be a valid integer"):
        gather(client, [Query("summary", {"nelements_min": "two"})])


def test_a_wrong_key_is_said_in_a_sentence(server, monkeypatch):
    monkeypatch.setenv("MP_API_KEY", "b" * 32)
    with pytest.raises(Exception, match=r"refused the key in MP_API_KEY \(401\)"):
        gather(Client(server.url), [QUERY])


def test_no_file_of_the_cache_holds_the_key(client, server):
    server.faults = [Fault(status=429, times=2), Fault(cut=0.5)]
    server.documents.change("summary", server.documents.of("summary")[0]["material_id"], formula_pretty=KEY)
    gather(client, [QUERY])
    files = [path for path in home().rglob("*") if path.is_file()]
    assert len(files) == PAGES + 1
    for path in files:
        content = path.read_bytes()
        assert KEY.encode() not in (gzip.decompress(content) if path.suffix == ".gz" else content)
