"""What does an array of synaptic devices do when it is programmed, pulsed and read?

Conductances are in units of the nominal device's highest one, so the nominal device spans 1 / on_off to 1. A phenomenological
model: nothing in it follows from a crystal structure, its parameters are those of an assumed device.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from pydantic import Field

from ...core.settings import Settings

DRIFT_REFERENCE_SECONDS = 20.0
"""Time after programming at which conductances are as programmed: t_0 of AIHWKit's phase-change model (`PCMLikeNoiseModel`)."""
LABEL_PER_DEVIATION = 1000 / 99
"""Nonlinearity label per greatest deviation of the normalised curve from a straight line: with it NeuroSim's table of labels
(Nonlinearity-NormA in MLP+NeuroSim V3.0) is met to 1 in 1,000."""
STRAIGHT = 1e-3  # a nonlinearity label below which the pulse curve is taken as a straight line
GREATEST_NONLINEARITY = 9.0  # NeuroSim's labels end there


class DeviceParameters(Settings):
    """One assumed device. The defaults are an ideal one of on/off ratio 100.

    Attributes:
        levels: Programmable conductances, equally spaced from lowest to highest; absent means any.
        on_off: Highest over lowest conductance.
        device_spread: Standard deviation of ln(conductance) from device to device, when all are treated alike; it scales a
            device's whole range.
        programming_spread: Standard deviation of a programmed conductance about its target, over the highest conductance: what
            write-verify leaves.
        cycle_spread: Standard deviation of the change by one pulse, over the conductance range.
        nonlinearity_potentiation: NeuroSim's label, 0 (straight) to 9; the first pulses change most.
        nonlinearity_depression: Likewise, counted from the highest conductance; papers often print it with a minus sign.
        asymmetry: (up - down) / (up + down) of the change by one pulse, beside what the nonlinearities do; AIHWKit's `up_down`.
        pulses: From lowest to highest conductance.
        drift_exponent: Of G(t) = G(t0) (t / t0)^-nu, t0 = 20 s.
        drift_spread: Standard deviation of the exponent from device to device.
        retention_seconds: Time constant of an exponential return to the lowest conductance; absent means never.
        stuck_fraction: Of devices that cannot be changed, half of them at the lowest, half at the highest conductance.
        read_noise: Standard deviation of one read of one device, over the conductance read.
    """

    levels: int | None = Field(default=None, ge=2)
    on_off: float = Field(default=100.0, gt=1)
    device_spread: float = Field(default=0.0, ge=0)
    programming_spread: float = Field(default=0.0, ge=0)
    cycle_spread: float = Field(default=0.0, ge=0)
    nonlinearity_potentiation: float = Field(default=0.0, ge=0, le=GREATEST_NONLINEARITY)
    nonlinearity_depression: float = Field(default=0.0, ge=0, le=GREATEST_NONLINEARITY)
    asymmetry: float = Field(default=0.0, gt=-1, lt=1)
    pulses: int = Field(default=1000, ge=1)
    drift_exponent: float = 0.0
    drift_spread: float = Field(default=0.0, ge=0)
    retention_seconds: float | None = Field(default=None, gt=0)
    stuck_fraction: float = Field(default=0.0, ge=0, le=1)
    read_noise: float = Field(default=0.0, ge=0)

    @property
    def lowest(self) -> float:
        """Lowest conductance of the nominal device."""
        return 1 / self.on_off


