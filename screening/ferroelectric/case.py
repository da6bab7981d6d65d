"""What has been found of one polar crystal while the screen looks at it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.candidate import Candidate, PropertyValue
from ...core.polarization import polarization_quantum

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .charges import PolarizationEstimate
    from .ends import Ends
    from .estimates import Estimates
    from .mechanism import Mechanism
    from .parents import Parent
    from .path import Profile
    from .reversal import ReversedState


@dataclass
class Case:
    """One polar candidate, filled step by step; what stays empty could not be found.

    Attributes:
        charges: Formal, e, one per site.
        parents: Nonpolar, ranked.
        reversed: The reversed polar state, looked for where there is no nonpolar parent.
        polarization: Against the first parent, or half of the change from the reversed state.
        path_parent: Index of the parent through which the path goes; `None` from the reversed state.
        parent_energies: By index of a parent, relaxed: above the polar crystal, meV/atom.
        difference: Polar minus nonpolar energy, meV/atom.
        untried: Why the path was not computed though it could have been.
        failures: One sentence for each thing that could not be computed.
    """

    candidate: Candidate
    charges: tuple[float, ...] | None = None
    parents: list[Parent] = field(default_factory=list)
    reversed: ReversedState | None = None
    mechanism: Mechanism | None = None
    polarization: PolarizationEstimate | None = None
    ends: Ends | None = None
    path_parent: int | None = None
    parent_energies: dict[int, float] = field(default_factory=dict)
    profile: Profile | None = None
    difference: PropertyValue | None = None
    estimates: Estimates | None = None
    untried: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def structure(self) -> Structure:
        """The polar crystal as it came."""
        return self.candidate.structure

    @property
    def displacements(self) -> np.ndarray | None:
        """Of the polar state from the middle of its switching, Cartesian, A, shape `(nsites, 3)`."""
        if self.parents:
            return self.parents[0].displacements
        return self.reversed.displacements / 2 if self.reversed else None

    @property
    def source(self) -> str:
        """Against what the crystal is measured, for `PropertyValue.source`."""
        if self.parents:
            first = self.parents[0]
            return f"parent {first.symmetry}, found by {' and '.join(first.found_by)}"
        return "reversed polar state" if self.reversed else ""

    def properties(self) -> list[PropertyValue]:
        """Everything that a property can hold."""
        found = [*self._parent_properties(), *self._polarization_properties(), *self._path_properties()]
        return [*found, *(self.estimates.properties if self.estimates else ())]

    def _parent_properties(self) -> list[PropertyValue]:
        if self.displacements is None:
            return []
        method = "pseudosymmetry and tolerance ladder" if self.parents else "reversal"
        largest = float(np.linalg.norm(self.displacements, axis=1).max())
        found = [PropertyValue("distortion_max", largest, "A", method, source=self.source)]
        if self.parents:
            number = self.parents[0].symmetry.spacegroup_number
            found.append(PropertyValue("parent_spacegroup_number", number, "1", method, source=self.source))
        return found

    def _polarization_properties(self) -> list[PropertyValue]:
        told = self.polarization
        if told is None:
            return []
        vector = tuple(float(component) for component in told.vector)
        return [
            PropertyValue(
                "polarization",
                told.norm,
                "uC/cm^2",
                told.method,
                told.uncertainty,
                self.source,
                told.interval,
                told.coverage,
            ),
            PropertyValue("polarization_vector", vector, "uC/cm^2", told.method, source=self.source),
        ]

    def _path_properties(self) -> list[PropertyValue]:
        found = [self.difference] if self.difference else []
        if self.profile and self.ends:
            method = f"{self.profile.kind}, {self.profile.method}, {self.ends.state}"
            per_formula = self.profile.barrier_per_formula_unit
            through = "from the reversed state" if self.path_parent is None else "through"
            source = f"{through} {self.ends.parent_symmetry}"
            found += [
                PropertyValue("switching_barrier", per_formula, "eV/f.u.", method, source=source),
                PropertyValue(
                    "switching_barrier_per_atom", self.profile.barrier, "meV/atom", method, source=source
                ),
            ]
        return found

    def findings(self) -> dict[str, Any]:
        """Everything else, as JSON: what `judge` reads and a verdict's details tell."""
        told: dict[str, Any] = {"untried": self.untried} if self.untried else {}
        if self.charges is not None:
            told["charges"] = list(self.charges)
        if self.mechanism:
            told["mechanism"] = self.mechanism.record()
        if self.parents:
            told["parents"] = [
                parent.record() | self._energy_of(index) for index, parent in enumerate(self.parents)
            ]
            told["reference"] = {"structure": json.loads(self.parents[0].structure.to_json())}
        if self.reversed:
            told["reversed"] = self.reversed.record()
        if self.displacements is not None:
            told["displacements"] = np.round(self.displacements, 4).tolist()
        if self.polarization:
            told["quantum"] = polarization_quantum(self.structure.lattice.matrix).tolist()
            told["nominal_polarization"] = self.polarization.nominal
            told["effective_charges"] = self._charges_by_ion()
            told["extrapolated"] = list(self.polarization.extrapolated)
        if self.ends:
            told["ends"] = self.ends.record()
        if self.profile:
            told["path"] = self.profile.record() | {
                "from": "reversed" if self.path_parent is None else "parent"
            }
        if self.estimates:
            told["estimates"] = [*map(self._with_value, self.estimates.record()), *self._gap()]
        return told

    def _energy_of(self, index: int) -> dict[str, float]:
        return {"energy_above_polar": self.parent_energies[index]} if index in self.parent_energies else {}

    def _with_value(self, record: dict[str, Any]) -> dict[str, Any]:
        """An estimate's record with the value that the candidate brought along, if it is one of those."""
        brought = self.candidate.get(record["name"])
        if record["value"] is not None or brought is None:
            return record
        return record | {"value": brought.value, "units": brought.units, "method": brought.method}

    def _gap(self) -> list[dict[str, Any]]:
        """The gap that the candidate brought along, which leakage and breakdown depend on."""
        gap = self.candidate.get("band_gap")
        if gap is None:
            return []
        return [
            {
                "name": "band_gap",
                "value": gap.value,
                "units": gap.units,
                "method": gap.method,
                "reason": "predicted" if gap.interval else "",
            }
        ]

    def _charges_by_ion(self) -> dict[str, float]:
        """Mean effective charge of each ion, e, by its name: `Ti4+`."""
        from .bond_dipoles import ion_label

        assert self.polarization is not None
        assert self.charges is not None
        by_ion: dict[str, list[float]] = {}
        for site, formal, effective in zip(
            self.structure, self.charges, self.polarization.charges, strict=True
        ):
            by_ion.setdefault(ion_label(site.specie.symbol, formal), []).append(float(effective))
        return {ion: float(np.mean(found)) for ion, found in sorted(by_ion.items())}
