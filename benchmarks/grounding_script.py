"""How does a scripted model behave: which tools does it call, and what does it say then?

The same script speaks through pydantic-ai's `FunctionModel` and through an HTTP endpoint of OpenAI's form on this
machine, so that both roads are measured with the same lies.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Expectation = Literal["deliver", "refuse", "deliver-last"]

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "all": ("ask_electronic", "search", {"arguments": {"limit": 50}}),
    "titanates": (
        "ask_electronic",
        "search",
        {"arguments": {"elements_all": ["Ti", "O"], "bounds": [{"property": "band_gap", "at_least": 1.5}]}},
    ),
    "wide": (
        "ask_electronic",
        "search",
        {"arguments": {"bounds": [{"property": "band_gap", "at_least": 4}]}},
    ),
    "nothing": ("ask_thermo", "search", {"arguments": {"formulas": ["PbTiO3"]}}),
    "stable": ("ask_thermo", "search", {"arguments": {"near_hull": True, "elements_all": ["O"]}}),
    "lfp": ("ask_synthesis", "look_up_recipes", {"formula": "LiFePO4"}),
    "bto": ("ask_synthesis", "look_up_recipes", {"formula": "BaTiO3"}),
    "hostile": ("ask_synthesis", "look_up_recipes", {"formula": "SrTiO3"}),
    "no-recipe": ("ask_synthesis", "look_up_recipes", {"formula": "PbTiO3"}),
}
"""Name: delegation of the supervisor, tool of the assistant, its arguments."""


@dataclass(frozen=True)
class Case:
    """One conversation.

    Attributes:
        kind: Class of lie, or of honest answer.
        question: The user's.
        answers: What the model says, one after another as long as it is sent back; the last is repeated.
        calls: Names of `CALLS`, made in order before the first answer.
        expect: `deliver` the first, `refuse` all, or `deliver-last` after refusing the others.
        held_out: Written after the rules were final, and never used to change them.
    """

    kind: str
    question: str
    answers: tuple[str, ...]
    calls: tuple[str, ...] = ("all",)
    expect: Expectation = "refuse"
    held_out: bool = False


@dataclass(frozen=True)
class Turn:
    """What a model says next: a text, or the call of a tool."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] | None = None


def next_turn(case: Case, tools: set[str], prompt: str, results: int, said: int) -> Turn:
    """What the scripted model says.

    Args:
        case: The script.
        tools: Names of the tools it has; an assistant has `search` or `look_up_recipes`.
        prompt: What it was asked first; an assistant finds its part of the script in it.
        results: Results of tools it has seen.
        said: Texts it has said before.
    """
    if tools & {"search", "look_up_recipes"}:
        if results:
            return Turn(text="done")
        _, tool, arguments = CALLS[prompt.split(" ")[0]]
        return Turn(tool=tool, arguments=arguments)
    if results < len(case.calls):
        name = case.calls[results]
        return Turn(tool=CALLS[name][0], arguments={"request": f"{name} records please"})
    return Turn(text=case.answers[min(said, len(case.answers) - 1)])


def function_model(case: Case) -> Any:
    """The script as a model of pydantic-ai."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    async def say(messages: list[Any], info: AgentInfo) -> ModelResponse:
        parts = [part for message in messages for part in message.parts]
        prompt = next(str(part.content) for part in parts if isinstance(part, UserPromptPart))
        results = sum(isinstance(part, ToolReturnPart) for part in parts)
        said = sum(isinstance(part, TextPart) for part in parts)
        turn = next_turn(case, {tool.name for tool in info.function_tools}, prompt, results, said)
        part = ToolCallPart(turn.tool, turn.arguments) if turn.tool else TextPart(turn.text)
        return ModelResponse(parts=[part])

    return FunctionModel(say, model_name="scripted")


@contextmanager
def endpoint() -> Iterator[tuple[str, dict[str, Case]]]:
    """A server on this machine; yields its address and the scripts by model name, to be filled in."""
    scripts: dict[str, Case] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(_completion(scripts[request["model"]], request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", scripts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completion(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    messages = request["messages"]
    tools = {tool["function"]["name"] for tool in request.get("tools", ())}
    prompt = next(_text(message) for message in messages if message["role"] == "user")
    results = sum(message["role"] == "tool" for message in messages)
    said = sum(message["role"] == "assistant" and not message.get("tool_calls") for message in messages)
    turn = next_turn(case, tools, prompt, results, said)
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.tool:
        call = {"name": turn.tool, "arguments": json.dumps(turn.arguments)}
        message["tool_calls"] = [{"id": f"call-{results}", "type": "function", "function": call}]
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if turn.tool else "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
