"""Requests as they come one after the other on a connection, drawn by chance: of browsers, of fronts, and hostile."""

import random
import re
from typing import Final

from tests.bench.browsers import browsing
from tests.proxy import test_alike
from tests.proxy.many_kinds import HOSTS, PEOPLE, cookie_at
from tests.proxy.test_alike import USUAL, Asked
from tests.proxy.test_known_questions import another

_SPELLINGS: Final = (*HOSTS, *HOSTS, b"PERMIS.localhost", b"permis.localhost:8080", b"z.wild.localhost",
    b"x.wild.localhost:80", b"DIVIDED.localhost:8080", b"unknown.localhost")  # fmt: skip
_LINES: Final = (*test_alike.LINES, b"GET /wiki/a", b"GET /wiki/admin/", b"GET /WIKI/a", b"GET /bye", b"GET /a?do=out",
    b"GET /a?do=in", b"PROPFIND /a", b"MOVE /a", b"POST /a?_method=DELETE", b"POST /a?b=c", b"GET /new/x",
    b"POST /public/b", b"HEAD /public/x", b"GET /PUBLIC/a", b"GET /_ecluse/logout?a", b"OPTIONS /a", b"GET /",
    b"GET //a", b"GET /a;b", b"GET /a%2Fb", b"GET /%E9t%E9", b"GET /admin/%2e", b"GET /ADMIN/")  # fmt: skip
_PLAIN_LINES: Final = (b"GET /public/a", b"GET /wiki/a", b"GET /dossiers/1", b"GET /a", b"GET /a?b=c")
_VALUES: Final = test_alike.VALUES | {
    b"Depth": (b"0", b"infinity"), b"Destination": (b"http://dav.localhost:8080/admin/x", b"/b"), b"If": (b"<urn:x>",),
    b"X-Auth-Token": (b"t",), b"app_x": (b"1",), b"X-HTTP-Method-Override": (b"DELETE", b"PUT"),
    b"Expect": (b"100-continue",), b"Origin": (b"http://a", b"http://permis.localhost"),
    b"Sec-Fetch-Mode": (b"navigate", b"cors"), b"Sec-Fetch-Dest": (b"document", b"empty", b"iframe"),
    b"User-Agent": (b"a", b"b"), b"If-None-Match": (b'"a"', b'"b"'), b"Referer": (b"http://permis.localhost/x", b"x"),
    b"X-Requested-With": (b"XMLHttpRequest",), b"Content-Type": (b"a/b",), b"X-authentik-username": (b"admin",),
}  # fmt: skip
_USUAL: Final = (*USUAL, b"User-Agent", b"Referer", b"If-None-Match", b"Origin", b"Sec-Fetch-Mode", b"Sec-Fetch-Dest",
    b"Content-Type")  # fmt: skip
_HOST_LINE: Final = re.compile(rb"(\r\n[Hh]ost: )([^\r]*)")
_COOKIE_LINE: Final = re.compile(rb"(\r\n[Cc]ookie: )[^\r]*")
_CONNECTION_LINE: Final = re.compile(rb"(\r\n[Cc]onnection: )[^\r]*")
_CONNECTIONS: Final = (b"keep-alive", b"Cookie", b"Referer", b"close, Referer")
_FORWARDED_LINE: Final = re.compile(rb"(\r\nX-Forwarded-For: )[^\r]*")
_PAIRS: Final = (b"a=1", b"CTSESSION=x", b"a=2", b'b="q"', b"__host-ecluse=x", b"p_z=1", b"z=2", b"")
_HOSTILE: Final = (
    b"\r\n", b"\r\n\r\n", b"\r\n ", b"\n", b"\r", b"\0", b"\x7f", b" ", b"\t", b":", b": ", b"\xff", b"\r\nCookie: ",
    b"\r\nReferer: ", b"\r\nX-Remote-User: admin", b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked",
    b"\r\nHost: autre.localhost", b"\r\nConnection: cookie",
)  # fmt: skip
KINDS: Final = {
    "value": 40, "line": 20, "host": 15, "cookie": 15, "more": 5, "fewer": 3, "twice": 2, "turned": 2, "program": 3,
}  # fmt: skip

