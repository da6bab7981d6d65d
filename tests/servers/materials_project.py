"""A server that speaks the Materials Project's protocol over real HTTP, and stumbles when it is told to.

    python tests/servers/materials_project.py --port 8000
    MP_API_ENDPOINT=http://127.0.0.1:8000/ MP_API_KEY=00000000000000000000000000000000 hysteron retrieve ...

It serves documents of real materials (`materials_project_documents`), listens on 127.0.0.1 only, counts every
request, and follows a list of faults. What it does not speak: object storage, POST, the routes of molecules.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from servers.materials_project_documents import Documents, from_catalog, from_data
from servers.materials_project_query import RANGES, Refusal, answer

KEY = "0123456789abcdefghijklmnopqrstuv"
VERSION = "2025.09.25"
API_VERSION = "0.87.3"


@dataclass
class Fault:
    """One thing that goes wrong, on the requests it is for.

    Attributes:
        status: Answer with this status.
        headers: With these headers, such as `{"Retry-After": "1"}`.
        truncated: Answer with this share of the body, as if it were all.
        cut: Send this share of the body, then close the connection.
        drip: Seconds between single bytes of the body.
        stall: Seconds before anything is sent.
        body: Answer with these bytes instead.
        route: Only on this route; `heartbeat` is one; by default on all but it.
        skip: Only on the page that begins here.
        times: So often; then it is over.
        wait: So many requests it is for pass unharmed first.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    truncated: float | None = None
    cut: float | None = None
    drip: float | None = None
    stall: float = 0.0
    body: bytes | None = None
    route: str | None = None
    skip: int | None = None
    times: int = 1
    wait: int = 0

    def strikes(self, route: str, given: dict[str, str]) -> bool:
        """Whether it is due on this request; counts."""
        meant = route == self.route if self.route else route != "heartbeat"
        if not meant or (self.skip is not None and int(given.get("_skip", 0)) != self.skip) or not self.times:
            return False
        if self.wait:
            self.wait -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True)
class Served:
    """A request and what became of it."""

    route: str
    given: dict[str, str]
    status: int
    fault: Fault | None

    @property
    def page(self) -> tuple[str, int]:
        """Route and how many records come before."""
        return self.route, int(self.given.get("_skip", 0))


class MaterialsProjectServer:
    """The server, running while its `with` block does.

    Args:
        documents: What it serves.
        key: The key it wants.
        version: Of the database, in the heartbeat.
        port: 0 takes a free one.

    Attributes:
        faults: To come; the first that is due is taken.
        served: Every request so far.
    """

    def __init__(self, documents: Documents, key: str = KEY, version: str = VERSION, port: int = 0) -> None:
        self.documents, self.key, self.version = documents, key, version
        self.faults: list[Fault] = []
        self.served: list[Served] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/"

    def __enter__(self) -> MaterialsProjectServer:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def serve_forever(self) -> None:
        """Until interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._http.serve_forever()

    def pages(self, route: str = "summary") -> list[int]:
        """Where the pages began that were answered whole, in order."""
        return [s.page[1] for s in self.served if s.route == route and s.status == 200 and s.fault is None]

    def reset(self) -> None:
        """Forget faults and requests."""
        self.faults.clear()
        self.served.clear()

    def due(self, route: str, given: dict[str, str]) -> Fault | None:
        """The fault for this request."""
        with self._lock:
            return next((fault for fault in self.faults if fault.strikes(route, given)), None)

    def respond(self, route: str, given: dict[str, str], key: str | None) -> tuple[int, Any]:
        """Status and body."""
        if route == "heartbeat":
            return 200, {
                "status": "OK",
                "api": "MAPI",
                "version": API_VERSION,
                "db_version": self.version,
                "suffix": "",
                "access_controlled_batch_ids": ["gnome_r2scan_statics"],
            }
        if key != self.key:
            words = "Invalid authentication credentials" if key else "No API key found in request"
            return 401, {"message": words}
        if route not in RANGES:
            return 404, {"detail": "Not Found"}
        try:
            data, total = answer(route, self.documents.of(route), given)
        except Refusal as refusal:
            return refusal.status, {"detail": refusal.detail}
        meta = {"api_version": API_VERSION, "time_stamp": "2025-11-25T12:00:00", "total_doc": total}
        return 200, {"data": data, "meta": meta}


def _handler(server: MaterialsProjectServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            route = parts.path.strip("/").removeprefix("materials/")
            given = dict(parse_qsl(parts.query))
            fault = server.due(route, given)
            status, body = server.respond(route, given, self.headers.get("x-api-key"))
            if fault is not None and fault.status is not None:
                status, body = fault.status, {"detail": "This is a fault of a test."}
            server.served.append(Served(route, given, status, fault))
            time.sleep(fault.stall if fault else 0.0)
            with contextlib.suppress(ConnectionError):
                self._send(status, orjson.dumps(body), fault)

        def _send(self, status: int, body: bytes, fault: Fault | None) -> None:
            if fault is not None and fault.body is not None:
                body = fault.body
            if fault is not None and fault.truncated is not None:
                body = body[: int(len(body) * fault.truncated)]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (fault.headers if fault else {}).items():
                self.send_header(name, value)
            self.end_headers()
            if fault is not None and fault.cut is not None:
                self.wfile.write(body[: int(len(body) * fault.cut)])
                self.close_connection = True
            elif fault is not None and fault.drip is not None:
                self._drip(body, fault.drip)
            else:
                self.wfile.write(body)

        def _drip(self, body: bytes, seconds: float) -> None:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(seconds)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


def main() -> None:
    """Serve by hand."""
    parser = argparse.ArgumentParser(description="A local server with the Materials Project's protocol.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--count", type=int, default=2000, help="Materials to serve.")
    parser.add_argument("--seed", type=int, default=0, help="Of the choice of materials.")
    parser.add_argument("--key", default="0" * 32)
    parser.add_argument("--data", help="Data folder; without one the bundled catalogue is served.")
    given = parser.parse_args()
    documents = (
        from_data(Path(given.data), given.count, given.seed) if given.data else from_catalog(given.count)
    )
    server = MaterialsProjectServer(documents, given.key, port=given.port)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
