"""Active health checks: each worker requests one page from each address of an application at intervals."""

import asyncio
import re
from collections.abc import Callable, Sequence
from secrets import randbelow
from typing import Final, cast

from gateway.config.snapshot import App
from gateway.model.balancing import HealthCheck
from gateway.model.errors import GatewayError
from gateway.proxy.upstream.member import Member

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
_LONGEST_LINE: Final = 4096
# The random part of the interval: workers and machines must not ask all at once.
_JITTER: Final = 0.1

Checked = Callable[[Member, str], None]
"""Hears why an address is not healthy; an empty text where it is."""


def request_of(app: App, check: HealthCheck) -> bytes:
    """As a browser would reach the application by its first host."""
    named = next((host for host in app.hosts if not host.startswith("*.")), app.upstream.host)
    authority = app.origin(named).partition("://")[2]
    lines = (
        f"GET {check.path} HTTP/1.1",
        f"Host: {app.upstream.host_header or authority}",
        "User-Agent: ecluse (health check)",
        f"X-Forwarded-Proto: {app.scheme}",
        f"X-Forwarded-Host: {authority}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def _part() -> float:
    """From 0 to 1, by chance."""
    return randbelow(1000) / 1000


class HealthChecks:
    """Of one application. `turns`: as many at once as a worker may have. No round begins before the last has ended."""

    __slots__ = ("_check", "_checked", "_later", "_loop", "_members", "_request", "_round", "_turns")

    def __init__(
        self,
        app: App,
        check: HealthCheck,
        members: Sequence[Member],
        checked: Checked,
        loop: asyncio.AbstractEventLoop,
        turns: asyncio.Semaphore,
    ) -> None:
        self._check = check
        self._request = request_of(app, check)
        self._members = members
        self._checked = checked
        self._loop = loop
        self._turns = turns
        self._round: asyncio.Task[None] | None = None
        # The first ones are spread over the whole time between two.
        self._later: asyncio.TimerHandle | None = loop.call_later(check.every * _part(), self._begin)

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._round is not None:
            self._round.cancel()

    def _begin(self) -> None:
        self._round = self._loop.create_task(self._look_at_all())

    async def _look_at_all(self) -> None:
        await asyncio.gather(*map(self._look_at, self._members))
        if self._later is not None:
            pause = self._check.every * (1 - _JITTER + 2 * _JITTER * _part())
            self._later = self._loop.call_later(pause, self._begin)

    async def _look_at(self, member: Member) -> None:
        async with self._turns:
            why = await self._fault_of(member)
        self._checked(member, why)

    async def _fault_of(self, member: Member) -> str:
        probe = _Probe(self._request, self._loop.create_future())
        try:
            async with asyncio.timeout(self._check.within):
                await member.open_for(lambda: probe)
                status = await probe.status
        except TimeoutError:
            return f"no answer in {self._check.within:g} s"
        except GatewayError as error:
            return error.detail
        except OSError as error:
            return str(error)
        finally:
            probe.end()
        return "" if status in self._check.statuses else f"it answered {status}"


class _Probe(asyncio.Protocol):
    """`status`: of the response. OSError: no response."""

    def __init__(self, request: bytes, status: asyncio.Future[int]) -> None:
        self._request = request
        self._line = b""
        self._transport: asyncio.Transport | None = None
        self.status = status

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._line = (self._line + data)[:_LONGEST_LINE]
        if self.status.done() or (b"\n" not in self._line and len(self._line) < _LONGEST_LINE):
            return
        found = _STATUS.match(self._line)
        if found is None:
            self.status.set_exception(OSError("no answer in HTTP"))
        else:
            self.status.set_result(int(found[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.status.done():
            self.status.set_exception(OSError("it closed the connection without an answer"))

    def end(self) -> None:
        if self.status.done() and not self.status.cancelled():
            self.status.exception()
        self.status.cancel()
        if self._transport is not None:
            self._transport.abort()
