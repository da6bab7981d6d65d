"""The network: what it expects of a crystal under noise.

A dense transformer over atoms and one token for the lattice. What a pair of atoms sees of one another (`geometry.py`) biases the
attention and is handed on through it; the time, the number of atoms and whatever an adapter adds shift and scale every block
through one shared layer. Since atoms are told by their differences alone, a shift of the crystal changes nothing; since nothing
counts them, their order does not matter.

Sources: Peebles and Xie, arXiv:2212.09748 (conditioning by normalisation), Chen et al., arXiv:2310.00426 (one layer shared by
all blocks), Jiao et al., arXiv:2309.04475 (Fourier features of fractional differences), Karras et al., arXiv:2206.00364,
equation 7 and table 1 (what a network is asked for under noise).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from .geometry import PAIR_FEATURES, pair_features
from .lattices import cells_of
from .table import MASK, Batch

if TYPE_CHECKING:
    from .adapters import Adapter

HEAVIEST = 100
"""Atomic numbers below it have descriptors and may be types."""
MOST_ATOMS = 20
MIDDLE = (2.9, 0.0, 0.36, 0.0, 0.0, 0.0)
SCALES = ((0.42, 0.18, 0.46, 0.2, 0.18, 0.24), (0.42, 0.48, 0.64, 0.2, 0.26, 0.22))
"""Middle and spread of lattice coefficients over known crystals, without symmetry and with it."""


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the network.

    Attributes:
        width, layers, heads: Of the transformer.
        pair_width: Of what is told of a pair.
        descriptors: Numbers that describe an element.
        dropout: Of what a block adds, while training.
    """

    width: int = 240
    layers: int = 5
    heads: int = 8
    pair_width: int = 64
    descriptors: int = 0
    dropout: float = 0.0

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)


@dataclass
class Expected:
    """What the network says of crystals under noise.

    Attributes:
        motions: Of atoms: the score of their fractional coordinates times the width of the noise, `(ncrystals, natoms, 3)`.
        lattice: The preconditioned lattice, see `process.py`, `(ncrystals, 6)`.
        types: Unnormalised logarithms of probabilities of elements, `(ncrystals, natoms, HEAVIEST)`; `MASK` has none.
    """

    motions: Tensor
    lattice: Tensor
    types: Tensor


class Network(nn.Module):
    """Crystals under noise in, what they were before it out.

    Args:
        config: Its shape.
        descriptors: Of the elements by atomic number, shape `(HEAVIEST, ndescriptors)`; travels with the weights.
    """

    descriptors: Tensor
    pair_middle: Tensor
    pair_scale: Tensor

    def __init__(self, config: NetworkConfig, descriptors: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        width = config.width
        known = torch.zeros(HEAVIEST, config.descriptors) if descriptors is None else descriptors
        self.register_buffer("descriptors", known)
        self.elements = nn.Embedding(HEAVIEST, width)
        self.described = nn.Linear(config.descriptors, width)
        self.place = nn.Linear(7, width)
        self.cell = nn.Linear(6 + 6 + 2, width)
        self.time = nn.Sequential(nn.Linear(_TIMES, width), nn.SiLU(), nn.Linear(width, width))
        self.sizes = nn.Embedding(MOST_ATOMS + 1, width)
        self.kinds = nn.Embedding(2, width)
        self.pairs = PairEncoder(config)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.last = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.motions = nn.Linear(width, 3)
        self.lattice = nn.Linear(width, 6)
        self.types = nn.Linear(width, HEAVIEST)
        self._initialise()

    def forward(
        self, noisy: Batch, time: Tensor, shown: Tensor, adapters: Sequence[tuple[Adapter, Tensor]] = ()
    ) -> Expected:
        """What is expected.

        Args:
            noisy: Crystals under noise; their lattice as coefficients in units of the noise's data scale, see `process.py`.
            time: 0 for no noise, 1 for nothing else, shape `(ncrystals,)`.
            shown: The lattice that geometry is measured in, as coefficients, shape `(ncrystals, 6)`.
            adapters: Each with its condition, shape `(ncrystals, ncondition)`.
        """
        natoms = noisy.natoms
        with torch.autocast(shown.device.type, enabled=False):  # distances want their digits
            cells = cells_of(shown, noisy.frames, natoms.to(shown))
            seen = pair_features(noisy.sites, cells, noisy.same_orbit)
        condition = self.time(_time_features(time)) + self.sizes(natoms) + self.kinds(noisy.symmetric.long())
        pairs, biases = self.pairs(seen, condition, noisy.present)
        spoken = [adapter(told) for adapter, told in adapters]
        for one in spoken:
            condition = condition + one.shift
        hidden = torch.cat([self._cell_token(noisy, shown), self._atom_tokens(noisy)], dim=1)
        shared = self.modulation(functional.silu(condition))
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, pairs, biases[i], shared)
            said = [
                adapter.within(i, hidden, one) for (adapter, _), one in zip(adapters, spoken, strict=True)
            ]
            hidden = sum(said, hidden)
        scale, shift = self.last(functional.silu(condition))[:, None].chunk(2, dim=-1)
        hidden = self.norm(hidden) * (1 + scale) + shift
        atoms = hidden[:, 1:]
        return Expected(
            self.motions(atoms) * noisy.present[..., None], self.lattice(hidden[:, 0]), self.types(atoms)
        )

    def _atom_tokens(self, noisy: Batch) -> Tensor:
        onto = noisy.freedom @ noisy.freedom.transpose(-1, -2)
        rows, columns = torch.triu_indices(3, 3)
        size = noisy.same_orbit.sum(-1, keepdim=True).clamp(min=1).log()
        place = torch.cat([onto[..., rows, columns], size.to(onto)], dim=-1)
        return self.elements(noisy.types) + self.described(self.descriptors[noisy.types]) + self.place(place)

    def _cell_token(self, noisy: Batch, shown: Tensor) -> Tensor:
        frame = noisy.frames @ noisy.frames.transpose(-1, -2)
        rows, columns = torch.triu_indices(3, 3)
        frame = frame[:, rows, columns]
        freedom = noisy.allowed.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) / 6
        size = noisy.natoms.to(shown)[:, None].log()
        scaled = (shown - shown.new_tensor(MIDDLE)) / scales(noisy)
        return self.cell(torch.cat([scaled, frame, freedom, size], dim=-1))[:, None]

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        for layer in (self.modulation, self.last, self.motions, self.lattice, self.types):
            nn.init.zeros_(layer.weight)
        nn.init.ones_(self.modulation.bias[2 * self.config.width : 3 * self.config.width])
        nn.init.ones_(self.modulation.bias[5 * self.config.width :])


