"""What did a GPAW script ask for? Functional, U, charge, cutoff and k-points, out of the settings that its result repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .conventions import functional


@dataclass(frozen=True)
class GivenSettings:
    """What decides the numbers of a run.

    Attributes:
        functional: `PBE`, `PBE+U`.
        hubbard: U by element, eV.
        charge: Of the cell, e.
        cutoff_ev: Of the plane waves, eV.
        kpoints: `4x4x3 k-points`.
    """

    functional: str
    hubbard: dict[str, float]
    charge: float
    cutoff_ev: float
    kpoints: str

    def told(self) -> dict[str, Any]:
        """As the steps of the provenance hold it."""
        return {"cutoff_ev": self.cutoff_ev, "kpoints": self.kpoints}


def given_settings(given: Mapping[str, Any]) -> GivenSettings:
    """Read the arguments of `gpaw.GPAW` as an exported script writes them.

    Raises:
        KeyError, TypeError, ValueError, IndexError: they have another shape.
    """
    mode, xc, size = given["mode"], given["xc"], given["kpts"]["size"]
    if mode["name"] != "pw" or not isinstance(xc, str) or not xc.isprintable() or not 0 < len(xc) < 100:
        raise ValueError("no plane waves, or no functional")
    hubbard = {str(symbol): _u(setup) for symbol, setup in given.get("setups", {}).items()}
    divisions = [int(n) for n in size]
    numbers = (float(given.get("charge", 0.0)), float(mode["ecut"]), *hubbard.values())
    if len(divisions) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError("no mesh, or something that is no number")
    return GivenSettings(
        functional(xc, hubbard), hubbard, numbers[0], numbers[1], f"{'x'.join(map(str, divisions))} k-points"
    )


def _u(setup: str) -> float:
    """U, eV, of `:d,3.25,0`."""
    return float(setup.split(":")[1].split(",")[1])
