"""A server in front (nginx, Traefik, Caddy, Envoy) asks whether it may pass a request on.

A question is a value (known_questions.py) and these functions: who asks, about which request, and the answer. In
between, the request in question goes through the pipeline like any request, up to the application.
"""

from hmac import compare_digest
from itertools import compress
from typing import Final
from urllib.parse import quote

from gateway.access.outcome import NeedsStore, NeedsWork, Outcome, Prepared, Refuse, ToPortal
from gateway.access.permission import permission
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import front_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy.known_heads import split
from gateway.proxy.known_questions import FrontQuestion, KnownQuestion
from gateway.proxy.lane import Lane
from gateway.proxy.memo import Memo
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.proxy.tables import RequestTables
from gateway.proxy.upgrade import check_asked
from gateway.wire.framing import NO_CONTENT
from gateway.wire.fronts import FRONTS, NOT_SIGNED_IN, OAUTH2_PROXY, PATH, REFUSED, SECRET, STATUS, Front
from gateway.wire.headers import AUTHORIZATION, UPGRADE
from gateway.wire.oauth2_proxy import QUESTION, REDIRECT, SIGN_IN, TO_SIGN_IN, way_back

_BELOW: Final = PATH + b"/"
_ALLOWING: Final = range(200, 300)
_SEE_OTHER: Final = 303
_ID: Final = b"X-Request-Id"
_NOT_KEPT: Final = (b"Cache-Control", b"no-store")


# --- the question of a front ---


def is_question(request: Request, snapshot: Snapshot) -> bool:
    """Whether a request for one of our own paths is the question of a front."""
    path = request.line.target.path
    if path == QUESTION or path in SIGN_IN:
        # The gateway has these paths only for an application with oauth2-proxy as its front.
        return True
    return snapshot.gateway.forward_auth is not None and (path == PATH or path.startswith(_BELOW))


def shows_secret(request: Request, memo: Memo, snapshot: Snapshot) -> bool:
    """Whether a question comes from a listed front with its secret."""
    try:
        _check_secret(request, memo, snapshot)
    except GatewayError:
        return False
    return True


def _check_secret(request: Request, memo: Memo, snapshot: Snapshot) -> None:
    settings, shown = snapshot.gateway.forward_auth, request.came(SECRET)
    if settings is None or not memo.is_trusted(snapshot):
        raise GatewayError(front_codes.UNKNOWN, f"{memo.peer} is not in trusted_proxies")
    if shown is None or not compare_digest(shown, settings.secret):
        raise GatewayError(front_codes.UNKNOWN, "X-Ecluse-Front is not the secret of forward_auth")


def known_question(head: bytes, request: Request, memo: Memo, plane: Services) -> KnownQuestion | None:
    """The remembered question that `head` repeats with other values; `request` is then read as the request in question.
    None: the question must be read in full."""
    tables = plane.tables
    end = head.find(b"\r\n")
    text = head[:end]
    key, values = split(head[end:])
    questions = tables.asked.questions
    known = questions.get(text + key) or questions.get(key)
    settings = tables.snapshot.gateway.forward_auth
    if known is None or len(values) != len(known.goes) or settings is None or len(head) > plane.usual_head:
        return None
    if not (memo.is_trusted(tables.snapshot) and compare_digest(values[known.secret], settings.secret)):
        return None
    raw = known.own_host if known.host < 0 else values[known.host]
    host = tables.by_host.get(raw)
    if host is None or not known.holds_for(host.lane):
        return None
    there = tables.known.heads.get((host.lane.policy, known.inner))
    try:
        if known.method >= 0:
            line = b"%b %b HTTP/1.1" % (values[known.method], values[known.target])
        else:
            line = known.line_of(text)
        own = [raw, *compress(values, known.goes)]
        if there is None or not line or not request.read_as(there, host, own, line, b"", tables):
            return None
    except GatewayError:
        # The whole way finds the same error, and reports it.
        return None
    lane = request.lane
    if not isinstance(lane, Lane) or lane.app.front != known.front.name:
        return None
    for counted in known.stripped:
        counted.stripped += 1
    return known


def read_question(request: Request, memo: Memo, tables: RequestTables) -> tuple[FrontQuestion, bytes]:
    """Returns the question, and the head of the request in question.

    Raises GatewayError: front_codes.QUESTION, and front_codes.UNKNOWN for a peer that is no listed front or shows no
    secret.
    """
    front, head = _front_and_head(request, memo, tables.snapshot)
    return FrontQuestion(front, request.line.asked, request.whole, request.lane, tables.number), head


def read_original(request: Request, front: Front, head: bytes, plane: Services) -> None:
    """Reads `request` as the request in question. Keeps the connection as the question says.

    Raises GatewayError, front_codes.OTHER where the file of the application does not name this front.
    """
    keep_alive = request.keep_alive
    if not request.read_usual(head, plane.tables, plane.usual_head):
        request.read_any(head, plane.tables)
    _check_front(request, front)
    request.keep_alive, request.middle_of = keep_alive, None


