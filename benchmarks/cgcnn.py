"""CGCNN of standard size, the baseline of the property benchmark.

Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018), doi:10.1103/PhysRevLett.120.145301, eq. 5, with the sizes of its public
defaults: 64 atom features, three convolutions, 12 neighbours within 8 A, 41 Gaussians 0.2 A apart, one hidden layer of
128, mean pooling. Atoms start from one-hot bins of their element's properties (its supplementary table I, values as
pymatgen has them). It is trained by our own loop: same crystals, epochs, batch, schedule, averaging and loss.
"""

from __future__ import annotations

import math
import warnings
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data

ATOM_WIDTH = 64
HIDDEN_WIDTH = 128
CONVOLUTIONS = 3
NEIGHBOURS = 12
RADIUS_ANGSTROM = 8.0
STEP_ANGSTROM = 0.2
BINS = 10
LAST_ELEMENT = 118


class CGCNN(nn.Module):
    """Crystals in, one number per output of the one head, shape `(1, ncrystals, outputs)`."""

    table: Tensor
    centres: Tensor

    def __init__(self, head: str, outputs: int = 1) -> None:
        super().__init__()
        self.head = head
        table = element_table()
        self.register_buffer("table", table)
        count = round(RADIUS_ANGSTROM / STEP_ANGSTROM) + 1
        self.register_buffer("centres", torch.linspace(0, RADIUS_ANGSTROM, count))
        self.embedding = nn.Linear(table.shape[1], ATOM_WIDTH)
        self.convolutions = nn.ModuleList([Convolution(count) for _ in range(CONVOLUTIONS)])
        self.hidden = nn.Linear(ATOM_WIDTH, HIDDEN_WIDTH)
        self.out = nn.Linear(HIDDEN_WIDTH, outputs)

    def forward(self, data: Data) -> dict[str, Tensor]:
        """The head's outputs of each crystal of a batch."""
        assert data.edge_index is not None
        source, target = data.edge_index
        rank = torch.arange(len(target), device=target.device) - data.targets_pointer[target]
        kept = (rank < NEIGHBOURS) & (data.distances < RADIUS_ANGSTROM)
        source, target = source[kept], target[kept]
        offsets = (data.distances[kept][:, None] - self.centres) / STEP_ANGSTROM
        edges = torch.exp(-offsets.square())
        atoms = self.embedding(self.table[data.numbers])
        for convolve in self.convolutions:
            atoms = convolve(atoms, edges, source, target)
        pooled = atoms.new_zeros(len(data.sizes), ATOM_WIDTH).index_add_(0, data.batch, atoms)
        pooled = functional.softplus(pooled / data.sizes[:, None])
        return {self.head: self.out(functional.softplus(self.hidden(pooled)))[None]}


class Convolution(nn.Module):
    """Eq. 5 with batch normalisation, as the public code has it; its one linear layer over (target, source, edge)
    is the sum of three, which is the same function and quicker."""

    def __init__(self, edge_width: int) -> None:
        super().__init__()
        self.of_target = nn.Linear(ATOM_WIDTH, 2 * ATOM_WIDTH)
        self.of_source = nn.Linear(ATOM_WIDTH, 2 * ATOM_WIDTH, bias=False)
        self.of_edge = nn.Linear(edge_width, 2 * ATOM_WIDTH, bias=False)
        self.edge_norm = nn.BatchNorm1d(2 * ATOM_WIDTH)
        self.atom_norm = nn.BatchNorm1d(ATOM_WIDTH)

    def forward(self, atoms: Tensor, edges: Tensor, source: Tensor, target: Tensor) -> Tensor:
        whole = self.of_edge(edges) + self.of_target(atoms).index_select(0, target)
        whole = whole + self.of_source(atoms).index_select(0, source)
        gate, core = self.edge_norm(whole).chunk(2, dim=1)
        messages = torch.sigmoid(gate) * functional.softplus(core)
        summed = torch.zeros_like(atoms).index_add_(0, target, messages)
        return functional.softplus(atoms + self.atom_norm(summed))


@lru_cache(maxsize=1)
def element_table() -> Tensor:
    """One-hot bins of each element's properties, by atomic number, shape `(119, width)`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen says of each element what it does not know
        rows = [_element_row(max(z, 1)) for z in range(LAST_ELEMENT + 1)]
    return torch.tensor(rows, dtype=torch.float32)


def _element_row(number: int) -> list[float]:
    from pymatgen.core import Element

    element = Element.from_Z(number)
    numbers = (
        (_known(element, "X"), 0.5, 4.0, False),
        (_known(element, "atomic_radius_calculated"), 0.25, 3.0, False),
        (_known(element, "ionization_energy"), 3.0, 25.0, True),
        (_known(element, "electron_affinity"), -3.0, 3.7, False),
        (_known(element, "molar_volume"), 1.5, 100.0, True),
    )
    bits = [
        *_one_hot(element.group - 1, 18),
        *_one_hot(element.row - 1, 9),
        *_one_hot("spdf".index(element.block), 4),
        *_one_hot(min(_valence_electrons(element), 11), 12),
    ]
    for value, low, high, logarithmic in numbers:
        bits.extend(_binned(value, low, high, logarithmic))
    return bits


def _valence_electrons(element) -> int:
    group = element.group
    return group if group <= 12 else group - 10


def _known(element, name: str) -> float:
    """A property of an element, NaN where pymatgen has none."""
    try:
        value = getattr(element, name)
    except (KeyError, AttributeError, IndexError):
        return math.nan
    return math.nan if value is None else float(value)


def _one_hot(place: int, count: int) -> list[float]:
    return [float(i == place) for i in range(count)]


def _binned(value: float, low: float, high: float, logarithmic: bool) -> list[float]:
    """The bin that a number falls into; no bin if it is unknown."""
    if math.isnan(value):
        return [0.0] * BINS
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    place = int((value - low) / (high - low) * BINS)
    return _one_hot(min(max(place, 0), BINS - 1), BINS)
