import pytest

from gateway.formlogin.cookies import SignInCookies, cookie_line, renewed
from gateway.model.errors import GatewayError
from gateway.wire.cookie_jar import JarRequest

NOW = 1_800_000_000.0
ASKED = JarRequest(b"/index.php", True, (b"grr.example.org",), NOW)


def jar() -> SignInCookies:
    return SignInCookies((b"grr.example.org",), secure=True, now=NOW)


def test_what_is_set_on_the_way_goes_back_and_only_the_session_is_kept() -> None:
    cookies = jar()
    cookies.take((b"GRRSESSID=a; Path=/; HttpOnly", b"lang=fr"), "/login.php")
    assert cookies.line("/login.php?x=1") == b"GRRSESSID=a; lang=fr"
    cookies.take((b"GRRSESSID=b; Path=/; HttpOnly", b"lang=; Max-Age=0"), "/login.php")
    assert cookies.line("/login.php") == b"GRRSESSID=b"
    assert cookies.session(("GRRSESSID", "OTHER")) == b"GRRSESSID=b"
    assert cookies.session(("OTHER",)) == b""


def test_a_cookie_of_another_site_or_without_a_name_is_none() -> None:
    cookies = jar()
    cookies.take((b"GRRSESSID=a; Domain=evil.example", b"=GRRSESSID=b", b"GRRSESSID=c\r\nX: y"), "/login.php")
    assert cookies.line("/login.php") == b""


def test_an_application_that_sets_too_much_is_left() -> None:
    with pytest.raises(GatewayError, match="51 cookies"):
        jar().take([b"c%d=1" % number for number in range(51)], "/login.php")
    with pytest.raises(GatewayError, match="too long"):
        jar().take([b"c=" + b"a" * 4094], "/" + "p" * 100 + "/x")


def test_a_session_follows_what_is_set_anew_and_nothing_else() -> None:
    assert renewed(b"A=1; B=2", (b"A=3; Path=/", b"C=4"), ASKED) == b"A=3; B=2"
    assert renewed(b"A=1; B=2", (b"A=x; Max-Age=0",), ASKED) == b"B=2"
    assert renewed(b"A=1", (b"A=deleted; expires=Thu, 01 Jan 1970 00:00:00 GMT",), ASKED) == b""
    assert renewed(b"A=1", (b"A=2; Domain=evil.example", b"A"), ASKED) == b"A=1"
    assert cookie_line([(b"a", b"1"), (b"b", None), (b"c", b"")]) == b"a=1; c="
