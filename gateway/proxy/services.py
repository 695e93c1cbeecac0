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
from gateway.stores.sessions.sessions import Sessions


class Holder(Protocol):
    """Holds the one mutable reference."""

    @property
    def snapshot(self) -> Snapshot: ...


class Services(Protocol):
    """What a client connection needs of its worker. `tables`, `limits`, `timeouts`, `access_log`, `usual_head` and
    `hsts_line` follow the snapshot.

    `usual_head`: the most bytes of a head that is read in one go.
    `hsts_line`: starts with its CRLF; b"": no line.
    `ids`: of the next requests.
    `draining`: the worker ends.
    `preparation`: where the people's sessions at applications are kept; None: not kept.
    """

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
        """Whether this node wants new requests while the rest of the nodes are well."""

    def opened(self) -> None:
        """Counts a new connection."""

    def renew(self) -> RequestTables:
        """The tables of the live snapshot."""

    def date_line(self) -> bytes:
        """RFC 9110 6.6.1, for this second."""

    def note_cookies(self, request: Request, prepared: Prepared) -> None:
        """For an application that is called at the end of sessions: the call will carry the cookies of this request."""

    def begin_tunnel(
        self,
        request: Request,
        counted: CountedConnection,
        client: asyncio.Transport,
        application: ServerConnection,
        came: bytes,
    ) -> None:
        """Joins two connections as a tunnel. `counted`: the client's connection. `came`: the application's bytes after
        its 101."""

    def refused(self, code: Code, detail: str, request_id: bytes, app: str, seen: Seen) -> None: ...

    def upstream_failed(self, request: Request, error: GatewayError) -> None: ...

    def charset_disagrees(self, request: Request, found: Disagreement) -> None:
        """Reports a response whose body is in a different charset than declared."""

    def faulted(self, fault: Exception, request_id: bytes) -> None: ...
