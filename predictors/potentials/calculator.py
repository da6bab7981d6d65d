"""How does an ASE calculator become a `Potential` of this project?

The entry point `hysteron.potentials` of a package names a factory, `factory(model, device)`:

    model: The rest of the name the user typed (`mp-0b3` of `mace-mp-0b3`), `:PATH` for a file of the
        user's own, or `None`.
    device: As torch writes it: `cpu`, `cuda`, `cuda:1`.
    returns: An ASE calculator that gives energy (eV), forces (eV/A) and stress (eV/A^3, positive under
        tension). It is called with crystals periodic in all directions.

The factory must be a function of a module, so that worker processes find it. The calculator may carry, as
plain attributes (the factory may carry the first three instead):

    potential_name: Name with the version of the weights, written beside every value; else the name typed.
    energy_scale: One of `core.energy_scales.SCALES`, or words of its own; without it the energies are
        comparable only with themselves.
    elements: Symbols or atomic numbers that it knows; others are then refused in words. Else all are tried.
    model_hash: Changes with the weights; else the parameters of the torch modules it holds are hashed, or
        the calculator's `parameters`.
    batched(): Returns an object with `calculate(crystals) -> list[dict]`: for a list of `ase.Atoms`, one
        dictionary each, in order, with `energy`, `forces` (shape `(natoms, 3)`), `stress` (shape `(6,)` in
        ASE's Voigt order, or `(3, 3)`) and, if it knows them, `magmoms` (shape `(natoms,)`), as above. It
        must leave the atoms as they are. Its attribute `atoms_per_batch` bounds what it is handed at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.contracts import Calculation
from ...core.errors import InputError, StageError, StructureError
from ...core.workers import single_threaded
from ..cell import Cell
from .weights import HASH_DIGITS, hash_of_modules

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

Factory = Callable[[str | None, str], Any]

ATOMS_PER_BATCH = 200  # where a batched calculator does not say
MIN_VOLUME_PER_ATOM = 1.0  # A^3; diamond has 5.7
NEEDED = ("energy", "forces", "stress")


class CalculatorPotential:
    """An ASE calculator for many structures at once; implements `Potential`.

    It travels to worker processes as factory, model and device; each process loads the calculator once.
    """

    def __init__(self, name: str, factory: Factory, model: str | None = None, device: str = "cpu") -> None:
        """Load the calculator, so that what is missing is said at once.

        Args:
            name: As the user typed it; used where the calculator does not name itself.
            factory: See the top of this file.
            model: Handed to the factory.
            device: Handed to the factory.

        Raises:
            MissingDataError: as the factory, if its package or weights are not there.
            InputError: the calculator gives no energy, forces or stress.
        """
        self.factory, self.model, self.device = factory, model, device
        calculator = self.calculator
        lacking = sorted(set(NEEDED) - set(getattr(calculator, "implemented_properties", NEEDED)))
        if lacking:
            raise InputError(
                f"{name} gives no {', no '.join(lacking)}; a relaxation of atoms and cell needs all."
            )

        def told(attribute: str) -> Any:
            return getattr(calculator, attribute, None) or getattr(factory, attribute, None)

        self.name: str = told("potential_name") or name
        self.energy_scale: str = told("energy_scale") or f"the scale of {self.name}"
        self.elements: frozenset[int] | None = _numbers(told("elements"))
        self.model_hash: str = told("model_hash") or _hash(calculator)

    @property
    def calculator(self) -> Any:
        """The ASE calculator; loaded once per process."""
        return _loaded(self.factory, self.model, self.device)

    def check(self, structure: Structure) -> None:
        """Raise an `InputError` if the potential cannot treat the structure."""
        self._checked(structure)

    def calculate(self, structures: Sequence[Structure]) -> list[Calculation]:
        """Energy (eV), forces (eV/A) and stress (eV/A^3) of each structure, in order.

        Raises:
            InputError: an element the potential does not know, partial occupancy or no atoms.
            StageError: the calculator failed on a structure.
        """
        return self.calculate_cells([self._checked(s) for s in structures])

    def calculate_cells(self, cells: Sequence[Cell]) -> list[Calculation]:
        """As `calculate`, from bare arrays."""
        crystals = [_atoms(cell) for cell in cells]
        batched = getattr(self.calculator, "batched", None)
        with single_threaded():
            if batched is None:
                results = [self._alone(atoms) for atoms in crystals]
            else:
                results = self._together(batched(), crystals)
        return [_calculation(r, len(c)) for r, c in zip(results, crystals, strict=True)]

    def _alone(self, atoms: Atoms) -> dict[str, Any]:
        formula = atoms.get_chemical_formula()
        try:
            atoms.calc = self.calculator
            found = {
                "energy": atoms.get_potential_energy(),
                "forces": atoms.get_forces(),
                "stress": atoms.get_stress(voigt=False),
            }
            magmoms = getattr(self.calculator, "results", {}).get("magmoms")
        except Exception as error:
            raise StageError(f"{self.name} failed on {formula}: {type(error).__name__}: {error}") from error
        return found if magmoms is None else {**found, "magmoms": magmoms}

    def _together(self, batch: Any, crystals: list[Atoms]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        for share in _shares(crystals, getattr(batch, "atoms_per_batch", ATOMS_PER_BATCH)):
            try:
                found = list(batch.calculate(share))
            except Exception as error:
                formulas = ", ".join(atoms.get_chemical_formula() for atoms in share)
                raise StageError(
                    f"{self.name} failed on {formulas}: {type(error).__name__}: {error}"
                ) from error
            if len(found) != len(share):
                raise StageError(f"{self.name} gave {len(found)} results for {len(share)} crystals.")
            results.extend(found)
        return results

    def _checked(self, structure: Structure) -> Cell:
        """The arrays of a structure, or why it cannot be treated."""
        if not len(structure):
            raise StructureError(f"The structure has no atoms; {self.name} needs at least one.")
        if not structure.is_ordered:
            raise StructureError(
                f"{structure.formula} has partially occupied sites; order it before {self.name}."
            )
        unknown = {
            s.specie.symbol
            for s in structure
            if self.elements is not None and s.specie.Z not in self.elements
        }
        if unknown:
            raise InputError(
                f"{self.name} does not know {', '.join(sorted(unknown))} of {structure.formula}."
            )
        cell = Cell.from_structure(structure)
        if not cell.volume > MIN_VOLUME_PER_ATOM * len(structure):
            raise StructureError(
                f"{structure.formula} has {cell.volume / len(structure):.3g} A^3 per atom; "
                f"{self.name} needs more than {MIN_VOLUME_PER_ATOM:g}."
            )
        return cell


@lru_cache(maxsize=4)
def _loaded(factory: Factory, model: str | None, device: str) -> Any:
    return factory(model, device)


def _atoms(cell: Cell) -> Atoms:
    from ase import Atoms

    return Atoms(numbers=cell.numbers, positions=cell.positions, cell=cell.lattice, pbc=True)


def _shares(crystals: list[Atoms], limit: int) -> Iterator[list[Atoms]]:
    """Crystals in order, joined until they have `limit` atoms."""
    share: list[Atoms] = []
    for atoms in crystals:
        if share and sum(map(len, share)) + len(atoms) > limit:
            yield share
            share = []
        share.append(atoms)
    if share:
        yield share


def _calculation(found: dict[str, Any], natoms: int) -> Calculation:
    """What a calculator gave, in our shapes."""
    from ase.stress import voigt_6_to_full_3x3_stress

    stress = np.asarray(found["stress"], dtype=float)
    magmoms = found.get("magmoms")
    return Calculation(
        energy=float(np.asarray(found["energy"], dtype=float).reshape(())),
        forces=np.array(found["forces"], dtype=float).reshape(natoms, 3),
        stress=np.array(stress if stress.size == 9 else voigt_6_to_full_3x3_stress(stress)).reshape(3, 3),
        magmoms=None if magmoms is None else np.array(magmoms, dtype=float).reshape(natoms),
    )


def _numbers(elements: Any) -> frozenset[int] | None:
    from ase.data import atomic_numbers

    if elements is None:
        return None
    return frozenset(atomic_numbers[e] if isinstance(e, str) else int(e) for e in elements)


def _hash(calculator: Any) -> str:
    """Of the weights of the torch modules that a calculator holds, else of its parameters."""
    held = [v for k, v in sorted(vars(calculator).items()) if hasattr(v, "state_dict")]
    if held:
        return hash_of_modules(*held)
    parameters = json.dumps(dict(getattr(calculator, "parameters", {})), sort_keys=True, default=repr)
    text = f"{type(calculator).__module__}.{type(calculator).__qualname__} {parameters}"
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
