"""The request under way on a client connection, and its progress, as one value."""

import asyncio
from typing import final

from gateway.proxy.exchange import Exchange
from gateway.proxy.known_questions import FrontQuestion, KnownQuestion
from gateway.proxy.rates import NOBODY, Asks
from gateway.proxy.request import Request
from gateway.proxy.timers import NEVER


@final
class ActiveRequest:
    """One per connection, used again for each request.

    Of the request:
    `request`: the head as it was read, with the seat of the person and the decision of policy.
    `question`: the front's question that led to this request; None for a request of the client itself.
    `counted`: the person or address that the request counts for, where the number of requests is bounded.

    Of its way:
    `task`: runs while the request waits for its seat, for a directory or for a connection.
    `upstream`: the other end: an application, the portal, a body that is gathered or kept.
    `until`: the end of the whole exchange, however slowly either side goes on; seconds on the loop's clock.
    `sent`: the bytes that were sent to the application, or wait for a connection; for a second try.
    `is_repeated`: the second try has been made.
    `is_renewed`: the person was signed in at the application a second time for this request.

    Of its response:
    `answering`: the head is written, so that only closing the connection can tell of a failure.
    `keep`: the connection is kept after the response.
    `status`: for the access log.
    """

    __slots__ = (
        "answering", "counted", "is_renewed", "is_repeated", "keep", "question", "request", "sent", "status", "task",
        "until", "upstream",
    )  # fmt: skip

    def __init__(self) -> None:
        self.request = Request()
        self.question: FrontQuestion | KnownQuestion | None = None
        self.counted: Asks = NOBODY
        self.task: asyncio.Task[None] | None = None
        self.upstream: Exchange | None = None
        self.until = NEVER
        self.sent = b""
        self.is_repeated = self.is_renewed = False
        self.answering = False
        self.keep = True
        self.status = 0

    @property
    def under_way(self) -> bool:
        """Whether a request is at its other end, or waits for a seat or a connection."""
        return self.upstream is not None or self.task is not None

    def is_at(self, request_id: bytes) -> bool:
        """Whether the request of this id is still under way."""
        return self.request.id == request_id and self.under_way

    def give_up(self) -> None:
        """Drops the upstream end, and the task that the request waits for."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.abandon()
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
