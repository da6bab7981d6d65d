"""Endpoints that hang, loop, redirect or invent tools: the user gets what was retrieved, in time, and a sentence."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hysteron.benchmarks.grounding_script import CALLS
from hysteron.benchmarks.grounding_world import Library, Procedures
from hysteron.retrieval.assistant import assistant
from hysteron.retrieval.assistant.assistant import ask
from hysteron.retrieval.assistant.limits import Limits

QUESTION = "What is the band gap of SrTiO3?"


@contextmanager
def server(respond):
    """An endpoint on this machine; `respond(request)` gives (status, headers, body)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, body = respond(request)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return None

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1#toy"
    finally:
        running.shutdown()
        running.server_close()


def calling(name, arguments):
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "toy",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def always_searching(request):
    """The supervisor delegates, the assistant searches; neither ever answers."""
    tools = {tool["function"]["name"] for tool in request["tools"]}
    _, tool, arguments = CALLS["all"]
    return (
        calling(tool, arguments) if "search" in tools else calling("ask_thermo", {"request": "all records"})
    )


def asked(url, **limits):
    return ask(QUESTION, {"library": Library()}, Procedures(), url, Limits(**limits))


def test_a_hanging_endpoint_is_left_in_time(monkeypatch):
    monkeypatch.setattr(assistant, "GRACE_SECONDS", 0.5)
    release = threading.Event()

    def hang(request):
        release.wait(20)
        return 200, {}, b""

    with server(hang) as url:
        began = time.monotonic()
        answer = asked(url, seconds=0.3)
        release.set()
    assert time.monotonic() - began < 5
    assert answer.fell_back
    assert any("0.3 seconds" in note for note in answer.notes)


def test_a_source_that_hangs_does_not_hold_the_answer(monkeypatch):
    monkeypatch.setattr(assistant, "GRACE_SECONDS", 0.1)
    release = threading.Event()

    class Slow(Library):
        def search(self, query=None):
            release.wait(20)
            return super().search(query)

    with server(always_searching) as url:
        began = time.monotonic()
        answer = ask(QUESTION, {"library": Slow()}, None, url, Limits(seconds=0.5))
        release.set()
    assert time.monotonic() - began < 5
    assert answer.fell_back
    assert any("planner is not asked" in note for note in answer.notes)


def test_a_loop_of_tool_calls_ends_in_the_table():
    with server(always_searching) as url:
        answer = asked(url, steps=6)
    assert answer.fell_back
    assert answer.usage.requests <= 6
    assert any("6 steps" in note for note in answer.notes)
    assert "SrTiO3" in answer.text


def test_a_token_limit_ends_in_the_table():
    with server(always_searching) as url:
        answer = asked(url, tokens=40)
    assert answer.fell_back
    assert any("40 tokens" in note for note in answer.notes)


def test_tools_that_do_not_exist_are_no_traceback():
    with server(lambda request: calling("launch_rocket", {"now": True})) as url:
        answer = asked(url)
    assert answer.fell_back
    assert any("cannot be used" in note for note in answer.notes)


def test_a_redirect_takes_neither_key_nor_question_elsewhere(monkeypatch):
    monkeypatch.setenv("HYSTERON_LLM_KEY", "sk-mine-0123456789")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    elsewhere = []

    def other(request):
        elsewhere.append(request)
        return 200, {}, b"{}"

    with server(other) as target:

        def redirect(request):
            return 307, {"Location": target.replace("#toy", "/chat/completions")}, b""

        with server(redirect) as url:
            answer = asked(url)
    assert answer.fell_back
    assert elsewhere == []
    assert "sk-mine" not in answer.report()


def test_a_refused_connection_is_a_sentence():
    with server(lambda request: (200, {}, b"")) as url:
        pass
    answer = asked(url)
    assert answer.fell_back
    assert any("cannot be reached" in note for note in answer.notes)
    assert "SrTiO3" in answer.text, "the planner answers"
