"""What the data plane answers by itself: refusals and errors, as the pages service renders them."""

import re
from time import time
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from gateway.access.outcome import Refuse
from gateway.model.codes import (
    API_TOKEN,
    API_TOO_WEAK,
    HOST_UNKNOWN,
    SESSION_TOO_WEAK,
    WIRE_METHOD,
    Code,
)
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED, Need, need_query
from gateway.model.ports import Page
from gateway.policy.step_up import asking
from gateway.proxy.accesslog import Seen
from gateway.proxy.answer import answer, answer_unread
from gateway.proxy.reading import HEAD
from gateway.proxy.request import Request
from gateway.wire.framing import ALLOWED
from gateway.wire.navigation import Kind, kind_of
from gateway.wire.target import safe_target

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

# Of a head that was not read: no more hangs on it than the words of a page.
_ACCEPT_LANGUAGE: Final = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]{0,256})", re.IGNORECASE)
_AUTHENTICATE: Final = b"WWW-Authenticate"
# Nor does more than a line of the log hang on these.
_METHOD: Final = re.compile(rb"([A-Za-z-]{1,20}) ")
_HOST: Final = re.compile(rb"\r\nhost:[ \t]*([^\r\n]{0,255})", re.IGNORECASE)
_SIGN_OUT: Final = "/_ecluse/logout"


def refuse(client: "ClientConnection", code: Code, *, detail: str = "", close: bool = False) -> None:
    """A request whose head was read. `detail` is for the log alone."""
    request = client.request
    plane = client.plane
    plane.refused(code, detail, request.id, request.lane.name, _seen(client))
    page = plane.pages.render(
        code, kind=_html_or_json(request), language=_language(request), reference=request.id.decode("ascii")
    )
    answer(client, page, close=close)


def refuse_head(client: "ClientConnection", error: GatewayError, head: bytes) -> None:
    """A head that could not be read: nothing after it can be trusted to begin where it seems to."""
    request = client.request
    plane = client.plane
    seen = _seen_in(client, head)
    plane.refused(error.code, error.detail, request.id, "", seen)
    if plane.access_log is not None and client.state is HEAD:
        plane.access_log.unread(request.id, seen, error.code.status, time())
    said = _ACCEPT_LANGUAGE.search(head)
    page = plane.pages.render(
        error.code,
        kind="html" if b"text/html" in head else "json",
        language="" if said is None else said[1].decode("latin-1"),
        reference=request.id.decode("ascii"),
    )
    if error.code is WIRE_METHOD:
        # RFC 9110 15.5.6
        page = Page(page.status, (*page.headers, (b"Allow", ALLOWED)), page.body)
    answer_unread(client, page, head_only=head.startswith(b"HEAD "))


def deny(client: "ClientConnection", outcome: Refuse) -> None:
    """Signed in or not, this may not be: 403, never a redirect."""
    request, plane = client.request, client.plane
    by = outcome.by
    assert by is not None
    more = {"detail": outcome.detail} if outcome.detail else {}
    rule = "" if by.decision.rule is None else f"{by.decision.rule.file}:{by.decision.rule.line}"
    plane.log.event(
        "access.denied",
        app=request.lane.name,
        code=outcome.code.id,
        rule=rule,
        revision=request.lane.revision,
        request_id=request.id.decode("ascii"),
        client=client.memo.chain[0],
        **({"person": by.person} if by.person else {}),
        **more,
    )
    kind = _html_or_json(request)
    page = plane.pages.render(
        outcome.code,
        kind=kind,
        language=_language(request),
        reference=request.id.decode("ascii"),
        # Who has two accounts, or sits where somebody else has signed in.
        login_url=_SIGN_OUT if kind == "html" and request.seat is not None else "",
        refusal=outcome.refusal,
    )
    answer(client, page)


def to_https(client: "ClientConnection") -> None:
    """Leads to the same address by https (RFC 9110 15.4.9). A host that is not served by https is led nowhere: 421."""
    request, snapshot = client.request, client.plane.tables.snapshot
    app = request.lane.app
    origin = snapshot.gateway.portal_url if app is None else app.origin(request.host.name)
    if not origin.startswith("https:"):
        refuse(client, HOST_UNKNOWN, detail=f"{request.host.name} is not served by https", close=True)
        return
    location = origin.encode("ascii") + request.line.target.raw
    # RFC 9110 15.4.9: the method stays.
    answer(client, Page(308, ((b"Location", location), (b"Cache-Control", b"no-store")), b""), close=True)


