"""The admin listener: a Unix socket or loopback, never the public port. Liveness, readiness, metrics."""

import os
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.ops.metrics import CONTENT_TYPE, Gauges, render
from gateway.server.channel import Message

if TYPE_CHECKING:
    from gateway.server.supervisor import Supervisor

_COUNTERS_WITHIN = 0.5


class Admin:
    def __init__(self, supervisor: "Supervisor") -> None:
        self._supervisor = supervisor
        application = web.Application()
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self, address: str) -> None:
        """`address`: `unix:PATH` (mode 0600) or `HOST:PORT` on loopback. Raises OSError."""
        await self._runner.setup()
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            await web.UnixSite(self._runner, path).start()
            os.chmod(path, 0o600)
        else:
            host, _, port = address.rpartition(":")
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _livez(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        """Ready while at least one worker serves the live revision."""
        supervisor = self._supervisor
        revision = supervisor.live.revision
        workers = list(supervisor.fleet.workers.values())
        serving = sum(worker.revision == revision for worker in workers)
        body = {
            "ready": serving > 0,
            "revision": revision,
            "workers": len(workers),
            "workers_serving": serving,
            "last_reload": supervisor.last_reload or "ok",
        }
        return web.json_response(body, status=200 if serving else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        supervisor = self._supervisor
        answers = await supervisor.fleet.ask_all("counters", within=_COUNTERS_WITHIN)
        for worker, answer in answers.items():
            if isinstance(answer, Message):
                supervisor.totals.keep(worker.pid, answer.payload)
        totals = supervisor.totals
        gauges = Gauges(
            revision=supervisor.live.revision,
            workers=len(supervisor.fleet.workers),
            reload_successful=totals.reload_successful,
            reloaded_at=totals.reloaded_at,
        )
        return web.Response(body=render(totals.all(), gauges), headers={"Content-Type": CONTENT_TYPE})
