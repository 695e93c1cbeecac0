"""Prepares an application's data about a person. Tokens expire, and are made off the event loop. The session of an
application with a login form is begun when first needed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from gateway.access.account import Accounts, NoAccounts, identity_at, identity_until, is_known, look_up
from gateway.access.outcome import Prepared
from gateway.access.shared_work import SharedWork
from gateway.config.snapshot import App
from gateway.formlogin.account import login_now
from gateway.formlogin.addresses import ApplicationOrigins
from gateway.formlogin.cookies import renewed
from gateway.formlogin.spec import ApplicationSession, FormLogin
from gateway.model.codes import form_login_codes, gateway_codes, translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.tokens.basic import basic_line
from gateway.tokens.making import MadeTokens, check, make
from gateway.tokens.spec import SigningKey
from gateway.translation.render import Translation
from gateway.wire.cookie_jar import JarRequest

# Seconds between two looks for new tokens while they are made.
_LOOK_AGAIN: Final = 1.0
_MADE_WITHIN: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}
# Of a sign-in at an application's form, with the wait for another one of the same account.
SIGNED_IN_WITHIN: Final = 25.0
# Seconds, for which one that failed is not tried again for the same seat.
_FAILS_FOR: Final = 2.0

InThread = Callable[[Callable[[], MadeTokens]], Awaitable[MadeTokens]]
"""Does a piece of work where it does not hold the loop (invariant 14)."""


def translated(
    app: App, seat: Seat | None, now: float, wall: float, translation: Translation | None = None
) -> Prepared:
    """By the application's file, without tokens: the result ends only with the person's known attributes.

    `translation`: of this path, if the file has several. Raises GatewayError.
    """
    identity = None if seat is None else identity_at(app, seat, wall)
    injection = (translation or app.translation).render(identity)
    prepared = Prepared(injection.headers, injection.cookies)
    if identity is not None:
        check(app.tokens, identity)
        if app.basic is not None:
            prepared = replace(prepared, headers=prepared.headers + basic_line(app.basic, identity))
            _check_budget(app, prepared)
    return prepared


@dataclass(frozen=True, slots=True)
class _Kept:
    """The tokens of one seat. `until`: monotonic seconds, after which the tokens are not sent. `renew_at`: when new
    tokens are made.
    """

    identity: Identity
    made: MadeTokens
    renew_at: float
    until: float


class FormSignIns(Protocol):
    """Signs people in at applications that only have a login form (federation.form_logins)."""

    async def session(
        self, app: App, seat: Seat, fixed: Prepared, gone: ApplicationSession | None
    ) -> ApplicationSession:
        """The person's kept session, but not `gone`, which has ended; else a new session.

        `fixed`: the data for the application with each request. Raises GatewayError.
        """

    async def keep(self, app: App, seat: Seat, session: ApplicationSession) -> None:
        """Keeps the session for all workers. Raises GatewayError."""

    async def ended_at_once(self, app: App, session: ApplicationSession) -> None:
        """Counts the sign-in that began this session as failed. Raises GatewayError."""


@dataclass(frozen=True, slots=True)
class _AtApplication:
    """The part of a seat that belongs to the application's login form.

    `session`: None: no session, or the session has ended; then `gone` is the last session.
    `failed`: the error of the last sign-in, which is not repeated before `again_at` (monotonic seconds).
    `counting`: the count of a session that ended at once is under way; no other sign-in begins before.
    """

    identity: Identity
    session: ApplicationSession | None = None
    gone: ApplicationSession | None = None
    failed: GatewayError | None = None
    again_at: float = 0.0
    counting: "asyncio.Task[None] | None" = None


class Preparation:
    """access.application.Preparing of a worker. Its results are kept with the seat, and end with the seat.

    `keys`: the live keys; the first key of an algorithm signs.
    `wall`: Unix seconds.
    `monotonic`: the clock of Seat.hard_deadline.
    `accounts`: the links between people and logins.
    """

    def __init__(
        self,
        *,
        keys: Callable[[], Sequence[SigningKey]],
        in_thread: InThread,
        chance: Callable[[int], bytes],
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        forms: FormSignIns | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self._keys = keys
        self._in_thread = in_thread
        self._chance = chance
        self._wall = wall
        self._monotonic = monotonic
        self._forms = forms
        self._accounts = accounts or NoAccounts()
        self._shared: SharedWork[None] = SharedWork(_MADE_WITHIN, gateway_codes.FAULT)
        self._keeping: SharedWork[None] = SharedWork(_MADE_WITHIN, gateway_codes.FAULT)
        self._sign_ins: SharedWork[ApplicationSession] = SharedWork(SIGNED_IN_WITHIN, form_login_codes.UNANSWERED)

    def __call__(
        self, app: App, seat: Seat | None, now: float, wall: float, translation: Translation | None = None
    ) -> Prepared | Callable[[], Awaitable[None]]:
        settings = app.account
        if seat is not None and settings is not None and not is_known(app, seat, self._accounts.state):
            return lambda: self._shared.done(
                (seat, app.name, settings), lambda: look_up(self._accounts, app.name, settings, seat)
            )
        fixed = translated(app, seat, now, wall, translation)
        if seat is None:
            return fixed
        if app.form_login is not None:
            session = self._session(app, app.form_login, seat, wall)
            if session is None:
                # Of whatever path they asked for, the form is asked in one way.
                everywhere = fixed if translation is None else translated(app, seat, now, wall)
                return lambda: self._sign_in(app, seat, everywhere)
            fixed = replace(fixed, cookies=_joined(fixed.cookies, session.cookies), session=session)
            _check_budget(app, fixed)
        if not app.tokens:
            return fixed
        kept = seat.made.get(app.tokens)
        if not isinstance(kept, _Kept) or not self._holds(kept, identity_at(app, seat, wall), now):
            return lambda: self._shared.done((seat, app.tokens), lambda: self._make(app, seat))
        until = kept.renew_at
        if now >= kept.renew_at:
            # The tokens can still be sent: no request waits for new tokens.
            self._shared.begin((seat, app.tokens), lambda: self._make(app, seat))
            until = min(kept.until, now + _LOOK_AGAIN)
        made = kept.made
        cookies = _joined(fixed.cookies, made.cookies)
        prepared = replace(fixed, headers=fixed.headers + made.headers, cookies=cookies, valid_until=until)
        _check_budget(app, prepared)
        return prepared

    def ended(self, app: App, seat: Seat, session: ApplicationSession, asked_at: float) -> None:
        """The application declared the end of this session, in answer to a request of that time (monotonic): nothing of
        the session is sent any more.

        A session begun for this very request may never have existed: an application may refuse a password in unknown
        words, and count the refusal.
        """
        at, forms = seat.application, self._forms
        if isinstance(at, _AtApplication) and at.session is session:
            counting = None
            if forms is not None and session.begun is not None and session.begun >= asked_at:
                key = seat.session_id, app.name, session.begun
                counting = self._keeping.begin(key, lambda: forms.ended_at_once(app, session))
            seat.application = _AtApplication(at.identity, gone=session, counting=counting)
            # The outcomes were prepared with the ended session.
            seat.outcomes.clear()

    def renewed(
        self,
        app: App,
        seat: Seat,
        session: ApplicationSession,
        set_cookies: tuple[bytes, ...],
        asked: JarRequest,
        asked_at: float,
    ) -> None:
        """The application changed or deleted some of this session's cookies, in the answer to `asked` at that time
        (monotonic).
        """
        at, cookies = seat.application, renewed(session.cookies, set_cookies, asked)
        if not isinstance(at, _AtApplication) or at.session is not session or cookies == session.cookies:
            return
        if not cookies:
            self.ended(app, seat, session, asked_at)
            return
        anew, forms = replace(session, cookies=cookies), self._forms
        assert forms is not None
        seat.application = _AtApplication(at.identity, anew)
        seat.outcomes.clear()
        self._keeping.begin((seat.session_id, app.name, cookies), lambda: forms.keep(app, seat, anew))

    def _session(self, app: App, form: FormLogin, seat: Seat, wall: float) -> ApplicationSession | None:
        """Whether the session belongs to the person's present identity and login, at the address in the present
        file."""
        at = seat.application
        if not isinstance(at, _AtApplication) or at.session is None or at.identity is not identity_at(app, seat, wall):
            return None
        session = at.session
        is_theirs = session.fingerprint == form.fingerprint and session.login == login_now(form, at.identity)
        return session if is_theirs else None

    async def _sign_in(self, app: App, seat: Seat, fixed: Prepared) -> None:
        """Tabs that come meanwhile wait for the same sign-in. Raises GatewayError."""
        form = app.form_login
        assert self._forms is not None
        assert form is not None
        forms, identity, at = self._forms, identity_at(app, seat, self._wall()), seat.application
        gone = at.gone if isinstance(at, _AtApplication) else None
        known = at if isinstance(at, _AtApplication) and at.identity is identity else None
        if known is not None and known.failed is not None and self._monotonic() < known.again_at:
            raise GatewayError(known.failed.code, known.failed.detail)
        # One that is kept may be what ended for another host of the application; and one under way may be for the login
        # that this person had before.
        key = seat.session_id, app.name, form.fingerprint, login_now(form, identity), gone
        try:
            if isinstance(at, _AtApplication) and at.counting is not None:
                await asyncio.shield(at.counting)
            session = await self._sign_ins.done(key, lambda: forms.session(app, seat, fixed, gone))
        except GatewayError as error:
            # A page asks for its pictures and scripts, too.
            again_at = self._monotonic() + _FAILS_FOR
            seat.application = _AtApplication(identity, gone=gone, failed=error, again_at=again_at)
            raise
        seat.application = _AtApplication(identity, session)

    def _holds(self, kept: _Kept, identity: Identity, now: float) -> bool:
        """Made from the person's present attributes, with published keys. Both clocks bound the end: an application
        uses the wall clock, which may be changed.
        """
        if kept.identity is not identity or now >= kept.until or self._wall() >= kept.made.ends:
            return False
        return kept.made.keys <= {key.id for key in self._keys()}

    async def _make(self, app: App, seat: Seat) -> None:
        wall, monotonic = self._wall(), self._monotonic()
        identity, keys = identity_at(app, seat, wall), tuple(self._keys())
        not_after = min(wall + (seat.hard_deadline - monotonic), identity_until(app, seat))
        made = await self._in_thread(
            lambda: make(app.tokens, identity, keys, now=wall, not_after=not_after, chance=self._chance)
        )
        # From the time before, so that what took long does not end late.
        kept = _Kept(identity, made, monotonic + (made.renew_at - wall), monotonic + (made.ends - wall))
        seat.made = {app.tokens: kept}


def _joined(some: bytes, more: bytes) -> bytes:
    return b"; ".join(filter(None, (some, more)))


def _check_budget(app: App, prepared: Prepared) -> None:
    """Raises GatewayError(translation_codes.BUDGET)."""
    size = len(prepared.headers) + len(prepared.cookies)
    if size > app.translation.budget:
        detail = f"all headers, cookies and tokens together: {size} bytes, over {app.translation.budget}"
        raise GatewayError(translation_codes.BUDGET, detail)


def origins_of(app: App, host: str) -> ApplicationOrigins:
    """The origins by which an application may call itself: of `host`, and of its own address."""
    upstream = app.upstream
    bare = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    hosts = [bare if upstream.port == _PORTS[upstream.scheme] else f"{bare}:{upstream.port}"]
    if upstream.host_header is not None:
        hosts.append(upstream.host_header)
    return ApplicationOrigins(app.origin(host), tuple(f"{upstream.scheme}://{name}".lower() for name in hosts))
