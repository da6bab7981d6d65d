"""May this address be asked?

A base address is http or https, without credentials. From then on only the same host, scheme and port are asked:
a link to the next page or a redirect cannot lead a search elsewhere, least of all into the user's own network.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from ...core.errors import InputError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_VERSION_AT_END = re.compile(r"/v[0-9]+(\.[0-9]+)*$")
_ENDPOINT_AT_END = re.compile(r"/(structures|info|links|references|versions)$")
_LONGEST_ADDRESS = 16_000


class AddressRefused(InputError):
    """An address that may not be asked; the sentence says why."""


def looks_like_address(text: str) -> bool:
    """Whether a text is meant as an address rather than as a provider's name."""
    return "://" in text or "@" in text or "/" in text


def base_address(text: str, typed: bool = True) -> str:
    """A base address in one form: without version, endpoint, query or slash at the end.

    Args:
        text: As typed, or as a table has it.
        typed: Whether the user typed it, who may choose plain http.

    Raises:
        AddressRefused: no http or https, no host, credentials, or plain http from a table to another machine.
    """
    parts = _split(text.strip())
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused(
            f"{_without_credentials(text)!r} is no http or https address, such as https://example.org/optimade."
        )
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            f"The address of {parts.hostname or 'a provider'} holds a user name or a password; "
            "OPTIMADE providers need neither, and they are not sent."
        )
    if not parts.hostname or parts.query or parts.fragment:
        raise AddressRefused(
            f"{_without_credentials(text)!r} is no base address: give host and path only, without a query."
        )
    if parts.scheme == "http" and not typed and not is_private(parts.hostname):
        raise AddressRefused(
            f"{_without_credentials(text)!r} is not encrypted; a provider of the table needs https."
        )
    path = _ENDPOINT_AT_END.sub("", parts.path.rstrip("/"))
    path = _VERSION_AT_END.sub("", path).rstrip("/")
    return urlunsplit((parts.scheme, _host_and_port(parts), path, "", ""))


def next_address(link: str, current: str, what: str = "link to the next page") -> str:
    """Where a link or redirect leads, if it stays with the provider.

    A link in plain http to a host that is asked by https (as servers behind a proxy write it) is followed by https.

    Args:
        link: Absolute, or relative to `current`.
        current: The address whose answer held it.
        what: What the link is, for the sentence.

    Raises:
        AddressRefused: another host, scheme or port, or credentials.
    """
    here, there = _split(current), _split(urljoin(current, link.strip()))
    if there.username is not None or there.password is not None:
        raise AddressRefused(f"The {what} holds a user name or a password; it is not followed.")
    if there.hostname != here.hostname:
        private = there.hostname and is_private(there.hostname) and not is_private(here.hostname or "")
        where = f"{shown(there.hostname or 'nowhere')}, {'a private address' if private else 'another host'}"
        raise AddressRefused(f"The {what} leads to {where}; it is not followed.")
    if there.scheme == "http" and here.scheme == "https" and _plain(there) and _plain(here):
        there = there._replace(scheme="https", netloc=_host_and_port(there))
    upgraded = what == "redirect" and (here.scheme, there.scheme) == ("http", "https")
    upgraded = upgraded and _plain(here) and _plain(there)
    if there.scheme != here.scheme and not upgraded:
        raise AddressRefused(
            f"The {what} changes from {here.scheme} to {shown(there.scheme)}; it is not followed."
        )
    if not upgraded and _port(there) != _port(here):
        raise AddressRefused(f"The {what} leads to another port, {_port(there)}; it is not followed.")
    return urlunsplit((there.scheme, _host_and_port(there), there.path, there.query, ""))


def host_of(address: str) -> str:
    """The host of an address, without its port."""
    return _split(address).hostname or ""


def is_private(host: str) -> bool:
    """Whether a host is the own machine, or an address inside a network that is not public."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return False


def shown(text: str, length: int = 120) -> str:
    """A foreign text as it may stand in a message: one line, printable, cut."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return line if len(line) <= length else line[: length - 3] + "..."


def _without_credentials(address: str) -> str:
    return shown(address.rpartition("@")[2])


def _split(text: str) -> SplitResult:
    if len(text) > _LONGEST_ADDRESS or not text.isprintable():
        raise AddressRefused("An address holds characters that are no text, or is far too long.")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise AddressRefused(f"{_without_credentials(text)!r} is no address.") from None
    return parts


def _plain(parts: SplitResult) -> bool:
    """Whether an address names no port, or the usual one."""
    return parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)


def _port(parts: SplitResult) -> int | None:
    return parts.port if parts.port is not None else _DEFAULT_PORTS.get(parts.scheme)


def _host_and_port(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if _plain(parts) else f"{host}:{parts.port}"
