"""`hysteron train`: the models that users train on their own machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import say
from .train_potential import potential

if TYPE_CHECKING:
    from ..generators.diffusion.settings import DiffusionConfig

app = typer.Typer(
    no_args_is_help=True,
    help="Train a model from a configuration file; an interrupted training goes on where it stopped.",
)

ConfigArgument = Annotated[Path, typer.Argument(help="A TOML file; examples stand in data/configs.")]
IntoOption = Annotated[
    Path | None, typer.Option(help="Folder for the model. Default: models in HYSTERON_HOME.")
]


class Profile(StrEnum):
    """Settings of the diffusion model that ship."""

    cpu_2h = "cpu-2h"
    gpu_30min = "gpu-30min"


class AdapterProperty(StrEnum):
    """What the diffusion model can be made to listen to."""

    band_gap = "band_gap"
    formation_energy_per_atom = "formation_energy_per_atom"
    energy_above_hull = "energy_above_hull"
    spacegroup = "spacegroup"


ProfileOption = Annotated[
    Profile | None,
    typer.Option(
        help="Settings that ship: two hours on two cores, or half an hour on a GPU.", show_default=False
    ),
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


@app.command()
def diffusion(
    config: Annotated[
        Path | None, typer.Argument(help="A TOML file, or name a profile.", show_default=False)
    ] = None,
    profile: ProfileOption = None,
    into: IntoOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that encode the crystals.")] = 1,
    anew: AnewOption = False,
) -> None:
    """Train the diffusion generator on the crystals in HYSTERON_DATA_DIR; the weights can be used from the first report on."""
    from ..flows.train_diffusion import train_diffusion
    from .progress import bars

    settings = _diffusion_settings(config, profile)
    with bars() as shown:
        path = train_diffusion(settings, into, shown, workers, anew)
    say(f"{path}; its card, log and curves stand beside it. Its adapters: hysteron train diffusion-adapter.")


@app.command("diffusion-adapter")
def diffusion_adapter(
    config: Annotated[
        Path | None,
        typer.Argument(help="The TOML file of the model, or name its profile.", show_default=False),
    ] = None,
    properties: Annotated[
        list[AdapterProperty] | None,
        typer.Option(
            "--property", help="What the model shall listen to. May be given again.", show_default=False
        ),
    ] = None,
    profile: ProfileOption = None,
    into: IntoOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that encode the crystals.")] = 1,
    anew: AnewOption = False,
) -> None:
    """Train adapters that make the diffusion generator listen to a property; the generator's own weights stay as they are."""
    from ..core.errors import SettingsError
    from ..flows.train_diffusion import train_adapter
    from .progress import bars

    if not properties:
        raise SettingsError(
            f"Name what the model shall listen to: --property {', '.join(p.value for p in AdapterProperty)}."
        )
    settings = _diffusion_settings(config, profile)
    for name in dict.fromkeys(properties):
        with bars() as shown:
            path = train_adapter(name.value, settings, into, shown, workers, anew)
        say(f"{path}; its card, log and curves stand beside it.")


def _diffusion_settings(config: Path | None, profile: Profile | None) -> DiffusionConfig:
    """The settings of a file, or of a profile that ships.

    Raises:
        SettingsError: both are given, or neither.
    """
    from importlib import resources

    from ..core.errors import SettingsError
    from ..core.settings import read_toml, validate
    from ..generators.diffusion.settings import DiffusionConfig

    if (config is None) == (profile is None):
        raise SettingsError(
            f"Give a TOML file or --profile {', '.join(p.value for p in Profile)}, one of them."
        )
    if profile is None:
        assert config is not None
        return validate(DiffusionConfig, read_toml(config), str(config))
    shipped = resources.files("hysteron.data").joinpath("configs", f"diffusion-{profile.value}.toml")
    with resources.as_file(shipped) as path:
        return validate(DiffusionConfig, read_toml(path), path.name)


app.command()(potential)
