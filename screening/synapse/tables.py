"""How are the shipped tables of the synaptic layer read?

TOML and JSON, the user's own before the shipped ones; nothing in them names a path or code.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

from ...core.errors import MissingDataError
from ...core.settings import data_file

FOLDER = "synapse"


def read_table(name: str) -> dict[str, Any]:
    """A table of the folder `synapse` of the shipped data.

    Args:
        name: File name, ending in `.toml` or `.json`.

    Raises:
        MissingDataError: it is not there, or no TOML or JSON object.
    """
    place = data_file(f"{FOLDER}/{name}")
    try:
        text = place.read_text(encoding="utf-8")
        found = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise MissingDataError(f"{place} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise MissingDataError(f"{place} holds no table but {type(found).__name__}.")
    return found
