"""Resolves names of applications. The last good addresses are kept: a resolver outage interrupts nothing.

The event loop resolves on four threads, and a dead resolver blocks a thread for many seconds: four names would block
all others. Each name is therefore resolved once at a time, for all waiting connections, in a thread of its own, within
a limit of threads.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from gateway.wire.addresses import parse_address

_FRESH: Final = 30.0
_PATIENCE: Final = 1.0
# Seconds after an unanswered question in which the last answer serves at once.
_AGAIN: Final = 5.0
# Names asked for at once: beyond, the resolver is taken for dead.
_MOST: Final = 64

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]


class UpstreamResolver:
    """One a worker. `resolve`: a name to its addresses, in the order of preference; raises OSError."""

    __slots__ = ("_asked", "_known", "_loop", "_resolve")

    def __init__(self, loop: asyncio.AbstractEventLoop, resolve: Resolve | None = None) -> None:
        self._loop = loop
        self._resolve = resolve or self._by_the_system
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asked: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def of(self, host: str) -> tuple[str, ...]:
        """Raises OSError where a name was never resolved and cannot be."""
        if parse_address(host) is not None:
            return (host,)
        at, known = before = self._known.get(host, (0.0, ()))
        if known and self._loop.time() - at < _FRESH:
            return known
        lookup = asyncio.shield(self._lookup(host))
        if not known:
            return await lookup
        try:
            return await asyncio.wait_for(lookup, _PATIENCE)
        except OSError:  # TimeoutError is one
            if self._known[host] is before:
                self._known[host] = (self._loop.time() - _FRESH + _AGAIN, known)
            return known

    def doubt(self, host: str) -> None:
        """Called when none of the addresses was reachable: the next connection resolves again, and keeps these as a
        fallback.
        """
        if host in self._known:
            self._known[host] = (-_FRESH, self._known[host][1])

    def _lookup(self, host: str) -> asyncio.Task[tuple[str, ...]]:
        task = self._asked.get(host)
        if task is None:
            task = self._asked[host] = self._loop.create_task(self._look_up(host))
            task.add_done_callback(_seen)
        return task

    async def _look_up(self, host: str) -> tuple[str, ...]:
        try:
            if len(self._asked) > _MOST:
                raise OSError(f"the resolver has not answered for {_MOST} other names")
            found = await self._resolve(host)
            self._known[host] = (self._loop.time(), found)
            return found
        finally:
            del self._asked[host]

    async def _by_the_system(self, host: str) -> tuple[str, ...]:
        """A daemon thread: a thread blocked by a dead resolver does not keep the worker from stopping."""
        answer: asyncio.Future[tuple[str, ...]] = self._loop.create_future()
        try:
            threading.Thread(target=_ask, args=(host, self._loop, answer), name="resolve", daemon=True).start()
        except RuntimeError as error:
            raise OSError(str(error)) from error
        return await answer


def _ask(host: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[tuple[str, ...]]) -> None:
    """In a thread."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        told = partial(_tell, answer, tuple(dict.fromkeys(str(address[0]) for *_, address in found)))
    except (OSError, UnicodeError) as error:
        told = partial(_tell, answer, OSError(str(error)))
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(told)


def _tell(answer: asyncio.Future[tuple[str, ...]], found: tuple[str, ...] | OSError) -> None:
    if answer.done():
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)


def _seen(task: asyncio.Task[tuple[str, ...]]) -> None:
    """Marks the error as seen: with no waiting connection left, the loop would report the error."""
    if not task.cancelled():
        task.exception()
