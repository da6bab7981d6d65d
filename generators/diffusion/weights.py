"""A trained diffusion model and its adapters as files: weights in bfloat16 and a header, in safetensors; nothing is code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..weight_files import read_weights, write_weights
from .adapters import SPACEGROUP, Adapter, AdapterConfig, interval_features
from .network import Network, NetworkConfig
from .settings import DataTable

FORMAT, ADAPTER_FORMAT = "hysteron-diffusion-1", "hysteron-diffusion-adapter-1"

Size = tuple[int, int, int]
"""Atoms of a formula unit, atoms of the primitive cell, and how many training crystals have both."""


@dataclass
class Trained:
    """What sampling needs.

    Attributes:
        network: In evaluation mode.
        data: The domain that it learnt.
        sizes: How large its training crystals are.
        card: What it was trained on and how good it is.
        digest: Sixteen digits of the SHA-256 of its weights, which its adapters name.
    """

    network: Network
    data: DataTable
    sizes: tuple[Size, ...]
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """As it is written in provenance."""
        return str(self.card.get("method", "diffusion"))

    @property
    def digest(self) -> str:
        """Sixteen digits of the SHA-256 of the weights as they are saved; adapters name it."""
        digest = hashlib.sha256()
        for name, tensor in sorted(_halved(self.network).items()):
            digest.update(name.encode() + tensor.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write as one safetensors file."""
        header = {
            "format": FORMAT,
            "network": self.network.config.as_dict(),
            "data": self.data.model_dump(mode="json"),
            "sizes": self.sizes,
            "card": self.card,
        }
        write_weights(path, _halved(self.network), header)

    @classmethod
    def load(cls, path: Path) -> Trained:
        """Read what `save` wrote.

        Raises:
            InputError: it is no such file.
        """

        def build(header: dict[str, Any], tensors: dict[str, Tensor]) -> Trained:
            config = NetworkConfig(**header["network"])
            told = {
                "descriptors": (tensors["descriptors"].shape[0], config.descriptors),
                "described.weight": (config.width, config.descriptors),
                "pairs.second.weight": (config.pair_width, config.pair_width),
            }
            _require_shapes(tensors, told, config.layers)
            network = Network(config)
            network.load_state_dict(tensors)
            sizes = tuple((int(a), int(b), int(c)) for a, b, c in header["sizes"])
            data = DataTable.model_validate(header["data"])
            return cls(network.eval().requires_grad_(False), data, sizes, header["card"])

        return read_weights(path, FORMAT, "diffusion model", build)


@dataclass
class TrainedAdapter:
    """A trained adapter.

    Attributes:
        adapter: In evaluation mode.
        base: The digest of the model it is for.
        grid: Values of the property that equal shares of the training crystals lie below, ascending; none for space groups.
        card: What it was trained on.
    """

    adapter: Adapter
    base: str
    grid: tuple[float, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of its property."""
        return self.adapter.config.name

    def told(self, low: float | None, high: float | None) -> Tensor:
        """A range as the adapter takes it, shape `(nfeatures,)`.

        Args:
            low, high: In the unit of the property table; none is open.
        """
        ends = [
            0.0 if low is None else self._share(low, "left"),
            1.0 if high is None else self._share(high, "right"),
        ]
        return interval_features(*(torch.tensor([end]) for end in ends))[0]

    def _share(self, value: float, side: str) -> float:
        """Of the training crystals below a value; ties count as below on the right side."""
        import numpy as np

        grid = np.array(self.grid)
        if side == "left":
            return float(np.interp(value, *_first_of_ties(grid)))
        return float(np.interp(value, *_last_of_ties(grid)))

    def save(self, path: Path) -> None:
        """Write as one safetensors file."""
        header = {
            "format": ADAPTER_FORMAT,
            "adapter": self.adapter.config.as_dict(),
            "base": self.base,
            "grid": self.grid,
            "card": self.card,
        }
        write_weights(path, _halved(self.adapter), header)

    @classmethod
    def load(cls, path: Path) -> TrainedAdapter:
        """Read what `save` wrote.

        Raises:
            InputError: it is no such file.
        """

        def build(header: dict[str, Any], tensors: dict[str, Tensor]) -> TrainedAdapter:
            config = AdapterConfig(**header["adapter"])
            told = {
                "read.0.weight": (config.width, config.features),
                "gates.weight": (config.layers * config.rank, config.width),
            }
            _require_shapes(tensors, told, None)
            adapter = Adapter(config)
            adapter.load_state_dict(tensors)
            grid = tuple(float(value) for value in header["grid"])
            if config.name != SPACEGROUP and (len(grid) < 2 or list(grid) != sorted(grid)):
                raise ValueError("its grid of values does not ascend")
            return cls(adapter.eval().requires_grad_(False), str(header["base"]), grid, header["card"])

        return read_weights(path, ADAPTER_FORMAT, "adapter of a diffusion model", build)


GRID = 257
"""Values in the grid of an adapter."""


def grid_of(known: Tensor) -> tuple[float, ...]:
    """The grid of known values of a property."""
    shares = torch.linspace(0, 1, GRID, dtype=torch.float64)
    return tuple(torch.quantile(known.double(), shares, interpolation="lower").tolist())


def _first_of_ties(grid: Any) -> tuple[Any, Any]:
    import numpy as np

    values, first = np.unique(grid, return_index=True)
    return values, first / (len(grid) - 1)


def _last_of_ties(grid: Any) -> tuple[Any, Any]:
    import numpy as np

    values, first = np.unique(grid[::-1], return_index=True)
    return values, 1 - first / (len(grid) - 1)


def _halved(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().cpu().bfloat16().contiguous() for key, value in module.state_dict().items()}


def _require_shapes(
    tensors: Mapping[str, Tensor], told: Mapping[str, tuple[int, ...]], layers: int | None
) -> None:
    """Before a model is made, so that a header cannot ask for more memory than the file has weights."""
    found = {name: tuple(tensors[name].shape) for name in told if name in tensors}
    blocks = {name.split(".")[1] for name in tensors if name.startswith("blocks.")}
    if found != told or (layers is not None and len(blocks) != layers):
        raise ValueError("its weights are not those of the model that its header describes")
