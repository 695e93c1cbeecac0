"""The socket pair between the supervisor and one worker: small framed messages, both ways.

A frame is a 4-byte length, a 4-byte length of the head, the head (JSON: kind and fields), then raw payload.
The two processes are one program and trust each other. A broken frame or the end of the stream ends the channel.
"""

import asyncio
import itertools
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

_LENGTHS = 8
_MAX_FRAME = 256 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """`fields`: JSON values. `payload`: large data, such as a plan."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def frame(self) -> bytes:
        head = json.dumps({"kind": self.kind, **self.fields}).encode()
        size = 4 + len(head) + len(self.payload)
        return size.to_bytes(4, "big") + len(head).to_bytes(4, "big") + head + self.payload


class ChannelLost(Exception):
    """The peer has gone without an answer."""


class Channel(asyncio.Protocol):
    """Calls `received` for each message in order, and `lost` once when the other side is gone.

    A question carries an `id`; its receiver answers with `reply`."""

    def __init__(self, received: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._ids = itertools.count(1)

    async def open(self, end: socket.socket) -> "Channel":
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)
        return self

    def send(self, kind: str, payload: bytes = b"", **fields: Any) -> None:
        """Sends a message. Does nothing once the other side is gone: `lost` reports the end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(Message(kind, fields, payload).frame())

    async def ask(self, kind: str, payload: bytes = b"", *, within: float, **fields: Any) -> Message:
        """The answer, or TimeoutError after `within` seconds, or ChannelLost."""
        if self._transport is None:
            raise ChannelLost
        number = next(self._ids)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.send(kind, payload, id=number, **fields)
        try:
            return await asyncio.wait_for(answer, within)
        finally:
            self._asked.pop(number, None)

    def reply(self, asked: Message, payload: bytes = b"", **fields: Any) -> None:
        self.send("reply", payload, to=asked.fields["id"], **fields)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (message := self._next()) is not None:
            if message.kind == "reply":
                self._answered(message)
            else:
                self._received(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ChannelLost())
        self._lost()

    def _answered(self, message: Message) -> None:
        answer = self._asked.get(message.fields["to"])
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _next(self) -> Message | None:
        if len(self._buffer) < _LENGTHS:
            return None
        size = int.from_bytes(self._buffer[:4], "big")
        if size > _MAX_FRAME:
            self.close()
            return None
        if len(self._buffer) < 4 + size:
            return None
        head_end = _LENGTHS + int.from_bytes(self._buffer[4:8], "big")
        fields = json.loads(self._buffer[_LENGTHS:head_end])
        payload = bytes(self._buffer[head_end : 4 + size])
        del self._buffer[: 4 + size]
        return Message(fields.pop("kind"), fields, payload)
