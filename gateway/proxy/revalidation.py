"""Judges again what is under way: at once when the policy or a person changes, and every 5 s where a rule depends on
the time (`time`, `max_age`, a mandate that ends), because nothing announces that moment. The same round finds the seats
that have run out."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from gateway.model.session import Seat
from gateway.proxy.lasting import LastingClient, keep_to_seat, may_change, rejudge

_EVERY: Final = 5.0

# Judgements per turn of the loop (invariant 14): a judgement takes some 50 µs, skipping one less than 1 µs.
_JUDGED_AT_ONCE: Final = 20
_SEEN_AT_ONCE: Final = 500


class Revalidation:
    """`connections`: all open connections; the set changes as clients come and go."""

    __slots__ = ("_connections", "_left", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: Collection[LastingClient]) -> None:
        self._loop = loop
        self._connections = connections
        self._left: list[LastingClient] = []
        self._timer = loop.call_later(_EVERY, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def rejudge_all(self) -> None:
        """Judges every request under way again. Later requests are judged under the change anyway."""
        self._rejudge(list(self._connections), lambda client: client.active.under_way)

    def rejudge_seat(self, seat: Seat) -> None:
        self._rejudge(
            list(self._connections), lambda client: client.active.under_way and client.active.request.seat is seat
        )

    def _look(self) -> None:
        self._timer = self._loop.call_later(_EVERY, self._look)
        # If a round takes longer, the next round waits for its end.
        if not self._left:
            self._left = list(self._connections)
            self._rejudge(self._left, _lasts)

    def _rejudge(self, left: list[LastingClient], concerned: Callable[[LastingClient], bool]) -> None:
        judged = 0
        for _ in range(min(len(left), _SEEN_AT_ONCE)):
            client = left.pop()
            try:
                if concerned(client):
                    judged += 1
                    rejudge(client)
            except Exception as fault:  # noqa: BLE001 - the outermost handler: further connections are judged too
                client.faulted(fault)
            if judged == _JUDGED_AT_ONCE:
                break
        if left:
            self._loop.call_soon(self._rejudge, left, concerned)


def _lasts(client: LastingClient) -> bool:
    """Holds the request to its seat. Returns whether the request has to be judged again."""
    if client.active.upstream is None:
        return False
    keep_to_seat(client, _EVERY)
    return may_change(client.active.request)
