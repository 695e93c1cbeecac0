"""The shared objects of a worker's connections, as the connections use them. DataPlane implements it."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from gateway.access.inbound import InboundRequest
from gateway.access.outcome import Prepared
from gateway.access.preparation import Preparation
from gateway.config.exchange_limits import Timeouts
from gateway.config.snapshot import Limits, Snapshot
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.kept_post import SendOn
from gateway.model.ports import Callers, ErrorPages, Page
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.accesslog import AccessLog, Seen
from gateway.proxy.admission import Admission, CountedConnection
from gateway.proxy.buffers.room import Buffers
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.filters.texts import Disagreement
from gateway.proxy.hidden_cookies import HiddenCookies
from gateway.proxy.pacing import Room
from gateway.proxy.rates import RequestLimits
from gateway.proxy.request import Request
from gateway.proxy.spool import Spool
from gateway.proxy.tables import RequestTables
from gateway.proxy.timers import Timers
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.stores.sessions import Sessions


class Holder(Protocol):
    """The owner of the one mutable reference."""

    @property
    def snapshot(self) -> Snapshot: ...


class Services(Protocol):
    """`tables`, `limits`, `timeouts`, `access_log`, `usual_head` and `hsts_line` follow the snapshot. `usual_head`:
    bytes that a head may have to be read in one go; `hsts_line`: with its CRLF before it, b"" for none. `ids`: of the
    requests to come. `draining`: the worker ends. `preparation`: where sessions of people at applications
    are kept; None where there are none."""

    loop: asyncio.AbstractEventLoop
    timers: Timers
    room: Room
    holder: Holder
    tables: RequestTables
    limits: Limits
    timeouts: Timeouts
    usual_head: int
    hsts_line: bytes
    access_log: AccessLog | None
    sessions: Sessions
    preparation: Preparation | None
    callers: Callers | None
    hidden_cookies: HiddenCookies
    admission: Admission
    rates: RequestLimits
    pages: ErrorPages
    counters: Counters
    log: Log
    spool: Spool
    buffers: Buffers
    ids: Iterator[bytes]
    draining: bool
    posts: KeptPosts | None
    portal: Callable[[InboundRequest, bytes], asyncio.Task[Page | SendOn]]

    def is_ready(self) -> bool:
        """Whether new requests are wanted here while other nodes are well."""

    def opened(self) -> None:
        """One more connection, for the counters."""

    def renew(self) -> RequestTables:
        """The tables of the live snapshot."""

    def date_line(self) -> bytes:
        """RFC 9110 6.6.1, for this second."""

    def note_cookies(self, request: Request, prepared: Prepared) -> None:
        """Of an application that is called at the end of sessions: the call will carry the cookies that it gets now."""

    def begin_tunnel(
        self,
        request: Request,
        counted: CountedConnection,
        client: asyncio.Transport,
        application: ServerConnection,
        came: bytes,
    ) -> None:
        """Two connections are each other's from here on. `counted`: of the client's. `came`: of the application, behind
        its 101."""

    def refused(self, code: Code, detail: str, request_id: bytes, app: str, seen: Seen) -> None: ...

    def upstream_failed(self, request: Request, error: GatewayError) -> None: ...

    def charset_disagrees(self, request: Request, found: Disagreement) -> None:
        """Reports a response whose body is not in its declared charset."""

    def faulted(self, fault: Exception, request_id: bytes) -> None: ...
