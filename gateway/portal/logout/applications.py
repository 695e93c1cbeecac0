"""Tells applications that a session has ended: by its person, its provider, a dead refresh token, its time, or an
operator.

If a browser is present, the application is called as that browser would call; otherwise with the stored note
(stores.applications.sign_out_notes). Calls are best effort, bounded and counted: a session ends whether or not the
application answers.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import time
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from gateway.access.account import identity_at
from gateway.config.snapshot import App, Snapshot
from gateway.federation.applications import ApplicationCall, Applications, CallGivenUp
from gateway.model.codes import translation_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Revoker
from gateway.model.session import Seat, SignOutNote
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.tokens.basic import fixed_line
from gateway.translation.render import NOTHING, Injection, render_one
from gateway.wire.cookies import SESSION_COOKIE, without_cookies

# Seconds between two looks for sessions that ended by themselves, or in a worker that is gone.
LOOKS_EVERY = 5.0
# Seconds that a person waits for the application's answer.
_WAITED = 3.0
# Calls under way at once, and notes that are taken at once.
_MOST = 100
# Seconds between two writes of what a worker has seen.
_WRITES_APART = 0.1
# The most bytes of a note. Longer values are not kept.
_LONGEST_LOGIN, _LONGEST_COOKIES = 1024, 4096
_MOST_PENDING = 10_000

_Key = tuple[str, str]


@dataclass(slots=True)
class Present:
    """A sign-out from an application, with the browser's cookies.

    `injection`: None: the application's rules now refuse the person; the values kept while they were admitted count.
    `told`: done after the call.
    """

    app: App
    host: str
    injection: Injection | None
    cookies: bytes
    told: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class SignOuts:
    """Make it inside the running loop. `snapshot`: returns the live snapshot."""

    def __init__(
        self,
        *,
        notes: SignOutNotes,
        applications: Applications,
        counters: Counters,
        log: Log,
        snapshot: Callable[[], Snapshot],
    ) -> None:
        self._notes = notes
        self._applications = applications
        self._counters = counters
        self._log = log
        self._snapshot = snapshot
        self._known: WeakKeyDictionary[Seat, tuple[bytes, Identity]] = WeakKeyDictionary()
        self._pending: dict[_Key, SignOutNote] = {}
        self._present: dict[_Key, Present] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._again = False
        self._looks = asyncio.get_running_loop().create_task(self._look())

    # --- while a session lives

    def seen(self, seat: Seat, app: App, host: str, cookies: bytes) -> None:
        """Notes the application's cookies and the person's login for a later sign-out. The data plane calls this after
        a change of the person's header lines, for applications that name an address for sign-outs.

        `cookies`: the cookies that the application receives.
        """
        names = {name.encode("ascii") for name in app.logout.told_cookies} | _session_names(app)
        pairs = [pair.strip(b" \t") for pair in cookies.split(b";")]
        own = b"; ".join(pair for pair in pairs if pair.partition(b"=")[0] in names)
        identity = _identity(app, seat)
        before, of = self._known.get(seat, (None, None))
        if before == own and of is identity:
            return
        if len(own) > _LONGEST_COOKIES or len(self._pending) >= _MOST_PENDING:
            return
        self._known[seat] = own, identity
        # A cookie that stays in the gateway belongs to a single session.
        whose = (seat.session_id,) if app.edits.cookies.hidden else (seat.identity.issuer, seat.identity.subject)
        note = SignOutNote(seat.session_id, host, app.name, _login(app, identity), own, whose)
        self._pending[seat.session_id, host] = note
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._pending:
                notes, self._pending = list(self._pending.values()), {}
                with suppress(GatewayError):
                    await self._notes.keep(notes)
                # A page may send a new cookie with each request: the last cookie counts.
                await asyncio.sleep(_WRITES_APART)
        finally:
            self._writing = None

    # --- when it has ended

    def expect(self, session_id: str, present: Present) -> None:
        """Announces that a person is about to end this session, so that the application is called as the person's
        browser would call, without the note. Called before the end is in force, because from then on any worker may
        find the note. `told` follows."""
        self._present[session_id, present.host] = present

    async def told(self, session_id: str, present: Present) -> None:
        """Called once the end is in force. The person waits for their own application alone, a few seconds at most."""
        self.due()
        if self._telling is not None:
            await asyncio.wait({self._telling}, timeout=_WAITED)
        if self._present.pop((session_id, present.host), None) is not None:
            # No note was kept: the session has not yet made a request.
            injection = present.injection or NOTHING
            self._call(present.app, present.host, injection, present.cookies, present.told)
        await asyncio.wait({present.told}, timeout=_WAITED)

    def due(self) -> None:
        """Sessions have ended: the notes are looked up now, in a task of their own; the caller does not wait."""
        self._again = True
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def close(self, within: float) -> None:
        """Gives calls under way at most `within` seconds. Notes that were not taken stay for another worker."""
        self._looks.cancel()
        await asyncio.gather(self._looks, return_exceptions=True)
        # The calls come last, because a look under way begins calls.
        await _ended({task for task in (self._writing, self._telling) if task is not None}, within / 2)
        await _ended(set(self._calls), within / 2)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            self.due()

    async def _tell(self) -> None:
        try:
            while self._again:
                if len(self._calls) >= _MOST:
                    await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
                room = _MOST - len(self._calls)
                self._again = False
                notes = await self._notes.take(room)
                for note in notes:
                    self._tell_of(note)
                self._again = self._again or len(notes) == room
        except GatewayError:
            # The store has logged it, and the next look tries again.
            return
        finally:
            self._telling = None

    def _tell_of(self, note: SignOutNote) -> None:
        present = self._present.pop((note.session_id, note.host), None)
        if present is not None:
            # A cookie with a narrower path did not come to the address of our sign-out.
            cookies = _joined(present.cookies, note.cookies)
            session = _session_of(present.app, note.cookies)
            injection = _kept(present.app, note) if present.injection is None else present.injection
            self._call(present.app, present.host, injection, cookies, present.told, session)
            return
        app = self._snapshot().find_named(note.host, note.app)
        if app is None or app.logout.url is None:
            return
        if not note.login and not note.cookies:
            error = CallGivenUp(translation_codes.UNENCODABLE, "no note tells whose session it was")
            self._ended_with(app, note.host, "given_up", error)
            return
        self._call(app, note.host, _kept(app, note), note.cookies, None, _session_of(app, note.cookies))

    # --- the call

    def _call(
        self,
        app: App,
        host: str,
        injection: Injection,
        cookies: bytes,
        told: asyncio.Future[None] | None,
        session: bytes = b"",
    ) -> None:
        """`session`: the cookies of the gateway's own session at the application, which browsers do not have."""
        # As for requests: our cookies come first, and kept cookies with the name of an injected cookie are dropped.
        brought = without_cookies(cookies, app.cookie_names)
        line = b"; ".join(part for part in (injection.cookies, session, brought) if part)
        authority = app.upstream.host_header or app.origin(host).partition("://")[2]
        lines = b"\r\nHost: %b%b" % (authority.encode("ascii"), injection.headers)
        lines += b"".join(f"\r\n{name}: {value}".encode("ascii") for name, value in app.logout.headers)
        if line:
            lines += b"\r\nCookie: " + line
        call = asyncio.get_running_loop().create_task(self._called(app, host, lines, told))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _called(self, app: App, host: str, lines: bytes, told: asyncio.Future[None] | None) -> None:
        logout = app.logout
        assert logout.url is not None
        call = ApplicationCall(logout.method, logout.url, lines, urlencode(logout.form).encode("ascii"))
        result: str = "given_up"
        error: GatewayError | None = None
        try:
            # An address may have sessions of its own.
            calls = (self._applications.call(upstream, call) for upstream in app.upstream.everywhere)
            status = max(await asyncio.gather(*calls))
            result = "told" if status < 400 else "failed"
            if result == "failed":
                error = GatewayError(upstream_codes.RESPONSE, f"it answered {status}: its own session may continue")
        except CallGivenUp as given_up:
            error = given_up
        except GatewayError as failed:
            result, error = "failed", failed
        finally:
            self._ended_with(app, host, result, error)
            if told is not None and not told.done():
                told.set_result(None)

    def _ended_with(self, app: App, host: str, result: str, error: GatewayError | None) -> None:
        self._counters.add("ecluse_application_sign_outs_total", app.name, result)
        if error is not None:
            self._log.event("logout.application", app=app.name, host=host, code=error.code.id, detail=error.detail)


