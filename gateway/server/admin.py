"""The admin listener: a Unix socket or loopback, never the public port. Liveness, readiness, metrics.

The supervisor answers, and its loop also passes on the ends of sessions and handles signals. So clients that ask for
metrics at the same time share one exposition, a client that does not read is cut off, and requests sent ahead get no
answer."""

import asyncio
import socket
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.ops.metrics import CONTENT_TYPE
from gateway.server.listeners import forget_path

_CLOSED_WITHIN = 0.5
_READ_WITHIN = 5.0
"""Seconds for a client to read the answer. After them the connection is cut."""


class Observed(Protocol):
    """The state of the gateway that the admin address shows."""

    def readiness(self) -> dict[str, Any]:
        """The readiness as JSON values, with the key `ready`."""

    async def exposition(self) -> bytes:
        """Every metric, in the Prometheus text format."""


class Admin:
    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        application = web.Application(middlewares=[self._written])
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSED_WITHIN)
        self._exposition: asyncio.Task[bytes] | None = None
        self._writing: set[asyncio.Transport] = set()
        self._path = ""

    async def start(self, listening: socket.socket) -> None:
        """`listening` is closed by `stop`."""
        if listening.family == socket.AF_UNIX:
            self._path = listening.getsockname()
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Stops without waiting for clients: a client that waits for metrics, or does not read, delays nothing."""
        if self._exposition is not None:
            self._exposition.cancel()
        for transport in self._writing:
            transport.abort()
        await self._runner.cleanup()
        if self._path:
            forget_path(self._path)

    @web.middleware
    async def _written(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as refused:
            response = web.Response(status=refused.status, headers=refused.headers, text=refused.text)
        transport = request.transport
        if transport is None:
            return response
        # One answer per connection: pipelined requests would take time of this loop.
        response.force_close()
        self._writing.add(transport)
        try:
            async with asyncio.timeout(_READ_WITHIN):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            transport.abort()
        finally:
            self._writing.discard(transport)
        return response

    async def _livez(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        told = self._observed.readiness()
        return web.json_response(told, status=200 if told["ready"] else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._exposition is None or self._exposition.done():
            self._exposition = asyncio.create_task(self._observed.exposition())
        body = await asyncio.shield(self._exposition)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})