_RESPONSE_LINES: Final = (b"Server: a", b"Server: b", b"ETag: \"a\"", b"ETag: W/\"b\"", b"etag: c", b"Set-Cookie: a=1",
    b"Date: Mon, 24 Nov 2025 15:00:00 GMT", b"Date: Mon, 24 Nov 2025 15:00:01 GMT", b"date: now",
    b"Cache-Control: no-store", b"Connection: keep-alive", b"Connection: close", b"Expires: 0",
    b"Set-Cookie: __Host-ecluse=evil", b"Vary: Accept", b"X-Lang: fr", b"Server: a\r\n folded",
    b"Strict-Transport-Security: max-age=0", b"Connection: Server", b"Vary: \x01", b"Referrer-Policy: origin",
    b"X-Robots-Tag: all", b"Location: http://127.0.0.1:15/deep/a", b"Clear-Site-Data: \"cookies\"")  # fmt: skip
_LENGTHS: Final = (b"Content-Length: %d", b"Content-Length: %d", b"content-length: %d", b"Content-Length: 0%d",
    b"Content-Length:%d", b"Content-Length: %d ", b"Content-Length: 1, %d")  # fmt: skip
_OK: Final = b"200 OK"
_STATUSES: Final = (_OK, _OK, _OK, b"304 Not Modified", b"404 Not Found", b"204 No Content", b"401 No")


def first(draw: random.Random) -> Asked:
    host = draw.choice(HOSTS)
    names = draw.sample(_USUAL, k=draw.randint(1, 7))
    return Asked(
        draw.choice((b"GET /a", b"GET /public/a")), host, tuple((name, _value(draw, name, host)) for name in names)
    )


def after(draw: random.Random, asked: Asked) -> Asked:
    """The next request: mostly the same but for a value, its line or its host."""
    fields = list(asked.fields)
    at = draw.randrange(len(fields))
    match draw.choices(list(KINDS), list(KINDS.values()))[0]:
        case "value":
            fields[at] = fields[at][0], _value(draw, fields[at][0], asked.host)
        case "line":
            return asked._replace(line=draw.choice(_LINES))
        case "host":
            return asked._replace(host=draw.choice(_SPELLINGS))
        case "cookie":
            fields = [field for field in fields if field[0].lower() != b"cookie"]
            fields.append((b"Cookie", _ours(draw, asked.host) + b"; a=%d" % draw.randrange(4)))
        case "program":
            return Asked(b"GET /api/a", b"permis.localhost", ((b"Authorization", b"Bearer a"), (b"Cookie", b"a=1")))
        case "more":
            name = draw.choice((*_VALUES, b"Authorization", b"Authorization"))
            fields.insert(at, (name, _value(draw, name, asked.host)))
        case "fewer" if len(fields) > 1:
            del fields[at]
        case "twice":
            fields.append((fields[at][0], _value(draw, fields[at][0], asked.host)))
        case _:
            fields.reverse()
    return asked._replace(fields=tuple(fields))


def again(draw: random.Random, raw: bytes) -> bytes:
    """The same, or but for its line or one value: most such heads are known."""
    match draw.randrange(7):
        case 0:
            return raw
        case 6:
            return _CONNECTION_LINE.sub(lambda found: found[1] + draw.choice(_CONNECTIONS), raw, count=1)
        case 1:
            line = draw.choice(_LINES if draw.random() < 0.3 else _PLAIN_LINES)
            return line + b" HTTP/1.1" + raw[max(raw.find(b"\r\n"), 0) :]
        case 2:
            return _HOST_LINE.sub(lambda found: found[1] + draw.choice(HOSTS), raw, count=1)
        case 3 | 4:
            host = _HOST_LINE.search(raw)
            cookies = _ours(draw, host[2] if host is not None else b"") + draw.choice((b"", b"; a=1", b"; p_z=1"))
            return _COOKIE_LINE.sub(lambda found: found[1] + cookies, raw, count=1)
        case _:
            return _FORWARDED_LINE.sub(lambda found: found[1] + _value(draw, b"X-Forwarded-For", b""), raw, count=1)


