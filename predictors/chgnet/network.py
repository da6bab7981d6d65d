"""CHGNet's network, evaluated on a whole batch at once.

The published architecture with the published weights, arranged for speed on a CPU: a linear layer
over concatenated features (atom, bond, atom) is the sum of three linear layers, so each is applied
to atoms or to undirected bonds before they are gathered onto edges, and the shares of all bonds come
from their radial basis in one product. Messages are passed by `kernels`. The last angle layer feeds
nothing and is left out; one backward pass to the bond vectors gives forces and stress. Lengths and angles
are taken in double precision, the network in single: near straight angles the rounding of a cosine would
otherwise be the largest error of a force.

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
from .kernels import WIDTH, Gate, Routes, gates, messages

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
        features: Of each atom, as the energy is read from them, shape `(natoms, 64)`.
    """

    energies: Tensor
    bond_gradients: Tensor | None
    magmoms: Tensor
    features: Tensor


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
        embedding = self.weights["bond_embedding.weight"]
        self.bond_layers = torch.cat(
            [
                embedding,
                self.weights["bond_weights_ag.weight"],
                *(block.parts[1] @ embedding for block in self.atom_convs),
            ]
        )
        """From the radial basis to bond features, bond weights and their share in each atom convolution."""

    @classmethod
    def from_file(cls, path: Path, device: str = "cpu") -> Network:
        """Read a checkpoint of the chgnet package."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        return cls({name: tensor.to(device) for name, tensor in state["model"]["state_dict"].items()})

    @property
    def device(self) -> torch.device:
        """Where the weights are, and so the work is done."""
        return self.bond_layers.device

    def evaluate(self, graph: Graph, gradients: bool = True) -> Output:
        """Energies of a batch, and their gradients with respect to the bond vectors."""
        vectors = torch.from_numpy(graph.vectors).to(self.device).requires_grad_(gradients)
        with torch.set_grad_enabled(gradients):
            sites, magmoms, features = self._site_energies(graph, vectors)
        slopes = None
        if gradients and len(vectors):
            (slopes,) = torch.autograd.grad(sites.sum(), vectors)
        elif gradients:
            slopes = torch.zeros_like(vectors)
        energies = torch.zeros(len(graph.volumes), dtype=torch.float64)
        energies.index_add_(0, torch.from_numpy(graph.owners), self._with_reference(graph, sites.detach()))
        return Output(
            energies,
            None if slopes is None else slopes.cpu(),
            magmoms.detach().cpu(),
            features.detach().cpu(),
        )

    def _with_reference(self, graph: Graph, sites: Tensor) -> Tensor:
        """Site energies plus the fitted energy of each element, eV, float64."""
        reference = self.weights["composition_model.fc.weight"].view(-1).cpu().double()
        return sites.cpu().double() + reference[torch.from_numpy(graph.numbers) - 1]

    def _site_energies(self, graph: Graph, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Energy of each atom without the reference (eV), magnetic moment (mu_B) and last features."""
        weights = self.weights
        edges = Edges(graph, self.device)
        atoms = weights["atom_embedding.embedding.weight"][
            torch.from_numpy(graph.numbers).to(self.device) - 1
        ]
        lengths = vectors.norm(dim=1)
        radial = radial_basis(lengths, self._radial("ag"), BOND_CUTOFF_ANGSTROM).float()
        n_short = edges.n_short
        bonds, bond_weights, *bond_shares = functional.linear(radial, self.bond_layers).split(
            [WIDTH, WIDTH, *[2 * WIDTH] * NCONV], dim=1
        )
        bond_weights = bond_weights.contiguous()
        first = short = bonds[:n_short]
        short_weights = self._short_weights(lengths[:n_short])
        angles = self._angle_features(vectors[:n_short], lengths[:n_short], edges)

        for i in range(NCONV):
            if i == NCONV - 1:
                magmoms = functional.linear(
                    atoms, weights["site_wise.weight"], weights["site_wise.bias"]
                ).abs()
            share = self._bond_share(i, bond_shares[i], short, first)
            atoms = self._atom_conv(i, atoms, share, bond_weights, edges)
            if i < NCONV - 1 and edges.nangles:
                short = self._bond_conv(i, atoms, short, angles, short_weights, edges)
                if i < NCONV - 2:
                    angles = self._angle_update(i, atoms, short, angles, edges)
        features = functional.layer_norm(
            atoms, (WIDTH,), weights["readout_norm.weight"], weights["readout_norm.bias"]
        )
        return self._readout(features), magmoms.view(-1), features

    def _radial(self, which: str) -> Tensor:
        return self.weights[f"bond_basis_expansion.rbf_expansion_{which}.frequencies"]

    def _short_weights(self, lengths: Tensor) -> Tensor:
        """Smooth weights of the short bonds in the bond graph, shape `(n_short, 64)`."""
        radial = radial_basis(lengths, self._radial("bg"), ANGLE_CUTOFF_ANGSTROM).float()
        return functional.linear(radial, self.weights["bond_weights_bg.weight"])

    def _angle_features(self, vectors: Tensor, lengths: Tensor, edges: Edges) -> Tensor:
        """Embedded angle of each unordered pair, shape `(nangles, 64)`."""
        units = vectors / lengths[:, None]
        units = torch.cat([units, -units])
        cosines = (units.index_select(0, edges.half_first) * units.index_select(0, edges.half_second)).sum(1)
        angles = torch.acos(cosines * COLLINEAR_GUARD).float()
        frequencies = self.weights["angle_basis_expansion.fourier_expansion.frequencies"]
        return functional.linear(
            AngleBasis.apply(angles, frequencies), self.weights["angle_embedding.weight"]
        )

    def _bond_share(self, i: int, share: Tensor, short: Tensor, first: Tensor) -> Tensor:
        """Share of all bonds in atom convolution `i`: only the short ones have changed since the first."""
        if short is first:
            return share.contiguous()
        change = self.atom_convs[i].part(1, short - first)
        return torch.cat([share[: len(short)] + change, share[len(short) :]])

    def _atom_conv(self, i: int, atoms: Tensor, share: Tensor, bond_weights: Tensor, edges: Edges) -> Tensor:
        """Atoms gather messages from their neighbours along all bonds."""
        block = self.atom_convs[i]
        shares = block.part(0, atoms, bias=True), block.part(2, atoms), share
        gathered = messages(shares, bond_weights, block.gate, edges.along_bonds, len(atoms))
        return atoms + functional.linear(
            gathered, self.weights[f"atom_conv_layers.{i}.mlp_out.layers.1.weight"]
        )

    def _bond_conv(
        self, i: int, atoms: Tensor, short: Tensor, angles: Tensor, short_weights: Tensor, edges: Edges
    ) -> Tensor:
        """Short bonds gather messages from the bonds they form angles with."""
        block = self.bond_convs[i]
        shares = _angle_shares(block, atoms, short, angles, edges)
        routes = edges.across_angles(len(angles))
        gathered = messages(shares, short_weights, block.gate, routes, len(short)) * short_weights
        return short + functional.linear(
            gathered, self.weights[f"bond_conv_layers.{i}.mlp_out.layers.1.weight"]
        )

    def _angle_update(self, i: int, atoms: Tensor, short: Tensor, angles: Tensor, edges: Edges) -> Tensor:
        """Angles, from here on one per ordered pair, take up their bonds and centre."""
        block = self.angle_updates[i]
        shares = _angle_shares(block, atoms, short, angles, edges)
        change = gates(shares, block.gate, edges.across_angles(len(angles)))
        return change + (angles if len(angles) == len(change) else torch.cat([angles, angles]))

    def _readout(self, features: Tensor) -> Tensor:
        """Energy of each atom, eV, shape `(natoms,)`."""
        weights = self.weights
        for layer in (0, 2, 4):
            features = functional.silu(
                functional.linear(
                    features, weights[f"mlp.layers.{layer}.weight"], weights[f"mlp.layers.{layer}.bias"]
                )
            )
        return functional.linear(features, weights["mlp.layers.7.weight"], weights["mlp.layers.7.bias"]).view(
            -1
        )


