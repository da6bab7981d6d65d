"""Which names may a pickle of arrays mention, and what becomes of them?

Tensors and arrays of plain numbers become numpy arrays; neither torch nor numpy rebuilds anything. A torch tensor is
pickled with its storage as bytes in torch's older file format, itself a chain of pickles that `torch.load` would run:
they are read by the same machine, with a table of storage types alone.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ....core.errors import InputError
from .machine import Machine, Name

MAX_ELEMENTS = 20_000_000
"""Most numbers in one array."""

_STORAGE_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGE_PROTOCOL = 1001
_PLAIN_TYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
_STORAGES = {
    "Bool": "b1", "Byte": "u1", "Char": "i1", "Short": "i2", "Int": "i4", "Long": "i8",
    "Half": "f2", "Float": "f4", "Double": "f8",
}  # fmt: skip


@dataclass
class PlainType:
    """The element type of an array, until its byte order is told."""

    code: str
    order: str = "<"

    def build(self, state: object) -> None:
        """The second half of a pickled dtype: its byte order, and the traits that only other types have."""
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise InputError("The pickle holds an array of an unknown byte order.")
        if any(part is not None for part in state[2:5]):
            raise InputError("The pickle holds an array of records; only plain numbers are read.")
        self.order = "<" if state[1] in "|=" else state[1]

    @property
    def dtype(self) -> np.dtype:
        """As numpy has it."""
        return np.dtype(self.order + self.code)


@dataclass
class PlainArray:
    """A numpy array, empty until its state is told."""

    values: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def build(self, state: object) -> None:
        """Version, shape, element type, whether columns come first, bytes."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise InputError("The pickle holds an array without shape and type.")
        _, shape, kind, columns_first, raw = state
        self.values = _array(raw, kind, shape, "F" if columns_first else "C")


@dataclass(frozen=True)
class Storage:
    """The numbers that tensors share."""

    values: np.ndarray


def plain_value(value: object) -> object:
    """The numpy array inside a stand-in; every other value as it is."""
    return value.values if isinstance(value, PlainArray) else value


def _dtype(code: object, *_: object) -> PlainType:
    if code not in _PLAIN_TYPES:
        raise InputError(f"The pickle holds an array of type {code!r}; only plain numbers are read.")
    return PlainType(str(code))


def _reconstruct(kind: object, *_: object) -> PlainArray:
    if kind is not NDARRAY:
        raise InputError("The pickle rebuilds an array of a class of its own; only numpy's is read.")
    return PlainArray()


def _scalar(kind: object, raw: object) -> object:
    return _array(raw, kind, (1,), "C")[0].item()


def _from_buffer(raw: object, kind: object, shape: object, order: object) -> PlainArray:
    return PlainArray(_array(raw, kind, shape, order))


def _array(raw: object, kind: object, shape: object, order: object) -> np.ndarray:
    if not isinstance(raw, bytes) or not isinstance(kind, PlainType) or order not in ("C", "F"):
        raise InputError("The pickle holds an array that is not made of bytes; only plain numbers are read.")
    sizes = _sizes(shape)
    if math.prod(sizes) * kind.dtype.itemsize != len(raw):
        raise InputError(f"The pickle holds an array of shape {sizes} in {len(raw)} bytes, which do not fit.")
    return np.frombuffer(raw, kind.dtype).reshape(sizes, order=order)  # type: ignore[call-overload]


def _sizes(shape: object) -> tuple[int, ...]:
    ok = isinstance(shape, tuple) and len(shape) <= 8 and all(type(n) is int and n >= 0 for n in shape)
    if not ok or math.prod(shape) > MAX_ELEMENTS:  # type: ignore[arg-type]
        raise InputError(f"The pickle holds an array of shape {str(shape)[:80]}; it is not read.")
    return shape  # type: ignore[return-value]


def _tensor(storage: object, offset: object, size: object, stride: object, *rest: object) -> np.ndarray:
    """A tensor: a window on a storage. What follows (gradient, hooks, metadata) must be empty."""
    if any(rest[:1]) or any(part for part in rest[1:]):
        raise InputError("The pickle holds a tensor with a gradient or hooks; it is not read.")
    if not isinstance(storage, Storage):
        raise InputError("The pickle holds a tensor without numbers.")
    sizes, steps, values = _sizes(size), _sizes_or_steps(stride), storage.values
    if type(offset) is not int or offset < 0 or len(sizes) != len(steps):
        raise InputError("The pickle holds a tensor whose shape and strides do not fit.")
    if math.prod(sizes) == 0:
        return np.zeros(sizes, values.dtype)
    if offset + sum((n - 1) * step for n, step in zip(sizes, steps, strict=True)) >= len(values):
        raise InputError(
            f"The pickle holds a tensor of shape {sizes} over {len(values)} numbers, which do not fit."
        )
    bytes_of = [step * values.itemsize for step in steps]
    window = np.lib.stride_tricks.as_strided(values[offset:], sizes, bytes_of, writeable=False)
    return np.ascontiguousarray(window).reshape(sizes)


