"""A fresh store for each test, on SQLite and, where one is named, on PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hysteron.store.store import CandidateStore

POSTGRES = os.environ.get("HYSTERON_TEST_POSTGRES")
"""URL of a PostgreSQL server on which databases may be made and dropped."""
KINDS = ["sqlite", "postgresql"]


@pytest.fixture(params=KINDS)
def store_url(request, tmp_path) -> Iterator[str]:
    """The address of a store that does not exist yet."""
    with _fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
def shared_store_url(request, tmp_path_factory) -> Iterator[str]:
    """As `store_url`, for tests of one file that only read."""
    with _fresh(request.param, tmp_path_factory.mktemp("shared")) as url:
        yield url


@pytest.fixture
def store(store_url) -> Iterator[CandidateStore]:
    """An empty store with one run, `run-a`."""
    with CandidateStore.open(store_url) as opened:
        opened.create_run(
            "run-a", seed=7, config={"run": {"seed": 7}}, versions={"hysteron": "0"}, budget="5m"
        )
        yield opened


@contextmanager
def _fresh(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}"
        return
    if not POSTGRES:
        pytest.skip(
            "HYSTERON_TEST_POSTGRES does not name a PostgreSQL server (postgresql://USER@HOST/DATABASE)."
        )
    import psycopg
    from sqlalchemy.engine import make_url

    name = f"hysteron_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
