"""A potential that was trained here: `trained-NAME` in HYSTERON_HOME, or `trained:PATH` anywhere.

A file may hold several heads, one for each kind of energies it learned; `trained:PATH@FIDELITY` says which one is
meant. Reading a file runs no code of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation
from ...core.errors import InputError, NotFoundError, StageError, StructureError, nearest
from ...core.settings import home
from ...core.workers import single_threaded
from ..cell import Cell
from ..datasets.fidelities import energy_scale_of
from ..datasets.records import Frame
from .weights import HASH_DIGITS

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..trained_potential.model import Fidelity, TrainedModel
    from ..trained_potential.packed_frames import PackedFrames

ATOMS_PER_BATCH = 200
ATOMS_ON_A_GPU = 20_000
MIN_VOLUME_PER_ATOM = 1.0  # A^3; diamond has 5.7
AT = "@"


class TrainedPotential:
    """One head of a trained file, for many structures at once; implements `Potential`.

    It travels to worker processes as path, head and device; each process reads the file once.
    """

    def __init__(self, path: str | Path, fidelity: str | None = None, device: str = "cpu") -> None:
        """Read the file.

        Args:
            path: Of the file.
            fidelity: Of the head; may be left out where there is one.
            device: As torch writes it.

        Raises:
            NotFoundError: there is no such file or head.
            InputError: the file cannot be used, several heads and none is named, or torch lacks the device.
        """
        self.path, self.device = Path(path).expanduser().resolve(), device
        model = _loaded(str(self.path), device)
        self.head = _chosen(model, fidelity, self.path)
        self.name = f"{model.name} {model.digest[:8]} ({self.head.name})"
        self.energy_scale = energy_scale_of(self.head.name) or self.head.name
        self.model_hash = model.digest[:HASH_DIGITS]

    @classmethod
    def named(cls, model: str | None, device: str) -> TrainedPotential:
        """What `trained:PATH`, `trained-NAME` and either with `@FIDELITY` stand for.

        Raises:
            NotFoundError: no name or path is given, or nothing is there.
            InputError: as the potential itself.
        """
        if not model:
            raise NotFoundError("Which trained potential? Name it 'trained:PATH' or 'trained-NAME'.")
        place, _, fidelity = model.partition(AT)
        path = Path(place[1:]) if place[0] == ":" else home() / "models" / f"{place}.safetensors"
        return cls(path, fidelity or None, device)

    @property
    def model(self) -> TrainedModel:
        """The model, read at first use in a process.

        Raises:
            StageError: the file was replaced in the meantime.
        """
        model = _loaded(str(self.path), self.device)
        if model.digest[:HASH_DIGITS] != self.model_hash:
            raise StageError(f"{self.path} was replaced by other weights while it was in use.")
        return model

    def check(self, structure: Structure) -> None:
        """Raise an `InputError` if the potential cannot treat the structure."""
        self._checked(structure)

    def calculate(self, structures: Sequence[Structure]) -> list[Calculation]:
        """Energy (eV), forces (eV/A) and stress (eV/A^3) of each structure, in order.

        Raises:
            InputError: an element the head was not trained on, no atoms, partial occupancy, no tags where they are
                needed, or a head whose slopes are no forces.
        """
        if not self.head.forces:
            raise InputError(
                f"{self.name} tells the energy at the end of a relaxation, which has no forces; ask for 'energies'."
            )
        results: list[Calculation] = []
        for frames in self._batches(structures):
            output = self._evaluated(frames)
            forces = output.forces.double().cpu().numpy()
            stresses = output.stresses.double().cpu().numpy()
            ends = np.cumsum(frames.sizes.numpy())[:-1]
            for energy, own, stress in zip(
                output.energies.tolist(), np.split(forces, ends), stresses, strict=True
            ):
                results.append(Calculation(energy, own, stress))
        return results

    def energies(self, structures: Sequence[Structure]) -> np.ndarray:
        """What the head tells of each structure, eV, shape `(nstructures,)`.

        Raises:
            InputError: as `calculate`, forces aside.
        """
        found = [self._evaluated(frames, slopes=False).energies.cpu() for frames in self._batches(structures)]
        return np.concatenate([some.numpy() for some in found]) if found else np.zeros(0)

    def _evaluated(self, frames: PackedFrames, slopes: bool = True):
        import torch

        from ..trained_potential.network import Output, edge_vectors

        network = self.model.network
        with single_threaded():
            data = frames.to(self.device).batch(torch.arange(len(frames), device=self.device))
            if slopes:
                return network.evaluate(data)
            with torch.no_grad():
                return Output(network(data, edge_vectors(data)), data.forces, data.stresses)

    def _batches(self, structures: Sequence[Structure]) -> Iterator[PackedFrames]:
        """Frames of about `ATOMS_PER_BATCH` atoms, in order, in double precision."""
        from ..trained_potential.data import Recipe, pack_frames

        shape = self.model.network.shape
        head = shape.fidelities.index(self.head.name)
        recipe = Recipe(shape.cutoff_angstrom)
        most = ATOMS_PER_BATCH if self.device == "cpu" else ATOMS_ON_A_GPU
        for share in _shares([self._checked(s) for s in structures], most):
            yield pack_frames(share, recipe, np.float64).with_fidelity(head)

    def _checked(self, structure: Structure) -> Frame:
        """The arrays of a structure, or why it cannot be treated."""
        if not len(structure):
            raise StructureError(f"The structure has no atoms; {self.name} needs at least one.")
        if not structure.is_ordered:
            raise StructureError(
                f"{structure.formula} has partially occupied sites; order it before {self.name}."
            )
        known = set(self.head.elements)
        unknown = sorted({str(s.specie) for s in structure if getattr(s.specie, "Z", 0) not in known})
        if unknown:
            raise InputError(
                f"{self.name} was not trained on {', '.join(unknown)} of {structure.formula}; train it on frames with "
                "all its elements."
            )
        cell = Cell.from_structure(structure)
        if not cell.volume > MIN_VOLUME_PER_ATOM * len(structure):
            raise StructureError(
                f"{structure.formula} has {cell.volume / len(structure):.3g} A^3 per atom; "
                f"{self.name} needs more than {MIN_VOLUME_PER_ATOM:g}."
            )
        return Frame(
            structure.formula,
            cell,
            self.head.name,
            np.array(structure.lattice.pbc, dtype=bool),
            energy=0.0,
            tags=self._tags(structure),
        )

    def _tags(self, structure: Structure) -> np.ndarray | None:
        """The tags of the sites where the head reads them."""
        if not (self.head.adsorption or self.model.network.shape.tags):
            return None
        tags = structure.site_properties.get("tags")
        if tags is None or not all(tag in (0, 1, 2) for tag in tags):
            raise InputError(
                f"{self.name} tells bulk, surface and adsorbate apart: give each site of {structure.formula} "
                "the property 'tags' with 0, 1 or 2."
            )
        return np.array(tags, dtype=np.int64)


@lru_cache(maxsize=4)
def _loaded(path: str, device: str) -> TrainedModel:
    import torch

    from ..trained_potential.model import TrainedModel

    model = TrainedModel.load(Path(path))
    try:
        model.network.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"{model.name} cannot work on {device!r} here: {str(error).splitlines()[0]}"
        ) from None
    return model


def _chosen(model: TrainedModel, fidelity: str | None, path: Path) -> Fidelity:
    heads = {head.name: head for head in model.fidelities}
    if fidelity is None and len(heads) == 1:
        return next(iter(heads.values()))
    if fidelity is None:
        raise InputError(
            f"{path} holds the heads {', '.join(heads)}, whose energies are not compared; say which one is meant: "
            f"'trained:{path}{AT}{next(iter(heads))}'."
        )
    if fidelity not in heads:
        raise NotFoundError(f"{path} has no head {fidelity!r}. {nearest(fidelity, heads)}")
    return heads[fidelity]


def _shares(frames: list[Frame], limit: int) -> Iterator[list[Frame]]:
    """Frames in order, joined until they have `limit` atoms."""
    share: list[Frame] = []
    count = 0
    for frame in frames:
        if share and count + len(frame.cell.numbers) > limit:
            yield share
            share, count = [], 0
        share.append(frame)
        count += len(frame.cell.numbers)
    if share:
        yield share
