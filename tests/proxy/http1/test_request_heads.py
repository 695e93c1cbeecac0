"""Heads of requests by the names of their lines."""

import pytest

from gateway.access.remembered import Newcomers
from gateway.model.errors import GatewayError
from gateway.proxy.http1.request_heads import RequestHeads, RequestLayout
from gateway.wire.headers import CONTENT_LENGTH, EXPECT, HeaderPolicy

POLICY = HeaderPolicy.compile(frozenset({b"xremoteuser"}))


def test_a_layout_says_where_everything_is() -> None:
    names = (b"Host", b"Accept", b"X_Remote_User", b"Cookie", b"Content-Length", b"connection", b"authorization")
    layout = RequestLayout(names, POLICY)
    assert (layout.cookies, layout.connections, layout.dropped) == ([(3, 8)], [(5, 12)], [b"X_Remote_User"])
    lines = [b"Host: h", b"Accept: */*", b"X_Remote_User: admin", b"Cookie: a=1", b"Content-Length: 3"]
    lines += [b"connection: close", b"authorization: Basic x"]
    assert layout.read_rare(lines)[CONTENT_LENGTH] == b"3"
    assert layout.lines(lines) == [b"Accept: */*", b"Authorization: Basic x"]


def test_a_rare_line_that_comes_twice_is_joined() -> None:
    layout = RequestLayout((b"Host", b"Expect", b"A", b"expect"), POLICY)
    assert layout.read_rare([b"Host: h", b"Expect: a", b"A: x", b"expect: b"]) == {EXPECT: b"a, b"}


@pytest.mark.parametrize(
    ("names", "opaque"),
    [
        ((b"Host", b"Accept", b"Cookie", b"Connection"), True),
        ((b"Host", b"Content-Length", b"X-Forwarded-For", b"X-Forwarded-Proto", b"traceparent"), True),
        ((b"Host", b"Accept", b"accept"), False),
        ((b"Host", b"Cookie", b"cookie"), False),
        ((b"Host", b"X-Remote-User"), False),
        ((b"Host", b"X_Lang"), False),
        ((b"Host", b"TE"), False),
        ((b"Host", b"Transfer-Encoding"), False),
        ((b"Host", b"Upgrade"), False),
        ((b"Host", b"Expect"), False),
        ((b"Host", b"Authorization"), False),
        ((b"Host", b"X-HTTP-Method-Override"), False),
        ((b"Host", b"X-HTTP.Method.Override"), False),
    ],
)
def test_values_are_opaque_where_no_name_says_what_the_message_is(names: tuple[bytes, ...], *, opaque: bool) -> None:
    assert RequestLayout(names, POLICY).opaque is opaque


@pytest.mark.parametrize("names", [(), (b"Host", b"host"), (b"Host", b"Authorization", b"authorization")])
def test_what_has_to_stand_once_does(names: tuple[bytes, ...]) -> None:
    with pytest.raises(GatewayError):
        RequestHeads(Newcomers(), 100).learn(names)


def test_what_is_remembered_is_bounded() -> None:
    heads = RequestHeads(Newcomers(most=500), 100)
    heads.learn((b"Host", b"Accept")).let_in = True
    for number in range(3000):
        heads.learn((b"Host", b"X-%d" % number))
    assert len(heads.by_names) <= 501
    assert (b"Host", b"Accept") in heads.by_names
    heads.learn((b"Host", b"X" * 65))
    assert all(len(name) <= 64 for names in heads.by_names for name in names)


def test_layouts_are_bounded_however_many_applications_a_head_is_sent_to() -> None:
    """Invariant 15. Heads of made-up names, each to every application: no head holds what it is to each of them."""
    heads = RequestHeads(Newcomers(most=500), 100)
    policies = [HeaderPolicy.compile(frozenset({b"x%d" % number})) for number in range(50)]
    usual = heads.learn((b"Host", b"Accept"))
    kept = heads.learn_layout(usual, POLICY)
    usual.let_in = kept.let_in = True
    for number in range(100):
        head = heads.learn((b"Host", b"X-%d" % number))
        for policy in policies:
            heads.learn_layout(head, policy)
    assert len(heads.by_names) + len(heads.layouts) <= 502
    assert heads.layouts[usual, POLICY] is kept
    known = len(heads.layouts)
    heads.learn_layout(heads.learn((b"Host", b"X" * 65)), POLICY)
    assert len(heads.layouts) == known


def test_so_many_lines_and_no_more() -> None:
    heads = RequestHeads(Newcomers(), 100)
    heads.learn((b"Host", *[b"X-%d" % number for number in range(99)]))
    with pytest.raises(GatewayError) as caught:
        heads.learn((b"Host", *[b"X-%d" % number for number in range(100)]))
    assert caught.value.code.id == "limit.headers"
