"""Which fields does a pickled graph of torch_geometric hold?

OC20's LMDB files store one `Data` object an entry. Those of torch_geometric 2 keep their fields in a storage object,
those before 2.0 in their own `__dict__`. Both are read by stand-ins; torch_geometric is not imported, and nothing else
than graphs of plain numbers is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.errors import InputError
from ..pickles.arrays import ARRAY_NAMES, PLAIN_NAMES, plain_value
from ..pickles.machine import Name, read_pickle


class Holder:
    """Stands for an object of torch_geometric: keeps what it was given."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def build(self, state: object) -> None:
        """Take a dictionary of fields."""
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise InputError("The graph in the pickle has fields without names; it is not read.")
        self.state = state


class Graph(Holder):
    """Stands for `Data`."""


def graph_fields(raw: bytes) -> dict[str, Any]:
    """The fields of a pickled graph that were set, tensors as numpy arrays.

    Raises:
        InputError: the pickle holds something else than a graph of plain numbers.
    """
    graph = read_pickle(raw, GRAPH_NAMES)
    if not isinstance(graph, Graph):
        raise InputError(f"It holds a {type(graph).__name__}, expected a graph of torch_geometric.")
    return {
        name: plain_value(value)
        for name, value in _mapping(graph).items()
        if value is not None and not name.startswith("_")
    }


def plain_pickle(raw: bytes) -> Any:
    """A pickled number or container of plain values, such as `length`.

    Raises:
        InputError: it holds something else.
    """
    return read_pickle(raw, PLAIN_NAMES)


def _mapping(graph: Graph) -> Mapping[str, Any]:
    if "_store" not in graph.state:
        return graph.state
    store = graph.state["_store"]
    mapping = store.state.get("_mapping") if isinstance(store, Holder) else None
    if not isinstance(mapping, dict) or not all(isinstance(name, str) for name in mapping):
        raise InputError("The graph in the pickle has no storage of named fields; it is not read.")
    return mapping


_DATA = "torch_geometric.data.data"
_STORAGE = "torch_geometric.data.storage"

GRAPH_NAMES: Mapping[tuple[str, str], Name] = {
    **ARRAY_NAMES,
    (_DATA, "Data"): Name(f"{_DATA}.Data", new=Graph),
    (_DATA, "DataEdgeAttr"): Name(f"{_DATA}.DataEdgeAttr"),
    (_DATA, "DataTensorAttr"): Name(f"{_DATA}.DataTensorAttr"),
    (_STORAGE, "GlobalStorage"): Name(f"{_STORAGE}.GlobalStorage", new=Holder),
}
