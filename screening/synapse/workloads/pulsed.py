"""How does a learning rule change weights that are held by devices, when all it can do is send pulses?

One device a weight; zero is the middle of the nominal device's range, a fixed reference subtracted from every current: the
device's own symmetry point is not looked for. A wanted change becomes pulses by rounding at random, so that changes far below one
pulse add up in the mean.

Source: Gokmen and Vlasov, Front. Neurosci. 10, 333 (2016), doi:10.3389/fnins.2016.00333: stochastic update.
"""

from __future__ import annotations

import numpy as np

from ..device import DeviceParameters, Devices


class IdealWeights:
    """Weights of unlimited precision and range."""

    def __init__(self, start: np.ndarray) -> None:
        self.values = start.copy()

    def read(self) -> np.ndarray:
        """As they are."""
        return self.values

    def add(self, change: np.ndarray) -> None:
        """Exactly."""
        self.values += change


class PulsedWeights:
    """Weights held by devices.

    Args:
        start: Wanted before training; written with verification.
        greatest: Magnitude at the ends of the nominal range.
        parameters: Of the devices.
        rng: Of all spreads, noise and rounding.
    """

    def __init__(
        self, start: np.ndarray, greatest: float, parameters: DeviceParameters, rng: np.random.Generator
    ) -> None:
        self.devices = Devices(parameters, start.shape, rng)
        self.middle = (1 + parameters.lowest) / 2
        self.per_conductance = 2 * greatest / (1 - parameters.lowest)
        self.per_pulse = 2 * greatest / parameters.pulses
        self.devices.program(self.middle + start / self.per_conductance)

    def read(self, seconds: float = 0.0) -> np.ndarray:
        """As one read finds them, some time after the last pulse."""
        return (self.devices.read(seconds) - self.middle) * self.per_conductance

    def add(self, change: np.ndarray) -> None:
        """By pulses, as many as a straight, symmetric device would need in the mean."""
        rng = self.devices.rng
        self.devices.pulse(np.floor(change / self.per_pulse + rng.random(change.shape)))
