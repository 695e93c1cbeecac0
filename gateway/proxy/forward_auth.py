"""A server in front asks about a request that it passes on itself: who asks, which request it is, what it is told."""

from abc import abstractmethod
from collections.abc import Sequence
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
from gateway.model.redirects import Redirects
from gateway.model.session import Seat
from gateway.proxy.known_heads import split
from gateway.proxy.known_questions import FrontQuestion, KnownQuestion
from gateway.proxy.lane import Lane
from gateway.proxy.lasting import Lasting
from gateway.proxy.memo import Memo
from gateway.proxy.request import Request
from gateway.proxy.services import Services
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


def is_question(request: Request, snapshot: Snapshot) -> bool:
    """Of a request for one of our own paths."""
    path = request.line.target.path
    if path == QUESTION or path in SIGN_IN:
        # Ours for an application that names this front, and for no other host.
        return True
    return snapshot.gateway.forward_auth is not None and (path == PATH or path.startswith(_BELOW))


def shows_secret(request: Request, memo: Memo, snapshot: Snapshot) -> bool:
    """Whether a question comes from a listed front that shows its secret."""
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


def question(request: Request, memo: Memo, snapshot: Snapshot) -> tuple[Front, bytes]:
    """The front that asks, and the head of the request that it asks about.

    Raises GatewayError(front_codes.UNKNOWN) for everybody but a listed front that shows its secret, and
    front_codes.QUESTION."""
    target = request.line.target
    if target.path in SIGN_IN:
        return _way_to_sign_in(request, request.application.app)
    _check_secret(request, memo, snapshot)
    # Not with a query: oauth2-proxy would read there who else is refused.
    asked_at = OAUTH2_PROXY if target.raw == QUESTION else target.raw.removeprefix(_BELOW).decode("ascii")
    name, slash, behind = asked_at.partition("/")
    front = FRONTS.get(name)
    if front is None:
        raise GatewayError(front_codes.QUESTION, f"no kind of front has this path: {', '.join(FRONTS)}")
    asked = front.asked(request.line.method, (slash + behind).encode("ascii"))
    if asked is None or request.framing not in NO_CONTENT:
        raise GatewayError(front_codes.QUESTION, f"no question as {name} asks it, without a body")
    return front, front.original(request.whole, *asked)


def _way_to_sign_in(request: Request, app: App) -> tuple[Front, bytes]:
    """The browser itself asks, about the page that it is to come back to."""
    if request.line.method != b"GET" or request.framing not in NO_CONTENT:
        raise GatewayError(front_codes.QUESTION, "no navigation")
    said, query = request.came(REDIRECT) or b"", request.line.target.query or b""
    to = way_back(query, said, request.host.name, app.home, app.leniency)
    return TO_SIGN_IN, TO_SIGN_IN.original(request.whole, b"GET", to.encode("ascii"))


def led_on(request: Request) -> Page:
    """To a page that the browser may see; a stranger, whom it is shown as well, signs in before."""
    target = request.line.target.raw
    if request.seat is None:
        target = b"/_ecluse/login?to=" + quote(target, safe="/").encode("ascii")
    return Page(_SEE_OTHER, ((b"Location", target), _NOT_KEPT), b"")


def check_asks(request: Request, front: Front) -> None:
    """Raises GatewayError where the application of the request that is asked about does not name this front."""
    lane = request.lane
    if not isinstance(lane, Lane) or lane.app.front != front.name:
        name = lane.name if isinstance(lane, Lane) else "the portal"
        raise GatewayError(
            front_codes.OTHER, f"{front.name} asks about {name}, whose file does not say front: {front.name}"
        )


def said_of(front: Front, outcome: Outcome) -> Page | None:
    """What a front is told when the request is not allowed: a bare status. The front then sends the browser's request
    here, and that request gets the page, the log line and the count.

    None: the outcome is still open, or this front passes our answers on to the browser, so the question is answered
    like any request. Such a front never asks about our own paths: a question about one gets the bare status."""
    if isinstance(outcome, NeedsStore | NeedsWork):
        return None
    if front.passes and not (isinstance(outcome, ToPortal) and outcome.purpose == "endpoint"):
        return None
    if isinstance(outcome, Refuse):
        return Page(REFUSED, ((STATUS, b"%d" % outcome.code.status), _NOT_KEPT), b"")
    return Page(NOT_SIGNED_IN, ((STATUS, b"%d" % NOT_SIGNED_IN), _NOT_KEPT), b"")


def permitted(request: Request, front: Front, prepared: Prepared, dropped: Sequence[bytes]) -> Page:
    """`dropped`: names of the client's lines that no application may see.

    Raises GatewayError(front_codes.HEADER) where the front would pass one of these on."""
    lane = request.lane
    assert isinstance(lane, Lane)
    injected = lane.injected
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
        # What a client says in the front's own words; and whatever the front makes of an empty line.
        kept += filter(None, (front.method, front.target))
        kept += [name for name, value in lines if not value]
        # Envoy takes off last.
        written = {name.lower() for name, value in lines if value} | {_ID.lower()}
        kept = [name for name in kept if name.lower() not in written]
        lines = (*lines, (front.removes, b", ".join(dict.fromkeys(kept))))
    return Page(front.allows, (*lines, (_ID, request.id), _NOT_KEPT), b"")


