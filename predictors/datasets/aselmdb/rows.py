"""What does one entry of an .aselmdb file hold?

JSON, compressed by zlib. ASE writes arrays as `{"__ndarray__": ...}`, orjson as nested lists; one file may hold both.
"""

from __future__ import annotations

import zlib
from typing import Any

import orjson

from ....core.errors import InputError

MAX_TEXT_BYTES = 64 * 1024 * 1024
"""Of one entry, decompressed; a frame of 1,000 atoms has about 150 KB."""


def read_entry(raw: bytes) -> Any:
    """The JSON of an entry.

    Raises:
        InputError: it cannot be decompressed, is too large, or is no JSON.
    """
    decompressor = zlib.decompressobj()
    try:
        text = decompressor.decompress(raw, MAX_TEXT_BYTES)
    except zlib.error as error:
        raise InputError(f"it cannot be decompressed ({error}).") from None
    if decompressor.unconsumed_tail:
        raise InputError(f"it has more than {MAX_TEXT_BYTES} bytes when decompressed.")
    if not decompressor.eof or decompressor.unused_data:
        raise InputError("its compressed bytes are cut off or followed by others.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"it is no JSON ({error}).") from None
