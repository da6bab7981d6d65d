"""What `hysteron train diffusion CONFIG` and `hysteron train diffusion-adapter` read."""

from __future__ import annotations

from pydantic import Field, model_validator

from ...core.settings import Settings


class DataTable(Settings):
    """`[data]`: the domain."""

    most_atoms: int = Field(default=20, ge=1, le=20)
    """Atoms in the primitive cell."""
    anions: bool = True
    """Only crystals with one of N, O, F, P, S, Cl, Se, Br, Te and I."""
    near_hull: float = Field(default=0.1, ge=0)
    """Greatest distance above the hull, eV/atom, of what the network learns; adapters learn from what lies higher as well."""


class NetworkTable(Settings):
    """`[network]`: its shape."""

    width: int = Field(default=240, ge=8, le=768)
    """Wider ones would have matrices that no shard of a checkpoint holds."""
    layers: int = Field(default=5, ge=1, le=32)
    heads: int = Field(default=8, ge=1, le=64)
    pair_width: int = Field(default=64, ge=4, le=512)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> NetworkTable:
        if self.width % self.heads:
            raise ValueError(f"heads = {self.heads} do not share width = {self.width} evenly")
        return self


class TrainingTable(Settings):
    """`[training]`: how long and how fast."""

    minutes: float = Field(default=110.0, gt=0)
    steps: int = Field(default=1_000_000, ge=1)
    batch: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    averaging: float = Field(default=0.9995, ge=0, lt=1)
    seed: int = Field(default=0, ge=0)
    device: str = "cpu"
    compiled: bool = False


class AdapterTable(Settings):
    """`[adapter]`: shape and training of an adapter; the rest is as for the network."""

    rank: int = Field(default=16, ge=1, le=256)
    minutes: float = Field(default=10.0, gt=0)
    steps: int = Field(default=1_000_000, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)


class DiffusionConfig(Settings):
    """The whole file."""

    name: str = Field(default="diffusion", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    """Of the model: the file becomes NAME.safetensors."""
    data: DataTable = DataTable()
    network: NetworkTable = NetworkTable()
    training: TrainingTable = TrainingTable()
    adapter: AdapterTable = AdapterTable()
