"""Which addresses may be asked, and where links may lead."""

from __future__ import annotations

import pytest
from hysteron.retrieval.optimade.addresses import (
    AddressRefused,
    base_address,
    is_private,
    looks_like_address,
    next_address,
    shown,
)

HERE = "https://example.org/optimade/v1/structures?page_offset=0"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("https://example.org/optimade/", "https://example.org/optimade"),
        ("https://example.org/optimade/v1", "https://example.org/optimade"),
        ("https://EXAMPLE.org/optimade/v1.2/structures", "https://example.org/optimade"),
        ("https://example.org:443", "https://example.org"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        ("http://example.org", "http://example.org"),
        ("http://[::1]:5000/optimade", "http://[::1]:5000/optimade"),
    ],
)
def test_a_base_address_has_one_form(typed, expected):
    assert base_address(typed) == expected


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ftp://example.org/optimade", "no http or https"),
        ("file:///etc/passwd", "no http or https"),
        ("example.org/optimade", "no http or https"),
        ("https://example.org/optimade?filter=x", "without a query"),
        ("https:///optimade", "no base address"),
        ("https://example.org:notaport/", "no address"),
        ("https://exa\nmple.org", "no text"),
    ],
)
def test_what_is_no_base_address_is_refused(typed, said):
    with pytest.raises(AddressRefused, match=said):
        base_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "https://me:hunter2@example.org/optimade",
        "https://hunter2@example.org/optimade",
        "ftp://me:hunter2@example.org",
        "https:/me:hunter2@example.org",
        "me:hunter2@example.org/optimade",
    ],
)
def test_credentials_are_refused_and_not_repeated(typed):
    with pytest.raises(AddressRefused) as refusal:
        base_address(typed)
    assert "hunter2" not in str(refusal.value)


def test_a_table_needs_https_except_on_the_own_machine():
    assert base_address("http://127.0.0.1:1", typed=False) == "http://127.0.0.1:1"
    with pytest.raises(AddressRefused, match="not encrypted"):
        base_address("http://example.org", typed=False)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://example.org/optimade/v1/structures?page_offset=5", None),
        (
            "https://example.org:443/optimade/structures?page=2",
            "https://example.org/optimade/structures?page=2",
        ),
        ("?page_offset=5", "https://example.org/optimade/v1/structures?page_offset=5"),
        ("/optimade/v1/structures?a=1#top", "https://example.org/optimade/v1/structures?a=1"),
        ("http://example.org/optimade/structures?a=1", "https://example.org/optimade/structures?a=1"),
        ("//example.org/x", "https://example.org/x"),
    ],
)
def test_a_link_within_the_provider_is_followed_by_https(link, expected):
    assert next_address(link, HERE) == (expected or link)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://evil.example/optimade/v1/structures", "another host"),
        ("//evil.example/x", "another host"),
        ("https://example.org.evil.example/", "another host"),
        ("https://example.org@evil.example/", "user name"),
        ("https://me:hunter2@example.org/", "user name"),
        ("http://127.0.0.1/", "private address"),
        ("http://169.254.169.254/latest/meta-data", "private address"),
        ("http://[::1]/", "private address"),
        ("http://10.0.0.7/", "private address"),
        ("http://localhost/", "private address"),
        ("https://example.org:8443/", "another port"),
        ("http://example.org:8080/", "changes from https to http"),
        ("ftp://example.org/", "changes from https to ftp"),
        ("file:///etc/passwd", "leads to"),
        ("javascript:alert(1)", "leads to"),
    ],
)
@pytest.mark.parametrize("what", ["link to the next page", "redirect"])
def test_a_link_that_leaves_the_provider_is_not_followed(link, said, what):
    with pytest.raises(AddressRefused, match=said) as refusal:
        next_address(link, HERE, what)
    assert str(refusal.value).startswith(f"The {what} ")
    assert "hunter2" not in str(refusal.value)


def test_http_may_be_redirected_to_https_of_the_same_host_but_no_page_link_may_change_it():
    plain = "http://example.org/optimade/v1/structures"
    assert next_address("https://example.org/x", plain, "redirect") == "https://example.org/x"
    with pytest.raises(AddressRefused, match="changes from http to https"):
        next_address("https://example.org/x", plain)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("192.168.1.4", True),
        ("fe80::1", True),
        ("db.internal", True),
        ("oqmd.org", False),
    ],
)
def test_private_hosts(host, private):
    assert is_private(host) is private


def test_names_and_addresses_are_told_apart():
    assert looks_like_address("https://example.org")
    assert looks_like_address("me@example.org")
    assert not looks_like_address("alexandria-pbe")


def test_foreign_text_in_a_message_is_one_printable_line():
    assert shown("a\x1b[31m\nb\u202ec\x00 d") == "a [31m b c d"
    assert len(shown("x" * 5000)) == 120
