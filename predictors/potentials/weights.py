"""What is said when a package or its weights are not there?

Packages report a missing download each in its own way, often two exceptions deep. Here it becomes one
sentence with the next step in it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import HysteronError, InputError, MissingDataError, NotFoundError, nearest
from .families import FAMILIES, Family, Model

REFUSED = re.compile(r"\b(401|403|gated|unauthori[sz]ed|not authorized|forbidden)\b", re.IGNORECASE)
LONGEST_CAUSE = 160  # characters
HASH_DIGITS = 16


def is_path(model: str | None) -> bool:
    """Whether a model is named by a file of the user's own (`FAMILY:PATH`)."""
    return model is not None and model.startswith(":")


def path_of(model: str) -> Path:
    """The file that a model names.

    Raises:
        InputError: it is not there.
    """
    path = Path(model.removeprefix(":")).expanduser()
    if not path.exists():
        raise InputError(f"There are no weights at {path}.")
    return path


def known_model(family: str, model: str | None) -> tuple[str, Model]:
    """(its name, what is known of it) of one of the listed models of a family.

    Raises:
        NotFoundError: no such model; the nearest are proposed.
    """
    known = FAMILIES[family]
    name = model or known.default
    if name not in known.models:
        full = [f"{family}-{m}" for m in known.models]
        raise NotFoundError(f"No potential '{family}-{name}'. {nearest(f'{family}-{name}', full)}")
    return name, known.models[name]


@contextmanager
def told_in_words(family: str, model: str | None) -> Iterator[None]:
    """Import a package and load its weights inside; whatever fails becomes a sentence.

    Raises:
        MissingDataError: the package is missing or broken, or the weights are gated or absent.
        InputError: a file of weights that cannot be read.
    """
    about = FAMILIES[family]
    what = f"The potential {family}{model if is_path(model) else '-' + (model or about.default)}"
    try:
        yield
    except HysteronError:
        raise
    except ImportError as error:
        raise MissingDataError(_missing_package(what, about, error)) from error
    except Exception as error:
        if model is not None and is_path(model):
            raise InputError(f"{what} cannot be read: {type(error).__name__}: {error}") from error
        raise MissingDataError(_missing_weights(what, about, model, error)) from error


def _missing_package(what: str, about: Family, error: ImportError) -> str:
    if about.installed is None:
        return f"{what} needs the package {about.distribution}: {about.how_to_install}."
    return (
        f"{what} cannot be loaded: {about.distribution} {about.installed} is installed but does not import "
        f"({error}); try {about.how_to_install} in an environment of its own."
    )


def _missing_weights(what: str, about: Family, model: str | None, error: Exception) -> str:
    chain = list(_chain(error))
    cause = f"{type(chain[-1]).__name__}: {chain[-1]}"[:LONGEST_CAUSE]
    known = about.models.get(model or about.default)
    terms = known.terms if known else None
    if any(REFUSED.search(f"{type(e).__name__} {e}") for e in chain):
        return (
            f"{what} was refused by {about.hub}: accept {terms or 'the terms of the model'} there, "
            f"then 'hf auth login' or set HF_TOKEN. ({cause})"
        )
    alternative = f", or give a file you have as '{_family_name(about)}:PATH'"
    where = (
        f" and, since the weights are gated ({terms}), with HF_TOKEN set"
        if terms and "accepted" in terms
        else ""
    )
    return (
        f"{what} has no weights on this machine and they could not be fetched from {about.hub}: run this once "
        f"with a network{where}{alternative}. ({cause})"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those it came from, at most four."""
    for _ in range(4):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _family_name(about: Family) -> str:
    return next(name for name, family in FAMILIES.items() if family is about)


def hash_of_file(path: str | os.PathLike[str]) -> str:
    """First 16 hex digits of the SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:HASH_DIGITS]


def hash_of_modules(*modules: Any) -> str:
    """First 16 hex digits of the SHA-256 of all parameters and buffers of torch modules, by name."""
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in sorted(module.state_dict().items()):
            if hasattr(tensor, "detach"):
                digest.update(name.encode())
                digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:HASH_DIGITS]
