"""HR09, HR11: WebSockets. Nobody opens one who may not, or from another site's page, and nothing goes through one that
the application has not opened. attacks.md 2.3.
"""

import asyncio
import struct
import time

from tests.attacks.cases import Case, Failed, Run, expect, numbered, uncontrolled
from tests.attacks.outcomes import check_identity, denied, r400, unseen
from tests.attacks.recorder import Script
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import MARK, SEAT, World, host
from tests.patience import until

APP, PAGE = "tunnels", "/ws"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = b"Sec-WebSocket-Version: 13"
ASKS = (b"Connection: Upgrade", b"Upgrade: websocket")
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
SMUGGLED = request(APP, "/admin/smuggled", b"X-Smuggled: 1")
# Seconds, and what a busy machine takes for itself.
_WITHIN, _SPARE = 1.0, 2.0


def taken(*lines: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 101 Switching Protocols", *lines, b"", b""))


TAKEN = taken(*ASKS, ACCEPT)


def sent(payload: bytes, first: int = 0x81) -> bytes:
    """By a client, masked with zeros."""
    length = bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes((first,)) + length + bytes(4) + payload


def own_origin(world: World, app: str = APP) -> bytes:
    return b"Origin: " + world.url(app, "").encode()


async def cookie_of(world: World, login: str = "alice") -> bytes:
    return await world.cookie(APP, login) if world.is_gateway else b""


async def opening(world: World, *lines: bytes, target: str = PAGE, cookie: bytes | None = None) -> bytes:
    """Well-formed, by a person who may. `lines` in the place of Origin, key and version, where there are any."""
    more = lines or (own_origin(world), KEY, VERSION)
    return request(APP, target, *ASKS, *more, cookie=await cookie_of(world) if cookie is None else cookie)


class Tunnel:
    """What came back of a well-formed opening. `head`: up to the empty line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.head = reader, writer, b""

    async def rest(self, within: float) -> bytes:
        got = b""
        try:
            async with asyncio.timeout(within):
                while piece := await self.reader.read(65536):
                    got += piece
        except (TimeoutError, OSError):
            pass
        return got

    async def close(self) -> None:
        self.writer.transport.abort()


async def open_tunnel(world: World, data: bytes, answer: bytes = TAKEN) -> Tunnel:
    world.recorder.forget()
    world.recorder.scripts[PAGE.encode()] = Script(answer)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.door.port, limit=1 << 20)
    tunnel = Tunnel(reader, writer)
    world.close_afterwards(tunnel)
    writer.write(data)
    try:
        async with asyncio.timeout(world.patience):
            tunnel.head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError):
        pass
    return tunnel


async def arrives(world: World, data: bytes) -> None:
    """The control: at the application, behind whatever came before."""
    try:
        await until(lambda: world.recorder.all_bytes.endswith(data), within=world.patience)
    except TimeoutError:
        raise Failed(f"frames do not go through: {world.recorder.all_bytes!r}") from None


async def none_smuggled(world: World) -> None:
    await asyncio.sleep(0.05)
    expect(b"smuggled" not in world.recorder.all_bytes, f"reached the application: {world.recorder.all_bytes!r}")


# --- HR09: who opens one, and what opens it ---


async def nobody(world: World) -> None:
    for target in (PAGE, "/admin/ws"):
        for lines in ((), NAVIGATION):
            seen = await world.send(request(APP, target, *ASKS, own_origin(world), KEY, VERSION, *lines))
            unseen(world, seen)
            expect(seen.answer.status == 401, f"not 401: {seen}")
            expect(seen.answer.header(b"content-type").startswith(b"application/json"), f"no JSON: {seen}")
    denied(world, await world.send(await opening(world, target="/admin/ws")))


async def forged_identity(world: World) -> None:
    """HS14: what says who is calling is stripped of an upgrade too, and what is injected is ours."""
    lines = (own_origin(world), KEY, VERSION, b"X-Remote-User: " + MARK, b"X_Remote_User: " + MARK, b"x-dept: " + MARK)
    tunnel = await open_tunnel(world, await opening(world, *lines))
    expect(tunnel.head.startswith(b"HTTP/1.1 101 "), f"not opened: {tunnel.head!r}")
    (found,) = world.recorder.requests
    expect(MARK not in found.raw, f"a forged value reached the application: {found.raw!r}")
    check_identity(found, "alice")


def malformed(*lines: bytes, status: int = 400) -> Run:
    async def run(world: World) -> None:
        r400(world, await world.send(await opening(world, own_origin(world), *lines)), statuses=(status,))

    return run


async def with_a_body(world: World) -> None:
    for framing in (b"Content-Length: %d" % len(SMUGGLED), b"Transfer-Encoding: chunked"):
        head = await opening(world, own_origin(world), KEY, VERSION, framing)
        r400(world, await world.send(head + SMUGGLED))


async def other_protocols(world: World) -> None:
    cookie = await cookie_of(world)
    for protocol in (b"h2c", b"HTTP/2.0", b"TLS/1.2", b"h2c, websocket", b"websocket, h2c", b"websocket/13"):
        lines = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol, b"HTTP2-Settings: AAMAAABkAAQ")
        data = request(APP, PAGE, *lines, own_origin(world), KEY, VERSION, cookie=cookie)
        r400(world, await world.send(data + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))


def not_switched(answer: bytes) -> Run:
    """K089, and a front that believes so: any other answer is plain HTTP, and what follows it is no request."""

    async def run(world: World) -> None:
        tunnel = await open_tunnel(world, await opening(world), answer)
        expect(not tunnel.head.startswith(b"HTTP/1.1 101 "), f"a tunnel: {tunnel.head!r}")
        tunnel.writer.write(SMUGGLED)
        await tunnel.rest(min(world.patience, _WITHIN))
        await none_smuggled(world)

    return run


async def early(world: World) -> None:
    """K090: bytes before the answer are nothing, however the application answers."""
    for answer in (TAKEN, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
        tunnel = await open_tunnel(world, await opening(world) + SMUGGLED, answer)
        expect(not tunnel.head.startswith(b"HTTP/1.1 101 "), f"a tunnel: {tunnel.head!r}")
        await tunnel.rest(min(world.patience, _WITHIN))
        await none_smuggled(world)


async def no_frames(world: World) -> None:
    """What is sent through an open one and is no frame: a request, a length that is none, a long ping."""
    for data in (
        SMUGGLED,
        b"\x82\xff\xff" + bytes(7) + SMUGGLED,
        sent(SMUGGLED + bytes(100), first=0x89),
        sent(SMUGGLED, first=0x08),
    ):
        tunnel = await open_tunnel(world, await opening(world))
        tunnel.writer.write(data)
        rest = await tunnel.rest(world.patience)
        await none_smuggled(world)
        expect(b"\x03\xea" in rest, f"not told by 1002: {rest!r}")


async def signed_out(world: World) -> None:
    """Within a second of the sign-out, told on both sides by a Close frame; nothing goes through after that."""
    person = world.guest()
    if world.is_gateway:
        await world.sign_in("alice", world.url(APP, "/_ecluse/login?to=/"), person=person)
    cookie = f"{SEAT}={person.jar.get(host(APP), SEAT)}".encode()
    tunnel = await open_tunnel(world, await opening(world, cookie=cookie))
    tunnel.writer.write(sent(b"before"))
    await arrives(world, sent(b"before"))
    if world.is_gateway:
        page = await person.step("GET", world.url(APP, "/_ecluse/logout"))
        (form,) = page.forms()
        await person.submit(page, form)
    began = time.monotonic()
    tunnel.writer.write(sent(b"smuggled"))
    rest = await tunnel.rest(world.patience)
    expect(rest.startswith(b"\x88\x0c\x03\xf0signed out"), f"not told by 1008: {rest!r}")
    expect(time.monotonic() - began < _WITHIN + _SPARE, f"after {time.monotonic() - began:.2f} s")
    await none_smuggled(world)
    behind = world.recorder.all_bytes.rpartition(sent(b"before"))[2]
    expect(behind[:2] == b"\x88\x8c", f"the application is not told: {behind!r}")
    denied(world, await world.send(await opening(world, cookie=cookie)))
    await person.close()


async def through(world: World) -> None:
    """The control: whoever may, opens one, and it is one."""
    for cookie in (await cookie_of(world), b""):
        target = PAGE if cookie else "/public/ws"
        world.recorder.scripts[b"/public/ws"] = Script(TAKEN)
        tunnel = await open_tunnel(world, await opening(world, target=target, cookie=cookie))
        expect(tunnel.head.startswith(b"HTTP/1.1 101 "), f"not opened: {tunnel.head!r}")
        tunnel.writer.write(sent(b"hello"))
        await arrives(world, sent(b"hello"))


# --- HR11: from which page ---


def foreign(*origins: bytes) -> Run:
    async def run(world: World) -> None:
        lines = tuple(b"Origin: " + origin for origin in origins)
        r400(world, await world.send(await opening(world, *lines, KEY, VERSION)), statuses=(403,))

    return run


async def another_application(world: World) -> None:
    """Nor of one that is behind the same gateway, nor of the portal, nor of our own host by another scheme or port."""
    own = own_origin(world)
    others = (
        own_origin(world, "prefix-public"), b"Origin: " + world.portal("").encode(), own.rpartition(b":")[0],
        own + b"/", own.replace(b"http:", b"https:"), own + b".evil.example", own.replace(b"//", b"//evil@"),
        own.upper(),
    )  # fmt: skip
    for line in others:
        r400(world, await world.send(await opening(world, line, KEY, VERSION)), statuses=(403,))


HR09 = (
    ("nobody, or somebody who may not", nobody),
    ("another version", malformed(KEY, b"Sec-WebSocket-Version: 7", status=426)),
    ("no version", malformed(KEY, status=426)),
    ("no key", malformed(VERSION)),
    ("a key that is none", malformed(b"Sec-WebSocket-Key: x", VERSION)),
    ("two keys", malformed(KEY, KEY, VERSION)),
    ("with a body", with_a_body),
    ("other protocols", other_protocols),
    ("the answer is 200", not_switched(b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok")),
    ("the answer is 403", not_switched(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")),
    ("the answer is a redirect", not_switched(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")),
    (
        "the answer is 426",
        not_switched(b"HTTP/1.1 426 No\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"),
    ),
    ("101 to another key", not_switched(taken(*ASKS, b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="))),
    ("101 to another protocol", not_switched(taken(b"Connection: Upgrade", b"Upgrade: h2c", ACCEPT))),
    ("101 without Connection", not_switched(taken(b"Upgrade: websocket", ACCEPT))),
    ("101 with a length", not_switched(taken(*ASKS, ACCEPT, b"Content-Length: 5"))),
    ("bytes before the answer", early),
    ("what is no frame", no_frames),
    ("signed out", signed_out),
    ("a forged identity", forged_identity),
)
HR11 = (
    ("of another site", foreign(b"https://evil.example")),
    ("null", foreign(b"null")),
    ("missing, beside a cookie that signs in", foreign()),
    ("two of them", foreign(b"http://tunnels.localhost", b"https://evil.example")),
    ("empty", foreign(b"")),
    ("of another application", another_application),
)

CASES: tuple[Case, ...] = (
    *numbered("HR09", HR09),
    uncontrolled("HR09.21", "whoever may opens one", through),
    *numbered("HR11", HR11),
)
