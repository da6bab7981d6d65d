"""How is the mobility of a named ion found in a host, and how is it judged?

An ion that the host holds hops into the vacancies of its own sublattice; one that is put in between voids. Both are told in one
JSON form. A barrier has the error of the potential, for ions whose hops were compared with DFT that of those hops.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...core.contracts import Tools
from ..criteria import Criterion
from ..defects.barrier_error import barrier_error
from ..defects.barriers import MigrationConfig, migration_of
from ..defects.hops import HopConfig
from ..defects.interstitial_hops import mobility_of
from ..defects.interstitials import InterstitialConfig, insertion_of
from ..window import Window, judge_in_window
from .wall_times import within

if TYPE_CHECKING:
    from pymatgen.core import Structure

OWN_HOPS = MigrationConfig(hops=HopConfig(longest_angstrom=5.5))
"""Silver in AgI and iodine in CsPbI3 lie 4.6 A from their next."""


def between_voids(
    host: Structure, ion: str, tools: Tools, config: InterstitialConfig, stop_at: float | None = None
) -> dict[str, Any] | str:
    """How an ion that is put in moves, as JSON: `barrier` (eV or `None`), `uncertainty`, `method`, `hops`, `insertion` ...

    Args:
        host: At rest by the potential of the tools.
        ion: Symbol.
        tools: `potential`, `atoms_relaxer`, `hull`.
        config: Voids and bands.
        stop_at: By `time.monotonic`, after which no more bands are begun.

    Returns:
        A sentence if there is no answer.
    """
    limited = within(config, stop_at)
    insertion = insertion_of(host, ion, tools, limited)
    if isinstance(insertion, str):
        return insertion
    mobility = mobility_of(insertion, tools, limited)
    if isinstance(mobility, str):
        return {"ion": ion, "barrier": None, "why": mobility, "insertion": insertion.record()}
    return {**mobility.record(), "insertion": insertion.record()}


def into_vacancies(
    host: Structure, ion: str, tools: Tools, config: MigrationConfig, stop_at: float | None = None
) -> dict[str, Any] | str:
    """How one of the host's own ions moves, in the same form.

    Args:
        host: At rest by the potential of the tools.
        ion: Symbol.
        tools: `potential`.
        config: Hops and bands.
        stop_at: By `time.monotonic`, after which no more bands are begun.

    Returns:
        A sentence if there is no answer.
    """
    migration = migration_of(host, ion, tools, within(config, stop_at))
    if isinstance(migration, str):
        return migration
    found = as_mobility(migration.record())
    if migration.barrier is None or tools.potential is None:
        return found
    error = barrier_error(migration.barrier, ion, tools.potential)
    return (
        found
        if error is None
        else {**found, "uncertainty": error.uncertainty, "interval": list(error.interval)}
    )


def as_mobility(migration: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a vacancy's hops (`Migration.record`) in the form of `between_voids`."""
    governing = next(
        (hop for hop in migration["hops"] if hop["name"] == migration.get("governing_hop")), None
    )
    how = str(governing["method"]) if governing else "no hops that connect"
    named = how if migration["potential"] in how else f"{migration['potential']}, {how}"
    return {
        **migration,
        "method": f"{named}, hops into vacancies",
        "why": "; ".join(hop["note"] for hop in migration["hops"] if hop["height"] is None and hop["note"]),
    }


def easier(records: Sequence[dict[str, Any] | str]) -> dict[str, Any] | str:
    """Of several ways in which an ion may move the one with the lowest barrier; if none has one, the first.

    Args:
        records: Of `between_voids` or `into_vacancies`; not empty.
    """
    known = [one for one in records if isinstance(one, Mapping) and one.get("barrier") is not None]
    return min(known, key=lambda one: float(one["barrier"])) if known else records[0]


def judge_barrier(name: str, ion: str, record: Any, window: Window) -> Criterion:
    """The criterion on a barrier.

    Args:
        name: Of the criterion.
        ion: As it is told.
        record: Of `between_voids` or `into_vacancies`; a sentence where it failed; `None` where it was not asked.
        window: eV.
    """
    end = window.high if window.high is not None else window.low
    if record is None:
        why = f"{name} of {ion} not computed: it needs relaxations and elastic bands in a supercell"
        return Criterion(name, "not computed", why, None, end, "eV")
    barrier = record.get("barrier") if isinstance(record, Mapping) else None
    if barrier is None:
        why = record.get("why") if isinstance(record, Mapping) else record
        told = str(why or "no hops that connect").rstrip(".")
        return Criterion(name, "missing", f"{name} of {ion} is missing: {told}", None, end, "eV")
    found = judge_in_window(
        f"{name} of {ion}",
        float(barrier),
        window,
        "eV",
        str(record["method"]),
        record.get("uncertainty"),
        record.get("interval"),
    )
    return dataclasses.replace(found, name=name)


def most_promising(choices: Sequence[Sequence[Criterion]]) -> Sequence[Criterion]:
    """Of the criteria of several ions those that fail nowhere, or least; then those that are known, then the best scores.

    Args:
        choices: Not empty; of equals the first counts.
    """
    return max(choices, key=_promise)


_RANK = {"passed": 3, "not computed": 2, "missing": 1, "failed": 0}


def _promise(criteria: Sequence[Criterion]) -> tuple[float, ...]:
    ranks = [_RANK[one.status] for one in criteria]
    return (min(ranks), sum(ranks), sum(one.score or 0.0 for one in criteria))
