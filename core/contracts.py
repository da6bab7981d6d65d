"""What the stages promise each other: small protocols, and the results they pass.

A stage never imports another one. What it needs of another it is handed through `Tools`, which the
flow (or the command) builds once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from pymatgen.core import Composition, Structure

    from .candidate import Candidate, PropertyValue, Verdict
    from .errors import HullError, InputError
    from .filters import Filter


@dataclass(frozen=True)
class Calculation:
    """One evaluation of a potential.

    Attributes:
        energy: Total energy of the cell, eV, on the scale the potential's `energy_scale` names.
        forces: Cartesian, eV/A, shape `(nsites, 3)`.
        stress: Cauchy stress, eV/A^3, shape `(3, 3)`, positive under tension (ASE's sign).
        magmoms: Magnetic moment of each site, mu_B, shape `(nsites,)`, if the potential knows it.
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray
    magmoms: np.ndarray | None = None


@runtime_checkable
class Potential(Protocol):
    """Energies, forces and stresses of many structures at once."""

    name: str
    """As written in `PropertyValue.method`, with the version of the weights: `CHGNet 0.3.0`."""
    energy_scale: str
    """Which energies these are: `MP2020-corrected` or `raw PBE`."""

    @property
    def model_hash(self) -> str:
        """Changes whenever the weights do."""
        ...

    def calculate(self, structures: Sequence[Structure]) -> list[Calculation]:
        """One result per structure, in order; alone or batched the same value.

        Raises:
            InputError: a structure holds an element the potential does not know, or no atoms.
        """
        ...


@dataclass(frozen=True)
class Relaxation:
    """What became of one structure in a relaxer.

    Attributes:
        structure: The last good geometry; `None` if there was none.
        energy_per_atom: eV/atom at `structure`.
        max_force: Largest force on an atom (and generalised force on the cell), eV/A.
        steps: Number of optimiser steps taken.
        converged: Whether `max_force` fell below the relaxer's threshold.
        failure: One sentence if the structure was given up (exploding cell, colliding atoms,
            unknown element); then `converged` is False.
        note: One sentence if the run ended early with a sound geometry: step or time limit.
    """

    structure: Structure | None
    energy_per_atom: float | None
    max_force: float | None
    steps: int
    converged: bool
    failure: str | None = None
    note: str | None = None


@runtime_checkable
class Relaxer(Protocol):
    """Moves atoms and cell to a minimum of a potential."""

    potential: Potential

    @property
    def version(self) -> str:
        """Name and settings that decide the result, for provenance: `fire fmax=0.05 steps=500`."""
        ...

    def relax(
        self,
        structures: Sequence[Structure],
        on_done: Callable[[int, Relaxation], None] | None = None,
    ) -> list[Relaxation]:
        """One result per structure, in order. A structure that fails does not raise.

        Args:
            structures: What to relax; left untouched.
            on_done: Called with (index, result) as each structure leaves, for progress and budgets.
        """
        ...


@dataclass(frozen=True)
class HullDistance:
    """Where a composition and energy stand against the competing phases.

    Attributes:
        energy_above_hull: eV/atom; negative below a hull that does not list the entry.
        uncertainty: One standard deviation, eV/atom, or `None`. Counts unrelaxed competitors.
        decomposition: Competing phases, as (id, reduced formula, fraction of atoms).
        interval: Lower and upper end, eV/atom, that hold the truth with probability `coverage`, if measured.
        coverage: Of `interval`.
    """

    energy_above_hull: float
    uncertainty: float | None
    decomposition: tuple[tuple[str, str, float], ...]
    interval: tuple[float, float] | None = None
    coverage: float | None = None

    def as_property(self, hull: Hull) -> PropertyValue:
        """The value as a candidate carries it."""
        from .candidate import PropertyValue

        return PropertyValue(
            "energy_above_hull",
            float(self.energy_above_hull),
            "eV/atom",
            hull.potential_name,
            self.uncertainty,
            hull.name,
            self.interval,
            self.coverage,
        )


HullQuery = tuple["Composition", float, Iterable[str]]
"""A composition, its energy in eV/atom, and the ids of phases that do not compete with it."""


@runtime_checkable
class Hull(Protocol):
    """A named, dated set of competing phases on the energy scale of one potential."""

    @property
    def name(self) -> str:
        """Name and date, such as `mp-chgnet-2026-11`."""
        ...

    @property
    def potential_name(self) -> str:
        """The potential whose energies may be compared with this hull."""
        ...

    def distance(
        self, composition: Composition, energy_per_atom: float, leave_out: Iterable[str] = ()
    ) -> HullDistance:
        """Distance from the hull, without the phases whose ids are in `leave_out`.

        Raises:
            HullError: an element has no reference phase; it is never filled with 0.
        """
        ...

    def distances(self, items: Sequence[HullQuery]) -> list[HullDistance | HullError]:
        """As `distance`, for many at once and with the same values.

        Returns:
            One result per item, in order; an error in the place of one that has no distance.
        """
        ...

    def chemical_potentials(
        self, composition: Composition, energy_per_atom: float, element: str
    ) -> ChemicalPotentials:
        """Where the composition is in equilibrium with its neighbours on the hull.

        Raises:
            HullError: an element has no reference phase.
        """
        ...

    def lowest_energy(self, composition: Composition) -> float:
        """Energy of the most stable mixture of phases at a composition, eV/atom.

        Raises:
            HullError: an element has no reference phase.
        """
        ...


@dataclass(frozen=True)
class ChemicalPotentials:
    """Between which chemical potentials of one element a composition can exist.

    Attributes:
        reference: Energy of the element's reference phase, eV/atom, on the scale of the potential.
        rich: Highest chemical potential, eV, on that scale; never above `reference`.
        poor: Lowest one.
        stable: Whether the composition lies on the hull; if not, the range is that of its decomposition there.
    """

    reference: float
    rich: float
    poor: float
    stable: bool


@runtime_checkable
class Known(Protocol):
    """Whether a crystal is already in the catalogue or the store."""

    def find(self, candidate: Candidate) -> str | None:
        """The id of the known crystal that `candidate` is, or `None`."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """Adds properties to candidates."""

    name: str

    def predict(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Order and length kept; inputs untouched; alone or batched the same value."""
        ...


@dataclass(frozen=True)
class EnergyDifference:
    """Polar minus nonpolar energy; negative where the polar end is lower.

    Attributes:
        value: meV/atom.
        uncertainty: One standard deviation, meV/atom; `None` if it was not calibrated.
        interval: Lower and upper end, meV/atom, that hold the DFT value with probability `coverage`, likewise.
        coverage: Of `interval`.
        members: What each potential alone gives, by its name, meV/atom.
    """

    value: float
    uncertainty: float | None
    interval: tuple[float, float] | None
    coverage: float | None
    members: dict[str, float]


@runtime_checkable
class PolarDifference(Protocol):
    """Calibrated energy differences between polar and nonpolar crystals."""

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        ...

    def differences(
        self, pairs: Sequence[tuple[Structure, Structure]]
    ) -> list[EnergyDifference | InputError]:
        """One result per (polar, nonpolar), geometries as given, in order; an error in the place of one that has none."""
        ...


@dataclass(frozen=True)
class VacancyEnergy:
    """What it costs to take a neutral atom out of a crystal, after a correction learnt from DFT.

    Attributes:
        value: eV, at the chemical potential of the element's reference phase.
        uncertainty: One standard deviation, eV.
        interval: Lower and upper end, eV, that hold the DFT value with probability `coverage`.
        coverage: Of `interval`.
    """

    value: float
    uncertainty: float
    interval: tuple[float, float]
    coverage: float


@runtime_checkable
class VacancyCorrection(Protocol):
    """Brings a potential's vacancy energies closer to DFT's."""

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        ...

    def corrected(self, host: Structure, element: str, energy: float) -> VacancyEnergy | None:
        """The corrected energy of the cheapest vacancy of an element; `None` outside what was learnt.

        Args:
            host: Without the vacancy.
            element: What is taken out.
            energy: By the potential alone, eV, at the chemical potential of the element's reference phase.
        """
        ...


@dataclass(frozen=True)
class Conduction:
    """How a crystal conducts, as probabilities that add up to 1.

    Attributes:
        metal: Metallic at all temperatures.
        insulator: Insulating at all temperatures.
        transition: Metal to insulator, driven by temperature.
        familiar: Whether it resembles what the classifier learnt from.
        family: The family of transition compounds that it belongs to by rule, if any.
    """

    metal: float
    insulator: float
    transition: float
    familiar: bool
    family: str | None = None


@runtime_checkable
class ConductionClasses(Protocol):
    """Tells metals, insulators and compounds with a metal-insulator transition apart."""

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        ...

    def classes(self, structures: Sequence[Structure]) -> list[Conduction | InputError]:
        """One result per structure, in order; an error in the place of one that has none."""
        ...


@dataclass(frozen=True)
class Tools:
    """What one stage may need of another; built once by the flow or the command.

    Attributes:
        relaxer: Moves atoms and cell freely.
        parent_relaxer: A relaxer that holds the space group of what it is given.
        atoms_relaxer: Moves atoms alone; the cell stays as it is.
        polar_difference: Calibrated energies of polar against nonpolar crystals; without it the potential's own count.
        vacancy_correction: Without it the potential's own vacancy energies count.
        conduction: Metal, insulator or transition, from the crystal alone.
        interest: How much a seed is worth beside the others, positive; without it all are worth the same. A generator
            that starts from seeds draws them in this proportion.
        workers: Processes among which a screen may share what needs no potential (`core.workers`).
    """

    potential: Potential | None = None
    relaxer: Relaxer | None = None
    parent_relaxer: Relaxer | None = None
    atoms_relaxer: Relaxer | None = None
    polar_difference: PolarDifference | None = None
    vacancy_correction: VacancyCorrection | None = None
    conduction: ConductionClasses | None = None
    hull: Hull | None = None
    known: Known | None = None
    predictor: Predictor | None = None
    interest: Callable[[Candidate], float] | None = None
    workers: int = 1
    notes: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class Source(Protocol):
    """Known materials come in."""

    name: str

    @property
    def version(self) -> str:
        """Of the data: a date, a digest, or what the provider says."""
        ...

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Candidates that match; every one says its source and version in its provenance."""
        ...


@runtime_checkable
class Generator(Protocol):
    """New structures are proposed."""

    name: str

    def generate(
        self, seeds: Sequence[Candidate], count: int, rng: np.random.Generator, tools: Tools
    ) -> Iterator[Candidate]:
        """At most `count` candidates; the same seed gives the same output; parents recorded."""
        ...


@runtime_checkable
class Screen(Protocol):
    """Candidates are kept or set aside, with the reason and the number."""

    name: str

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """The costly, batched physics; adds properties and failures, order and length kept."""
        ...

    def judge(self, candidate: Candidate) -> Verdict:
        """Pure and cheap: says reason, value and threshold. A missing property is never a pass."""
        ...


@runtime_checkable
class RefiningScreen(Screen, Protocol):
    """A screen with physics that is too costly for every crystal: asked of the few that it may decide, one by one."""

    def promise(self, candidate: Candidate) -> float:
        """How much a refinement may help one that was measured and judged; greater is sooner, 0: not at all."""
        ...

    def refine(self, candidate: Candidate, tools: Tools, seconds: float | None = None) -> Candidate:
        """Adds to what `measure` found, in up to minutes; to be judged again afterwards.

        Args:
            candidate: Measured and judged.
            tools: As `measure` was handed.
            seconds: Wall time after which what is left is not computed, and said so; `None`: none.
        """
        ...
