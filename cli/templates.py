"""Which crystal does `--template` name?

A file that is there, or is named like one; else an id of the catalogue (or of the Materials Project, for a crystal of the
catalogue); else an id of the store.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..store.store import CandidateStore

MOST_PROPOSED = 6


def find_template(name: str, store: CandidateStore | None) -> Candidate:
    """The crystal of that name.

    Args:
        name: A file, or an id.
        store: Where ids are looked up beside the catalogue; by default the default store, if there is one.

    Raises:
        InputError: the file holds no crystal that can be used, or several.
        NotFoundError: nothing has that name.
    """
    from ..core.errors import NotFoundError
    from ..retrieval.catalog.source import Catalog
    from ..retrieval.file_formats import format_of

    path = Path(name.partition("#")[0]).expanduser()
    if path.exists() or Path(name).exists() or format_of(path):
        return _from_file(name)
    crystals = list(Catalog().search())
    for candidate in crystals:
        if name in (candidate.candidate_id, *_material_ids(candidate)):
            return candidate
    stored, address = _from_store(name, store)
    if stored is not None:
        return stored
    ids = [c.candidate_id for c in crystals]
    raise NotFoundError(
        f"There is no template {name!r}: no file of that name, and neither the catalogue nor {address} has that id. "
        f"{_near(name, ids)}"
    )


def _from_file(name: str) -> Candidate:
    from ..core.errors import InputError
    from ..retrieval.files import read_paths

    whole, _, part = name.partition("#")
    path = Path(name if Path(name).exists() else whole).expanduser()
    if path.is_dir():
        raise InputError(f"The template {name} is a folder; name one file.")
    entries = list(read_paths([path]))
    if part and str(path) != name:
        entries = [entry for entry in entries if entry.input == f"{path}#{part}"]
    if len(entries) != 1:
        raise InputError(
            f"The template {name} holds {len(entries)} crystals; name one of them, such as {entries[0].input}."
            if entries
            else f"The template {path} holds no crystal {part!r}."
        )
    entry = entries[0]
    if entry.candidate is None:
        reason = entry.failure.reason if entry.failure else "it holds no crystal."
        raise InputError(f"The template {name} cannot be used: {reason}")
    return entry.candidate


def _from_store(name: str, store: CandidateStore | None) -> tuple[Candidate | None, str]:
    """The crystal of that id, if there is one, and the store that was asked, in words."""
    from ..core.errors import NoStoreError, NotFoundError
    from ..store.store import CandidateStore

    if store is None:
        try:
            with CandidateStore.open(None, create=False) as opened:
                return _from_store(name, opened)
        except NoStoreError:
            return None, "a store (there is none yet)"
    try:
        return store.get(name), ""
    except NotFoundError:
        return None, f"the store {store.url_shown}"


def _material_ids(candidate: Candidate) -> Iterable[str]:
    origin = candidate.provenance[0].details
    return origin.get("material_id", ""), *origin.get("same_as", ())


def _near(name: str, ids: list[str]) -> str:
    """What may have been meant: crystals of that formula, or ids that look like it."""
    from pymatgen.core import Composition

    formula = name.split("-", 1)[0]
    with suppress(Exception):  # it need not be one
        formula = Composition(formula).reduced_formula
    alike = [one for one in ids if one.split("-", 1)[0] == formula]
    if alike:
        more = "" if len(alike) <= MOST_PROPOSED else f" and {len(alike) - MOST_PROPOSED} more"
        return f"The catalogue's {formula}: {', '.join(alike[:MOST_PROPOSED])}{more}."
    close = difflib.get_close_matches(name, ids, n=3, cutoff=0.6)
    return (
        f"Did you mean {' or '.join(close)}?"
        if close
        else "'hysteron retrieve' lists what the catalogue has."
    )
