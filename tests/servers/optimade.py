"""An OPTIMADE provider on 127.0.0.1: the standard's routes over real HTTP, filters evaluated on documents in memory.

The filter is read by the parser of the `optimade` package and evaluated here, independently of the code under
test. `Behaviour` makes it slow, broken, hostile or a liar.
"""

from __future__ import annotations

import gzip
import json
import operator
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import gcd
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

API_VERSION = "1.2.0"
PREFIX = "_exmpl_"
JSON_API = "application/vnd.api+json"


@dataclass
class Behaviour:
    """What is unusual about a provider; the default is none of it.

    Attributes:
        statuses: Answered to the first requests of /structures, before any real answer.
        headers: Sent with them.
        error: Their body.
        hangs: Never answers a request of /structures.
        drip_seconds: Between single bytes of the body.
        drips_headers: Whether the header lines drip as well.
        cut: Announces the whole body and sends so many bytes of it, so many times.
        cuts: How many times.
        body: Sent instead of a page, whatever was asked.
        content_type: Of all answers.
        packing: `gzip`, or a name that is only claimed.
        next_link: Given the real one (or `None`) and the page's number, what stands in `links.next`.
        redirect: Given the address asked for, where it is sent instead.
        alter_page: Changes a page before it is sent.
        alter_entry: Changes an entry before it is sent; the filter has seen the true one.
        nulls_match_not: What NOT makes of a comparison with an unknown value.
        fields: What /info/structures lists; `None` lists every field of the documents.
        no_info: /info/structures answers 404.
        api_version: What it says it speaks.
        ignores_limit: Sends so many entries to a page, whatever was asked.
    """

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    error: bytes = b'{"meta": {}, "errors": [{"title": "Oops", "detail": "The database is on holiday."}]}'
    hangs: bool = False
    drip_seconds: float = 0.0
    drips_headers: bool = False
    cut: int = 0
    cuts: int = 0
    body: bytes | None = None
    content_type: str = JSON_API
    packing: str = ""
    next_link: Callable[[str | None, int], object] | None = None
    redirect: Callable[[str], str | None] | None = None
    alter_page: Callable[[dict], dict] | None = None
    alter_entry: Callable[[dict], dict] | None = None
    nulls_match_not: bool = False
    fields: tuple[str, ...] | None = None
    no_info: bool = False
    api_version: object = API_VERSION
    ignores_limit: int = 0


class Optimade:
    """A provider as a context manager.

    Args:
        entries: Resource objects of type `structures`.
        behaviour: What is unusual.
    """

    def __init__(self, entries: Iterable[dict], behaviour: Behaviour | None = None) -> None:
        self.entries = list(entries)
        self.behaviour = behaviour or Behaviour()
        self.requests: list[str] = []
        """Path and query of every request, in order."""
        self.user_agents: set[str] = set()
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base_url = f"{self.root}/optimade"

    def __enter__(self) -> Optimade:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, endpoint: str = "structures") -> list[dict[str, str]]:
        """Parameters of the requests of an endpoint."""
        parts = [urlsplit(path) for path in self.requests]
        return [
            {key: values[0] for key, values in parse_qs(part.query).items()}
            for part in parts
            if part.path.endswith(f"/v1/{endpoint}")
        ]


