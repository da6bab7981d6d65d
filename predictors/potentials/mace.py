"""MACE foundation models of the package mace-torch.

Evaluated in double precision, as their authors advise for relaxations. The weights are pickled modules:
a file given as `mace:PATH` runs whatever code it holds when it is read.

Source: Batatia et al., arXiv:2401.00096.
"""

# pyright: reportMissingImports=false
# The package is an extra.
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from .weights import hash_of_modules, is_path, known_model, path_of, told_in_words

UNRESTRICTED = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def mace(model: str | None, device: str) -> Any:
    """The ASE calculator of a MACE model; see `calculator`."""
    path = path_of(str(model)) if is_path(model) else None
    name, known = (None, None) if path else known_model("mace", model)
    with told_in_words("mace", model), _unrestricted_pickles(), redirect_stdout(StringIO()):
        from mace.calculators import mace_mp

        argument = str(path) if path else known.argument if known else None
        calculator = mace_mp(model=argument, device=device, default_dtype="float64")
    if known is not None:
        calculator.potential_name = f"MACE-{name}"
        calculator.energy_scale = known.energy_scale
    return described(calculator)


def described(calculator: Any) -> Any:
    """A MACE calculator with what the adapter wants to know of it."""
    calculator.elements = list(calculator.z_table.zs)
    calculator.model_hash = hash_of_modules(*calculator.models)
    return calculator


@contextmanager
def _unrestricted_pickles() -> Iterator[None]:
    """mace lifts torch's restriction on pickles for the whole process when imported; end that afterwards."""
    before = os.environ.get(UNRESTRICTED)
    os.environ[UNRESTRICTED] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(UNRESTRICTED, None)
        else:
            os.environ[UNRESTRICTED] = before
