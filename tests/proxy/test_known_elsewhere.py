"""A head that was let in at one host is read at another, whose file differs in one key, as a parser would read it."""

from itertools import product

import pytest

from gateway.proxy.request import Request
from tests.config.samples import PERMIS
from tests.proxy.gateways import HOST
from tests.proxy.test_known_heads import head_of, let_in, places, read

# Of the other application, in the place of the key of that name, or beside the others.
KEYS = (
    "upstream: {url: http://127.0.0.1:9001, host: interne.example}",
    "public: {scheme: https}",
    "paths: {parameters: [jsessionid]}",
    "paths: {case: insensitive}",
    "paths: {windows: true, case: insensitive}",
    "paths: {merge_slashes: true}",
    "paths: {encoding: latin1}",
    'paths: {escaped: ["?"]}',
    "paths: {cookieless: true}",
    "paths: {mangled: true}",
    "paths: {semicolon: literal}",
    "paths: {encoded_slash: keep}",
    "paths: {encoded_backslash: keep}",
    "paths: {encoded_percent: literal}",
    "methods: [PROPFIND, COPY, MOVE, LOCK]",
    "client_headers: [X-Auth-Token]",
    "method_override: true",
    "limits: {body: 1KB}",
    "tunnel: {protocols: [websocket], origins: [http://autre.localhost]}",
    "translate: {headers: {X-Lang: {from: uid}}}",
    "translate: {headers: {Accept-Language: {from: uid}}}",
    "translate: {cookies: {a: {from: uid}}}",
    "access: [{path: /**, allow: anyone}]",
    "access: [{path: /**, allow: signed_in}]",
    "path: /public",
)
LINES = (
    (b"X-Lang", b"fr"),
    (b"traceparent", b"00-a"),
    (b"Accept-Language", b"fr"),
    (b"X-Forwarded-User", b"admin"),
    (b"X-Auth-Token", b"a"),
    (b"X-HTTP-Method-Override", b"DELETE"),
    (b"Depth", b"infinity"),
    (b"Destination", b"http://autre.localhost/admin/x"),
    (b"If", b"<http://autre.localhost/admin/x> (<urn:a>)"),
    (b"If-Match", b'"a"'),
    (b"Cookie", b"a=1; b=2"),
    (b"Content-Length", b"5000"),
    (b"Upgrade", b"websocket"),
    (b"X-Forwarded-Host", b"evil.example"),
    (b"Origin", b"http://evil.example"),
)
TARGETS = (
    b"/public/a", b"/", b"/public;jsessionid=1/a", b"/PUBLIC/a", b"//public/a", b"/public//a", b"/a%2fb", b"/a%5cb",
    b"/a%25b", b"/\xe9", b"/%e9", b"/a%3fb", b"/(S(a))/public/a", b"/a~1", b"/a;b", b"/other", b"/%70ublic/a",
    b"http://autre.localhost/public/a", b"http://permis.localhost/public/a",
)  # fmt: skip
METHODS = (b"GET", b"MOVE")


def other(key: str) -> str:
    """The file of another application."""
    name = key.partition(":")[0]
    blocks, kept = PERMIS.replace("permis", "autre").splitlines(), []
    taken = False
    for line in blocks:
        if not line.startswith(" "):
            taken = line.startswith(f"{name}:")
        if not taken:
            kept.append(line)
    lines = "\n".join([*kept, key, ""])
    return lines.replace("{path: /", "{path: /public/") if name == "path" else lines


@pytest.mark.parametrize("key", KEYS)
def test_what_was_let_in_at_one_host_is_read_at_another_as_if_it_had_come_first(key: str) -> None:
    files = {"apps/autre.yaml": other(key)}
    spellings = (HOST, b"autre.localhost", b"portail.localhost:8080", b"autre.localhost:80")
    here, fresh, compared = places(files), places(files), 0
    pairs = [*((HOST, name) for name in spellings[1:]), (spellings[1], HOST)]
    for place in (here, fresh):
        for name in spellings:
            place.find(name)
    for line, (one, name) in product((None, *LINES), pairs):
        lines = [(b"Accept", b"*/*"), (b"Referer", b"/a"), *([line] if line else [])]
        first = head_of(lines).replace(HOST, one)
        if read(first, fresh) is not None:
            let_in(first, here)
        for target, method in product(TARGETS, METHODS):
            head = method + head_of(lines, target).replace(b"Host: " + HOST, b"Host: " + name)[3:]
            kept = Request()
            read(first, here, kept)
            expected = read(head, fresh)
            for request in (kept, Request()):
                assert read(head, here, request) == expected, head
            compared += expected is not None
    assert not fresh.known.heads
    assert here.known.heads
    assert compared > 100
