"""What is under way, judged anew: at once where the policy or a person has changed, and where a rule turns on the time
(`time`, `max_age`) again and again, for no change tells that it has come. Nor does one tell that a seat has ended."""

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from gateway.model.session import Seat
from gateway.proxy import walk

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_EVERY: Final = 5.0

# In one turn of the loop (invariant 14): to judge takes some 50 µs, to see that there is no need to under one.
_JUDGED_AT_ONCE: Final = 20
_SEEN_AT_ONCE: Final = 500


class Revalidation:
    """`connections`: all that are open, as they come and go."""

    __slots__ = ("_connections", "_lasting", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: "Collection[ClientConnection]") -> None:
        self._loop = loop
        self._connections = connections
        self._lasting: list[ClientConnection] = []
        self._timer = loop.call_later(_EVERY, self._again)

    def stop(self) -> None:
        self._timer.cancel()

    def everybody(self) -> None:
        """Whoever comes after this comes under what has changed."""
        self._some(list(self._connections), lambda client: client.under_way)

    def whoever_is(self, seat: Seat) -> None:
        self._some(list(self._connections), lambda client: client.under_way and client.request.seat is seat)

    def _again(self) -> None:
        self._timer = self._loop.call_later(_EVERY, self._again)
        # Where so many last that one round takes longer, the next one waits for its end.
        if not self._lasting:
            self._lasting = list(self._connections)
            self._some(self._lasting, _lasts)

    def _some(self, left: "list[ClientConnection]", concerned: "Callable[[ClientConnection], bool]") -> None:
        judged = 0
        for _ in range(min(len(left), _SEEN_AT_ONCE)):
            client = left.pop()
            try:
                if concerned(client):
                    judged += 1
                    client.revalidate()
            except Exception as fault:  # noqa: BLE001 - the one edge: those behind it are judged all the same
                client.faulted(fault)
            if judged == _JUDGED_AT_ONCE:
                break
        if left:
            self._loop.call_soon(self._some, left, concerned)


def _lasts(client: "ClientConnection") -> bool:
    if client.upstream is None:
        return False
    client.keep_to_seat(_EVERY)
    return walk.may_change(client)
