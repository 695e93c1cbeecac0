"""What is under way on a client connection while the world changes: judged anew, and cut where it may no longer be."""

import asyncio
from abc import abstractmethod
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway.proxy.reading import CLOSED, Reading

if TYPE_CHECKING:
    from gateway.proxy.dataplane import DataPlane
    from gateway.proxy.exchange import Exchange
    from gateway.proxy.upstream import UpstreamConnection

_CUT_SECONDS: Final = 5.0


class Lasting(Reading):
    """`upstream`: where the request is. `task`: what it waits for before, its seat or a connection."""

    __slots__ = ("task", "upstream")

    def __init__(self, plane: "DataPlane") -> None:
        super().__init__(plane)
        self.upstream: UpstreamConnection | Exchange | None = None
        self.task: asyncio.Task[None] | None = None

    @abstractmethod
    def abort(self) -> None: ...

    @abstractmethod
    def stands(self) -> bool:
        """Whether what is under way would be let in now."""

    @property
    def under_way(self) -> bool:
        """Whether a request is at an upstream, or waits for a connection to one or for its seat."""
        return self.upstream is not None or self.task is not None

    def judge(self) -> None:
        """The policy has changed, or the time: who would no longer be let in is cut as if the session had ended."""
        if self.task is not None:
            # Its seat or its connection is awaited, for seconds at most: it is judged when it has them.
            self.plane.loop.call_later(_CUT_SECONDS, self._judge_if_still, self.request.id)
        elif self.upstream is not None and self.upstream.pool is not None and not self.stands():
            self.cut()

    def _judge_if_still(self, request_id: bytes) -> None:
        if self.is_still(request_id):
            self.judge()

    def cut(self) -> None:
        """Whoever is behind the answer under way may no longer have it: what streams is cut, what ends soon may end."""
        if monotonic() - self.request.started > _CUT_SECONDS:
            self.abort()
        else:
            self.plane.loop.call_later(_CUT_SECONDS, self._cut_if_still, self.request.id)

    def _cut_if_still(self, request_id: bytes) -> None:
        if self.is_still(request_id):
            self.abort()

    def is_still(self, request_id: bytes) -> bool:
        """Whether it is at this request."""
        return self.state != CLOSED and self.request.id == request_id and self.under_way
