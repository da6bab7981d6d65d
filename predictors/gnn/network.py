"""The property network: a gated graph network that also updates its edges, a shared trunk, a head per property.

An edge gathers from its two atoms and itself; its sigmoid gates what the target takes from the source. Sources:
Bresson and Laurent, arXiv:1711.07553 (gated edges); Choudhary and DeCost, npj Comput. Mater. 7, 185 (2021),
doi:10.1038/s41524-021-00650-1, eq. 1-4 (the same on crystals); Ruff et al., Digital Discovery 3, 594 (2024),
doi:10.1039/D4DD00018H (nearest neighbours, edge residuals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data
from torch_geometric.utils import segment

from .packed import FEATURE_WIDTH

ELEMENTS = 118


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the network.

    Attributes:
        outputs: Width of each head, by name: a property has one output per fidelity.
        width: Of atom and edge features.
        layers: Rounds of message passing.
        chgnet_features: Whether atoms start from CHGNet's features as well as from their element.
        radial: Number of radial functions.
        radius_angstrom: Where the last radial function stands.
        members: Independent heads on the one trunk; their spread is the epistemic uncertainty.
        head_width: Hidden width of a head.
        dropout: In the heads.
    """

    outputs: tuple[tuple[str, int], ...]
    width: int = 96
    layers: int = 3
    chgnet_features: bool = True
    radial: int = 32
    radius_angstrom: float = 8.0
    members: int = 5
    head_width: int = 64
    dropout: float = 0.0

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> NetworkConfig:
        """From JSON."""
        outputs = tuple((str(name), int(n)) for name, n in values["outputs"])
        return cls(**{**values, "outputs": outputs})


class PropertyNetwork(nn.Module):
    """Crystals in, all heads out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        self.heads = nn.ModuleDict({name: Head(2 * config.width, n, config) for name, n in config.outputs})

    def forward(self, data: Data) -> dict[str, Tensor]:
        """Each head's outputs, shape `(members, ncrystals, outputs)`."""
        pooled = self.trunk(data)
        return {name: head(pooled) for name, head in self.heads.items()}


class Trunk(nn.Module):
    """From a graph to one vector per crystal, shape `(ncrystals, 2 * width)`."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.with_features = config.chgnet_features
        self.elements = nn.Embedding(ELEMENTS + 1, width)
        if config.chgnet_features:
            self.features = nn.Linear(FEATURE_WIDTH, width)
        self.radial = RadialBasis(config.radial, config.radius_angstrom)
        self.edges = nn.Linear(config.radial, width)
        self.convolutions = nn.ModuleList(
            [GatedConvolution(width, k + 1 < config.layers) for k in range(config.layers)]
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, data: Data) -> Tensor:
        atoms = self.elements(data.numbers)
        if self.with_features:
            atoms = atoms + self.features(data.features)
        edges = self.edges(self.radial(data.distances))
        for convolve in self.convolutions:
            atoms, edges = convolve(atoms, edges, data.edge_index, data.targets_pointer)
        atoms = self.norm(atoms)
        starts = functional.pad(torch.cumsum(data.sizes, 0), (1, 0))
        mean = segment(atoms, starts, "mean")
        spread = segment((atoms - mean[data.batch]).square(), starts, "mean")
        return torch.cat([mean, (spread + 1e-6).sqrt()], dim=1)


class GatedConvolution(nn.Module):
    """Edges take up their atoms, but for the last round; atoms take up their neighbours through the edges' gates."""

    def __init__(self, width: int, updates_edges: bool) -> None:
        super().__init__()
        self.of_target = nn.Linear(width, 2 * width)
        self.of_source = nn.Linear(width, 2 * width, bias=False)
        self.of_edge = nn.Linear(width, width, bias=False)
        self.edge_norm = nn.LayerNorm(width) if updates_edges else None
        self.atom_norm = nn.LayerNorm(width)
        self.update = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(
        self, atoms: Tensor, edges: Tensor, edge_index: Tensor, pointer: Tensor
    ) -> tuple[Tensor, Tensor]:
        source, target = edge_index
        own, self_message = self.of_target(atoms).chunk(2, dim=1)
        theirs, message = self.of_source(atoms).chunk(2, dim=1)
        before = self.of_edge(edges) + own.index_select(0, target) + theirs.index_select(0, source)
        if self.edge_norm is not None:
            edges = edges + functional.silu(self.edge_norm(before))
        gates = torch.sigmoid(before)
        weighted = segment(gates * message.index_select(0, source), pointer, "sum")
        total = segment(gates, pointer, "sum")
        atoms = atoms + functional.silu(self.atom_norm(self_message + weighted / (total + 1e-6)))
        return atoms + self.update(atoms), edges


class RadialBasis(nn.Module):
    """Gaussians of the distance, evenly spaced, shape `(nedges, count)`."""

    centres: Tensor

    def __init__(self, count: int, radius: float) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0.5, radius, count), persistent=False)
        self.sharpness = (count / radius) ** 2

    def forward(self, distances: Tensor) -> Tensor:
        return torch.exp(-self.sharpness * (distances[:, None] - self.centres).square())


class Head(nn.Module):
    """`members` independent networks of one hidden layer, side by side."""

    def __init__(self, width: int, outputs: int, config: NetworkConfig) -> None:
        super().__init__()
        self.first = Members(config.members, width, config.head_width)
        self.second = Members(config.members, config.head_width, outputs)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, pooled: Tensor) -> Tensor:
        hidden = functional.silu(self.first(pooled.expand(self.first.weight.shape[0], *pooled.shape)))
        return self.second(self.dropout(hidden))


class Members(nn.Module):
    """One linear layer per member, shape `(members, n, outputs)`."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, inputs, self.weight)


def count_parameters(modules: Sequence[nn.Module]) -> int:
    """Trainable numbers."""
    return sum(p.numel() for module in modules for p in module.parameters() if p.requires_grad)
