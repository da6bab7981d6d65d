"""How does a relaxation move, and when does it end?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .coordinates import CellFreedom
from .symmetry import SYMPREC_ANGSTROM


class RelaxerSettings(BaseModel):
    """How a relaxation moves, when it ends, and how many processes share the work."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["bfgs", "fire"] = "bfgs"
    """`fire` follows ASE's FIRE under a FrechetCellFilter; `bfgs` needs far fewer steps."""
    fmax: float = Field(default=0.05, gt=0)
    """eV/A, largest force on an atom; on the cell, eV/atom, largest row of -V * (stress + p) / nsites."""
    steps: int = Field(default=300, ge=0)
    cell: CellFreedom = "free"
    pressure_gpa: float = Field(default=0.0, allow_inf_nan=False)
    """The enthalpy is made small; positive compresses."""
    symmetry: bool = False
    """Keep the space group of the input exactly."""
    seconds: float | None = Field(default=None, gt=0)
    """Wall time of a whole call; what has not come to rest by then is given back as it is."""
    workers: int | None = Field(default=None, ge=1)
    """Processes; one per core if not given. The result does not depend on it."""

    @property
    def words(self) -> str:
        """All that decides the result beside the method; what is at its default is not named."""
        said = [f"fmax={self.fmax:g}", f"steps={self.steps}"]
        if self.cell != "free":
            said.append(f"cell={self.cell}")
        if self.pressure_gpa:
            said.append(f"pressure={self.pressure_gpa:g}GPa")
        if self.symmetry:
            said.append(f"symmetry={SYMPREC_ANGSTROM:g}")
        return " ".join(said)
