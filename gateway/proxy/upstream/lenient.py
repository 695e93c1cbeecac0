"""Connections to applications whose files accept framing faults of responses (`upstream.accept`)."""

from typing import Protocol

from gateway.config.upstream_settings import Upstream
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.pacing import Room
from gateway.proxy.timers import Timers
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.state import Keeper
from gateway.wire.lenient_heads import head_end, longest_head, mended


class LenientKeeper(Keeper[UpstreamConnection], Protocol):
    upstream: Upstream


class LenientConnection(UpstreamConnection):
    """Repairs a head before parsing. The other connections of the worker parse strictly."""

    __slots__ = ()

    pool: LenientKeeper

    def __init__(self, pool: LenientKeeper, timers: Timers, heads: ResponseHeads, room: Room) -> None:
        super().__init__(pool, timers, heads, room)
        self.longest_head = longest_head(pool.upstream.accepts)
        self.padded = "padded_chunk" in pool.upstream.accepts

    def _head(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        accepts = self.pool.upstream.accepts
        end = head_end(data, accepts)
        if not end and len(data) > self.longest_head:
            raise GatewayError(upstream_codes.RESPONSE, "head too long")
        if end:
            super()._head(mended(data[:end], accepts) + data[end:])
        else:
            self.heard = True
            self._held = data
