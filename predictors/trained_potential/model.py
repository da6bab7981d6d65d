"""A trained potential as one file: weights in safetensors, everything else as one JSON text in the header.

Nothing in the file is code, and nothing is built from it before its sizes are known to be sane. Needs torch,
torch_geometric, numpy and safetensors alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...core.errors import InputError, NotFoundError
from ..gnn.network import ELEMENTS
from .network import PotentialNetwork, PotentialShape

FORMAT = "hysteron-potential-1"
LARGEST_BYTES = 512_000_000
LARGEST_HEADER_BYTES = 4_000_000
MOST_FIDELITIES = 64
LONGEST_NAME = 100
BOUNDS: dict[str, tuple[float, float]] = {
    "cutoff_angstrom": (1.0, 12.0),
    "width": (4, 1024),
    "layers": (1, 12),
    "radial": (4, 256),
    "vectors": (1, 256),
    "neighbours": (1.0, 2000.0),
}
"""Smallest and largest of each number that shapes a network."""


@dataclass(frozen=True)
class Fidelity:
    """One head.

    Attributes:
        name: Whose energies: `omat24-pbe`.
        adsorption: Whether energies are counted from the clean surface and the gas.
        forces: Whether its slopes are forces; not where the energy at the end of a relaxation was learned.
        elements: Atomic numbers it was trained on, ascending.
    """

    name: str
    adsorption: bool
    forces: bool
    elements: tuple[int, ...]


@dataclass
class TrainedModel:
    """What a trained potential is made of.

    Attributes:
        name: Of the model.
        network: In evaluation mode.
        fidelities: One for each head, in their order.
        card: Training data, configuration and errors, as plain JSON.
        digest: SHA-256 of the weights; filled when it is saved or loaded.
    """

    name: str
    network: PotentialNetwork
    fidelities: tuple[Fidelity, ...]
    card: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    def save(self, path: Path) -> None:
        """Write the file, in one move."""
        from safetensors.torch import save_file

        tensors = {k: v.detach().cpu().contiguous() for k, v in self.network.state_dict().items()}
        self.digest = _digest(tensors)
        header = {
            "format": FORMAT,
            "name": self.name,
            "shape": self.network.shape.as_dict(),
            "fidelities": [asdict(f) for f in self.fidelities],
            "card": self.card,
            "digest": self.digest,
        }
        part = path.with_suffix(".part")
        save_file(tensors, part, {"hysteron": json.dumps(header, allow_nan=False)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> TrainedModel:
        """Read what `save` wrote.

        Raises:
            NotFoundError: there is no such file.
            InputError: it is no such file, was changed, or holds something else than its header says.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise NotFoundError(f"There is no trained potential at {path}.")
        try:
            _check_sizes(path)
            with safe_open(path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("hysteron", "{}"))
                shape, fidelities = _parts_of(header)
                tensors = _read(file, shape)
            if _digest(tensors) != header["digest"]:
                raise InputError("its weights are not those that were saved.")
            name, card, digest = _texts(header)
            with torch.random.fork_rng(devices=[]):
                network = PotentialNetwork(shape)
            network.load_state_dict(tensors)
        except InputError as error:
            raise InputError(f"{path} is no trained potential that can be used: {error}") from None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} cannot be read as a trained potential: {type(error).__name__}: {error}"
            ) from None
        return cls(name, network.eval().requires_grad_(False), fidelities, card, digest)


