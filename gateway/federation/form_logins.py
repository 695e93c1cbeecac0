"""Signs people in at applications that offer only a login form: decides who may try and when, and keeps the session.

All workers together run at most one sign-in of an account at an application at a time. The gateway counts a try in the
shared store before sending any credential. All spellings of a login count as the same account.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic, time
from typing import Final, Protocol

from gateway.access.account import identity_at
from gateway.access.outcome import Prepared
from gateway.access.preparation import SIGNED_IN_WITHIN, origins_of
from gateway.config.snapshot import App
from gateway.federation.form_exchange import WITHIN, FormExchange
from gateway.formlogin.account import credential_of
from gateway.formlogin.spec import ApplicationSession, FormLogin, TrustedAccount
from gateway.formlogin.walk import FormRequest, FormResponse, FormWalk, sign_in
from gateway.model.account import CountedLogin, CountedTry
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential, CredentialSource, NoCredential
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.ops.counters import Counters

# Concurrent sign-ins at one application; a hanging application delays no other.
AT_ONCE: Final = 16
# Seconds between two checks whether another sign-in of the same account has ended.
_LOOK_AGAIN: Final = 0.1

ReadInThread = Callable[[Callable[[], FormRequest | ApplicationSession]], Awaitable[FormRequest | ApplicationSession]]
"""Reads a page where it does not hold the loop (invariant 14)."""


class KeptSessions(Protocol):
    """People's sessions at applications, sealed under each person's gateway session
    (stores.applications.application_sessions).

    Raises, in every method, GatewayError(store_codes.UNREACHABLE).
    """

    async def read(self, seat: Seat, app: str) -> ApplicationSession | None: ...

    async def keep(self, seat: Seat, app: str, session: ApplicationSession) -> None: ...


class Tries(Protocol):
    """Counts the sign-ins of an account (stores.applications.login_tries). Every method raises
    GatewayError(store_codes.UNREACHABLE).
    """

    async def take_turn(self, of: CountedLogin) -> int | None: ...

    async def end_turn(self, of: CountedLogin, turn: int) -> None: ...

    async def begin(self, of: CountedLogin, *, most: int, within: int) -> CountedTry | None: ...

    async def succeeded(self, of: CountedLogin, tried: CountedTry, *, clears: bool) -> None: ...

    async def is_refused(self, of: CountedLogin, secret: str, *, most: int) -> bool: ...

    async def refused(self, of: CountedLogin, secret: str, *, within: int) -> None: ...

    async def taken(self, of: CountedLogin, secret: str) -> None: ...


class FormLogins:
    """access.preparation.FormSignIns of a worker. `wall`: Unix seconds."""

    def __init__(
        self,
        *,
        source: Callable[[App], CredentialSource],
        exchange: FormExchange,
        kept: KeptSessions,
        tries: Tries,
        in_thread: ReadInThread,
        counters: Counters,
        wall: Callable[[], float],
    ) -> None:
        self._source = source
        self._exchange = exchange
        self._kept = kept
        self._tries = tries
        self._in_thread = in_thread
        self._counters = counters
        self._wall = wall
        self._places: dict[str, asyncio.Semaphore] = {}

    async def session(
        self, app: App, seat: Seat, fixed: Prepared, gone: ApplicationSession | None
    ) -> ApplicationSession:
        """As access.preparation.FormSignIns has it."""
        form = app.form_login
        assert form is not None
        identity = seat.identity
        credential = await self._source(app).find(app.name, identity.issuer, identity.subject, seat)
        if isinstance(credential, NoCredential):
            raise GatewayError(credential.reason, credential.detail, shown=credential.shown)
        counted, turn = form.counted(credential.login), None
        while turn is None:
            session = await self._kept.read(seat, app.name)
            if session is not None and session != gone and _is_of(session, form, credential):
                return session
            turn = await self._tries.take_turn(counted)
            if turn is None:
                await asyncio.sleep(_LOOK_AGAIN)
        try:
            # Another sign-in may have ended between the check and the turn.
            session = await self._kept.read(seat, app.name)
            if session is not None and session != gone and _is_of(session, form, credential):
                return session
            session = await self._signed_in(app, form, seat.host, fixed, credential)
            await self._kept.keep(seat, app.name, session)
        finally:
            await self._tries.end_turn(counted, turn)
        return session

    async def proven(self, app: App, host: str, credential: Credential) -> None:
        """Checks that the application, on `host`, signs this account in. Keeps no session, and sends the
        application no identity besides the credential. Raises GatewayError, as `session` does.
        """
        form = app.form_login
        assert form is not None
        counted = form.counted(credential.login)
        turn = await self._tries.take_turn(counted)
        if turn is None:
            raise GatewayError(form_login_codes.UNANSWERED, "another sign-in of this account is under way")
        try:
            async with asyncio.timeout(SIGNED_IN_WITHIN):
                await self._signed_in(app, form, host, Prepared(b"", b""), credential)
        except TimeoutError:
            raise GatewayError(form_login_codes.UNANSWERED, f"not done within {SIGNED_IN_WITHIN:g} s") from None
        finally:
            await self._tries.end_turn(counted, turn)

    async def keep(self, app: App, seat: Seat, session: ApplicationSession) -> None:
        """As access.preparation.FormSignIns has it."""
        await self._kept.keep(seat, app.name, session)

    async def ended_at_once(self, app: App, session: ApplicationSession) -> None:
        """As access.preparation.FormSignIns has it."""
        form = app.form_login
        if form is not None:
            # Count the try again that the success took back, under an empty login: no later success of this login
            # clears the count.
            counted = form.counted(session.login)._replace(login="")
            await self._tries.begin(counted, most=form.tries, within=form.within)

    async def _signed_in(
        self, app: App, form: FormLogin, host: str, fixed: Prepared, credential: Credential
    ) -> ApplicationSession:
        counted, secret = form.counted(credential.login), credential.secret
        if await self._tries.is_refused(counted, secret, most=form.tries):
            raise GatewayError(
                form_login_codes.REFUSED, "not sent again: the application has refused this password before"
            )
        walk = sign_in(form, credential, origins_of(app, host), self._wall())
        try:
            async with self._place(app):
                session, tried = await self._walked(app, form, host, fixed, counted, walk)
        except GatewayError as error:
            self._counters.add("ecluse_form_logins_total", error.code.id)
            if error.code is form_login_codes.REFUSED:
                await self._tries.refused(counted, secret, within=form.within)
            raise
        self._counters.add("ecluse_form_logins_total", "success")
        if tried is not None:
            await self._tries.succeeded(counted, tried, clears=form.cleared_by_success)
        await self._tries.taken(counted, secret)
        return replace(session, begun=monotonic())

    @asynccontextmanager
    async def _place(self, app: App) -> AsyncIterator[None]:
        """Holds one of the application's places for concurrent sign-ins.

        A sign-in waits for a place before its try is counted; once its form is sent, a sign-in waits for no other
        sign-in.
        Raises GatewayError(form_login_codes.UNANSWERED).
        """
        place = self._places.setdefault(app.name, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(WITHIN):
                await place.acquire()
        except TimeoutError:
            raise GatewayError(
                form_login_codes.UNANSWERED, f"other people have been signing in for {WITHIN:g} s"
            ) from None
        try:
            yield
        finally:
            place.release()

    async def _walked(
        self, app: App, form: FormLogin, host: str, fixed: Prepared, counted: CountedLogin, walk: FormWalk
    ) -> tuple[ApplicationSession, CountedTry | None]:
        step, tried = await self._in_thread(lambda: _next(walk, None)), None
        while isinstance(step, FormRequest):
            if step.body is not None and tried is None:
                # Count before the first form goes out: the application may count the try, whatever the outcome.
                tried = await self._tries.begin(counted, most=form.tries, within=form.within)
                if tried is None:
                    detail = f"{form.tries} sign-ins of this account failed within {form.within} s"
                    raise GatewayError(form_login_codes.TRIES, detail)
            response = await self._exchange.send(app, host, fixed, step)
            step = await self._in_thread(lambda response=response: _next(walk, response))  # type: ignore[misc]
        return step, tried


class TrustedAccounts:
    """The model.credential.CredentialSource of an application that trusts one secret for every account, or takes
    each person's secret from a directory.
    """

    def __init__(self, app: App, trusted: TrustedAccount) -> None:
        self._app = app
        self._trusted = trusted

    async def find(self, application: str, issuer: str, subject: str, seat: Seat) -> Credential | NoCredential:
        trusted = self._trusted
        try:
            return credential_of(trusted, identity_at(self._app, seat, time()))
        except GatewayError as error:
            return NoCredential(error.code, error.detail, error.shown)


def _next(walk: FormWalk, response: FormResponse | None) -> FormRequest | ApplicationSession:
    try:
        return next(walk) if response is None else walk.send(response)
    except StopIteration as done:
        session: ApplicationSession = done.value
        return session


def _is_of(session: ApplicationSession, form: FormLogin, credential: Credential) -> bool:
    return session.fingerprint == form.fingerprint and session.login == credential.login
