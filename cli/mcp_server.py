"""`hysteron mcp`: the store, the sources and the planner as tools of the Model Context Protocol.

The Materials Project's own server (`mp_api.mcp`) searches and fetches its summaries; it knows neither a store of
candidates nor our filters. This one speaks over standard input and output and listens nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .output import StoreOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server import MCPServer

    from ..core.candidate import Candidate

MOST = 100
INSTRUCTIONS = (
    "Known and generated crystals with properties, each with unit, method and source. 'plan' turns plain words into an "
    "OPTIMADE filter and refuses what it does not understand; 'known' asks databases; 'candidates', 'show' and 'runs' ask "
    "the user's own store. Quote numbers only from results, with their method."
)


def mcp(store: StoreOption = None) -> None:
    """Serve store, sources and planner to a language model's program, over standard input and output (MCP)."""
    build(store).run("stdio")


def build(store: str | None) -> MCPServer:
    """The server with its tools.

    Raises:
        MissingDataError: the package `mcp` is not installed.
    """
    from ..core.errors import MissingDataError

    try:
        from mcp.server import MCPServer
    except ImportError:
        raise MissingDataError('Serving MCP needs its package: pip install "hysteron[mcp]".') from None
    server = MCPServer("hysteron", instructions=INSTRUCTIONS)
    for tool in tools(store):
        server.tool()(tool)
    return server


def tools(store: str | None) -> list[Any]:
    """The functions that a model may call; their words are what it reads of them."""

    def plan(question: str) -> dict[str, Any]:
        """Turn a question in plain English into an OPTIMADE filter, with every assumption made."""
        from dataclasses import asdict

        from ..retrieval.planner.planner import plan as planned

        return asdict(planned(question))

    def known(filter: str, source: str = "catalog", limit: int = 20) -> dict[str, Any]:
        """Known materials that an OPTIMADE filter matches: source catalog, materials-project or optimade:NAME."""
        from ..core.errors import InputError
        from ..retrieval.answer import carry_out
        from ..retrieval.plan import Plan
        from .ask import source_named

        if source.partition(":")[0] not in ("catalog", "materials-project", "optimade"):
            raise InputError(f"No source {source!r} here. Known: catalog, materials-project, optimade:NAME.")
        found = carry_out(Plan("", filter, limit=_most(limit)), source_named(source, store))
        return {"source": found.source, "version": found.version, "total": found.total} | _told(
            found.candidates
        )

    def candidates(filter: str = "nsites > 0", sort: str = "candidate_id", limit: int = 20) -> dict[str, Any]:
        """Candidates of the user's own store by OPTIMADE filter; sort by a property, a leading - for greatest first."""
        with _opened(store) as opened:
            found = opened.query(
                filter, sort=sort.lstrip("-"), descending=sort.startswith("-"), limit=_most(limit)
            )
            return {"total": opened.count(filter)} | _told(found)

    def show(candidate_id: str) -> dict[str, Any]:
        """One candidate of the store in full: structure, properties, verdicts with reasons, lineage."""
        with _opened(store) as opened:
            return opened.get(candidate_id).to_record()

    def runs(limit: int = 20) -> list[dict[str, Any]]:
        """The discovery runs the store holds, newest first."""
        from dataclasses import asdict

        with _opened(store) as opened:
            return [asdict(row) for row in opened.runs(_most(limit))]

    return [plan, known, candidates, show, runs]


def _opened(store: str | None):
    from ..store.store import CandidateStore

    return CandidateStore.open(store, create=False)


def _most(limit: int) -> int:
    return max(1, min(limit, MOST))


def _told(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Properties without coordinates: what an answer quotes."""
    return {"materials": [_without_structure(candidate.to_record()) for candidate in candidates]}


def _without_structure(record: dict[str, Any]) -> dict[str, Any]:
    kept = ("candidate_id", "formula", "spacegroup_number", "properties")
    verdicts = [{k: v[k] for k in ("screen", "passed", "reason")} for v in record["verdicts"]]
    return {name: record[name] for name in kept} | {"verdicts": verdicts}
