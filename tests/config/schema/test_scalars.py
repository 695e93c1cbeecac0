# ruff: noqa: E501 - a case is a line
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.schema import scalars
from gateway.config.schema.scalars import Reference, Wrong


def taken(function: Callable[[Any], object], value: object) -> object:
    """The value, or the message with its hint."""
    try:
        return function(value)
    except Wrong as wrong:
        return f"{wrong.message} ({wrong.hint})" if wrong.hint else wrong.message


TIME = "a time is a number with a unit: 15s, 5m, 12h or 7d"
FINE_TIME = "a time is a number with a unit: 300ms, 15s, 5m, 12h or 7d"
SIZE = "a size is a number with a unit: 512B, 8KB, 100MB or 1GB"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15s", 15), ("5m", 300), ("12h", 43200), ("7d", 604800),
        ("0s", "this cannot be 0"),
        (30, f"{TIME} (such as 30s)"), ("30", TIME), ("300ms", TIME), ("5S", f"{TIME} (write 5s)"), ("5M", f"{TIME} (write 5m)"),
        ("30min", f"{TIME} (write 30m)"), ("2heures", f"{TIME} (write 2h)"), ("1fortnight", TIME),
        ("-5s", TIME), ("1.5h", TIME), ("5 s", f"{TIME} (write 5s)"), ("", TIME), ("s", TIME), ("5s\n", TIME), ("٥s", TIME), (None, TIME),
        (True, TIME), ([], TIME), ("9999999999s", TIME),
    ],
)  # fmt: skip
def test_times(text: object, expected: object) -> None:
    assert taken(scalars.whole_seconds, text) == expected


def test_timeouts_may_be_short() -> None:
    assert taken(scalars.seconds, "300ms") == 0.3
    assert taken(scalars.seconds, "15s") == 15.0
    assert taken(scalars.seconds, "300") == FINE_TIME


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512B", 512), ("8KB", 8192), ("32MB", 32 << 20), ("1GB", 1 << 30),
        ("8kb", f"{SIZE} (write 8KB)"), ("8K", f"{SIZE} (write 8KB)"), (8192, f"{SIZE} (such as 8192KB)"), ("0B", "this cannot be 0"),
        ("unlimited", SIZE),
    ],
)  # fmt: skip
def test_sizes(text: object, expected: object) -> None:
    assert taken(scalars.size, text) == expected


def test_a_body_may_be_unlimited() -> None:
    assert (scalars.size_or_unlimited("unlimited"), scalars.size_or_unlimited("1MB")) == (0, 1 << 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("permis.example.org", "permis.example.org"),
        ("Permis.Example.ORG", "permis.example.org"),
        ("127.0.0.1", "127.0.0.1"),
        ("*.example.org", "*.example.org"),
        ("*.localhost", "*.localhost"),
        ("permis.example.org:443", "a host has no port and no scheme here (write permis.example.org)"),
        ("https://permis.example.org", "a host has no port and no scheme here (write permis.example.org)"),
        ("https://permis.example.org/a", "a host has no port and no scheme here (write permis.example.org)"),
        ("permis.example.org.", "a host has no dot at its end (write permis.example.org)"),
        ("élus.example.org", "a host name is written in ASCII (write the xn-- form of the name)"),
        ("*", "a wildcard stands for one whole label in front (write *.example.org)"),
        ("*.org", "a wildcard stands for one whole label in front (write *.example.org)"),
        ("*x.example.org", "a wildcard stands for one whole label in front (write *.example.org)"),
        ("*.*.example.org", "a wildcard stands for one whole label in front (write *.example.org)"),
        ("a b", "a b: not a host name (labels of letters, digits and -, between dots)"),
        ("", ": not a host name (labels of letters, digits and -, between dots)"),
        ("127.1", "127.1: an address in a short or odd form (labels of letters, digits and -, between dots)"),
    ],
)
def test_hosts(text: str, expected: str) -> None:
    assert taken(scalars.host_pattern, text) == expected


NOT_A_URL = "this is not a URL (write http://host:port or https://host:port)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://portail.example.org", "https://portail.example.org"),
        ("https://portail.example.org/", "https://portail.example.org"),
        ("https://Portail.example.org:443", "https://portail.example.org"),
        ("http://portail.localhost:8080", "http://portail.localhost:8080"),
        ("http://[::1]:9001", "http://[::1]:9001"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("http://[127.0.0.1]", "[127.0.0.1] is not an IPv6 address"),
        ("http://[::g]", NOT_A_URL),
        ("https://portail.example.org/a", "nothing may follow the host and port (write https://portail.example.org)"),
        ("https://portail.example.org?a", "nothing may follow the host and port (write https://portail.example.org)"),
        ("https://u:p@portail.example.org", NOT_A_URL),
        ("https://portail.example.org#a", "nothing may follow the host and port (write https://portail.example.org)"),
        ("https://portail.example.org:0", "a port is a number from 1 to 65535"),
        ("https://portail.example.org:70000", "a port is a number from 1 to 65535"),
        ("https://portail.example.org:x", NOT_A_URL),
        ("ftp://a.example", "the scheme ftp is not accepted (http or https)"),
        ("HTTPS://a.example", NOT_A_URL),
        ("a.example", "this is not a URL (write https://a.example)"),
        ("a.example/realms/b", "this is not a URL (write https://a.example/realms/b)"),
        ("a.example:443", NOT_A_URL),
        ("127.0.0.1", NOT_A_URL),
        ("https://", NOT_A_URL),
        ("https://a.example\n", NOT_A_URL),
        ("https://a.example/ b", NOT_A_URL),
        ("https://é.example", NOT_A_URL),
    ],
)
def test_origins(text: str, expected: str) -> None:
    found = taken(scalars.origin, text)
    assert (found.origin if isinstance(found, scalars.Url) else found) == expected


