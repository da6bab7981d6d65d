"""UMA and the OMat24 models of Meta's fairchem.

Both are gated: their terms are accepted on Hugging Face, and a token stands in HF_TOKEN. UMA needs
fairchem-core 2. The OMat24 models (eSEN) were written by fairchem-core 1, which version 2 does not read, and
which asks for an older torch and numpy than this project: an environment of its own.

Files of weights are pickles: one given as `fairchem:PATH` runs whatever code it holds.

Source: Wood et al., arXiv:2506.23971 (UMA); Barroso-Luque et al., arXiv:2410.12771 (OMat24); Fu et al.,
arXiv:2502.12147 (eSEN).
"""

# pyright: reportMissingImports=false
# The package is an extra.
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...core.errors import MissingDataError
from .families import FAMILIES
from .weights import hash_of_modules, is_path, known_model, path_of, told_in_words

TASK = "omat"  # inorganic crystals, of the five that UMA learnt


def fairchem(model: str | None, device: str) -> Any:
    """The ASE calculator of a fairchem model; see `calculator`."""
    path = path_of(str(model)) if is_path(model) else None
    name, known = (None, None) if path else known_model("fairchem", model)
    argument = str(path) if path else known.argument if known else ""
    old = (FAMILIES["fairchem"].installed or "2").startswith("1.")
    if name is not None and FAMILIES["fairchem"].installed and old != name.startswith("esen"):
        wanted = "fairchem-core>=2" if old else "fairchem-core==1.10.0"
        raise MissingDataError(
            f"The potential fairchem-{name} needs {wanted}, in an environment of its own: "
            f"{FAMILIES['fairchem'].installed} is installed, and the two do not read each other's weights."
        )
    with told_in_words("fairchem", model):
        calculator = _version_one(argument, device, path) if old else _version_two(argument, device)
    if known is not None:
        calculator.potential_name = f"fairchem {known.argument}" + ("" if old else f" ({TASK})")
        calculator.energy_scale = known.energy_scale
    return calculator


def _version_two(argument: str, device: str) -> Any:
    from fairchem.core import FAIRChemCalculator, pretrained_mlip

    unit = pretrained_mlip.get_predict_unit(
        argument, inference_settings="batch", device=device.partition(":")[0]
    )
    calculator = FAIRChemCalculator(unit, task_name=TASK)
    calculator.model_hash = hash_of_modules(unit.model)
    return calculator


def _version_one(argument: str, device: str, path: Path | None) -> Any:
    from fairchem.core import OCPCalculator

    cache = Path(os.environ.get("FAIRCHEM_CACHE_DIR", "~/.cache/fairchem")).expanduser()
    where = {"checkpoint_path": str(path)} if path else {"model_name": argument, "local_cache": str(cache)}
    calculator = OCPCalculator(cpu=device == "cpu", seed=0, **where)
    calculator.model_hash = hash_of_modules(calculator.trainer.model)
    return calculator
