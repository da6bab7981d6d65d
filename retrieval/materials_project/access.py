"""Where is the Materials Project, and which key opens it?

The key comes from the environment only. It is put into one header and nowhere else: no message, file or `repr`
of this package holds it.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ...core.errors import SettingsError

NAME = "materials-project"
KEY_VARIABLE = "MP_API_KEY"
ENDPOINT_VARIABLE = "MP_API_ENDPOINT"
DEFAULT_ENDPOINT = "https://api.materialsproject.org/"
KEY_LENGTH = 32
KEY_PAGE = "https://next-gen.materialsproject.org/api"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def api_key() -> str:
    """The key in `MP_API_KEY`.

    Raises:
        SettingsError: there is none, or it cannot be one.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise SettingsError(
            f"The Materials Project needs a key: set {KEY_VARIABLE} to the one of your dashboard ({KEY_PAGE})."
        )
    if len(key) != KEY_LENGTH or not (key.isascii() and key.isalnum()):
        raise SettingsError(
            f"{KEY_VARIABLE} holds {len(key)} characters that are no key of the Materials Project: "
            f"a key is {KEY_LENGTH} letters and digits. Copy yours from your dashboard ({KEY_PAGE})."
        )
    return key


def endpoint(address: str | None = None) -> str:
    """The server's address, ending in a slash: the one given, `MP_API_ENDPOINT`, or the public one.

    Raises:
        SettingsError: it is no address, or the key would travel unencrypted to another machine.
    """
    chosen = address or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT
    try:
        parts = urlsplit(chosen)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise SettingsError(f"{ENDPOINT_VARIABLE} is no address such as {DEFAULT_ENDPOINT}.")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise SettingsError(
            f"{ENDPOINT_VARIABLE} names {host} over http, so the key would travel unencrypted. Use https."
        )
    return chosen if chosen.endswith("/") else f"{chosen}/"
