"""What does it cost to take a neutral atom out of a crystal?

One vacancy for every site of the element that differs by symmetry, in a supercell that keeps images apart, atoms
relaxed at fixed cell, all in one call of the relaxer:

    E_f = E(with vacancy) - E(without) + mu

`mu` is the chemical potential of what is taken out. The energies given are for the reference phase of the same
potential's hull (for oxygen a solid of O2 molecules: O-rich); at the limits where the host stands against its
neighbours on that hull they shift by the difference of chemical potentials, which is kept beside.

The supercell without vacancy is relaxed with the vacancies and starts from the same small displacements: where the
potential lets the host itself fall into a lower, less symmetric state, as it does some cubic perovskites, that
fall is not mistaken for part of the vacancy.

The vacancy is neutral: charge state 0, so the Fermi level does not enter. A potential knows no electrons; charged
vacancies are out of its reach.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.candidate import PropertyValue
from ...core.contracts import ChemicalPotentials, Hull, Relaxation, Tools
from ...core.errors import HysteronError
from ...core.supercells import APART_ANGSTROM, ATOMS_MAX, Supercell, supercell_for
from ...core.vacancy_sites import Site, distinct_sites, place_of, seeded
from ..batch import calculate_each

if TYPE_CHECKING:
    from pymatgen.core import Structure

SITES_MAX = 6
HOST_FALLS_EV = 0.05
"""Per supercell: the host is said to be unstable where its energy falls by more."""
CHARGE_STATE = 0


@dataclass(frozen=True)
class VacancyResult:
    """A vacancy at one site.

    Attributes:
        site: Where.
        energy: Formation energy, eV, at the reference phase's chemical potential.
        structure: Supercell with the vacancy, relaxed.
        converged: Whether the forces fell below the relaxer's threshold.
        max_displacement: Largest distance of an atom from its place in the host, A.
    """

    site: Site
    energy: float
    structure: Structure
    converged: bool
    max_displacement: float

    @property
    def label(self) -> str:
        """Of the site."""
        return self.site.label

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure."""
        return {
            "label": self.label,
            "multiplicity": self.site.multiplicity,
            "wyckoff": self.site.wyckoff,
            "energy": self.energy,
            "converged": self.converged,
            "max_displacement": self.max_displacement,
        }


@dataclass(frozen=True)
class Vacancies:
    """Vacancies of one element in a host.

    Attributes:
        element: Symbol.
        sites: The cheapest first.
        potentials: Chemical potentials of the element, eV.
        supercell: Without the vacancy.
        potential_name: Whose energies these are.
        hull_name: Whose chemical potentials these are.
        reference_phase: Id and formula there of the phase that `potentials.reference` is of.
        notes: What a reader should know, one sentence each.
        seconds: Wall time.
    """

    element: str
    sites: tuple[VacancyResult, ...]
    potentials: ChemicalPotentials
    supercell: Supercell
    potential_name: str
    hull_name: str
    reference_phase: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def lowest(self) -> VacancyResult:
        """The cheapest vacancy."""
        return self.sites[0]

    @property
    def rich_energy(self) -> float:
        """Of the cheapest vacancy, eV, where the host has as much of the element as it can bear."""
        return self.lowest.energy + self.potentials.rich - self.potentials.reference

    @property
    def poor_energy(self) -> float:
        """Of the cheapest vacancy, eV, where the host is about to lose the element to its neighbours on the hull."""
        return self.lowest.energy + self.potentials.poor - self.potentials.reference

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        return f"{self.potential_name}, neutral, {self.element}-rich"

    def as_property(self) -> PropertyValue:
        """The cheapest vacancy's energy as a candidate carries it."""
        return PropertyValue(
            "vacancy_formation_energy", float(self.lowest.energy), "eV", self.method, source=self.hull_name
        )

    def record(self) -> dict[str, Any]:
        """As JSON, without the structures."""
        return {
            "element": self.element,
            "charge_state": CHARGE_STATE,
            "fermi_level": "does not enter: the vacancy is neutral; charged ones are out of a potential's reach",
            "sites": [site.record() for site in self.sites],
            "chemical_potential": {
                "reference": self.potentials.reference,
                "rich": self.potentials.rich,
                "poor": self.potentials.poor,
                "host_on_hull": self.potentials.stable,
                "hull": self.hull_name,
                "reference_phase": self.reference_phase,
            },
            "energy_at_reference": self.lowest.energy,
            "energy_rich": self.rich_energy,
            "energy_poor": self.poor_energy,
            "supercell": {
                "matrix": self.supercell.matrix.tolist(),
                "atoms": len(self.supercell.structure),
                "images_apart_angstrom": self.supercell.images_apart_angstrom,
                "enough": self.supercell.enough,
            },
            "potential": self.potential_name,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }


