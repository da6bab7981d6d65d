"""A trained property model as one file: weights, scales, domain and intervals, in safetensors.

Numbers are tensors, everything else is one JSON text in the header; nothing in the file is code.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.errors import InputError
from ..gnn.network import NetworkConfig, PropertyNetwork
from ..gnn.packed import Packed
from .domain import Domain
from .heads import HEADS
from .intervals import Intervals
from .priors import chgnet_formation, offsets_of, require_priors

FORMAT = "hysteron-properties-2"
LARGEST_BYTES = 64_000_000
READABLE = 0o644  # safetensors writes files that others cannot read


@dataclass
class PropertyModel:
    """What `predict` needs.

    Attributes:
        network: With the averaged weights, in evaluation mode.
        means, scales: Of each regression head, shape `(outputs,)`.
        references: CHGNet's energy of each element in its reference phase, eV/atom, by atomic number, NaN if there
            is none, shape `(119,)`.
        domain: Where the training crystals lie.
        priors: What a head corrects; see `priors`.
        intervals: By head, one per output.
        elements: Atomic numbers the network was trained on, by head.
        card: What it was trained on and how good it is.
    """

    network: PropertyNetwork
    means: dict[str, Tensor]
    scales: dict[str, Tensor]
    references: Tensor
    domain: Domain
    priors: dict[str, Tensor] = field(default_factory=dict)
    intervals: dict[str, list[Intervals]] = field(default_factory=dict)
    elements: dict[str, list[int]] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)

    def formation_energies(self, crystals: Packed) -> Tensor:
        """CHGNet's formation energy of each crystal, eV/atom, NaN without a reference, shape `(ncrystals,)`."""
        return chgnet_formation(crystals, self.references)

    @torch.no_grad()
    def evaluate(self, crystals: Packed, batch: int = 256) -> Evaluation:
        """All heads of all crystals, on their scales."""
        offsets = offsets_of(self.priors, crystals, self.references)
        outputs: dict[str, list[Tensor]] = {}
        vectors = []
        for some in torch.arange(len(crystals)).split(batch):
            vector = self.network.trunk(crystals.batch(some))
            vectors.append(vector)
            for name, head in self.network.heads.items():
                outputs.setdefault(name, []).append(
                    self._on_scale(name, head(vector), offsets.get(name), some)
                )
        found = {name: torch.cat(parts, dim=1).numpy() for name, parts in outputs.items()}
        distances = self.domain.distances(torch.cat(vectors))
        return Evaluation(found, distances.numpy(), self.formation_energies(crystals).numpy())

    def _on_scale(self, name: str, raw: Tensor, offsets: Tensor | None, some: Tensor) -> Tensor:
        head = HEADS[name]
        if head.kind == "classes":
            return raw.softmax(dim=-1)
        known = 0.0 if offsets is None else offsets[some]
        if head.kind == "binary":
            return (raw + known).sigmoid()
        return raw * self.scales[name] + self.means[name] + known

    def save(self, path: Path) -> None:
        """Write as one safetensors file."""
        from safetensors.torch import save_file

        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"means.{k}": v for k, v in self.means.items()}
        tensors |= {f"scales.{k}": v for k, v in self.scales.items()}
        tensors |= {f"priors.{k}": v for k, v in self.priors.items()}
        tensors |= {
            "references": self.references,
            "domain.centre": self.domain.centre,
            "domain.axes": self.domain.axes,
            "domain.references": self.domain.references,
        }
        header = {
            "format": FORMAT,
            "network": self.network.config.as_dict(),
            "limit": self.domain.limit,
            "intervals": {k: [i.as_dict() for i in v] for k, v in self.intervals.items()},
            "elements": self.elements,
            "card": self.card,
        }
        save_file({k: v.contiguous() for k, v in tensors.items()}, path, {"hysteron": json.dumps(header)})
        path.chmod(READABLE)

    @classmethod
    def load(cls, path: Path) -> PropertyModel:
        """Read what `save` wrote.

        Raises:
            InputError: it is no such file.
        """
        from safetensors import SafetensorError, safe_open

        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise InputError(
                    f"{path} is larger than {LARGEST_BYTES // 1_000_000} MB; no property model is."
                )
            with safe_open(path, framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("hysteron", "{}"))
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
            if header.get("format") != FORMAT:
                raise InputError(
                    f"{path} is no property model of this program: its header names {header.get('format')!r}, "
                    f"wanted {FORMAT!r}."
                )
            return cls._from_parts(header, tensors)
        except (
            OSError,
            SafetensorError,
            LookupError,
            AttributeError,
            TypeError,
            ValueError,
            RuntimeError,
        ) as error:
            raise InputError(f"{path} cannot be read as a property model: {error}") from None

    @classmethod
    def _from_parts(cls, header: dict[str, Any], tensors: dict[str, Tensor]) -> PropertyModel:
        config = NetworkConfig.from_dict(header["network"])
        weights = _under("network.", tensors)
        _check_shape(config, weights)
        priors = _under("priors.", tensors)
        require_priors(priors, [name for name, _ in config.outputs])
        network = PropertyNetwork(config)
        network.load_state_dict(weights)
        domain = Domain(**_under("domain.", tensors), limit=float(header["limit"]))
        return cls(
            network.eval().requires_grad_(False),
            _under("means.", tensors),
            _under("scales.", tensors),
            tensors["references"],
            domain,
            priors,
            {k: [Intervals(**i) for i in v] for k, v in header["intervals"].items()},
            header["elements"],
            header["card"],
        )


@dataclass
class Evaluation:
    """Heads of some crystals.

    Attributes:
        members: By head, on its scale, shape `(members, ncrystals, outputs)`.
        distances: From the training crystals, shape `(ncrystals,)`.
        chgnet: CHGNet's formation energy, eV/atom, shape `(ncrystals,)`.
    """

    members: dict[str, np.ndarray]
    distances: np.ndarray
    chgnet: np.ndarray

    def means(self, name: str) -> np.ndarray:
        """Mean over the members, shape `(ncrystals, outputs)`."""
        return self.members[name].mean(0)

    def spreads(self, name: str) -> np.ndarray:
        """Standard deviation over the members, shape `(ncrystals, outputs)`."""
        return self.members[name].std(0)


def _check_shape(config: NetworkConfig, weights: dict[str, Tensor]) -> None:
    """Refuse a header that asks for another network than the file holds, before memory is taken for it.

    Raises:
        ValueError: it does.
    """
    unknown = [name for name, _ in config.outputs if name not in HEADS]
    if unknown:
        raise ValueError(f"no head {unknown[0]!r} is known")
    if config.layers <= len(weights):
        with torch.device("meta"):
            wanted = {name: tensor.shape for name, tensor in PropertyNetwork(config).state_dict().items()}
        if wanted == {name: tensor.shape for name, tensor in weights.items()}:
            return
    raise ValueError("its weights are not those of the network that its header describes")


def file_hash(path: Path) -> str:
    """First 16 hex digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