def entry_of(identifier: str, structure, spacegroup_number: int | None = None, **own) -> dict:
    """A pymatgen structure as an OPTIMADE entry; `own` are fields of the provider, without its prefix."""
    symbols = [site.specie.symbol for site in structure]
    elements = sorted(set(symbols))
    divisor = gcd(*(symbols.count(e) for e in elements))
    amounts = {e: symbols.count(e) // divisor for e in elements}
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    frequent = zip(letters, sorted(amounts.values(), reverse=True), strict=False)
    attributes = {
        "last_modified": "2024-05-01T12:00:00Z",
        "elements": elements,
        "nelements": len(elements),
        "elements_ratios": [symbols.count(e) / len(symbols) for e in elements],
        "chemical_formula_descriptive": "".join(f"{e}{amounts[e]}" for e in elements),
        "chemical_formula_reduced": "".join(f"{e}{n if n > 1 else ''}" for e, n in amounts.items()),
        "chemical_formula_anonymous": "".join(f"{a}{n if n > 1 else ''}" for a, n in frequent),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "nsites": len(symbols),
        "species_at_sites": symbols,
        "species": [{"name": e, "chemical_symbols": [e], "concentration": [1.0]} for e in elements],
        "assemblies": None,
        "structure_features": [],
    }
    if spacegroup_number is not None:
        attributes["space_group_it_number"] = spacegroup_number
    attributes |= {PREFIX + name: value for name, value in own.items()}
    return {"id": identifier, "type": "structures", "attributes": attributes}


def entries_of_catalog(count: int, most_sites: int = 6) -> list[dict]:
    """Crystals of the bundled catalogue, spread over it, with their gap and an invented hull distance."""
    from hysteron.retrieval.catalog.source import Catalog

    small = [c for c in Catalog().search() if len(c.structure) <= most_sites]
    chosen = small[:: max(1, len(small) // count)][:count]
    return [
        entry_of(
            f"cat-{k:04d}",
            crystal.structure,
            crystal.spacegroup_number,
            band_gap=None if k % 5 == 0 else crystal.value("band_gap"),
            stability={"pbe": {"hull_distance": None if k % 7 == 0 else k % 10 / 40}},
            hse_gap=None if k % 3 else (crystal.value("band_gap") or 0.0) + 1.0,
        )
        for k, crystal in enumerate(chosen)
    ]


def entries_of_fixtures(data_dir: Path, name: str) -> list[dict]:
    """The structures that ship with optimade-python-tools, good or bad, as its server would give them."""
    with gzip.open(data_dir / "api_fixtures" / "optimade" / f"{name}.json.gz", "rb") as content:
        rows = json.load(content)
    aliases = {
        "pretty_formula": "chemical_formula_reduced",
        "formula_anonymous": "chemical_formula_anonymous",
    }
    found = []
    for i, row in enumerate(rows):
        if "attributes" in row:
            found.append(row | {"id": f"{row['id']}-{i}"})
            continue
        fields = {aliases.get(k, k): v for k, v in row.items() if k not in ("_id", "task_id", "type")}
        if isinstance(fields.get("last_modified"), dict):
            fields["last_modified"] = fields["last_modified"]["$date"]
        found.append({"id": f"{row.get('task_id', 'none')}-{i}", "type": "structures", "attributes": fields})
    return found


def _handler_for(provider: Optimade) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_) -> None:
            pass

        def do_GET(self) -> None:
            provider.requests.append(self.path)
            provider.user_agents.add(self.headers.get("User-Agent", ""))
            try:
                self._route(urlsplit(self.path))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _route(self, parts) -> None:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            place = re.sub(r"^.*?/v1(?=/|$)", "", parts.path)
            if parts.path.endswith("/versions"):
                self._send(200, b"version\n1\n", "text/csv; header=present")
            elif place == "/structures":
                self._structures(parts, query)
            elif place == "/info/structures" and not provider.behaviour.no_info:
                self._json(200, _meta({"data": _described(provider)}, provider, None))
            elif place == "/info":
                self._json(
                    200, _meta({"data": {"type": "info", "id": "/", "attributes": {}}}, provider, None)
                )
            elif place == "/links":
                self._json(200, _meta({"data": []}, provider, None))
            else:
                self._json(404, {"meta": {}, "errors": [{"detail": "No such endpoint."}]})

        def _structures(self, parts, query) -> None:
            behaviour = provider.behaviour
            if behaviour.statuses:
                self._send(behaviour.statuses.pop(0), behaviour.error, JSON_API, behaviour.headers)
            elif behaviour.hangs:
                provider.stopped.wait()
                self.close_connection = True
            elif behaviour.redirect and (elsewhere := behaviour.redirect(provider.root + self.path)):
                self._send(307, b"", JSON_API, {"Location": elsewhere})
            elif behaviour.body is not None:
                self._send(200, behaviour.body, behaviour.content_type)
            else:
                try:
                    self._json(200, _page(provider, parts.path, query))
                except ValueError as error:
                    self._json(400, {"meta": {}, "errors": [{"detail": str(error)}]})

        def _json(self, status: int, document: dict) -> None:
            self._send(status, json.dumps(document).encode(), provider.behaviour.content_type)

        def _send(self, status: int, body: bytes, content_type: str, headers=None) -> None:
            behaviour = provider.behaviour
            drips = behaviour.drip_seconds > 0 and "/structures?" in self.path
            if drips and behaviour.drips_headers:
                self._drip(b"HTTP/1.1 200 OK\r\n" + b"X-More: yes\r\n" * 1000)
            if behaviour.packing == "gzip":
                body = gzip.compress(body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if behaviour.packing:
                self.send_header("Content-Encoding", behaviour.packing)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if behaviour.cuts > 0 and "/structures?" in self.path:
                behaviour.cuts -= 1
                self.wfile.write(body[: behaviour.cut])
                self.close_connection = True
                return
            if drips:
                self._drip(body)
            else:
                self.wfile.write(body)

        def _drip(self, content: bytes) -> None:
            for i in range(len(content)):
                if provider.stopped.is_set():
                    raise BrokenPipeError
                self.wfile.write(content[i : i + 1])
                time.sleep(provider.behaviour.drip_seconds)

    return Handler


def _page(provider: Optimade, path: str, query: dict[str, str]) -> dict:
    behaviour = provider.behaviour
    offset = int(query.get("page_offset", 0))
    limit = behaviour.ignores_limit or int(query.get("page_limit", 20))
    found = [e for e in provider.entries if "filter" not in query or selects(query["filter"], e, behaviour)]
    shown = [behaviour.alter_entry(e) if behaviour.alter_entry else e for e in found[offset : offset + limit]]
    wanted = set(query["response_fields"].split(",")) if "response_fields" in query else None
    data = [_with_fields(entry, wanted) for entry in shown]
    more = offset + limit < len(found)
    link = (
        f"{provider.root}{path}?{urlencode(query | {'page_offset': str(offset + limit)})}" if more else None
    )
    if behaviour.next_link:
        link = behaviour.next_link(link, 1 + offset // limit)
    document = _meta({"data": data, "links": {"next": link}}, provider, len(found))
    document["meta"]["more_data_available"] = more
    return behaviour.alter_page(document) if behaviour.alter_page else document


def _with_fields(entry: dict, wanted: set[str] | None) -> dict:
    """Only the fields asked for; one that is not known of an entry is null, as the standard wants it."""
    attributes = entry.get("attributes")
    if wanted is None or not isinstance(attributes, dict):
        return entry
    return entry | {"attributes": {name: attributes.get(name) for name in sorted(wanted)}}


def _meta(document: dict, provider: Optimade, returned: int | None) -> dict:
    meta = {
        "api_version": provider.behaviour.api_version,
        "query": {"representation": ""},
        "more_data_available": False,
        "data_available": 1,
        "data_returned": 1,
        "implementation": {"name": "test"},
        "provider": {"name": "Example", "description": "", "prefix": "exmpl"},
    }
    if returned is not None:
        meta |= {"data_available": len(provider.entries), "data_returned": returned}
    return {"meta": meta} | document


def _described(provider: Optimade) -> dict:
    fields = provider.behaviour.fields
    if fields is None:
        named = (e.get("attributes") for e in provider.entries)
        fields = tuple(
            sorted({name for attributes in named if isinstance(attributes, dict) for name in attributes})
        )
    properties = {name: {"description": "", "type": "string"} for name in ("id", "type", *fields)}
    return {
        "type": "info",
        "id": "structures",
        "description": "",
        "properties": properties,
        "formats": ["json"],
    }


def selects(text: str, entry: dict, behaviour: Behaviour | None = None) -> bool:
    """Whether a filter selects an entry.

    Raises:
        ValueError: it cannot be read, or uses what the standard leaves optional.
    """
    behaviour = behaviour or Behaviour()
    values = entry["attributes"] | {"id": entry["id"], "type": entry["type"]}
    return _holds(_tree(text), values, behaviour.nulls_match_not) is True


@lru_cache(maxsize=512)
def _tree(text: str):
    from lark.exceptions import LarkError

    try:
        return _parser().lark.parse(text)
    except LarkError as error:
        raise ValueError(f"Unable to parse filter: {str(error)[:80]}") from None


@lru_cache(maxsize=1)
def _parser():
    from optimade.filterparser import LarkParser

    return LarkParser(version=(1, 2, 0))


def _holds(tree, values: dict, nulls_match_not: bool) -> bool | None:
    parts = [child for child in tree.children if child is not None]
    if tree.data == "expression_phrase":
        inner = _holds(parts[-1], values, nulls_match_not)
        if len(parts) == 1:
            return inner
        return (True if nulls_match_not else None) if inner is None else not inner
    if tree.data in ("filter", "expression", "expression_clause"):
        found = [_holds(part, values, nulls_match_not) for part in parts]
        decisive = tree.data == "expression"
        if decisive in found:
            return decisive
        return None if None in found else not decisive
    if tree.data == "comparison":
        return _compared(parts[0], values)
    raise ValueError(f"not supported: {tree.data}")


_SIGNS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compared(tree, values: dict) -> bool | None:
    if tree.data != "property_first_comparison":
        raise ValueError(f"not supported: {tree.data}")
    name, right = tree.children[0], tree.children[1]
    value = values
    for key in map(str, name.children):
        value = value.get(key) if isinstance(value, dict) else None
    parts = [child for child in right.children if child is not None]
    if right.data == "known_op_rhs":
        return (value is not None) == (str(parts[1]) == "KNOWN")
    if value is None:
        return None
    if right.data == "value_op_rhs":
        return _SIGNS[str(parts[0])](value, _constant(parts[1]))
    if right.data == "fuzzy_string_op_rhs":
        part = _constant(parts[-1])
        kind = str(parts[0])
        return {"CONTAINS": part in value, "STARTS": value.startswith(part), "ENDS": value.endswith(part)}[
            kind
        ]
    if right.data == "set_op_rhs":
        words = [str(part) for part in parts if not hasattr(part, "data")]
        listed = parts[-1].children if parts[-1].data == "value_list" else [parts[-1]]
        wanted = {_constant(part) for part in listed if part is not None}
        if "ONLY" in words:
            raise ValueError("HAS ONLY is optional and not supported here")
        return bool(wanted & set(value)) if "ANY" in words else wanted <= set(value)
    raise ValueError(f"not supported: {right.data}")


def _constant(tree):
    while tree.data in ("value", "constant", "non_string_value"):
        tree = tree.children[0]
    text = str(tree.children[0])
    if tree.data == "string":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return float(text)
