"""The data plane's own answers: refusals and errors, as pages of the pages service."""

import re
from typing import Final, Literal
from urllib.parse import quote

from gateway.access.outcome import CompiledDecision, Refuse, RequireSignIn
from gateway.access.program import bearer_error
from gateway.config.snapshot import App
from gateway.identity.naming import name_of
from gateway.model.account import LINKED_ANEW
from gateway.model.codes import account_codes, api_codes, policy_codes, route_codes, session_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.levels import need_query
from gateway.model.ports import Page, Reader
from gateway.model.theme import ByLanguage, Words
from gateway.model.transaction import OTHER_ACCOUNT
from gateway.policy.levels import Ladder
from gateway.proxy.accesslog import Seen
from gateway.proxy.lane import Lane
from gateway.proxy.portal_lane import is_embedded
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.wire.cookies import language_asked
from gateway.wire.framing import ALLOWED
from gateway.wire.navigation import Kind, kind_of
from gateway.wire.target import safe_target
from gateway.wire.websocket import VERSION, WEBSOCKET

PageKind = Literal["html", "json", "frame"]

# Of a head that was not read: no more hangs on it than the words of a page.
_ACCEPT_LANGUAGE: Final = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]{0,256})", re.IGNORECASE)
_AUTHENTICATE: Final = b"WWW-Authenticate"
# Nor does more than a line of the log hang on these.
_METHOD: Final = re.compile(rb"([A-Za-z-]{1,20}) ")
_HOST: Final = re.compile(rb"\r\nhost:[ \t]*([^\r\n]{0,255})", re.IGNORECASE)
_VERSIONS: Final = ((b"Sec-WebSocket-Version", VERSION), (b"Upgrade", WEBSOCKET), (b"Connection", b"Upgrade"))
_SIGN_IN: Final = "/_ecluse/login"
_LINK_ACCOUNT: Final = "/_ecluse/account"


def refusal(services: Services, request: Request, outcome: Refuse) -> Page:
    """Counts, logs and returns the refusal of a request whose head was read."""
    if outcome.by is not None:
        return _denied(services, request, outcome, outcome.by)
    seen = Seen(request.client, request.host.name, request.line.method.decode("ascii"))
    if not outcome.retry_after:
        # proxy/rates.py logs refusals by rate: a line for each refusal would be a flood of lines.
        services.refused(outcome.code, outcome.detail, request.id, request.lane.name, seen)
    kind = "json" if outcome.bearer else _page_kind(request)
    lane, way = request.lane, ""
    if kind != "json" and isinstance(lane, Lane):
        way = _linking(request, lane.app, outcome.code)
    elif kind == "html" and outcome.code is route_codes.RESERVED and request.host.portal:
        # The portal's home page, with links to the person's applications.
        way = "/"
    page = _render(services, request, outcome.shown or outcome.code, kind, way, outcome.refusal)
    if outcome.code is wire_codes.WEBSOCKET_VERSION:
        # RFC 6455 4.4, RFC 9110 15.5.22
        page = Page(page.status, (*page.headers, *_VERSIONS), page.body)
    if outcome.retry_after:
        # RFC 6585 4
        page = Page(page.status, (*page.headers, (b"Retry-After", b"%d" % outcome.retry_after)), page.body)
    return _challenging(page, b"Bearer " + outcome.bearer) if outcome.bearer else page


def head_refusal(services: Services, error: GatewayError, head: bytes, request_id: bytes, seen: Seen) -> Page:
    """Refuses an unreadable head and closes the connection: the next request's beginning is unknown."""
    services.refused(error.code, error.detail, request_id, "", seen)
    said = _ACCEPT_LANGUAGE.search(head)
    page = services.pages.render(
        error.code,
        kind="html" if b"text/html" in head else "json",
        reader=Reader("" if said is None else said[1].decode("latin-1")),
        reference=request_id.decode("ascii"),
    )
    if error.code is wire_codes.METHOD:
        # RFC 9110 15.5.6
        page = Page(page.status, (*page.headers, (b"Allow", ALLOWED)), page.body)
    return page


def _denied(services: Services, request: Request, outcome: Refuse, by: CompiledDecision) -> Page:
    """Signed in or not, this may not be: 403, never a redirect."""
    more = {"detail": outcome.detail} if outcome.detail else {}
    rule = "" if by.decision.rule is None else f"{by.decision.rule.file}:{by.decision.rule.line}"
    services.log.event(
        "access.denied",
        app=request.lane.name,
        code=outcome.code.id,
        rule=rule,
        revision=request.lane.revision,
        request_id=request.id.decode("ascii"),
        client=request.client,
        **({"person": by.person} if by.person else {}),
        **more,
    )
    kind = _page_kind(request)
    way = "" if kind == "json" else _way_on(request, outcome.code)
    return _render(services, request, outcome.code, kind, way, outcome.refusal)


def _way_on(request: Request, code: Code) -> str:
    app = request.application.app
    if code is policy_codes.LOGIN_FORM:
        return app.home
    if request.seat is None:
        # The page is closed to everybody, now or from this network. The application's first page may be open.
        asked = request.line.target.raw.partition(b"?")[0].decode("ascii")
        return "" if asked == app.home else app.home
    # For a person with two accounts, or at a computer where someone else has signed in.
    return _linking(request, app, code) or _other_account(request, app)


