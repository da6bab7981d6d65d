"""What would a device see of this crystal, as far as crystal and path can tell?

Three proxies, each with a label that says so. A proxy orders candidates and catches what is out of
range; it is no forecast of a measurement. What cannot be estimated is left out, with a sentence why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.candidate import PropertyValue
from ...core.errors import InputError
from ...core.polarization import E_PER_A2_IN_UC_PER_CM2
from ..gap import NONMETALS
from .mechanism import DISPLACIVE, Mechanism, find_bonds

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

COERCIVE_METHOD = "proxy: Landau quartic double well, upper bound"
COERCIVE_CAVEAT = (
    "The coercive field is that of a crystal that reverses all at once at 0 K; measured ones are always lower, by domain walls "
    "and nuclei (Ducharme et al., Phys. Rev. Lett. 84, 175 (2000)): 10 to 1,000 times lower as a rule, in bulk crystals more."
)
LEAST_POLARIZATION = 1.0
"""uC/cm^2; a field that couples to less is not worth dividing by."""
V_PER_A_IN_MV_PER_CM = 100.0
"""1 V/A = 1e8 V/cm."""

ABRAHAMS_METHOD = "proxy: Abrahams, Kurtz, Jamieson 1968"
KELVIN_PER_A2 = 2.00e4
"""K/A^2, +- 0.09e4 by their fit to ten displacive ferroelectrics; Phys. Rev. 172, 551 (1968), doi:10.1103/PhysRev.172.551."""
UC_PER_CM2_PER_A = 258.0
"""uC/cm^2 per A, +- 9; same place."""
SHIFT_RANGE_ANGSTROM = (0.05, 0.32)
"""50 to 2,050 K: the span of the ferroelectrics they fitted, and no more. Sr2Ta2O7 (measured 166 K) has 0.01 A."""
TOGETHER = 0.7
"""Mean over root mean square of the shifts along the axis; below, ions move against each other, as in BaTi2O5."""
ABRAHAMS_CAVEAT = (
    "The transition temperature rests on a fit to structures measured near room temperature: at such structures it gives "
    "458 K for BaTiO3 (393 measured) and 1,335 K for LiNbO3 (1,483 measured), at structures relaxed by PBE, whose polar "
    "shifts are too large, up to three times too much (BaTiO3 1,020 to 1,200 K)."
)
NO_EXCEPTION = (
    "Not among the phases known to be made and used although they are metastable, such as Pca2_1 HfO2."
)
FRAMEWORK_ANIONS = frozenset(["O", "F"])
LEAST_HOMOPOLAR_CHARGE = 4.0
OCTAHEDRON = 6
LONE_PAIRS = frozenset(
    [
        ("Tl", 1),
        ("Ge", 2),
        ("Sn", 2),
        ("Pb", 2),
        ("As", 3),
        ("Sb", 3),
        ("Bi", 3),
        ("Se", 4),
        ("Te", 4),
        ("I", 5),
    ]
)
"""Ions that drive the distortion themselves: for PbTiO3 the relation gives 2,100 K where 763 K are measured."""


@dataclass(frozen=True)
class Shift:
    """How far the cation that holds most of the bond moves against its anions, and what follows from it.

    Attributes:
        symbol: The cation.
        distance: Along the polar axis, A.
    """

    symbol: str
    distance: float

    @property
    def transition_temperature(self) -> float:
        """Curie temperature, K. Source: Abrahams, Kurtz, Jamieson 1968, abstract."""
        return KELVIN_PER_A2 * self.distance**2

    @property
    def polarization(self) -> float:
        """uC/cm^2, to hold against the other estimate. Source: same place."""
        return UC_PER_CM2_PER_A * self.distance


@dataclass(frozen=True)
class Estimates:
    """The proxies of one crystal.

    Attributes:
        properties: `coercive_field` and `transition_temperature`, as far as they could be estimated.
        notes: By name of a property, one sentence: what to keep in mind, or why it was not estimated. Under
            `energy_above_hull` stands whether the crystal is a known exception.
        shift: What the transition temperature rests on.
    """

    properties: tuple[PropertyValue, ...]
    notes: dict[str, str]
    shift: Shift | None = None

    def record(self) -> list[dict[str, Any]]:
        """As JSON: one object for each proxy and each thing that has none but something to say."""
        found = {p.name: p for p in self.properties}
        return [
            {
                "name": name,
                "value": found[name].value if name in found else None,
                "units": found[name].units if name in found else "",
                "method": found[name].method if name in found else "",
                "reason": note,
            }
            for name, note in self.notes.items()
        ]


def estimates(
    structure: Structure,
    mechanism: Mechanism,
    oxidation_states: Sequence[float] | None,
    displacements: np.ndarray | None,
    polarization_vector: Sequence[float] | np.ndarray | None,
    barrier: float | None,
    spacegroup_number: int | None = None,
) -> Estimates:
    """All proxies of a crystal.

    Args:
        structure: The polar crystal.
        mechanism: As `mechanism.assess` found it.
        oxidation_states: Formal charges, e, one per site.
        displacements: Polar minus parent, Cartesian, A, shape `(nsites, 3)`.
        polarization_vector: Against the same parent, Cartesian, uC/cm^2.
        barrier: Highest point of the path minus the polar end, eV per reduced formula unit.
        spacegroup_number: Of the polar crystal, for the known exceptions.
    """
    properties: list[PropertyValue] = []
    notes: dict[str, str] = {}
    field = _coercive_field(structure, mechanism, polarization_vector, barrier)
    shift = _shift(structure, mechanism, oxidation_states, displacements, polarization_vector)
    if isinstance(field, str):
        notes["coercive_field"] = f"Not estimated because {field}."
    else:
        properties.append(PropertyValue("coercive_field", field, "MV/cm", COERCIVE_METHOD))
        notes["coercive_field"] = COERCIVE_CAVEAT
    if isinstance(shift, str):
        notes["transition_temperature"] = f"Not estimated because {shift}."
    else:
        source = f"Curie temperature; {shift.symbol} moves by {shift.distance:.3f} A against its anions"
        temperature = shift.transition_temperature
        properties.append(
            PropertyValue("transition_temperature", temperature, "K", ABRAHAMS_METHOD, source=source)
        )
        notes["transition_temperature"] = ABRAHAMS_CAVEAT
    exception = spacegroup_number and known_exception(structure.composition.formula, spacegroup_number)
    notes["energy_above_hull"] = exception or NO_EXCEPTION
    return Estimates(tuple(properties), notes, None if isinstance(shift, str) else shift)


def coercive_field_bound(barrier: float, volume: float, polarization: float) -> float:
    """Field at which a double well loses its upper minimum, MV/cm: all of the crystal reverses at once.

    With W = barrier/volume and x = P/Ps the well is f = W (x^2 - 1)^2: minima of depth W at x = -1 and 1. The
    field is E = df/dP = (4 W / Ps) x (x^2 - 1), greatest between the minima where dE/dx = 0, at x = -1/sqrt(3):

        E_c = 8 / (3 sqrt(3)) * W / Ps  =  1.54 W / Ps

    Args:
        barrier: From the polar state to the nonpolar one, eV.
        volume: Of the same amount of crystal, A^3.
        polarization: Spontaneous, uC/cm^2.

    Raises:
        InputError: one of them is not positive and finite.

    Notes:
        Exact for a quartic well only. The sixth- and eighth-order wells of PbTiO3 and BaTiO3 at room temperature
        lose theirs at 1.07 and 1.14 times this field. At 0 K, where barriers are computed, the well is deeper.
    """
    given = {"barrier": barrier, "volume": volume, "polarization": polarization}
    for name, value in given.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}, expected a positive number.")
    volts_per_angstrom = barrier / volume / (polarization / E_PER_A2_IN_UC_PER_CM2)
    return 8 / (3 * math.sqrt(3)) * volts_per_angstrom * V_PER_A_IN_MV_PER_CM


def _coercive_field(
    structure: Structure,
    mechanism: Mechanism,
    polarization_vector: Sequence[float] | np.ndarray | None,
    barrier: float | None,
) -> float | str:
    """MV/cm, or why there is none."""
    if not mechanism.assessable:
        return f"the mechanism ({mechanism.kind}) is none that the method can follow"
    if polarization_vector is None:
        return "the polarization is not known"
    if barrier is None:
        return "the switching barrier is not known"
    polarization = float(np.linalg.norm(polarization_vector))
    if polarization < LEAST_POLARIZATION:
        return f"a polarization of {polarization:.2f} uC/cm^2 is too small to divide by"
    if barrier <= 0:
        return f"the path has no barrier ({barrier:.3f} eV/f.u.)"
    units = structure.composition.get_reduced_composition_and_factor()[1]
    return coercive_field_bound(barrier, structure.volume / units, polarization)


def _shift(
    structure: Structure,
    mechanism: Mechanism,
    oxidation_states: Sequence[float] | None,
    displacements: np.ndarray | None,
    polarization_vector: Sequence[float] | np.ndarray | None,
) -> Shift | str:
    """The shift of the homopolar cation, or why it tells no transition temperature."""
    if mechanism.kind != DISPLACIVE:
        return f"the relation holds for displacive ferroelectrics, and the mechanism is: {mechanism.kind}"
    if oxidation_states is None or displacements is None or polarization_vector is None:
        return "a parent and a polarization against it are needed"
    if not np.linalg.norm(polarization_vector):
        return "there is no polarization, hence no polar axis"
    cation = homopolar_cation(structure, oxidation_states)
    if isinstance(cation, Refusal):
        return cation.why
    shifts = shifts_along(structure, cation, oxidation_states, displacements, polarization_vector)
    distance, spread = abs(float(shifts.mean())), float(np.sqrt(np.mean(shifts**2)))
    low, high = SHIFT_RANGE_ANGSTROM
    if not low <= distance <= high:
        return f"{cation} moves by {distance:.3f} A along the polar axis, outside the {low:g} to {high:g} A of the fit"
    if distance < TOGETHER * spread:
        return f"the ions of {cation} move against each other"
    return Shift(cation, distance)


@dataclass(frozen=True)
class Refusal:
    """Why a relation does not apply."""

    why: str


def homopolar_cation(structure: Structure, oxidation_states: Sequence[float]) -> str | Refusal:
    """The cation with the most covalent bonds: the highest charge, in octahedra of O or F, as in the fit's crystals."""
    ions = {(site.specie.symbol, round(q)) for site, q in zip(structure, oxidation_states, strict=True)}
    anions = {symbol for symbol, charge in ions if charge < 0}
    cations = {symbol: charge for symbol, charge in sorted(ions) if charge > 0}
    lone = sorted(symbol for symbol, charge in ions & LONE_PAIRS)
    if not anions or not anions <= FRAMEWORK_ANIONS:
        return Refusal(
            f"the relation was fitted on oxides, and the anions are {', '.join(sorted(anions)) or 'none'}"
        )
    if lone:
        return Refusal(f"the lone pair of {', '.join(lone)} drives the distortion and breaks the relation")
    if NONMETALS & set(cations):
        return Refusal("rigid ions of nonmetals carry the framework")
    highest = max(cations, key=lambda symbol: (cations[symbol], symbol), default="")
    if not highest or cations[highest] < LEAST_HOMOPOLAR_CHARGE:
        return Refusal("no cation of charge 4 or more holds the framework by covalent bonds")
    if not _in_octahedra(structure, highest, anions):
        return Refusal(f"{highest} is not in octahedra, on which the relation was fitted")
    return highest


