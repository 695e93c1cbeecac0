"""Where the server is that may be written to: one address, or what the Sentinels say at the moment.

Of several answers the one with the highest `config-epoch` counts, which is the rule of the Sentinels themselves: after
a failover those that were cut off still name the old primary, and are not believed for it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from redis import exceptions
from redis.asyncio import Redis
from redis.exceptions import RedisError

HostPort = tuple[str, int]


class Locating(Protocol):
    async def primary(self) -> HostPort:
        """Raises RedisError where nobody says."""

    async def close(self) -> None: ...


class OneAddress:
    def __init__(self, address: HostPort) -> None:
        self._address = address

    async def primary(self) -> HostPort:
        return self._address

    async def close(self) -> None:
        pass


class _Told(NamedTuple):
    """In this order: what is told later counts more."""

    config_epoch: int
    address: HostPort


class SentinelsOf:
    """`options`: of a connection to a Sentinel. One question is under way at a time, whoever waits for its answer."""

    def __init__(self, name: str, addresses: Sequence[HostPort], options: dict[str, Any]) -> None:
        self._name = name
        self._sentinels: list[Any] = [Redis(host=host, port=port, **options) for host, port in addresses]
        for each in self._sentinels:
            # Replies as they are.
            each.response_callbacks.clear()
        self._newest: _Told | None = None
        self._asking: asyncio.Task[HostPort] | None = None

    async def primary(self) -> HostPort:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def close(self) -> None:
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)
        for each in self._sentinels:
            await each.aclose()

    async def _ask(self) -> HostPort:
        asked = [asyncio.create_task(self._told_by(each)) for each in self._sentinels]
        told: list[_Told] = []
        try:
            for each in asyncio.as_completed(asked):
                if (answer := await each) is not None:
                    told.append(answer)
                if 2 * len(told) > len(asked):
                    break
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        if not told:
            raise exceptions.ConnectionError(f"no Sentinel names a primary of {self._name!r}")
        newest = max(told)
        # A few may be behind what was told before. Most of them are right, also where they were set up anew.
        if self._newest is None or 2 * len(told) > len(asked) or newest > self._newest:
            self._newest = newest
        return self._newest.address

    async def _told_by(self, sentinel: Any) -> _Told | None:
        try:
            known = await sentinel.execute_command("SENTINEL", "MASTER", self._name)
            host, port = await sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
            state = dict(zip(known[::2], known[1::2], strict=True))
            return _Told(int(state[b"config-epoch"]), (host.decode(), int(port)))
        except (RedisError, OSError, TypeError, ValueError, KeyError):
            # Out of reach, without a group of this name, or no Sentinel at all: the others are asked too.
            return None
