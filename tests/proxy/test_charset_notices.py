"""Who runs the gateway is told of texts that are not in the charset that is said of them."""

from tests.proxy.applications import application
from tests.proxy.gateways import Gateway, ask, gateway

REWRITE = """\
rewrite: {headers: true, bodies: true, internal: ['http://intranet:8080'], texts: {ancien: %s}}
paths: {parameters: [jsessionid]}
"""
COUNTED = "ecluse_text_charset_disagreements_total", "permis"
# It says UTF-8, and is in Latin-1.
LIE = "<a href='http://intranet:8080/'>Évreux</a>".encode("latin-1")
CHANGED = "<a href='http://permis.localhost:8080/'>Évreux</a>".encode("latin-1")


def page(body: bytes, charset: bytes = b"utf-8") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=%b\r\nContent-Length: %d\r\n\r\n"
    return head % (charset, len(body)) + body


async def asked(gate: Gateway, target: bytes) -> bytes:
    return (await gate.once(ask(b"GET " + target))).body


async def test_a_line_a_minute_says_where_and_each_is_counted() -> None:
    async with application(then=page(LIE)) as behind, gateway(behind, app=REWRITE % "récent") as gate:
        assert await asked(gate, b"/public/a;jsessionid=1?of=helene") == CHANGED, "what the browser gets is as it was"
        (line,) = gate.log.named("text.charset")
        assert len(str(line.pop("request_id"))) == 32
        said = {"said": "utf-8", "found": "unknown"}
        assert line == {"app": "permis", "code": "rewrite.charset", "path": "/public/a;jsessionid=_", **said}
        assert await asked(gate, b"/public/b") == CHANGED
        await gate.clock.passes(59)
        assert await asked(gate, b"/public/c") == CHANGED
        assert len(gate.log.named("text.charset")) == 1
        await gate.clock.passes(1.5)
        assert await asked(gate, b"/public/d?of=helene") == CHANGED
        assert [line["path"] for line in gate.log.named("text.charset")][1:] == ["/public/d"]
        assert gate.counters.values[COUNTED] == 4


async def test_a_reload_begins_no_new_minute() -> None:
    async with application(then=page(LIE)) as behind, gateway(behind, app=REWRITE % "récent") as gate:
        await asked(gate, b"/public/a")
        gate.plane.tables = gate.plane._new_tables()
        await asked(gate, b"/public/a")
        assert (len(gate.log.named("text.charset")), gate.counters.values[COUNTED]) == (1, 2)


async def test_nobody_is_told_of_a_text_that_says_the_truth() -> None:
    async with application(then=page(LIE, b"iso-8859-1")) as behind, gateway(behind, app=REWRITE % "récent") as gate:
        assert await asked(gate, b"/public/a") == CHANGED
        assert (gate.log.named("text.charset"), COUNTED in gate.counters.values) == ([], False)


async def test_nobody_is_told_where_the_charset_has_no_say() -> None:
    """What is sought in ASCII is found in a text whatever it says."""
    async with application(then=page(LIE)) as behind, gateway(behind, app=REWRITE % "neuf") as gate:
        assert await asked(gate, b"/public/a") == CHANGED
        assert (gate.log.named("text.charset"), COUNTED in gate.counters.values) == ([], False)
