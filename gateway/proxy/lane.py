"""What one application of one snapshot is on the fast lane: what is known of it, its connections and its counters."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from gateway.access.application import ApplicationAccess, Preparing
from gateway.access.permission import injected_names
from gateway.access.preparation import translated
from gateway.access.remembered import Newcomers
from gateway.access.request_line import RequestLine
from gateway.config.exchange_limits import NOT_BUFFERED, ExchangeLimits, Timeouts
from gateway.config.snapshot import App, Snapshot
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.proxy.filters.texts import BodyFilters
from gateway.proxy.upstream.group import AddressGroup
from gateway.proxy.upstream.pool import Pool
from gateway.wire import response_guard
from gateway.wire.application_cookies import AS_THEY_ARE, shared_cookies
from gateway.wire.headers import HeaderPolicy
from gateway.wire.response_edits import UNCHANGED, ApplicationEdits, HostEdits

_NOTHING: Final[Mapping[bytes, bytes]] = {}


class Lane(ApplicationAccess):
    """`sole`: None on a portal host that serves no application, and where there is a `group`, of several addresses;
    `pool`: likewise, and None where more is to be asked before a connection is taken. `notes_cookies`: whether the
    application is called at the end of a session, with cookies that are noted for it. `is_dav`: whether it takes
    methods of WebDAV. `hides`: whether browsers do not get some of the application's cookies; `injected`: where a front
    asks about its requests, the headers that it writes; `rarely`: either. `is_secure`: whether browsers reach it by
    https; `stays_secure`: and whether they are told to keep to that. `filters`: of bodies, None where they go on as
    they come. `gathers`: bytes of a request's body that are gathered before it is asked; `holds`: bytes of a response
    that wait for the client. `is_watched`: whether anything of this stands between the two connections. `plain_bodies`:
    the application is asked for them without compression. `is_bounded`: whether anything bounds how often it is asked,
    `rates` of its own file among these. `exchange`: what bounds each request, None where that is by path. `statuses`,
    `stripped` and `errors` are counted here in plain cells, and taken over into the worker's counters by
    DataPlane.flush."""

    __slots__ = (
        "_edits", "_path_limits", "_usual", "body_limit", "cookies", "errors", "exchange", "filters", "form_login",
        "gathers", "group", "hides", "holds", "injected", "is_bounded", "is_dav", "is_secure", "is_watched", "limits",
        "log_names", "notes_cookies", "plain_bodies", "policy", "pool", "rarely", "rates", "responses", "sole",
        "statuses", "stays_secure", "stripped", "timeouts",
    )  # fmt: skip

    def __init__(
        self,
        app: App | None,
        snapshot: Snapshot,
        pool: Pool | AddressGroup | None,
        policy: HeaderPolicy,
        numbers: Iterator[int],
        person: Callable[[Identity], str],
        prepare: Preparing = translated,
        newcomers: Newcomers | None = None,
    ) -> None:
        super().__init__(app, snapshot, numbers, person, prepare, newcomers)
        limits, timeouts = snapshot.gateway.limits, snapshot.gateway.timeouts
        # Of every line of the access log, between the request's id and the client.
        self.log_names = f'","app":"{self.name}","revision":"{self.revision}","client":"'.encode()
        self.limits = limits
        self.rates = None if app is None else app.request_rates
        self.is_bounded = self.rates is not None or limits.requests is not None
        self.is_dav = app is not None and bool(app.methods)
        self.notes_cookies = app is not None and app.logout.url is not None
        self.sole = None if isinstance(pool, AddressGroup) else pool
        self.group = pool if isinstance(pool, AddressGroup) else None
        self.timeouts = timeouts if app is None else app.upstream.timeouts
        self.body_limit = limits.body if app is None else app.body_limit
        self._usual = _shared_limits(self.body_limit, self.timeouts)
        self._path_limits = None if app is None else app.path_limits
        self.exchange = self._usual if self._path_limits is None else None
        self.policy = policy
        own = AS_THEY_ARE if app is None else app.edits.cookies
        self.cookies = shared_cookies(own, frozenset() if app is None else app.cookie_names)
        self.hides = bool(own.hidden)
        fronted = app is not None and app.front is not None
        self.rarely = self.hides or fronted
        self.injected = injected_names(app) if app is not None and fronted else _NOTHING
        self.is_secure = (snapshot.gateway.portal_url if app is None else app.scheme).startswith("https")
        self.stays_secure = self.is_secure and (app is None or not app.responses.end_hsts)
        self.responses = response_guard.STRICT if app is None else app.responses
        self._edits = None if app is None or app.edits == UNCHANGED else ApplicationEdits(app.edits)
        self.filters: BodyFilters | None = None
        if app is not None and self._edits is not None and app.edits.bodies:
            self.filters = BodyFilters(app.edits, self._edits)
        self.form_login = None if app is None else app.form_login
        buffering = NOT_BUFFERED if app is None else app.upstream.buffering
        self.gathers, self.holds = buffering.requests, buffering.responses
        self.pool = None if self.gathers else self.sole
        self.is_watched = bool(self.filters or self.form_login or self.gathers or self.holds)
        marked = self.form_login is not None and self.form_login.has_expiry_marker
        self.plain_bodies = marked or self.filters is not None
        self.statuses = [0] * 6
        self.stripped = 0
        # Of most applications none is ever counted.
        self.errors: dict[str, int] | None = None

    def edits_for(self, host: str) -> HostEdits | None:
        """What its file changes in the heads of responses, for one of its canonical hosts."""
        return None if self._edits is None else self._edits.of(self.public(host))

    def public(self, host: str) -> str:
        """The origin that browsers use for one of its canonical hosts."""
        return "" if self.app is None else self.app.origin(host)

    def limits_at(self, line: RequestLine) -> ExchangeLimits:
        """What bounds a request, by its path."""
        assert self._path_limits is not None
        return self._path_limits.at(line.target.segments) or self._usual

    def again(self, seat: Seat | None, client: str) -> Pool | None:
        """Where a request that may be sent once more goes; None where it may not."""
        return self.sole if self.group is None else self.group.again(seat, client)

    def failed(self, reason: str) -> None:
        errors = self.errors = self.errors or {}
        errors[reason] = errors.get(reason, 0) + 1


@lru_cache(512)
def _shared_limits(body: int, timeouts: Timeouts) -> ExchangeLimits:
    """Applications whose files say the same share it."""
    return ExchangeLimits(body, timeouts)
