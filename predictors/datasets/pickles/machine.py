"""What plain data does a pickle of a stranger hold?

A pickle is a small program, and Python's own reader runs it: any importable function, with any arguments. This reader
has no import at all. A name that the pickle asks for is looked up in a table that the caller hands over, whose entries
are this project's own functions; every other name is refused. Values are numbers, text, bytes and containers of them;
lengths are checked against what is left of the bytes before anything is made, and the memo cannot be made to grow
beyond them.

Source: PEP 3154 and CPython's Lib/pickletools.py, protocols 2 to 5 as Python 3 writes them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ....core.errors import InputError

MAX_DIGITS_BYTES = 64
"""Longest whole number, in bytes."""

_MARK = object()
_F8, _I4, _U4, _U8 = struct.Struct(">d"), struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<Q")


@dataclass(frozen=True, eq=False)
class Name:
    """What a name in a pickle stands for here.

    Attributes:
        label: Module and name, for sentences.
        call: Makes the value of `name(*arguments)`; `None` where the pickle may mention the name but not call it.
        new: Makes the empty object of `name.__new__(name)`; `None` where that is refused.
        value: What else the table's owner wants to know of the name.
    """

    label: str
    call: Callable[..., object] | None = None
    new: Callable[[], object] | None = None
    value: Any = None


@runtime_checkable
class Buildable(Protocol):
    """A stand-in that takes its state from a pickle; nothing else may be given a state."""

    def build(self, state: object) -> None:
        """Take the state, or raise `InputError`."""
        ...


def read_pickle(raw: bytes, names: Mapping[tuple[str, str], Name]) -> Any:
    """The value that a pickle holds, made of plain data and of what the names stand for.

    Args:
        raw: The whole pickle and nothing after it; a memory map will do.
        names: (module, name) and what it stands for.

    Raises:
        InputError: a name that is not in the table, an instruction that plain data does not need, or damage.
    """
    machine = Machine(raw, names)
    value = machine.run()
    if machine.position != len(raw):
        raise InputError(f"The pickle ends at byte {machine.position} of {len(raw)}, and something follows.")
    return value


class Machine:
    """Reads pickles that follow one another in one run of bytes.

    Attributes:
        position: Where the next pickle begins.
    """

    def __init__(
        self,
        raw: bytes,
        names: Mapping[tuple[str, str], Name],
        persistent: Callable[[object], object] | None = None,
    ) -> None:
        """`persistent` makes the value of a persistent id; without it such ids are refused."""
        self.raw, self.names, self.persistent = raw, names, persistent
        self.position, self.end = 0, len(raw)
        self.stack: list[Any] = []
        self.memo: list[Any] = []

    def run(self) -> Any:
        """The value of the next pickle.

        Raises:
            InputError: as `read_pickle`.
        """
        self.stack, self.memo = [], []
        try:
            while True:
                code = self._instruction()
                if code == 0x2E:  # STOP
                    return self._last()
                step = _STEPS.get(code)
                if step is None:
                    raise InputError(
                        f"The pickle has the instruction 0x{code:02x}, which plain data does not need."
                    )
                step(self)
        except InputError:
            raise
        except (IndexError, ValueError, TypeError, KeyError, struct.error, OverflowError) as error:
            raise InputError(
                f"The pickle is damaged near byte {self.position} ({type(error).__name__})."
            ) from None

    def take(self, count: int) -> bytes:
        """So many bytes, which must be there."""
        start = self.position
        if count > self.end - start:
            raise InputError(
                f"The pickle is cut off: {count} bytes are announced, {self.end - start} are left."
            )
        self.position = start + count
        return self.raw[start : self.position]

    def line(self) -> str:
        """Text up to the end of the line."""
        stop = self.raw.find(b"\n", self.position, self.position + 256)
        if stop < 0:
            raise InputError("The pickle is damaged: a name has no end.")
        return self.take(stop + 1 - self.position)[:-1].decode("utf-8")

    def since_mark(self) -> list[Any]:
        """What was put down since the last mark, which goes."""
        stack = self.stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise InputError("The pickle is damaged: a mark is missing.")
        found = stack[at + 1 :]
        del stack[at:]
        return found

    def remember(self, index: int) -> None:
        """Keep the top of the stack; places are given out one after another, as every writer does."""
        if index == len(self.memo):
            self.memo.append(self.stack[-1])
        elif index < len(self.memo):
            self.memo[index] = self.stack[-1]
        else:
            raise InputError(
                f"The pickle is damaged: place {index} of its memo follows place {len(self.memo) - 1}."
            )

    def recall(self, index: int) -> None:
        """Put down again what was kept."""
        self.stack.append(self.memo[index])

    def name(self, module: object, name: object) -> None:
        """Put down what a name stands for."""
        found = self.names.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if found is None:
            raise InputError(f"The pickle asks for {module}.{name}, which is no plain data; it is not read.")
        self.stack.append(found)

    def call(self) -> None:
        """A name and its arguments become a value."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Name) or name.call is None or not isinstance(arguments, tuple):
            raise InputError(f"The pickle calls {_told(name)}, which is no plain data; it is not read.")
        self.stack.append(name.call(*arguments))

    def new(self) -> None:
        """A name becomes an empty object."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Name) or name.new is None or arguments != ():
            raise InputError(f"The pickle makes an object of {_told(name)}; it is not read.")
        self.stack.append(name.new())

    def build(self) -> None:
        """An object takes its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, Buildable):
            raise InputError(f"The pickle gives a state to {_told(target)}; it is not read.")
        target.build(state)

    def append_all(self, values: list[Any]) -> None:
        """Values join the list below them."""
        target = self.stack[-1]
        if type(target) is not list:
            raise InputError(f"The pickle appends to {_told(target)}; it is not read.")
        target.extend(values)

    def set_all(self, values: list[Any]) -> None:
        """Keys and values join the dictionary below them."""
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise InputError(f"The pickle sets items of {_told(target)}; it is not read.")
        target.update(zip(values[::2], values[1::2], strict=True))

    def persist(self) -> None:
        """A persistent id becomes a value."""
        if self.persistent is None:
            raise InputError("The pickle refers to data outside itself; it is not read.")
        self.stack.append(self.persistent(self.stack.pop()))

    def _instruction(self) -> int:
        """The next byte."""
        position = self.position
        if position >= self.end:
            raise InputError("The pickle is cut off: it ends without saying so.")
        self.position = position + 1
        return self.raw[position]

    def _last(self) -> Any:
        if len(self.stack) != 1:
            raise InputError(f"The pickle is damaged: it leaves {len(self.stack)} values behind.")
        return self.stack.pop()


