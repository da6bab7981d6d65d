"""Which slab and adsorbate is an OC20 system made of?

The published `oc20_data_mapping.pkl` is a pickled dictionary of dictionaries, keyed `random1234`. It is read as plain
data; a name of any class or function in it is refused.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.errors import InputError, NotFoundError
from ..checked import number
from ..pickles.arrays import PLAIN_NAMES
from ..pickles.machine import read_pickle

MAX_BYTES = 2 * 1024**3
"""The published file has about 0.3 GB."""


@dataclass(frozen=True, slots=True)
class Oc20System:
    """What an OC20 system is made of.

    Attributes:
        bulk_id: Number of the bulk within OC20.
        ads_id: Number of the adsorbate within OC20.
        bulk_symbols: Formula of the bulk.
        ads_symbols: Formula of the adsorbate, a star where it binds.
        bulk_mpid: Materials Project id of the bulk.
        miller_index: Of the surface.
        shift: Where the bulk was cut along the normal, in parts of a layer distance.
        top: Whether the adsorbate is on the upper side as the slab was cut.
        adsorption_site: Places of the binding atoms, A.
        material_class: 0 intermetallic, 1 metalloid, 2 nonmetal, 3 halide, as OC20 counts.
        anomaly: 0 none, 1 dissociated, 2 desorbed, 3 reconstructed, 4 bound to a molecule beyond, as OC20 counts.
    """

    bulk_id: int
    ads_id: int
    bulk_symbols: str
    ads_symbols: str
    bulk_mpid: str
    miller_index: tuple[int, int, int]
    shift: float
    top: bool
    adsorption_site: tuple[tuple[float, float, float], ...]
    material_class: int
    anomaly: int


def read_mapping(path: Path) -> dict[str, Oc20System]:
    """Every system of the published mapping.

    Raises:
        NotFoundError: there is no such file.
        InputError: it holds something else than plain data, or a system lacks a field.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 < size <= MAX_BYTES:
                raise InputError(f"{path} has {size} bytes; a mapping of up to {MAX_BYTES} is read.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                found = read_pickle(mapped, PLAIN_NAMES)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InputError(f"{path} holds no dictionary of systems.")
    for key, fields in found.items():
        found[key] = _system(fields, f"{path}, {key}")
    return found


def _system(fields: Any, where: str) -> Oc20System:
    if not isinstance(fields, Mapping):
        raise InputError(f"{where}: it is no dictionary.")
    try:
        return Oc20System(
            bulk_id=_whole(fields["bulk_id"]),
            ads_id=_whole(fields["ads_id"]),
            bulk_symbols=_text(fields["bulk_symbols"]),
            ads_symbols=_text(fields["ads_symbols"]),
            bulk_mpid=_text(fields["bulk_mpid"]),
            miller_index=_three(fields["miller_index"], _whole),
            shift=_real(fields["shift"]),
            top=bool(_whole(fields["top"])),
            adsorption_site=tuple(_three(site, _real) for site in fields["adsorption_site"]),
            material_class=_whole(fields["class"]),
            anomaly=_whole(fields["anomaly"]),
        )
    except KeyError as error:
        raise InputError(f"{where}: it lacks {error}.") from None
    except (TypeError, ValueError, InputError) as error:
        raise InputError(f"{where}: {error}") from None


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise InputError(f"{str(value)[:40]!r} is no whole number.")
    return int(value)


def _real(value: object) -> float:
    found = number(value, "number")
    if found is None:
        raise InputError("a number is missing.")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{str(value)[:40]!r} is no text.")
    return value


def _three(values: Any, kind: Any) -> Any:
    if not isinstance(values, tuple | list) or len(values) != 3:
        raise InputError(f"{str(values)[:40]!r} are not three numbers.")
    return tuple(kind(value) for value in values)
