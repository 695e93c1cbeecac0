"""Where a browser goes on to that was led to a sign-in by an address of oauth2-proxy: to its own host alone."""

import pytest

from gateway.wire.fronts import FRONTS
from gateway.wire.oauth2_proxy import way_back

HOST, HOME = "permis.example.org", "/accueil"


@pytest.mark.parametrize(
    ("query", "to"),
    [
        (b"rd=/dossiers", "/dossiers"),
        (b"rd=https://permis.example.org/a%20b", "/a%20b"),
        (b"rd=http://PERMIS.example.org:8080/x", "/x"),
        (b"rd=https://permis.example.org", "/"),
        # As nginx writes $scheme://$host$request_uri, nothing encoded.
        (b"rd=https://permis.example.org/x?a=1&b=%C3%A9", "/x?a=1&b=%C3%A9"),
        (b"rd=/x&other=1", "/x"),
        # As $escaped_request_uri has it, and forms.
        (b"other=1&rd=%2Fx%3Fa%3D1%26b%3D%25C3%25A9", "/x?a=1&b=%C3%A9"),
        (b"rd=https%3A%2F%2Fpermis.example.org%2Fx", "/x"),
    ],
)
def test_the_page_that_the_person_was_going_to(query: bytes, to: str) -> None:
    assert way_back(query, b"/of-the-header", HOST, HOME) == to


@pytest.mark.parametrize(
    "query",
    [
        b"rd=https://evil.example/x", b"rd=https://permis.example.org.evil.example/", b"rd=//evil.example/x",
        b"rd=https://permis.example.org@evil.example/", b"rd=https://evil.example%2F@permis.example.org/",
        b"rd=/%5Cevil.example", b"rd=/\\evil.example", b"rd=%2F%2Fevil.example", b"rd=https:evil.example",
        b"rd=https:///evil.example", b"rd=javascript:alert(1)", b"rd=%09/evil.example", b"rd=/%0d%0aSet-Cookie:%20a=b",
        b"rd=https://permis.example.org//evil.example", b"rd=/x%0Ay", b"rd=%2Fx%0D%0ALocation:%20a",
        b"rd=/_ecluse/logout", b"rd=/oauth2/start?rd=/x", b"rd=/oauth2/sign_in", b"rd=/../oauth2/start",
        b"rd=/\xc3\xa9", b"rd=ftp://permis.example.org/", b"rd=https://permis.example.org:80:80/", b"rd=%ff",
        b"rd=", b"",
    ],
)  # fmt: skip
def test_nobody_is_led_elsewhere(query: bytes) -> None:
    assert way_back(query, b"", HOST, HOME) == HOME


def test_what_a_header_says_counts_where_the_address_says_nothing() -> None:
    assert way_back(b"", b"/x?y=1", HOST, HOME) == "/x?y=1"
    assert way_back(b"a=b", b"https://permis.example.org/x", HOST, HOME) == "/x"
    assert way_back(b"", b"https://evil.example/x", HOST, HOME) == HOME
    # nginx has this very page there.
    assert way_back(b"", b"/oauth2/sign_in", HOST, HOME) == HOME


def test_its_question_says_the_browsers_address_and_no_client_does() -> None:
    front = FRONTS["oauth2-proxy"]
    lines = [
        b"Host: permis.example.org", b"X-Real-IP: 192.0.2.7", b"X-Forwarded-Uri: /a?b", b"X-Forwarded-Method: PUT",
        b"X-Forwarded-For: 10.0.0.1", b"Accept: */*",
    ]  # fmt: skip
    assert front.original(lines) == (
        b"PUT /a?b HTTP/1.1\r\nHost: permis.example.org\r\nX-Forwarded-For: 192.0.2.7\r\nAccept: */*\r\n\r\n"
    )
    # Its configuration may write the application's header under another name than that of our answer.
    injected = {b"xauthrequestuser": b"X-Auth-Request-User"}
    sent = [b"X-Auth-Request-User", b"X-User", b"X-Remote-User", b"Forwarded"]
    assert front.unwritten([*sent, b"Te", b"X-Forwarded-Host"], injected) == sent
