"""What is under way on a client connection while the world changes: judged anew, and cut where it may no longer be."""

import asyncio
from abc import abstractmethod
from time import monotonic
from typing import Final

from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.proxy.reading import BODY, CLOSED, Reading
from gateway.proxy.services import Services
from gateway.proxy.unread import unread

_CUT_SECONDS: Final = 5.0


class Lasting(Reading):
    """`task`: what the request waits for before it goes upstream, its seat or a connection."""

    __slots__ = ("_stuck", "task")

    def __init__(self, plane: Services) -> None:
        super().__init__(plane)
        self.task: asyncio.Task[None] | None = None
        self._stuck = 0

    @abstractmethod
    def has_moved(self, within: float) -> bool:
        """Whether some of a response or of a body was sent in the last `within` seconds."""

    @abstractmethod
    def still_allowed(self) -> bool:
        """Whether what is under way would be let in now."""

    @property
    def under_way(self) -> bool:
        """Whether a request is at an upstream, or waits for a connection to one or for its seat."""
        return self.upstream is not None or self.task is not None

    def revalidate(self) -> None:
        """The policy has changed, or the time: who would no longer be let in is cut as if the session had ended."""
        if self.task is not None:
            # Its seat or its connection is awaited, for seconds at most: it is judged when it has them.
            self.plane.loop.call_later(_CUT_SECONDS, self._revalidate_if_still, self.request.id)
        elif self.upstream is not None and self.upstream.revalidated and not self.still_allowed():
            self.cut()

    def _revalidate_if_still(self, request_id: bytes) -> None:
        if self.is_still(request_id):
            self.revalidate()

    def cut(self) -> None:
        """Ends the request under way: at once if it is older than 5 s, otherwise in 5 s if it is still the same one."""
        if monotonic() - self.request.started > _CUT_SECONDS:
            self.abort()
        else:
            self.plane.loop.call_later(_CUT_SECONDS, self._cut_if_still, self.request.id)

    # --- a side that stands still ---

    def pause_writing(self) -> None:
        self.write_paused = True
        self._stuck = unread(self.transport)
        self.wait(self.plane.timeouts.body)
        if self.upstream is not None:
            self.upstream.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.upstream is not None:
            self.deadline = self.until
            self.upstream.resume()
        else:
            self.deadline = self.plane.timers.now + self.plane.timeouts.idle
            self.pump()

    def goes_on(self) -> bool:
        """Either side may read slowly, as long as it does not stand still."""
        if self.write_paused:
            waiting = unread(self.transport)
            drains, self._stuck = waiting < self._stuck, waiting
        else:
            drains = self.state is BODY and self.body_paused and self.upstream is not None and self.upstream.drains()
        if drains:
            self.wait(self.plane.timeouts.body)
        return drains

    # --- the end of its seat ---

    def keep_to_seat(self, within: float) -> None:
        """Invariant 12: nothing that is open outlives its session. Looked at every `within` seconds, so that an end
        before the next look is waited for."""
        seat = self.request.seat
        if seat is None:
            return
        now = monotonic()
        # A program's has no idle limit to be moved.
        if self.request.application.app.streams_last and seat.cookie and self.has_moved(within):
            self.plane.sessions.touch(seat, now)
        elif seat.cookie and now >= seat.refresh_at:
            # A person who reads a stream is here, also where that does not keep the session open.
            self.plane.sessions.ask(seat, now)
        if (end := end_of(seat)) <= now + within:
            self.plane.loop.call_later(max(0.0, end - now), self._end_with_seat, self.request.id)

    def _end_with_seat(self, request_id: bytes) -> None:
        seat, now = self.request.seat, monotonic()
        if not self.is_still(request_id) or seat is None or now < end_of(seat):
            # It has ended by itself, or the seat was used meanwhile.
            return
        if now >= seat.hard_deadline:
            self.cut()
        else:
            # The idle end, as far as this worker knows: in another one it may have been moved on.
            self.plane.loop.create_task(self._end_unless_used(seat, request_id))

    async def _end_unless_used(self, seat: Seat, request_id: bytes) -> None:
        try:
            found = await self.plane.sessions.load(seat.host, seat.cookie)
        except GatewayError:
            # When the store cannot say, the answer is no.
            found = None
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)
            return
        if self.is_still(request_id):
            if found is None or monotonic() >= found.deadline:
                self.cut()
            else:
                self.request.seat = found

    def _cut_if_still(self, request_id: bytes) -> None:
        if self.is_still(request_id):
            self.abort()

    def is_still(self, request_id: bytes) -> bool:
        """Whether it is at this request."""
        return self.state is not CLOSED and self.request.id == request_id and self.under_way


def end_of(seat: Seat) -> float:
    """Monotonic seconds. A program's seat is looked at anew before its token ends (`deadline`), and no store knows of
    it."""
    return seat.deadline if seat.cookie else seat.hard_deadline
