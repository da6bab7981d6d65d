"""Which lines does a text file hold, compressed (.xz) or not?

Read piece by piece: memory stays that of a piece and of a line, whatever the file claims.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

from ...core.errors import InputError, NotFoundError

PIECE_BYTES = 256 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_WORKING_MEMORY = 256 * 1024 * 1024
"""What a decompressor may ask for; `xz -9` asks for 65 MB."""


def text_lines(path: Path) -> Iterator[str]:
    """Lines without their ends.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is cut off, damaged, or no text.
    """
    carry = b""
    for piece in _pieces(path):
        *lines, carry = (carry + piece).split(b"\n")
        if max(map(len, (*lines, carry))) > MAX_LINE_BYTES:
            raise InputError(f"{path} has a line of more than {MAX_LINE_BYTES} bytes.")
        for line in lines:
            yield _decoded(line, path)
    if carry:
        yield _decoded(carry, path)


def _decoded(line: bytes, path: Path) -> str:
    try:
        return line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8.") from None


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            raw = iter(lambda: file.read(PIECE_BYTES), b"")
            yield from _decompressed(raw, path) if path.suffix == ".xz" else raw
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def _decompressed(raw: Iterator[bytes], path: Path) -> Iterator[bytes]:
    decompressor, nothing = None, True
    try:
        for given in raw:
            nothing = False
            while given or (decompressor and not decompressor.needs_input):
                decompressor = decompressor or lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_WORKING_MEMORY)
                yield decompressor.decompress(given, PIECE_BYTES)
                given = b""
                if decompressor.eof:
                    given, decompressor = decompressor.unused_data.lstrip(b"\0"), None
    except lzma.LZMAError as error:
        raise InputError(f"{path} cannot be decompressed: {error}. Copy or fetch it again.") from None
    if nothing or decompressor is not None:
        raise InputError(f"{path} is cut off: its last part is missing. Copy or fetch it again.")
