"""A provider with small crystals of the catalogue, and waits that take no time."""

from __future__ import annotations

import pytest
from servers.optimade import Optimade
from servers.optimade_examples import Pauses, shelf


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def server():
    with Optimade(shelf()) as running:
        yield running
