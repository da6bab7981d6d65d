"""Which device is assumed for a mechanism class, and how much do published ones differ?

For each class and each number of the device model a range of published devices, from which devices are drawn independently of
one another. The numbers are those of stacks, thicknesses and pulses; no crystal structure tells them. `data/synapse/README.md`
says where they come from and which were read where.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ...core.errors import InputError, nearest
from ...core.settings import Settings, validate
from .tables import read_table

TABLE = "device_ranges.toml"
WHOLE_NUMBERS = ("levels", "pulses")
"""Fields that count something."""
_SECTIONS = ("fields", "sources")


class DeviceField(Settings):
    """What one number of a device means."""

    units: str
    meaning: str


class Source(Settings):
    """A work, and how much of it was read; `read` is `nothing` for numbers from memory and for assumptions."""

    citation: str
    read: str


class DeviceRange(Settings):
    """Where a number of a device lies in published devices of a class.

    Attributes:
        low: Included, in the unit of the field.
        high: Included.
        scale: Whether devices are drawn evenly in the number or in its logarithm.
        verified: Whether both ends were read in the works named.
        source: Keys of the table's sources.
        basis: Which devices the ends are.
    """

    low: float
    high: float
    scale: Literal["linear", "log"]
    verified: bool
    source: tuple[str, ...] = Field(min_length=1)
    basis: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> DeviceRange:
        if not math.isfinite(self.low) or not math.isfinite(self.high) or self.high <= self.low:
            raise ValueError(f"high ({self.high}) must be finite and lie above low ({self.low})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a range drawn in the logarithm must lie above 0, low is {self.low}")
        return self

    def at(self, share: np.ndarray) -> np.ndarray:
        """The values at shares 0 to 1 of the range, on its scale."""
        if self.scale == "log":
            return np.exp(math.log(self.low) + share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)

    def reaches(self, low: float | None, high: float | None) -> bool:
        """Whether any of the range, its ends included, lies between two bounds."""
        return (low is None or self.high >= low) and (high is None or self.low <= high)

    def share_within(self, low: float | None, high: float | None) -> float:
        """How much of the range, on its scale, lies between two bounds, 0 to 1; `None`: no such bound."""
        begin = 0.0 if low is None else self._share_of(low)
        end = 1.0 if high is None else self._share_of(high)
        return max(0.0, end - begin)

    def _share_of(self, value: float) -> float:
        if value <= self.low:
            return 0.0
        if value >= self.high:
            return 1.0
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class DeviceTable:
    """The ranges of every class, the meaning of every field, and the works they stand on."""

    fields: Mapping[str, DeviceField]
    sources: Mapping[str, Source]
    classes: Mapping[str, Mapping[str, DeviceRange]]


def sample(mechanism: str, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Assumed devices of a class, each number drawn for itself.

    Args:
        mechanism: `VCM`, `ECM`, `PCM`, `MIT`, `ECRAM`, `halide` or `ferroelectric`.
        count: How many devices.
        rng: The first devices are the same however many are drawn.

    Returns:
        By field, shape `(count,)`; levels and pulses are whole.

    Raises:
        InputError: no such class.
    """
    ranges = ranges_of(mechanism)
    shares = rng.random((count, len(ranges)))
    drawn = {name: one.at(shares[:, i]) for i, (name, one) in enumerate(ranges.items())}
    return {name: np.rint(v).astype(int) if name in WHOLE_NUMBERS else v for name, v in drawn.items()}


def ranges_of(mechanism: str) -> Mapping[str, DeviceRange]:
    """The ranges of a class by field, in the order of the table.

    Raises:
        InputError: no such class.
    """
    classes = device_table().classes
    if mechanism not in classes:
        raise InputError(f"No device is known of the class {mechanism!r}. {nearest(mechanism, classes)}")
    return classes[mechanism]


@lru_cache(maxsize=1)
def device_table() -> DeviceTable:
    """The shipped table.

    Raises:
        MissingDataError: it is not there.
        SettingsError: a number in it does not fit.
    """
    return parse_devices(read_table(TABLE))


def parse_devices(table: Mapping[str, Any]) -> DeviceTable:
    """Check a table as it stands in the file.

    Raises:
        SettingsError: a key or number does not fit.
        InputError: a class lacks a field, or names a source or field that the table does not explain.
    """
    fields = {k: validate(DeviceField, v, f"{TABLE} fields.{k}") for k, v in table.get("fields", {}).items()}
    sources = {k: validate(Source, v, f"{TABLE} sources.{k}") for k, v in table.get("sources", {}).items()}
    classes = {name: _class(name, rows, fields) for name, rows in table.items() if name not in _SECTIONS}
    named = {key for ranges in classes.values() for one in ranges.values() for key in one.source}
    if unknown := sorted(named - sources.keys()):
        raise InputError(f"{TABLE} names sources that it does not list: {', '.join(unknown)}.")
    return DeviceTable(fields, sources, classes)


def _class(name: str, rows: Mapping[str, Any], fields: Mapping[str, DeviceField]) -> dict[str, DeviceRange]:
    different = sorted(fields.keys() ^ rows.keys())
    if different:
        raise InputError(f"{TABLE}: [{name}] and [fields] differ in {', '.join(different)}.")
    return {field: validate(DeviceRange, rows[field], f"{TABLE} {name}.{field}") for field in fields}
