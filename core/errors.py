"""What can go wrong, as a tree.

HysteronError
|-- InputError            what came in cannot be used        exit 2
|   |-- StructureError    a crystal that cannot be treated (disordered, empty, overlapping)
|   |-- FilterError       a filter that cannot be read or names something unknown
|   |-- OutsideDomainError  crystals that a model never learnt were asked of it
|   |-- SettingsError     a RUN.toml, preset or option that does not fit
|   `-- NotFoundError     no such run, candidate, file or registered name
|-- HullError             no energy above hull can be given
|-- EnergyScaleError      energies of different scales would have been mixed
|-- StoreError            the store cannot be opened, or is newer than this program   exit 2
|   `-- NoStoreError      there is no store yet at the address
|-- OutputError           the output folder cannot be used    exit 2
|-- MissingDataError      a data folder or table is needed and absent   exit 2
|-- StageError            a stage failed as a whole           exit 1
|   `-- UnreachableError  a server elsewhere gave no answer; it may later
`-- ContractError         a component breaks a promise; only the checks in core/ raise it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HysteronError(Exception):
    """Base of all errors whose message is a sentence for the user."""

    exit_code = 1


class InputError(HysteronError):
    """What came in cannot be used; the message says what was wanted."""

    exit_code = 2


class StructureError(InputError):
    """A crystal that cannot be treated."""


class FilterError(InputError):
    """A filter that cannot be read or that names something unknown."""


class SettingsError(InputError):
    """A setting that does not fit."""


class OutsideDomainError(InputError):
    """Crystals that a model never learnt were asked of it; another component may know them."""


class NotFoundError(InputError):
    """A run, candidate, file or registered name that does not exist."""


class HullError(HysteronError):
    """No energy above hull can be given for this composition."""


class EnergyScaleError(HysteronError):
    """Energies of different scales would have been mixed, or a reference is missing."""


class StoreError(HysteronError):
    """The store cannot be opened or written."""

    exit_code = 2


class NoStoreError(StoreError):
    """There is no store yet at the address."""


class OutputError(HysteronError):
    """The output folder cannot be used."""

    exit_code = 2


class MissingDataError(HysteronError):
    """A data folder or table is needed and absent."""

    exit_code = 2


class StageError(HysteronError):
    """A stage failed as a whole."""


class UnreachableError(StageError):
    """A server elsewhere gave no answer; asked again later it may."""


class ContractError(HysteronError, AssertionError):
    """A component breaks a promise of its contract; the sentence says which."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """A sentence fragment that proposes the nearest known names.

    Args:
        name: What was asked for.
        known: What exists.
        count: How many near names to propose at most.

    Returns:
        `Did you mean 'band_gap'? Known: band_gap, ...`
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.5)
    guess = f"Did you mean {' or '.join(repr(c) for c in close)}? " if close else ""
    return f"{guess}Known: {', '.join(names)}."