class TellingRevoker:
    """ports.Revoker: puts the end of sessions in force, then tells their applications in a separate task."""

    def __init__(self, revoker: Revoker, due: Callable[[], None]) -> None:
        self._revoker = revoker
        self._due = due

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        try:
            await self._revoker.revoked(session_ids)
        finally:
            if session_ids:
                self._due()


async def _ended(tasks: set[asyncio.Task[None]], within: float) -> None:
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _identity(app: App, seat: Seat) -> Identity:
    """Returns the person as the application knows them: with the login there, and the directories' attributes."""
    try:
        return identity_at(app, seat, time())
    except GatewayError:
        return seat.identity


def _login(app: App, identity: Identity) -> bytes:
    spec = app.translation.named(app.logout.login)
    try:
        value = b"" if spec is None else render_one(spec, identity)
    except GatewayError:
        return b""
    return value if len(value) <= _LONGEST_LOGIN else b""


def _joined(brought: bytes, kept: bytes) -> bytes:
    """`brought`, and of `kept` the cookies that the browser did not bring."""
    names = {pair.strip(b" \t").partition(b"=")[0] for pair in brought.split(b";")} | {SESSION_COOKIE}
    more = [pair for pair in kept.split(b"; ") if pair and pair.partition(b"=")[0] not in names]
    return b"; ".join(part for part in (brought, *more) if part)


def _session_names(app: App) -> set[bytes]:
    return set() if app.form_login is None else {name.encode("ascii") for name in app.form_login.cookies}


def _kept(app: App, note: SignOutNote) -> Injection:
    """The application's data about the person, as far as the note has them."""
    injection = app.translation.known_again(app.logout.login, note.login)
    if app.basic is None:
        return injection
    return replace(injection, headers=injection.headers + fixed_line(app.basic))


def _session_of(app: App, kept: bytes) -> bytes:
    names = _session_names(app)
    return b"; ".join(pair for pair in kept.split(b"; ") if pair.partition(b"=")[0] in names)
