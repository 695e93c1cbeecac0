"""Bytes to a listener as they are, and everything that comes back."""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from tests.patience import PATIENCE

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})(?: [^\r\n]*)?\r\n")
_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Door:
    """Where to knock. `source`: the client's own address. `tls`: (context, name for SNI)."""

    port: int
    source: str = "127.0.0.1"
    tls: tuple[ssl.SSLContext, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers`: names in lower case, in order. Interim answers (1xx) are not among the answers."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: bytes) -> bytes:
        """The first of this name, or empty."""
        return next(iter(self.all(name)), b"")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`closed`: the other side ended the connection. `answers`: the whole ones among `received`."""

    sent: bytes
    received: bytes
    answers: tuple[Answer, ...]
    closed: bool
    seconds: float

    @property
    def statuses(self) -> tuple[int, ...]:
        return tuple(answer.status for answer in self.answers)

    @property
    def answer(self) -> Answer:
        """The first; status 0 where there is none."""
        return self.answers[0] if self.answers else Answer(0, (), b"")

    def __str__(self) -> str:
        ended = "closed" if self.closed else "left open"
        return f"sent {shown(self.sent)}; got {shown(self.received)} ({ended} after {self.seconds:.2f} s)"


def shown(data: bytes) -> str:
    return repr(data) if len(data) <= _SHOWN else f"{data[:_SHOWN]!r} and {len(data) - _SHOWN} bytes more"


async def exchange(
    door: Door,
    data: bytes | Sequence[bytes],
    *,
    expected: int = 1,
    within: float = PATIENCE,
    pause: float = 0.0,
    heads: frozenset[int] = frozenset(),
    to_the_end: bool = False,
) -> Exchange:
    """On a connection of its own, until so many answers have come, or the end. Never raises for what a peer does.

    `data`: in one piece, or in several with `pause` seconds between them. `heads`: which answers, from 0, are to HEAD.
    `to_the_end`: goes on sending when the answer is there, as a client does that reads only afterwards.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    context, name = door.tls or (None, None)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", door.port, local_addr=(door.source, 0), ssl=context, server_hostname=name, limit=1 << 20
    )
    pieces = [data] if isinstance(data, bytes) else list(data)
    writing = loop.create_task(_write(writer, pieces, pause))
    received, rest, closed = [], b"", False
    answers: list[Answer] = []
    try:
        async with asyncio.timeout(within):
            while len(answers) < expected or says_close(answers[-1]):
                more = await reader.read(1 << 20)
                if not more:
                    closed = True
                    break
                received.append(more)
                rest = take_answers(rest + more, answers, heads)
    except TimeoutError:
        pass
    except OSError:
        closed = True
    finally:
        if to_the_end:
            await asyncio.wait([writing], timeout=within)
        writing.cancel()
        writer.transport.abort()
    if closed:
        take_answers(rest, answers, heads, ended=True)
    return Exchange(b"".join(pieces), b"".join(received), tuple(answers), closed, loop.time() - began)


async def _write(writer: asyncio.StreamWriter, pieces: Sequence[bytes], pause: float) -> None:
    try:
        for number, piece in enumerate(pieces):
            if number and pause:
                await asyncio.sleep(pause)
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass


def says_close(answer: Answer) -> bool:
    return any(b"close" in value.lower() for value in answer.all(b"connection"))


def take_answers(data: bytes, answers: list[Answer], heads: frozenset[int], *, ended: bool = False) -> bytes:
    """Adds the whole answers at the start of `data`, and gives back the rest; with `ended`, one that only the end
    delimits is whole too."""
    while True:
        match = _STATUS.match(data)
        end = data.find(b"\r\n\r\n")
        if match is None or end < 0:
            return data
        status = int(match[1])
        lines = [line.partition(b":") for line in data[match.end() : end].split(b"\r\n") if line]
        headers = tuple((name.lower(), value.strip()) for name, _, value in lines)
        rest = data[end + 4 :]
        if 100 <= status < 200:
            data = rest
            continue
        empty = len(answers) in heads or status in (204, 304)
        found = (b"", rest) if empty else _body(dict(headers), rest, ended=ended)
        if found is None:
            return data
        body, data = found
        answers.append(Answer(status, headers, body))


def _body(headers: dict[bytes, bytes], data: bytes, *, ended: bool) -> tuple[bytes, bytes] | None:
    """The body and what follows it; None where it is not whole."""
    if headers.get(b"transfer-encoding") == b"chunked":
        return read_chunks(data)
    if b"content-length" in headers:
        length = int(headers[b"content-length"])
        return (data[:length], data[length:]) if len(data) >= length else None
    return (data, b"") if ended else None


def read_chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """A chunked body as we and the gateway write it: no extension, no trailer. None where it is not whole."""
    body = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        if not found:
            return None
        size = int(line, 16)
        if len(data) < size + 2:
            return None
        if not size:
            return body, data[2:]
        body, data = body + data[:size], data[size + 2 :]