def _in_octahedra(structure: Structure, symbol: str, anions: set[str]) -> bool:
    starts, ends, _, _ = find_bonds(structure)
    is_anion = np.array([site.specie.symbol in anions for site in structure])
    counts = np.bincount(starts[is_anion[ends]], minlength=len(structure))
    return all(counts[i] == OCTAHEDRON for i, site in enumerate(structure) if site.specie.symbol == symbol)


def shifts_along(
    structure: Structure,
    symbol: str,
    oxidation_states: Sequence[float],
    displacements: np.ndarray,
    polarization_vector: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Displacement of each ion of an element against the mean of the anions, along the polar axis, A."""
    axis = np.asarray(polarization_vector) / np.linalg.norm(polarization_vector)
    is_anion = np.asarray(oxidation_states) < 0
    is_cation = np.array([site.specie.symbol == symbol for site in structure])
    return (displacements[is_cation] - displacements[is_anion].mean(axis=0)) @ axis


def known_exception(formula: str, spacegroup_number: int) -> str | None:
    """Why a crystal above the hull may yet be worth keeping: its phase is known to be made and to stay.

    Args:
        formula: Any multiple of it; alloys with the ratio of the cell.
        spacegroup_number: International number.

    Returns:
        A sentence with its source; `None` for a phase that is not in the list. A flag for a reader, no pass.
    """
    from pymatgen.core import Composition

    composition = Composition(formula)
    for phase in METASTABLE:
        if spacegroup_number in phase.spacegroups and phase.holds(composition):
            return (
                f"This phase of {composition.reduced_formula} is metastable and known all the same: "
                f"{phase.how} ({phase.source})."
            )
    return None


@dataclass(frozen=True)
class MetastablePhase:
    """A polar phase above the hull that is made.

    Attributes:
        cations: Elements that may share their site.
        anion: And the only one.
        anions_per_cation: Counts of anion over all cations.
        spacegroups: International numbers; of alloys also those that an ordered cell can show.
        how: How it is kept, as a clause.
        source: Where that is written.
        share: Least and greatest share of the last cation among the cations.
    """

    cations: tuple[str, ...]
    anion: str
    anions_per_cation: float
    spacegroups: tuple[int, ...]
    how: str
    source: str
    share: tuple[float, float] = (0.0, 1.0)

    def holds(self, composition: Composition) -> bool:
        """Whether a composition is one of these."""
        amounts = composition.get_el_amt_dict()
        total = sum(amounts.get(cation, 0.0) for cation in self.cations)
        if set(amounts) - {*self.cations, self.anion} or not total:
            return False
        share = amounts.get(self.cations[-1], 0.0) / total
        ratio = amounts.get(self.anion, 0.0) / total
        return (
            math.isclose(ratio, self.anions_per_cation, abs_tol=1e-3)
            and self.share[0] <= share <= self.share[1]
        )


METASTABLE = (
    MetastablePhase(
        ("Hf", "Zr"),
        "O",
        2.0,
        (29, 7, 4),
        "thin films, doped, alloyed or confined, keep Pca2_1 and switch",
        "Boscke et al., Appl. Phys. Lett. 99, 102903 (2011), doi:10.1063/1.3634052; Muller et al., Nano Lett. 12, 4318 (2012), "
        "doi:10.1021/nl302049k",
    ),
    MetastablePhase(
        ("Zn", "Sn"),
        "O",
        1.5,
        (161,),
        "made at 7 GPa and quenched; as an epitaxial film it showed 47 uC/cm^2",
        "Inaguma et al., J. Am. Chem. Soc. 130, 6704 (2008); Son et al., J. Am. Chem. Soc. 131, 8386 (2009)",
        share=(0.5, 0.5),
    ),
    MetastablePhase(
        ("Zn", "Ti"),
        "O",
        1.5,
        (161,),
        "made at high pressure and quenched",
        "Inaguma et al., J. Am. Chem. Soc. 135, 2748 (2013)",
        share=(0.5, 0.5),
    ),
    MetastablePhase(
        ("Bi", "Al"),
        "O",
        1.5,
        (161,),
        "made at 6 GPa and quenched; it holds at ambient pressure up to 820 K",
        "Belik et al., Chem. Mater. 18, 133 (2006)",
        share=(0.5, 0.5),
    ),
    MetastablePhase(
        ("Al", "Sc"),
        "N",
        1.0,
        (186, 160, 156, 36, 31, 26, 8, 6, 1),
        "sputtered wurtzite films with 27 to 43% Sc switch",
        "Fichtner et al., J. Appl. Phys. 125, 114103 (2019), doi:10.1063/1.5084945",
        share=(0.10, 0.45),
    ),
)
"""Polar phases above the hull that are made, each with its source."""