def test_the_portal_is_a_name() -> None:
    assert taken(scalars.named_origin, "https://[::1]") == "a name is needed here, not an IPv6 address"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://op.example.org/realms/Agents", "https://op.example.org/realms/Agents"),
        ("https://op.example.org/", "https://op.example.org/"),
        ("https://op.example.org?a", "an issuer has no query and no fragment"),
        ("https://op.example.org/#a", "an issuer has no query and no fragment"),
        ("op.example.org", "this is not a URL (write https://op.example.org)"),
    ],
)
def test_an_issuer_is_kept_as_it_names_itself(text: str, expected: str) -> None:
    assert taken(scalars.issuer, text) == expected


NO_ADDRESS = "an address is written IP:port (127.0.0.1:8080, [::1]:8080 or 0.0.0.0:443)"
ALL_ADDRESSES = "an address is written IP:port (write 0.0.0.0:8080 for all addresses of this machine)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("[::]:443", ("::", 443)),
        ("localhost:8080", "this is not an IP address (write 127.0.0.1:8080)"),
        ("permis.example.org:80", "this is not an IP address"),
        ("[127.0.0.1]:80", "this is not an IP address"),
        ("127.0.0.1:65536", "a port is a number from 1 to 65535"),
        ("::1:80", NO_ADDRESS),
        ("8080", ALL_ADDRESSES),
        (":8080", ALL_ADDRESSES),
        ("*:8080", ALL_ADDRESSES),
        ("127.0.0.1", NO_ADDRESS),
    ],
)
def test_socket_addresses(text: str, expected: object) -> None:
    assert taken(scalars.socket_address, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8081", "127.0.0.1:8081"),
        ("[::1]:8081", "[::1]:8081"),
        ("unix:/run/ecluse/admin.sock", "unix:/run/ecluse/admin.sock"),
        ("unix:", "the path is missing (write unix:/run/ecluse/admin.sock)"),
        ("0.0.0.0:8081", "the admin listener asks for no sign-in: it listens on loopback or a Unix socket only (write 127.0.0.1:8081)"),
        ("192.0.2.1:8081", "the admin listener asks for no sign-in: it listens on loopback or a Unix socket only (write 127.0.0.1:8081)"),
    ],
)  # fmt: skip
def test_the_admin_listener_is_for_this_machine_only(text: str, expected: str) -> None:
    assert taken(scalars.admin_address, text) == expected


def test_networks() -> None:
    assert str(scalars.network("10.0.0.0/8")) == "10.0.0.0/8"
    assert str(scalars.network("::ffff:10.0.0.0/104")) == "10.0.0.0/8"
    assert (
        taken(scalars.network, "10.0.0.1/8") == "this is not a network (write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32)"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("email", ("email",)),
        ("address.country", ("address", "country")),
        (["https://op.example.org/claims/role"], ("https://op.example.org/claims/role",)),
        (["a", "b.c"], ("a", "b.c")),
        ("a..b", "a claim's name is missing or has a blank in it"),
        ("a b", "a claim's name is missing or has a blank in it"),
        ("", "a claim's name is missing or has a blank in it"),
        (["a", 1], "a claim's name is missing or has a blank in it"),
        ([], "a claim is a name, a path (address.country), or a list of names"),
        (["a"] * 9, "a claim is a name, a path (address.country), or a list of names"),
        (7, "a claim is a name, a path (address.country), or a list of names"),
    ],
)
def test_claims(value: object, expected: object) -> None:
    assert taken(scalars.claim_path, value) == expected


ONE_PLACE = "exactly one place is named here (write {file: path}, {env: NAME} or {credential: name})"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"file": "../certs/store.key"}, Reference("file", "../certs/store.key")),
        ({"env": "STORE_KEY"}, Reference("env", "STORE_KEY")),
        ({"credential": "store"}, Reference("credential", "store")),
        ("s3cret", Reference("inline", "s3cret")),
        ({"file": "a", "env": "b"}, ONE_PLACE),
        ({}, ONE_PLACE),
        (7, ONE_PLACE),
        (None, ONE_PLACE),
        ({"path": "a"}, "path is not a place for a secret (write {file: path}, {env: NAME} or {credential: name})"),
        ({"file": ""}, "file needs a name (put it in quotes if it is a number)"),
        ({"file": "a\0b"}, "file needs a name (put it in quotes if it is a number)"),
        ({"env": 7}, "env needs a name (put it in quotes if it is a number)"),
        ({"credential": "../store"}, "a credential is named without a path"),
        ({"credential": ".."}, "a credential is named without a path"),
    ],
)
def test_references(value: object, expected: object) -> None:
    assert taken(scalars.reference, value) == expected


@given(st.text() | st.integers() | st.none() | st.lists(st.text()) | st.dictionaries(st.text(), st.text(), max_size=2))
def test_any_value_is_taken_or_wrong(value: object) -> None:
    for function in (scalars.seconds, scalars.whole_seconds, scalars.size, scalars.claim_path, scalars.reference):
        taken(function, value)
    if isinstance(value, str):
        for parse in (
            scalars.host_pattern,
            scalars.origin,
            scalars.issuer,
            scalars.socket_address,
            scalars.admin_address,
            scalars.network,
        ):
            taken(parse, value)
