"""An application's cookies, sealed with their session, on any record store.

A jar (wire.cookie_jar) belongs to one session on one host. Only the session's key, and so a seat's cookie, opens the
jar (invariant 8). The jar ends with the session, even if a worker still holds it. Workers write their changes and not
the whole jar, so that two simultaneous writes lose nothing.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Entry
from gateway.ops.log import Log
from gateway.stores.records import JarKey, RecordStore
from gateway.stores.sealing import (
    NONCE_BYTES,
    SealBinding,
    StoreKeys,
    TokenBytes,
    draw_key,
    key_id_of,
    open_sealed,
    seal,
)
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import unix_now
from gateway.stores.unreadable import UnreadableRecords
from gateway.wire.cookie_jar import CookieJar, JarCookie, mark_in, tag_of

_TRIES = 20
# Looks for a change that the browser has seen and the store lacks, and seconds between two looks.
_LOOKS = 50
_LOOKS_APART = 0.02
_LOST = "the application's cookies of that session are lost"


class CookieJars:
    """The jars of all sessions. Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store cannot
    answer.

    `host`: the canonical host of the seat.
    `cookie`: the raw value of `__Host-ecluse`, as in Sessions.
    Parameters as in stores.tickets.tickets.Transactions.
    """

    def __init__(
        self,
        store: RecordStore,
        sessions: Sessions,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._keys = StoreKeys.of(keys)
        self._unreadable = UnreadableRecords(log, what_follows=_LOST)
        self._now = now
        self._token_bytes = token_bytes

    async def read(self, host: str, cookie: bytes) -> CookieJar | None:
        """The jar of the seat's session on this host, empty without a stored cookie. None if the seat is gone."""
        entry = await self._sessions.entry(host, cookie)
        if entry is None:
            return None
        sealed = await self._store.read_jar(JarKey(entry.session_id, host), self._now())
        return CookieJar() if sealed is None else self._opened(sealed, entry, host)

    async def seen(self, host: str, cookie: bytes, cookie_line: bytes) -> CookieJar:
        """The jar with the last change that this browser has seen, by the mark in its `cookie_line`. Waits up to a
        second for another worker to write that change. Empty if the seat is gone."""
        entry = await self._sessions.entry(host, cookie)
        mark = None if entry is None else mark_in(cookie_line, tag_of(entry.session_id))
        jar = await self.read(host, cookie) or CookieJar()
        for _ in range(_LOOKS):
            if mark is None or jar.has(*mark):
                break
            await asyncio.sleep(_LOOKS_APART)
            jar = await self.read(host, cookie) or CookieJar()
        return jar

    async def keep(
        self, host: str, cookie: bytes, cookies: Iterable[JarCookie], mark: tuple[str, int] | None = None
    ) -> CookieJar | None:
        """Merges `cookies` into the stored jar, also while other workers change the jar. Returns the merged jar, or
        None if the seat is gone. `mark`: by this mark the caller recognises its own change later."""
        cookies = tuple(cookies)
        for _ in range(_TRIES):
            entry = await self._sessions.entry(host, cookie)
            if entry is None:
                return None
            key = JarKey(entry.session_id, host)
            before = await self._store.read_jar(key, self._now())
            jar = CookieJar() if before is None else self._opened(before, entry, host)
            after = jar.with_cookies(cookies, self._now())
            after = after if mark is None else after.with_mark(*mark)
            if after == jar and before is not None:
                return jar
            if await self._store.replace_jar(key, before, self._sealed(after, entry, host), self._now()):
                return after
        raise GatewayError(store_codes.UNREACHABLE, f"a jar that changed {_TRIES} times while it was written")

    def _sealed(self, jar: CookieJar, entry: Entry, host: str) -> bytes:
        key_id, nonce = self._keys.current, self._token_bytes(NONCE_BYTES)
        return seal(_to_bytes(jar), key=_key(entry), key_id=key_id, nonce=nonce, binding=_binding(entry, host))

    def _opened(self, sealed: bytes, entry: Entry, host: str) -> CookieJar:
        """Opens a jar; an unreadable jar becomes an empty jar."""
        try:
            # Like a session: a record under a retired store key does not open.
            self._keys.salt(key_id_of(sealed))
            return _from_bytes(open_sealed(sealed, key=_key(entry), binding=_binding(entry, host)))
        except GatewayError as error:
            self._unreadable.tell("jar", error)
            return CookieJar()


def _key(entry: Entry) -> bytes:
    return draw_key(entry.session_key, b"cookies")


def _binding(entry: Entry, host: str) -> SealBinding:
    return SealBinding("jar", entry.session_id, host)


def _to_bytes(jar: CookieJar) -> bytes:
    rows = []
    for one in jar.cookies:
        texts = [part.decode("latin-1") for part in (one.name, one.value, one.path)]
        rows.append((*texts, one.secure, one.set_at, one.made_at, one.expires_at))
    return json.dumps({"cookies": rows, "marks": jar.marks}, separators=(",", ":")).encode("ascii")


def _from_bytes(data: bytes) -> CookieJar:
    cookies = []
    try:
        fields = json.loads(data)
        for name, value, path, secure, set_at, made_at, expires_at in fields["cookies"]:
            read = (part.encode("latin-1") for part in (name, value, path))
            cookies.append(JarCookie(next(read), next(read), next(read), secure, set_at, made_at, expires_at))
        marks = tuple((str(name), int(number)) for name, number in fields["marks"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise GatewayError(
            store_codes.UNREADABLE, f"a jar in a form of another release ({type(error).__name__})"
        ) from None
    return CookieJar(tuple(cookies), marks)