def _check_sizes(path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise InputError(f"it has {size} bytes; up to {LARGEST_BYTES} are read.")
    with path.open("rb") as file:
        begin = file.read(8)
    length = struct.unpack("<Q", begin)[0] if len(begin) == 8 else 0
    if not 0 < length <= min(LARGEST_HEADER_BYTES, size):
        raise InputError(f"its header has {length} bytes; it is no safetensors file of this program.")


def _parts_of(header: Any) -> tuple[PotentialShape, tuple[Fidelity, ...]]:
    """The network that a header describes, and its heads."""
    told = header.get("format") if isinstance(header, dict) else None
    if told != FORMAT:
        raise InputError(f"its header names the format {str(told)[:40]!r}, wanted {FORMAT!r}.")
    _only(header, ("format", "name", "shape", "fidelities", "card", "digest"), "header")
    rows = header["fidelities"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_FIDELITIES:
        raise InputError(f"it names no fidelities, or more than {MOST_FIDELITIES}.")
    fidelities = tuple(_fidelity(row) for row in rows)
    shape = _shape(header["shape"])
    if shape.fidelities != tuple(f.name for f in fidelities) or len(set(shape.fidelities)) != len(fidelities):
        raise InputError("the heads of its network are not the fidelities it names.")
    return shape, fidelities


def _shape(values: Any) -> PotentialShape:
    known = {f.name for f in fields(PotentialShape)}
    _only(values, known, "shape", all_of_them=True)
    for name, (least, most) in BOUNDS.items():
        kind = int if isinstance(getattr(PotentialShape, name), int) else (int, float)
        value = values[name]
        if (
            isinstance(value, bool)
            or not isinstance(value, kind)
            or not math.isfinite(value)
            or not least <= value <= most
        ):
            raise InputError(f"its {name} is {str(value)[:40]}, wanted {least:g} to {most:g}.")
    if not isinstance(values["tags"], bool) or not isinstance(values["fidelities"], list):
        raise InputError("its shape is not that of a network.")
    return PotentialShape(**{**values, "fidelities": tuple(values["fidelities"])})


def _fidelity(row: Any) -> Fidelity:
    _only(row, [f.name for f in fields(Fidelity)], "fidelity", all_of_them=True)
    name, elements = row["name"], row["elements"]
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or "." in name:
        raise InputError(f"it names a fidelity {str(name)[:40]!r}.")
    if not isinstance(elements, list) or not all(type(z) is int and 1 <= z <= ELEMENTS for z in elements):
        raise InputError(f"the elements of its fidelity {name} are not atomic numbers.")
    if not all(isinstance(row[flag], bool) for flag in ("adsorption", "forces")):
        raise InputError(f"its fidelity {name} does not say what it tells.")
    return Fidelity(name, row["adsorption"], row["forces"], tuple(elements))


def _texts(header: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    name, card, digest = header["name"], header["card"], header["digest"]
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or not isinstance(card, dict):
        raise InputError("its name or card are not what they should be.")
    return name, card, digest


def _read(file: Any, shape: PotentialShape) -> dict[str, Tensor]:
    """The tensors of the network, each of the right shape and type, and no others."""
    with torch.device("meta"):
        wanted = PotentialNetwork(shape).state_dict()
    _only(dict.fromkeys(file.keys()), list(wanted), "weights", all_of_them=True)
    tensors = {}
    for name, like in wanted.items():
        if tuple(file.get_slice(name).get_shape()) != tuple(like.shape):
            raise InputError(f"its tensor {name} has another shape than {tuple(like.shape)}.")
        tensors[name] = file.get_tensor(name)
        if tensors[name].dtype != like.dtype:
            raise InputError(f"its tensor {name} is of type {tensors[name].dtype}, wanted {like.dtype}.")
        if name != "adsorption" and not torch.isfinite(tensors[name]).all():
            raise InputError(f"its tensor {name} holds numbers that are not finite.")
    return tensors


def _only(values: Any, known: Any, what: str, all_of_them: bool = False) -> None:
    """Raise if a mapping has keys that are not known, or lacks one."""
    if not isinstance(values, dict):
        raise InputError(f"its {what} is no table.")
    unknown, missing = sorted(set(values) - set(known)), sorted(set(known) - set(values))
    if unknown:
        raise InputError(f"its {what} has {unknown[0][:60]!r}, which this program does not know.")
    if missing and (all_of_them or what == "header"):
        raise InputError(f"its {what} lacks {missing[0]!r}.")


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
