"""An application, or the portal, on the fast lane: prepared values, connections and counters."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from gateway.access.application import ApplicationAccess, Preparing
from gateway.access.permission import injected_names
from gateway.access.portal_access import PortalAccess
from gateway.access.preparation import translated
from gateway.access.remembered import Newcomers
from gateway.config.exchange_limits import ExchangeLimits, RequestRates, Timeouts
from gateway.config.snapshot import App, Snapshot
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.proxy.filters.texts import BodyFilters
from gateway.proxy.upstream.group import AddressGroup
from gateway.proxy.upstream.pool import Pool
from gateway.wire.application_cookies import AS_THEY_ARE, ApplicationCookies, shared_cookies
from gateway.wire.headers import HeaderPolicy
from gateway.wire.response_edits import UNCHANGED, ApplicationEdits, HostEdits


class PortalLane(PortalAccess):
    """The lane of a portal host without an application. It has no rules and no upstream; requests are read, answered by
    the portal, logged and counted."""

    __slots__ = (
        "_url", "cookies", "exchange", "is_bounded", "is_secure", "log_names", "policy", "rates", "statuses",
        "stripped", "timeouts",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, policy: HeaderPolicy, newcomers: Newcomers | None = None) -> None:
        super().__init__(snapshot, newcomers)
        gateway = snapshot.gateway
        self._url = gateway.portal_url
        self.log_names = _log_names(self.name, self.revision)
        self.policy = policy
        self.cookies = shared_cookies(AS_THEY_ARE, frozenset())
        self.timeouts = gateway.timeouts
        self.exchange = _shared_limits(gateway.limits.body, gateway.timeouts)
        # None: only the rates of gateway.yaml apply.
        self.rates: RequestRates | None = None
        self.is_bounded = gateway.limits.requests is not None
        self.is_secure = gateway.portal_url.startswith("https")
        # Counted in plain cells, which DataPlane.flush takes over: responses by the first digit of their status, and
        # requests from whose head lines were taken off.
        self.statuses = [0] * 6
        self.stripped = 0

    @property
    def stays_secure(self) -> bool:
        """As of Lane."""
        return self.is_secure

    def public(self, host: str) -> str:
        """The portal's origin, for every host."""
        return self._url


class Lane(ApplicationAccess):
    """The lane of an application. Its attributes are computed once per snapshot, so a request only looks them up."""

    __slots__ = (
        "_edits", "body_limit", "cookies", "errors", "exchange", "filters", "form_login",
        "gathers_up_to", "group", "hides", "holds", "injected", "is_bounded", "is_dav", "is_secure", "is_watched",
        "log_names", "notes_cookies", "plain_bodies", "policy", "pool", "rarely", "rates", "responses", "sole",
        "statuses", "stays_secure", "stripped", "timeouts",
    )  # fmt: skip

    def __init__(
        self,
        app: App,
        snapshot: Snapshot,
        pool: Pool | AddressGroup,
        policy: HeaderPolicy,
        numbers: Iterator[int],
        person: Callable[[Identity], str],
        prepare: Preparing = translated,
        newcomers: Newcomers | None = None,
    ) -> None:
        super().__init__(app, snapshot, numbers, person, prepare, newcomers)
        self.log_names = _log_names(self.name, self.revision)
        self._bound(app, snapshot)
        self._connect(app, pool)
        self._read_requests(app, policy)
        self._edit_responses(app)
        # The rest is counted in plain cells, which DataPlane.flush takes over: responses by the first digit of their
        # status, requests from whose head lines were taken off, failed requests by reason (None until the first one).
        self.statuses = [0] * 6
        self.stripped = 0
        self.errors: dict[str, int] | None = None

    def _bound(self, app: App, snapshot: Snapshot) -> None:
        self.rates = app.request_rates
        # Whether anything bounds how often the application is asked, `rates` of its own file or gateway.yaml.
        self.is_bounded = self.rates is not None or snapshot.gateway.limits.requests is not None
        self.timeouts = app.upstream.timeouts
        # Bytes of a request's body; 0 for no limit.
        self.body_limit = app.body_limit
        # The limits of a request to a path without limits of its own.
        self.exchange = _shared_limits(self.body_limit, self.timeouts)

    def _connect(self, app: App, pool: Pool | AddressGroup) -> None:
        # Connections to the application's only address; None if it has several addresses, in `group`.
        self.sole = None if isinstance(pool, AddressGroup) else pool
        self.group = pool if isinstance(pool, AddressGroup) else None
        # Bytes of a request's body that are gathered before the application is asked.
        self.gathers_up_to = app.upstream.buffering.requests
        # Bytes of a response that wait for the client.
        self.holds = app.upstream.buffering.responses
        # `sole` where a connection is taken at once; None where there is more to do before.
        self.pool = None if self.gathers_up_to else self.sole

    def _read_requests(self, app: App, policy: HeaderPolicy) -> None:
        self.policy = policy
        self.cookies: ApplicationCookies = shared_cookies(app.edits.cookies, app.cookie_names)
        # Whether the application takes methods of WebDAV.
        self.is_dav = bool(app.methods)
        # Whether the application is called at the end of a session, with cookies that are noted for the call.
        self.notes_cookies = app.logout.url is not None
        # Whether browsers do not get some of the application's cookies.
        self.hides = bool(app.edits.cookies.hidden)
        # The headers that a front writes, if a front asks about the application's requests.
        self.injected = injected_names(app) if app.front else {}
        # Whether a request may need more than its prepared bytes: `hides`, or a front asks.
        self.rarely = self.hides or app.front is not None
        # Whether browsers reach the application by https.
        self.is_secure = app.scheme == "https"
        # Whether browsers are told to keep to https (RFC 6797).
        self.stays_secure = self.is_secure and not app.responses.end_hsts

    def _edit_responses(self, app: App) -> None:
        # The leniencies for responses (wire.response_guard).
        self.responses = app.responses
        self._edits = None if app.edits == UNCHANGED else ApplicationEdits(app.edits)
        # Changes bodies; None if bodies are forwarded unchanged.
        self.filters = BodyFilters(app.edits, self._edits) if self._edits is not None and app.edits.bodies else None
        self.form_login = app.form_login
        # Whether filters or buffers are between the two connections.
        self.is_watched = bool(self.filters or self.form_login or self.gathers_up_to or self.holds)
        marked = self.form_login is not None and self.form_login.has_expiry_marker
        # Whether the application is asked for bodies without compression.
        self.plain_bodies = marked or self.filters is not None

    def edits_for(self, host: str) -> HostEdits | None:
        """What the file changes in the heads of responses, for one canonical host of the application."""
        return None if self._edits is None else self._edits.of(self.public(host))

    def public(self, host: str) -> str:
        """The origin that browsers use for a canonical host of the application."""
        return self.app.origin(host)

    def again(self, seat: Seat | None, client: str) -> Pool | None:
        """The connections for sending a request a second time; None: not allowed."""
        return self.sole if self.group is None else self.group.again(seat, client)

    def count_failure(self, reason: str) -> None:
        errors = self.errors = self.errors or {}
        errors[reason] = errors.get(reason, 0) + 1


HostLane = Lane | PortalLane


def _log_names(name: str, revision: str) -> bytes:
    """The part of every access log line between the request's id and the client."""
    return f'","app":"{name}","revision":"{revision}","client":"'.encode()


@lru_cache(512)
def _shared_limits(body: int, timeouts: Timeouts) -> ExchangeLimits:
    """Returns a shared value for applications with the same limits."""
    return ExchangeLimits(body, timeouts)
