"""What an installation needs, checked one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from ..core.errors import HysteronError
from ..core.settings import data_file, default_store_url, home


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, whether it is well, and in words."""

    name: str
    ok: bool
    finding: str


def checks() -> Iterator[Check]:
    """Every check, in the order a newcomer would want."""
    yield Check("hysteron", True, version("hysteron"))
    yield _packages()
    yield from (_tried(name, look) for name, look in _LOOKS)
    yield from _potentials()


def _potentials() -> Iterator[Check]:
    """The potentials beside the default one: none is needed, so none is wrong."""
    from ..predictors import POTENTIALS
    from ..predictors.potentials.loading import describe_families

    for family, finding in describe_families(POTENTIALS):
        yield Check(f"potential {family}", True, finding)


def _packages() -> Check:
    from packaging.requirements import Requirement

    wrong = []
    for line in requires("hysteron") or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} {found} does not fit {requirement.specifier}")
    return Check("packages", not wrong, "; ".join(wrong) or "all pins met")


def _home() -> str:
    home().mkdir(parents=True, exist_ok=True)
    if not os.access(home(), os.W_OK):
        raise HysteronError(f"{home()} cannot be written; set HYSTERON_HOME to a folder of your own.")
    return str(home())


def _table(name: str) -> Callable[[], str]:
    return lambda: str(data_file(name))


def _store() -> str:
    from ..core.errors import NoStoreError
    from ..store.store import CandidateStore

    try:
        with CandidateStore.open(default_store_url(), create=False) as store:
            return f"{store.count(None)} candidates in {store.url_shown}"
    except NoStoreError:
        return "none yet; the first 'hysteron discover' makes one"


def _potential() -> str:
    from . import toolbox

    potential = toolbox.potential("chgnet")
    return f"{potential.name}, weights {potential.model_hash}"


def _device() -> str:
    import torch

    return f"CUDA: {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "CPU"


def _key() -> str:
    return "set" if os.environ.get("MP_API_KEY") else "not set (only needed for the Materials Project online)"


_LOOKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("HYSTERON_HOME", _home),
    ("catalogue", _table("catalog.jsonl.gz")),
    ("hull", _table("hull.csv.gz")),
    ("store", _store),
    ("potential", _potential),
    ("device", _device),
    ("MP_API_KEY", _key),
)


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except HysteronError as error:
        return Check(name, False, str(error))
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}")
