"""The key and the address: what is taken, what is refused and how it is said."""

from __future__ import annotations

import pytest
from hysteron.core.errors import SettingsError
from hysteron.retrieval.materials_project.access import DEFAULT_ENDPOINT, api_key, endpoint

KEY = "a" * 32


def test_without_a_key_the_next_step_is_said(monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="set MP_API_KEY to the one of your dashboard"):
        api_key()


@pytest.mark.parametrize("key", ["short", KEY + "b", "a" * 31 + "\n b", "\u00e9" * 32, "a" * 31 + ":"])
def test_what_is_no_key_is_said_without_showing_it(monkeypatch, key):
    monkeypatch.setenv("MP_API_KEY", key)
    with pytest.raises(SettingsError, match="a key is 32 letters and digits") as caught:
        api_key()
    assert key not in str(caught.value)


def test_a_key_may_have_blanks_around_it(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", f" {KEY}\n")
    assert api_key() == KEY


def test_the_address_is_the_one_given_or_of_the_environment_or_the_public_one(monkeypatch):
    monkeypatch.delenv("MP_API_ENDPOINT", raising=False)
    assert endpoint() == DEFAULT_ENDPOINT
    monkeypatch.setenv("MP_API_ENDPOINT", "https://mirror.example/api")
    assert endpoint() == "https://mirror.example/api/"
    assert endpoint("http://127.0.0.1:8000") == "http://127.0.0.1:8000/"


@pytest.mark.parametrize(
    "address",
    ["mirror.example", "ftp://mirror.example/", "https://me:secret@mirror.example/", "http://[", "https://"],
)
def test_what_is_no_address_is_refused_without_showing_it(address):
    with pytest.raises(SettingsError, match="is no address") as caught:
        endpoint(address)
    assert "secret" not in str(caught.value)


def test_the_key_does_not_travel_unencrypted():
    with pytest.raises(SettingsError, match="over http, so the key would travel unencrypted"):
        endpoint("http://mirror.example/")
