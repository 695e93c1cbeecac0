"""One call to an application that no browser asked for: it is told that a person's session has ended.

The request is written here byte for byte, as requests of browsers are sent on: no client library sends a value in ISO
8859-1 unchanged.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver

from gateway.config.snapshot import Upstream
from gateway.federation.addresses import Resolver
from gateway.federation.client import Circuit
from gateway.federation.tls import tls_context
from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE, UPSTREAM_ADDRESS
from gateway.model.errors import GatewayError
from gateway.wire.fences import IsOurs, refusal

# Seconds. A person may be waiting for the call.
WITHIN = 3.0
# Calls at once to one application, so that one that hangs holds up no other.
AT_ONCE = 4
_LONGEST_LINE = 4096
_MOST_READ = 1 << 20


class _Way:
    """The connections to one application: few calls at once, and none for a while to one that does not answer."""

    __slots__ = ("circuit", "turn")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.turn = asyncio.Semaphore(AT_ONCE)
        self.circuit = Circuit(clock)


class Applications:
    """`is_ours`: our own addresses, to which no application's call may go. `clock`: monotonic seconds."""

    def __init__(
        self,
        is_ours: IsOurs,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_ours = is_ours
        self._clock = clock
        self._resolver = resolver or Resolver()
        self._contexts: dict[bytes | None, ssl.SSLContext] = {}
        self._ways: dict[tuple[str, int], _Way] = {}

    async def call(self, upstream: Upstream, target: str, lines: bytes) -> None:
        """GET `target`. `lines`: ready header lines, each b"\\r\\nName: value", Host among them. Whatever is answered
        will do; GatewayError where nothing is."""
        way = self._ways.setdefault((upstream.host, upstream.port), _Way(self._clock))
        async with way.turn:
            way.circuit.enter()
            try:
                async with asyncio.timeout(WITHIN):
                    await self._exchange(upstream, target, lines)
            except (TimeoutError, OSError, ValueError) as error:
                way.circuit.failed()
                detail = f"{upstream.scheme}://{upstream.host}:{upstream.port}: {type(error).__name__}"
                raise GatewayError(LOGIN_PROVIDER_UNREACHABLE, detail) from error
            way.circuit.answered()

    async def close(self) -> None:
        await self._resolver.close()

    async def _exchange(self, upstream: Upstream, target: str, lines: bytes) -> None:
        reader, writer = await self.connected(upstream)
        try:
            writer.write(b"GET %b HTTP/1.1%b\r\nConnection: close\r\n\r\n" % (target.encode("ascii"), lines))
            await writer.drain()
            if not (await reader.readline()).startswith(b"HTTP/1."):
                raise ValueError("no answer")
            # Some servers abandon a request when its client leaves: the application keeps the rest of its time.
            with suppress(OSError):
                await _read_out(reader)
        finally:
            writer.transport.abort()

    async def connected(self, upstream: Upstream) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To an address that the application may have. Raises OSError, GatewayError(UPSTREAM_ADDRESS)."""
        refused = failed = ""
        secure = upstream.scheme == "https"
        tls, name = (self._context(upstream.ca), upstream.host) if secure else (None, None)
        for address in await self._addresses(upstream):
            if why := refusal(upstream.host, address, upstream.port, upstream.fence, self._is_ours):
                refused = why
                continue
            try:
                return await asyncio.open_connection(
                    address, upstream.port, limit=_LONGEST_LINE, ssl=tls, server_hostname=name
                )
            except OSError as error:
                # The text, not the error: only the collector frees an error that a frame of its own traceback holds.
                failed = str(error)
        if refused and not failed:
            raise GatewayError(UPSTREAM_ADDRESS, refused)
        raise OSError(failed or "no address")

    async def _addresses(self, upstream: Upstream) -> list[str]:
        with suppress(ValueError):
            return [str(ip_address(upstream.host))]
        return [found["host"] for found in await self._resolver.resolve(upstream.host, upstream.port)]

    def _context(self, ca: bytes | None) -> ssl.SSLContext:
        context = self._contexts.get(ca)
        if context is None:
            context = self._contexts[ca] = tls_context(ca, None)
        return context


async def _read_out(reader: asyncio.StreamReader) -> None:
    left = _MOST_READ
    while left > 0 and (piece := await reader.read(65536)):
        left -= len(piece)
