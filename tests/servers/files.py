"""A server of files on 127.0.0.1 that knows ranges, and stumbles when it is told to.

It counts what it was asked, and follows a list of faults, one a request.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Fault:
    """What goes wrong with one request.

    Attributes:
        status: Answer with this and no body.
        headers: With these headers beside it, or beside the right answer.
        cut: Close the connection after so many bytes of the body.
        ignore_range: Send the whole file whatever was asked.
        wrong_part: Send another part than the one asked for.
        chunked: Do not say how long the file is.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    ignore_range: bool = False
    wrong_part: bool = False
    chunked: bool = False


@dataclass
class Files:
    """What the server has, and what it was asked."""

    content: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    modified: str | None = "Wed, 01 Jan 2025 00:00:00 GMT"
    faults: list[Fault] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    base: str = ""


@contextmanager
def file_server():
    """A server in a thread; yields its `Files`."""
    files = Files()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            files.asked.append({k.lower(): v for k, v in self.headers.items()})
            _answer(self, files, files.faults.pop(0) if files.faults else Fault())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that leaves is part of the game
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    files.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()


def _answer(handler, files, fault):
    body = files.content.get(handler.path)
    if fault.status or body is None:
        handler.send_response(fault.status or 404)
        for name, value in {"Content-Length": "0", **fault.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        return
    begin = _begin(handler, files, fault)
    if begin is not None and begin >= len(body):
        handler.send_response(416)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    sent = body[begin:] if begin is not None else body
    handler.send_response(200 if begin is None else 206)
    if begin is not None:
        shift = 1 if fault.wrong_part else 0
        handler.send_header("Content-Range", f"bytes {begin - shift}-{len(body) - 1}/{len(body)}")
    if files.etag:
        handler.send_header("ETag", files.etag)
    if files.modified:
        handler.send_header("Last-Modified", files.modified)
    if not fault.chunked:
        handler.send_header("Content-Length", str(len(sent)))
    else:
        handler.send_header("Transfer-Encoding", "chunked")
    for name, value in fault.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    sent = sent[: fault.cut] if fault.cut is not None else sent
    if fault.chunked:
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(sent), sent) if sent else b"")
        handler.wfile.write(b"0\r\n\r\n" if fault.cut is None else b"")
    else:
        handler.wfile.write(sent)
    handler.wfile.flush()
    handler.close_connection = fault.cut is not None


def _begin(handler, files, fault):
    """Where the part begins that was asked for; nothing if the whole file is sent."""
    asked = handler.headers.get("Range")
    validator = handler.headers.get("If-Range")
    if not asked or fault.ignore_range or (validator and validator not in (files.etag, files.modified)):
        return None
    return int(asked.removeprefix("bytes=").rstrip("-"))
