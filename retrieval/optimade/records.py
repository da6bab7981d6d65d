"""Is an entry a crystal, and what does it say of it?

Whatever a provider sends is held against itself: the sites must bear out the formula, the elements and the counts.
An entry that is no ordered bulk crystal, or that contradicts itself, is `Rejected` with a sentence, never mended.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.errors import HysteronError, StructureError
from ...core.filters import anonymous_of
from ...core.identity import Bucket, bucket_of
from ...core.properties import describe
from ..prototypes import prototype_of
from ..sanity import require_site_count, usable
from .addresses import shown
from .mapping import COMPUTED
from .providers import Provider

if TYPE_CHECKING:
    from pymatgen.core import Structure

CONCENTRATION_TOLERANCE = 1e-6
LEAST_VOLUME_ANGSTROM3 = 1e-3
LIMITS_OF_VALUES = {
    "band_gap": (0.0, 50.0),
    "energy_above_hull": (-20.0, 100.0),
    "formation_energy_per_atom": (-20.0, 100.0),
}
"""In the property's unit; what lies outside is no value but a mistake."""
_FORMULA = re.compile(r"(?:[A-Z][a-z]?[0-9]{0,6})+")


class Rejected(StructureError):
    """An entry that is not used.

    Args:
        kind: In a few words, for counting.
        sentence: What exactly is wrong.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.identifier = "an entry without id"
        """Of the entry, for a message."""


@dataclass(frozen=True)
class Record:
    """One usable entry.

    Attributes:
        provider: Who gave it.
        material_id: The provider's id.
        structure: Ordered, in the cell as given.
        bucket: Formula, space group and Wyckoff sequence.
        properties: Of the provider, and what follows from the structure.
        step: Provenance.
        refused: Fields whose value was no plausible number.
    """

    provider: Provider
    material_id: str
    structure: Structure
    bucket: Bucket
    properties: tuple[PropertyValue, ...]
    step: Step
    refused: tuple[str, ...] = ()

    def candidate(self, candidate_id: str) -> Candidate:
        """The record alone as a candidate."""
        number = self.bucket.spacegroup_number
        return Candidate(
            candidate_id, self.structure, self.properties, (self.step,), spacegroup_number=number
        )


def read_entry(entry: Any, provider: Provider, version: str, time: str) -> Record:
    """One entry of `/structures`.

    Args:
        entry: As it came.
        provider: Who sent it.
        version: Of the provider's data, for provenance.
        time: When it came, ISO 8601.

    Raises:
        Rejected: it is no crystal that can be used.
    """
    material_id, attributes = _identified(entry)
    try:
        structure, bucket = _crystal_of(attributes)
    except Rejected as reason:
        reason.identifier = material_id
        raise
    source = f"optimade:{provider.name} {version}, {material_id}"
    values, refused = _values(attributes, provider, source)
    return Record(
        provider,
        material_id,
        structure,
        bucket,
        (*values, *_computed(structure, bucket)),
        _step(material_id, attributes, provider, version, time),
        tuple(refused),
    )


def _crystal_of(attributes: dict[str, Any]) -> tuple[Structure, Bucket]:
    _require_bulk(attributes)
    _require_order(attributes)
    symbols = _symbols(attributes)
    _require_agreement(attributes, symbols)
    return _crystal(attributes, symbols)


def _identified(entry: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(entry, dict) or entry.get("type", "structures") != "structures":
        raise Rejected("no structure", "The entry is no structure.")
    identifier, attributes = entry.get("id"), entry.get("attributes")
    if isinstance(identifier, bool) or not isinstance(identifier, str | int) or identifier == "":
        raise Rejected("no structure", "The entry has no id.")
    if not isinstance(attributes, dict):
        raise Rejected("no structure", "The entry has no attributes.")
    return shown(str(identifier), 100), attributes


def _require_bulk(attributes: dict[str, Any]) -> None:
    count, types = attributes.get("nperiodic_dimensions"), attributes.get("dimension_types")
    if count is None and isinstance(types, list):
        count = types.count(1)
    if count is not None and count != 3:
        raise Rejected(
            "not periodic in three dimensions", f"It is periodic in {shown(str(count), 20)} dimensions."
        )


def _require_order(attributes: dict[str, Any]) -> None:
    features = attributes.get("structure_features") or []
    if not isinstance(features, list) or features:
        raise Rejected("disordered", f"It has the features {shown(str(features), 80)}.")
    if attributes.get("assemblies"):
        raise Rejected("disordered", "It has assemblies: sites that exclude one another.")


def _symbols(attributes: dict[str, Any]) -> list[str]:
    """The element of each site."""
    from pymatgen.core import Element

    names = attributes.get("species_at_sites")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Rejected("incomplete", "It does not say which species stand at its sites.")
    _require_count(len(names))
    species = attributes.get("species")
    if not isinstance(species, list) or not all(isinstance(one, dict) for one in species):
        raise Rejected("incomplete", "It does not describe its species.")
    known: dict[Any, str] = {}
    for one in species[: 2 * len(names) + 100]:
        if one.get("name") in names:
            symbol = _element(one)
            if known.setdefault(one["name"], symbol) != symbol:
                raise Rejected(
                    "contradicts itself", f"It describes the species {shown(one['name'], 20)!r} twice."
                )
    missing = [name for name in names if name not in known]
    if missing:
        raise Rejected("incomplete", f"It does not describe its species {shown(missing[0], 20)!r}.")
    strange = [symbol for symbol in known.values() if not Element.is_valid_symbol(symbol)]
    if strange:
        raise Rejected("incomplete", f"{shown(strange[0], 20)!r} is not the symbol of an element.")
    return [known[name] for name in names]


def _element(species: dict[str, Any]) -> str:
    """The one chemical symbol of a species."""
    name = shown(str(species.get("name")), 20)
    symbols, shares = species.get("chemical_symbols"), species.get("concentration")
    if not isinstance(symbols, list) or not symbols or not all(isinstance(s, str) for s in symbols):
        raise Rejected("incomplete", f"Its species {name!r} has no chemical symbols.")
    if "vacancy" in symbols or "X" in symbols or len(symbols) > 1:
        raise Rejected("disordered", f"Its species {name!r} is {shown(', '.join(symbols), 60)}.")
    if species.get("attached"):
        raise Rejected("disordered", f"Its species {name!r} has atoms attached without positions.")
    if not isinstance(shares, list) or len(shares) != 1 or not _is_number(shares[0]):
        raise Rejected("incomplete", f"Its species {name!r} has no concentration.")
    if abs(shares[0] - 1) > CONCENTRATION_TOLERANCE:
        raise Rejected("disordered", f"Its species {name!r} fills {shares[0]:g} of its sites.")
    return symbols[0]


def _require_agreement(attributes: dict[str, Any], symbols: list[str]) -> None:
    """What the entry says of its content is what its sites hold."""
    told = attributes.get("nsites")
    if told is not None and told != len(symbols):
        raise Rejected("contradicts itself", f"It says {shown(str(told), 20)} sites and has {len(symbols)}.")
    held = set(symbols)
    elements = attributes.get("elements")
    if elements is not None and (
        not isinstance(elements, list) or sorted(map(str, elements)) != sorted(held)
    ):
        raise Rejected(
            "contradicts itself",
            f"It says the elements {shown(str(elements), 80)} and holds {', '.join(sorted(held))}.",
        )
    count = attributes.get("nelements")
    if count is not None and count != len(held):
        raise Rejected("contradicts itself", f"It says {shown(str(count), 20)} elements and has {len(held)}.")
    formula = attributes.get("chemical_formula_reduced")
    if formula is not None and _amounts(formula) != _reduced(Counter(symbols)):
        raise Rejected(
            "contradicts itself",
            f"It says the formula {shown(str(formula), 60)!r} and holds {_written(Counter(symbols))}.",
        )


def _amounts(formula: Any) -> dict[str, int] | None:
    """Amounts of a reduced formula, elements in any order; `None` if it is none."""
    if not isinstance(formula, str) or len(formula) > 500 or not _FORMULA.fullmatch(formula):
        return None
    amounts: Counter[str] = Counter()
    for symbol, amount in re.findall(r"([A-Z][a-z]?)([0-9]*)", formula):
        amounts[symbol] += int(amount or 1)
    return _reduced(amounts)


def _reduced(amounts: Counter[str]) -> dict[str, int]:
    divisor = math.gcd(*amounts.values()) or 1
    return {symbol: amount // divisor for symbol, amount in amounts.items()}


def _written(amounts: Counter[str]) -> str:
    return "".join(f"{symbol}{amounts[symbol]}" for symbol in sorted(amounts))


def _crystal(attributes: dict[str, Any], symbols: list[str]) -> tuple[Structure, Bucket]:
    from pymatgen.core import Lattice, Structure

    vectors = _triples(attributes.get("lattice_vectors"), 3, "lattice vectors")
    positions = _triples(attributes.get("cartesian_site_positions"), len(symbols), "site positions")
    with np.errstate(all="ignore"):
        volume = abs(np.linalg.det(vectors))
    if not (np.isfinite(volume) and volume > LEAST_VOLUME_ANGSTROM3):
        raise Rejected("absurd geometry", "Its cell has no volume.")
    try:
        structure = Structure(Lattice(vectors), symbols, positions, coords_are_cartesian=True)
        plain, _ = usable(structure)
        return plain, bucket_of(plain)
    except HysteronError as error:
        raise Rejected("absurd geometry", str(error)) from None
    except Exception as error:  # foreign numbers can break the neighbour search or spglib
        raise Rejected(
            "absurd geometry", f"Its geometry cannot be treated ({type(error).__name__})."
        ) from None


def _triples(value: Any, count: int, what: str) -> np.ndarray:
    """Vectors in A, shape `(count, 3)`."""
    if not isinstance(value, list) or len(value) != count:
        came = len(value) if isinstance(value, list) else "no"
        raise Rejected("incomplete", f"It has {came} {what} where {count} are wanted.")
    for row in value:
        if not (isinstance(row, list) and len(row) == 3 and all(_is_number(number) for number in row)):
            raise Rejected("incomplete", f"Its {what} are not all three finite numbers.")
    return np.array(value, dtype=float)


def _require_count(count: int) -> None:
    try:
        require_site_count(count)
    except StructureError as error:
        raise Rejected("too large" if count else "incomplete", str(error)) from None


def _values(
    attributes: dict[str, Any], provider: Provider, source: str
) -> tuple[list[PropertyValue], list[str]]:
    """The provider's own values, and the fields whose value is none."""
    values, refused = [], []
    for row in provider.properties:
        value = row.value(attributes)
        if value is None:
            continue
        low, high = LIMITS_OF_VALUES.get(row.name, (-math.inf, math.inf))
        if _is_number(value) and low <= value <= high:
            units = describe(row.name).units
            values.append(PropertyValue(row.name, float(value), units, row.method, None, source))
        else:
            refused.append(".".join((row.field, *row.path)))
    return values, refused


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _computed(structure: Structure, bucket: Bucket) -> Iterator[PropertyValue]:
    """What `mapping.COMPUTED` names, as far as it is known."""
    anonymous = anonymous_of(structure.composition.get_el_amt_dict())
    letters = [orbit.partition(":")[0] for orbit in bucket.wyckoff.split()]
    found = {
        "density": float(structure.density),
        "volume_per_atom": structure.volume / len(structure),
        "structure_type": prototype_of(anonymous, bucket.spacegroup_number, letters),
    }
    source = "computed from the structure as it came"
    for name, method in COMPUTED.items():
        value = found[name]
        if value is not None:
            yield PropertyValue(name, value, describe(name).units, method, None, source)


def _step(material_id: str, attributes: dict[str, Any], provider: Provider, version: str, time: str) -> Step:
    details: dict[str, Any] = {
        "material_id": material_id,
        "provider": provider.title or provider.name,
        "base_url": provider.base_url,
        "licence": provider.licence,
    }
    modified = attributes.get("last_modified")
    if isinstance(modified, str):
        details["last_modified"] = shown(modified, 40)
    return Step("retrieve", f"optimade:{provider.name}", version, time=time, details=details)
