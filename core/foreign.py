"""Crystals in JSON that somebody else wrote.

pymatgen decodes the properties of a site with `MontyDecoder`, which imports whatever class they name and
builds it. So what names a class there is refused before it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import InputError

if TYPE_CHECKING:
    from pymatgen.core import Structure

_NAMES_OF_CODE = {"@module", "@class", "@callable", "@bound"}


def structure_from_dict(record: Any) -> Structure:
    """A `Structure` from its `as_dict`, whoever wrote it.

    Raises:
        InputError: it is no such record, or its properties name a Python class.
    """
    from pymatgen.core import Structure

    refuse_embedded_objects(record)
    try:
        return Structure.from_dict(record)
    except Exception as error:
        raise InputError(f"The structure cannot be read: {type(error).__name__}: {error}.") from None


def refuse_embedded_objects(structure: Any) -> None:
    """Refuse properties of a structure or of its sites that name a Python class.

    Raises:
        InputError: they do.
    """
    if not isinstance(structure, dict):
        return
    sites = structure.get("sites")
    owners = [structure, *(sites if isinstance(sites, list) else ())]
    for owner in owners:
        if isinstance(owner, dict) and _names_code(owner.get("properties")):
            raise InputError("The structure's properties name a Python class; such records are not read.")


def _names_code(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(_NAMES_OF_CODE & value.keys()) or any(map(_names_code, value.values()))
    return isinstance(value, list) and any(map(_names_code, value))
