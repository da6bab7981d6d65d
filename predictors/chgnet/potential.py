"""What energy, forces, stress and magnetic moments does CHGNet give for many crystals?

The weights are those the chgnet package installs; the evaluation is this project's own, several
times faster (see `network`) and equal to the package's within single precision.

Forces are some 4% too small on frames it was trained on, and softening far from minima is known of such
potentials (Deng et al., npj Comput. Mater. 11, 9 (2025), doi:10.1038/s41524-024-01500-6). No correction
could be validated (`hysteron benchmark softening`), so none is applied: barriers may come out too low.

Source: Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...core.contracts import Calculation
from ...core.errors import InputError, MissingDataError, StructureError
from ...core.workers import single_threaded
from ..cell import Cell
from .graph import Bonds, Graph, build_graph, find_bonds

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .network import Network, Output

CHECKPOINT = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"
LAST_ELEMENT = 94  # plutonium, the heaviest in the training set
BONDS_ON_A_GPU = 100_000  # in a batch; a guess that no GPU has been asked about yet
MIN_VOLUME_PER_ATOM = 1.0  # A^3; diamond has 5.7, the densest solid under a million atmospheres about 3


class CHGNetSettings(BaseModel):
    """How much is evaluated at once."""

    model_config = ConfigDict(extra="forbid")

    bonds_per_batch: int = Field(default=4000, ge=1)
    """Crystals are joined until they have this many bonds. On a processor more gains nothing: the kernels
    work through blocks that fit its cache, and only the fixed cost of a batch is shared by more crystals."""
    device: str = "cpu"
    """As torch names it: `cpu`, `cuda`, `cuda:1`."""


class CHGNetPotential:
    """CHGNet 0.3.0 for many structures at once; implements `Potential`."""

    name = "CHGNet 0.3.0"
    energy_scale = "MP2020-corrected"

    def __init__(self, settings: CHGNetSettings | None = None) -> None:
        self.settings = settings or CHGNetSettings()
        self.model_hash = _checkpoint_hash()
        if self.settings.device != "cpu":
            _check_device(self.settings.device)

    @classmethod
    def on(cls, device: str) -> CHGNetPotential:
        """On a device of torch's, with batches that keep it busy.

        Raises:
            InputError: torch has no such device here.
        """
        return cls(CHGNetSettings(device=device, bonds_per_batch=BONDS_ON_A_GPU))

    @property
    def network(self) -> Network:
        """The network, read at first use and shared by all potentials of the process."""
        return _shipped_network(self.settings.device)

    def check(self, structure: Structure) -> None:
        """Raise an `InputError` if the potential cannot treat the structure."""
        checked_cell(structure)

    def calculate(self, structures: Sequence[Structure]) -> list[Calculation]:
        """Energy (eV), forces (eV/A), stress (eV/A^3) and magnetic moments (mu_B) of each structure.

        Raises:
            InputError: a structure holds an element beyond plutonium, partial occupancy or no atoms.
        """
        return self.calculate_cells([checked_cell(s) for s in structures])

    def energies(self, structures: Sequence[Structure]) -> np.ndarray:
        """Total energies alone, eV, shape `(nstructures,)`; about a third of the time.

        Raises:
            InputError: as `calculate`.
        """
        cells = [checked_cell(s) for s in structures]
        found = []
        for graph in self._batches(cells, None):
            found.append(self._evaluate(graph, gradients=False).energies.numpy())
        return np.concatenate(found) if found else np.zeros(0)

    def features(self, structures: Sequence[Structure]) -> list[np.ndarray]:
        """What CHGNet learned of each atom, as it reads the energy from it, shapes `(nsites, 64)`, float32.

        Raises:
            InputError: as `calculate`.
        """
        return self.describe_cells([checked_cell(s) for s in structures])[0]

    def describe_cells(self, cells: Sequence[Cell]) -> tuple[list[np.ndarray], np.ndarray]:
        """As `features`, from bare arrays, and total energies, eV, shape `(ncells,)`, from the same pass."""
        features: list[np.ndarray] = []
        energies = [np.zeros(0)]
        for graph in self._batches(cells, None):
            output = self._evaluate(graph, gradients=False)
            features.extend(np.split(output.features.numpy(), np.cumsum(np.bincount(graph.owners))[:-1]))
            energies.append(output.energies.numpy())
        return features, np.concatenate(energies)

    def calculate_cells(
        self, cells: Sequence[Cell], bonds: Sequence[Bonds] | None = None
    ) -> list[Calculation]:
        """As `calculate`, from bare arrays, with bonds found earlier if there are any."""
        results: list[Calculation] = []
        for graph in self._batches(cells, bonds):
            results.extend(_split(graph, self._evaluate(graph)))
        return results

    def _evaluate(self, graph: Graph, gradients: bool = True) -> Output:
        network = self.network
        with single_threaded():
            return network.evaluate(graph, gradients)

    def _batches(self, cells: Sequence[Cell], bonds: Sequence[Bonds] | None) -> Iterator[Graph]:
        """Graphs of about `bonds_per_batch` bonds, in order."""
        batch, found, count = [], [], 0
        for i, cell in enumerate(cells):
            batch.append(cell)
            found.append(find_bonds(cell) if bonds is None else bonds[i])
            count += len(found[-1].first)
            if count >= self.settings.bonds_per_batch:
                yield build_graph(batch, found)
                batch, found, count = [], [], 0
        if batch:
            yield build_graph(batch, found)


def checked_cell(structure: Structure) -> Cell:
    """The arrays of a structure that CHGNet can treat.

    Raises:
        StructureError: no atoms, or sites that are partially occupied.
        InputError: an element the potential does not know.
    """
    if not len(structure):
        raise StructureError("The structure has no atoms; CHGNet needs at least one.")
    if not structure.is_ordered:
        sites = [i for i, site in enumerate(structure) if not site.is_ordered]
        raise StructureError(
            f"{structure.formula} has partially occupied sites {sites}; order it before CHGNet sees it."
        )
    unknown = {str(s.specie) for s in structure if not 1 <= getattr(s.specie, "Z", 0) <= LAST_ELEMENT}
    if unknown:
        raise InputError(
            f"CHGNet knows hydrogen to plutonium; {structure.formula} holds {', '.join(sorted(unknown))}."
        )
    cell = Cell.from_structure(structure)
    if not cell.volume > MIN_VOLUME_PER_ATOM * len(structure):
        raise StructureError(
            f"{structure.formula} has {cell.volume / len(structure):.3g} A^3 per atom; "
            f"CHGNet needs more than {MIN_VOLUME_PER_ATOM:g}."
        )
    return cell


def _split(graph: Graph, output: Output) -> list[Calculation]:
    """One `Calculation` per crystal from the results of a batch."""
    assert output.bond_gradients is not None
    slopes = output.bond_gradients.double().numpy()
    magmoms = output.magmoms.double().numpy()
    forces = np.zeros((len(graph.numbers), 3))
    for axis in range(3):
        forces[:, axis] += np.bincount(graph.first, slopes[:, axis], len(forces))
        forces[:, axis] -= np.bincount(graph.second, slopes[:, axis], len(forces))
    products = (graph.vectors[:, :, None] * slopes[:, None, :]).reshape(-1, 9)
    ncells = len(graph.volumes)
    virials = np.stack([np.bincount(graph.bond_owners, products[:, k], ncells) for k in range(9)], axis=1)
    ends = np.cumsum(np.bincount(graph.owners, minlength=ncells))
    results = []
    for i, (end, volume) in enumerate(zip(ends, graph.volumes, strict=True)):
        atoms = slice(ends[i - 1] if i else 0, end)
        virial = virials[i].reshape(3, 3)
        stress = (virial + virial.T) / (2 * volume)
        results.append(Calculation(float(output.energies[i]), forces[atoms], stress, magmoms[atoms]))
    return results


@lru_cache(maxsize=2)
def _shipped_network(device: str) -> Network:
    from .network import Network

    return Network.from_file(_checkpoint(), device)


def _check_device(device: str) -> None:
    """Raise an `InputError` if torch has no such device here."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"CHGNet cannot work on {device!r} here: {str(error).splitlines()[0]}") from None


@lru_cache(maxsize=1)
def _checkpoint_hash() -> str:
    """First 16 hex digits of the SHA-256 of the file of weights."""
    return hashlib.sha256(_checkpoint().read_bytes()).hexdigest()[:16]


def _checkpoint() -> Path:
    """The weights in the installed chgnet package, found without importing it.

    Raises:
        MissingDataError: the package or its weights are not there.
    """
    spec = find_spec("chgnet")
    path = Path(spec.origin).parent / CHECKPOINT if spec and spec.origin else None
    if path is None or not path.is_file():
        raise MissingDataError(
            f"CHGNet's weights ({CHECKPOINT} of the package 'chgnet') are missing: pip install 'chgnet>=0.4.2'."
        )
    return path
