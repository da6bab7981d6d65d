"""What these tests share: a server of real materials, its key, and a clock that does not wait."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest
from hysteron.core.candidate import Candidate
from hysteron.retrieval.materials_project.client import Client
from hysteron.retrieval.materials_project.crystals import Tally, records_of, with_gap_method
from hysteron.retrieval.materials_project.session import Clock, Patience
from servers.materials_project import KEY, MaterialsProjectServer
from servers.materials_project_documents import Documents, from_catalog

COUNT = 100


@dataclass
class Waits:
    """A clock that notes how long it was asked to wait."""

    seconds: list[float] = field(default_factory=list)
    now: float = 1_700_000_000.0
    """Seconds since 1970: 14 November 2023, 22:13:20 UTC."""

    @property
    def clock(self) -> Clock:
        return Clock(sleep=self.seconds.append, now=lambda: self.now, chance=lambda: 1.0)


@pytest.fixture(scope="session")
def served_documents() -> Documents:
    """A hundred materials; not to be changed."""
    return from_catalog(COUNT)


@pytest.fixture(scope="session")
def everything(served_documents) -> dict[str, Candidate]:
    """Every record as a candidate of its own, by material id; all gaps are PBE or PBE+U."""
    raws = served_documents.of("summary")
    records = (record for raw in raws for record in records_of([raw], "", "2025.09.25", Tally()))
    return {r.summary.material_id: with_gap_method(r.candidate, "PBE") for r in records}


@pytest.fixture
def documents(served_documents) -> Documents:
    """A copy that a test may change."""
    return copy.deepcopy(served_documents)


@pytest.fixture
def server(documents, monkeypatch):
    monkeypatch.setenv("MP_API_KEY", KEY)
    monkeypatch.delenv("MP_API_ENDPOINT", raising=False)
    with MaterialsProjectServer(documents) as running:
        yield running


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(server, waits) -> Client:
    return Client(server.url, Patience(response_seconds=20.0), waits.clock)
