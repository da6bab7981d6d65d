"""The assistants: limits, failures of an endpoint, what is told, what records in words can do."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hysteron.benchmarks.grounding_script import Case, endpoint, function_model
from hysteron.benchmarks.grounding_world import HOSTILE, HOSTILE_MATERIALS, MATERIALS, Library, Procedures
from hysteron.core.errors import SettingsError
from hysteron.retrieval.assistant.assistant import ask
from hysteron.retrieval.assistant.disclosure import disclosure
from hysteron.retrieval.assistant.limits import Limits
from hysteron.retrieval.assistant.models import address_of, chosen

QUESTION = "What is the band gap of SrTiO3?"
HONEST = "The band gap of SrTiO3 is {{mp-5229.band_gap}}."


def answered(*texts, question=QUESTION, calls=("all",), limits=None, materials=MATERIALS):
    model = function_model(Case("test", question, texts, calls))
    return ask(question, {"library": Library(materials)}, Procedures(), model, limits)


def test_an_honest_answer_is_rendered_with_unit_method_material_and_source():
    answer = answered(HONEST)
    assert not answer.fell_back
    assert " eV (PBE" in answer.text
    assert "{{" not in answer.text
    assert any("mp-5229" in line and "https://" in line for line in answer.sources)


def test_after_three_rejections_the_table_stands_alone():
    answer = answered("The gap is 7.77 eV.")
    assert answer.fell_back
    assert len(answer.rejected) == 4, "the first answer, and three more"
    assert "7.77" not in answer.text
    assert all(attempt.problems for attempt in answer.rejected)


def test_instructions_in_records_never_reach_model_or_answer():
    seen = []

    def spy(case):
        model = function_model(case)
        inner = model.function

        async def say(messages, info):
            seen.append(str(messages))
            return await inner(messages, info)

        model.function = say
        return model

    case = Case("test", QUESTION, (HONEST,), ("all", "hostile"))
    answer = ask(QUESTION, {"library": Library(MATERIALS + HOSTILE_MATERIALS)}, Procedures(), spy(case))
    assert seen
    assert not any(HOSTILE[:30] in text for text in seen)
    assert HOSTILE[:30] not in answer.report()


def test_a_limit_ends_in_what_was_retrieved():
    answer = answered(HONEST, limits=Limits(steps=1))
    assert answer.fell_back
    assert answer.notes
    assert "SrTiO3" in answer.text


def test_a_synthesis_is_answered_from_its_record_or_not_at_all():
    told = answered(
        "LiFePO4 is heated at {{recipe-1.step2.temperature}} for {{recipe-1.step2.time}}.",
        question="How is LiFePO4 made?",
        calls=("lfp",),
    )
    assert "350" in told.text
    assert "10.1000/benchmark.1" in told.report()
    absent = answered("No recipe is on record.", question="How is PbTiO3 made?", calls=("no-recipe",))
    assert "no recipe" in absent.text.lower()


class Broken(BaseHTTPRequestHandler):
    status = 500

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"error": {"message": "sk-secret-from-the-server"}}' if self.status != 200 else b"<html>"
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return None


@pytest.mark.parametrize("status", [401, 404, 200])
def test_an_endpoint_that_fails_leaves_the_planners_answer(status, monkeypatch):
    monkeypatch.setenv("HYSTERON_LLM_KEY", "sk-mine-0123456789")
    handler = type("Handler", (Broken,), {"status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        answer = ask(QUESTION, {"library": Library()}, None, f"http://127.0.0.1:{server.server_port}/v1#toy")
    finally:
        server.shutdown()
        server.server_close()
    assert answer.fell_back
    assert answer.notes
    assert "SrTiO3" in answer.text
    assert "sk-mine" not in answer.report()


def test_who_receives_what_is_said_before_the_first_call():
    said = []
    with endpoint() as (url, scripts):
        scripts["toy"] = Case("test", QUESTION, (HONEST,))
        ask(QUESTION, {"library": Library()}, None, f"{url}#toy", say=said.append)
    assert "nothing leaves" in said[0]
    hosted = disclosure(address_of("openai:some-model"), with_store=False)
    assert "api.openai.com" in hosted
    assert "no structures, no keys, nothing of your own store" in hosted


def test_which_model_is_asked(monkeypatch):
    monkeypatch.delenv("HYSTERON_LLM", raising=False)
    assert chosen() is None
    monkeypatch.setenv("HYSTERON_LLM", "ollama:small")
    assert chosen() == "ollama:small"
    assert chosen("openai:other") == "openai:other"
    assert address_of("ollama:small").local
    with pytest.raises(SettingsError):
        address_of("parrot")
