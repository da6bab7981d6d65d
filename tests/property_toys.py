"""Crystals with made-up labels, and a property model trained on them in seconds; CHGNet's part is real or stood in for."""

from __future__ import annotations

import contextlib
from functools import cache
from unittest import mock

import numpy as np
import torch
from hysteron.core.workers import single_threaded
from hysteron.predictors.cell import Cell
from hysteron.predictors.datasets.records import Label, LabelledCrystal
from hysteron.predictors.gnn import prepare
from hysteron.predictors.gnn.packed import FEATURE_WIDTH, Packed
from hysteron.predictors.properties import fit
from hysteron.predictors.properties.model import PropertyModel
from hysteron.predictors.properties.priors import ATOMIC_NUMBERS
from hysteron.predictors.properties.sets import TrainingSet
from hysteron.predictors.properties.settings import PropertiesConfig
from pymatgen.core import Element, Lattice, Structure

ROCK_SALTS = {
    "train": ("Mg", "Ca", "Sr", "Fe"),
    "val": ("Ba", "Cd", "Mn", "Ni", "Co", "Zn", "Pb", "Sn", "Eu"),
    "test": ("V", "Yb"),
}
"""Cations A of AO, by split."""
PEROVSKITES = {
    "train": ("Sr", "Ba", "Ca", "La"),
    "val": ("Pb", "Cd", "Eu", "Sn", "Mg", "Zn", "Na", "K", "Rb"),
    "test": ("Cs", "Y"),
}
"""Cations A of ATiO3, by split."""
STRAINS = (-0.04, -0.02, 0.0, 0.02, 0.04)
HEADS = (
    "formation_energy",
    "band_gap",
    "metal",
    "magnetization",
    "crystal_system",
    "dielectric_total",
    "oxygen_vacancy",
)
WITHOUT_REFERENCE = 54
"""Xenon, of which the toy model has no reference energy."""


def rock_salt(cation: str, a: float = 4.4, anion: str = "O") -> Structure:
    """AO in its two-atom cell, a in A."""
    half = a / 2
    return Structure(
        Lattice([[0, half, half], [half, 0, half], [half, half, 0]]), [cation, anion], [[0] * 3, [0.5] * 3]
    )


def perovskite(cation: str, a: float = 3.95) -> Structure:
    """ATiO3, cubic, a in A."""
    coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(a), [cation, "Ti", "O", "O", "O"], coords)


@cache
def rows() -> tuple[LabelledCrystal, ...]:
    """150 crystals of 30 formulas, strained, split by formula."""
    found = []
    for family, build in ((ROCK_SALTS, rock_salt), (PEROVSKITES, perovskite)):
        for split, cations in family.items():
            for cation in cations:
                for strain in STRAINS:
                    structure = build(cation)
                    structure.apply_strain(strain)
                    found.append(row_of(structure, split, labels_of(structure, cation, strain)))
    return tuple(found)


def row_of(structure: Structure, split: str = "train", labels: tuple[Label, ...] = ()) -> LabelledCrystal:
    """A row as a data set would give it."""
    formula = structure.composition.reduced_formula
    return LabelledCrystal(f"toy:{formula}", formula, Cell.from_structure(structure), labels, split, formula)


def labels_of(structure: Structure, cation: str, strain: float) -> tuple[Label, ...]:
    """Smooth in the cation's electronegativity and the strain, and of nothing else."""
    electronegativity = float(Element(cation).X)
    gap = max(0.0, 3.0 - electronegativity - 5 * strain)
    found = [
        Label("formation_energy_per_atom", -4.0 + electronegativity + strain**2, "eV/atom", "mp20"),
        Label("band_gap", gap, "eV", "mp20"),
        Label("total_magnetization", 0.1 * Element(cation).row * len(structure), "mu_B", "mp"),
        Label("dielectric_total", 10.0 * np.exp(5 * strain), "1", "mp-dfpt"),
    ]
    if len(structure) == 5:
        found.append(Label("vacancy_formation_energy", 4.0 - electronegativity, "eV", "oqmd"))
        found.append(Label("crystal_system", float(strain > 0), "1", "abx3-mp"))
    return tuple(found)


class ByElement:
    """In CHGNet's place: features and energies that depend on the elements alone."""

    def describe_cells(self, cells):
        angles = np.arange(FEATURE_WIDTH)
        features = [np.sin(cell.numbers[:, None] * angles / 40) for cell in cells]
        return features, np.array([-0.05 * cell.numbers.sum() for cell in cells])


@contextlib.contextmanager
def without_chgnet():
    """Crystals are prepared with `ByElement`."""
    with mock.patch.object(prepare, "CHGNetPotential", ByElement):
        yield


def packed(*structures: Structure | Cell) -> Packed:
    """Prepared without CHGNet."""
    cells = [s if isinstance(s, Cell) else Cell.from_structure(s) for s in structures]
    with without_chgnet():
        return prepare.pack(cells)


def config(**training) -> PropertiesConfig:
    """A network of a few thousand weights, two epochs."""
    return PropertiesConfig.model_validate(
        {
            "name": "tiny",
            "data": {"sets": ["perov5"], "heads": HEADS},
            "network": {"width": 16, "layers": 1, "members": 3},
            "training": {"epochs": 2, "batch": 16} | training,
        }
    )


def references() -> torch.Tensor:
    """CHGNet's energy of each element: the same for all but xenon."""
    table = torch.full((ATOMIC_NUMBERS,), -4.0)
    table[WITHOUT_REFERENCE] = float("nan")
    return table


@cache
def gathered() -> TrainingSet:
    """The rows, prepared with the real CHGNet."""
    return TrainingSet(list(rows()), prepare.pack([row.cell for row in rows() if row.cell is not None]))


@cache
def gathered_by_element() -> TrainingSet:
    """The rows, prepared without CHGNet."""
    return TrainingSet(list(rows()), packed(*(row.cell for row in rows() if row.cell is not None)))


@cache
def weights() -> bytes:
    """The file of a tiny model trained on `gathered()`."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder, single_threaded():
        model = fit.fit(config(), gathered(), references(), Path(folder))
        model.card = {"method": "GNN toy", "name": "tiny"}
        model.save(Path(folder) / "tiny.safetensors")
        return (Path(folder) / "tiny.safetensors").read_bytes()


def write_weights(path) -> None:
    """The tiny model's file, as `hysteron train` would leave it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(weights())


def with_certainty_of_metal(path, metal: bool) -> None:
    """Let the model in this file call everything a metal, or nothing."""
    model = PropertyModel.load(path)
    model.network.heads["metal"].second.bias.fill_(50.0 if metal else -50.0)
    model.save(path)
