"""What the tests of OPTIMADE share: crystals, providers of test servers, and waits that take no time."""

from __future__ import annotations

from functools import lru_cache

from hysteron.retrieval.optimade.providers import Provider, ProviderProperty
from hysteron.retrieval.optimade.records import Record, read_entry
from hysteron.retrieval.optimade.transport import Limits, Waiting
from servers.optimade import entries_of_catalog

OWN = (
    ProviderProperty(name="band_gap", field="_exmpl_band_gap", method="PBE (example)"),
    ProviderProperty(name="band_gap", field="_exmpl_hse_gap", method="HSE06 (example)"),
    ProviderProperty(
        name="energy_above_hull",
        field="_exmpl_stability",
        path=("pbe", "hull_distance"),
        method="PBE (example)",
    ),
)
"""Fields of a provider whose entries are those of the test server."""
PATIENT = Limits(provider_seconds=30.0, total_seconds=30.0, silence_seconds=20.0)
QUICK = Limits(provider_seconds=20.0, total_seconds=20.0, silence_seconds=0.3)
"""For providers that hang; a working one may need longer on a busy machine."""


def provider(address: str, name: str = "example", **settings) -> Provider:
    """A provider that gives ten records at a time."""
    return Provider(name=name, base_url=address, **({"page_limit": 10, "properties": OWN} | settings))


class Pauses:
    """Waits that are counted and not waited for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.waiting = Waiting(sleep=self.seconds.append, jitter=lambda: 1.0)


@lru_cache(maxsize=1)
def shelf() -> tuple[dict, ...]:
    """Entries of 40 small crystals of the catalogue."""
    return tuple(entries_of_catalog(40))


@lru_cache(maxsize=1)
def records() -> tuple[Record, ...]:
    """The same, as records of the provider `example`; finding their space groups takes a moment."""
    someone = provider("http://127.0.0.1/optimade")
    return tuple(read_entry(entry, someone, "OPTIMADE 1.2.0", "") for entry in shelf())
