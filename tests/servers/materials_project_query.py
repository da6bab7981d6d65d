"""How the Materials Project's server answers a query over documents: parameters, paging, projection, refusals.

Parameter names are those of its OpenAPI document (version 0.64); how it refuses is emmet-api's: a parameter that
the route does not know is status 400 with a sentence, a value that cannot be read is status 422 with FastAPI's
list of places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from pymatgen.core import Composition, DummySpecies

Document = dict[str, Any]
Parameters = dict[str, str]
Test = Callable[[Document], bool]

STRUCTURAL = {
    "nsites": ("nsites", int),
    "nelements": ("nelements", int),
    "volume": ("volume", float),
    "density": ("density", float),
    "density_atomic": ("density_atomic", float),
}
ENERGIES = {
    name: (name, float)
    for name in (
        "uncorrected_energy_per_atom",
        "energy_per_atom",
        "formation_energy_per_atom",
        "energy_above_hull",
        "equilibrium_reaction_energy_per_atom",
    )
}
MODULI = {
    f"{letter}_{average}": (f"{kind}_modulus.{average}", float)
    for letter, kind in (("k", "bulk"), ("g", "shear"))
    for average in ("voigt", "reuss", "vrh")
}
GAPS = {"band_gap": ("band_gap", float), "efermi": ("efermi", float)}
PERMITTIVITIES = {name: (name, float) for name in ("e_total", "e_ionic", "e_electronic", "n")}
MAGNETISM = {
    "total_magnetization": ("total_magnetization", float),
    "total_magnetization_normalized_vol": ("total_magnetization_normalized_vol", float),
    "total_magnetization_normalized_formula_units": ("total_magnetization_normalized_formula_units", float),
    "num_magnetic_sites": ("num_magnetic_sites", int),
    "num_unique_magnetic_sites": ("num_unique_magnetic_sites", int),
}
RANGES: dict[str, dict[str, tuple[str, type]]] = {
    "summary": {
        **STRUCTURAL,
        **ENERGIES,
        **MODULI,
        **GAPS,
        **PERMITTIVITIES,
        **MAGNETISM,
        "universal_anisotropy": ("universal_anisotropy", float),
        "homogeneous_poisson": ("homogeneous_poisson", float),
        "e_ij_max": ("e_ij_max", float),
    },
    "thermo": {**STRUCTURAL, **ENERGIES},
    "electronic_structure": {**STRUCTURAL, **GAPS},
    "dielectric": PERMITTIVITIES,
    "piezoelectric": {"piezo_modulus": ("e_ij_max", float)},
    "elasticity": {**MODULI, "poisson": ("homogeneous_poisson", float)},
    "oxidation_states": {},
    "provenance": {},
    "magnetism": MAGNETISM,
    "core": STRUCTURAL,
    "synthesis": {},
}
"""Of each route, the names with `_min` and `_max`, and the path and type of what they compare."""
COMPOSITIONAL = ("material_ids", "formula", "chemsys", "elements", "exclude_elements")
WORDS: dict[str, tuple[str, ...]] = {
    "summary": (
        *COMPOSITIONAL,
        "possible_species",
        "crystal_system",
        "spacegroup_number",
        "spacegroup_symbol",
        "is_stable",
        "theoretical",
        "ordering",
        "is_gap_direct",
        "is_metal",
        "has_props",
        "has_reconstructed",
        "deprecated",
        "_sort_fields",
    ),
    "thermo": (
        "thermo_ids",
        "material_ids",
        "thermo_types",
        "formula",
        "chemsys",
        "is_stable",
        "_sort_fields",
    ),
    "electronic_structure": (
        *COMPOSITIONAL,
        "magnetic_ordering",
        "is_gap_direct",
        "is_metal",
        "deprecated",
        "_sort_fields",
    ),
    "dielectric": ("material_ids", "_sort_fields"),
    "piezoelectric": ("material_ids", "_sort_fields"),
    "elasticity": ("material_ids", "chemsys", "_sort_fields"),
    "oxidation_states": ("material_ids", "formula", "chemsys", "possible_species", "_sort_fields"),
    "provenance": ("material_ids", "deprecated"),
    "magnetism": ("material_ids", "ordering", "_sort_fields"),
    "core": (
        *COMPOSITIONAL,
        "task_ids",
        "crystal_system",
        "spacegroup_number",
        "spacegroup_symbol",
        "deprecated",
        "_sort_fields",
    ),
    "synthesis": (
        "keywords",
        "synthesis_type",
        "target_formula",
        "precursor_formula",
        "operations",
        "condition_heating_temperature_min",
        "condition_heating_temperature_max",
        "condition_heating_time_min",
        "condition_heating_time_max",
        "condition_heating_atmosphere",
        "condition_mixing_device",
        "condition_mixing_media",
    ),
}
PAGING = ("_page", "_per_page", "_skip", "_limit", "_fields", "_all_fields")
LARGEST_PAGE = {"synthesis": 10}
DEFAULT_PAGE = {"synthesis": 10}
DEFAULT_FIELDS = ("material_id",)
FALSE_BY_DEFAULT = ("summary", "electronic_structure", "provenance", "core")
"""Routes that leave withdrawn materials out unless asked."""


class Refusal(Exception):
    """A query that is not answered."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(str(detail))
        self.status, self.detail = status, detail


