"""What `hysteron train potential CONFIG` reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from ...core.errors import NotFoundError, nearest
from ...core.settings import Settings, data_dir, home
from ..datasets.fidelities import OC20_ADSORPTION, OC20_TOTAL, fidelity_of
from ..datasets.formats import FORMATS

NAME = r"^[a-z0-9][a-z0-9-]{0,60}$"


class DataTable(Settings):
    """`[[data]]`: one data set."""

    path: str
    """File or folder; looked for here, in what `hysteron data fetch` got, and in HYSTERON_DATA_DIR."""
    format: str
    """One of the formats of `predictors.datasets.formats`."""
    fidelity: str | None = None
    """Whose energies these are, where the format does not say it: `omat24`, `salex`, `mp-pbe`."""
    energy: Literal["total", "adsorption", "relaxed"] | None = None
    """What is learned: the energy as it is stored, the energy less its reference, or that at the end of the relaxation
    which begins here (no forces; what OC20 IS2RE is for)."""
    share: float | None = Field(default=None, gt=0)
    """Of the frames of an epoch, beside other sets; by their numbers if none is given."""
    limit: int | None = Field(default=None, ge=2)
    """Draw so many frames; else all are taken."""
    validation: str | None = None
    """File or folder of validation frames; else some of the frames are set aside."""
    validation_share: float = Field(default=0.05, ge=0, lt=1)
    """Of the formulas (or frames) that are set aside."""
    validation_limit: int = Field(default=2000, ge=1)
    """Validation frames at most."""
    split: Literal["formula", "frame"] = "formula"
    """Frames of one formula are not parted; `frame` parts them, and flatters the errors."""

    @model_validator(mode="after")
    def _known(self) -> DataTable:
        if self.format not in FORMATS:
            raise ValueError(f"no format {self.format!r}. {nearest(self.format, FORMATS)}")
        if self.fidelity is None and FORMATS[self.format].fidelity is None:
            raise ValueError(
                f"files of format {self.format!r} do not say whose energies they hold; add fidelity"
            )
        return self

    @property
    def energies_of(self) -> str:
        """Fidelity of the frames as they are read."""
        return fidelity_of(self.fidelity) if self.fidelity else FORMATS[self.format].fidelity or ""

    @property
    def kind(self) -> str:
        """`total`, `adsorption` or `relaxed`."""
        return self.energy or ("relaxed" if self.format == "oc20-is2re-lmdb" else "total")

    @property
    def adsorption_fidelity(self) -> bool:
        """Whether the energies are counted from a reference already."""
        return self.energies_of.endswith("-adsorption")

    @property
    def head(self) -> str:
        """Name of the head that learns them."""
        base = self.energies_of
        if self.kind == "adsorption" and not self.adsorption_fidelity:
            base = OC20_ADSORPTION if base == OC20_TOTAL else f"{base}-adsorption"
        return f"{base}-relaxed" if self.kind == "relaxed" else base

    @property
    def adsorption(self) -> bool:
        """Whether the head tells adsorption energies."""
        return self.kind == "adsorption" or self.adsorption_fidelity


class NetworkTable(Settings):
    """`[network]`: its shape."""

    cutoff_angstrom: float = Field(default=5.0, ge=2.0, le=12.0)
    width: int = Field(default=96, ge=8, le=1024)
    layers: int = Field(default=3, ge=1, le=12)
    radial: int = Field(default=32, ge=4, le=256)
    vectors: int = Field(default=16, ge=1, le=256)
    tags: bool = False
    """Whether atoms are told apart by OC20's tags; the potential then needs them of every structure."""


class TrainingTable(Settings):
    """`[training]`: how long, how fast, and what counts."""

    epochs: int = Field(default=50, ge=1)
    batch: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    averaging: float = Field(default=0.999, ge=0, lt=1)
    clip: float = Field(default=5.0, gt=0)
    energy_weight: float = Field(default=4.0, ge=0)
    force_weight: float = Field(default=1.0, ge=0)
    stress_weight: float = Field(default=20.0, ge=0)
    freeze_trunk: bool = False
    checkpoint_seconds: float = Field(default=600.0, ge=0)
    seed: int = Field(default=0, ge=0)
    device: str = "cpu"
    threads: int | None = Field(default=None, ge=1)
    """Of torch on the processor; one is best beside other work. Another number, other last digits."""


class PotentialConfig(Settings):
    """The whole file."""

    name: str = Field(default="potential", pattern=NAME)
    """Of the model: the file becomes NAME.safetensors."""
    start_from: str | None = None
    """A trained potential whose network and heads are taken; new fidelities get heads of their own."""
    data: tuple[DataTable, ...] = Field(min_length=1)
    network: NetworkTable = NetworkTable()
    training: TrainingTable = TrainingTable()

    @model_validator(mode="after")
    def _fits(self) -> PotentialConfig:
        if self.start_from and "network" in self.model_fields_set:
            raise ValueError("[network] comes from the file that start_from names; leave one of them out")
        if self.training.freeze_trunk and not self.start_from:
            raise ValueError("freeze_trunk keeps what was learned before; name it by start_from")
        told = [table.share for table in self.data if table.share is not None]
        if told and len(told) < len(self.data):
            raise ValueError("give each of [[data]] a share, or none")
        return self


def placed(path: str) -> Path:
    """Where a path of the configuration leads: as it stands, in what `data fetch` got, or inside HYSTERON_DATA_DIR.

    Raises:
        NotFoundError: it is in none of them.
    """
    own = Path(path).expanduser()
    folders = [Path(), home() / "data"]
    if os.environ.get("HYSTERON_DATA_DIR"):
        folders.append(data_dir())
    for folder in folders:
        if (folder / own).exists():
            return folder / own
    looked = ", ".join(str(folder / own) for folder in folders[: 1 if own.is_absolute() else None])
    raise NotFoundError(f"There is no {looked}. 'hysteron data list' names what can be fetched.")
