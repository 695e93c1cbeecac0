"""Addresses for signing out that are told by their query."""

import pytest

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.links import QueryLinks, parse_link


@pytest.mark.parametrize(
    ("text", "path", "parameters"),
    [
        ("/sortir", "/sortir", ()),
        ("/doku.php?do=logout", "/doku.php", (("do", "logout"),)),
        ("/**?_task=logout", "/**", (("_task", "logout"),)),
        ("/index.php?title=Special:UserLogout", "/index.php", (("title", "Special:UserLogout"),)),
        ("/a?b=c&d=/logout", "/a", (("b", "c"), ("d", "/logout"))),
    ],
)
def test_read(text: str, path: str, parameters: tuple[tuple[str, str], ...]) -> None:
    link = parse_link(text)
    assert (link.pattern.text, link.parameters, link.text) == (path, parameters, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a?b=c",
        "/a?",
        "/a?b",
        "/a?b=",
        "/a?=c",
        "/a?b=*",
        "/a?b=c&",
        "/a?b=c#d",
        "/a?b=%41",
        "/a?" + "a=b&" * 5 + "c=d",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        parse_link(text)
    assert refused.value.code is policy_codes.PATTERN


LINKS = QueryLinks.of(map(parse_link, ("/doku.php?do=logout", "/m/**?a=b&c=d")), False)


@pytest.mark.parametrize(
    "query",
    [b"do=logout", b"id=start&do=logout", b"do=logout&sectok=1", b"do=%6Cogout", b"d%6f=logout", b"do=show&do=logout",
     b"do=logout&do=show", b"id=a;do=logout"],
)  # fmt: skip
def test_what_an_application_takes_for_its_sign_out_is_one(query: bytes) -> None:
    assert LINKS.have(("doku.php",), query)
    assert not LINKS.have(("doku.php", ""), query)


@pytest.mark.parametrize(
    "query", [b"", b"do=show", b"do", b"do=", b"xdo=logout", b"do=logoutx", b"id=do=logout", b"DO=logout"]
)
def test_and_nothing_else_is(query: bytes) -> None:
    assert not LINKS.have(("doku.php",), query)


def test_all_its_parameters_have_to_be_there() -> None:
    assert LINKS.have(("m", "x"), b"c=d&a=b")
    assert not LINKS.have(("m", "x"), b"a=b")
    assert LINKS.have_path(("m", "x"))
    assert not LINKS.have_path(("x",))
