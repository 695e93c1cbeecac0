"""The server that accepts writes: a fixed address, or the primary named by the Sentinels.

A primary counts if most listed Sentinels name it: a Sentinel that was cut off still names the old primary, and a number
alone proves nothing. If Sentinels differ, the highest `config-epoch` from two Sentinels counts, which is the Sentinels'
own rule.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from redis import exceptions
from redis.asyncio import Redis
from redis.exceptions import RedisError

HostPort = tuple[str, int]


class Locating(Protocol):
    async def primary(self) -> HostPort:
        """Raises RedisError without an answer."""

    async def close(self) -> None: ...


class OneAddress:
    def __init__(self, address: HostPort) -> None:
        self._address = address

    async def primary(self) -> HostPort:
        return self._address

    async def close(self) -> None:
        pass


class NamedPrimary(NamedTuple):
    """A primary that a Sentinel named. Ordered by `config_epoch`: the higher counts."""

    config_epoch: int
    address: HostPort

    def __str__(self) -> str:
        host, port = self.address
        return f"{host}:{port} (config-epoch {self.config_epoch})"


def believed(told: Sequence[NamedPrimary], listed: int, before: NamedPrimary | None) -> NamedPrimary:
    """Returns the primary. `told`: the answers of `listed` Sentinels. `before`: the last known primary, valid until
    a newer answer. Raises RedisError if no primary is certain."""
    most = listed // 2 + 1
    if (named := _by_most(told, most)) is not None:
        return named
    if before is not None and told and not any(_contradicts(each, before) for each in told):
        return before
    if len(told) < most:
        raise exceptions.ConnectionError(
            f"{len(told)} of {listed} Sentinels say which server is the primary: {most} have to"
        )
    twice = [each for each, times in Counter(told).items() if times > 1 and _may_follow(each, before)]
    if not twice:
        raise exceptions.ConnectionError(f"the Sentinels differ: {', '.join(map(str, sorted(told)))}")
    return max(twice)


def _by_most(told: Sequence[NamedPrimary], most: int) -> NamedPrimary | None:
    """The primary, with the highest number that no single Sentinel vouches for alone."""
    for address, times in Counter(each.address for each in told).items():
        if times >= most:
            epochs = sorted((each.config_epoch for each in told if each.address == address), reverse=True)
            return NamedPrimary(epochs[min(1, times - 1)], address)
    return None


def _contradicts(told: NamedPrimary, before: NamedPrimary) -> bool:
    return told.address != before.address and told.config_epoch >= before.config_epoch


def _may_follow(told: NamedPrimary, before: NamedPrimary | None) -> bool:
    return before is None or told.address == before.address or told.config_epoch > before.config_epoch


class SentinelsOf:
    """Asks the Sentinels for the primary. Simultaneous callers share one question. An address that is listed twice
    counts as one Sentinel.

    `options`: of a connection to a Sentinel.
    """

    def __init__(self, name: str, addresses: Sequence[HostPort], options: dict[str, Any]) -> None:
        self._name = name
        self._sentinels: list[Any] = [Redis(host=host, port=port, **options) for host, port in dict.fromkeys(addresses)]
        for each in self._sentinels:
            # Replies as they are.
            each.response_callbacks.clear()
        self._believed: NamedPrimary | None = None
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
        told: list[NamedPrimary] = []
        try:
            for each in asyncio.as_completed(asked):
                if (answer := await each) is not None:
                    told.append(answer)
                if _by_most(told, len(asked) // 2 + 1) is not None:
                    break
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        self._believed = believed(told, len(asked), self._believed)
        return self._believed.address

    async def _told_by(self, sentinel: Any) -> NamedPrimary | None:
        try:
            known = await sentinel.execute_command("SENTINEL", "MASTER", self._name)
            host, port = await sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
            state = dict(zip(known[::2], known[1::2], strict=True))
            return NamedPrimary(int(state[b"config-epoch"]), (host.decode(), int(port)))
        except (RedisError, OSError, TypeError, ValueError, KeyError):
            # Out of reach, without a group of this name, or no Sentinel at all: the others are asked too.
            return None
