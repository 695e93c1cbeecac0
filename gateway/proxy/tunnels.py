"""A worker's tunnels, by seat: the end of a session finds its tunnels without a search, and use of a tunnel counts as
use of the session."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Final

from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.ops.counters import Counters
from gateway.proxy.admission import CountedConnection
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.lasting import end_of, may_change
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.proxy.tunnel import Tunnel, TunnelEnding
from gateway.stores.sessions.sessions import Sessions

# Invariant 12: a tunnel outlives its session by this many seconds at most.
_EVERY: Final = 1.0
# A rule that turns on the time is asked as often as for other things under way.
_JUDGED_EVERY: Final = 5
# Tunnels ended per turn of the loop (invariant 14).
_ENDED_AT_ONCE: Final = 50
_JUDGED_AT_ONCE: Final = 20
_SEATS_AT_ONCE: Final = 1000


class Tunnels:
    def __init__(self, loop: asyncio.AbstractEventLoop, sessions: Sessions, counters: Counters) -> None:
        self._loop = loop
        self._sessions = sessions
        self._counters = counters
        self._by_seat: dict[Seat | None, set[Tunnel]] = {}
        self._number = self._looked = 0
        self._asked: dict[Seat, asyncio.Task[None]] = {}
        self._left: list[Seat | None] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Tunnel]:
        for of_seat in tuple(self._by_seat.values()):
            yield from tuple(of_seat)

    def begin(
        self,
        plane: Services,
        request: Request,
        counted: CountedConnection,
        client: asyncio.Transport,
        application: ServerConnection,
        came: bytes,
    ) -> None:
        """See Services.begin_tunnel."""
        tunnel = Tunnel(plane, request, counted, application.is_beyond, self._over)
        self._by_seat.setdefault(tunnel.seat, set()).add(tunnel)
        self._number += 1
        if self._timer is None:
            self._timer = self._loop.call_later(_EVERY, self._look)
        tunnel.begin(client, application.release(), came)
        if plane.draining:
            # The tunnel was requested before the worker began to drain.
            tunnel.end("restart")

    def _over(self, tunnel: Tunnel) -> None:
        of_seat = self._by_seat.get(tunnel.seat)
        if of_seat is None or tunnel not in of_seat:
            return
        of_seat.remove(tunnel)
        self._number -= 1
        if not of_seat:
            del self._by_seat[tunnel.seat]
        self._counters.add("ecluse_tunnels_total", tunnel.ended)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._asked.values():
            task.cancel()

    # --- ends ---

    def end_of_seats(self, seats: Iterable[Seat]) -> None:
        self._end([tunnel for seat in seats for tunnel in self._by_seat.get(seat, ())], "signed_out")

    def restart(self) -> None:
        """Ends all tunnels because the worker ends: browsers come back to another worker."""
        self._end(list(self), "restart")

    def _end(self, tunnels: list[Tunnel], why: TunnelEnding) -> None:
        self._each(tunnels, lambda tunnel: tunnel.end(why), _ENDED_AT_ONCE)

    def _each(self, left: list[Tunnel], act: Callable[[Tunnel], None], at_once: int) -> None:
        for _ in range(min(len(left), at_once)):
            tunnel = left.pop()
            try:
                act(tunnel)
            except Exception as fault:  # noqa: BLE001 - the outermost handler: further tunnels have their turn
                tunnel.faulted(fault)
        if left:
            self._loop.call_soon(self._each, left, act, at_once)

    # --- what has changed ---

    def everybody(self) -> None:
        """Judges the tunnels again under a new policy."""
        self._each(list(self), Tunnel.revalidate, _JUDGED_AT_ONCE)

    def whoever_is(self, seat: Seat) -> None:
        self._each(list(self._by_seat.get(seat, ())), Tunnel.revalidate, _JUDGED_AT_ONCE)

    # --- every second ---

    def _look(self) -> None:
        self._timer = None
        if self._by_seat:
            self._timer = self._loop.call_later(_EVERY, self._look)
        if not self._left:
            # If a round takes longer than a second, the next round waits for its end.
            self._left = list(self._by_seat)
            self._looked += 1
            self._look_at_some()

    def _look_at_some(self) -> None:
        now = monotonic()
        for _ in range(min(len(self._left), _SEATS_AT_ONCE)):
            seat = self._left.pop()
            tunnels = self._by_seat.get(seat)
            if tunnels is not None:
                self._look_at(seat, tunnels, now)
        if self._left:
            self._loop.call_soon(self._look_at_some)

    def _look_at(self, seat: Seat | None, tunnels: set[Tunnel], now: float) -> None:
        if seat is not None:
            if not seat.live:
                self._end(list(tunnels), "signed_out")
                return
            if self._is_used(tunnels) and seat.cookie:
                self._sessions.touch(seat, now)
            elif seat.cookie and now >= seat.refresh_at:
                self._sessions.ask(seat, now)
            if now >= seat.hard_deadline:
                self._end(list(tunnels), "expired")
                return
            if now >= end_of(seat) and seat not in self._asked:
                # The idle end by this worker's knowledge: another worker may have postponed it.
                self._asked[seat] = self._loop.create_task(self._end_unless_used(seat))
        if self._looked % _JUDGED_EVERY == 0:
            self._each([one for one in tunnels if may_change(one.request)], Tunnel.revalidate, _JUDGED_AT_ONCE)

    def _is_used(self, tunnels: set[Tunnel]) -> bool:
        """Whether the person sent data since the last call, on a tunnel whose file counts data as use."""
        used = False
        for tunnel in tunnels:
            used = used or (tunnel.keeps_session and tunnel.client.counter.spoke)
            tunnel.client.counter.spoke = False
        return used

    async def _end_unless_used(self, seat: Seat) -> None:
        try:
            found = await self._sessions.load(seat.host, seat.cookie)
        except GatewayError:
            # When the store cannot say, the answer is no.
            found = None
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            for tunnel in tuple(self._by_seat.get(seat, ())):
                tunnel.faulted(fault)
            return
        finally:
            self._asked.pop(seat, None)
        left = list(self._by_seat.get(seat, ()))
        if found is None or monotonic() >= found.deadline:
            self._end(left, "expired")
        elif found is not seat:
            self._move(seat, found)

    def _move(self, seat: Seat, found: Seat) -> None:
        """The same cookie's seat, read anew."""
        for tunnel in self._by_seat.pop(seat, set()):
            tunnel.request.seat = found
            self._by_seat.setdefault(found, set()).add(tunnel)
