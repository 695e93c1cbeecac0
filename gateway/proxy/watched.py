"""The parts between a client and an application: they gather or change bodies, and watch responses for the end of a
session at the application that the gateway keeps."""

from collections.abc import Callable
from functools import partial
from time import time

from gateway.access.preparation import Preparation, origins_of
from gateway.formlogin.addresses import ApplicationOrigins
from gateway.formlogin.spec import ApplicationSession
from gateway.proxy.buffers.gathered import GatheredBody
from gateway.proxy.buffers.responses import BufferedResponse
from gateway.proxy.exchange import Exchange, Requester, ServerConnection
from gateway.proxy.filters.body_filter import BodyFilter
from gateway.proxy.filters.session_watch import ApplicationSessionWatch
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.wire.cookie_jar import JarRequest
from gateway.wire.framing import NO_CONTENT
from gateway.wire.navigation import kind_of

_SENT_AGAIN = (b"GET", b"HEAD")


def between(
    request: Request,
    client: Requester,
    before: Exchange | None,
    upstream: ServerConnection,
    plane: Services,
    ended: Callable[[ApplicationSession], None],
) -> tuple[Exchange, Requester]:
    """The parts between a client and an application: as the client sees them, and as the application's connection sees
    them. `before`: the request's place until now. `ended`: as in watch_for."""
    lane = request.application
    gathered = before if isinstance(before, GatheredBody) else None
    there: Exchange = upstream if gathered is None else gathered
    waiting = BufferedResponse(client, plane.buffers, lane.name, lane.holds) if lane.holds else None
    nearest, requester = _changed(request, waiting or client, there, plane, ended)
    if lane.filters is not None:
        # A compressed body grows when it is decoded.
        upstream.read_little()
    if gathered is not None:
        gathered.send_to(upstream, requester)
        requester = gathered
    if waiting is None:
        return nearest, requester
    waiting.stand_before(nearest)
    return waiting, requester


def _changed(
    request: Request,
    client: Requester,
    upstream: Exchange,
    plane: Services,
    ended: Callable[[ApplicationSession], None],
) -> tuple[Exchange, Requester]:
    """Where responses are changed or watched on their way; as `between`."""
    lane = request.application
    watch = watch_for(request, client, upstream, plane.preparation, ended)
    nearer: Exchange = upstream if watch is None else watch
    if lane.filters is not None:
        public, disagrees = lane.public(request.host.name), partial(plane.charset_disagrees, request)
        client = nearer = BodyFilter(client, nearer, lane.filters, public, disagrees, plane.loop)
    if watch is None:
        return nearer, client
    watch.client = client
    return nearer, watch


def watch_for(
    request: Request,
    client: Requester,
    upstream: Exchange,
    preparation: Preparation | None,
    ended: Callable[[ApplicationSession], None],
) -> ApplicationSessionWatch | None:
    """Returns None for a request without such a session. `ended`: called when a page shows the end of the session."""
    app, seat, prepared = request.application.app, request.seat, request.middle_of
    session = None if prepared is None else prepared.session
    if preparation is None or app.form_login is None or seat is None or session is None:
        return None
    origins, line = origins_of(app, request.host.name), request.line
    # A browser's HEAD says less of itself than its GET, and is answered alike.
    kind = kind_of(b"GET" if line.method == b"HEAD" else line.method, request.fields)
    is_navigation = kind == "navigation"
    is_page = is_navigation and line.method in _SENT_AGAIN and request.framing in NO_CONTENT
    asked_at = request.started

    def changed(set_cookies: tuple[bytes, ...]) -> None:
        asked = JarRequest(line.target.path, origins.is_secure, origins.hosts, time())
        preparation.renewed(app, seat, session, set_cookies, asked, asked_at)

    return ApplicationSessionWatch(
        client,
        upstream,
        app.form_login,
        origins,
        line.target.raw.decode("ascii"),
        is_page=is_page,
        is_sent=is_navigation and line.method not in _SENT_AGAIN,
        handed=b"" if app.form_login.keep == "gateway" else _handed(session, request.cookie or b"", origins),
        changed=changed,
        over=lambda: preparation.ended(app, seat, session, asked_at),
        ended=lambda: ended(session),
    )


def _handed(session: ApplicationSession, brought: bytes, origins: ApplicationOrigins) -> bytes:
    """Returns the session's cookies that the browser has not `brought` unchanged."""
    has = {pair.strip(b" \t") for pair in brought.split(b";")}
    secure = b"; Secure" if origins.is_secure else b""
    lacking = (pair for pair in session.cookies.split(b"; ") if pair not in has)
    return b"".join(b"\r\nSet-Cookie: %b; Path=/; HttpOnly; SameSite=Lax%b" % (pair, secure) for pair in lacking)