def _front_and_head(request: Request, memo: Memo, snapshot: Snapshot) -> tuple[Front, bytes]:
    """Returns the front and the head of the request that the question is about."""
    target = request.line.target
    if target.path in SIGN_IN:
        return _way_to_sign_in(request, request.application.app)
    _check_secret(request, memo, snapshot)
    # Not with a query: oauth2-proxy would read further conditions there.
    asked_at = OAUTH2_PROXY if target.raw == QUESTION else target.raw.removeprefix(_BELOW).decode("ascii")
    name, slash, behind = asked_at.partition("/")
    front = FRONTS.get(name)
    if front is None:
        raise GatewayError(front_codes.QUESTION, f"no kind of front has this path: {', '.join(FRONTS)}")
    asked = front.asked(request.line.method, (slash + behind).encode("ascii"))
    if asked is None or request.framing not in NO_CONTENT:
        raise GatewayError(front_codes.QUESTION, f"not a question of {name} without a body")
    return front, front.original(request.whole, *asked)


def _way_to_sign_in(request: Request, app: App) -> tuple[Front, bytes]:
    """The browser's own question about the page to return to."""
    if request.line.method != b"GET" or request.framing not in NO_CONTENT:
        raise GatewayError(front_codes.QUESTION, "no navigation")
    said, query = request.came(REDIRECT) or b"", request.line.target.query or b""
    to = way_back(query, said, request.host.name, app.home, app.leniency)
    return TO_SIGN_IN, TO_SIGN_IN.original(request.whole, b"GET", to.encode("ascii"))


def _check_front(request: Request, front: Front) -> None:
    lane = request.lane
    if not isinstance(lane, Lane) or lane.app.front != front.name:
        name = lane.name if isinstance(lane, Lane) else "the portal"
        raise GatewayError(
            front_codes.OTHER, f"{front.name} asks about {name}, whose file does not have front: {front.name}"
        )


# --- what the front gets ---


def page_for(front: Front, outcome: Outcome) -> Page | None:
    """The answer to a front when the request is not allowed: a bare status. The front then sends the browser's request
    here, and that request gets the page, the log line and the count.

    None: the outcome is still open, or the front passes our answers on to the browser, so the question is answered like
    a request. Such a front never asks about our own paths: a question about one gets the bare status.
    """
    if isinstance(outcome, NeedsStore | NeedsWork):
        return None
    if front.passes and not (isinstance(outcome, ToPortal) and outcome.purpose == "endpoint"):
        return None
    if isinstance(outcome, Refuse):
        return Page(REFUSED, ((STATUS, b"%d" % outcome.code.status), _NOT_KEPT), b"")
    return Page(NOT_SIGNED_IN, ((STATUS, b"%d" % NOT_SIGNED_IN), _NOT_KEPT), b"")


def allowance(
    request: Request, question: FrontQuestion | KnownQuestion, prepared: Prepared, snapshot: Snapshot, behind: bytes
) -> Page:
    """The allowance, with the headers that the front writes. `behind`: bytes that came after the question.

    Raises GatewayError: front_codes.HEADER where the front would pass a line on that no application may see, and the
    codes of a refused upgrade."""
    if UPGRADE in request.rare:
        check_asked(request, snapshot, behind)
    lane = request.lane
    assert isinstance(lane, Lane)
    front, injected = question.front, lane.injected
    dropped = question.dropped if isinstance(question, KnownQuestion) else request.dropped
    kept = front.unwritten(dropped, injected) if dropped else []
    if kept and not front.removes:
        raise GatewayError(front_codes.HEADER, f"{front.name} would pass {kept[0][:64]!r} on")
    # A program's token was taken out of these lines before.
    own = b""
    if AUTHORIZATION in request.rare:
        own = next((value for name, value in request.sent() if name == b"Authorization"), b"")
    lines = permission(injected, prepared, request.cookie_rest, own)
    if front.clears:
        lines = tuple([line for line in lines if line[1]])
    if front.removes:
        # A client's lines under the front's own names, and empty lines, which the kinds of front treat differently.
        kept += filter(None, (front.method, front.target))
        kept += [name for name, value in lines if not value]
        # Envoy removes headers after it has written its own.
        written = {name.lower() for name, value in lines if value} | {_ID.lower()}
        kept = [name for name in kept if name.lower() not in written]
        lines = (*lines, (front.removes, b", ".join(dict.fromkeys(kept))))
    return Page(front.allows, (*lines, (_ID, request.id), _NOT_KEPT), b"")


def remember_question(request: Request, question: FrontQuestion, tables: RequestTables) -> None:
    """Remembers a question that led to an allowance under these tables."""
    if question.number == tables.number:
        tables.asked.keep(question, request.host, [*request.dropped], person=request.seat is not None)


def lead_on(request: Request) -> Page:
    """Leads the browser to the page in question; a person who is not signed in signs in first."""
    target = request.line.target.raw
    if request.seat is None:
        target = b"/_ecluse/login?to=" + quote(target, safe="/").encode("ascii")
    return Page(_SEE_OTHER, ((b"Location", target), _NOT_KEPT), b"")


def is_head_alone(request: Request, question: FrontQuestion | KnownQuestion | None) -> bool:
    """Whether the response to the request under way has no body (RFC 9110 9.3.2)."""
    asks_by_get = question is not None and question.front.method
    return request.line.method == b"HEAD" and not asks_by_get


def shown(question: FrontQuestion | KnownQuestion | None, page: Page) -> Page:
    """Turns a 2xx other than an allowance into a 401, because a front lets the request pass on any 2xx."""
    if question is None or question.front.leads or page.status not in _ALLOWING:
        return page
    return Page(NOT_SIGNED_IN, page.headers, page.body)
