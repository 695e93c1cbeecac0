"""People are signed in at applications that have nothing but a login form: who may try, when, and what is kept of it.

Of one account at one application one sign-in is under way at a time, in all workers together, and tries are counted
where all see them: before anything of a credential is sent. However a login is written, its account is counted once.
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

# Sign-ins under way at one application, so that one that hangs holds up no other.
AT_ONCE: Final = 16
# Seconds between two looks whether another sign-in of the same account is over.
_LOOK_AGAIN: Final = 0.1

ReadInThread = Callable[[Callable[[], FormRequest | ApplicationSession]], Awaitable[FormRequest | ApplicationSession]]
"""Reads a page where it does not hold the loop (invariant 14)."""


class KeptSessions(Protocol):
    """Sessions of people at applications, sealed with their own (stores.application_sessions). Each raises
    GatewayError(store_codes.UNREACHABLE)."""

    async def read(self, seat: Seat, app: str) -> ApplicationSession | None: ...

    async def keep(self, seat: Seat, app: str, session: ApplicationSession) -> None: ...


class Tries(Protocol):
    """What is counted of an account (stores.login_tries). Each raises GatewayError(store_codes.UNREACHABLE)."""

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
            # Another one may have ended between the look and the turn.
            session = await self._kept.read(seat, app.name)
            if session is not None and session != gone and _is_of(session, form, credential):
                return session
            session = await self._signed_in(app, form, seat.host, fixed, credential)
            await self._kept.keep(seat, app.name, session)
        finally:
            await self._tries.end_turn(counted, turn)
        return session

    async def proven(self, app: App, host: str, credential: Credential) -> None:
        """Whether the application, on this host of it, signs this account in: what comes of it is kept nowhere, and it
        is told nothing else of anybody. Raises GatewayError, as `session` does."""
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
            # The place that it gave back is taken again, in the name of no login: no success of this one ends it.
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
        """One of the places for sign-ins that are under way at this application. A sign-in waits for it before
        anything is counted, and for nobody else once its form is sent. Raises
        GatewayError(form_login_codes.UNANSWERED)."""
        place = self._places.setdefault(app.name, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(WITHIN):
                await place.acquire()
        except TimeoutError:
            raise GatewayError(form_login_codes.UNANSWERED, f"others are being signed in, for {WITHIN:g} s") from None
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
                # Before the first form goes out: whatever comes of it, the application may count it.
                tried = await self._tries.begin(counted, most=form.tries, within=form.within)
                if tried is None:
                    detail = f"{form.tries} sign-ins of this account failed within {form.within} s"
                    raise GatewayError(form_login_codes.TRIES, detail)
            response = await self._exchange.send(app, host, fixed, step)
            step = await self._in_thread(lambda response=response: _next(walk, response))  # type: ignore[misc]
        return step, tried


class TrustedAccounts:
    """model.credential.CredentialSource of an application that trusts one secret for every account, or has one of each
    person from a directory."""

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
