"""The potential that users train: energies of many crystals, and forces and stresses as their slopes.

The gated network of `network` with three changes. Neighbours stand within a radius, and every message is multiplied
by an envelope that ends there with two vanishing derivatives, so that energy and forces have no jump when a neighbour
comes or goes. Each atom sums its edges as vectors, and an edge learns how it lies to these sums, which tells angles
at the cost of edges. Only operations that can be differentiated twice are used: forces are trained.

Sources: Gasteiger et al., arXiv:2003.03123, eq. 8 (envelope); Schuett et al., arXiv:2102.03150 (vector sums);
Choudhary and DeCost, npj Comput. Mater. 7, 185 (2021), doi:10.1038/s41524-021-00650-1 (gated edges).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data

from ..gnn.network import ELEMENTS, RadialBasis

TAGS = 4
"""0 bulk, 1 surface, 2 adsorbate, 3 not told."""
ADSORBATE, NO_TAG = 2, 3


@dataclass(frozen=True)
class PotentialShape:
    """Shape of the network.

    Attributes:
        fidelities: Names of the heads, one for each kind of energies.
        cutoff_angstrom: Beyond it an atom sees no other.
        width: Of atom and edge features.
        layers: Rounds of message passing.
        radial: Number of radial functions.
        vectors: Channels of the vector sums.
        tags: Whether atoms are told apart by OC20's tags.
        neighbours: Mean number of neighbours in the training data, which sums are scaled by.
    """

    fidelities: tuple[str, ...]
    cutoff_angstrom: float = 5.0
    width: int = 96
    layers: int = 3
    radial: int = 32
    vectors: int = 16
    tags: bool = False
    neighbours: float = 40.0

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)


class Output(NamedTuple):
    """What the network says of a batch.

    Attributes:
        energies: eV, float64, shape `(nframes,)`.
        forces: Cartesian, eV/A, shape `(natoms, 3)`.
        stresses: eV/A^3, positive under tension, shape `(nframes, 3, 3)`.
    """

    energies: Tensor
    forces: Tensor
    stresses: Tensor


class PotentialNetwork(nn.Module):
    """Frames in, an energy each; a head per fidelity on one trunk.

    Energies are sums over atoms: a constant for the element, and what the head reads off the atom. A head of
    adsorption energies counts the constants of adsorbate atoms alone.
    """

    scales: Tensor
    references: Tensor
    adsorption: Tensor

    def __init__(self, shape: PotentialShape) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = PotentialTrunk(shape)
        self.heads = nn.ModuleDict({name: _head(shape.width) for name in shape.fidelities})
        count = len(shape.fidelities)
        self.register_buffer("scales", torch.ones(count))
        self.register_buffer("references", torch.zeros(count, ELEMENTS + 1, dtype=torch.float64))
        self.register_buffer("adsorption", torch.zeros(count, dtype=torch.bool))

    def forward(self, data: Data, vectors: Tensor) -> Tensor:
        """Energies, eV, float64, shape `(nframes,)`.

        Args:
            data: See `PackedFrames.batch`.
            vectors: From target to source of each edge, A, shape `(nedges, 3)`.
        """
        atoms = self.trunk(data, vectors)
        kind = data.fidelity.index_select(0, data.owners)
        readings = torch.cat([head(atoms) for head in self.heads.values()], dim=1)
        own = readings.gather(1, kind[:, None])[:, 0] * self.scales[kind]
        counted = ~self.adsorption[kind] | (data.tags == ADSORBATE)
        known = torch.where(counted, self.references[kind, data.numbers], 0.0)
        total = torch.zeros(len(data.sizes), dtype=torch.float64, device=own.device)
        return total.index_add(0, data.owners, own.double() + known)

    def evaluate(self, data: Data, training: bool = False) -> Output:
        """Energies with their slopes.

        Args:
            data: See `PackedFrames.batch`.
            training: Keep what is needed to differentiate once more.
        """
        with torch.enable_grad():
            vectors = edge_vectors(data).requires_grad_(True)
            energies = self(data, vectors)
            (slopes,) = torch.autograd.grad(energies.sum(), vectors, create_graph=training)
        source, target = data["edge_index"]
        forces = torch.zeros_like(data.positions)
        forces = forces.index_add(0, target, slopes).index_add(0, source, -slopes)
        products = vectors[:, :, None] * slopes[:, None, :]
        virials = torch.zeros_like(data.lattices).index_add(0, data.owners.index_select(0, target), products)
        stresses = (virials + virials.mT) / (2 * data.volumes[:, None, None])
        if training:
            return Output(energies, forces, stresses)
        return Output(energies.detach(), forces.detach(), stresses.detach())


class PotentialTrunk(nn.Module):
    """From a graph to one vector per atom, shape `(natoms, width)`."""

    def __init__(self, shape: PotentialShape) -> None:
        super().__init__()
        self.cutoff = shape.cutoff_angstrom
        self.elements = nn.Embedding(ELEMENTS + 1, shape.width)
        self.tags = nn.Embedding(TAGS, shape.width) if shape.tags else None
        self.radial = RadialBasis(shape.radial, shape.cutoff_angstrom)
        self.edges = nn.Linear(shape.radial, shape.width)
        self.layers = nn.ModuleList([EnvelopedConvolution(shape) for _ in range(shape.layers)])
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, data: Data, vectors: Tensor) -> Tensor:
        distances = torch.linalg.vector_norm(vectors, dim=1)
        units = (vectors / distances[:, None]).to(self.edges.weight.dtype)
        reach = envelope(distances / self.cutoff).to(units.dtype)[:, None]
        atoms = self.elements(data.numbers)
        if self.tags is not None:
            atoms = atoms + self.tags(data.tags)
        edges = self.edges(self.radial(distances.to(units.dtype)))
        for layer in self.layers:
            atoms, edges = layer(atoms, edges, data.edge_index, units, reach)
        return self.norm(atoms)


class EnvelopedConvolution(nn.Module):
    """Edges take up their atoms and angles; atoms take up their neighbours through the edges' gates."""

    def __init__(self, shape: PotentialShape) -> None:
        super().__init__()
        width = shape.width
        self.scale = shape.neighbours**-0.5
        self.of_target = nn.Linear(width, 2 * width)
        self.of_source = nn.Linear(width, 2 * width, bias=False)
        self.of_edge = nn.Linear(width, width, bias=False)
        self.spread = nn.Linear(width, shape.vectors, bias=False)
        self.of_angles = nn.Linear(2 * shape.vectors, width, bias=False)
        self.edge_norm = nn.LayerNorm(width)
        self.atom_norm = nn.LayerNorm(width)
        self.update = nn.Sequential(
            nn.Linear(width + shape.vectors, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self, atoms: Tensor, edges: Tensor, edge_index: Tensor, units: Tensor, reach: Tensor
    ) -> tuple[Tensor, Tensor]:
        source, target = edge_index
        parts = units[:, :, None] * (self.spread(edges) * reach)[:, None, :]  # (nedges, 3, vectors)
        sums = parts.new_zeros(len(atoms), *parts.shape[1:]).index_add(0, target, parts) * self.scale
        lies = [(sums.index_select(0, ends) * units[:, :, None]).sum(1) for ends in (target, source)]
        own, self_message = self.of_target(atoms).chunk(2, dim=1)
        theirs, message = self.of_source(atoms).chunk(2, dim=1)
        before = self.of_edge(edges) + self.of_angles(torch.cat(lies, dim=1))
        before = before + own.index_select(0, target) + theirs.index_select(0, source)
        edges = edges + functional.silu(self.edge_norm(before))
        taken = torch.sigmoid(before) * reach * message.index_select(0, source)
        gathered = torch.zeros_like(atoms).index_add(0, target, taken) * self.scale
        atoms = atoms + functional.silu(self.atom_norm(self_message + gathered))
        return atoms + self.update(torch.cat([atoms, sums.square().sum(1)], dim=1)), edges


def edge_vectors(data: Data) -> Tensor:
    """From the target of each edge to the image of its source, A, shape `(nedges, 3)`."""
    source, target = data["edge_index"]
    lattices = data.lattices.index_select(0, data.owners.index_select(0, target))
    shifts = (data.images.to(lattices.dtype)[:, :, None] * lattices).sum(1)
    return data.positions.index_select(0, source) + shifts - data.positions.index_select(0, target)


def envelope(reduced: Tensor) -> Tensor:
    """From 1 at distance 0 to 0 at the cutoff, where its first two derivatives vanish as well.

    Args:
        reduced: Distances over the cutoff.
    """
    x = reduced.clamp(max=1.0)
    return 1 - 28 * x**6 + 48 * x**7 - 21 * x**8


def _head(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
