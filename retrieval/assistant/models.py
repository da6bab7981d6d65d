"""Which language model answers, where does it stand, and which key may it see?

`openai:NAME`, `anthropic:NAME`, `ollama:NAME`, or `https://HOST/v1#NAME` for any endpoint that speaks OpenAI's
language (vLLM and others). A key goes to the one host it is meant for, and is neither shown nor stored.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ...core.errors import MissingDataError, SettingsError

if TYPE_CHECKING:
    from pydantic_ai.models import Model

Provider = Literal["openai", "anthropic", "ollama", "compatible", "given"]

VARIABLE = "HYSTERON_LLM"
OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
OLLAMA_URL = "http://127.0.0.1:11434/v1"
CONNECT_SECONDS = 20.0
SDK_RETRIES = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}")
_KEYS: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY", "HYSTERON_LLM_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY", "HYSTERON_LLM_KEY"),
    "compatible": ("HYSTERON_LLM_KEY",),
    "ollama": (),
}
_HEADERS_FOR_STRANGERS = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "user-agent",
    }
)
_INSTALL = 'Asking a language model needs the assistants: pip install "hysteron[llm]".'


@dataclass(frozen=True)
class Address:
    """Where a model stands, read from its name; nothing is imported or contacted.

    Attributes:
        provider: Which kind of endpoint.
        name: As the endpoint calls the model.
        url: Base address; empty for a model handed in.
        host: As shown to the user, with the port if it is not the usual one.
        local: Whether it is this machine.
        encrypted: Whether the way there is.
    """

    provider: Provider
    name: str
    url: str
    host: str
    local: bool
    encrypted: bool


@dataclass(frozen=True)
class Endpoint:
    """A model ready to be asked.

    Attributes:
        address: Where it stands.
        model: For the agents.
        close: Ends its connections.
    """

    address: Address
    model: Model
    close: Callable[[], Awaitable[None]]


def chosen(option: str | None = None) -> str | None:
    """The model to ask: the option, else `HYSTERON_LLM`, else none (then the planner answers)."""
    return option or os.environ.get(VARIABLE) or None


def address_of(model: str | Model) -> Address:
    """Read a model's name.

    Raises:
        SettingsError: it is none of the forms; the message lists them.
    """
    if not isinstance(model, str):
        return Address("given", str(model.model_name), "", "a model in this program", True, True)
    kind, _, name = model.partition(":")
    if kind in ("openai", "anthropic", "ollama"):
        url = {"openai": OPENAI_URL, "anthropic": ANTHROPIC_URL, "ollama": OLLAMA_URL}[kind]
        return _address(kind, name, url)  # type: ignore[arg-type]
    if kind in ("http", "https"):
        url, _, name = model.partition("#")
        return _address("compatible", name, url.rstrip("/"))
    raise SettingsError(f"No model {_shown(model)}. {_FORMS}")


_FORMS = (
    "Known forms: openai:NAME, anthropic:NAME, ollama:NAME, https://HOST/v1#NAME (any OpenAI-compatible endpoint, "
    "such as vLLM)."
)


def open_endpoint(model: str | Model) -> Endpoint:
    """Make a model ready, with its key.

    Raises:
        SettingsError: the name cannot be read, a key is missing, or it would travel in the clear.
        MissingDataError: the assistants are not installed.
    """
    address = address_of(model)
    try:
        if not isinstance(model, str):
            return Endpoint(address, model, _nothing_to_close)
        if address.provider == "anthropic":
            return _anthropic(address)
        return _openai_compatible(address)
    except ImportError:
        raise MissingDataError(_INSTALL) from None


def _address(provider: Provider, name: str, url: str) -> Address:
    if not _NAME.fullmatch(name):
        raise SettingsError(f"The model's name is missing or odd in {_shown(f'{provider}:{name}')}. {_FORMS}")
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.query:
        raise SettingsError(
            "The endpoint's address needs a host, and neither a user, a password nor a query; "
            f"keys come from the environment. {_FORMS}"
        )
    try:
        port = parts.port
    except ValueError:
        raise SettingsError(f"The endpoint's port is no port. {_FORMS}") from None
    host = f"{parts.hostname}:{port}" if port else parts.hostname
    return Address(provider, name, url, host, _is_this_machine(parts.hostname), parts.scheme == "https")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(address: Address) -> str | None:
    """The first key of the environment that is meant for this host.

    Raises:
        SettingsError: a hosted model without a key, or a key that would travel unencrypted.
    """
    variables = _KEYS[address.provider]
    name = next((variable for variable in variables if os.environ.get(variable)), None)
    if name is None and address.provider in ("openai", "anthropic"):
        raise SettingsError(f"{address.host} needs a key: set {variables[0]} in the environment.")
    if name and not address.encrypted and not address.local:
        raise SettingsError(
            f"The key in {name} would travel unencrypted to {address.host}: use https, or unset {name}."
        )
    return os.environ[name] if name else None


def _openai_compatible(address: Address) -> Endpoint:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    http = _http_client(address)
    client = AsyncOpenAI(
        api_key=_key(address) or "none", base_url=address.url, max_retries=SDK_RETRIES, http_client=http
    )
    if address.provider == "openai":
        provider: Any = OpenAIProvider(openai_client=client)
    else:
        provider = OpenAICompatibleProvider(address.provider, openai_client=client)
    return Endpoint(address, OpenAIChatModel(address.name, provider=provider), http.aclose)


def _anthropic(address: Address) -> Endpoint:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    http = _http_client(address)
    client = AsyncAnthropic(
        api_key=_key(address), base_url=address.url, max_retries=SDK_RETRIES, http_client=http
    )
    return Endpoint(
        address,
        AnthropicModel(address.name, provider=AnthropicProvider(anthropic_client=client)),
        http.aclose,
    )


def _http_client(address: Address) -> Any:
    """Follows no redirect, so that nothing goes to another host; past a proxy on this machine."""
    import httpx2

    async def strip(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _HEADERS_FOR_STRANGERS:
                del request.headers[name]

    hooks = {"request": [strip]} if address.provider in ("compatible", "ollama") else {}
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=not address.local,
        verify=address.encrypted,
        event_hooks=hooks,
    )


async def _nothing_to_close() -> None:
    return None


def _shown(text: str) -> str:
    """A name for a message, without what might be a secret in it."""
    text = re.sub(r"//[^/@]*@", "//...@", text)
    return repr(text[:80])
