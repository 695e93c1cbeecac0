"""An upstream that keeps every byte that reaches it, and answers as it is told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self, cast

from tests.attacks.exchange import read_chunks

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nreached"


@dataclass(frozen=True, slots=True)
class Reached:
    """One whole request. `raw`: its bytes. `lines`: header names and values exactly as they came."""

    connection: int
    raw: bytes
    method: bytes
    target: bytes
    lines: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.lines if key.lower() == name.lower()]

    @property
    def host(self) -> bytes:
        return b", ".join(self.all(b"host"))


@dataclass(slots=True)
class Script:
    """`early`: answered as soon as the head is there. `close`: and the connection is closed after it. `goes_on`: comes
    behind it again and again, until the connection ends. `deaf`: no more is read, whatever
    is answered."""

    answer: bytes = _OK
    early: bool = False
    close: bool = False
    delay: float = 0.0
    goes_on: bytes = b""
    deaf: bool = False


@dataclass
class Recorder:
    """`pieces`: (connection, bytes) in the order of their coming. `scripts`: by target. `answer`: in place of them."""

    port: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[Reached] = field(default_factory=list)
    scripts: dict[bytes, Script] = field(default_factory=dict)
    connections: int = 0
    answer: Callable[[Reached], bytes] | None = None
    open: set[asyncio.Transport] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", port)
        self.port = port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in self.open:
            transport.close()

    def forget(self) -> None:
        self.pieces.clear()
        self.requests.clear()

    async def settled(self) -> None:
        """What is on its way in has come: a few turns of the loop, each of which looks at every socket."""
        for _ in range(4):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)

    def bytes_of(self, connection: int) -> bytes:
        return b"".join(piece for number, piece in self.pieces if number == connection)

    @property
    def all_bytes(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


class Answering:
    """The upstream, as long as a `with` lasts: what it answers to all that comes, and what reached it."""

    def __init__(self, recorder: Recorder, respond: Callable[[Reached], bytes]) -> None:
        self._recorder = recorder
        self._respond = respond
        self.reached: list[Reached] = []

    def __enter__(self) -> Self:
        self._recorder.answer = self._answer
        return self

    def __exit__(self, *_: object) -> None:
        self._recorder.answer = None

    def _answer(self, found: Reached) -> bytes:
        self.reached.append(found)
        return self._respond(found)


class _Connection(asyncio.Protocol):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._number = recorder.connections = recorder.connections + 1
        self._held = b""
        self._answered_early = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._recorder.open.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._recorder.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._recorder.pieces.append((self._number, data))
        self._held += data
        while self._one():
            pass

    def _one(self) -> bool:
        """Strictly, as the gateway writes: what is not understood stays, and is never answered."""
        head, found, rest = self._held.partition(b"\r\n\r\n")
        if not found:
            return False
        line, *fields = head.split(b"\r\n")
        if len(line.split(b" ")) != 3:
            return False
        method, target, _ = line.split(b" ")
        script = self._recorder.scripts.get(target, _DEFAULT)
        if script.deaf:
            self._transport.pause_reading()
            self._transport.write(script.answer)
            return False
        if script.early and not self._answered_early:
            self._answered_early = True
            self._answer(script)
        lines = [(name, value.removeprefix(b" ")) for name, _, value in (field.partition(b":") for field in fields)]
        body = _body(lines, rest)
        if body is None:
            return False
        raw = self._held[: len(self._held) - len(body[1])]
        self._held = body[1]
        found = Reached(self._number, raw, method, target, tuple(lines), body[0])
        self._recorder.requests.append(found)
        if self._recorder.answer is not None:
            self._transport.write(self._recorder.answer(found))
        elif not script.early:
            self._answer(script, without_body=method == b"HEAD")
        self._answered_early = False
        return bool(self._held)

    def _answer(self, script: Script, *, without_body: bool = False) -> None:
        data = script.answer
        if without_body:
            data = data[: data.find(b"\r\n\r\n") + 4]
        if script.delay:
            asyncio.get_running_loop().call_later(script.delay, self._transport.write, data)
        else:
            self._transport.write(data)
        if script.goes_on:
            self._go_on(script.goes_on)
        if script.close:
            self._transport.close()

    def _go_on(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
            asyncio.get_running_loop().call_later(_PAUSE, self._go_on, data)


_DEFAULT = Script()
# Shorter than any timeout that the gateway is given.
_PAUSE = 0.3


def _body(lines: Sequence[tuple[bytes, bytes]], rest: bytes) -> tuple[bytes, bytes] | None:
    told = {name.lower(): value for name, value in lines}
    if told.get(b"transfer-encoding", b"").lower() == b"chunked":
        try:
            return read_chunks(rest)
        except ValueError:
            return None
    length = told.get(b"content-length", b"0")
    if not length.isdigit():
        return None
    return (rest[: int(length)], rest[int(length) :]) if len(rest) >= int(length) else None


def ok(body: bytes = b"reached", *lines: bytes) -> bytes:
    """A plain answer with further header lines."""
    extra = b"".join(b"%b\r\n" % line for line in lines)
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (extra, len(body), body)
