"""CHGNet's network, evaluated on a whole batch at once.

The published architecture with the published weights, arranged for speed on a CPU: a linear layer
over concatenated features (atom, bond, atom) is the sum of three linear layers, so each is applied
to atoms or to undirected bonds before they are gathered onto edges. The last angle layer feeds
nothing and is left out; one backward pass to the bond vectors gives forces and stress.

Source: Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .graph import ANGLE_CUTOFF_ANGSTROM, BOND_CUTOFF_ANGSTROM, Graph

WIDTH = 64  # of atom, bond and angle features
ENVELOPE_POWER = 8  # of the polynomial cutoff
NCONV = 4
COLLINEAR_GUARD = 1 - 1e-6  # keeps acos away from the ends; part of the trained model

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Output:
    """What the network says of a batch.

    Attributes:
        energies: Total energies, eV, float64, shape `(ncells,)`.
        bond_gradients: dE/d(bond vector), eV/A, shape `(nbonds, 3)`, or `None`.
        magmoms: mu_B, shape `(natoms,)`.
    """

    energies: Tensor
    bond_gradients: Tensor | None
    magmoms: Tensor


class Network:
    """CHGNet with frozen weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = {name: tensor.detach().contiguous() for name, tensor in weights.items()}
        self.atom_convs = [
            GatedBlock(self.weights, f"atom_conv_layers.{i}.twoBody_atom") for i in range(NCONV)
        ]
        self.bond_convs = [
            GatedBlock(self.weights, f"bond_conv_layers.{i}.twoBody_bond") for i in range(NCONV - 1)
        ]
        self.angle_updates = [
            GatedBlock(self.weights, f"angle_layers.{i}.twoBody_bond") for i in range(NCONV - 2)
        ]

    @classmethod
    def from_file(cls, path: Path) -> Network:
        """Read a checkpoint of the chgnet package."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        return cls(state["model"]["state_dict"])

    def evaluate(self, graph: Graph, gradients: bool = True) -> Output:
        """Energies of a batch, and their gradients with respect to the bond vectors."""
        vectors = torch.from_numpy(graph.vectors).to(torch.float32).requires_grad_(gradients)
        with torch.set_grad_enabled(gradients):
            sites, magmoms = self._site_energies(graph, vectors)
        slopes = None
        if gradients and len(vectors):
            (slopes,) = torch.autograd.grad(sites.sum(), vectors)
        elif gradients:
            slopes = torch.zeros_like(vectors)
        energies = torch.zeros(len(graph.volumes), dtype=torch.float64)
        energies.index_add_(0, torch.from_numpy(graph.owners), self._with_reference(graph, sites.detach()))
        return Output(energies, slopes, magmoms.detach())

    def _with_reference(self, graph: Graph, sites: Tensor) -> Tensor:
        """Site energies plus the fitted energy of each element, eV, float64."""
        reference = self.weights["composition_model.fc.weight"].view(-1).double()
        return sites.double() + reference[torch.from_numpy(graph.numbers) - 1]

    def _site_energies(self, graph: Graph, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Energy of each atom without the reference (eV) and its magnetic moment (mu_B)."""
        weights = self.weights
        edges = Edges(graph)
        atoms = weights["atom_embedding.embedding.weight"][torch.from_numpy(graph.numbers) - 1]
        lengths = vectors.norm(dim=1)
        radial = radial_basis(lengths, self._radial("ag"), BOND_CUTOFF_ANGSTROM)
        bonds = functional.linear(radial, weights["bond_embedding.weight"])
        bond_weights = functional.linear(radial, weights["bond_weights_ag.weight"])
        long, short = bonds[edges.n_short :], bonds[: edges.n_short]
        short_weights = self._short_weights(lengths[: edges.n_short])
        angles = self._angle_features(vectors[: edges.n_short], lengths[: edges.n_short], edges)

        for i in range(NCONV - 1):
            atoms = self._atom_conv(i, atoms, torch.cat([short, long]), bond_weights, edges)
            if edges.nangles:
                short = self._bond_conv(i, atoms, short, angles, short_weights, edges)
                if i < NCONV - 2:
                    angles = self._angle_update(i, atoms, short, angles, edges)
        magmoms = functional.linear(atoms, weights["site_wise.weight"], weights["site_wise.bias"]).abs()
        atoms = self._atom_conv(NCONV - 1, atoms, torch.cat([short, long]), bond_weights, edges)
        return self._readout(atoms), magmoms.view(-1)

    def _radial(self, which: str) -> Tensor:
        return self.weights[f"bond_basis_expansion.rbf_expansion_{which}.frequencies"]

    def _short_weights(self, lengths: Tensor) -> Tensor:
        """Smooth weights of the short bonds in the bond graph, shape `(n_short, 64)`."""
        radial = radial_basis(lengths, self._radial("bg"), ANGLE_CUTOFF_ANGSTROM)
        return functional.linear(radial, self.weights["bond_weights_bg.weight"])

    def _angle_features(self, vectors: Tensor, lengths: Tensor, edges: Edges) -> Tensor:
        """Embedded angle of each unordered pair, shape `(nangles, 64)`."""
        units = vectors / lengths[:, None]
        units = torch.cat([units, -units])
        cosines = (units.index_select(0, edges.half_first) * units.index_select(0, edges.half_second)).sum(1)
        angles = torch.acos(cosines * COLLINEAR_GUARD)
        frequencies = self.weights["angle_basis_expansion.fourier_expansion.frequencies"]
        return functional.linear(
            AngleBasis.apply(angles, frequencies), self.weights["angle_embedding.weight"]
        )

    def _atom_conv(self, i: int, atoms: Tensor, bonds: Tensor, bond_weights: Tensor, edges: Edges) -> Tensor:
        """Atoms gather messages from their neighbours along all bonds."""
        block = self.atom_convs[i]
        centre, bond, neighbour = (atoms, bonds, atoms)
        mixed = block.part(0, centre, bias=True).index_select(0, edges.centres)
        mixed = mixed + block.part(2, neighbour).index_select(0, edges.neighbours)
        mixed = (mixed.view(2, -1, 2 * WIDTH) + block.part(1, bond)).view(-1, 2 * WIDTH)
        messages = (block.gate(mixed).view(2, -1, WIDTH) * bond_weights).view(-1, WIDTH)
        gathered = torch.zeros_like(atoms).index_add(0, edges.centres, messages)
        return atoms + functional.linear(
            gathered, self.weights[f"atom_conv_layers.{i}.mlp_out.layers.1.weight"]
        )

    def _bond_conv(
        self, i: int, atoms: Tensor, short: Tensor, angles: Tensor, short_weights: Tensor, edges: Edges
    ) -> Tensor:
        """Short bonds gather messages from the bonds they form angles with."""
        block = self.bond_convs[i]
        messages = block.gate(_on_angles(block, atoms, short, angles, edges))
        messages = messages * short_weights.index_select(0, edges.angle_second_bond)
        gathered = torch.zeros_like(short).index_add(0, edges.angle_first_bond, messages) * short_weights
        return short + functional.linear(
            gathered, self.weights[f"bond_conv_layers.{i}.mlp_out.layers.1.weight"]
        )

    def _angle_update(self, i: int, atoms: Tensor, short: Tensor, angles: Tensor, edges: Edges) -> Tensor:
        """Angles, from here on one per ordered pair, take up their bonds and centre."""
        block = self.angle_updates[i]
        change = block.gate(_on_angles(block, atoms, short, angles, edges))
        return change + (angles if len(angles) == len(change) else torch.cat([angles, angles]))

    def _readout(self, atoms: Tensor) -> Tensor:
        """Energy of each atom, eV, shape `(natoms,)`."""
        weights = self.weights
        atoms = functional.layer_norm(
            atoms, (WIDTH,), weights["readout_norm.weight"], weights["readout_norm.bias"]
        )
        for layer in (0, 2, 4):
            atoms = functional.silu(
                functional.linear(
                    atoms, weights[f"mlp.layers.{layer}.weight"], weights[f"mlp.layers.{layer}.bias"]
                )
            )
        return functional.linear(atoms, weights["mlp.layers.7.weight"], weights["mlp.layers.7.bias"]).view(-1)


