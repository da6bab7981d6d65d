"""`hysteron train`: the models that users train on their own machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import say
from .train_potential import potential

app = typer.Typer(
    no_args_is_help=True,
    help="Train a model from a configuration file; an interrupted training goes on where it stopped.",
)

ConfigArgument = Annotated[Path, typer.Argument(help="A TOML file; examples stand in data/configs.")]
IntoOption = Annotated[
    Path | None, typer.Option(help="Folder for the model. Default: models in HYSTERON_HOME.")
]
AnewOption = Annotated[bool, typer.Option("--anew", help="Begin again, also where a run was interrupted.")]


@app.command()
def properties(
    config: ConfigArgument,
    into: IntoOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that prepare the crystals.")] = 1,
    anew: AnewOption = False,
) -> None:
    """Train the property network on the data sets in HYSTERON_DATA_DIR, and calibrate its intervals."""
    from ..core.settings import read_toml, validate
    from ..flows.train_properties import train_properties
    from ..predictors.properties.settings import PropertiesConfig
    from .progress import bars

    settings = validate(PropertiesConfig, read_toml(config), str(config))
    with bars() as shown:
        path = train_properties(settings, into, shown, workers, anew)
    say(f"{path}; its errors on test crystals stand in {path.with_suffix('.md').name}.")


@app.command()
def tokens(
    config: ConfigArgument,
    into: IntoOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that encode the crystals.")] = 1,
    anew: AnewOption = False,
) -> None:
    """Train the token generator on the crystals in HYSTERON_DATA_DIR."""
    from ..core.settings import read_toml, validate
    from ..flows.train_tokens import train_tokens
    from ..generators.tokens.settings import TokensConfig
    from .progress import bars

    settings = validate(TokensConfig, read_toml(config), str(config))
    with bars() as shown:
        path = train_tokens(settings, into, shown, workers, anew)
    say(f"{path}; its log and curves stand beside it.")


app.command()(potential)
