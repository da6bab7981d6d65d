"""What every test may rely on: a home of its own, no network, one Prefect server for all flow tests."""

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Nothing a test writes reaches the user's store; no key reaches a test."""
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("HYSTERON_STORE", "MP_API_KEY", "HYSTERON_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def prefect_server():
    """One temporary Prefect server; starting it costs half a minute, so flow tests share it."""
    import hysteron.flows  # noqa: F401
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
