"""Caches a provider's document: one fetch at a time, on demand; the last good value outlives failed fetches."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError

SHORTEST_AGE = 300.0
LONGEST_AGE = 86400.0
USUAL_AGE = 3600.0
REFETCH_INTERVAL = 30.0
# Seconds. Without an older value, the gateway waits before it calls a failed provider again, for all its users.
RETRY_INTERVAL = 3.0

_MAX_AGE = re.compile(r'(?:^|[\s,])max-age="?([0-9]{1,10})"?(?:$|[\s,;])', re.IGNORECASE)
_NOT_CACHED = re.compile(r"(?:^|[\s,])no-(?:store|cache)(?:$|[\s,;=])", re.IGNORECASE)

T = TypeVar("T")


def age_allowed(cache_control: str) -> float:
    """Returns how many seconds a document stays fresh by its Cache-Control (RFC 9111 5.2.2), within the gateway's
    bounds.
    """
    if _NOT_CACHED.search(cache_control):
        return SHORTEST_AGE
    match = _MAX_AGE.search(cache_control)
    return min(max(float(match[1]), SHORTEST_AGE), LONGEST_AGE) if match else USUAL_AGE


class CachedDocument(Generic[T]):
    """One cached document.

    `fetch`: returns the checked value and the raw Cache-Control header, or raises GatewayError.
    `clock`: monotonic seconds.
    `stale`: called when a fetch fails while an older value stays in use; the failure would otherwise go unnoticed.
    `longest_use`: seconds after the last successful fetch until the value is discarded. The next fetch is due after
    half of `longest_use` at the latest.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[tuple[T, str]]],
        clock: Callable[[], float],
        stale: Callable[[GatewayError], None],
        longest_use: float = float("inf"),
    ) -> None:
        self._longest_use = longest_use
        self._used_until = float("-inf")
        self._fetch = fetch
        self._stale = stale
        self._clock = clock
        self._value: T | None = None
        self._fresh_until = float("-inf")
        self._refetch_from = float("-inf")
        # Keep the code and detail, not the error: its traceback would keep every object of its frames.
        self._failure: tuple[Code, str] | None = None
        self._flight: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Returns the value while fresh, else fetches a new value, else returns the last good value. Raises
        GatewayError without a usable value.
        """
        if self._clock() < self._fresh_until:
            return self._known()
        return await self._joined()

    async def refetched(self) -> T:
        """Fetches a newer value, at most once in 30 s. In between, returns the known value as `get` does."""
        if self._flight is None:
            if self._clock() < self._refetch_from:
                return await self.get()
            self._refetch_from = self._clock() + REFETCH_INTERVAL
        return await self._joined()

    async def close(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait((self._flight,))

    def _known(self) -> T:
        if self._value is not None and self._clock() <= self._used_until:
            return self._value
        if self._failure is not None:
            code, detail = self._failure
            old = "" if self._value is None else f"; the last good copy is over {self._longest_use:g} s old"
            raise GatewayError(code, f"{detail}{old}")
        raise RuntimeError("a document is fresh before it was fetched")

    async def _joined(self) -> T:
        """Joins the running fetch, or starts a fetch that all waiting callers share. A caller that leaves does not
        cancel the fetch.
        """
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    async def _fly(self) -> T:
        try:
            value, cache_control = await self._fetch()
        except GatewayError as error:
            self._failure = error.code, error.detail
            usable = self._value is not None and self._clock() <= self._used_until
            self._fresh_until = self._clock() + (REFETCH_INTERVAL if usable else RETRY_INTERVAL)
            if usable:
                self._stale(error)
            return self._known()
        self._value, self._failure = value, None
        self._used_until = self._clock() + self._longest_use
        self._fresh_until = self._clock() + min(age_allowed(cache_control), self._longest_use / 2)
        return value

    def _landed(self, flight: asyncio.Task[T]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()
