"""What is stored under a key of an LMDB file?

The file is mapped and its tree of pages walked here, each offset checked against the size of the file. The LMDB
library itself trusts what it reads: a download that broke off half-way ends the whole process (SIGBUS, measured with
lmdb 3.0), training run included, where a sentence is wanted. The map is read-only and takes no lock, so any number of
processes may share a file; each maps it when it first reads.

Source: data format version 1 of LMDB 0.9, lmdb.h and mdb.c of OpenLDAP.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from ...core.errors import InputError, NotFoundError

MAX_VALUE_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 32

_MAGIC, _VERSION = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _OVERFLOW, _META = 0x01, 0x02, 0x04, 0x08
_BIG_VALUE, _OTHER_VALUES = 0x01, 0x06
_PAGE = struct.Struct("<QHHHH")
_META_HEAD = struct.Struct("<IIQQ")
_TREE = struct.Struct("<IHHQQQQQ")
_NODE = struct.Struct("<HHHH")
_HEAD = _PAGE.size
_NOWHERE = 2**64 - 1


class LmdbFile:
    """One LMDB file (not a folder), read-only.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._map: mmap.mmap | None = None
        self._size = self._page_size = self._root = self._entries = 0

    def __reduce__(self) -> tuple:
        return (LmdbFile, (self.path,))

    def __len__(self) -> int:
        """How many keys there are.

        Raises:
            InputError: as `get`.
        """
        self._open()
        return self._entries

    def get(self, key: str) -> bytes | None:
        """What is stored under a key, or `None`.

        Raises:
            NotFoundError: there is no such file.
            InputError: it is no LMDB file, or it is cut off or damaged.
        """
        mapped = self._open()
        if self._root == _NOWHERE:
            return None
        try:
            return self._find(mapped, key.encode("ascii"))
        except struct.error:
            raise self._damaged("a page ends too early") from None

    def close(self) -> None:
        """Let go of the file; reading again opens it again."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def _find(self, mapped: mmap.mmap, key: bytes) -> bytes | None:
        page = self._root
        for _ in range(MAX_DEPTH):
            start, flags, count = self._page(mapped, page)
            if flags & _LEAF:
                return self._in_leaf(mapped, start, count, key)
            page = self._child(mapped, start, count, key)
        raise self._damaged("its tree of pages has no end")

    def _in_leaf(self, mapped: mmap.mmap, start: int, count: int, key: bytes) -> bytes | None:
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            at, flags, size, found = self._node(mapped, start, middle)
            if found == key:
                return self._value(mapped, start, at + len(found), flags, size)
            low, high = (middle + 1, high) if found < key else (low, middle)
        return None

    def _child(self, mapped: mmap.mmap, start: int, count: int, key: bytes) -> int:
        """The page below: of the last node whose key is not above ours; the first node has no key."""
        low, high = 1, count
        while low < high:
            middle = (low + high) // 2
            if self._node(mapped, start, middle)[3] <= key:
                low = middle + 1
            else:
                high = middle
        _, flags, size, _ = self._node(mapped, start, low - 1)
        return size | flags << 32

    def _page(self, mapped: mmap.mmap, number: int) -> tuple[int, int, int]:
        """Where a page starts, of what kind it is, how many nodes it has."""
        start = number * self._page_size
        if number < 2 or start + self._page_size > self._size:
            raise self._damaged(f"it refers to page {number}, which is not in the file")
        _, _, flags, lower, upper = _PAGE.unpack_from(mapped, start)
        fits = _HEAD <= lower <= upper <= self._page_size
        if flags & 0xFF not in (_BRANCH, _LEAF) or not fits:
            raise self._damaged(f"page {number} is no page of a tree")
        return start, flags, (lower - _HEAD) // 2

    def _node(self, mapped: mmap.mmap, start: int, index: int) -> tuple[int, int, int, bytes]:
        """Where the key of a node starts, its flags, the size of its value (or its page), its key."""
        offset = int.from_bytes(mapped[start + _HEAD + 2 * index : start + _HEAD + 2 * index + 2], "little")
        low, high, flags, key_size = _NODE.unpack_from(mapped, start + offset)
        at = start + offset + _NODE.size
        if offset < _HEAD or at + key_size > start + self._page_size:
            raise self._damaged("a key lies outside its page")
        return at, flags, low | high << 16, mapped[at : at + key_size]

    def _value(self, mapped: mmap.mmap, start: int, at: int, flags: int, size: int) -> bytes:
        if flags & _OTHER_VALUES:
            raise self._damaged("a key holds a table of its own")
        room = start + self._page_size - at
        if flags & _BIG_VALUE:
            at, room = self._overflow(mapped, int.from_bytes(mapped[at : at + 8], "little"))
        if size > min(room, MAX_VALUE_BYTES):
            raise self._damaged(f"a value of {size} bytes lies in {room}")
        return mapped[at : at + size]

    def _overflow(self, mapped: mmap.mmap, number: int) -> tuple[int, int]:
        """Where the pages of a large value start, and how much room they have."""
        start = number * self._page_size
        if number < 2 or start + _HEAD > self._size:
            raise self._damaged(f"a value is said to be on page {number}, which is not in the file")
        _, _, flags, low, high = _PAGE.unpack_from(mapped, start)
        room = (low | high << 16) * self._page_size - _HEAD
        if flags & 0xFF != _OVERFLOW or start + _HEAD + room > self._size:
            raise self._damaged(f"page {number} holds no value")
        return start + _HEAD, room

    def _open(self) -> mmap.mmap:
        if self._map is None:
            try:
                with open(self.path, "rb") as file:
                    self._size = os.fstat(file.fileno()).st_size
                    if self._size < 2 * 512:
                        raise InputError(f"{self.path} is no LMDB file: it has {self._size} bytes.")
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except FileNotFoundError:
                raise NotFoundError(f"There is no file {self.path}.") from None
            except OSError as error:
                raise InputError(f"{self.path} cannot be read: {error.strerror}.") from None
            self._read_meta(mapped)
            self._map = mapped
        return self._map

    def _read_meta(self, mapped: mmap.mmap) -> None:
        """The newer of the two first pages says where the tree starts."""
        first = self._meta(mapped, 0)
        page_size = first[1]
        second = self._meta(mapped, page_size) if 2 * page_size <= self._size else first
        _, self._page_size, self._entries, self._root, last_page = max(first, second)
        if second[1] != page_size:
            raise self._damaged("its first two pages disagree")
        whole = (last_page + 1) * page_size
        if whole > self._size:
            raise InputError(
                f"{self.path} is cut off: it has {self._size} bytes of {whole}. Copy or fetch it again."
            )

    def _meta(self, mapped: mmap.mmap, start: int) -> tuple[int, int, int, int, int]:
        """Number of the last change, page size, number of keys, root page, last page."""
        flags = _PAGE.unpack_from(mapped, start)[2]
        magic, version, _, _ = _META_HEAD.unpack_from(mapped, start + _HEAD)
        if magic != _MAGIC or not flags & _META:
            raise InputError(f"{self.path} is no LMDB file.")
        if version != _VERSION:
            raise InputError(f"{self.path} is an LMDB file of data version {version}; version 1 is read.")
        trees = start + _HEAD + _META_HEAD.size
        page_size = _TREE.unpack_from(mapped, trees)[0]
        if page_size not in {2**k for k in range(9, 17)}:
            raise self._damaged(f"its pages are said to have {page_size} bytes")
        _, kind, _, _, _, _, entries, root = _TREE.unpack_from(mapped, trees + _TREE.size)
        if kind:
            raise InputError(f"{self.path} is an LMDB file whose keys are no plain text.")
        last_page, change = struct.unpack_from("<QQ", mapped, trees + 2 * _TREE.size)
        return change, page_size, entries, root, last_page

    def _damaged(self, how: str) -> InputError:
        return InputError(f"{self.path} is damaged: {how}. Copy or fetch it again.")
