"""How does a layer of signed weights compute when each weight is a pair of devices in a crossbar?

A weight is the difference of two conductances, of which the other one is the lowest when it is programmed. Inputs are voltages,
outputs are differences of currents of neighbouring bit lines.
"""

from __future__ import annotations

import numpy as np

from .device import DeviceParameters, Devices
from .ir_drop import effective_conductances


class Crossbar:
    """Weights held by pairs of devices.

    Args:
        weights: Wanted, input first, shape `(ninputs, noutputs)`; the greatest magnitude takes a device's full range.
        parameters: Of the devices.
        rng: Of all spreads and noise.
        verify: Of `Devices.program`.
    """

    def __init__(
        self,
        weights: np.ndarray,
        parameters: DeviceParameters,
        rng: np.random.Generator,
        verify: bool = True,
    ) -> None:
        self.devices = Devices(parameters, (2, *weights.shape), rng)
        self.weight_of_range = float(np.abs(weights).max()) or 1.0
        self.devices.program(pair_targets(weights / self.weight_of_range, parameters), verify)

    def at(self, seconds: float = 0.0, wire_resistance: float = 0.0) -> Reading:
        """The crossbar some time after programming, its gain reset.

        Args:
            seconds: After programming.
            wire_resistance: Of the wire between two cells, over the resistance of a device at its highest conductance.
        """
        p = self.devices.parameters
        pair = self.devices.recalibrated(seconds)
        if wire_resistance:
            _, ninputs, noutputs = pair.shape
            cells = np.moveaxis(pair, 0, 2).reshape(ninputs, 2 * noutputs)
            wired = effective_conductances(cells, wire_resistance)
            pair = np.moveaxis(wired.reshape(ninputs, noutputs, 2), 2, 0)
        unit = self.weight_of_range / (1 - p.lowest)
        return Reading(pair * unit, p.read_noise, self.devices.rng)


class Reading:
    """What inputs meet in a crossbar at one time.

    Args:
        pair: Conductances of both devices, in units of weight, shape `(2, ninputs, noutputs)`.
        read_noise: Of one read of one device, relative.
        rng: Of the read noise.
    """

    def __init__(self, pair: np.ndarray, read_noise: float, rng: np.random.Generator) -> None:
        self.weights = pair[0] - pair[1]
        self.read_noise, self.rng = read_noise, rng
        self._variances = read_noise**2 * (pair**2).sum(axis=0)

    def multiply(self, inputs: np.ndarray) -> np.ndarray:
        """Products with one read: independent noise of every device adds up to normal noise of each output.

        Args:
            inputs: Shape `(n, ninputs)`, of the pair's precision.

        Returns:
            Shape `(n, noutputs)`.
        """
        outputs = inputs @ self.weights
        if not self.read_noise:
            return outputs
        spread = np.sqrt(inputs**2 @ self._variances)
        return outputs + spread * self.rng.standard_normal(outputs.shape, dtype=outputs.dtype)


def pair_targets(shares: np.ndarray, parameters: DeviceParameters) -> np.ndarray:
    """Conductances for weights of -1 to 1: one device of the pair holds the magnitude, the other is at its lowest.

    Returns:
        Shape `(2, *shares.shape)`, the positive device first.
    """
    low = parameters.lowest
    return low + np.stack([np.maximum(shares, 0), np.maximum(-shares, 0)]) * (1 - low)