def answer(route: str, documents: list[Document], given: Parameters) -> tuple[list[Document], int]:
    """Documents of a page, projected, and how many match in all.

    Raises:
        Refusal: a parameter is unknown or its value cannot be read.
    """
    _require_known(route, given)
    tests = list(_tests(route, given))
    found = [document for document in documents if all(test(document) for test in tests)]
    for name in reversed([n for n in given.get("_sort_fields", "").split(",") if n]):
        found.sort(key=lambda d: _sortable(at(d, name.lstrip("-"))), reverse=name.startswith("-"))
    skip, limit = _window(route, given)
    return [_projected(route, d, given) for d in found[skip : skip + limit]], len(found)


def at(document: Document, path: str) -> Any:
    """What stands at a dotted path, or `None`."""
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _require_known(route: str, given: Parameters) -> None:
    paging = ("_skip", "_limit") if route == "synthesis" else PAGING
    ranges = {f"{name}_{end}" for name in RANGES[route] for end in ("min", "max")}
    exact = {name for name, (_, kind) in RANGES[route].items() if kind is int}
    unknown = [name for name in given if name not in (*WORDS[route], *paging, *ranges, *exact)]
    if unknown:
        raise Refusal(400, f"Request contains query parameters which cannot be used: {', '.join(unknown)}")


def _tests(route: str, given: Parameters) -> Iterable[Test]:
    for name, (path, kind) in RANGES[route].items():
        low, high = (_number(f"{name}_{end}", given.get(f"{name}_{end}"), kind) for end in ("min", "max"))
        if low is not None or high is not None:
            yield lambda d, p=path, a=low, b=high: _inside(at(d, p), a, b)
        if kind is int and name in given:
            yield lambda d, p=path, v=_number(name, given[name], int): at(d, p) == v
    for name, value in given.items():
        if name in WORD_TESTS and name in WORDS[route]:
            yield WORD_TESTS[name](value)
    if route in FALSE_BY_DEFAULT and "deprecated" not in given:
        yield lambda d: not d.get("deprecated")


