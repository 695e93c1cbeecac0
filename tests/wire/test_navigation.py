"""Invariant 10: a sign-in starts only for a top-level navigation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.navigation import is_page_of, is_same_origin, is_same_site_frame, kind_of

HTML = (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
CHROME = [
    (b"sec-ch-ua-mobile", b"?0"),
    (b"Upgrade-Insecure-Requests", b"1"),
    (b"User-Agent", b"Mozilla/5.0"),
    HTML,
    (b"Sec-Fetch-Site", b"none"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-User", b"?1"),
    (b"Sec-Fetch-Dest", b"document"),
]


def destined(value: bytes) -> list[tuple[bytes, bytes]]:
    return [*CHROME[:-1], (b"sec-fetch-dest", value)]


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    "headers",
    [
        CHROME,
        [HTML],
        [(b"ACCEPT", b"TEXT/HTML")],
        [(b"accept", b"application/xml;q=0.9, text/html ;q=0.8")],
        [(b"Accept", b"image/png"), (b"Accept", b"text/html")],
        [(b"Accept", b"text/html"), (b"Accept", b"image/png")],
        # Where the browser itself says so, it need not be asked twice.
        [(b"Sec-Fetch-Dest", b"document"), (b"Accept", b"*/*")],
        [(b"Sec-Fetch-Dest", b"document"), (b"X-Requested-With", b"com.example.browser")],
    ],
)
def test_a_navigation(method: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert kind_of(method, headers) == "navigation"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize("destination", [b"iframe", b"frame", b"embed", b"object"])
def test_a_frame(method: bytes, destination: bytes) -> None:
    assert kind_of(method, destined(destination)) == "frame"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        (b"GET", []),
        (b"GET", [(b"Accept", b"*/*")]),
        (b"GET", [(b"Accept", b"application/json")]),
        (b"GET", [(b"Accept", b"text/html5, application/text/html, text/htmlx")]),
        (b"GET", [HTML, (b"X-Requested-With", b"XMLHttpRequest")]),
        (b"GET", [HTML, (b"x-requested-with", b"")]),
        # Scripts, images, prefetches.
        (b"GET", destined(b"empty")),
        (b"GET", destined(b"image")),
        (b"GET", destined(b"script")),
        (b"GET", destined(b"")),
        (b"GET", destined(b"Document")),
        (b"GET", destined(b"document, empty")),
        (b"GET", [*CHROME, (b"Sec-Fetch-Dest", b"empty")]),
        (b"GET", [(b"Sec-Fetch-Dest", b"empty"), *CHROME]),
        (b"GET", [*CHROME, (b"Sec-Purpose", b"prefetch")]),
        (b"GET", [*CHROME, (b"sec-purpose", b"prefetch;prerender")]),
        (b"GET", [*destined(b"iframe"), (b"Sec-Purpose", b"prefetch")]),
        (b"GET", [*CHROME, (b"Purpose", b"prefetch")]),
        (b"GET", [*CHROME, (b"X-Moz", b"prefetch")]),
        (b"GET", [HTML, (b"x-purpose", b"preview")]),
        # WebSocket.
        (b"GET", [*CHROME, (b"Upgrade", b"websocket")]),
        (b"GET", [*destined(b"iframe"), (b"Upgrade", b"websocket")]),
        # SAML ECP (K099).
        (b"GET", [(b"Accept", b"application/vnd.paos+xml"), (b"PAOS", b'ver="urn:liberty:paos:2003-08"')]),
        (b"HEAD", CHROME),
        (b"PUT", CHROME),
        (b"DELETE", CHROME),
        (b"OPTIONS", CHROME),
        (b"PUT", destined(b"iframe")),
    ],
)
def test_anything_else(method: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert kind_of(method, headers) == "other"


@given(
    st.lists(st.tuples(st.sampled_from([b"Accept", b"Sec-Fetch-Dest", b"Sec-Purpose", b"X"]), st.binary(max_size=12)))
)
def test_any_bytes(headers: list[tuple[bytes, bytes]]) -> None:
    assert kind_of(b"GET", headers) in {"navigation", "frame", "other"}


def test_65_kilobytes_of_accept() -> None:
    assert kind_of(b"GET", [(b"Accept", b", " * 32_000 + b"text/html")]) == "navigation"
    assert kind_of(b"GET", [(b"Accept", b" " * 65_000)]) == "other"


OURS, OTHER = b"https://permis.example.org", b"https://evil.example"


@pytest.mark.parametrize(
    ("origin", "site", "same"),
    [
        (OURS, None, True),
        (OURS, b"same-origin", True),
        (None, b"same-origin", True),
        (b"null", b"same-origin", True),
        (OTHER, None, False),
        (b"null", None, False),
        (None, None, False),
        (OTHER, b"same-origin", False),
        (OURS, b"same-site", False),
        (OURS, b"cross-site", False),
        (OURS, b"none", False),
        (OURS, b"", False),
        (OURS + b"0", None, False),
    ],
)
def test_a_request_of_a_page_of_ours_is_told_from_one_of_another_site(
    origin: bytes | None, site: bytes | None, same: bool
) -> None:
    assert is_same_origin(origin, site, OURS) is same


FRAME = [HTML, (b"Sec-Fetch-Dest", b"iframe"), (b"Sec-Fetch-Mode", b"navigate"), (b"Sec-Fetch-Site", b"same-site")]


@pytest.mark.parametrize("site", [b"same-site", b"same-origin", b" same-site\t"])
def test_a_frame_of_the_same_site(site: bytes) -> None:
    assert is_same_site_frame(b"GET", [*FRAME[:-1], (b"sec-fetch-SITE", site)])


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        (b"POST", FRAME),
        (b"HEAD", FRAME),
        (b"GET", FRAME[:-1]),
        (b"GET", [*FRAME[:-1], (b"Sec-Fetch-Site", b"cross-site")]),
        (b"GET", [*FRAME[:-1], (b"Sec-Fetch-Site", b"none")]),
        (b"GET", [*FRAME[:-1], (b"Sec-Fetch-Site", b"Same-Site")]),
        (b"GET", [*FRAME[:-1], (b"Sec-Fetch-Site", b"same-site, same-site")]),
        # Who says two things says nothing.
        (b"GET", [*FRAME, (b"Sec-Fetch-Site", b"cross-site")]),
        (b"GET", [*FRAME, (b"Sec-Fetch-Site", b"same-site")]),
        (b"GET", [*FRAME, (b"Sec-Fetch-Dest", b"iframe")]),
        (b"GET", [*FRAME, (b"Sec-Purpose", b"prefetch")]),
        (b"GET", [*FRAME, (b"Upgrade", b"websocket")]),
        *(
            (b"GET", [HTML, (b"Sec-Fetch-Dest", kind), (b"Sec-Fetch-Site", b"same-site")])
            for kind in (b"document", b"frame", b"object", b"embed", b"empty", b"image", b"")
        ),
    ],
)
def test_no_frame_of_the_same_site(method: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert not is_same_site_frame(method, headers)


@pytest.mark.parametrize(
    ("referer", "is_one"),
    [
        (b"https://intranet.example.org/", True),
        (b"https://intranet.example.org", True),
        (b"https://intranet.example.org/page?x=https://evil.example/", True),
        (b"https://permis.example.org:8443/a", True),
        (b"", False),
        (b"http://intranet.example.org/", False),
        (b"https://intranet.example.org:8443/", False),
        (b"https://intranet.example.org.evil.example/", False),
        (b"https://evil.example/https://intranet.example.org/", False),
        (b"https://intranet.example.org@evil.example/", False),
        (b"https://x@intranet.example.org/", False),
        (b"intranet.example.org", False),
        (b"://", False),
    ],
)
def test_whose_page_it_is(referer: bytes, is_one: bool) -> None:
    assert is_page_of(referer, ("https://intranet.example.org", "https://permis.example.org:8443")) is is_one
