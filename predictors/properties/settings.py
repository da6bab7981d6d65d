"""What `hysteron train properties CONFIG` reads."""

from __future__ import annotations

from pydantic import Field

from ...core.settings import Settings
from .heads import HEADS
from .sets import SETS


class DataTable(Settings):
    """`[data]`: what is learned."""

    sets: tuple[str, ...] = Field(default=SETS, min_length=1)
    """Data sets; their files stand in HYSTERON_DATA_DIR."""
    heads: tuple[str, ...] = Field(default=tuple(HEADS), min_length=1)
    """Properties."""
    validation_limit: int = Field(default=3000, ge=1)
    """Validation crystals looked at after an epoch; calibration takes them all."""


class NetworkTable(Settings):
    """`[network]`: its shape."""

    width: int = Field(default=96, ge=8, le=1024)
    layers: int = Field(default=3, ge=1, le=12)
    members: int = Field(default=5, ge=2, le=50)
    chgnet_features: bool = True


class TrainingTable(Settings):
    """`[training]`: how long and how fast."""

    epochs: int = Field(default=24, ge=1)
    batch: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    averaging: float = Field(default=0.999, ge=0, lt=1)
    seed: int = Field(default=0, ge=0)
    device: str = "cpu"


class PropertiesConfig(Settings):
    """The whole file."""

    name: str = Field(default="properties", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    """Of the model: the file becomes NAME.safetensors."""
    data: DataTable = DataTable()
    network: NetworkTable = NetworkTable()
    training: TrainingTable = TrainingTable()
