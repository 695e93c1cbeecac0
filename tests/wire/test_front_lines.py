"""Which headers a front's configuration writes over a client's: our files of deploy/fronts, and others."""

import re
from pathlib import Path

import pytest

from gateway.wire.front_lines import lines_of, missing, names_of
from gateway.wire.front_overrides import taken_back
from gateway.wire.fronts import FRONTS

CONFIGURATIONS = Path(__file__).parents[2] / "deploy/fronts"
FILES = {"nginx": "nginx.conf", "caddy": "Caddyfile", "traefik": "traefik-ecluse.yaml", "envoy": "envoy.yaml"}
KINDS = pytest.mark.parametrize("kind", FILES)
INJECTED = {b"xremoteuser": b"X-Remote-User"}


def text_of(kind: str) -> str:
    return (CONFIGURATIONS / FILES[kind]).read_text()


@KINDS
def test_the_files_that_we_give_write_all_of_them(kind: str) -> None:
    names = names_of(kind, INJECTED)
    assert {"X-Remote-User", "Cookie", "Authorization", "X-Request-Id"} <= set(names)
    assert missing(kind, text_of(kind), names) == ()


@KINDS
def test_a_header_that_is_forgotten_is_named(kind: str) -> None:
    names = names_of(kind, {**INJECTED, b"xdept": b"X-Dept"})
    assert missing(kind, text_of(kind), names) == ("X-Dept",)


@KINDS
def test_each_line_that_is_taken_out_is_missed(kind: str) -> None:
    names, text = names_of(kind, INJECTED), text_of(kind)
    for name in names:
        for line in lines_of(kind, [name]):
            assert line in text, line
            for without in ("", f"# {line}"):
                assert missing(kind, text.replace(line, without), names) == (name,), line


@KINDS
def test_the_lines_that_are_printed_are_what_is_asked_for(kind: str) -> None:
    added = "\n".join(lines_of(kind, ["X-Dept"]))
    for line in lines_of(kind, ["X-Remote-User"]):
        head, _, tail = text_of(kind).partition(line)
        indent = head.rpartition("\n")[2]
        if not indent.strip():
            text = head + added.replace("\n", f"\n{indent}") + "\n" + indent + line + tail
            assert missing(kind, text, ["X-Dept", "X-Remote-User"]) == ()
            return
    raise AssertionError("no line stands by itself")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        # What the client sent, or another header's value.
        ("nginx", "auth_request_set $u $upstream_http_x_dept; proxy_set_header X-Dept $http_x_dept;"),
        ("nginx", "auth_request_set $u $upstream_http_x_other; proxy_set_header X-Dept $u;"),
        ("nginx", "proxy_set_header X-Dept $u;"),
        ("caddy", "request_header X-Dept {http.request.header.X-Dept}"),
        ("caddy", "request_header X-Dept {rp.header.X-Other}"),
        ("caddy", "copy_headers X-Dept"),
        ("traefik", "authResponseHeaders:\n  - X-Other\nauthRequestHeaders:\n  - X-Dept"),
        ("traefik", "authResponseHeaders: [X-Deptx]"),
        ("envoy", "allowed_headers:\n  - {exact: x-dept}\nallowed_upstream_headers:\n  - {exact: x-other}"),
        ("envoy", "allowed_upstream_headers:\n  - {prefix: x-dept}"),
    ],
)
def test_what_looks_like_it_is_not_taken_for_it(kind: str, text: str) -> None:
    assert missing(kind, text, ["X-Dept"]) == ("X-Dept",)


@pytest.mark.parametrize(
    "text",
    [
        "authResponseHeaders: [X-Other, X-Dept]",
        "authResponseHeaders:\n- X-Dept\nother: 1",
        'authResponseHeaders: ["X-Dept"]',
    ],
)
def test_a_list_of_yaml_in_any_layout(text: str) -> None:
    assert missing("traefik", text, ["X-Dept"]) == ()


def test_haproxy_is_told_and_names_none() -> None:
    assert names_of("haproxy", INJECTED) == ()
    assert set(FRONTS) == {*FILES, "haproxy", "oauth2-proxy"}


def test_what_was_set_up_for_oauth2_proxy_may_write_it_under_another_name() -> None:
    text = (CONFIGURATIONS / "nginx-oauth2-proxy.conf").read_text()
    told = {b"xauthrequestuser": b"X-Auth-Request-User", b"xauthrequestemail": b"X-Auth-Request-Email"}
    names = names_of("oauth2-proxy", told)
    assert missing("oauth2-proxy", text, names) == ()
    for line in ("proxy_set_header X-User $user;", "auth_request_set $user $upstream_http_x_auth_request_user;"):
        assert line in text
        assert missing("oauth2-proxy", text.replace(line, ""), names) == ("X-Auth-Request-User",)
    without = re.sub(r"# new\n.*?# end\n", "", text, flags=re.DOTALL)
    assert missing("oauth2-proxy", without, names) == ("Cookie", "Authorization", "X-Request-Id")
    assert not taken_back("oauth2-proxy", text, names)
    assert taken_back("oauth2-proxy", text + "set $user admin;", names)
