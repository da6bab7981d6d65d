"""Settings: one pydantic model per component, unknown keys refused; where things live.

A run is one TOML file. Options override the file, the file overrides the preset; the resolved copy is
stored with the run. Secrets come from the environment only and are never part of a settings model.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import MissingDataError, SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Settings(BaseModel):
    """Base of every component's settings: frozen, and a typing error speaks up."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Settings)


def validate(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """Build a settings model, turning pydantic's errors into sentences.

    Args:
        model: The component's settings.
        values: As read from TOML.
        where: What the user calls this part, for the message: `[run]`.

    Raises:
        SettingsError: an unknown key or a value that does not fit.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        sentences = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            if problem["type"] == "extra_forbidden":
                sentences.append(f"{where} has no setting {key!r}. {nearest(key, model.model_fields)}")
            else:
                sentences.append(f"{where} {key}: {problem['msg']} (got {problem['input']!r}).")
        raise SettingsError(" ".join(sentences)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        SettingsError: no such file, or it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}.") from None


def config_hash(values: Any) -> str:
    """Twelve hex digits of a settings model or JSON object, the same for equal content."""
    if isinstance(values, BaseModel):
        values = values.model_dump(mode="json")
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables that hold in the block, for this process and those it starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def home() -> Path:
    """`HYSTERON_HOME`: where the store, caches, models and built data live."""
    return Path(os.environ.get("HYSTERON_HOME") or Path.home() / ".local/share/hysteron").expanduser()


def default_store_url() -> str:
    """`HYSTERON_STORE`, or the SQLite file in `HYSTERON_HOME`."""
    return os.environ.get("HYSTERON_STORE") or f"sqlite:///{home() / 'store.db'}"


def data_dir() -> Path:
    """`HYSTERON_DATA_DIR`: the folder of downloaded data sets.

    Raises:
        MissingDataError: it is not set or not a folder.
    """
    value = os.environ.get("HYSTERON_DATA_DIR")
    if not value:
        raise MissingDataError(
            "This needs the downloaded data sets: set HYSTERON_DATA_DIR to their folder "
            "('hysteron data list' names them, 'hysteron data fetch' gets them)."
        )
    path = Path(value).expanduser()
    if not path.is_dir():
        raise MissingDataError(f"HYSTERON_DATA_DIR names {path}, which is not a folder.")
    return path


def data_file(name: str, explicit: str | Path | None = None) -> Path | Traversable:
    """Where a shipped table or model is read from: explicit path, `HYSTERON_HOME`/data, shipped.

    Args:
        name: Path inside the data folder, such as `catalog.jsonl.gz`.
        explicit: A path the user gave, which wins.

    Raises:
        MissingDataError: none of the places has it.
    """
    return _found(explicit, home() / "data" / name, name, "'hysteron data build' makes it.")


def model_file(name: str, explicit: str | Path | None = None) -> Path | Traversable:
    """Where trained weights are read from: explicit path, `HYSTERON_HOME`/models, shipped.

    Raises:
        MissingDataError: none of the places has them.
    """
    return _found(explicit, home() / "models" / name, f"models/{name}", "'hysteron train' makes it.")


def _found(explicit: str | Path | None, own: Path, shipped_name: str, remedy: str) -> Path | Traversable:
    if explicit is not None:
        path = Path(explicit).expanduser()
        if not path.is_file():
            raise MissingDataError(f"There is no file {path}.")
        return path
    if own.is_file():
        return own
    shipped = resources.files("hysteron.data").joinpath(*shipped_name.split("/"))
    if shipped.is_file():
        return shipped
    raise MissingDataError(f"Neither {own} nor the package holds {shipped_name}. {remedy}")
