"""Schedules of one machine share a Prefect server, and none of them hangs on the life of another one."""

import json
import subprocess
import sys

import pytest
from hysteron.core.errors import SettingsError
from hysteron.flows import server, shared_server
from hysteron.flows.shared_server import _Share, server_of_schedules


class Toy:
    """Answers as long as its process lives, and needs no time to start."""

    answering: set = set()
    ports: list = []

    def __init__(self, folder, port=None):
        Toy.ports.append(port)
        self.url = f"http://127.0.0.1:{port or 5000 + len(Toy.ports)}/api"
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"], env={"PREFECT_HOME": str(folder)}
        )
        Toy.answering.add(self.url)

    def wait(self):
        pass

    def revive(self):
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()
        Toy.answering.discard(self.url)


@pytest.fixture
def toys(own_home, monkeypatch):
    Toy.answering, Toy.ports = set(), []
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(shared_server, "Server", Toy)
    for module in (server, shared_server):
        monkeypatch.setattr(module, "healthy", lambda url: url in Toy.answering)
    return Toy


def share():
    return _Share(server.record_path().parent)


def test_the_second_attaches_and_goes_on_when_the_first_ends(toys):
    first, second = share(), share()
    url = first.attach()
    assert second.attach() == url
    assert len(toys.ports) == 1
    second._look()
    assert len(toys.ports) == 1, "nothing to do while the first lives"
    first.leave()
    assert url not in toys.answering
    second._look()
    assert url in toys.answering, "at the same address"
    assert server.known_server() == url
    second.leave()
    assert server.known_server() is None
    assert not server.record_path().exists()


def test_the_server_of_a_killed_schedule_is_ended_before_another_one_starts(toys):
    killed = share()
    url = killed.attach()
    assert killed._server is not None
    assert killed._lock is not None
    left = killed._server.process
    killed._lock.close()  # as the kernel does for the dead
    next_one = share()
    assert next_one.attach() == url
    assert left.wait(timeout=10) != 0
    next_one.leave()


def test_a_process_that_only_has_the_number_now_is_left_alone(toys, tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    server.record_path().parent.mkdir(parents=True)
    server.record_path().write_text(json.dumps({"url": "http://127.0.0.1:7777/api", "pid": other.pid}))
    one = share()
    one.attach()
    assert other.poll() is None
    one.leave()
    other.kill()
    other.wait()


def test_a_named_server_is_taken_and_none_is_started(toys, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    with server_of_schedules() as url:
        assert url == "http://127.0.0.1:4200/api"
    assert toys.ports == []
    monkeypatch.setenv("PREFECT_API_URL", "http://example.org/api")
    with pytest.raises(SettingsError, match="no authentication"), server_of_schedules():
        pass


def test_a_record_of_something_else_is_no_server(own_home):
    server.record_path().parent.mkdir(parents=True)
    for text in ("[]", "{", '{"url": "http://example.org/api", "pid": "1"}'):
        server.record_path().write_text(text)
        assert server.recorded_url() is None
        assert server.recorded_pid() is None
