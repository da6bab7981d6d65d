"""Which potential does a name stand for?

`FAMILY`, `FAMILY-MODEL` or `FAMILY:PATH`; see `families`. A family is one of ours or an entry point
`hysteron.potentials` of an installed package, which is a factory (see `calculator`) or a class that
implements `Potential`. A class needs no arguments; if it works on other devices, its class method `on(device)` says so;
if it has several models, its class method `named(model, device)` takes the rest of the name instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

from ...core.contracts import Potential
from ...core.errors import InputError, NotFoundError, nearest
from ...core.registry import load, names
from .calculator import CalculatorPotential
from .families import FAMILIES, Family

GROUP = "hysteron.potentials"


def potential_names(table: Mapping[str, str]) -> list[str]:
    """Every name that can be typed, installed or not; models of outside packages are theirs to list."""
    full = {f"{family}-{model}" for family, about in FAMILIES.items() for model in about.models if model}
    return sorted({*names(table, GROUP), *full})


def describe_families(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(family, what is installed and what to do for the rest, in words) of every optional potential."""
    for family, about in FAMILIES.items():
        if about.extra:
            yield family, _described(family, about)
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        if point.name not in table:
            yield point.name, f"from {point.dist.name} {point.dist.version}" if point.dist else "from outside"


def _described(family: str, about: Family) -> str:
    if about.installed is None:
        return f"not installed (optional): {about.how_to_install}"
    shipped = [f"{family}-{name}" for name, model in about.models.items() if model.shipped]
    fetched = [f"{family}-{name}" for name, model in about.models.items() if not model.shipped]
    words = [f"{about.distribution} {about.installed}"]
    if shipped:
        words.append(f"with weights: {', '.join(shipped)}")
    if fetched:
        words.append(f"weights fetched from {about.hub} at first use: {', '.join(fetched)}")
    return "; ".join(words)


def load_potential(name: str, table: Mapping[str, str], device: str = "cpu") -> Potential:
    """The potential of that name, loaded.

    Args:
        name: As a user types it.
        table: Our own families, to import paths.
        device: As torch writes it.

    Raises:
        NotFoundError: no such family or model; the nearest names are proposed.
        MissingDataError: its package or weights are not on this machine; the sentence says what to do.
        InputError: the family takes no models, or no device but the CPU.
    """
    family, model = split_name(name, table)
    entry = load(family, table, GROUP)
    if not _is_potential(entry):
        return CalculatorPotential(name, entry, model, device)
    if hasattr(entry, "named"):
        return entry.named(model, device)
    default = FAMILIES[family].default if family in FAMILIES else None
    if model not in (None, default):
        raise InputError(f"{family} has one model; name it {family!r}, not {name!r}.")
    if device == "cpu":
        return entry()
    if not hasattr(entry, "on"):
        raise InputError(f"{family} works on the processor alone, not on {device!r}.")
    return entry.on(device)


def split_name(name: str, table: Mapping[str, str]) -> tuple[str, str | None]:
    """(family, model) of a name; the model is `None`, a name, or `:PATH`.

    Raises:
        NotFoundError: no family begins the name.
    """
    families = sorted({*table, *(point.name for point in entry_points(group=GROUP))}, key=len, reverse=True)
    for family in families:
        rest = name.removeprefix(family)
        if name == family:
            return family, None
        if name.startswith(family) and rest[0] in "-:" and len(rest) > 1:
            return family, rest if rest[0] == ":" else rest[1:]
    raise NotFoundError(f"No potential {name!r}. {nearest(name, potential_names(table))}")


def _is_potential(entry: Any) -> bool:
    """A class that implements `Potential`, and not a factory or a class of ASE calculators."""
    return (
        isinstance(entry, type)
        and hasattr(entry, "calculate")
        and not hasattr(entry, "implemented_properties")
    )
