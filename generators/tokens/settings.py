"""What `hysteron train tokens CONFIG` reads."""

from __future__ import annotations

from pydantic import Field, model_validator

from ...core.settings import Settings
from ..wyckoff.encode import MOST_ATOMS


class DataTable(Settings):
    """`[data]`: what is learned."""

    most_atoms: int = Field(default=MOST_ATOMS, ge=1, le=64)
    """Atoms in the primitive cell."""


class ModelTable(Settings):
    """`[model]`: its shape."""

    width: int = Field(default=256, ge=8, le=2048)
    layers: int = Field(default=5, ge=1, le=48)
    heads: int = Field(default=8, ge=1, le=64)
    coordinate_parts: int = Field(default=16, ge=1, le=64)
    lattice_parts: int = Field(default=8, ge=1, le=64)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> ModelTable:
        if self.width % self.heads:
            raise ValueError(f"heads = {self.heads} do not share width = {self.width} evenly")
        return self


class TrainingTable(Settings):
    """`[training]`: how long and how fast."""

    epochs: int = Field(default=30, ge=1)
    batch: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    averaging: float = Field(default=0.999, ge=0, lt=1)
    forgetting: float = Field(default=0.4, ge=0, le=1)
    seed: int = Field(default=0, ge=0)
    device: str = "cpu"


class ChoiceTable(Settings):
    """`[choice]`: how the epoch is chosen whose weights are kept; see `choice.py`."""

    every: int = Field(default=3, ge=1)
    """Epochs from one that is tried out to the next; the last one always is."""
    crystals: int = Field(default=500, ge=1)
    """Written by each epoch that is tried out."""
    near_hull: float = Field(default=0.1, gt=0)
    """Predicted distance above the hull up to which a crystal counts as promising, eV/atom."""


class TokensConfig(Settings):
    """The whole file."""

    name: str = Field(default="tokens", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    """Of the model: the file becomes NAME.safetensors."""
    data: DataTable = DataTable()
    model: ModelTable = ModelTable()
    training: TrainingTable = TrainingTable()
    choice: ChoiceTable = ChoiceTable()
