"""Which potentials can be named, and what does each need?

A name is `FAMILY`, `FAMILY-MODEL` or `FAMILY:PATH`: `mace`, `mace-mp-0b3`, `mace:/home/me/fine.model`. The
first takes the family's default model, the last a file of weights of the user's own. Nothing heavy is
loaded here.

Only models whose forces are derivatives of their energy are listed; ORB's and EquiformerV2's direct models
are not, since a relaxation with them has no energy to go down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from ...core.energy_scales import MP2020, RAW_MATPES_PBE, RAW_MATPES_R2SCAN, RAW_MP, RAW_OMAT24


@dataclass(frozen=True)
class Model:
    """One set of weights.

    Attributes:
        argument: What the package calls it.
        energy_scale: See `core.energy_scales`.
        shipped: Whether the weights are in the package; else they are downloaded once.
        terms: What stands between a user and the weights: a licence, an access request.
    """

    argument: str
    energy_scale: str
    shipped: bool = False
    terms: str | None = None


@dataclass(frozen=True)
class Family:
    """The potentials of one package.

    Attributes:
        distribution: As pip knows it.
        extra: Of this project; `None` if it is always there.
        default: The model that the bare family name stands for; empty where files of the user's own are all there is.
        models: By the rest of their name.
        pickled: Whether a file of weights runs code when it is read, so that it must be trusted.
        hub: Where the weights come from, in words.
    """

    distribution: str
    extra: str | None
    default: str
    models: Mapping[str, Model] = field(default_factory=dict)
    pickled: bool = False
    hub: str = ""

    @property
    def installed(self) -> str | None:
        """The version of the package, or `None`."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None

    @property
    def how_to_install(self) -> str:
        """A command."""
        return f"pip install 'hysteron[{self.extra}]'" if self.extra else f"pip install {self.distribution}"


ACADEMIC = "the Academic Software License (no commercial use)"
UMA_TERMS = "Meta's FAIR Chemistry License, accepted on huggingface.co/facebook/UMA"
OMAT_TERMS = "Meta's licence, accepted on huggingface.co/facebook/OMAT24"

FAMILIES: dict[str, Family] = {
    "chgnet": Family("chgnet", None, "0.3.0", {"0.3.0": Model("0.3.0", MP2020, shipped=True)}),
    "sevennet": Family(
        "sevenn",
        "sevennet",
        "0",
        {
            "0": Model("7net-0", RAW_MP, shipped=True),
            "l3i5": Model("7net-l3i5", RAW_MP, shipped=True),
            "mf-ompa-mpa": Model("7net-mf-ompa", RAW_MP),
            "mf-ompa-omat24": Model("7net-mf-ompa", RAW_OMAT24),
            "omat": Model("7net-omat", RAW_OMAT24),
        },
        pickled=True,
        hub="GitHub or figshare",
    ),
    "mace": Family(
        "mace-torch",
        "mace",
        "mp-0b3",
        {
            "mp-0": Model("medium", RAW_MP),
            "mp-0-small": Model("small", RAW_MP),
            "mp-0-large": Model("large", RAW_MP),
            "mp-0b3": Model("medium-0b3", RAW_MP),
            "mpa-0": Model("medium-mpa-0", RAW_MP),
            "omat-0": Model("medium-omat-0", RAW_OMAT24, terms=ACADEMIC),
            "matpes-pbe-0": Model("mace-matpes-pbe-0", RAW_MATPES_PBE, terms=ACADEMIC),
            "matpes-r2scan-0": Model("mace-matpes-r2scan-0", RAW_MATPES_R2SCAN, terms=ACADEMIC),
        },
        pickled=True,
        hub="GitHub",
    ),
    "fairchem": Family(
        "fairchem-core",
        "fairchem",
        "uma-s-1p2",
        {
            "uma-s-1p2": Model("uma-s-1p2", RAW_OMAT24, terms=UMA_TERMS),
            "uma-s-1p1": Model("uma-s-1p1", RAW_OMAT24, terms=UMA_TERMS),
            "uma-m-1p1": Model("uma-m-1p1", RAW_OMAT24, terms=UMA_TERMS),
            "esen-30m-omat": Model("eSEN-30M-OMAT24", RAW_OMAT24, terms=OMAT_TERMS),
            "esen-30m-oam": Model("eSEN-30M-OAM", RAW_MP, terms=OMAT_TERMS),
            "esen-30m-mp": Model("eSEN-30M-MP", RAW_MP, terms=OMAT_TERMS),
        },
        pickled=True,
        hub="Hugging Face",
    ),
    "orb": Family(
        "orb-models",
        "orb",
        "v3-conservative-inf-omat",
        {
            "v3-conservative-inf-omat": Model("orb-v3-conservative-inf-omat", RAW_OMAT24),
            "v3-conservative-20-omat": Model("orb-v3-conservative-20-omat", RAW_OMAT24),
            "v3-conservative-inf-mpa": Model("orb-v3-conservative-inf-mpa", RAW_MP),
            "v3-conservative-20-mpa": Model("orb-v3-conservative-20-mpa", RAW_MP),
        },
        hub="Orbital Materials' public bucket",
    ),
    "mattersim": Family(
        "mattersim",
        "mattersim",
        "5m",
        {
            "1m": Model("MatterSim-v1.0.0-1M.pth", RAW_MP),
            "5m": Model("MatterSim-v1.0.0-5M.pth", RAW_MP),
        },
        hub="GitHub",
    ),
    "matgl": Family(
        "matgl",
        "matgl",
        "tensornet-matpes-pbe",
        {
            "tensornet-matpes-pbe": Model("TensorNet-PES-MatPES-PBE-2025.2", RAW_MATPES_PBE),
            "tensornet-matpes-r2scan": Model("TensorNet-PES-MatPES-r2SCAN-2025.2", RAW_MATPES_R2SCAN),
        },
        hub="Hugging Face",
    ),
    "trained": Family("hysteron", None, ""),
}
"""The families this project has an adapter for."""
