"""What does an application ask of a synapse, and of the material in it?

A profile has two lists of bounds: on the device, which no crystal structure answers, and on the material, which one can. The
shipped ones stand in `data/synapse/profiles.toml`; a run's own ones are numbers in its TOML file, under a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, model_validator

from ...core.errors import InputError, nearest
from ...core.settings import Settings, validate
from ..gap import GapWindow
from .mechanism_devices import Source
from .tables import read_table

TABLE = "profiles.toml"
_SOURCES = "sources"
OWN_SOURCE = "the run's settings"

DeviceFieldName = Literal[
    "levels",
    "on_off",
    "device_spread",
    "programming_spread",
    "cycle_spread",
    "nonlinearity_potentiation",
    "nonlinearity_depression",
    "asymmetry",
    "pulses",
    "drift_exponent",
    "drift_spread",
    "read_noise",
    "stuck_fraction",
    "retention_seconds",
    "endurance_cycles",
    "switching_seconds",
    "set_voltage_volt",
]
"""Numbers of a device, as in `device_ranges.toml`."""
MaterialName = Literal[
    "energy_above_hull",
    "band_gap",
    "migration_barrier",
    "retention",
    "vacancy_formation_energy",
    "polarization",
    "switching_barrier_per_atom",
    "transition_temperature",
    "transition_probability",
    "supply",
]
"""What a crystal can answer. `retention` follows from `migration_barrier`; `supply` is the score of that screen."""
MechanismClass = Literal["VCM", "ECM", "PCM", "MIT", "ECRAM", "halide", "ferroelectric"]


class Bound(Settings):
    """Values from `low` to `high` serve, both included.

    Attributes:
        low: In `units`; absent: no lower end.
        high: Likewise.
        units: As in the property table, or of the device field; `"1"` if dimensionless.
        verified: Whether the number was read in a work named.
        source: Keys of the table's sources.
        basis: Why this number.
    """

    low: float | None = None
    high: float | None = None
    units: str
    verified: bool = False
    source: tuple[str, ...] = (OWN_SOURCE,)
    basis: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Bound:
        if self.low is not None and self.high is not None and self.high <= self.low:
            raise ValueError(f"high ({self.high}) must lie above low ({self.low})")
        if self._needs_end() and self.low is None and self.high is None:
            raise ValueError("a bound needs an end: low, high or both")
        return self

    def _needs_end(self) -> bool:
        return True

    def holds(self, value: float) -> bool:
        """Whether a value, in `units`, lies inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def words(self) -> str:
        """The bound with its unit: `at least 10`, `0.45 to 1.2 eV`."""
        unit = "" if self.units == "1" else f" {self.units}"
        if self.low is None:
            return f"at most {self.high:g}{unit}"
        return f"at least {self.low:g}{unit}" if self.high is None else f"{self.low:g} to {self.high:g}{unit}"


class MaterialBound(Bound):
    """A bound that a crystal can answer.

    Attributes:
        name: What is asked.
        classes: Mechanism classes of which it is asked; none: of all.
        windows: For `band_gap`, in place of low and high: gaps by method, which are never mixed.
        temperature_kelvin: For `retention`.
        required: Whether the profile fits only with it; otherwise it is told.
    """

    name: MaterialName
    classes: tuple[MechanismClass, ...] = ()
    windows: dict[str, GapWindow] = {}
    temperature_kelvin: float | None = Field(default=None, gt=0)
    required: bool = True

    def _needs_end(self) -> bool:
        return self.name != "band_gap"

    @model_validator(mode="after")
    def _complete(self) -> MaterialBound:
        if (self.name == "band_gap") != bool(self.windows):
            raise ValueError("windows are those of band_gap, which needs at least one")
        if (self.name == "retention") != (self.temperature_kelvin is not None):
            raise ValueError("temperature_kelvin belongs to retention, which needs it")
        return self

    def asked_of(self, mechanism: str) -> bool:
        """Whether a device of this class has to answer it."""
        return not self.classes or mechanism in self.classes


class Profile(Settings):
    """What one application asks.

    Attributes:
        title: In words.
        use: What it does, as a clause.
        classes: Mechanism classes that can serve at all.
        not_for: Why the others cannot, as a clause.
        device: Bounds on the device, by field.
        material: Bounds on the material.
        workloads: Of `accuracy.json`, those that stand for this application.
        source: Works of the application.
    """

    title: str
    use: str = ""
    classes: tuple[MechanismClass, ...] = Field(min_length=1)
    not_for: str = ""
    device: dict[DeviceFieldName, Bound] = {}
    material: tuple[MaterialBound, ...] = Field(min_length=1)
    workloads: tuple[str, ...] = ()
    source: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _needs_a_property(self) -> Profile:
        for mechanism in self.classes:
            asked = [one for one in self.material if one.required and one.asked_of(mechanism)]
            if not any(one.name != "supply" for one in asked):
                raise ValueError(f"it requires nothing of a {mechanism} material, so anything would fit")
        return self


def shipped_profiles() -> Mapping[str, Profile]:
    """The profiles that the project ships, by name, in the order of the table.

    Raises:
        MissingDataError: the table is not there.
        SettingsError: a number in it does not fit.
    """
    return _shipped()[0]


def shipped_sources() -> Mapping[str, Source]:
    """The works that the shipped profiles name, by key."""
    return _shipped()[1]


def chosen_profiles(names: Sequence[str] | None, own: Mapping[str, Profile]) -> dict[str, Profile]:
    """Profiles by name, shipped ones and a run's own.

    Args:
        names: Which of them, in this order; `None`: all shipped ones, then the run's own.
        own: A run's own profiles by name; one of a shipped name takes its place.

    Raises:
        InputError: no such profile.
    """
    known = {**shipped_profiles(), **own}
    for name in names or ():
        if name not in known:
            raise InputError(f"No profile {name!r}. {nearest(name, known)}")
    return known if names is None else {name: known[name] for name in names}


def parse_profiles(table: Mapping[str, Any]) -> tuple[dict[str, Profile], dict[str, Source]]:
    """Check a table as it stands in the file.

    Raises:
        SettingsError: a key or number does not fit.
        InputError: a bound names a source that the table does not list.
    """
    sources = {k: validate(Source, v, f"{TABLE} sources.{k}") for k, v in table.get(_SOURCES, {}).items()}
    profiles = {k: validate(Profile, v, f"{TABLE} {k}") for k, v in table.items() if k != _SOURCES}
    for name, profile in profiles.items():
        bounds = (*profile.device.values(), *profile.material)
        named = {*profile.source, *(key for bound in bounds for key in bound.source)}
        if unknown := sorted(named - sources.keys()):
            raise InputError(
                f"{TABLE}: {name} names sources that the table does not list: {', '.join(unknown)}."
            )
    return profiles, sources


@lru_cache(maxsize=1)
def _shipped() -> tuple[dict[str, Profile], dict[str, Source]]:
    return parse_profiles(read_table(TABLE))
