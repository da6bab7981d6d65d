"""A potential of this project as an ASE calculator, for ASE's own optimisers, NEB or dynamics."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from ...core.contracts import Potential


class PotentialCalculator(Calculator):
    """Energy (eV), forces (eV/A), stress (eV/A^3, Voigt) and magnetic moments of a `Potential`.

    `atoms.calc = PotentialCalculator(CHGNetPotential())`. The crystal is periodic in all directions,
    whatever `atoms.pbc` says, since the potential knows no other.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmoms"]  # ASE wants a list

    def __init__(self, potential: Potential, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.potential = potential

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Evaluate the potential; called by ASE."""
        from pymatgen.io.ase import AseAtomsAdaptor

        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        periodic = self.atoms.copy()
        periodic.calc = None
        periodic.set_pbc(True)
        structure = AseAtomsAdaptor.get_structure(periodic)
        (found,) = self.potential.calculate([structure])
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "forces": found.forces,
            "stress": full_3x3_to_voigt_6_stress(found.stress),
        }
        if found.magmoms is not None:
            self.results["magmoms"] = found.magmoms
