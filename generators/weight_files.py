"""How is a trained model kept as one file? Tensors and a header in JSON, in safetensors; nothing in it is code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_BYTES = 64_000_000
READABLE = 0o644  # safetensors writes files that others cannot read

Built = TypeVar("Built")


def write_weights(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write a file, whole or not at all.

    Args:
        path: Of the file.
        tensors: In the precision that is kept, contiguous, on the processor.
        header: What JSON can hold; `format` names what it is.
    """
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file(dict(tensors), part, {"hysteron": json.dumps(header)})
    part.chmod(READABLE)
    part.replace(path)


def read_weights(
    path: Path, wanted: str, what: str, build: Callable[[dict[str, Any], dict[str, Tensor]], Built]
) -> Built:
    """What a file holds.

    Args:
        path: Of the file.
        wanted: The `format` of its header.
        what: It is, in words.
        build: Makes it of header and tensors (float32); may raise ValueError, LookupError, TypeError or RuntimeError.

    Raises:
        InputError: it is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} is larger than {LARGEST_BYTES // 1_000_000} MB; no {what} is.")
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("hysteron", "{}"))
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118  # no mapping
        if header.get("format") != wanted:
            raise InputError(
                f"{path} is no {what} of this program: its header names {header.get('format')!r}, wanted {wanted!r}."
            )
        return build(header, tensors)
    except (
        OSError,
        SafetensorError,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:
        raise InputError(f"{path} cannot be read as {_article(what)} {what}: {error}") from None


def _article(what: str) -> str:
    return "an" if what[0] in "aeiou" else "a"
