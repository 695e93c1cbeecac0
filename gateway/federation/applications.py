"""Calls an application without a browser's request: the call notifies the application that a person's session has
ended.

The module writes the request byte for byte, as the proxy forwards browsers' requests: no client library sends a value
in ISO 8859-1 unchanged.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from aiohttp.abc import AbstractResolver

from gateway.config.upstream_settings import Upstream
from gateway.federation.addresses import Resolver
from gateway.federation.client import Circuit
from gateway.model.codes import login_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.ops.announced import announce_on, announced_to
from gateway.ops.unix_sockets import connected_to
from gateway.ops.upstream_tls import Trust, server_name, trust_of, upstream_context
from gateway.wire.fences import IsOurs, refusal

# Seconds. A person may be waiting for the call.
WITHIN = 3.0
# Concurrent calls to one application; a hanging application delays no other.
AT_ONCE = 4
# Calls waiting for a turn besides. A call behind these would come too late to be of use.
WAITING = 200
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r|\n)")
_LONGEST_LINE = 4096
_MOST_READ = 1 << 20


class CallGivenUp(GatewayError):
    """The gateway did not make the call: the application does not answer, or too many calls to the application wait."""


@dataclass(frozen=True, slots=True)
class ApplicationCall:
    """One request to an application.

    `target`: path and query.
    `lines`: complete header lines, each b"\\r\\nName: value", Host first.
    `body`: the encoded fields of a form; empty: a POST has an empty body.
    """

    method: Literal["get", "post"]
    target: str
    lines: bytes = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def to_bytes(self) -> bytes:
        lines, body = self.lines + b"\r\nConnection: close", b""
        if self.method == "post":
            form = b"\r\nContent-Type: application/x-www-form-urlencoded" if self.body else b""
            lines, body = b"%b%b\r\nContent-Length: %d" % (lines, form, len(self.body)), self.body
        target = self.target.encode("ascii")
        return b"%b %b HTTP/1.1%b\r\n\r\n%b" % (self.method.upper().encode("ascii"), target, lines, body)

    def about_nobody(self) -> "ApplicationCall":
        """A GET of the same target, without cookies or identity headers."""
        host, _, _ = self.lines[2:].partition(b"\r\n")
        return ApplicationCall("get", self.target, b"\r\n" + host)


class _Way:
    """Limits the connections to one application: few calls at once, and no call for a while after repeated silence.

    `look`: the task that checks whether the application answers at all.
    `unanswered`: unanswered calls whose cause `look` decides.
    """

    __slots__ = ("circuit", "look", "turn", "unanswered", "waiting")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.look: asyncio.Task[None] | None = None
        self.unanswered = 0
        self.waiting = 0
        self.turn = asyncio.Semaphore(AT_ONCE)
        self.circuit = Circuit(clock)


class Applications:
    """Calls applications and limits the calls to each.

    `is_ours`: tells whether an address is the gateway's own; no call may reach such an address.
    `clock`: monotonic seconds.
    """

    def __init__(
        self,
        is_ours: IsOurs,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_ours = is_ours
        self._clock = clock
        self._resolver = resolver or Resolver()
        self._contexts: dict[Trust, ssl.SSLContext] = {}
        self._ways: dict[str, _Way] = {}

    async def call(self, upstream: Upstream, call: ApplicationCall) -> int:
        """Returns the status of the response. Raises GatewayError without a response, CallGivenUp if no call was
        made.
        """
        way = self._ways.setdefault(upstream.place, _Way(self._clock))
        if way.waiting >= WAITING:
            raise CallGivenUp(login_codes.PROVIDER_UNREACHABLE, f"{WAITING} calls to this application wait already")
        way.waiting += 1
        try:
            async with way.turn:
                return await self._called(way, upstream, call)
        finally:
            way.waiting -= 1

    async def _called(self, way: _Way, upstream: Upstream, call: ApplicationCall) -> int:
        if way.look is not None:
            await asyncio.wait({way.look})
        try:
            way.circuit.enter()
        except GatewayError as paused:
            raise CallGivenUp(paused.code, paused.detail) from None
        reached, status = False, 0
        try:
            async with asyncio.timeout(WITHIN):
                reader, writer = await self.connected(upstream)
                reached = True
                try:
                    status = await _status(reader, writer, call)
                    # Some servers abandon a request when its client leaves: the application keeps the rest of its time.
                    await _read_out(reader)
                finally:
                    writer.transport.abort()
        except (TimeoutError, OSError, ValueError) as error:
            # An application that keeps the connection open after its response has answered all the same.
            if not status:
                if reached:
                    self._doubted(way, upstream, call)
                else:
                    way.circuit.failed()
                detail = f"{upstream.scheme}://{upstream.place}: {type(error).__name__}"
                raise GatewayError(login_codes.PROVIDER_UNREACHABLE, detail) from error
        way.circuit.answered()
        return status

    def _doubted(self, way: _Way, upstream: Upstream, call: ApplicationCall) -> None:
        """Leaves the circuit closed: the call carried one person's cookies, and the application may hang on those
        alone. A call without cookies decides; further calls wait for the result.
        """
        way.unanswered += 1
        if way.look is None:
            way.look = asyncio.get_running_loop().create_task(self._look(way, upstream, call.about_nobody()))

    async def _look(self, way: _Way, upstream: Upstream, call: ApplicationCall) -> None:
        """A response with any status proves that the application answers."""
        try:
            async with asyncio.timeout(WITHIN):
                reader, writer = await self.connected(upstream)
                try:
                    await _status(reader, writer, call)
                finally:
                    writer.transport.abort()
        except (TimeoutError, OSError, ValueError, GatewayError):
            for _ in range(way.unanswered):
                way.circuit.failed()
        else:
            way.circuit.answered()
        finally:
            way.look, way.unanswered = None, 0

    async def close(self) -> None:
        looks = [way.look for way in self._ways.values() if way.look is not None]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        await self._resolver.close()

    async def connected(self, upstream: Upstream) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connects to an address that the application may have. Raises OSError,
        GatewayError(upstream_codes.ADDRESS).
        """
        refused = failed = ""
        secure = upstream.scheme == "https"
        tls, name = (await self._context(upstream), server_name(upstream)) if secure else (None, None)
        if upstream.socket is not None:
            connection = connected_to(upstream.socket)
            if upstream.announces:
                announce_on(connection, "")
            return await asyncio.open_unix_connection(
                sock=connection, limit=_LONGEST_LINE, ssl=tls, server_hostname=name
            )
        for address in await self._addresses(upstream):
            if why := refusal(upstream.host, address, upstream.port, upstream.fence, self._is_ours):
                refused = why
                continue
            try:
                if upstream.announces:
                    begun = await announced_to(address, upstream.port, "")
                    return await asyncio.open_connection(sock=begun, limit=_LONGEST_LINE, ssl=tls, server_hostname=name)
                return await asyncio.open_connection(
                    address, upstream.port, limit=_LONGEST_LINE, ssl=tls, server_hostname=name
                )
            except OSError as error:
                # Keep the text, not the error: an error in a frame of its own traceback is freed by the garbage
                # collector only.
                failed = str(error)
        if refused and not failed:
            raise GatewayError(upstream_codes.ADDRESS, refused)
        raise OSError(failed or "no address")

    async def _addresses(self, upstream: Upstream) -> list[str]:
        with suppress(ValueError):
            return [str(ip_address(upstream.host))]
        return [found["host"] for found in await self._resolver.resolve(upstream.host, upstream.port)]

    async def _context(self, upstream: Upstream) -> ssl.SSLContext:
        trust = trust_of(upstream)
        context = self._contexts.get(trust)
        if context is None:
            loop = asyncio.get_running_loop()
            context = self._contexts[trust] = await loop.run_in_executor(None, upstream_context, upstream)
        return context


async def _status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: ApplicationCall) -> int:
    writer.write(call.to_bytes())
    await writer.drain()
    found = _STATUS.match(await reader.readline())
    if found is None:
        raise ValueError("no answer")
    return int(found[1])


async def _read_out(reader: asyncio.StreamReader) -> None:
    left = _MOST_READ
    while left > 0 and (piece := await reader.read(65536)):
        left -= len(piece)