class Edges:
    """Index tensors of a graph: directed edges, and ordered pairs of short ones."""

    def __init__(self, graph: Graph) -> None:
        first, second = torch.from_numpy(graph.first), torch.from_numpy(graph.second)
        self.n_short = graph.n_short
        self.centres = torch.cat([first, second])
        self.neighbours = torch.cat([second, first])
        self.short_centres = torch.cat([first[: self.n_short], second[: self.n_short]])
        self.nangles = graph.angles.shape[1]
        self.half_first = torch.from_numpy(graph.angles[0].copy())
        self.half_second = torch.from_numpy(graph.angles[1].copy())
        self.angle_first = torch.cat([self.half_first, self.half_second])
        self.angle_second_bond = torch.cat([self.half_second, self.half_first]) % max(self.n_short, 1)
        self.angle_first_bond = self.angle_first % max(self.n_short, 1)


class GatedBlock:
    """Two small networks over concatenated features, one gating the other."""

    def __init__(self, weights: Weights, prefix: str) -> None:
        hidden = f"{prefix}.mlp_core.layers.0.weight" in weights
        entry = 0 if hidden else 1
        both = [f"{prefix}.mlp_{half}.layers" for half in ("core", "gate")]
        wide = torch.cat([weights[f"{name}.{entry}.weight"] for name in both])
        self.parts = [part.contiguous() for part in wide.split(WIDTH, dim=1)]
        self.bias = torch.cat([weights[f"{name}.{entry}.bias"] for name in both])
        self.outer = (
            [(weights[f"{name}.3.weight"], weights[f"{name}.3.bias"]) for name in both] if hidden else None
        )
        self.norms = [(weights[f"{prefix}.bn{k}.weight"], weights[f"{prefix}.bn{k}.bias"]) for k in (1, 2)]

    def part(self, i: int, features: Tensor, bias: bool = False) -> Tensor:
        """Share of input `i` in the first layer, core and gate side by side, shape `(n, 128)`."""
        return functional.linear(features, self.parts[i], self.bias if bias else None)

    def gate(self, mixed: Tensor) -> Tensor:
        """From the summed shares, shape `(n, 128)`, to the gated output, shape `(n, 64)`."""
        if self.outer is not None:
            mixed = functional.silu(mixed)
        core, gate = mixed[:, :WIDTH], mixed[:, WIDTH:]
        if self.outer is not None:
            core, gate = functional.linear(core, *self.outer[0]), functional.linear(gate, *self.outer[1])
        core = functional.layer_norm(core, (WIDTH,), *self.norms[0])
        gate = functional.layer_norm(gate, (WIDTH,), *self.norms[1])
        return functional.silu(core) * torch.sigmoid(gate)