def unauthorized(client: "ClientConnection", reason: Code, kind: Kind, need: Need = NO_NEED) -> None:
    """401 with a way to sign in, for what cannot show a sign-in page."""
    request = client.request
    page = client.plane.pages.render(
        reason,
        kind="frame" if kind == "frame" else "json",
        language=_language(request),
        reference=request.id.decode("ascii"),
        login_url=_login_url(request, kind) + need_query(need),
    )
    app = request.lane.app
    if app is not None and app.api is not None and app.api.paths.find(request.line.target.segments) is not None:
        # RFC 6750 3: without a token, nothing is said of what is wrong with it.
        page = _challenging(page, b"Bearer")
    answer(client, page)


def challenge_program(client: "ClientConnection", reason: Code, need: Need) -> None:
    """Invariant 10, of a program: no page and no sign-in address, whatever it says that it accepts."""
    if reason is SESSION_TOO_WEAK:
        refuse_weak_token(client, need)
    else:
        detail = "of a provider that this application does not listen to, or outside its perimeter"
        refuse_token(client, Refuse(API_TOKEN, detail, bearer=b"invalid_token"))


def refuse_token(client: "ClientConnection", outcome: Refuse) -> None:
    """RFC 6750 3.1."""
    error = GatewayError(outcome.code, outcome.detail)
    _refuse_program(client, error, outcome.shown or outcome.code, b'Bearer error="%b"' % outcome.bearer)


def refuse_weak_token(client: "ClientConnection", need: Need) -> None:
    """RFC 9470 3: a program has nobody to sign in here; it is told what its next token has to be of."""
    request = client.request
    assert request.seat is not None
    asked = asking(client.plane.tables.snapshot.ladder, request.seat.identity.provider, need)
    wanted = [b'acr_values="%b"' % _quoted(" ".join(asked.acr_values))] if asked.acr_values else []
    wanted += [b'max_age="%d"' % asked.max_age] if asked.max_age is not None else []
    told = b", ".join((b'Bearer error="insufficient_user_authentication"', *wanted))
    detail = f"level {need.level or 'any'}, max_age {need.max_age}, amr {' '.join(need.amr) or 'any'} was needed"
    _refuse_program(client, GatewayError(API_TOO_WEAK, detail), API_TOO_WEAK, told)


def _refuse_program(client: "ClientConnection", error: GatewayError, code: Code, challenge: bytes) -> None:
    request, plane = client.request, client.plane
    plane.refused(error.code, error.detail, request.id, request.lane.name, _seen(client))
    page = plane.pages.render(code, kind="json", language=_language(request), reference=request.id.decode("ascii"))
    answer(client, _challenging(page, challenge))


def _challenging(page: Page, challenge: bytes) -> Page:
    """With this challenge in the place of that for people."""
    others = (header for header in page.headers if header[0] != _AUTHENTICATE)
    return Page(page.status, (*others, (_AUTHENTICATE, challenge)), page.body)


def _quoted(text: str) -> bytes:
    """RFC 9110 5.6.4, of what a provider file can hold."""
    return text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii")


def _login_url(request: Request, kind: Kind) -> str:
    """A frame's own page opens at the top; a script's request is no page: back to the one that made it."""
    app = request.lane.app
    if app is None:
        return ""
    origin = f"{app.scheme}://{request.host.name}" + ("" if app.port is None else f":{app.port}")
    back = request.line.target.raw.decode("ascii")
    if kind != "frame":
        referer = request.field(b"referer").decode("latin-1")
        back = referer[len(origin) :] if referer.startswith(f"{origin}/") else "/"
    return f"{origin}/_ecluse/login?to={quote(safe_target(back, app.leniency) or '/', safe='/')}"


def _html_or_json(request: Request) -> Literal["html", "json"]:
    return "json" if kind_of(request.line.method, request.fields) == "other" else "html"


def _language(request: Request) -> str:
    return request.field(b"accept-language").decode("latin-1")


def _seen(client: "ClientConnection") -> Seen:
    request = client.request
    return Seen(client.memo.chain[0], request.host.name, request.line.method.decode("ascii"))


def _seen_in(client: "ClientConnection", head: bytes) -> Seen:
    """Of the address at the other end: what a listed proxy said of the client was not read."""
    method, host = _METHOD.match(head), _HOST.search(head)
    return Seen(
        client.memo.peer,
        "" if host is None else host[1].decode("latin-1"),
        "" if method is None else method[1].decode("ascii"),
    )
