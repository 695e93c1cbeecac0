"""Applications' cookies that browsers do not get (`cookies.hidden`): taken from responses, added to requests.

A seat in this worker's memory has a jar, read once from the store. A change is in force at once in this worker. The
store gets it a moment later, with many changes in one write.

Another worker may serve the browser's next request before that write. So the response with a change sets a mark in the
browser: the worker's name, a number, and a tag of the session. The mark is not secret. A worker whose jar lacks the
marked change reads the store, and waits for the change if necessary.
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic, time
from typing import Final, final

from gateway.access.outcome import NEVER, NeedsWork, Prepared, Refuse
from gateway.access.shared_work import SharedWork
from gateway.config.snapshot import App
from gateway.model.codes import store_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.request import Request
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.wire.cookie_jar import MARK, MOST_COOKIES, CookieJar, JarCookie, JarRequest, mark_in, received, tag_of

# Seconds between two writes of what has changed, and until what only lives longer is written.
_WRITES_APART: Final = 0.1
_LONGER_LIVES_WRITTEN: Final = 30.0
# Seconds that a request waits for a change of another worker, and between two looks.
_WAITED: Final = 1.0
_LOOKS_APART: Final = 0.02
# Seconds after which a worker reads a jar again that it has changed, or of whose change it has read. A browser has a
# single mark. If two workers change a jar at once, the mark names one change, and the store has the second a moment
# later.
_SETTLED: Final = 0.5
# Seconds until a jar in use is read anew, for clients that bring no mark.
_READ_ANEW: Final = 30.0
_PATHS: Final = 32
_MOST_DIRTY: Final = 10_000


@final
class SeatJar:
    """The jar of one seat in this worker.

    `changes`: not yet in the store.
    `mark`: the number of the last change; 0: no change.
    `tag`: names the session in marks.
    `read_at`, `written_at`: monotonic seconds.
    `settled_at`: monotonic seconds, when the store is read again after a change.
    `given_up`: the last mark whose change never arrived.
    `ready`: by path, the data made of `prepared_of` and the jar, and until when (Unix seconds) it holds.
    """

    __slots__ = (
        "changes", "given_up", "jar", "mark", "prepared_of", "read_at", "ready", "settled_at", "tag", "written_at"
    )  # fmt: skip

    def __init__(self, jar: CookieJar, session_id: str, now: float) -> None:
        self.jar = jar
        self.tag = tag_of(session_id)
        self.changes: dict[tuple[bytes, bytes], JarCookie] = {}
        self.mark = 0
        self.read_at = now
        self.written_at = float("-inf")
        self.settled_at = NEVER
        self.given_up: tuple[str, int] | None = None
        self.prepared_of: Prepared | None = None
        self.ready: dict[bytes, tuple[Prepared, float]] = {}

    def use(self, jar: CookieJar) -> None:
        self.jar = jar
        self.ready.clear()


class HiddenCookies:
    """Construct it inside the running loop. `changed`: hears which hidden cookies a person's requests carry, for
    applications that are called at the end of sessions."""

    def __init__(self, jars: CookieJars, changed: Callable[[Seat, App, str, bytes], None] | None = None) -> None:
        self._jars = jars
        self._changed = changed
        self._name = secrets.token_hex(4)
        self._name_bytes = self._name.encode("ascii")
        self._numbers = itertools.count(1)
        self._shared: SharedWork[None] = SharedWork(10 * _WAITED, store_codes.UNREACHABLE)
        self._dirty: dict[Seat, SeatJar] = {}
        self._writing: asyncio.Task[None] | None = None

    # --- on the way to the application ---

    def added(self, request: Request, seat: Seat, prepared: Prepared) -> Prepared | NeedsWork:
        """Returns `prepared` with the jar's cookies for this request, or a task that has to be awaited first."""
        kept = seat.jar
        mark = self._missing(kept, request.cookie) if isinstance(kept, SeatJar) else None
        if not isinstance(kept, SeatJar) or mark is not None:
            # A cached reading may be older than what other workers have written.
            return NeedsWork(lambda: self._shared_read(seat, mark), lambda error: Refuse(error.code, error.detail))
        now, at, path = time(), monotonic(), request.line.target.path
        if at >= kept.settled_at:
            return NeedsWork(lambda: self._settle(seat, kept), lambda error: Refuse(error.code, error.detail))
        if at - kept.read_at > _READ_ANEW:
            kept.read_at = at
            self._shared.begin(seat, lambda: self._read(seat, None))
        if kept.prepared_of is not prepared:
            kept.prepared_of = prepared
            kept.ready.clear()
        found = kept.ready.get(path)
        if found is None or now >= found[1]:
            if len(kept.ready) >= _PATHS:
                kept.ready.clear()
            found = kept.ready[path] = self._with_jar(kept.jar, request, prepared, now)
        return found[0]

    def _with_jar(self, jar: CookieJar, request: Request, prepared: Prepared, now: float) -> tuple[Prepared, float]:
        lane = request.lane
        line = lane.cookies.of_jar(jar.line(request.line.target.path, secure=lane.is_secure, now=now))
        until = min((one.expires_at for one in jar.cookies if one.expires_at and one.expires_at > now), default=NEVER)
        # Ours first, as in proxy.client.
        cookies = b"; ".join(part for part in (prepared.cookies, line) if part)
        return replace(prepared, cookies=cookies), until

    def _missing(self, kept: SeatJar, brought: bytes | None) -> tuple[str, int] | None:
        """Returns the request's mark, if the worker's jar lacks its cookies."""
        mark = None if brought is None else mark_in(brought, kept.tag)
        return None if mark is None or mark == kept.given_up or kept.jar.has(*mark) else mark

    async def _settle(self, seat: Seat, kept: SeatJar) -> None:
        """Reads the store again after a change. If the store does not answer, the cookies in memory stay in use."""
        due = kept.settled_at
        with suppress(GatewayError):
            await self._shared_read(seat, None)
        if kept.settled_at == due:
            kept.settled_at = NEVER

    async def _shared_read(self, seat: Seat, mark: tuple[str, int] | None) -> None:
        """Reads the store, with one read at a time for a seat."""
        await self._shared.done(seat, lambda: self._read(seat, mark))

    async def _read(self, seat: Seat, mark: tuple[str, int] | None) -> None:
        """Raises GatewayError(store_codes.UNREACHABLE)."""
        until = monotonic() + _WAITED
        while True:
            jar = await self._jars.read(seat.host, seat.cookie)
            # If the seat has ended meanwhile, it has no cookies and admits no request.
            jar = jar or CookieJar()
            kept = self._take_over(seat, jar)
            if mark is None:
                return
            if kept.jar.has(*mark):
                kept.settled_at = monotonic() + _SETTLED
                return
            if monotonic() >= until:
                kept.given_up = mark
                return
            await asyncio.sleep(_LOOKS_APART)

    def _take_over(self, seat: Seat, jar: CookieJar) -> SeatJar:
        """Returns the store's cookies together with this worker's unwritten changes."""
        kept = seat.jar
        if not isinstance(kept, SeatJar):
            kept = seat.jar = SeatJar(jar, seat.session_id, monotonic())
            return kept
        jar = jar.with_cookies(kept.changes.values(), time())
        jar = jar.with_mark(self._name, kept.mark) if kept.mark else jar
        if jar != kept.jar:
            kept.use(jar)
        kept.read_at = monotonic()
        return kept

    # --- on the way back ---

    def taken(self, request: Request, response: ResponseHead) -> bytes:
        """Keeps the hidden cookies that a response sets. Returns the line for the mark; b"": no line.

        Raises GatewayError(upstream_codes.RESPONSE) for more cookies than a jar holds.
        """
        seat, lane = request.seat, request.application
        if seat is None or not seat.live or not isinstance(kept := seat.jar, SeatJar):
            return b""
        now = time()
        found = _set_by(response, request, now)
        jar = kept.jar.with_cookies(found, now)
        if jar is kept.jar:
            return b""
        changes = kept.changes | {(cookie.name, cookie.path): cookie for cookie in found}
        # What the jar has no room for is not written either: without a store, changes would only grow.
        room = {(cookie.name, cookie.path) for cookie in jar.cookies}
        kept.changes = {key: cookie for key, cookie in changes.items() if key in room}
        is_news = jar.sends(now) != kept.jar.sends(now)
        if is_news:
            kept.mark = next(self._numbers)
            jar = jar.with_mark(self._name, kept.mark)
            kept.settled_at = monotonic() + _SETTLED
        kept.use(jar)
        if is_news or monotonic() - kept.written_at > _LONGER_LIVES_WRITTEN:
            self._write_soon(seat, kept)
        if not is_news:
            return b""
        if self._changed is not None and lane.notes_cookies:
            self._changed(seat, lane.app, request.host.name, self.as_told(request, seat))
        return b"\r\nSet-Cookie: %b=%b.%d.%b; Path=/; Secure; HttpOnly; SameSite=Lax" % (
            (MARK, self._name_bytes, kept.mark, kept.tag)
        )

    def as_told(self, request: Request, seat: Seat) -> bytes:
        """The cookies that a call of the application's own address for sign-outs would carry."""
        lane, kept = request.application, seat.jar
        url = lane.app.logout.url
        if url is None or not isinstance(kept, SeatJar):
            return request.cookie_rest
        path = url.partition("?")[0].encode("ascii")
        line = lane.cookies.of_jar(kept.jar.line(path, secure=lane.is_secure, now=time()))
        return b"; ".join(part for part in (line, request.cookie_rest) if part)

    # --- into the store ---

    def _write_soon(self, seat: Seat, kept: SeatJar) -> None:
        if len(self._dirty) < _MOST_DIRTY:
            self._dirty[seat] = kept
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._dirty:
                dirty, self._dirty = self._dirty, {}
                # An application may set a new cookie with each response: the last cookie counts.
                await asyncio.sleep(_WRITES_APART if await self._kept(dirty) else _WAITED)
        finally:
            self._writing = None

    async def _kept(self, dirty: dict[Seat, SeatJar]) -> bool:
        """Writes the changes. Returns False if the store does not answer: unwritten changes wait for the next time."""
        for seat, kept in dirty.items():
            changes = dict(kept.changes)
            try:
                mark = (self._name, kept.mark) if kept.mark else None
                jar = await self._jars.keep(seat.host, seat.cookie, changes.values(), mark)
            except GatewayError:
                self._dirty = {**dirty, **self._dirty}
                return False
            kept.written_at = monotonic()
            for key, cookie in changes.items():
                if kept.changes.get(key) is cookie:
                    del kept.changes[key]
            if jar is not None:
                self._take_over(seat, jar)
        return True

    async def close(self, within: float) -> None:
        """Waits at most `within` seconds until the changes are written."""
        if self._writing is not None:
            _, late = await asyncio.wait({self._writing}, timeout=within)
            for task in late:
                task.cancel()


def _set_by(response: ResponseHead, request: Request, now: float) -> list[JarCookie]:
    """The hidden cookies that a response sets or deletes. Raises GatewayError(upstream_codes.RESPONSE)."""
    lane = request.application
    hidden = [line for line in response.set_cookies() if lane.cookies.hides(line)]
    if not hidden:
        return []
    if len(hidden) > MOST_COOKIES:
        raise GatewayError(upstream_codes.RESPONSE, f"{len(hidden)} hidden cookies: over {MOST_COOKIES}")
    upstream = lane.app.upstream
    names = (
        request.host.name,
        *(one.host for one in upstream.everywhere),
        (upstream.host_header or "").partition(":")[0],
    )
    hosts = tuple(name.lower().encode("ascii") for name in names if name)
    asked = JarRequest(request.line.target.path, lane.is_secure, hosts, now)
    return [cookie for cookie in (received(line, asked) for line in hidden) if cookie is not None]
