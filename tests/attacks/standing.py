"""K035, DO06: clients that ask and take nothing, and the application that takes nothing of what a client sends. What
stands still stays in the kernel, and costs the workers next to nothing."""

import asyncio
import gzip
from contextlib import suppress
from dataclasses import replace
from hashlib import shake_256
from typing import cast

from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.exchange import Door
from tests.attacks.recorder import Script
from tests.attacks.request import request
from tests.attacks.tunnels import ASKS, KEY, TAKEN, VERSION
from tests.attacks.world import World
from tests.patience import until

APP, TUNNEL, REWRITTEN = "prefix-public", "tunnels", "rewritten"
_CLIENTS = 60
# Of each, in both workers together. An idle connection by TLS has some 55 KB of these. What was read at once, where it
# was not bounded, was 256 KB and more.
_MOST, _MOST_BY_TLS = 64 << 10, 128 << 10
# With what undoes it and what an idle connection has. Where pieces of any size were undone it was 200 KB.
_MOST_UNDONE = 96 << 10
_LARGE = 16 << 20
# A client that takes nothing is cut after four seconds: what it costs shows before that.
_LOOKS, _EVERY = 30, 0.1

_FILE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _LARGE + bytes(_LARGE)
# Undone it is ten times as long.
_NOISE = shake_256(b"noise").digest(1 << 20)
_TEXT = gzip.compress(b"".join(_NOISE[at : at + 48] + b"<br>" * 150 for at in range(0, len(_NOISE), 48)), 1)
_ZIPPED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
_ZIPPED += b"Content-Length: %d\r\n\r\n" % len(_TEXT) + _TEXT
_TALK = TAKEN + (b"\x82\x7f" + (1 << 16).to_bytes(8) + bytes(1 << 16)) * (_LARGE >> 16)
_TALKS_BACK = (b"\x82\xff" + (1 << 16).to_bytes(8) + bytes(4) + bytes(1 << 16)) * (_LARGE >> 16)

_ASKS_FOR_A_FILE = request(APP, "/public/stands")
_ASKS_FOR_A_TEXT = request(REWRITTEN, "/public/stands")
_UPLOADS = request(APP, "/public/stands", b"Content-Length: %d" % _LARGE, method=b"POST")
_OPENS = request(TUNNEL, "/public/stands", *ASKS, KEY, VERSION)


class _Standing(asyncio.Protocol):
    """Sends, and reads nothing, or no more than an answer's head, and sends `then`."""

    def __init__(self, sent: bytes, then: bytes) -> None:
        self._sent, self._then = sent, then
        self._left = memoryview(b"")
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._then:
            self._transport.pause_reading()
        self._pour(self._sent)

    def data_received(self, data: bytes) -> None:
        self._transport.pause_reading()
        self._pour(self._then)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def _pour(self, data: bytes) -> None:
        """As much as is taken, piece by piece: with TLS a whole megabyte costs more than a look."""
        self._left = memoryview(data)
        self._go_on()

    def _go_on(self) -> None:
        while self._left and not self._full:
            piece, self._left = self._left[: 1 << 16], self._left[1 << 16 :]
            self._transport.write(piece)


async def _opened(door: Door, number: int, sent: bytes, then: bytes) -> asyncio.Transport:
    source = f"127.0.0.{20 + number // 10}"
    context, name = door.tls or (None, None)
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: _Standing(sent, then), "127.0.0.1", door.port, local_addr=(source, 0), ssl=context, server_hostname=name
    )
    return transport


def stands(
    sent: bytes, script: Script, then: bytes = b"", *, tls: bool = False, app: str = APP, most_of_each: int = _MOST
) -> Run:
    async def run(world: World) -> None:
        door = world.door
        if tls:
            assert world.authority is not None
            door = replace(door, port=world.ports["tls"], tls=(world.authority, f"{app}.localhost"))
        world.recorder.forget()
        world.recorder.scripts[b"/public/stands"] = script
        before, seen = world.memory(), world.recorder.connections
        clients = await asyncio.gather(*(_opened(door, number, sent, then) for number in range(_CLIENTS)))
        try:
            with suppress(TimeoutError):
                await until(lambda: world.recorder.connections - seen >= _CLIENTS // 2, within=world.patience)
            most = 0
            for _ in range(_LOOKS):
                await asyncio.sleep(_EVERY)
                most = max(most, world.memory() - before)
            reached = world.recorder.connections - seen
        finally:
            del world.recorder.scripts[b"/public/stands"]
            for client in clients:
                client.abort()
        expect(reached >= _CLIENTS // 2, f"{reached} of {_CLIENTS} reached the application")
        allowed = _CLIENTS * (_MOST_BY_TLS if tls else most_of_each)
        expect(most < allowed, f"the workers grew by {most >> 10} KB for {_CLIENTS} that stand still")

    return run


CASES: tuple[Case, ...] = (
    uncontrolled("K035.3", "clients that take nothing of a file", stands(_ASKS_FOR_A_FILE, Script(_FILE))),
    uncontrolled("K035.4", "the same by TLS", stands(_ASKS_FOR_A_FILE, Script(_FILE), tls=True)),
    uncontrolled("K035.5", "uploads that nobody takes", stands(_UPLOADS + bytes(_LARGE), Script(b"", deaf=True))),
    uncontrolled("K035.6", "the same by TLS", stands(_UPLOADS + bytes(_LARGE), Script(b"", deaf=True), tls=True)),
    uncontrolled("K035.7", "WebSockets whose client takes nothing", stands(_OPENS, Script(_TALK))),
    uncontrolled(
        "K035.8", "WebSockets whose application takes nothing", stands(_OPENS, Script(TAKEN, deaf=True), _TALKS_BACK)
    ),
    # The text is undone, and addresses in it are rewritten.
    uncontrolled(
        "K035.9",
        "clients that take nothing of a compressed text",
        stands(_ASKS_FOR_A_TEXT, Script(_ZIPPED), app=REWRITTEN, most_of_each=_MOST_UNDONE),
    ),
    uncontrolled("K035.10", "the same by TLS", stands(_ASKS_FOR_A_TEXT, Script(_ZIPPED), tls=True, app=REWRITTEN)),
)
