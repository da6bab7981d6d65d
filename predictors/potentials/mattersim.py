"""MatterSim v1, M3GNet architecture, trained by Microsoft on its own calculations with MP's settings.

Files of weights are read by torch's restricted unpickler: tensors and plain containers only.

Source: Yang et al., arXiv:2405.04967.
"""

# pyright: reportMissingImports=false
# The package is an extra.
from __future__ import annotations

from typing import Any

from .weights import hash_of_modules, is_path, known_model, path_of, told_in_words


def mattersim(model: str | None, device: str) -> Any:
    """The ASE calculator of a MatterSim model; see `calculator`."""
    path = path_of(str(model)) if is_path(model) else None
    name, known = (None, None) if path else known_model("mattersim", model)
    with told_in_words("mattersim", model):
        from mattersim.forcefield import MatterSimCalculator

        argument = str(path) if path else known.argument if known else None
        calculator = MatterSimCalculator(load_path=argument, device=device)
    if known is not None:
        calculator.potential_name = f"MatterSim-v1.0.0-{str(name).upper()}"
        calculator.energy_scale = known.energy_scale
    calculator.model_hash = hash_of_modules(calculator.potential.model)
    return calculator
