"""Which pickles must a reader of data sets refuse?

Given to Python's own reader, those of `running_pickles` each run a program, which makes a file, so that it shows; those
of `other_pickles` leave the bounds of memory, or make objects that are no data.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .readers_samples import new_graph


class Calls:
    """Is pickled as the call of something."""

    def __init__(self, what: Callable[..., Any], *arguments: Any) -> None:
        self.what, self.arguments = what, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.what, self.arguments)


def running_pickles(folder: Path) -> dict[str, bytes]:
    """Pickles that run a program: each makes the file of its name in the folder, if it is let."""
    import os
    import subprocess

    import torch
    from torch._utils import _rebuild_tensor_v2
    from torch.storage import _load_from_bytes

    def code(name: str) -> str:
        return f"open({str(folder / name)!r}, 'w').close()"

    def command(name: str) -> str:
        return f"touch {folder / name}"

    load, rebuild = _load_from_bytes, _rebuild_tensor_v2
    plain = torch.zeros(1)
    hook = Calls(eval, code("hook"))
    return {
        "system": pickle.dumps(Calls(os.system, command("system"))),
        "eval": pickle.dumps(Calls(eval, code("eval"))),
        "eval-protocol-0": pickle.dumps(Calls(eval, code("eval-protocol-0")), protocol=0),
        "exec-protocol-2": pickle.dumps(Calls(exec, code("exec-protocol-2")), protocol=2),
        "subprocess": pickle.dumps(Calls(subprocess.call, ("touch", str(folder / "subprocess")))),
        "open": pickle.dumps(Calls(open, str(folder / "open"), "w")),
        "partial": pickle.dumps(Calls(partial(eval, code("partial")))),
        "getattr": _getattr_pickle(command("getattr")),
        "stack-global": _stack_global("os", "system", command("stack-global")),
        "stack-global-dotted": _stack_global("torch", "os.system", command("stack-global-dotted")),
        "instance": b"(S" + repr(command("instance")).encode() + b"\nios\nsystem\n.",
        "object": b"(cos\nsystem\nS" + repr(command("object")).encode() + b"\no.",
        "torch-inner": pickle.dumps(Calls(load, pickle.dumps(Calls(eval, code("torch-inner"))))),
        "torch-inner-late": pickle.dumps(Calls(load, _late(Calls(eval, code("torch-inner-late"))))),
        "tensor-hook": pickle.dumps(Calls(rebuild, plain._typed_storage(), 0, (1,), (1,), False, hook)),
        "field": new_graph({"pos": Calls(exec, code("field"))}),
        "nested": new_graph({"pos": plain, "extra": {"a": [({"b": Calls(exec, code("nested"))},)]}}),
    }


def other_pickles() -> dict[str, bytes]:
    """Pickles that run nothing, and must be refused all the same."""
    import torch
    from torch._utils import _rebuild_tensor_v2

    plain, rebuild = torch.zeros(1)._typed_storage(), _rebuild_tensor_v2
    huge = (10**6, 10**6)
    graph = b"\x80\x02ctorch_geometric.data.data\nData\n"
    return {
        "object-array": new_graph({"pos": np.array([[1, 2], None], dtype=object)}),
        "record-array": new_graph({"pos": np.zeros(2, dtype=[("a", "f4")])}),
        "tensor-beyond-its-storage": pickle.dumps(Calls(rebuild, plain, 0, (9,), (1,), False, OrderedDict())),
        "tensor-of-terabytes": pickle.dumps(Calls(rebuild, plain, 0, huge, (0, 0), False, OrderedDict())),
        "memo-of-gigabytes": b"\x80\x04Nr" + struct.pack("<I", 2**32 - 16) + b".",
        "bytes-of-terabytes": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        "state-on-the-class": graph + b"}X\x01\x00\x00\x00aK\x01sb.",
        "state-on-a-list": b"\x80\x02]}b.",
        "new-with-arguments": graph + b"K\x01\x85\x81.",
        "new-with-keywords": graph + b")}\x92.",
        "extension": b"\x80\x02\x82\x01.",
        "persistent-id": b"\x80\x02K\x01Q.",
        "path": pickle.dumps(Path("x")),
        "cut-off": new_graph({"pos": torch.zeros(3)})[:-20],
        "appended": new_graph({"pos": torch.zeros(3)}) + b"N.",
        "no-graph": pickle.dumps({"pos": 1}),
        "deep": b"\x80\x02" + b")" + b"\x85" * 100_000 + b".",
        "empty": b"",
    }


def _getattr_pickle(command: str) -> bytes:
    """`getattr(__import__("os"), "system")(command)`, which no class would write."""
    module = b"cbuiltins\n__import__\n(S'os'\ntR"
    return b"cbuiltins\ngetattr\n(" + module + b"S'system'\ntR(S" + repr(command).encode() + b"\ntR."


def _stack_global(module: str, name: str, argument: str) -> bytes:
    """A call of a name that is put on the stack as text."""
    return b"\x80\x04" + _short(module) + _short(name) + b"\x93" + _short(argument) + b"\x85R."


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def _late(value: object) -> bytes:
    """A storage in torch's older file format whose third part is not the description of a machine."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(1001, protocol=2)
    return magic + pickle.dumps(value, protocol=2)
