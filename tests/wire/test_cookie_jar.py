"""The jar of cookies that browsers are not given: read, kept and sent as RFC 6265bis says, and bounded."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.cookie_jar import (
    MOST_BYTES,
    MOST_COOKIES,
    CookieJar,
    JarCookie,
    JarRequest,
    cookie_date,
    default_path,
    domain_matches,
    path_matches,
    received,
)

NOW = 1_700_000_000.0
DAY = 86400.0
HOSTS = (b"permis.example.org", b"127.0.0.1")


def request(path: bytes = b"/app/page.php", *, secure: bool = True, now: float = NOW) -> JarRequest:
    return JarRequest(path, secure, HOSTS, now)


def kept(line: bytes, *, of: JarRequest | None = None) -> JarCookie:
    cookie = received(line, of or request())
    assert cookie is not None
    return cookie


def jar(*lines: bytes, now: float = NOW) -> CookieJar:
    return CookieJar().with_cookies([kept(line, of=request(now=now)) for line in lines], now)


def sent(of: CookieJar, path: bytes = b"/", *, secure: bool = True, now: float = NOW) -> bytes:
    return of.line(path, secure=secure, now=now)


# --- one Set-Cookie line


def test_what_php_and_tomcat_send() -> None:
    assert kept(b"PHPSESSID=abc; path=/") == JarCookie(b"PHPSESSID", b"abc", b"/", False, NOW, NOW)
    tomcat = kept(b"JSESSIONID=0123ABCD; Path=/permis; Secure; HttpOnly")
    assert (tomcat.path, tomcat.secure, tomcat.expires_at) == (b"/permis", True, None)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"=value", b"value", b" ; Path=/", b"a=\x00b", b"a=b\x0cc", b"a\x7f=b", b"a=" + b"x" * 4096,
        b"a=b; Domain=other.example.org", b"a=b; Domain=is.example.org", b"a=b; Domain=0.0.1",
        b"__Host-a=b; Path=/", b"__Host-a=b; Secure; Path=/app", b"__host-a=b; Secure",
        b"__Host-a=b; Secure; Path=/; Domain=permis.example.org", b"__Secure-a=b", b"__SECURE-a=b; Path=/",
    ],
)  # fmt: skip
def test_what_a_browser_ignores_is_ignored(line: bytes) -> None:
    assert received(line, request()) is None


def test_a_secure_cookie_needs_https() -> None:
    assert received(b"a=b; Secure", request(secure=False)) is None
    assert received(b"a=b", request(secure=False)) is not None


@pytest.mark.parametrize("domain", [b"permis.example.org", b".permis.example.org", b"Example.ORG", b"127.0.0.1", b""])
def test_a_domain_that_holds_its_host_is_its_host_alone(domain: bytes) -> None:
    assert kept(b"a=b; Domain=" + domain).name == b"a"


@pytest.mark.parametrize(
    ("path", "expected"),
    [(b"/app/x", b"/app/x"), (b"", b"/app"), (b"app", b"/app"), (b'"/"', b"/app"), (b"/" + b"a" * 1024, b"/app")],
)
def test_the_path_that_is_not_one_is_that_of_the_page(path: bytes, expected: bytes) -> None:
    assert kept(b"a=b; Path=" + path).path == expected


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        (b"", None), (b"; Max-Age=60", NOW + 60), (b"; max-age=-1", 0.0), (b"; Max-Age=0", 0.0),
        (b"; Max-Age=1.5", None), (b"; Max-Age=", None), (b"; Max-Age=+5", None),
        (b"; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW + 60),
        (b"; Max-Age=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        (b"; Max-Age=60; Max-Age=90", NOW + 90), (b"; Expires=soon", None),
        (b"; Max-Age=" + b"9" * 1000, NOW + 400 * DAY), (b"; Max-Age=-" + b"9" * 1000, 0.0),
        (b"; Expires=Fri, 31 Dec 9999 23:59:59 GMT", NOW + 400 * DAY),
    ],
)  # fmt: skip
def test_when_it_expires(attributes: bytes, expires: float | None) -> None:
    assert kept(b"a=b" + attributes).expires_at == expires


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Wed, 09 Jun 2021 10:18:14 GMT", 1623233894), (b"Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894),
        (b"Wed Jun  9 10:18:14 2021", 1623233894), (b"9 JUNE 2021 10:18:14x", 1623233894),
        (b"Thu, 01-Jan-70 00:00:00 GMT", 0), (b"Thu, 01 Jan 69 00:00:00", 3124224000), (b"1 Jan 1600 0:0:0", None),
        (b"31 Feb 2021 10:00:00", None), (b"1 Jan 2021 24:00:00", None), (b"1 Jan 2021 10:00", None),
        (b"1 2021 10:00:00", None), (b"", None), (b"1 Jan 20211 10:00:00", None),
    ],
)  # fmt: skip
def test_dates_as_browsers_read_them(text: bytes, expected: float | None) -> None:
    assert cookie_date(text) == expected


@pytest.mark.parametrize(
    ("path", "of", "matches"),
    [
        (b"/", b"/", True), (b"/a", b"/", True), (b"/a", b"/a", True), (b"/a/b", b"/a", True), (b"/a/b", b"/a/", True),
        (b"/ab", b"/a", False), (b"/a", b"/a/", False), (b"/A", b"/a", False), (b"/", b"/a", False),
    ],
)  # fmt: skip
def test_paths(path: bytes, of: bytes, matches: bool) -> None:
    assert path_matches(path, of) is matches


def test_default_paths() -> None:
    assert [default_path(path) for path in (b"/", b"/a", b"/a/", b"/a/b", b"", b"*")] == [
        b"/", b"/", b"/a", b"/a", b"/", b"/",
    ]  # fmt: skip


def test_an_address_is_no_part_of_a_domain() -> None:
    assert domain_matches(b"a.example", b"example")
    assert not domain_matches(b"10.1.2.3", b"2.3")
    assert not domain_matches(b"[::1]", b"1]")


# --- the jar


def test_it_is_sent_for_its_path_until_it_expires_and_longer_paths_come_first() -> None:
    found = jar(b"a=1; Path=/", b"b=2; Path=/app; Max-Age=60", b"c=3; Path=/app; Secure")
    assert sent(found) == b"a=1"
    assert sent(found, b"/app/x") == b"b=2; c=3; a=1"
    assert sent(found, b"/app", now=NOW + 60) == b"c=3; a=1"
    assert sent(found, b"/app", secure=False) == b"b=2; a=1"


def test_an_application_changes_and_deletes_its_cookies() -> None:
    found = jar(b"a=1; Path=/", b"b=2; Path=/")
    assert sent(found.with_cookies([kept(b"a=3; Path=/", of=request(now=NOW + 1))], NOW + 1)) == b"a=3; b=2"
    gone = found.with_cookies([kept(b"a=; Path=/; Max-Age=0", of=request(now=NOW + 1))], NOW + 1)
    assert sent(gone) == b"b=2"
    assert len(gone.with_cookies((), NOW + 100).cookies) == 1
    assert sent(found.with_cookies([kept(b"a=; Path=/app; Max-Age=0")], NOW)) == b"a=1; b=2"


def test_what_changes_nothing_gives_the_same_jar() -> None:
    found = jar(b"a=1; Path=/")
    assert found.with_cookies([], NOW) is found
    assert found.with_cookies([kept(b"a=1; Path=/")], NOW) is found
    later = found.with_cookies([kept(b"a=1; Path=/; Max-Age=60", of=request(now=NOW + 9))], NOW + 9)
    assert later is not found
    assert later.sends(NOW) == found.sends(NOW)


def test_what_is_set_without_secure_takes_no_secure_cookies_place() -> None:
    found = jar(b"a=1; Path=/app; Secure", b"b=1; Path=/app; Secure; Max-Age=5")
    assert sent(found.with_cookies([kept(b"a=2; Path=/app/x")], NOW), b"/app/x") == b"a=1; b=1"
    assert sent(found.with_cookies([kept(b"a=2; Path=/")], NOW), b"/") == b"a=2"
    assert sent(found.with_cookies([kept(b"b=2; Path=/app")], NOW + 9), b"/app", now=NOW + 9) == b"a=1; b=2"


def test_it_is_bounded_and_the_oldest_go() -> None:
    found = CookieJar()
    for number in range(MOST_COOKIES + 5):
        cookie = kept(b"n%d=v; Path=/" % number, of=request(now=NOW + number))
        found = found.with_cookies([cookie], NOW + number)
    assert len(found.cookies) == MOST_COOKIES
    assert found.cookies[0].name == b"n5"
    big = [kept(b"b%d=%b; Path=/" % (number, b"x" * 4000), of=request(now=NOW + 99)) for number in range(3)]
    full = found.with_cookies(big, NOW + 99)
    assert sum(cookie.size for cookie in full.cookies) <= MOST_BYTES
    assert [cookie.name for cookie in full.cookies][-1] == b"b2"


NAMES = st.sampled_from([b"a", b"b", b"A"])
PATHS = st.sampled_from([b"/", b"/app", b"/app/x"])
COOKIES = st.builds(
    JarCookie, NAMES, st.sampled_from([b"1", b"2"]), PATHS, st.just(False), st.sampled_from([NOW, NOW + 1, NOW + 2]),
    st.just(NOW), st.sampled_from([None, 0.0, NOW + DAY]),
)  # fmt: skip


@given(st.lists(COOKIES, max_size=4, unique_by=lambda one: (one.name, one.path, one.set_at)))
def test_two_copies_come_to_the_same_in_any_order(cookies: list[JarCookie]) -> None:
    found = {CookieJar().with_cookies(order, NOW + 3).sends(NOW + 3) for order in permutations(cookies)}
    assert len(found) <= 1 or not cookies
    one_by_one = CookieJar()
    for cookie in cookies:
        one_by_one = one_by_one.with_cookies([cookie], NOW + 3)
    assert not cookies or one_by_one.sends(NOW + 3) in found


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_no_line_holds_what_ends_one(line: bytes, path: bytes) -> None:
    """No CR, LF or NUL, and no `;` but our own: nothing that an application sends adds a header or a cookie."""
    cookie = received(b"n=" + line, request(b"/" + path))
    if cookie is not None:
        out = sent(CookieJar().with_cookies([cookie], NOW), b"/" + path)
        assert not set(out) & set(b"\r\n\0;")
        assert len(out) <= 4097


@given(st.binary(max_size=60))
def test_every_text_is_a_date_or_none(text: bytes) -> None:
    found = cookie_date(text)
    assert found is None or -12_000_000_000 < found < 253_402_300_800
