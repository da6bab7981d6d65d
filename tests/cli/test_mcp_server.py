"""The MCP server, spoken to by the real client in memory."""

import json

import anyio
import pytest
import sample_candidates as sample
from hysteron.cli.mcp_server import build
from hysteron.store.store import CandidateStore

pytest.importorskip("mcp")


@pytest.fixture
def store_url(tmp_path):
    url = str(tmp_path / "s.db")
    with CandidateStore.open(url) as store:
        store.upsert(sample.everyone())
    return url


def call(store_url: str, name: str, **arguments):
    """(the tool's result, whether it is an error)."""
    from mcp import Client

    async def talk():
        async with Client(build(store_url)) as client:
            return await client.call_tool(name, arguments)

    result = anyio.run(talk)
    return result.structured_content or json.loads(result.content[0].text), result.is_error


def test_the_tools_are_listed_with_their_words(store_url):
    from mcp import Client

    async def talk():
        async with Client(build(store_url)) as client:
            return await client.list_tools()

    tools = {tool.name: tool for tool in anyio.run(talk).tools}
    assert set(tools) == {"plan", "known", "candidates", "show", "runs"}
    assert all(tool.description for tool in tools.values())


def test_plain_words_become_a_filter(store_url):
    made, failed = call(store_url, "plan", question="lead-free oxides near the hull")
    assert not failed
    assert made["filter"] == 'NOT elements HAS "Pb" AND elements HAS "O" AND energy_above_hull <= 0.05'


def test_the_store_and_the_catalogue_answer(store_url):
    found, _ = call(store_url, "candidates", filter='formula = "BaTiO3"')
    assert [m["formula"] for m in found["materials"]] == ["BaTiO3"]
    assert "structure" not in found["materials"][0]
    whole, _ = call(store_url, "show", candidate_id=found["materials"][0]["candidate_id"])
    assert whole["structure"]
    known, _ = call(store_url, "known", filter='formula = "SrTiO3"', limit=1)
    assert known["total"] >= 1
    assert len(known["materials"]) == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plan", {"question": "cheap oxides"}),
        ("known", {"filter": "nsites > 0", "source": "cif:/etc"}),
        ("show", {"candidate_id": "nothing"}),
    ],
)
def test_what_cannot_be_done_is_an_error_in_words(store_url, name, arguments):
    from mcp import Client

    async def talk():
        async with Client(build(store_url)) as client:
            return await client.call_tool(name, arguments)

    result = anyio.run(talk)
    assert result.is_error
    assert "Traceback" not in result.content[0].text
