"""Which published crystals enter the bundled catalogue?

A quota per class, filled by one ordering; no list of compounds. Every class asks one question of a
`Profile`; the classes are filled in the order of `classes`, a crystal counts for each class it fills, and
the catalogue is their union. Inside a class the crystals stand in the order of `preference`: first the
best of every structure type, then the second best, and so on, small cells first, so that a class shows
many kinds of crystal rather than many members of one kind. Of a lanthanide series (same formula with the
lanthanide replaced, same space group) only the most stable member enters; La, Y and Sc count apart.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.crystals import CrystalRecord, crystals_folder, read_crystals
from ...core.errors import MissingDataError
from ...core.symmetry import POLAR_SPACE_GROUPS
from .profile import FAMILIES, Profile, elements, eligible

STABLE = 0.05
"""eV/atom above the PBE hull: most compounds that were made lie below."""
METASTABLE = 0.1
POLYMORPH = 0.25
"""eV/atom: reference phases and polymorphs of a switching material, such as cubic HfO2."""

SWITCHING_CATIONS = elements("Hf Ta Ti Ni Cu Zn W Al Nb V Zr Mo Ce Sn Mn Fe Co Ga Y Si In Cr Mg La Sb Bi")
"""Cations of binary oxides used as switching layers.

Source: Wong et al., Proc. IEEE 100, 1951 (2012); Waser et al., Adv. Mater. 21, 2632 (2009).
"""
PHASE_CHANGE_CATIONS = elements("Ge Sb Bi Sn In As Ga Ag Pb Si Sc Ti Zn Al Cu")
"""Partners of Te and Se in phase-change memory; Wuttig and Yamada, Nat. Mater. 6, 824 (2007), and dopants."""
MOBILE_CATIONS = elements("Li Na Ag Cu K Mg")
"""Ions that move in electrochemical metallisation cells and ion-gated transistors."""

PROGRESS_STEP = 100

SMIDT_TABLE = "ferroelectrics/smidt2020_ferroelectric_candidates.csv.gz"
"""Polar crystals and their nonpolar references; Smidt et al., Sci. Data 7, 72 (2020)."""


@dataclass(frozen=True)
class CatalogClass:
    """A question asked of a crystal, and how many that answer yes may enter.

    Attributes:
        name: As printed in the card.
        belongs: The question.
        quota: At most so many crystals.
        per_formula: At most so many crystals of one reduced formula.
        max_energy_above_hull: PBE, eV/atom.
    """

    name: str
    belongs: Callable[[Profile], bool]
    quota: int
    per_formula: int = 1
    max_energy_above_hull: float = STABLE


@dataclass(frozen=True)
class Chosen:
    """A crystal of the catalogue and the classes it was chosen for."""

    profile: Profile
    classes: tuple[str, ...]


def classes(ferroelectric_ids: frozenset[str], polymorphic: frozenset[str]) -> list[CatalogClass]:
    """All classes with their quotas, about 3,000 crystals in all.

    Args:
        ferroelectric_ids: Crystals of the table of Smidt et al.
        polymorphic: Formulas with a polar and a nonpolar polymorph within `METASTABLE`.
    """
    return [
        CatalogClass("ferroelectric search", lambda p: p.material_id in ferroelectric_ids, 250, 4, POLYMORPH),
        CatalogClass("switching oxide", _switching_oxide, 200, 8, POLYMORPH),
        CatalogClass("phase-change chalcogenide", _phase_change, 120, 4, METASTABLE),
        *_polar_classes(polymorphic),
        *_prototype_classes(),
        CatalogClass("layered", lambda p: p.layered, 220, 2),
        CatalogClass("ion conductor", _ion_conductor, 200),
        *_family_classes(),
    ]


def _polar_classes(polymorphic: frozenset[str]) -> list[CatalogClass]:
    groups = [
        CatalogClass(f"polar {symbol}", _in_polar_group(symbol), 70, 1, METASTABLE)
        for symbol in POLAR_SPACE_GROUPS
    ]
    rare = [
        CatalogClass(f"polar {symbol}, metastable", _in_polar_group(symbol), 15, 1, POLYMORPH)
        for symbol in ("4", "6", "3", "4mm")
    ]

    def pair(p: Profile) -> bool:
        return p.formula in polymorphic and insulating(p)

    polar = CatalogClass(
        "polar polymorph", lambda p: pair(p) and p.polar_group is not None, 150, 2, METASTABLE
    )
    nonpolar = CatalogClass("nonpolar polymorph", lambda p: pair(p) and p.nonpolar, 120, 1, METASTABLE)
    return [*groups, *rare, polar, nonpolar]


def _prototype_classes() -> list[CatalogClass]:
    quotas = {
        "perovskite": 120,
        "double perovskite": 100,
        "antifluorite-derived A2BX6": 25,
        "ilmenite": 30,
        "corundum": 20,
        "rutile": 40,
        "baddeleyite or M1": 20,
        "anatase": 5,
        "fluorite": 30,
        "polar fluorite": 10,
        "wurtzite": 30,
        "zinc blende": 25,
        "rock salt": 50,
        "polar GeTe": 10,
        "tetradymite": 10,
        "spinel": 80,
        "Ruddlesden-Popper": 90,
        "delafossite": 100,
        "chalcopyrite": 30,
        "CdI2 layers": 30,
        "CdCl2 layers": 15,
        "MoS2 layers": 15,
    }
    listed = [CatalogClass(name, _of_prototype(name), quota, 2, METASTABLE) for name, quota in quotas.items()]
    perovskites = [
        CatalogClass("oxide perovskite", _perovskite_of("oxide"), 240, 4, METASTABLE),
        CatalogClass("fluoride perovskite", _perovskite_of("fluoride"), 70, 2, METASTABLE),
        CatalogClass("halide perovskite", _halide_perovskite, 80, 3, METASTABLE),
    ]
    return [*perovskites, *listed]


def _family_classes() -> list[CatalogClass]:
    quotas = {
        "oxide": 600,
        "fluoride": 150,
        "sulfide": 150,
        "selenide": 120,
        "telluride": 90,
        "chloride": 90,
        "bromide": 70,
        "iodide": 70,
        "nitride": 100,
    }
    assert set(quotas) == set(FAMILIES.values())
    return [CatalogClass(name, _of_family(name), quota) for name, quota in quotas.items()]


def insulating(p: Profile) -> bool:
    """PBE gap known and above 0.1 eV: a polarization can be switched."""
    return (p.band_gap or 0.0) > 0.1


def _switching_oxide(p: Profile) -> bool:
    return len(p.elements) == 2 and "O" in p.elements and bool(p.elements & SWITCHING_CATIONS)


def _phase_change(p: Profile) -> bool:
    return bool(p.elements & {"Te", "Se"}) and p.elements - {"Te", "Se", "S"} <= PHASE_CHANGE_CATIONS


def _ion_conductor(p: Profile) -> bool:
    return bool(p.elements & MOBILE_CATIONS) and (p.band_gap or 0.0) > 1.0


def _perovskite_of(family: str) -> Callable[[Profile], bool]:
    return lambda p: p.prototype == "perovskite" and p.family == family and _mostly_anions(p)


def _mostly_anions(p: Profile) -> bool:
    """False for antiperovskites such as Na3OCl."""
    most_common = Counter(p.record.species).most_common(1)[0][0]
    return FAMILIES.get(most_common) == p.family


def _halide_perovskite(p: Profile) -> bool:
    perovskite = p.prototype in ("perovskite", "double perovskite", "antifluorite-derived A2BX6")
    return perovskite and p.family in ("chloride", "bromide", "iodide")


def _in_polar_group(symbol: str) -> Callable[[Profile], bool]:
    return lambda p: p.polar_group == symbol and insulating(p)


def _of_prototype(name: str) -> Callable[[Profile], bool]:
    return lambda p: p.prototype == name


def _of_family(name: str) -> Callable[[Profile], bool]:
    return lambda p: p.family == name


def choose(profiles: Sequence[Profile], ferroelectric_ids: frozenset[str]) -> list[Chosen]:
    """Fill every class; the result does not depend on the order of `profiles`.

    Returns:
        The union, small cells first.
    """
    ordered = preference(one_of_each_series(profiles))
    chosen: dict[str, list[str]] = defaultdict(list)
    for each in classes(ferroelectric_ids, polymorphic_formulas(profiles)):
        for p in _fill(each, ordered):
            chosen[p.material_id].append(each.name)
    union = [p for p in ordered if p.material_id in chosen]
    union.sort(key=lambda p: (p.nsites, p.material_id))
    return [Chosen(p, tuple(chosen[p.material_id])) for p in union]


def _fill(each: CatalogClass, ordered: Sequence[Profile]) -> list[Profile]:
    taken: list[Profile] = []
    per_formula: Counter[str] = Counter()
    for p in ordered:
        if len(taken) == each.quota:
            break
        fits = p.energy_above_hull <= each.max_energy_above_hull and each.belongs(p)
        if fits and per_formula[p.formula] < each.per_formula:
            per_formula[p.formula] += 1
            taken.append(p)
    return taken


def preference(profiles: Iterable[Profile]) -> list[Profile]:
    """Best of every structure type first, then the second best; small cells first among equals."""
    by_stability = sorted(profiles, key=lambda p: (p.energy_above_hull, p.nsites, p.material_id))
    seen: Counter[tuple] = Counter()
    place: dict[str, int] = {}
    for p in by_stability:
        kind = (p.family, p.spacegroup_number, p.nsites, len(p.elements))
        place[p.material_id] = seen[kind]
        seen[kind] += 1
    return sorted(
        by_stability, key=lambda p: (place[p.material_id], p.nsites, p.energy_above_hull, p.material_id)
    )


def one_of_each_series(profiles: Iterable[Profile]) -> list[Profile]:
    """Of crystals that differ only in their lanthanide, the most stable."""
    best: dict[tuple, Profile] = {}
    kept: list[Profile] = []
    for p in sorted(profiles, key=lambda p: (p.energy_above_hull, p.material_id)):
        if "Ln" not in p.series[0]:
            kept.append(p)
        elif p.series not in best:
            best[p.series] = p
    return [*kept, *best.values()]


def polymorphic_formulas(profiles: Iterable[Profile]) -> frozenset[str]:
    """Formulas with both a polar and a nonpolar crystal within `METASTABLE` of the hull."""
    near = [p for p in profiles if p.energy_above_hull <= METASTABLE]
    polar = {p.formula for p in near if p.polar_group is not None}
    nonpolar = {p.formula for p in near if p.nonpolar}
    return frozenset(polar & nonpolar)


def select(data_dir: Path, progress: Callable[[int, int], None] | None = None) -> list[Chosen]:
    """Read the data folder and choose the crystals of the catalogue; some minutes of work.

    Args:
        data_dir: `HYSTERON_DATA_DIR`.
        progress: Called with (profiles done, profiles in all).

    Raises:
        MissingDataError: the folder lacks the crystals or the table of ferroelectrics.
    """
    ferroelectric_ids = read_ferroelectric_ids(data_dir)
    records = [r for r in read_crystals(crystals_folder(data_dir)) if _near_hull(r) and eligible(r)]
    profiles = []
    for i, record in enumerate(records):
        profiles.append(Profile(record).with_symmetry())
        if progress and (i + 1) % PROGRESS_STEP == 0:
            progress(i + 1, len(records))
    return choose(profiles, ferroelectric_ids)


def _near_hull(record: CrystalRecord) -> bool:
    energy = record.labels.get("e_above_hull")
    return energy is not None and energy <= POLYMORPH


def read_ferroelectric_ids(data_dir: Path) -> frozenset[str]:
    """Materials Project ids of the polar crystals and nonpolar references in the table of Smidt et al.

    Raises:
        MissingDataError: the data folder lacks the table.
    """
    path = Path(data_dir) / SMIDT_TABLE
    if not path.is_file():
        raise MissingDataError(f"The catalogue is chosen with {SMIDT_TABLE}, which {data_dir} does not hold.")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        return frozenset(row[key] for row in csv.DictReader(rows) for key in ("polar_id", "nonpolar_id"))
