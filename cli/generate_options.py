"""Which wish of `hysteron generate` belongs to which setting of a generator, and what if there is none?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from ..core.contracts import Generator

SETTINGS = {
    "--formula": "formula",
    "--chemsys": "chemsys",
    "--elements-from": "elements",
    "--natoms": "natoms",
    "--spacegroup": "spacegroup_number",
    "--polar": "polar_only",
    "--intermetallics": "intermetallics",
    "--property": "properties",
    "--mask": "mask",
    "--temperature": "temperature",
    "--guidance": "guidance",
    "--steps": "steps",
    "--from-tokens": "from_tokens",
    "--steering": "steering",
    "--model": "model",
}
"""Option to the field of a generator's settings; a generator without the field does not know the option."""
_OF_A_VALIDATOR = "Value error, "
_GROUP = "hysteron.generators"

Limits = tuple[float | None, float | None]


def kind_of(name: str) -> type[Generator]:
    """The class of a generator.

    Raises:
        NotFoundError: there is none of that name.
    """
    from ..core.registry import load
    from ..generators import GENERATORS

    return load(name, GENERATORS, _GROUP)


def configured(name: str, kind: Any, wishes: Mapping[str, Any]) -> Generator:
    """A generator with these wishes.

    Args:
        name: As the user types it.
        kind: Its class.
        wishes: By option; only those given.

    Raises:
        SettingsError: it does not know one of them, or one does not fit.
    """
    from pydantic import ValidationError

    from ..core.errors import SettingsError

    model: type[BaseModel] = kind.config_model
    for option in wishes:
        if SETTINGS[option] not in model.model_fields:
            raise SettingsError(f"{name} does not know {option}; {_who_knows(option)}.")
    try:
        config = model.model_validate({SETTINGS[option]: wish for option, wish in wishes.items()})
    except ValidationError as error:
        raise SettingsError(" ".join(map(_sentence, error.errors()))) from None
    return kind(config)


def property_ranges(texts: Sequence[str]) -> dict[str, Limits]:
    """`band_gap=2..` as {"band_gap": (2.0, None)}.

    Raises:
        InputError: one is no range of a property of the table, or a property comes twice.
    """
    from ..core.errors import InputError
    from ..core.properties import describe

    found: dict[str, Limits] = {}
    for text in texts:
        name, _, limits = (part.strip() for part in text.partition("="))
        ends = [part.strip() for part in limits.split("..")]
        if len(ends) != 2 or not any(ends):
            raise InputError(
                f"--property {text!r}: write NAME=LO..HI, such as band_gap=2..4; one end may be left out."
            )
        describe(name)
        if name in found:
            raise InputError(f"--property {name} is given twice; give one range.")
        low, high = (_end(end, text) for end in ends)
        if low is not None and high is not None and low > high:
            raise InputError(f"--property {text!r} is empty: the first number is the smaller one.")
        found[name] = (low, high)
    return found


def _end(text: str, whole: str) -> float | None:
    from ..core.errors import InputError

    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise InputError(f"--property {whole!r}: {text!r} is no number.")
    return value


def _who_knows(option: str) -> str:
    """`tokens does`; a plug-in that cannot be loaded is not asked."""
    from ..core.registry import load, names
    from ..generators import GENERATORS

    knowers = []
    for name in names(GENERATORS, _GROUP):
        with suppress(Exception):
            if SETTINGS[option] in load(name, GENERATORS, _GROUP).config_model.model_fields:
                knowers.append(name)
    if not knowers:
        return "no generator here does"
    *others, last = knowers
    return f"{', '.join(others)} and {last} do" if others else f"{last} does"


def _sentence(problem: ErrorDetails) -> str:
    """One of pydantic's errors, under the name of the option: `--formula Xx2O: 'Xx2O' is not a chemical formula.`"""
    said = problem["msg"].removeprefix(_OF_A_VALIDATOR).rstrip(".")
    if not problem["loc"]:
        return f"{said[:1].upper()}{said[1:]}."
    option = next((option for option, field in SETTINGS.items() if field == problem["loc"][0]), "")
    return f"{option or problem['loc'][0]}: {said}{_got(problem['input'])}."


def _got(value: Any) -> str:
    return f" (got {value!r})" if isinstance(value, str | int | float) else ""