class FrontQuestions(Lasting):
    """What a client connection does with such a question. `front`: who asked about the request under way, None where
    nobody did, so that it goes on to its application. `memo`: what the connection remembers between requests. `asked`:
    the question under way, `known` the one of before that it is like."""

    __slots__ = ("asked", "front", "known", "memo")

    memo: Memo
    redirects: Redirects

    def __init__(self, plane: Services) -> None:
        super().__init__(plane)
        self.front: Front | None = None
        self.asked: FrontQuestion | None = None
        self.known: KnownQuestion | None = None

    @abstractmethod
    def refuse(self, outcome: Refuse) -> None:
        """To a request whose head was read."""

    @abstractmethod
    def respond(self, page: Page, *, close: bool = False) -> None: ...

    @abstractmethod
    def go(self, front: Front | None = None) -> None:
        """`front`: who asks about the request that is read."""

    @abstractmethod
    def admit(self) -> None:
        """What the lines bring; then the pipeline."""

    @abstractmethod
    def act(self, seat: Seat | None, outcome: Outcome) -> None: ...

    def known_question(self, head: bytes) -> bool:
        request, plane, tables = self.request, self.plane, self.plane.tables
        end = head.find(b"\r\n")
        text = head[:end]
        key, values = split(head[end:])
        questions = tables.asked.questions
        known = questions.get(text + key) or questions.get(key)
        settings = tables.snapshot.gateway.forward_auth
        if known is None or len(values) != len(known.goes) or settings is None or len(head) > plane.usual_head:
            return False
        if not (self.memo.is_trusted(tables.snapshot) and compare_digest(values[known.secret], settings.secret)):
            return False
        raw = known.own_host if known.host < 0 else values[known.host]
        host = tables.by_host.get(raw)
        if host is None or not known.holds_for(host.lane):
            return False
        there = tables.known.heads.get((host.lane.policy, known.inner))
        try:
            if known.method >= 0:
                line = b"%b %b HTTP/1.1" % (values[known.method], values[known.target])
            else:
                line = known.line_of(text)
            own = [raw, *compress(values, known.goes)]
            if there is None or not line or not request.read_as(there, host, own, line, b"", tables):
                return False
        except GatewayError:
            # Said again by whoever reads all of it.
            return False
        lane = request.lane
        if not isinstance(lane, Lane) or lane.app.front != known.front.name:
            return False
        for counted in known.stripped:
            counted.stripped += 1
        self.known = known
        self.go(known.front)
        return True

    def asked_by_front(self) -> None:
        """The request that it asks about is read as if it had come here, and goes its way up to the application."""
        request, plane = self.request, self.plane
        keep_alive = request.keep_alive
        try:
            front, head = question(request, self.memo, plane.tables.snapshot)
            self.front, self.known = front, None
            self.asked = FrontQuestion(front, request.line.asked, request.whole, request.lane, plane.tables.number)
            if not request.read_usual(head, plane.tables, plane.usual_head):
                request.read_any(head, plane.tables)
            check_asks(request, front)
        except GatewayError as error:
            refused = Refuse(error.code, error.detail, close=True)
            page = None if self.front is None else said_of(self.front, refused)
            self.refuse(refused) if page is None else self.respond(page, close=True)
            return
        request.keep_alive, request.middle_of = keep_alive, None
        request.limits = request.lane.exchange or request.application.limits_at(request.line)
        self.admit()

    def permit(self, front: Front, prepared: Prepared) -> None:
        """The front may pass the request on. It is never sent on from here."""
        request, plane = self.request, self.plane
        if front.leads:
            self.front = self.asked = None
            self.respond(led_on(request))
            return
        try:
            if UPGRADE in request.rare:
                check_asked(request, plane.tables.snapshot, self.ahead)
            known = self.known
            page = permitted(request, front, prepared, request.dropped if known is None else known.dropped)
        except GatewayError as error:
            self.act(request.seat, Refuse(error.code, error.detail))
            return
        lane = request.lane
        assert isinstance(lane, Lane)
        if lane.notes_cookies and request.seat is not None:
            plane.note_cookies(request, prepared)
        if request.unkept:
            request.remember(plane.tables)
        if known is None and self.asked is not None and self.asked.number == plane.tables.number:
            person = request.seat is not None
            plane.tables.asked.keep(self.asked, request.host, [*request.dropped], person=person)
        # Where a listener leads to https, each question is led there by its own address, not by the one asked about.
        self.asks, self.front, self.asked = self.redirects == "nothing", None, None
        self.respond(page)

    def is_head(self) -> bool:
        """Whether the answer to the request under way is a head alone (RFC 9110 9.3.2)."""
        asks_by_get = self.front is not None and self.front.method
        return self.request.line.method == b"HEAD" and not asks_by_get

    def shown(self, page: Page) -> Page:
        """To a front that asks, only an allowance looks like one: any 2xx would let the request pass."""
        if self.front is None or self.front.leads or page.status not in _ALLOWING:
            return page
        return Page(NOT_SIGNED_IN, page.headers, page.body)
