"""Whatever came before on a connection, a request is read as if it were the first on one: what is taken over from the
head before (changes.py), from other lines (lane.py) or from the memo shows neither upstream nor in an answer.
"""

import random
import re
from typing import Final, NamedTuple

import pytest

from gateway.model.session import Seat
from tests.config.samples import METROPOLE, sample_snapshot
from tests.proxy.applications import Application, application
from tests.proxy.gateways import Answer, Client, Gateway, blot, files, gateway
from tests.proxy.stand_ins import COOKIE, Holder, identity, seat

OTHER: Final = COOKIE[::-1]
COLD: Final = COOKIE.swapcase()
NOBODY: Final = COOKIE.replace(b"a", b"b")

API: Final = "api: {providers: [metropole], paths: [/api/**]}"
RULES: Final = f"""\
  - {{path: /on/header, allow: {{header: {{name: X-Lang, equals: fr}}}}}}
  - {{path: /on/query, allow: {{query: {{name: a, equals: "1"}}}}}}
  - {{path: /on/network, allow: {{network: 192.0.2.0/24}}}}
{API}
"""
TOKENS: Final = {"providers/metropole.yaml": METROPOLE.replace("  scopes:", "  api: {audience: [urn:a]}\n  scopes:")}
AUTRE: Final = """\
version: 1
app: autre
hosts: [autre.localhost]
upstream: {url: http://127.0.0.1:%d}
providers: [metropole]
translate: {headers: {Authorization: {from: uid}, X-Lang: {value: oui}}}
access: [{path: /public/**, allow: anyone}, {path: /**, allow: signed_in}]
"""

LINES: Final = (b"GET /public/a", b"GET /a", b"GET /a?a=1", b"HEAD /a?a=2", b"POST /a", b"PUT /public/a?b",
    b"GET /admin/", b"GET /api/a", b"POST /api/a", b"GET /on/header", b"GET /on/query?a=1", b"GET /on/query?a=2",
    b"GET /on/network", b"GET /_ecluse/session", b"GET /public/a?\xe9", b"GET /public/../a?a", b"PUT /a?" + b"q" * 500,
    b"TRACE /a", b"GET http://permis.localhost/a", b"GET http://autre.localhost/a")  # fmt: skip
HOSTS: Final = (*[b"permis.localhost"] * 6, b"autre.localhost", b"permis.localhost:8080", b"unknown.localhost")
COOKIES: Final = (b"__Host-ecluse=" + COOKIE, b"__Host-ecluse=" + OTHER, b"__Host-ecluse=" + COLD, b"a=1",
    b"CTSESSION=x", b"__Host-ecluse=" + NOBODY, b"a=2", b'b="q"', b"__host-ecluse=x", b"c=%41", b"")  # fmt: skip
VALUES: Final = {
    b"Accept": (b"text/html", b"*/*", b"*/* \t", b"", b"\xe9", b"\x01", b"a\nX-Remote-User: b", b"x" * 1900),
    b"accept": (b"text/html", b"a\tb"),
    b"X-Lang": (b"fr", b"en", b"fr "),
    b"X-Forwarded-For": (b"192.0.2.1", b"192.0.2.2, 127.0.0.1", b"198.51.100.1", b"unknown", b""),
    b"X-Forwarded-Proto": (b"http", b"https", b"HTTPS, http"),
    b"traceparent": (b"00-a", b"00-b"),
    b"Content-Length": (b"0", b"1", b"5", b"01", b"+1", b"1, 1", b"-1", b"9" * 30, b"1 ", b"\xb2"),
    b"Connection": (b"keep-alive", b"Keep-Alive", b"close", b"X-Lang", b"cookie, keep-alive"),
    b"Authorization": (b"Bearer a", b"Bearer b", b"Basic a"),
    b"Transfer-Encoding": (b"gzip",),
    b"Upgrade": (b"websocket",),
    b"X-Remote-User": (b"admin",),
    b"Cookie": (),
    b"cookie": (),
}
KINDS: Final = ("value", "line", "host", "more", "fewer", "twice", "turned", "program")
USUAL: Final = (b"Accept", b"Cookie", b"X-Lang", b"X-Forwarded-For", b"traceparent", b"Content-Length")


class Asked(NamedTuple):
    line: bytes
    host: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def raw(self) -> bytes:
        lines = [self.line + b" HTTP/1.1", b"Host: " + self.host, *map(b": ".join, self.fields)]
        lengths = [value for name, value in self.fields if name == b"Content-Length"]
        body = b"x" * int(lengths[0]) if len(lengths) == 1 and lengths[0] in {b"1", b"1 ", b"5"} else b""
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


