"""TensorNet, M3GNet and CHGNet as matgl has them.

`matgl:PATH` is a folder that matgl wrote, or a repository of the hub as `matgl:OWNER/NAME`. Weights are
read by torch's restricted unpickler.

Source: Ko et al., npj Comput. Mater. 11, 253 (2025), doi:10.1038/s41524-025-01742-y; MatPES: Kaplan et
al., arXiv:2503.04070.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
# The package is an extra.
from __future__ import annotations

from pathlib import Path
from typing import Any

from .weights import is_path, known_model, told_in_words


def matgl(model: str | None, device: str) -> Any:
    """The ASE calculator of a matgl potential; see `calculator`."""
    own = str(model).removeprefix(":") if is_path(model) else None
    known = None if own else known_model("matgl", model)[1]
    with told_in_words("matgl", model):
        import matgl as package

        argument = str(Path(own).expanduser()) if own else known.argument if known else ""
        potential = package.load_model(argument)
    calculator = described(potential.to(device))
    if known is not None:
        calculator.potential_name = known.argument
        calculator.energy_scale = known.energy_scale
    return calculator


def described(potential: Any) -> Any:
    """The calculator of a matgl potential in eV and A, with the elements it knows."""
    from matgl.ext.ase import PESCalculator

    calculator = PESCalculator(potential, stress_unit="eV/A3", use_voigt=True)
    calculator.elements = list(calculator.element_types)
    return calculator