def _linking(request: Request, app: App, code: Code) -> str:
    """The page where a person links their account of the application, or asks for one; empty where only an
    administrator links accounts."""
    if app.account is None:
        return ""
    if code is not account_codes.ASK and (code not in LINKED_ANEW or app.account.missing != "link"):
        return ""
    return f"{_LINK_ACCOUNT}?to={_page_asked_for(request, app)}"


def _other_account(request: Request, app: App) -> str:
    """The address that signs the person in with another account, then leads back to the page of `request`."""
    return f"{_SIGN_IN}?to={_page_asked_for(request, app)}&{OTHER_ACCOUNT}=1"


def _page_asked_for(request: Request, app: App) -> str:
    """The page for a query parameter. A form is not sent a second time."""
    asked = request.line.target.raw.decode("ascii") if request.line.method in (b"GET", b"HEAD") else app.home
    return quote(safe_target(asked, app.leniency) or app.home, safe="/")


def to_https(request: Request) -> Page | Refuse:
    """Leads to the same address by https (RFC 9110 15.4.9). A host that is not served by https is led nowhere: 421."""
    origin = request.lane.public(request.host.name)
    if not origin.startswith("https:"):
        return Refuse(route_codes.HOST_UNKNOWN, f"{request.host.name} is not served by https", close=True)
    location = origin.encode("ascii") + request.line.target.raw
    # RFC 9110 15.4.9: the method stays.
    return Page(308, ((b"Location", location), (b"Cache-Control", b"no-store")), b"")


def unauthorized(services: Services, request: Request, outcome: RequireSignIn, kind: Kind) -> Page:
    """401 with a way to sign in, for what cannot show a sign-in page."""
    login_url = _login_url(request, kind) + need_query(outcome.need)
    page = _render(services, request, outcome.reason, "frame" if kind == "frame" else "json", login_url)
    if request.line.opaque_tokens is not None:
        # RFC 6750 3: without a token, the challenge has no error.
        page = _challenging(page, b"Bearer")
    return page


def program_refusal(outcome: RequireSignIn, provider: str, ladder: Ladder) -> Refuse:
    """Answers a program without a page or a sign-in address, whatever its Accept (invariant 10). A program cannot sign
    in, so the answer names the needs of its next token (RFC 9470 3). `provider`: the provider of its token."""
    if outcome.reason is not session_codes.TOO_WEAK:
        detail = "of a provider that this application does not accept, or outside its perimeter"
        return Refuse(api_codes.TOKEN, detail, bearer=bearer_error(b"invalid_token"))
    need = outcome.need
    asked = ladder.asking(provider, need)
    wanted = [b'acr_values="%b"' % _quoted(" ".join(asked.acr_values))] if asked.acr_values else []
    wanted += [b'max_age="%d"' % asked.max_age] if asked.max_age is not None else []
    told = b", ".join((bearer_error(b"insufficient_user_authentication"), *wanted))
    detail = f"level {need.level or 'any'}, max_age {need.max_age}, amr {' '.join(need.amr) or 'any'} was needed"
    return Refuse(api_codes.TOO_WEAK, detail, bearer=told)


def _render(
    services: Services, request: Request, code: Code, kind: PageKind, login_url: str = "", refusal: Words = ""
) -> Page:
    lane = request.lane
    labels, has_others = (lane.app.labels, len(lane.app.providers) > 1) if isinstance(lane, Lane) else ({}, False)
    return services.pages.render(
        code,
        kind=kind,
        reader=_reader(request, labels),
        reference=request.id.decode("ascii"),
        login_url=login_url,
        refusal=refusal,
        has_others=has_others,
    )


def _reader(request: Request, labels: ByLanguage) -> Reader:
    seat = request.seat
    return Reader(
        language=language_asked(request.cookie or b"", request.field(b"accept-language").decode("latin-1")),
        app=labels,
        account="" if seat is None else name_of(seat.identity),
        again="address" if request.line.method in (b"GET", b"HEAD") else "form",
    )


def _challenging(page: Page, challenge: bytes) -> Page:
    """Answers with this challenge instead of the challenge for people."""
    others = (header for header in page.headers if header[0] != _AUTHENTICATE)
    return Page(page.status, (*others, (_AUTHENTICATE, challenge)), page.body)


def _quoted(text: str) -> bytes:
    """RFC 9110 5.6.4, of what a provider file can hold."""
    return text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii")


def _login_url(request: Request, kind: Kind) -> str:
    """The address for signing in. A frame leads back to its own page, at the top. A script's request is no page, so it
    leads back to the page of the script."""
    app = request.application.app
    origin = app.origin(request.host.name)
    back = request.line.target.raw.decode("ascii")
    if kind != "frame":
        referer = request.field(b"referer").decode("latin-1")
        back = referer[len(origin) :] if referer.startswith(f"{origin}/") else app.home
    return f"{origin}/_ecluse/login?to={quote(safe_target(back, app.leniency) or app.home, safe='/')}"


def _page_kind(request: Request) -> PageKind:
    """The kind of page: a frame gets its own kind if the file of the application lists the embedding host."""
    kind = kind_of(request.line.method, request.fields)
    if kind == "other":
        return "json"
    return "frame" if kind == "frame" and is_embedded(request) else "html"


def seen_in(head: bytes, peer: str) -> Seen:
    """Of the address at the other end: what a listed proxy said of the client was not read."""
    method, host = _METHOD.match(head), _HOST.search(head)
    return Seen(
        peer,
        "" if host is None else host[1].decode("latin-1"),
        "" if method is None else method[1].decode("ascii"),
    )