def _inside(value: Any, low: float | None, high: float | None) -> bool:
    """As MongoDB compares: only numbers with numbers."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _number(name: str, text: str | None, kind: type) -> Any:
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        words = "integer" if kind is int else "number"
        place = {
            "loc": ["query", name],
            "msg": f"Input should be a valid {words}",
            "type": f"{words}_parsing",
        }
        raise Refusal(422, [place]) from None


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        place = {"loc": ["query", name], "msg": "Input should be a valid boolean", "type": "bool_parsing"}
        raise Refusal(422, [place])
    return text.lower() in ("true", "1")


def _window(route: str, given: Parameters) -> tuple[int, int]:
    largest = LARGEST_PAGE.get(route, 1000)
    if "_page" in given:
        size = _number("_per_page", given.get("_per_page", "100"), int)
        return (_number("_page", given["_page"], int) - 1) * size, min(size, largest)
    default = str(DEFAULT_PAGE.get(route, 100))
    limit = _number("_limit", given.get("_limit", default), int)
    if limit > largest:
        raise Refusal(
            400, f"Requested more data per query than allowed by this endpoint. The max limit is {largest}."
        )
    return _number("_skip", given.get("_skip", "0"), int), limit


def _projected(route: str, document: Document, given: Parameters) -> Document:
    if route == "synthesis" or _truth("_all_fields", given.get("_all_fields", "false")):
        return document
    names = given["_fields"].split(",") if given.get("_fields") else DEFAULT_FIELDS
    return {name: document[name] for name in (n.split(".")[0] for n in names) if name in document}


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, (value if not isinstance(value, dict | list) else "") or ""


@lru_cache(maxsize=100_000)
def reduced(formula: str) -> str:
    """Reduced formula, or nothing."""
    try:
        return Composition(formula).reduced_formula
    except Exception:
        return ""


def _of_list(path: str) -> Callable[[str], Test]:
    def make(value: str) -> Test:
        wanted = set(value.split(","))
        return lambda d: at(d, path) in wanted

    return make


def _formula(value: str) -> Test:
    """As in emmet-api: where a letter is no element, every formula of the list is read as an anonymous one."""
    compositions = [Composition(part) for part in value.split(",")]
    if any(isinstance(kind, DummySpecies) for composition in compositions for kind in composition):
        anonymous = {composition.anonymized_formula for composition in compositions}
        return lambda d: d.get("formula_anonymous") in anonymous
    wanted = {composition.reduced_formula for composition in compositions}
    return lambda d: d.get("formula_pretty") in wanted


def _chemsys(value: str) -> Test:
    wanted = {"-".join(sorted(part.split("-"))) for part in value.split(",")}
    return lambda d: d.get("chemsys") in wanted


def _elements(value: str) -> Test:
    wanted = set(value.split(","))
    return lambda d: wanted <= set(d.get("elements", ()))


def _no_elements(value: str) -> Test:
    unwanted = set(value.split(","))
    return lambda d: not unwanted & set(d.get("elements", ()))


def _is(name: str) -> Callable[[str], Test]:
    return lambda value: lambda d, wanted=_truth(name, value): d.get(name) is wanted


def _deprecated(value: str) -> Test:
    return lambda d, wanted=_truth("deprecated", value): bool(d.get("deprecated")) is wanted


def _equals(path: str) -> Callable[[str], Test]:
    return lambda value: lambda d: str(at(d, path)) == value


def _target(value: str) -> Test:
    wanted = reduced(value)
    return lambda d: wanted in {reduced(text) for text in d.get("targets_formula_s") or ()}


def _species(value: str) -> Test:
    wanted = set(value.split(","))
    return lambda d: wanted <= set(d.get("possible_species") or ())


WORD_TESTS: dict[str, Callable[[str], Test]] = {
    "material_ids": _of_list("material_id"),
    "thermo_ids": _of_list("thermo_id"),
    "thermo_types": _of_list("thermo_type"),
    "formula": _formula,
    "chemsys": _chemsys,
    "elements": _elements,
    "exclude_elements": _no_elements,
    "possible_species": _species,
    "spacegroup_number": _equals("symmetry.number"),
    "spacegroup_symbol": _equals("symmetry.symbol"),
    "ordering": _equals("ordering"),
    "magnetic_ordering": _equals("magnetic_ordering"),
    "target_formula": _target,
    "deprecated": _deprecated,
    **{name: _is(name) for name in ("is_stable", "theoretical", "is_gap_direct", "is_metal")},
}
