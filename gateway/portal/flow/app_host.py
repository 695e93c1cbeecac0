"""On an application's host: a navigation that needs a sign-in becomes a transaction and goes to the portal; the code of
the returning hand-over becomes this host's own seat."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, quote

from gateway.config.snapshot import App
from gateway.model.codes import kept_post_codes, login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED
from gateway.model.ports import Page
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION, HandOver, Transaction
from gateway.oidc.authorization import is_hint
from gateway.portal.flow.one_person import end_others_of
from gateway.portal.flow.session_limit import require_within_limit
from gateway.portal.flow.source import openid_providers
from gateway.portal.flow.steps import BeginTransaction, NextStep
from gateway.portal.http.request import (
    CHOSEN,
    PREFIX,
    PortalRequest,
    WayBack,
    app_here,
    clear_own,
    keep_language,
    language_query,
    need_of,
    return_target,
)
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices
from gateway.stores.codec import StoredSession
from gateway.stores.sealing import session_id_of
from gateway.wire.cookies import LANGUAGE_COOKIE, clear_seat, presented_seat, set_seat

Hints = tuple[tuple[str, str], ...]

ROUNDS = 3
# Characters that a stranger's link may fill in the record of one sign-in.
MOST = 1024
_PARAMETERS = 64


class AppHost:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    # --- the way to the portal

    async def arrived(self, request: PortalRequest) -> NextStep:
        """Begins a sign-in for a navigation that the data plane did not admit, or for a frame that may get a seat.
        Raises GatewayError for a form, which cannot be kept."""
        app = app_here(request)
        need = request.need
        if request.in_iframe and request.is_in_frame():
            request.framed_at(app, request.host)
            return BeginTransaction(app, return_target(app, request.target), need, embedded=True)
        if request.method == "GET":
            return BeginTransaction(app, return_target(app, request.target), need)
        request.way_back = WayBack(app, request.host, _referring_page(request, app), need=need)
        raise GatewayError(kept_post_codes.NOT_SENT, f"{request.method} without a sufficient session")

    async def login(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/login?to=`: a person or a script asks to sign in. A person who is signed in already goes straight
        back."""
        to = request.parameter("to")
        app = app_here(request, to)
        target, need = return_target(app, to), need_of(request)
        other_account = _other_account(request)
        identity = None if other_account else await self._signed_in(request, app)
        if identity is not None and request.snapshot.ladder.meets(identity, need, self._services.now()):
            return redirect(app.origin(request.host) + target)
        request.way_back = WayBack(app, request.host, target, need=need, other_account=other_account)
        request.require_navigation()
        if (other_account or request.parameter("again")) and (binding := request.binding()):
            await self._services.transactions.clear_rounds(binding, request.host)
            await self._services.transactions.clear_clean_start(binding, request.host)
        return BeginTransaction(app, target, need, request.target.partition("?")[2], other_account)

    async def _signed_in(self, request: PortalRequest, app: App) -> Identity | None:
        cookie = presented_seat(request.cookie_line)
        seat = await self._services.sessions.load(request.host, cookie) if cookie else None
        return seat.identity if seat is not None and seat.live and app.accepts(seat.identity) else None

    async def begin(self, request: PortalRequest, begin: BeginTransaction) -> Page:
        app, host = begin.app, request.host
        request.way_back = WayBack(app, host, begin.target, True, begin.need, begin.other_account)
        await self._clear_what_was_left(request, app)
        if request.snapshot.gateway.limits.sessions_per_person is not None and not begin.embedded:
            await require_within_limit(request, self._services)
        binding = request.binding_made(self._services.token_urlsafe)
        # A stronger sign-in, or another account, is asked of the provider by which the person is signed in.
        asks_own = begin.other_account != OTHER_ORGANISATION and (begin.other_account or begin.need != NO_NEED)
        signed_in = await self._signed_in(request, app) if asks_own else None
        provider = "" if signed_in is None else signed_in.provider
        transaction = self._transaction(app, host, begin, binding, provider)
        id = await self._services.transactions.begin(transaction, request.network, ROUNDS)
        if id is None:
            raise GatewayError(login_codes.LOOP, f"{ROUNDS} sign-ins in a minute without a seat")
        self._services.report.transaction_begun(app.name)
        chosen = language_query(request) if LANGUAGE_COOKIE in request.cookie_line else ""
        return redirect(f"{request.snapshot.gateway.portal_url}{PREFIX}start?t={quote(id, safe='')}{chosen}")

    async def _clear_what_was_left(self, request: PortalRequest, app: App) -> None:
        """Clears the application's own cookies after the session ended on another host or by itself: the next person in
        the browser must not inherit them. Done once, with the seat. Not done if the application resumes its own ended
        seats (`then: resume`)."""
        cookie = presented_seat(request.cookie_line)
        if cookie is None or _resumes(app):
            return
        if not any(one.logout.cookies or one.logout.all_left for one in request.apps_here):
            return
        if await self._services.sessions.load(request.host, cookie) is None:
            request.cookies_to_set.append(clear_seat())
            self._clear_own(request)

    def _clear_own(self, request: PortalRequest) -> None:
        request.cookies_to_set += clear_own(request.apps_here, request.host, request.cookie_line, left=True)

    def _transaction(self, app: App, host: str, begin: BeginTransaction, binding: str, provider: str) -> Transaction:
        now = int(self._services.now())
        return Transaction(
            app=app.name,
            host=host,
            scheme=app.scheme,
            return_target=begin.target,
            binding=binding,
            # Of the first, unless the store says otherwise when this is put.
            round=0,
            created_at=now,
            # `then: sign_in`: an earlier end of the seat cannot be distinguished from a lost cookie, so the time of the
            # request is the limit.
            not_before=now if app.seat_then == "sign_in" else 0,
            need=begin.need,
            provider=provider,
            hints=hints_of(app, (begin.query, *(() if begin.other_account else (begin.target.partition("?")[2],))))
            + (((OTHER_ACCOUNT, begin.other_account),) if begin.other_account else ()),
            embedded=begin.embedded,
        )

    # --- the way back

    async def enter(self, request: PortalRequest) -> NextStep:
        """Answers `/_ecluse/enter?code=`. Takes the code first: a code with any fault is used up.

        The store limits its age to 30 s.
        """
        app = app_here(request, request.parameter("to"))
        if app.embedded_by and request.in_iframe and request.is_in_frame():
            request.framed_at(app, request.host)
        code = request.parameter("code")
        if not code:
            raise GatewayError(login_codes.HANDOVER_CODE_GONE, "no code")
        presented = presented_seat(request.cookie_line)
        before = None if presented is None else await self._services.sessions.stored(request.host, presented)
        taken = await self._services.sessions.hand_overs.take(code)
        if taken is None:
            return await self._seen_again(request, app)
        if CHOSEN in request.target:
            keep_language(request)
        try:
            app = self._checked(request, app, taken.value)
        except GatewayError:
            await self._services.sessions.leave_seat(taken)
            raise
        cookie = await self._services.sessions.take_seat(taken, replaces=presented)
        if cookie is None:
            raise GatewayError(login_codes.HANDOVER_CODE_GONE, "the session ended during the hand-over")
        if presented is not None:
            await self._leave_behind(request, app, presented, before, cookie)
        request.cookies_to_set.append(set_seat(cookie))
        return redirect(app.origin(taken.value.host) + taken.value.return_target)

    async def _leave_behind(
        self, request: PortalRequest, app: App, presented: bytes, before: StoredSession | None, cookie: bytes
    ) -> None:
        """Ends the browser's session of another person, or for another organisation, on every host: the portal did not
        know this browser (invariant 12). Clears that session's application cookies too, unless the seat `presented`
        ended by the application's own limit and the same session comes back.

        `before`: the session of the browser's seat on this host; None: ended.
        """
        sessions = self._services.sessions
        seat = sessions.cached(request.host, cookie) or await sessions.load(request.host, cookie)
        if seat is None:
            raise GatewayError(login_codes.HANDOVER_CODE_GONE, "the session ended during the hand-over")
        if before is not None:
            was, now = before.session, seat.identity
            if (was.identity.issuer, was.identity.subject, was.tenant) == (now.issuer, now.subject, seat.tenant):
                return
            await end_others_of(request, before.browser, now, seat.tenant, self._services)
        elif _resumes(app) and session_id_of(presented) == seat.session_id:
            return
        self._clear_own(request)

    def _checked(self, request: PortalRequest, first: App, hand_over: HandOver) -> App:
        """Returns the application of the code. `first`: the first application of this host."""
        made_for = hand_over.app
        app = first if first.name == made_for else request.snapshot.find_named(request.host, made_for)
        if hand_over.host != request.host or app is None:
            raise GatewayError(
                login_codes.HANDOVER_OTHER_HOST, f"the code was made for {hand_over.app} on {hand_over.host}"
            )
        request.way_back = WayBack(app, hand_over.host, hand_over.return_target)
        if not request.holds(hand_over.binding):
            raise GatewayError(login_codes.HANDOVER_OTHER_BROWSER, "the code was made for another browser")
        # Invariant 5: the present file of the application counts, not the file at the time of the code.
        if hand_over.provider not in app.listed:
            raise GatewayError(login_codes.UNKNOWN_PROVIDER, f"{app.name} does not list {hand_over.provider}")
        return app

    async def _seen_again(self, request: PortalRequest, app: App) -> NextStep:
        """Answers a used or late code (Back, reload, sent twice). With a live seat, leads to the application. Without a
        seat, allows one clean start, and only for a navigation: anybody can invent a code, and an image on any site
        could otherwise begin sign-ins."""
        self._services.report.refused(
            request, GatewayError(login_codes.HANDOVER_CODE_GONE, "unknown, used, or too old")
        )
        cookie = presented_seat(request.cookie_line)
        if cookie is not None and await self._services.sessions.load(request.host, cookie) is not None:
            return redirect(app.origin(request.host) + app.home)
        request.require_navigation()
        binding = request.binding_made(self._services.token_urlsafe)
        if not await self._services.transactions.start_cleanly(binding, request.host, request.network):
            request.way_back = WayBack(app, request.host, app.home, again=True)
            raise GatewayError(login_codes.LOOP, "a second hand-over in a row came too late")
        return BeginTransaction(app, app.home)


