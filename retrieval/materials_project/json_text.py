"""How is a long JSON text read without the garbage collector walking through it again and again?"""

from __future__ import annotations

import gc
from typing import Any

import orjson


def parsed(text: bytes) -> Any:
    """The value of a JSON text.

    Plain values hold no cycles, yet while they are built by the hundred thousand the collector looks for some:
    on a page of 1000 records that takes four times as long as reading.

    Raises:
        ValueError: it is no JSON.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(text)
    finally:
        if was_on:
            gc.enable()
