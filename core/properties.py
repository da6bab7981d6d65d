"""Which properties exist, in which unit, and which method counts as best.

The one table of names and units. A name that is not here cannot be stored, filtered or printed.
Methods are ranked best first; a filter on a bare name takes the best method that a candidate has. DFT done
for the crystal itself is one scheme everywhere, `DFT/functional/code[/how]`, which a filter asks for with `band_gap.dft_pbe`.
What was corrected by such DFT (`learnt.py`) ranks just before the estimate that it was made from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .errors import InputError, nearest
from .learnt import read_learnt

DIMENSIONLESS = "1"
LINEAR_PATH = "linear path"
"""How DFT's switching energies come about: along an exported path, the nonpolar end of which was not relaxed."""


@dataclass(frozen=True)
class Property:
    """One row of the property table.

    Attributes:
        name: The field's standard term; where the Materials Project has a name, it is that name.
        units: Plain-ASCII unit; `"1"` if dimensionless.
        description: One sentence; the trap included.
        methods: Slugs of methods, best first; one that is not listed ranks after all that are.
        vector: True if the value is a list of numbers, which a filter cannot compare.
        text: True if the value is a word.
    """

    name: str
    units: str
    description: str
    methods: tuple[str, ...] = ()
    vector: bool = False
    text: bool = False


_MEASURED = ("experiment", "measured")


def _computed(*functionals: str) -> tuple[str, ...]:
    """Of each functional, first what was computed for the very crystal (`DFT/PBE/VASP 6.4`), then what a table gives."""
    return tuple(slug for name in functionals for slug in (f"dft_{name}", name))


_DFT = (*_MEASURED, *_computed("hse06", "r2scan", "pbe_u", "pbe"), "dft")
_POLARIZATION = (
    *_MEASURED,
    "dft",
    "berry_phase",
    "born_charges",
    "effective_charges",
    "formal_charges",
    "oxidation_state_charges",
)

_ROWS = (
    Property("energy", "eV", "Total energy of the cell as stored.", _DFT),
    Property("energy_per_atom", "eV/atom", "Total energy; the method names the potential and scale.", _DFT),
    Property(
        "formation_energy_per_atom",
        "eV/atom",
        "From elemental references; the method names the correction scheme.",
        _DFT,
    ),
    Property(
        "energy_above_hull",
        "eV/atom",
        "Against a named, dated hull on the same energy scale; negative if below a hull that does not list it.",
        _DFT,
    ),
    Property(
        "band_gap",
        "eV",
        "PBE and HSE06 gaps are never mixed; 0.0 is a metal, absent is unknown.",
        (*_MEASURED, *_computed("hse06", "gllb_sc", "r2scan", "pbe_u", "pbe"), "dft"),
    ),
    Property(
        "polarization",
        "uC/cm^2",
        "Norm of the difference from a named nonpolar reference, same branch.",
        _POLARIZATION,
    ),
    Property(
        "polarization_vector",
        "uC/cm^2",
        "Cartesian, shape (3,); its sign is arbitrary.",
        _POLARIZATION,
        vector=True,
    ),
    Property(
        "parent_spacegroup_number", "1", "Space group of the nonpolar reference, first choice of the search."
    ),
    Property(
        "switching_barrier",
        "eV/f.u.",
        "Highest image minus the polar end along a stated path (linear or NEB).",
        (*_MEASURED, "dft", "neb", "linear"),
    ),
    Property(
        "switching_barrier_per_atom",
        "meV/atom",
        "Highest image minus the polar end along a stated path.",
        ("dft", "neb", "linear"),
    ),
    Property(
        "polar_nonpolar_energy_difference",
        "meV/atom",
        "Polar minus nonpolar end; negative: polar is lower.",
        _DFT,
    ),
    Property(
        "coercive_field",
        "MV/cm",
        "Says thickness and temperature when measured; a proxy is an upper bound.",
        _MEASURED,
    ),
    Property(
        "migration_barrier",
        "eV",
        "Highest minus initial image; ion and path recorded.",
        (*_MEASURED, "dft", "neb"),
    ),
    Property(
        "vacancy_formation_energy", "eV", "Charge state, chemical potential and Fermi level recorded.", _DFT
    ),
    Property(
        "transition_probability",
        "1",
        "That a metal-insulator transition is driven by temperature, by a classifier; 0 to 1.",
    ),
    Property("transition_temperature", "K", "Which transition: metal-insulator, Curie, melting.", _MEASURED),
    Property("dielectric_total", "1", "Relative permittivity, electronic and ionic.", _DFT),
    Property("dielectric_electronic", "1", "Relative permittivity, electronic part.", _DFT),
    Property("dielectric_ionic", "1", "Relative permittivity, ionic part.", _DFT),
    Property("refractive_index", "1", "Square root of the electronic permittivity, averaged.", _DFT),
    Property("piezoelectric_modulus", "C/m^2", "Largest response of the piezoelectric tensor.", _DFT),
    Property("bulk_modulus", "GPa", "Voigt-Reuss-Hill average.", _DFT),
    Property("shear_modulus", "GPa", "Voigt-Reuss-Hill average.", _DFT),
    Property("poisson_ratio", "1", "Of the homogeneous polycrystal, from the averaged moduli.", _DFT),
    Property("resistance_ratio", "1", "Off over on, with the read voltage.", _MEASURED),
    Property("total_magnetization", "mu_B", "Per cell as stored.", _DFT),
    Property(
        "magnetic_ordering", "1", "NM, FM, AFM or FiM, of the lowest ordering computed.", _DFT, text=True
    ),
    Property("gap_type", "1", "direct or indirect; a metal has none.", _DFT, text=True),
    Property(
        "structure_type",
        "1",
        "Well-known type, by anonymous formula, space group and Wyckoff sequence: perovskite, wurtzite.",
        text=True,
    ),
    Property("possible_species", "1", "Oxidation states as the source gives them: Ba2+ O2- Ti4+.", text=True),
    Property(
        "theoretical", "1", "yes: no experimental record is known to the source; no: one is.", text=True
    ),
    Property(
        "distortion_max",
        "A",
        "Largest displacement of an atom between the nonpolar reference and the crystal.",
    ),
    Property(
        "substitution_probability", "1", "Product of pair probabilities of the ion exchange that proposed it."
    ),
    Property("log_probability", "1", "Natural logarithm of the probability the generating model gave it."),
    Property("volume_per_atom", "A^3/atom", "Cell volume over number of sites."),
    Property("density", "g/cm^3", "Mass density of the cell."),
    Property("supply_hhi", "1", "Herfindahl-Hirschman index of production, weighted by mass."),
    Property("rank_score", "1", "Position in the ranking of a run, 0 to 1; compares inside one run only."),
)