def _resumes(app: App) -> bool:
    """Whether the application continues a seat that ended by the application's own limit."""
    return app.seat_then == "resume" and app.seat_limits.shortest is not None


def _other_account(request: PortalRequest) -> str:
    """Of what a link says, no more is kept than whether a person chooses among sign-in services."""
    said = request.parameter(OTHER_ACCOUNT)
    return OTHER_ORGANISATION if said == OTHER_ORGANISATION else "1" if said else ""


def _referring_page(request: PortalRequest, app: App) -> str:
    """Returns the page of this host that held the form, if the browser names it."""
    referer = request.header(b"referer") or ""
    return return_target(app, referer.removeprefix(app.origin(request.host)))


# --- hints for a provider (`login_hint` and the like) that a link into an application carries
#
# Any site can make such a link: the gateway accepts only names that a provider of the application lists, with one short
# value each. The application receives the link unchanged.


def hints_of(app: App, queries: Sequence[str]) -> Hints:
    """`queries`: raw query strings; the first query with a name gives its value."""
    if not any(queries):
        return ()
    passed_on = [provider.request.passed_on for provider in openid_providers(app.listed.values())]
    names = frozenset[str]().union(*passed_on)
    if not names:
        return ()
    found: dict[str, str] = {}
    for query in queries:
        found = {name: value for name, value in _single(query).items() if name in names} | found
    return _within(found)


def _single(query: str) -> dict[str, str]:
    """Returns the parameters that occur once; a repeated parameter has no single meaning. Empty for an unreadable
    query."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _within(found: dict[str, str]) -> Hints:
    kept, left = [], MOST
    for name, value in sorted(found.items()):
        if is_hint(name, value) and len(value) <= left:
            kept.append((name, value))
            left -= len(value)
    return tuple(kept)