def value(draw: random.Random, name: bytes) -> bytes:
    if name.lower() == b"cookie":
        return draw.choice((b"; ", b"; ", b";", b", ")).join(draw.choices(COOKIES, k=draw.randint(1, 3)))
    return draw.choice(VALUES[name])


def first(draw: random.Random) -> Asked:
    names = draw.sample(USUAL, k=draw.randint(1, 5))
    return Asked(b"GET /a", HOSTS[0], tuple((name, value(draw, name)) for name in names))


def after(draw: random.Random, asked: Asked) -> Asked:
    """The next request: mostly the same but for a value or its line."""
    fields = list(asked.fields)
    at = draw.randrange(len(fields))
    match draw.choices(KINDS, (57, 20, 4, 6, 4, 3, 3, 3))[0]:
        case "value":
            fields[at] = fields[at][0], value(draw, fields[at][0])
        case "line":
            return asked._replace(line=draw.choice(LINES))
        case "program":
            return Asked(
                b"GET /api/a", HOSTS[0], ((b"Authorization", b"Bearer a"), (b"Cookie", value(draw, b"Cookie")))
            )
        case "host":
            return asked._replace(host=draw.choice(HOSTS))
        case "more":
            name = draw.choice((*VALUES, b"Authorization", b"Authorization"))
            fields.insert(at, (name, value(draw, name)))
        case "fewer" if len(fields) > 1:
            del fields[at]
        case "twice":
            fields.append((fields[at][0], value(draw, fields[at][0])))
        case _:
            fields.reverse()
    return asked._replace(fields=tuple(fields))


class Programs:
    """Every token is known."""

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        return seat("permis.localhost", identity(uid="program-" + token.decode()), token)

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        raise AssertionError("every token is known")


def seats(gate: Gateway) -> None:
    """One that only the store holds is forgotten by the worker each time, so that it is awaited on both connections."""
    gate.sessions.hot = {
        COOKIE: seat("permis.localhost", identity(uid="jdupont", groups=("administrateurs",)), COOKIE),
        OTHER: seat("permis.localhost", identity(uid="mmartin"), OTHER),
    }
    gate.sessions.cold = {COLD: seat("permis.localhost", identity(uid="froid"), COLD)}


# A second may pass between the two.
_DATE = re.compile(rb"\r\nDate: [^\r]*")


async def seen(gate: Gateway, app: Application, client: Client, raw: bytes) -> tuple[Answer, list[bytes], list[bytes]]:
    """The answer, and what reached the application and the portal. Of a head that is refused unread, only that: which
    of its faults is named depends on who reads it first."""
    app.requests.clear()
    gate.portal.asked.clear()
    seats(gate)
    refused = len(gate.log.named("request.refused"))
    answer = await client.ask(raw)
    answer = answer._replace(head=_DATE.sub(b"", answer.head))
    if any(refusal["app"] == "" for refusal in gate.log.named("request.refused")[refused:]):
        answer = Answer(400, b"", b"")
    return answer, [blot(request) for request in app.requests], [portal.received for portal in gate.portal.asked]


@pytest.mark.slow
@pytest.mark.parametrize("trusted", ["[]", "[127.0.0.1]"])
@pytest.mark.parametrize("seed", range(4))
async def test_no_request_shows_what_came_before_it(seed: int, trusted: str) -> None:
    draw = random.Random(seed)
    lines = f"trusted_proxies: {trusted}\n"
    async with application() as app:
        more = {"app": RULES, "gateway": lines}
        changes = TOKENS | {"apps/autre.yaml": AUTRE % app.port}
        narrow = files(app.port, app=RULES, gateway=lines + "limits: {headers: 1KB, url: 512B, header_count: 8}\n")
        async with gateway(app, changes=changes, **more) as gate:
            gate.plane.callers = Programs()
            snapshots = [gate.plane.holder.snapshot, sample_snapshot({**narrow, **changes})]
            for _ in range(120):
                holder = gate.plane.holder
                assert isinstance(holder, Holder)
                asked, warm, before = first(draw), await gate.client(), b""
                for _ in range(20):
                    if draw.random() < 0.03:
                        holder.snapshot = draw.choice(snapshots)
                        gate.plane.snapshot_swapped()
                    raw, fresh = asked.raw(), await gate.client()
                    expected = await seen(gate, app, fresh, raw)
                    got = await seen(gate, app, warm, raw)
                    assert got == expected, (before, raw)
                    fresh.close()
                    gate.clients.remove(fresh)
                    if not got[0].head or got[0].values(b"Connection") == [b"close"]:
                        break
                    asked, before = after(draw, asked), raw
                warm.close()
                gate.clients.remove(warm)