def _on_angles(block: GatedBlock, atoms: Tensor, short: Tensor, angles: Tensor, edges: Edges) -> Tensor:
    """First layer of a gated block on ordered pairs of short bonds, shape `(2 nangles, 128)`."""
    own = block.part(0, short)
    own = torch.cat([own, own]) + block.part(3, atoms, bias=True).index_select(0, edges.short_centres)
    mixed = own.index_select(0, edges.angle_first)
    mixed = mixed + block.part(1, short).index_select(0, edges.angle_second_bond)
    share = block.part(2, angles)
    if len(share) == len(mixed):
        return mixed + share
    return (mixed.view(2, -1, 2 * WIDTH) + share).view(-1, 2 * WIDTH)


def radial_basis(lengths: Tensor, frequencies: Tensor, cutoff: float) -> Tensor:
    """Bessel functions under a polynomial envelope, shape `(n, 31)`; zero beyond `cutoff` A."""
    scaled = lengths / cutoff
    p = ENVELOPE_POWER
    bend = -(p + 1) * (p + 2) / 2 + p * (p + 2) * scaled - p * (p + 1) / 2 * scaled**2
    envelope = torch.where(scaled < 1, 1 + scaled**p * bend, torch.zeros_like(scaled))
    prefactor = math.sqrt(2 / cutoff) * envelope / lengths
    return torch.sin(scaled[:, None] * frequencies) * prefactor[:, None]


class AngleBasis(torch.autograd.Function):
    """Fourier series of an angle: constant, sines, cosines; shape `(n, 31)`."""

    @staticmethod
    def forward(ctx, angles: Tensor, frequencies: Tensor) -> Tensor:
        phases = angles[:, None] * frequencies
        sines, cosines = torch.sin(phases), torch.cos(phases)
        ctx.save_for_backward(sines, cosines, frequencies)
        constant = torch.full_like(angles[:, None], 1 / math.sqrt(2))
        return torch.cat([constant, sines, cosines], dim=1) / math.sqrt(math.pi)

    @staticmethod
    def backward(ctx, slopes: Tensor):
        sines, cosines, frequencies = ctx.saved_tensors
        n = len(frequencies)
        change = slopes[:, 1 : n + 1] * cosines - slopes[:, n + 1 :] * sines
        return change @ frequencies / math.sqrt(math.pi), None
