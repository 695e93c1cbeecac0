"""Configurations of fronts that take back what they say elsewhere; those of deploy/fronts take nothing back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.wire.front_overrides import taken_back

FOLDER = Path(__file__).parents[2] / "deploy/fronts"
NAMES = ("X-Remote-User", "Cookie", "Authorization", "X-Request-Id")
FILES = {
    "nginx": ("nginx.conf",), "caddy": ("Caddyfile",), "traefik": ("traefik.yaml", "traefik-ecluse.yaml"),
    "envoy": ("envoy.yaml",), "haproxy": ("haproxy.cfg",),
}  # fmt: skip


def ours() -> Iterator[tuple[str, str]]:
    for kind, files in FILES.items():
        for name in files:
            if name != "traefik.yaml":
                yield kind, (FOLDER / name).read_text()


@pytest.mark.parametrize(("kind", "text"), [*ours()])
def test_ours_take_nothing_back(kind: str, text: str) -> None:
    assert taken_back(kind, text, NAMES) == []


USER = "proxy_set_header X-Remote-User $ecluse_x_remote_user;"
PASS = "proxy_pass http://application;"
TO_CADDY = "\t\t\treverse_proxy 127.0.0.1:9001 {"
AS_IT_CAME = "header_up X-Remote-User {http.request.header.X-Remote-User}"
SET_COOKIE = "auth_request_set $ecluse_cookie $upstream_http_cookie;"
ROUTE = "                        - match: {prefix: /}\n                          route: {cluster: application"
UNASKED = ROUTE.replace("/}", "/open/}") + "}\n                          typed_per_filter_config: *unasked\n" + ROUTE
TO_HAPROXY = "    http-request set-header Host permis.example.org if allowed"

# Of each front: what stands in ours, and what is written in its place; and what is said of that.
CANCELLED = [
    # nginx: a second line of a name is sent as well, and a block with one line of its own inherits none.
    ("nginx", USER, USER + '\nproxy_set_header x-remote-user "";', "X-Remote-User is written"),
    ("nginx", USER, "proxy_set_header X-Remote-User $http_x_remote_user;", "X-Remote-User is written"),
    ("nginx", PASS, f"location /api/ {{ proxy_set_header Host $host; {PASS} }}", "X-Remote-User is not written here"),
    ("nginx", PASS, f"location /api/ {{ auth_request off; {PASS} }}\n{PASS}", "http://application gets requests here"),
    (
        "nginx",
        "    location / {",
        f"location /open/ {{ {PASS} }}\nlocation / {{",
        "http://application gets requests here",
    ),
    ("nginx", USER, f"set $ecluse_x_remote_user $http_x_remote_user; {USER}", "$ecluse_x_remote_user gets a value"),
    (
        "nginx",
        SET_COOKIE,
        f"{SET_COOKIE} auth_request_set $ecluse_cookie $http_cookie;",
        "$ecluse_cookie holds a different",
    ),
    ("caddy", TO_CADDY, f"{TO_CADDY}\n\t\t\t\t{AS_IT_CAME}", "X-Remote-User is written"),
    ("caddy", TO_CADDY, f"\t\t\trequest_header +Cookie a=1\n{TO_CADDY}", "Cookie is written"),
    ("traefik", '          Forwarded: ""', '          Forwarded: ""\n          X-Remote-User: admin', "X-Remote-User"),
    ("traefik", "trustForwardHeader: false", "authResponseHeadersRegex: ^X-", "a pattern"),
    ("envoy", "key: cache-control", "key: X-Remote-User", "X-Remote-User is written"),
    ("envoy", "failure_mode_allow: false", "failure_mode_allow: true", "requests pass"),
    ("envoy", ROUTE, UNASKED, "application gets requests here"),
    ("haproxy", TO_HAPROXY, "    http-request set-header X-Remote-User admin if allowed", "X-Remote-User is written"),
    ("haproxy", "http-request lua.ecluse", "# http-request lua.ecluse", "lua.ecluse is not called"),
]


@pytest.mark.parametrize(("kind", "part", "instead", "said"), CANCELLED)
def test_what_takes_a_line_back_is_told_with_its_place(kind: str, part: str, instead: str, said: str) -> None:
    text = (FOLDER / FILES[kind][-1]).read_text()
    assert part in text
    found = taken_back(kind, text.replace(part, instead, 1), NAMES)
    assert any(why.startswith(said) for _, why in found), found
    assert all(1 <= line <= len(text.splitlines()) + 4 for line, _ in found)


def test_a_comment_and_a_quoted_brace_are_no_lines() -> None:
    text = (FOLDER / "nginx.conf").read_text()
    more = '# auth_request off;\nadd_header X-Note "a } b; #c" always;\nproxy_set_header X-Other "${host}";'
    changed = text.replace(
        "        proxy_pass http://application;", f"        {more}\n        proxy_pass http://application;"
    )
    assert taken_back("nginx", changed, NAMES) == []


@pytest.mark.parametrize("text", ["", "}", "{", "location / {", 'a "b', "proxy_pass;", "set;", "}}}} a { b; "])
def test_whatever_is_no_configuration_is_read_to_its_end(text: str) -> None:
    for kind in FILES:
        taken_back(kind, text, NAMES)
