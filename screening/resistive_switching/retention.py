"""How long does a state last that one hop of an ion can undo, and what does it ask to write it?

Arrhenius: an ion that tries `nu0` times a second to cross a barrier E waits t = exp(E / kT) / nu0. Ten years at 85 C ask
for about 1.5 eV; the same barrier, crossed in a pulse of 100 ns, asks for about 1300 K on the way. A low barrier writes
easily and forgets, a high one keeps and cannot be written: the voltage-time dilemma. So a barrier is good in between, and
for a use: some memories ought to forget.

The barrier of one hop is only a lower bound for a filament: to dissolve it, many ions must leave, against their binding
and in the right order. The temperature that a pulse needs is a consequence of Arrhenius's law and no claim about a device:
fields lower barriers too, and are not counted here.

Sources: Waser, Dittmann, Staikov, Szot, Adv. Mater. 21, 2632 (2009), doi:10.1002/adma.200900375 (the dilemma, for ions);
Schroeder, Zhirnov, Cavin, Waser, J. Appl. Phys. 107, 054517 (2010), doi:10.1063/1.3319591 (ten years against 100 ns);
Menzel et al., Adv. Funct. Mater. 21, 4487 (2011), doi:10.1002/adfm.201101117 (local heating as a way out); Vineyard, J.
Phys. Chem. Solids 3, 121 (1957), doi:10.1016/0022-3697(57)90059-8 (attempt frequencies).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ...core.settings import Settings

Memory = Literal["fleeting", "short-term", "medium-term", "long-term"]

BOLTZMANN_EV_PER_K = 8.617333262e-5  # exact by the 2019 SI, rounded
ROOM_KELVIN, OVEN_KELVIN = 298.15, 358.15  # 25 C and 85 C
TEN_YEARS_SECONDS = 10 * 365.25 * 86400.0
DEVIATIONS_OF_90_PERCENT = 1.645
"""Standard deviations to either side of the middle that hold 90% of a normal distribution."""
MEMORY_FROM_SECONDS: dict[Memory, float] = {
    "short-term": 1e-3,
    "medium-term": 3600.0,
    "long-term": TEN_YEARS_SECONDS,
}
"""From which time on a state counts as what, shortest first. Below a millisecond (fleeting) no trace is left from one spike to
the next; milliseconds to minutes are those of short-term plasticity and reservoirs. Ours, 2026."""
NOTES = (
    "the barrier is that of one hop: for a filament of many ions this is a lower bound of its retention",
    "the temperature to switch follows from Arrhenius's law alone; the field's help is not counted",
)


class RetentionConfig(Settings):
    """What retention is judged by.

    Attributes:
        attempt_frequency_hz: How often an ion tries; an optical phonon of 40 meV has 1e13 Hz.
        attempt_frequency_range_hz: Lowest and highest that are usual in solids.
        temperatures_kelvin: At which retention is told; the score is taken at the highest.
        shortest_seconds: A state that lasts no longer scores 0.
        longest_seconds: A state that lasts longer keeps no better.
        pulse_seconds: In which a state is to be written.
        easy_kelvin: Local temperatures up to this are no effort.
        hottest_kelvin: From this on nothing is written: electrodes and oxides deform. Like `easy_kelvin` ours, 2026, after
            the 600 to 1300 K of the models of Menzel et al. and others.
    """

    attempt_frequency_hz: float = Field(default=1e13, gt=0)
    attempt_frequency_range_hz: tuple[float, float] = (1e12, 1e14)
    temperatures_kelvin: tuple[float, ...] = Field(default=(ROOM_KELVIN, OVEN_KELVIN), min_length=1)
    shortest_seconds: float = Field(default=1e-3, gt=0)
    longest_seconds: float = Field(default=TEN_YEARS_SECONDS, gt=0)
    pulse_seconds: float = Field(default=1e-7, gt=0)
    easy_kelvin: float = Field(default=600.0, gt=0)
    hottest_kelvin: float = Field(default=1500.0, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> RetentionConfig:
        low, high = self.attempt_frequency_range_hz
        if not 0 < low <= self.attempt_frequency_hz <= high:
            raise ValueError(
                f"attempt_frequency_hz ({self.attempt_frequency_hz:g}) must lie in its range ({low:g} to {high:g})"
            )
        if self.shortest_seconds >= self.longest_seconds or self.easy_kelvin >= self.hottest_kelvin:
            raise ValueError(
                "shortest_seconds must lie below longest_seconds, and easy_kelvin below hottest_kelvin"
            )
        if min(self.temperatures_kelvin) <= 0 or self.pulse_seconds * low <= 1:
            raise ValueError("temperatures must be above 0 K, and a pulse longer than one attempt")
        return self


@dataclass(frozen=True)
class RetentionAt:
    """How long one hop waits at one temperature.

    Attributes:
        temperature_kelvin: Of the whole device.
        log10_seconds: The middle.
        interval: Lower and upper end, log10 of seconds: 90% of the barrier's error and the range of attempt frequencies.
        memory: What the middle would serve as.
    """

    temperature_kelvin: float
    log10_seconds: float
    interval: tuple[float, float]
    memory: Memory

    @property
    def celsius(self) -> float:
        """The temperature in C."""
        return self.temperature_kelvin - 273.15

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "temperature_kelvin": self.temperature_kelvin,
            "log10_seconds": self.log10_seconds,
            "interval": list(self.interval),
            "memory": self.memory,
            "memory_between": [memory_class(end) for end in self.interval],
        }


@dataclass(frozen=True)
class Retention:
    """What a barrier means for a memory.

    Attributes:
        barrier: eV.
        uncertainty: One standard deviation, eV; `None` if not known: then the intervals count the attempt frequency alone.
        at: By temperature.
        barrier_for_ten_years: At the highest temperature, eV: lowest, middle, highest attempt frequency.
        switching_kelvin: Local temperature at which a pulse of `pulse_seconds` crosses the barrier once.
        switching_interval: As for `at`, K.
        pulse_seconds: Of writing.
        score: See `memory_score`.
        attempt_frequency_hz: Lowest, middle, highest.
    """

    barrier: float
    uncertainty: float | None
    at: tuple[RetentionAt, ...]
    barrier_for_ten_years: tuple[float, float, float]
    switching_kelvin: float
    switching_interval: tuple[float, float]
    pulse_seconds: float
    score: float
    attempt_frequency_hz: tuple[float, float, float]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        spread = (
            "the attempt frequency alone"
            if self.uncertainty is None
            else "90% of the barrier's error and the attempt frequency"
        )
        return {
            "barrier": self.barrier,
            "uncertainty": self.uncertainty,
            "units": "eV",
            "method": f"Arrhenius, t = exp(E / kT) / nu0; intervals hold {spread}",
            "attempt_frequency_hz": list(self.attempt_frequency_hz),
            "at": [one.record() for one in self.at],
            "barrier_for_ten_years": list(self.barrier_for_ten_years),
            "switching": {
                "pulse_seconds": self.pulse_seconds,
                "temperature_kelvin": self.switching_kelvin,
                "interval": list(self.switching_interval),
            },
            "score": self.score,
            "sentence": self.sentence,
            "notes": list(NOTES),
        }

    @property
    def sentence(self) -> str:
        """In words, without a full stop."""
        waits = "; ".join(
            f"{one.log10_seconds:.1f} ({one.interval[0]:.1f} to {one.interval[1]:.1f}) at {one.celsius:.0f} C, {one.memory}"
            for one in self.at
        )
        return (
            f"one hop of {self.barrier:.2f} eV waits 10^x s, x = {waits}; ten years at {self.at[-1].celsius:.0f} C need "
            f"{self.barrier_for_ten_years[1]:.2f} eV; {1e9 * self.pulse_seconds:.0f} ns suffice at {self.switching_kelvin:.0f} K"
        )


def retention_of(
    barrier: float, uncertainty: float | None = None, config: RetentionConfig | None = None
) -> Retention:
    """What a hopping barrier means for retention and for writing.

    Args:
        barrier: eV; not negative.
        uncertainty: One standard deviation, eV, if known.
        config: Attempt frequencies, temperatures, pulse.

    Raises:
        ValueError: the barrier is negative or not finite.
    """
    if not math.isfinite(barrier) or barrier < 0:
        raise ValueError(f"a barrier of {barrier} eV was given; it must be finite and not negative")
    config = config or RetentionConfig()
    low, high = config.attempt_frequency_range_hz
    frequencies = (low, config.attempt_frequency_hz, high)
    reach = DEVIATIONS_OF_90_PERCENT * (uncertainty or 0.0)
    lowest, highest = max(0.0, barrier - reach), barrier + reach
    hottest = max(config.temperatures_kelvin)
    return Retention(
        barrier=barrier,
        uncertainty=uncertainty,
        at=tuple(
            _at(kelvin, barrier, lowest, highest, frequencies)
            for kelvin in sorted(config.temperatures_kelvin)
        ),
        barrier_for_ten_years=tuple(barrier_for(TEN_YEARS_SECONDS, hottest, f) for f in frequencies),  # type: ignore[arg-type]
        switching_kelvin=switching_temperature(barrier, config.pulse_seconds, frequencies[1]),
        switching_interval=(
            switching_temperature(lowest, config.pulse_seconds, high),
            switching_temperature(highest, config.pulse_seconds, low),
        ),
        pulse_seconds=config.pulse_seconds,
        score=memory_score(barrier, uncertainty, config),
        attempt_frequency_hz=frequencies,
    )


def log10_retention(barrier: float, temperature_kelvin: float, attempt_frequency_hz: float) -> float:
    """Log10 of the seconds that one hop waits on average: E / (kT ln 10) - log10(nu0)."""
    return barrier / (BOLTZMANN_EV_PER_K * temperature_kelvin * math.log(10)) - math.log10(
        attempt_frequency_hz
    )


def barrier_for(seconds: float, temperature_kelvin: float, attempt_frequency_hz: float) -> float:
    """The barrier over which one hop waits so long, eV: E = kT ln(t nu0)."""
    return BOLTZMANN_EV_PER_K * temperature_kelvin * math.log(seconds * attempt_frequency_hz)


def switching_temperature(barrier: float, seconds: float, attempt_frequency_hz: float) -> float:
    """The temperature at which one hop waits no longer than a pulse, K: T = E / (k ln(t nu0))."""
    return barrier / (BOLTZMANN_EV_PER_K * math.log(seconds * attempt_frequency_hz))


def memory_class(log10_seconds: float) -> Memory:
    """What a state that lasts so long, log10 of seconds, would serve as."""
    serving: Memory = "fleeting"
    for name, least in MEMORY_FROM_SECONDS.items():
        if log10_seconds >= math.log10(least):
            serving = name
    return serving


def memory_score(
    barrier: float, uncertainty: float | None = None, config: RetentionConfig | None = None
) -> float:
    """How good a barrier is as a compromise between keeping and writing, 0 to 1; the best compromise scores 1.

    The geometric mean of how long a state is kept at the highest temperature (logarithm of seconds, from
    `shortest_seconds` to `longest_seconds`) and how cool it can be written in a pulse (from `hottest_kelvin` to
    `easy_kelvin`), over its largest value. By default it is 0 below 0.71 and above 1.79 eV and 1 near 1.25 eV.

    Args:
        barrier: eV.
        uncertainty: One standard deviation, eV; the score is then the mean over that normal distribution.
        config: Attempt frequency, temperatures, pulse.
    """
    config = config or RetentionConfig()
    if not uncertainty:
        return float(_compromise(np.array([barrier]), config)[0] / _best(config))
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    values = _compromise(barrier + uncertainty * nodes, config)
    return float(values @ weights / weights.sum() / _best(config))


def _compromise(barriers: np.ndarray, config: RetentionConfig) -> np.ndarray:
    """Not yet divided by the best, shape as `barriers`."""
    frequency, hottest = config.attempt_frequency_hz, max(config.temperatures_kelvin)
    least, most = (
        barrier_for(seconds, hottest, frequency)
        for seconds in (config.shortest_seconds, config.longest_seconds)
    )
    kept = np.clip((barriers - least) / (most - least), 0.0, 1.0)
    kelvin = barriers * switching_temperature(1.0, config.pulse_seconds, frequency)
    written = np.clip(
        (config.hottest_kelvin - kelvin) / (config.hottest_kelvin - config.easy_kelvin), 0.0, 1.0
    )
    return np.sqrt(kept * written)


def _best(config: RetentionConfig) -> float:
    """The largest compromise that any barrier reaches; 1 if none keeps and writes at all."""
    return float(_compromise(np.linspace(0.0, 10.0, 10_001), config).max()) or 1.0


def _at(
    kelvin: float, barrier: float, lowest: float, highest: float, frequencies: Sequence[float]
) -> RetentionAt:
    low, middle, high = frequencies
    log10_seconds = log10_retention(barrier, kelvin, middle)
    interval = (log10_retention(lowest, kelvin, high), log10_retention(highest, kelvin, low))
    return RetentionAt(kelvin, log10_seconds, interval, memory_class(log10_seconds))