def _sizes_or_steps(stride: object) -> tuple[int, ...]:
    if not isinstance(stride, tuple) or not all(type(n) is int and 0 <= n <= MAX_ELEMENTS for n in stride):
        raise InputError(f"The pickle holds a tensor with strides {str(stride)[:80]}; it is not read.")
    return stride


def _storage(raw: object) -> Storage:
    """A storage from the bytes that torch wrote: five pickles, a count, the numbers."""
    if not isinstance(raw, bytes):
        raise InputError("The pickle holds a tensor that is not made of bytes.")
    machine = Machine(raw, STORAGE_TYPES, persistent=_described_storage)
    if machine.run() != _STORAGE_MAGIC or machine.run() != _STORAGE_PROTOCOL:
        raise InputError("The pickle holds a tensor that is not in torch's file format.")
    system = machine.run()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise InputError("The pickle holds a tensor of a machine with another byte order.")
    described, keys = machine.run(), machine.run()
    if not isinstance(described, tuple) or keys != [described[2]]:
        raise InputError("The pickle holds a tensor without its numbers.")
    _, code, _, count = described
    stored = struct.unpack("<q", machine.take(8))[0]
    kind = np.dtype("<" + code)
    rest = len(raw) - machine.position
    if stored != count or count < 0 or rest != count * kind.itemsize:
        raise InputError(f"The pickle holds a tensor of {count} numbers in {rest} bytes, which do not fit.")
    return Storage(np.frombuffer(raw, kind, offset=machine.position))


def _described_storage(found: object) -> tuple[str, str, str, int]:
    """What a storage's persistent id says: type code, key, count. A view on another storage is refused."""
    if not isinstance(found, tuple) or len(found) not in (5, 6) or found[0] != "storage":
        raise InputError("The pickle holds a tensor that refers to something else than numbers.")
    kind, key, count = found[1], found[2], found[4]
    if not isinstance(kind, Name) or not isinstance(key, str) or type(count) is not int or any(found[5:]):
        raise InputError("The pickle holds a tensor that is a view on another file's numbers.")
    return ("storage", kind.value, key, count)


def _empty_dict(*arguments: object) -> dict:
    if arguments:
        raise InputError("The pickle fills an ordered dictionary in a call; it is not read.")
    return {}


def _latin1(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise InputError("The pickle encodes text in an unusual way; it is not read.")
    return text.encode("latin1")


def _names(*entries: tuple[str, str, dict]) -> dict[tuple[str, str], Name]:
    return {(module, name): Name(f"{module}.{name}", **what) for module, name, what in entries}


_NUMPY_HOMES = ("numpy._core", "numpy.core")
NDARRAY = Name("numpy.ndarray")

STORAGE_TYPES: Mapping[tuple[str, str], Name] = _names(
    *(("torch", f"{name}Storage", {"value": code}) for name, code in _STORAGES.items())
)

PLAIN_NAMES: Mapping[tuple[str, str], Name] = _names(
    ("collections", "OrderedDict", {"call": _empty_dict}),
    ("_codecs", "encode", {"call": _latin1}),
    ("__builtin__", "bytes", {"call": lambda: b""}),  # how protocol 2 writes empty bytes
    ("numpy", "dtype", {"call": _dtype}),
    *((f"{home}.multiarray", "scalar", {"call": _scalar}) for home in _NUMPY_HOMES),
)
"""Plain values, numpy's single numbers among them."""

ARRAY_NAMES: Mapping[tuple[str, str], Name] = {
    **PLAIN_NAMES,
    ("numpy", "ndarray"): NDARRAY,
    **_names(
        *((f"{home}.multiarray", "_reconstruct", {"call": _reconstruct}) for home in _NUMPY_HOMES),
        *((f"{home}.numeric", "_frombuffer", {"call": _from_buffer}) for home in _NUMPY_HOMES),
        ("torch", "Size", {"call": lambda sizes: sizes}),
        ("torch.storage", "_load_from_bytes", {"call": _storage}),
        ("torch._utils", "_rebuild_tensor", {"call": _tensor}),
        ("torch._utils", "_rebuild_tensor_v2", {"call": _tensor}),
    ),
}
"""Arrays and tensors of plain numbers besides."""