class Devices:
    """An array of devices, each with its own range, drift and defects, drawn once.

    Attributes:
        conductance: As last programmed or pulsed, in units of the nominal highest one, shape `shape`.

    Args:
        parameters: Of the nominal device and its spreads.
        shape: Of the array.
        rng: Draws what differs from device to device, and all later noise.
    """

    def __init__(
        self, parameters: DeviceParameters, shape: tuple[int, ...], rng: np.random.Generator
    ) -> None:
        p = parameters
        self.parameters, self.rng = p, rng
        self.factor = np.exp(p.device_spread * rng.standard_normal(shape))
        self.exponent = p.drift_exponent + p.drift_spread * rng.standard_normal(shape)
        draw = rng.random(shape)
        self.stuck = draw < p.stuck_fraction
        self.low, self.high = p.lowest * self.factor, self.factor
        self._stuck_at = np.where(draw < p.stuck_fraction / 2, self.low, self.high)
        self.conductance = np.where(self.stuck, self._stuck_at, self.low)

    def program(self, target: np.ndarray, verify: bool = True) -> np.ndarray:
        """Set conductances, as near as levels, ranges and errors let them come.

        Args:
            target: In units of the nominal highest conductance, broadcast to the array's shape.
            verify: Whether each device is corrected until it reads the level (what remains is `programming_spread`, and
                levels outside a device's own range), or all are treated alike and `device_spread` remains too.

        Returns:
            The conductances reached, which are also kept.
        """
        p = self.parameters
        level = np.broadcast_to(nearest_level(np.asarray(target, dtype=float), p), self.factor.shape)
        wanted = level if verify else level * self.factor
        return self.hold(wanted + p.programming_spread * self.rng.standard_normal(self.factor.shape))

    def hold(self, wanted: np.ndarray) -> np.ndarray:
        """Leave devices at conductances within their own ranges; stuck ones stay where they are."""
        self.conductance = np.where(self.stuck, self._stuck_at, np.clip(wanted, self.low, self.high))
        return self.conductance

    def pulse(self, count: np.ndarray) -> np.ndarray:
        """Apply pulses: `count` of them, negative ones lower the conductance. Returns the new conductances.

        Source: Chen, Peng and Yu, IEDM 2017, doi:10.1109/IEDM.2017.8268337: G = B (1 - exp(-n / A)) + G_min, and its mirror
        image for depression. From any G, k pulses lead on along the same curve.
        """
        p = self.parameters
        span = self.high - self.low
        reached = (self.conductance - self.low) / span
        ups, downs = np.maximum(count, 0) / p.pulses, np.maximum(-count, 0) / p.pulses
        up = _after(reached, ups * (1 + p.asymmetry), p.nonlinearity_potentiation)
        down = 1 - _after(1 - reached, downs * (1 - p.asymmetry), p.nonlinearity_depression)
        wanted = np.where(count > 0, up, down)
        if p.cycle_spread:
            noise = self.rng.standard_normal(wanted.shape)
            wanted = wanted + p.cycle_spread * np.sqrt(np.abs(count)) * noise
        return self.hold(self.low + wanted * span)

    def read(self, seconds: float = 0.0) -> np.ndarray:
        """Conductances as one read finds them, some time after programming, with the gain reset."""
        found = self.recalibrated(seconds)
        if self.parameters.read_noise:
            found = found * (1 + self.parameters.read_noise * self.rng.standard_normal(found.shape))
        return np.maximum(found, 0)

    def recalibrated(self, seconds: float) -> np.ndarray:
        """Conductances some time after programming, in units that make their sum what it was.

        Source: Joshi et al., Nat. Commun. 11, 2473 (2020), doi:10.1038/s41467-020-16108-9: global drift compensation, a gain set
        from the summed current of the array.
        """
        found = self.drifted(seconds)
        return found * (self.conductance.sum() / found.sum())

    def drifted(self, seconds: float) -> np.ndarray:
        """Conductances some time after programming, without the noise of a read."""
        p = self.parameters
        waited = max(seconds, DRIFT_REFERENCE_SECONDS) / DRIFT_REFERENCE_SECONDS
        found = self.conductance * waited**-self.exponent
        if p.retention_seconds is not None:
            found = self.low + (found - self.low) * math.exp(-seconds / p.retention_seconds)
        return found


def nearest_level(target: np.ndarray, parameters: DeviceParameters) -> np.ndarray:
    """The nominal device's conductance nearest to a wanted one."""
    low = parameters.lowest
    inside = np.clip(target, low, 1)
    if parameters.levels is None:
        return inside
    steps = parameters.levels - 1
    return low + np.round((inside - low) / (1 - low) * steps) / steps * (1 - low)


@lru_cache(maxsize=1024)
def curvature(nonlinearity: float) -> float:
    """Pulses for the full range over A of the pulse curve, for a nonlinearity label.

    The label is `LABEL_PER_DEVIATION` times the curve's greatest deviation from the straight line.
    """
    from scipy.optimize import brentq

    if nonlinearity < STRAIGHT:
        return 0.0
    return float(brentq(lambda c: LABEL_PER_DEVIATION * _deviation(c) - nonlinearity, 1e-6, 1e3))  # type: ignore[arg-type]


def _deviation(c: float) -> float:
    """Greatest height of (1 - exp(-c x)) / (1 - exp(-c)) above x, for x between 0 and 1."""
    whole = -math.expm1(-c)
    x = math.log(c / whole) / c
    return -math.expm1(-c * x) / whole - x


def _after(reached: np.ndarray, share: np.ndarray, nonlinearity: float) -> np.ndarray:
    """Share of the range reached after more pulses, a share of those for the full range."""
    c = curvature(nonlinearity)
    if c == 0:
        return reached + share
    asymptote = -1 / math.expm1(-c)
    return asymptote - (asymptote - reached) * np.exp(-c * share)
