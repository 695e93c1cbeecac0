"""What a client connection does with a body that is gathered before its application is asked."""

from abc import abstractmethod
from time import monotonic
from typing import cast

from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome
from gateway.access.pipeline import awaited, outcome_of
from gateway.model.session import Seat
from gateway.proxy.buffers.gathered import GatheredBody
from gateway.proxy.exchange import Requester
from gateway.proxy.forward_auth import FrontQuestions
from gateway.proxy.reading import BODY, WAIT
from gateway.wire.framing import CHUNKED, NO_CONTENT


class Gathering(FrontQuestions):
    """A part of ClientConnection, which is a Requester."""

    __slots__ = ()

    @abstractmethod
    def forward(self, outcome: Forward) -> None:
        """The request goes to its application."""

    @abstractmethod
    def invite_body(self) -> None: ...

    @property
    def is_gathering(self) -> bool:
        """Whether a buffer takes, or has taken, the body of the request under way."""
        return type(self.upstream) is GatheredBody

    def begin_gathering(self) -> bool:
        """Begins to gather the body of the request under way, if its application wants that and it is not here in full.
        False: the body is not gathered. True: the application hears nothing until the buffer passes the body on."""
        request, framing = self.request, self.request.framing
        limits, most = request.limits, request.application.gathers_up_to
        if framing in NO_CONTENT or self.is_gathering or self.sending is not None:
            return False
        if framing > min(most, limits.body or most) or 0 < framing <= len(self.ahead):
            # Over the buffer or the body limit, or already here in full.
            return False
        now, timeouts, name = self.plane.timers.now, limits.timeouts, request.lane.name
        self.until = now + timeouts.total
        self.upstream = gathered = GatheredBody(
            cast(Requester, self), self.plane.buffers, name, most, framing, timeouts.body, self._body_gathered
        )
        gathered.write(self.begin_body(limits.body, bare=True))
        self.invite_body()
        return True

    def _body_gathered(self) -> None:
        """It took a while: what was prepared for the request may have ended, and its person may have left."""
        gathered = self.upstream
        assert isinstance(gathered, GatheredBody)
        try:
            if self.body_done:
                self.request.framing = gathered.framing
            seat, outcome = outcome_of(self.request, self.plane, monotonic())
            if isinstance(outcome, NeedsStore | NeedsWork):
                self.task = self.plane.loop.create_task(self._look_up(gathered, seat, outcome))
            else:
                self._go_on_with(gathered, seat, outcome)
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    async def _look_up(self, gathered: GatheredBody, known: Seat | None, waits: NeedsStore | NeedsWork) -> None:
        try:
            seat, outcome = await awaited(self.request, self.plane.sessions, known, waits, monotonic)
            self.task = None
            self._go_on_with(gathered, seat, outcome)
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    def _go_on_with(self, gathered: GatheredBody, seat: Seat | None, outcome: Outcome) -> None:
        if isinstance(outcome, Forward):
            self.request.seat = seat
            self.forward(outcome)
        else:
            if self.state is BODY:
                self._leave_body()
            self.act(seat, outcome)
            gathered.abandon()

    def _leave_body(self) -> None:
        """Passes the rest of the body to nobody, not even to the portal. The connection closes after the response. The
        announced length no longer holds, so `framing` becomes CHUNKED."""
        self.state, self._upload, self.body_paused = WAIT, None, False
        self.request.framing = CHUNKED
