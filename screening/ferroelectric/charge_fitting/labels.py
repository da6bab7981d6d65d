"""From which DFT polarizations are effective charges learnt?

The `preferred` pairs of Smidt, Mack, Reyes-Lillo, Jain and Neaton, Sci. Data 7, 72 (2020),
doi:10.1038/s41597-020-0407-9: for each the polar and the nonpolar end in matched order, and the change of the
polarization from one to the other by Berry phases, along the lattice vectors of the polar end. Its sign is that of
the change from nonpolar to polar: it agrees with the formal charges wherever both exceed 3 uC/cm^2, three of 93 pairs
apart (`LabelledPair.against_its_ions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....core.chemistry_families import chemistry_family
from ....core.oxidation import oxidation_states
from ....core.polar_pairs import Pair, read_preferred
from ....core.polarization import E_PER_A2_IN_UC_PER_CM2
from ..bond_dipoles import Bond, ion_label
from ..charges import added_dipoles
from ..polarization import polarization_from_charges

if TYPE_CHECKING:
    from pymatgen.core import Structure

SOURCE = "Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9, preferred pairs"


@dataclass(frozen=True)
class LabelledPair:
    """A polar crystal, how it came from its nonpolar parent, and its DFT polarization.

    Attributes:
        formula: Reduced.
        spacegroups: Of the nonpolar and the polar end.
        polar: The polar end.
        displacements: Polar minus nonpolar in the polar cell, Cartesian, A, shape `(nsites, 3)`.
        charges: Formal, e, one per site.
        polarization: DFT, Cartesian, uC/cm^2, shape `(3,)`.
    """

    formula: str
    spacegroups: tuple[int, int]
    polar: Structure
    displacements: np.ndarray
    charges: tuple[float, ...]
    polarization: np.ndarray

    @cached_property
    def nominal(self) -> np.ndarray:
        """Polarization by formal charges, uC/cm^2, shape `(3,)`."""
        return polarization_from_charges(self.displacements, self.charges, self.polar.volume)

    @cached_property
    def added(self) -> dict[Bond, np.ndarray]:
        """Bond dipoles of the polar end less those of the nonpolar one, uC/cm^2."""
        return added_dipoles(self.polar, self.displacements, self.charges)

    @cached_property
    def ions(self) -> frozenset[str]:
        """Labels of its ions."""
        return frozenset(ion_label(s.specie.symbol, q) for s, q in zip(self.polar, self.charges, strict=True))

    @cached_property
    def family(self) -> str:
        """Of chemistry."""
        return chemistry_family(self.polar.composition)

    @property
    def against_its_ions(self) -> bool:
        """Whether DFT's value points against the formal charges', further from them than the smallest quantum.

        Then it may be of another branch: the value plus a sum of quanta is as good.
        """
        smallest = float(np.linalg.norm(self.quanta, axis=1).min())
        opposed = float(self.polarization @ self.nominal) < 0
        return opposed and float(np.linalg.norm(self.nominal - self.polarization)) > smallest

    @property
    def quanta(self) -> np.ndarray:
        """The vectors modulo which a polarization is defined, uC/cm^2, shape `(3, 3)`, row by row."""
        return self.polar.lattice.matrix * E_PER_A2_IN_UC_PER_CM2 / self.polar.volume


def read_labelled(folder: Path) -> list[LabelledPair]:
    """The preferred pairs that have formal charges, in the order of the table.

    Args:
        folder: The data folder, which holds `ferroelectrics`.

    Raises:
        MissingDataError: the files are not there.
    """
    labelled = (_labelled(pair) for pair in read_preferred(folder))
    return [pair for pair in labelled if pair is not None]


def _labelled(pair: Pair) -> LabelledPair | None:
    charges = oxidation_states(pair.polar)
    if charges is None or pair.polarization_vector is None:
        return None
    steps = pair.polar.frac_coords - pair.nonpolar.frac_coords
    displacements = (steps - np.round(steps)) @ pair.polar.lattice.matrix
    return LabelledPair(
        formula=pair.formula,
        spacegroups=(pair.nonpolar_spacegroup, pair.spacegroup),
        polar=pair.polar,
        displacements=displacements - displacements.mean(axis=0),
        charges=charges,
        polarization=pair.polarization_vector,
    )
