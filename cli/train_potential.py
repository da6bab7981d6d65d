"""`hysteron train potential`: energies, forces and stresses from a user's own frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import say


def potential(
    config: Annotated[Path, typer.Argument(help="A TOML file; examples stand in data/configs.")],
    into: Annotated[
        Path | None, typer.Option(help="Folder for the model. Default: models in HYSTERON_HOME.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that prepare the frames.")] = 1,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again, also where a run was interrupted.")
    ] = False,
) -> None:
    """Train or fine-tune a potential on OC20, OMat24 or other frames of energies and forces."""
    from ..core.settings import read_toml, validate
    from ..flows.train_potential import train_potential
    from ..predictors.trained_potential.settings import PotentialConfig
    from .progress import bars

    settings = validate(PotentialConfig, read_toml(config), str(config))
    with bars() as shown:
        path = train_potential(settings, into, shown, workers, anew)
    say(f"{path}; its validation errors stand in {path.with_suffix('.json').name}.")
    say(f"Use it: hysteron relax FILE --potential trained:{path}")