PROPERTIES: dict[str, Property] = {row.name: row for row in _ROWS}


def describe(name: str) -> Property:
    """The row of the property table.

    Raises:
        InputError: no such property; the message proposes the nearest names.
    """
    try:
        return PROPERTIES[name]
    except KeyError:
        raise InputError(f"No property {name!r}. {nearest(name, PROPERTIES)}") from None


def dft_method(functional: str, code: str, version: str, how: str = "") -> str:
    """How a value that a DFT code computed for this very crystal names its method: `DFT/PBE/VASP 6.4/linear path`.

    Args:
        functional: `PBE`, `PBE+U`.
        code: `VASP`, `pw.x`, `GPAW`.
        version: Of the code; its first two numbers are told, so that a patch does not make it another method.
        how: What of several ways was taken: `Berry phase`, `linear path`.
    """
    numbers = re.match(r"\d+(\.\d+)?", version)
    program = f"{code} {numbers.group()}" if numbers else code
    return "/".join(part for part in ("DFT", functional, program, how) if part)


@lru_cache(maxsize=4096)
def method_slug(method: str) -> str:
    """A method as it is written in a filter: `CHGNet 0.3.0` becomes `chgnet_0_3_0`."""
    return re.sub(r"[^a-z0-9]+", "_", method.lower()).strip("_")


def method_matches(slug: str, wanted: str) -> bool:
    """Whether a method's slug is `wanted` or begins with it at a word: `pbe_u` is met by `pbe`."""
    return slug == wanted or slug.startswith(wanted + "_")


def method_rank(name: str, method: str) -> int:
    """Place of a method in the ranked list of a property; lower is better.

    A method listed exactly wins over one that only begins like a listed one. A corrected value comes just before the
    estimate it was made from, but after every DFT and measured value.
    """
    learnt = read_learnt(method)
    place = 2 * _listed(name, method_slug(learnt.base if learnt else method))
    return place if learnt else place + 1


def _listed(name: str, slug: str) -> int:
    """Place in the list, its length if nothing listed is met."""
    methods = describe(name).methods
    if slug in methods:
        return methods.index(slug)
    for i, known in enumerate(methods):
        if method_matches(slug, known):
            return i
    return len(methods)
