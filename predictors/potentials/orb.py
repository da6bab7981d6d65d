"""ORB v3, the conservative models of the package orb-models.

Weights are tensors alone (`weights_only`), so that a file given as `orb:PATH` runs no code; it is read into
the architecture of the default model.

Forces and stress are slopes of the energy, but ORB's network is not invariant by construction: it learns to
be. Of the promises of `core.potential_check` it breaks the one on rotation.

Source: Rhodes et al., arXiv:2504.06231.
"""

# pyright: reportMissingImports=false
# The package is an extra.
from __future__ import annotations

from typing import Any

from .families import FAMILIES
from .weights import is_path, known_model, path_of, told_in_words


def orb(model: str | None, device: str) -> Any:
    """The ASE calculator of an ORB model; see `calculator`."""
    path = path_of(str(model)) if is_path(model) else None
    name, known = known_model("orb", None if path else model)
    with told_in_words("orb", model):
        from orb_models.forcefield import pretrained

        load = pretrained.ORB_PRETRAINED_MODELS[known.argument]
        where = {"weights_path": str(path)} if path else {}
        network = load(device=device, precision="float32-highest", compile=False, **where)
    calculator = described(network, device)
    if path is None:
        calculator.potential_name = f"ORB {name}"
        calculator.energy_scale = known.energy_scale
    return calculator


def described(network: Any, device: str) -> Any:
    """The calculator of an ORB network, with what the adapter wants to know of it."""
    with told_in_words("orb", FAMILIES["orb"].default):
        from orb_models.forcefield.calculator import ORBCalculator

    return ORBCalculator(network, device=device)