class Edges:
    """Index tensors of a graph: directed edges, and ordered pairs of short ones."""

    def __init__(self, graph: Graph, device: torch.device) -> None:
        first, second = (torch.from_numpy(a).to(device) for a in (graph.first, graph.second))
        self.n_short = graph.n_short
        centres, bonds = torch.cat([first, second]), torch.arange(len(first), device=device).repeat(2)
        self.along_bonds = Routes(centres, torch.cat([second, first]), bonds, bonds, centres)
        self.short_centres = torch.cat([first[: self.n_short], second[: self.n_short]])
        self.nangles = graph.angles.shape[1]
        self.half_first, self.half_second = torch.from_numpy(graph.angles).to(device)
        self.angle_first = torch.cat([self.half_first, self.half_second])
        self.angle_second_bond = torch.cat([self.half_second, self.half_first]) % max(self.n_short, 1)
        self.angle_first_bond = self.angle_first % max(self.n_short, 1)
        self.ordered = torch.arange(2 * self.nangles, device=device)

    def across_angles(self, nfeatures: int) -> Routes:
        """Routes of the ordered pairs, whose angle features are one per pair, or one per two at first."""
        edges = self.ordered if nfeatures == len(self.ordered) else self.ordered % max(self.nangles, 1)
        second = self.angle_second_bond
        return Routes(self.angle_first, second, edges, second, self.angle_first_bond)


class GatedBlock:
    """Two small networks over concatenated features, one gating the other."""

    def __init__(self, weights: Weights, prefix: str) -> None:
        hidden = f"{prefix}.mlp_core.layers.0.weight" in weights
        entry = 0 if hidden else 1
        both = [f"{prefix}.mlp_{half}.layers" for half in ("core", "gate")]
        wide = torch.cat([weights[f"{name}.{entry}.weight"] for name in both])
        self.parts = [part.contiguous() for part in wide.split(WIDTH, dim=1)]
        self.bias = torch.cat([weights[f"{name}.{entry}.bias"] for name in both])
        inner = (
            [weights[f"{name}.3.weight"].T.contiguous() for name in both] if hidden else [wide[:0, :0]] * 2
        )
        biases = [weights[f"{name}.3.bias"] for name in both] if hidden else [wide[:0, 0]] * 2
        norms = [[weights[f"{prefix}.bn{k}.{kind}"] for k in (1, 2)] for kind in ("weight", "bias")]
        self.gate = Gate(
            inner[0],
            inner[1],
            torch.stack(biases),
            scales=torch.stack(norms[0]),
            shifts=torch.stack(norms[1]),
        )

    def part(self, i: int, features: Tensor, bias: bool = False) -> Tensor:
        """Share of input `i` in the first layer, core and gate side by side, shape `(n, 128)`."""
        return functional.linear(features, self.parts[i], self.bias if bias else None)


def _angle_shares(
    block: GatedBlock, atoms: Tensor, short: Tensor, angles: Tensor, edges: Edges
) -> tuple[Tensor, Tensor, Tensor]:
    """First layer of a gated block on ordered pairs of short bonds: of the first bond, directed, with the
    atom it leaves; of the second; of the angle."""
    own = block.part(0, short).repeat(2, 1)
    own = own + block.part(3, atoms, bias=True).index_select(0, edges.short_centres)
    return own, block.part(1, short), block.part(2, angles)


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