def vacancies_of(
    host: Structure,
    element: str,
    tools: Tools,
    apart_angstrom: float = APART_ANGSTROM,
    atoms_max: int = ATOMS_MAX,
    sites_max: int = SITES_MAX,
) -> Vacancies | str:
    """Formation energies of an element's neutral vacancies.

    Args:
        host: Relaxed by the potential of `tools`; any setting.
        element: Symbol of what is taken out.
        tools: `atoms_relaxer` and `hull`.
        apart_angstrom: How far images of the vacancy should be apart.
        atoms_max: Largest supercell.
        sites_max: At most so many sites are tried, those with most equals first.

    Returns:
        A sentence if there is no answer.
    """
    began = time.monotonic()
    formula = host.composition.reduced_formula
    relaxer, hull = tools.atoms_relaxer, tools.hull
    if relaxer is None or hull is None:
        lacking = "relaxer at fixed cell" if relaxer is None else "hull"
        return f"The vacancies of {formula} need a {lacking}; none was given."
    if element not in host.symbol_set:
        return f"{formula} holds no {element}, so it can lose none."
    try:
        supercell = supercell_for(host, apart_angstrom, atoms_max)
        found = distinct_sites(supercell.primitive, element)
        relaxations = relaxer.relax(_starts(supercell, found[:sites_max]))
        energies = _host_energies(supercell, relaxations[0], tools)
        if isinstance(energies, str):
            return energies
        potentials = hull.chemical_potentials(
            host.composition, energies[1] / len(supercell.structure), element
        )
    except (HysteronError, ValueError) as error:
        return f"The vacancies of {element} in {formula}: {error}"
    tried = list(zip(found, relaxations[1:], strict=False))
    sites = _results(supercell, tried, energies[1], potentials.reference)
    if not sites:
        reasons = "; ".join(r.failure or r.note or "no energy" for _, r in tried)
        return f"No vacancy of {element} in {formula} could be relaxed: {reasons}"
    return Vacancies(
        element=element,
        sites=tuple(sorted(sites, key=lambda site: (site.energy, site.site.index))),
        potentials=potentials,
        supercell=supercell,
        potential_name=relaxer.potential.name,
        hull_name=hull.name,
        reference_phase=_reference_phase(hull, element, potentials.reference),
        notes=tuple(_notes(supercell, found, tried, energies, apart_angstrom)),
        seconds=time.monotonic() - began,
    )


def _reference_phase(hull: Hull, element: str, energy: float) -> str:
    from pymatgen.core import Composition

    phases = hull.distance(Composition(element), energy).decomposition
    return ", ".join(f"{name} ({formula})" for name, formula, _ in phases)


def _starts(supercell: Supercell, sites: Sequence[Site]) -> list[Structure]:
    """The supercell whole, then with each vacancy."""
    whole = supercell.structure
    starts = [seeded(whole, whole.frac_coords[place_of(supercell, sites[0])])]
    for site in sites:
        place = place_of(supercell, site)
        vacant = seeded(whole, whole.frac_coords[place])
        vacant.remove_sites([place])
        starts.append(vacant)
    return starts


def _host_energies(supercell: Supercell, relaxation: Relaxation, tools: Tools) -> tuple[float, float] | str:
    """Energy of the supercell as built and at rest, eV; a sentence if there is none."""
    assert tools.atoms_relaxer is not None
    found = calculate_each(tools.atoms_relaxer.potential, [supercell.primitive])[0]
    if isinstance(found, str):
        return found
    if relaxation.energy_per_atom is None:
        return f"The host's supercell could not be relaxed: {relaxation.failure}"
    built = supercell.copies * found.energy
    return built, min(built, relaxation.energy_per_atom * len(supercell.structure))


def _results(
    supercell: Supercell, tried: Sequence[tuple[Site, Relaxation]], host_energy: float, mu: float
) -> list[VacancyResult]:
    results = []
    for site, relaxation in tried:
        if relaxation.failure or relaxation.structure is None or relaxation.energy_per_atom is None:
            continue
        total = relaxation.energy_per_atom * len(relaxation.structure)
        results.append(
            VacancyResult(
                site=site,
                energy=float(total - host_energy + mu),
                structure=relaxation.structure,
                converged=relaxation.converged,
                max_displacement=_largest_displacement(supercell, site, relaxation.structure),
            )
        )
    return results


def _largest_displacement(supercell: Supercell, site: Site, relaxed: Structure) -> float:
    kept = np.delete(supercell.structure.frac_coords, place_of(supercell, site), axis=0)
    steps = relaxed.frac_coords - kept
    steps -= np.round(steps)
    return float(np.linalg.norm(steps @ relaxed.lattice.matrix, axis=1).max())


def _notes(
    supercell: Supercell,
    found: Sequence[Site],
    tried: Sequence[tuple[Site, Relaxation]],
    energies: tuple[float, float],
    apart: float,
) -> list[str]:
    notes = []
    if not supercell.enough:
        notes.append(
            f"Images of the vacancy are {supercell.images_apart_angstrom:.1f} A apart, less than {apart:g}, in the "
            f"{len(supercell.structure)} atoms that were allowed."
        )
    if energies[0] - energies[1] > HOST_FALLS_EV:
        notes.append(
            f"The host's supercell itself falls by {energies[0] - energies[1]:.2f} eV into a less symmetric state; "
            "energies are counted from there."
        )
    if len(found) > len(tried):
        notes.append(f"{len(found)} kinds of sites; the {len(tried)} with most equals were tried.")
    for site, relaxation in tried:
        if relaxation.failure or not relaxation.converged:
            notes.append(f"{site.label}: {relaxation.failure or relaxation.note}")
    return notes