def _told(thing: object) -> str:
    return thing.label if isinstance(thing, Name) else f"a value of type {type(thing).__name__}"


def _push(make: Callable[[Machine], object]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(make(machine))


def _text(machine: Machine, count: int) -> str:
    return machine.take(count).decode("utf-8", "surrogatepass")


def _whole(machine: Machine, count: int) -> int:
    if not 0 <= count <= MAX_DIGITS_BYTES:
        raise InputError(
            f"The pickle holds a whole number of {count} bytes; {MAX_DIGITS_BYTES} are the most."
        )
    return int.from_bytes(machine.take(count), "little", signed=True)


def _u1(machine: Machine) -> int:
    return machine.take(1)[0]


def _u4(machine: Machine) -> int:
    return _U4.unpack(machine.take(4))[0]


def _u8(machine: Machine) -> int:
    return _U8.unpack(machine.take(8))[0]


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        stack = machine.stack
        if len(stack) < count:
            raise InputError("The pickle is damaged: a tuple lacks its values.")
        stack[-count:] = [tuple(stack[-count:])]

    return step


def _protocol(machine: Machine) -> None:
    if not 2 <= (found := _u1(machine)) <= 5:
        raise InputError(f"The pickle is of protocol {found}; 2 to 5 are read.")


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_all([key, value])


def _global(machine: Machine) -> None:
    module = machine.line()
    machine.name(module, machine.line())


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.name(module, name)


_STEPS: dict[int, Callable[[Machine], object]] = {
    code[0]: step
    for code, step in {
        b"\x80": _protocol,
        b"\x95": _u8,  # FRAME: only a hint for buffers
        b"(": lambda m: m.stack.append(_MARK),
        b"0": lambda m: m.stack.pop(),
        b"1": lambda m: m.since_mark(),
        b"N": lambda m: m.stack.append(None),
        b"\x88": lambda m: m.stack.append(True),
        b"\x89": lambda m: m.stack.append(False),
        b"J": _push(lambda m: _I4.unpack(m.take(4))[0]),
        b"K": _push(_u1),
        b"M": _push(lambda m: int.from_bytes(m.take(2), "little")),
        b"\x8a": _push(lambda m: _whole(m, _u1(m))),
        b"\x8b": _push(lambda m: _whole(m, _u4(m))),
        b"G": _push(lambda m: _F8.unpack(m.take(8))[0]),
        b"\x8c": _push(lambda m: _text(m, _u1(m))),
        b"X": _push(lambda m: _text(m, _u4(m))),
        b"\x8d": _push(lambda m: _text(m, _u8(m))),
        b"C": _push(lambda m: m.take(_u1(m))),
        b"B": _push(lambda m: m.take(_u4(m))),
        b"\x8e": _push(lambda m: m.take(_u8(m))),
        b"\x96": _push(lambda m: m.take(_u8(m))),  # BYTEARRAY8, kept as bytes
        b")": lambda m: m.stack.append(()),
        b"t": lambda m: m.stack.append(tuple(m.since_mark())),
        b"\x85": _tuple_of(1),
        b"\x86": _tuple_of(2),
        b"\x87": _tuple_of(3),
        b"]": lambda m: m.stack.append([]),
        b"a": lambda m: m.append_all([m.stack.pop()]),
        b"e": lambda m: m.append_all(m.since_mark()),
        b"}": lambda m: m.stack.append({}),
        b"s": _set_item,
        b"u": lambda m: m.set_all(m.since_mark()),
        b"q": lambda m: m.remember(_u1(m)),
        b"r": lambda m: m.remember(_u4(m)),
        b"\x94": lambda m: m.remember(len(m.memo)),
        b"h": lambda m: m.recall(_u1(m)),
        b"j": lambda m: m.recall(_u4(m)),
        b"c": _global,
        b"\x93": _stack_global,
        b"R": lambda m: m.call(),
        b"\x81": lambda m: m.new(),
        b"b": lambda m: m.build(),
        b"Q": lambda m: m.persist(),
    }.items()
}
