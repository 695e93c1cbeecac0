"""The admin listener: a Unix socket or loopback, never the public port. Liveness, readiness, metrics."""

import socket
from typing import Any, Protocol

from aiohttp import web

from gateway.ops.metrics import CONTENT_TYPE
from gateway.server.listeners import forget_path

_CLOSED_WITHIN = 1.0


class Observed(Protocol):
    """What there is to tell."""

    def readiness(self) -> dict[str, Any]:
        """JSON values; `ready` among them."""

    async def exposition(self) -> bytes:
        """Every metric, in the Prometheus text format."""


class Admin:
    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        application = web.Application()
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSED_WITHIN)
        self._path = ""

    async def start(self, listening: socket.socket) -> None:
        """`listening` is closed by `stop`."""
        if listening.family == socket.AF_UNIX:
            self._path = listening.getsockname()
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        if self._path:
            forget_path(self._path)

    async def _livez(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        told = self._observed.readiness()
        return web.json_response(told, status=200 if told["ready"] else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=await self._observed.exposition(), headers={"Content-Type": CONTENT_TYPE})