def pages(draw: random.Random) -> list[bytes]:
    """What browsers ask of every application, one of the two people in each; some of them by a proxy."""
    sent = []
    for place, host in enumerate(HOSTS):
        for number in range(4):
            cookie = cookie_at(draw.choice(list(PEOPLE)), place) if draw.random() < 0.9 else b"nobody"
            for prefix in ("/", "/public/", *(("/wiki/",) if host.startswith(b"divided") else ())):
                sent += browsing(number, host.decode(), f"__Host-ecluse={cookie.decode()}", prefix, 2)
    return [raw[:-2] + b"X-Forwarded-For: 192.0.2.1\r\n\r\n" if draw.random() < 0.3 else raw for raw in sent]


def asked_by_a_front(draw: random.Random) -> bytes:
    """About a request of a browser, which it passes on by itself."""
    raw = another(draw, "nginx").replace(b"permis.localhost", b"front.localhost")
    return raw.replace(b"GET /_ecluse", draw.choice((b"GET /_ecluse",) * 9 + (b"GET /a",)), 1)


def hostile(draw: random.Random, raw: bytes) -> bytes:
    at = draw.randrange(len(raw))
    match draw.randrange(4):
        case 0:
            return raw[:at] + draw.choice(_HOSTILE) + raw[at:]
        case 1:
            at = raw.find(b"\r\n", at)
            return raw[:at] + draw.choice(_HOSTILE) + raw[at:]
        case 2:
            return raw[:at] + raw[at : at + 1].swapcase() + raw[at + 1 :]
        case _:
            return raw[:at] + raw[at + 1 :]


def response(draw: random.Random) -> list[bytes]:
    """In one piece, or in two."""
    status, body = draw.choice(_STATUSES), b"x" * draw.choice((0, 1, 5, 700))
    if status[:3] in {b"304", b"204"}:
        body = b""
    lines = draw.sample(_RESPONSE_LINES[: draw.choice((8, len(_RESPONSE_LINES)))], k=draw.randint(0, 4))
    if body or draw.random() < 0.5:
        lines.insert(draw.randint(0, len(lines)), draw.choice(_LENGTHS[: draw.choice((1, 1, 7))]) % len(body))
    version = draw.choice((b"HTTP/1.1 ",) * 9 + (b"HTTP/1.0 ",))
    head = version + b"\r\n".join((status, *lines)) + b"\r\n\r\n"
    whole = head + body + (b"more" if draw.random() < 0.02 else b"")
    cut = draw.choice((len(whole), len(whole), len(head), draw.randint(1, len(whole))))
    return [piece for piece in (whole[:cut], whole[cut:]) if piece]


def _ours(draw: random.Random, host: bytes) -> bytes:
    """The cookie of somebody who is signed in there; seldom elsewhere."""
    place = HOSTS.index(host) if host in HOSTS and draw.random() < 0.9 else draw.randrange(len(HOSTS))
    return b"__Host-ecluse=" + cookie_at(draw.choice(list(PEOPLE)), place)


def _value(draw: random.Random, name: bytes, host: bytes) -> bytes:
    if name.lower() == b"cookie":
        pairs = draw.choices((_ours(draw, host), _ours(draw, host), *_PAIRS), k=draw.randint(1, 3))
        return draw.choice((b"; ", b"; ", b"; ", b";", b", ")).join(pairs)
    return draw.choice(_VALUES[name])
