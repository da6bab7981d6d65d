"""What does one entry of a data set look like, whichever format it came in?

A `Frame` is one calculation with energies and forces, for potentials; a `LabelledCrystal` is one material with
properties. Both carry their *fidelity*, the kind of calculation behind a number: totals of OC20 (RPBE), OMat24
(PBE with newer pseudopotentials) and the Materials Project are never mixed without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..cell import Cell


@dataclass(frozen=True, eq=False)
class Frame:
    """One calculation of energies and forces.

    Attributes:
        key: Names the frame inside its data set: `random1234,frame5`.
        cell: Atoms and lattice.
        fidelity: Whose energies these are: `oc20-rpbe`, `oc20-rpbe-adsorption`, `omat24-pbe`, `mp-pbe`.
        periodic: Along each lattice vector, shape `(3,)`.
        energy: Total energy of the cell, eV.
        reference_energy: What an adsorption energy is counted from, eV; 0 where `energy` is counted from it already.
        forces: Cartesian, eV/A, shape `(nsites, 3)`.
        stress: Cauchy stress, eV/A^3, shape `(3, 3)`, positive under tension (ASE's sign).
        tags: 0 bulk, 1 surface, 2 adsorbate, shape `(nsites,)`.
        fixed: Atoms that were held in place, shape `(nsites,)`, bool.
        relaxed_positions: Where the relaxation of this frame ended, A, shape `(nsites, 3)`.
        relaxed_energy: Energy there, eV; of OC20 IS2RE already counted from the reference.
        info: What else the data set states of it, as plain values.
    """

    key: str
    cell: Cell
    fidelity: str
    periodic: np.ndarray = field(default_factory=lambda: np.ones(3, dtype=bool))
    energy: float | None = None
    reference_energy: float | None = None
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    tags: np.ndarray | None = None
    fixed: np.ndarray | None = None
    relaxed_positions: np.ndarray | None = None
    relaxed_energy: float | None = None
    info: Mapping[str, object] = field(default_factory=dict)

    @property
    def adsorption_energy(self) -> float | None:
        """Energy counted from the clean surface and the gas, eV; `None` where no reference is told."""
        if self.energy is None or self.reference_energy is None:
            return None
        return self.energy - self.reference_energy


@dataclass(frozen=True)
class Label:
    """One property of one material.

    Attributes:
        name: Of the property table, or of a data set (`heat_of_formation_castelli`).
        value: In `units`.
        units: Plain ASCII.
        fidelity: The release or kind of calculation: `mp20`, `mp2018`, `castelli-rpbe`.
    """

    name: str
    value: float
    units: str
    fidelity: str


@dataclass(frozen=True, eq=False)
class LabelledCrystal:
    """One material with its properties.

    Attributes:
        key: Names the row inside its data set: a Materials Project id, `perov5:123`.
        formula: Reduced formula, as pymatgen writes it.
        cell: Atoms and lattice; `None` where the table has only a composition or cell parameters.
        labels: Properties, at most one of a name and fidelity.
        split: `train`, `val` or `test` by formula, or empty.
        group: Rows of one group never straddle a split; usually the formula.
        columns: Further numbers of the row that may serve as inputs, with units in their names.
    """

    key: str
    formula: str
    cell: Cell | None
    labels: tuple[Label, ...]
    split: str = ""
    group: str = ""
    columns: Mapping[str, float] = field(default_factory=dict)

    def label(self, name: str, fidelity: str | None = None) -> float | None:
        """The value of a property, of the first fidelity if none is named."""
        for label in self.labels:
            if label.name == name and fidelity in (None, label.fidelity):
                return label.value
        return None