class PairEncoder(nn.Module):
    """What is told of pairs, for every block at once; the lattice token has pairs of its own."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.layers, self.heads = config.layers, config.heads
        width = config.pair_width
        self.first = nn.Linear(PAIR_FEATURES, width)
        self.time = nn.Linear(config.width, 2 * width)
        self.second = nn.Linear(width, width)
        self.to_cell = nn.Embedding(3, width)
        self.bias = nn.Linear(width, config.layers * config.heads)

    def forward(self, seen: Tensor, condition: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs, shape `(ncrystals, 1 + natoms, 1 + natoms, pair_width)`, and biases, `(nlayers, ncrystals, nheads, ...)`."""
        scale, shift = self.time(functional.silu(condition))[:, None, None].chunk(2, dim=-1)
        atoms = self.second(functional.silu(self.first(seen) * (1 + scale) + shift))
        crystals, natoms = present.shape
        pairs = atoms.new_empty(crystals, 1 + natoms, 1 + natoms, atoms.shape[-1])
        pairs[:, 1:, 1:] = atoms
        pairs[:, 0, 1:] = self.to_cell.weight[0]
        pairs[:, 1:, 0] = self.to_cell.weight[1]
        pairs[:, 0, 0] = self.to_cell.weight[2]
        biases = self.bias(pairs).unflatten(-1, (self.layers, self.heads)).permute(3, 0, 4, 1, 2)
        reached = functional.pad(present, (1, 0), value=True)[None, :, None, None, :]
        return pairs, biases.masked_fill(~reached, -torch.inf)


class Block(nn.Module):
    """Attention that hands on what is seen of the other, then a layer for each token by itself."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        width = config.width
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Parameter(torch.zeros(6 * width))
        self.attention = nn.Linear(width, 3 * width)
        self.of_pairs = nn.Linear(config.heads * config.pair_width, width)
        self.mix = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, pairs: Tensor, bias: Tensor, shared: Tensor) -> Tensor:
        """Tokens after the block.

        Args:
            hidden: Tokens, shape `(ncrystals, 1 + natoms, width)`.
            pairs: See `PairEncoder`.
            bias: Of this block's attention, shape `(ncrystals, nheads, 1 + natoms, 1 + natoms)`.
            shared: Scales, shifts and gates that all blocks start from, shape `(ncrystals, 6 * width)`.
        """
        parts = (shared + self.modulation)[:, None].chunk(6, dim=-1)
        scale, shift, gate, other_scale, other_shift, other_gate = parts
        read = self.norm(hidden) * (1 + scale) + shift
        hidden = hidden + gate * self.dropout(self._attend(read, pairs, bias))
        read = self.norm(hidden) * (1 + other_scale) + other_shift
        return hidden + other_gate * self.dropout(self.down(functional.gelu(self.up(read))))

    def _attend(self, read: Tensor, pairs: Tensor, bias: Tensor) -> Tensor:
        crystals, tokens, width = read.shape
        query, key, value = (
            self.attention(read).view(crystals, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        logits = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + bias
        weights = logits.softmax(-1)
        found = (weights @ value).transpose(1, 2).reshape(crystals, tokens, width)
        seen = weights.transpose(1, 2) @ pairs
        return self.mix(found) + self.of_pairs(seen.flatten(-2))


_TIMES = 33


def _time_features(time: Tensor) -> Tensor:
    """Shape `(ncrystals, _TIMES)`."""
    frequencies = torch.exp(torch.linspace(0, math.log(60.0), (_TIMES - 1) // 2, device=time.device))
    phase = 2 * time[:, None] * frequencies
    return torch.cat([time[:, None], phase.sin(), phase.cos()], dim=-1)


def scales(batch: Batch) -> Tensor:
    """The spread of each lattice coefficient, shape `(ncrystals, 6)`."""
    return batch.lattice.new_tensor(SCALES)[batch.symmetric.long()]


def forbid_mask(logits: Tensor) -> Tensor:
    """Probabilities of a type without those that are none."""
    logits = logits.clone()
    logits[..., MASK] = -torch.inf
    return logits
