"""One request: what is tried again, how long is waited, what is said, and where the key does not go."""

from __future__ import annotations

import time
import traceback
from email.utils import formatdate

import pytest
from hysteron.core.errors import SettingsError, StageError
from hysteron.retrieval.materials_project.session import (
    RETRIED,
    Clock,
    Patience,
    PatientSession,
    retry_after,
    within,
)
from servers.materials_project import KEY, Fault

ASK = {"elements": "O", "_limit": "5"}


@pytest.fixture
def session(waits) -> PatientSession:
    return PatientSession(KEY, Patience(first_wait_seconds=1.0, response_seconds=20.0), waits.clock)


def ask(session: PatientSession, server, route: str = "summary"):
    return session.get(f"{server.url}materials/{route}/", params=ASK)


@pytest.mark.parametrize("status", RETRIED)
def test_a_status_that_may_pass_is_tried_again(server, session, waits, status):
    server.faults = [Fault(status=status, times=2)]
    assert ask(session, server).status_code == 200
    assert session.retries == 2
    assert waits.seconds == [1.0, 2.0]


@pytest.mark.parametrize("fault", [Fault(truncated=0.7), Fault(cut=0.4), Fault(truncated=0.0)])
def test_a_response_that_breaks_off_is_tried_again(server, session, waits, fault):
    undisturbed = ask(session, server).content
    server.faults = [fault]
    assert ask(session, server).content == undisturbed
    assert session.retries == 1


def test_waits_are_spread_between_half_and_all_of_a_doubling_span(server, waits):
    hasty = Clock(sleep=waits.seconds.append, now=lambda: waits.now, chance=lambda: 0.0)
    session = PatientSession(KEY, Patience(first_wait_seconds=1.0, longest_wait_seconds=3.0), hasty)
    server.faults = [Fault(status=503, times=4)]
    ask(session, server)
    assert waits.seconds == [0.5, 1.0, 1.5, 1.5]


@pytest.mark.parametrize(
    ("header", "waited"),
    [("7", 7.0), ("0", 1.0), ("100000", 60.0), ("soon", 1.0), (formatdate(1_700_000_009, usegmt=True), 9.0)],
)
def test_a_server_that_says_when_to_come_back_is_heard(server, session, waits, header, waited):
    server.faults = [Fault(status=429, headers={"Retry-After": header})]
    ask(session, server)
    assert waits.seconds == [waited]


def test_a_date_that_has_passed_asks_for_no_wait():
    assert retry_after(formatdate(1_699_999_000, usegmt=True), 1_700_000_000) == 0.0
    assert retry_after(None, 0.0) is None


def test_patience_ends_with_a_sentence(server, session, waits):
    server.faults = [Fault(status=500, times=99)]
    with pytest.raises(StageError, match=r"no answer in 6 attempts \(the last: status 500\).* is kept"):
        ask(session, server)
    assert waits.seconds == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_nobody_listens(session, waits):
    with pytest.raises(StageError, match="the last: ConnectionError"):
        session.get("http://127.0.0.1:9/")
    assert len(waits.seconds) == 5


def test_a_response_that_drips_is_given_up_as_a_whole(server, waits):
    session = PatientSession(KEY, Patience(attempts=2, response_seconds=0.3), waits.clock)
    server.faults = [Fault(drip=0.02, times=2)]
    began = time.monotonic()
    with pytest.raises(StageError, match=r"no complete response within 0.3 s"):
        ask(session, server)
    assert time.monotonic() - began < 5


def test_a_response_that_does_not_begin_is_given_up_as_well(server, waits):
    session = PatientSession(KEY, Patience(attempts=3, response_seconds=0.2), waits.clock)
    server.faults = [Fault(stall=0.6)]
    assert ask(session, server).status_code == 200
    assert session.retries == 1


def test_a_response_that_is_too_long_is_given_up_at_once(server, waits):
    session = PatientSession(KEY, Patience(largest_response_bytes=1000), waits.clock)
    with pytest.raises(StageError, match="a response of more than"):
        session.get(f"{server.url}materials/summary/", params=ASK | {"_all_fields": "true"})
    assert not waits.seconds


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_at_once(server, session, waits, status):
    server.faults = [Fault(status=status)]
    with pytest.raises(SettingsError) as caught:
        ask(session, server)
    assert str(caught.value) == (
        f"Materials Project refused the key in MP_API_KEY ({status}). Make one on your dashboard there."
    )
    assert not waits.seconds


def test_the_key_does_not_follow_to_another_place(server, session):
    server.faults = [Fault(status=302, headers={"Location": "http://127.0.0.1:9/steal"})]
    with pytest.raises(StageError, match=r"elsewhere \(302\); the key does not follow"):
        ask(session, server)
    assert len(server.served) == 1


def test_other_statuses_are_for_the_caller(server, session):
    assert ask(session, server, route="nonsense").status_code == 404
    assert session.retries == 0


def test_a_response_that_repeats_the_key_has_it_blanked(server, session):
    server.faults = [Fault(body=b'{"you said": "' + KEY.encode() + b'"}')]
    response = ask(session, server)
    assert KEY not in response.text
    assert response.json() == {"you said": "*" * 32}


def test_no_error_of_a_request_shows_the_key(server, session):
    for fault in (Fault(status=500, times=99), Fault(cut=0.1, times=99), Fault(status=401)):
        server.faults = [fault]
        with pytest.raises((StageError, SettingsError)) as caught:
            ask(session, server)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(session)
        assert KEY not in shown


def test_work_in_time_gives_its_result_or_error():
    assert within(5.0, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0)
    with pytest.raises(TimeoutError):
        within(0.05, lambda: time.sleep(0.5))
