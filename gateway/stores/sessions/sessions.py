"""Sessions and seats on any record store: this worker's memory in front, the store behind."""

import asyncio
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from math import inf

from gateway.access.shared_work import SharedWork
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Established, Identity
from gateway.model.session import Entry, NameIdFields, Seat, SeatLimits, Session, Tokens
from gateway.ops.log import Log
from gateway.stores.codec import HAND_OVER, StoredSession
from gateway.stores.people.known_people import KnownOfPeople, NothingKnown
from gateway.stores.records import (
    AddSession,
    EndSeat,
    RecordStore,
    RevokeSession,
    SessionIndex,
    SessionRecord,
    SessionSummary,
    Write,
)
from gateway.stores.revocation.list_of_ends import Ended
from gateway.stores.revocation.trust import MemoryTrust
from gateway.stores.revocation.unwritten_ends import UnwrittenEnds
from gateway.stores.sealing import (
    KEY_BYTES,
    Envelopes,
    Opened,
    StoreKeys,
    TokenBytes,
    new_session_id,
    read_cookie,
    shard_of_browser,
)
from gateway.stores.sessions.new_session import NewSession
from gateway.stores.sessions.seats import HAND_OVER_BOUNDS, HandOvers, SeatCache, TakenHandOver
from gateway.stores.sessions.touches import Touches
from gateway.stores.stepwise import in_steps
from gateway.stores.tickets.tickets import Tickets, unix_now
from gateway.stores.unreadable import UnreadableRecords

# The use of a seat is written to the store at most this often (seconds), or ten times within the idle limit.
_TOUCH_EVERY = 60.0
_REFRESH_AGAIN = 30.0
# Seconds. Far longer than any wait for a store.
_LOADED_WITHIN = 60.0
# How often a seat is read where the store is replaced during each read.
_READS = 3
_NEVER = float("-inf")


class Sessions:
    """Sessions and seats in the store and in this worker's memory. Every coroutine raises
    GatewayError(store_codes.UNREACHABLE) when the store cannot answer, and never returns None instead.

    `host`: canonical. `cookie`: the raw value of `__Host-ecluse`.
    `keys`: the store keys of gateway.yaml.
    `now`: Unix seconds. `monotonic`: seconds.
    `unwritten`: this worker's ends that the store could not take.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        cached_seats: int = 20_000,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        monotonic: Callable[[], float] = time.monotonic,
        token_bytes: TokenBytes = os.urandom,
        unwritten: UnwrittenEnds | None = None,
    ) -> None:
        self._store = store
        self.unwritten = unwritten or UnwrittenEnds(store, log=log)
        self._keys = StoreKeys.of(keys)
        self._envelopes = Envelopes(self._keys, token_bytes)
        codes = Tickets(HAND_OVER, store, self._keys, HAND_OVER_BOUNDS, log=log, now=now, token_bytes=token_bytes)
        self.hand_overs = HandOvers(codes, self._envelopes, self._keys, now, token_bytes)
        self._unreadable = UnreadableRecords(log, monotonic)
        self._now = now
        self._monotonic = monotonic
        self._token_bytes = token_bytes
        self._cache = SeatCache(cached_seats)
        self._seats = self._cache.seats
        self._loads: SharedWork[Seat | None] = SharedWork(_LOADED_WITHIN, store_codes.UNREACHABLE)
        self.trust = MemoryTrust(log, monotonic)
        self._touches = Touches(store)
        self.when_due(lambda _: None, lambda one: inf if one.tokens is None else one.tokens.refresh_at)
        self._known_of_people: KnownOfPeople = NothingKnown()

    # --- from this worker's memory

    def cached(self, host: str, cookie: bytes) -> Seat | None:
        """The live seat from this worker's memory. None: no trusted seat in memory, but perhaps in the store."""
        seat = self._seats.get(cookie)
        if seat is None or seat.host != host:
            return None
        now = self._monotonic()
        return seat if now < seat.deadline and (now < self.trust.until or self.trust.goes_on(host, now)) else None

    def in_memory(self, host: str, cookie: bytes) -> Seat | None:
        """The seat to be ended, even if memory no longer admits it because the store has been away too long."""
        seat = self._seats.get(cookie)
        return seat if seat is not None and seat.live and seat.host == host else None

    def touch(self, seat: Seat, now: float) -> None:
        """Notes a use of the seat (`now`: monotonic). Moves its idle deadline; batches the write to the store."""
        if now >= seat.deadline or not seat.live:
            return
        seat.deadline = min(now + seat.idle, seat.hard_deadline, seat.counts_until)
        if now >= seat.refresh_at:
            self.ask(seat, now)
        if now - seat.touched >= _TOUCH_EVERY or now - seat.touched >= seat.idle / 10:
            seat.touched = now
            self._touches.add(seat.cookie, self._now())
            self._cache.touched(seat)

    def ask(self, seat: Seat, now: float) -> None:
        """Starts the refresh of the seat. The next request does not start a second refresh: the refresh sets the next
        time."""
        seat.refresh_at = now + _REFRESH_AGAIN
        self._when_due(seat)

    def when_due(self, tell: Callable[[Seat], None], due_at: Callable[[Session], float]) -> None:
        """Registers `tell`, called with a seat in use when its session needs a refresh, at `due_at` (Unix seconds)."""
        self._when_due, self._due_at = tell, due_at

    def use_known_of_people(self, known: KnownOfPeople) -> None:
        self._known_of_people = known

    def due_now(self, session_ids: Collection[str] | None) -> None:
        """Makes the seats of these sessions ask the store at their next use. None: all seats, spread over seconds."""
        self._cache.due(session_ids, self._monotonic())

    def revoke(self, session_ids: Iterable[str]) -> tuple[Seat, ...]:
        """Ends the seats of these sessions in this worker's memory at once. Returns the ended seats."""
        return self._cache.end_sessions(frozenset(session_ids), self._monotonic())

    def apply(self, ended: Iterable[Ended]) -> tuple[Seat, ...]:
        """Applies entries of the revocation list to this worker's memory. Returns the seats that died."""
        ended = tuple(ended)
        killed = list(self.revoke(entry.session_id for entry in ended if entry.lookup is None))
        for entry in ended:
            if entry.lookup is not None:
                killed += self._cache.end_seat(entry, entry.at - self._now(), self._monotonic())
        return tuple(killed)

    def forget(self) -> tuple[Seat, ...]:
        """Ends every seat in memory, because the worker does not know which sessions have ended. A live seat is read
        from the store again."""
        return self._cache.kill_all()

    def retire(self, store_keys: Collection[str]) -> tuple[Seat, ...]:
        """Ends the seats in memory that depend on these retired store keys. Returns the ended seats."""
        return self._cache.end_of_keys(store_keys)

    def clock_stepped(self, seconds: float) -> None:
        """The wall clock was set forward by `seconds`, or back by a negative number: moves every limit in memory by the
        same."""
        self._cache.move(-seconds)

    @property
    def held(self) -> int:
        """Seats in this worker's memory."""
        return len(self._seats)

    # --- from the store

    async def load(self, host: str, cookie: bytes) -> Seat | None:
        """Reads the seat from the store and keeps it in this worker's memory. None: absent, expired, revoked, or of
        another host. If this worker forgot its seats meanwhile (`forget`), reads again, because the first answer may
        come from a store that is gone."""
        for _ in range(_READS):
            forgotten = self._cache.forgotten
            opened = await self._open(host, cookie)
            is_old = opened is not None and self._counts_until(opened.stored.session) <= self._now()
            if opened is not None and is_old:
                opened = await self._looked_up(host, cookie, opened)
            if forgotten == self._cache.forgotten:
                break
        else:
            raise GatewayError(store_codes.UNREACHABLE, "the store was replaced again while a session was read")
        known = self._seats.get(cookie)
        if known is not None and known.host != host:
            return None
        if opened is None:
            self._cache.kill(() if known is None else (known,))
            return None
        if known is not None and is_old:
            self._known_of_people.adopt(known, opened.stored.session)
        return self._remember(cookie, opened, known)

    async def load_shared(self, host: str, cookie: bytes) -> Seat | None:
        """Like `load`, with one read for all simultaneous requests of the seat, to spare a store that just came
        back."""
        seat = await self._loads.done((host, cookie), lambda: self.load(host, cookie))
        # The worker may have forgotten its seats between the end of the read and this line: the session may go on.
        return seat if seat is None or seat.live else await self.load(host, cookie)

    async def write_touches(self) -> None:
        """Writes the gathered touches. Touches that the store cannot take wait for the next call."""
        await self._touches.write()

    async def write_ends(self) -> None:
        """Writes the ends that the store could not take before."""
        await self.unwritten.write(self._now())

    async def new_session(
        self,
        *,
        host: str,
        person: Established,
        browser: str,
        idle: int,
        absolute: int,
        id_token: str | None,
        sid: str | None,
        replaces: bytes | None,
        limits: SeatLimits,
        app: str = "",
        name_id: NameIdFields | None = None,
        tokens: Tokens | None = None,
        issued_at: int | None = None,
    ) -> NewSession:
        """A new session with its first seat on `host`. The caller still has to write the session.

        `browser`: SHA-256 (hex) of the portal host's binding cookie. A logout ends every session of the browser.
        `replaces`: the presented cookie, whose seat on this host ends.
        `issued_at`: as in SessionRecord.
        """
        # Tabs that sign in at once may each get a binding of their own: the seat shows that they are in one browser.
        before = None if replaces is None else await self._open(host, replaces)
        if before is not None:
            browser = before.stored.browser
        # A seat that opened belongs to this browser, and AddSession ends the browser's seats on this host.
        ends = () if before is not None else self._ends(host, replaces)
        now, session_key, forgotten = self._now(), self._token_bytes(KEY_BYTES), self._cache.forgotten
        id = new_session_id(self._token_bytes, browser)
        session = Session(id, person.identity, person.tenant, now, now + absolute, idle, id_token, sid, name_id, tokens)
        record = self._envelopes.seal_session(StoredSession(session, browser), session_key, issued_at)
        entry = Entry(id, session_key, person.identity.provider, session.expires_at, browser)
        cookie, seat = self._envelopes.new_seat(entry, host=host, app=app, limits=limits, now=now)

        def written() -> None:
            self._forget(replaces)
            self._keep(cookie, Opened(StoredSession(session, browser), session_key, record, seat), forgotten)

        add = AddSession(record, seat, self._keys.indexes("browser", browser))
        return NewSession(session, cookie, entry, (add, *ends), written, issued_at)

    async def add(self, made: NewSession) -> None:
        """Writes a new session in a step of its own."""
        await self._store.perform(made.writes, self._now())
        made.written()

    async def entry(self, host: str, cookie: bytes) -> Entry | None:
        """The entry to the session of this seat; None if the seat is gone."""
        opened = await self._open(host, cookie)
        if opened is None:
            return None
        session = opened.stored.session
        provider, browser = session.identity.provider, opened.stored.browser
        return Entry(session.id, opened.session_key, provider, session.expires_at, browser)

    async def take_seat(self, taken: TakenHandOver, *, replaces: bytes | None) -> bytes | None:
        """The cookie of the prepared seat; None if the session has ended. `replaces`: the cookie of a seat that
        ends."""
        (hand_over, added, record), forgotten = taken, self._cache.forgotten
        stored = None if record is None else self._unsealed(record.id, record, hand_over.session_key)
        if record is None or stored is None or added is None:
            return None
        ends = self._ends(hand_over.host, replaces)
        if ends:
            await self._store.perform(ends, self._now())
        self._forget(replaces)
        cookie = hand_over.cookie.encode()
        self._keep(cookie, Opened(stored, hand_over.session_key, record, added), forgotten)
        return cookie

    async def leave_seat(self, taken: TakenHandOver) -> None:
        """Ends the seat of a hand-over that was for another browser. No browser has the seat's cookie."""
        if taken.session is not None and taken.added is not None:
            await self._store.perform([EndSeat(taken.added.key, taken.added.host)], self._now())

    # --- ends

    async def of_browser(self, host: str, cookie: bytes) -> tuple[SessionSummary, ...]:
        """The sessions of the seat's browser, with the fields that the store knows without a cookie."""
        opened = await self._open(host, cookie)
        return () if opened is None else await self._find("browser", opened.stored.browser)

    async def opened(self, host: str, cookie: bytes) -> Session | None:
        """The whole session of this seat, including the part kept for the provider alone."""
        stored = await self.stored(host, cookie)
        return None if stored is None else stored.session

    async def stored(self, host: str, cookie: bytes) -> StoredSession | None:
        """The whole session of this seat, with its browser."""
        opened = await self._open(host, cookie)
        return None if opened is None else opened.stored

    async def renew(self, host: str, cookie: bytes, before: Session, after: Session) -> bool:
        """Replaces the session of this seat by `after`. Returns False and writes nothing if the stored session is not
        `before`.

        The indexes stay as they are: person, provider, tenant.
        """
        opened = await self._open(host, cookie)
        if opened is None or opened.stored.session != before:
            return False
        stored = StoredSession(after, opened.stored.browser)
        sealed = self._envelopes.reseal_session(stored, opened.session_key, opened.record)
        return await self._store.replace_sealed(before.id, opened.record.sealed, sealed, self._now())

    async def end_browser(self, host: str, cookie: bytes) -> tuple[str, ...]:
        """Ends every session of the seat's browser, like `end`. Returns the session ids. If the store cannot list the
        sessions, ends the session of a seat in this worker's memory."""
        try:
            found = [session.id for session in await self.of_browser(host, cookie)]
        except GatewayError:
            if (seat := self.in_memory(host, cookie)) is None:
                raise
            found = [seat.session_id]
        return await self.end(found)

    async def of_others(self, browser: str, identity: Identity, tenant: str | None) -> tuple[SessionSummary, ...]:
        """The browser's sessions of a person other than `identity`, or for an organisation other than `tenant`."""
        indexes = self._keys.indexes("browser", browser)
        found = await self._store.find("browser", indexes, self._now(), shard_of_browser(browser))
        return tuple(one for one in found if not (self.is_of(one, identity) and one.tenant == tenant))

    def log_name(self, issuer: str, subject: str) -> str:
        return self._keys.log_name(issuer, subject)

    def is_of(self, summary: SessionSummary, identity: Identity) -> bool:
        """Whether the session belongs to this person, by (issuer, subject)."""
        return summary.person in self._keys.indexes("subject", identity.issuer, identity.subject)

    async def of_subject(self, issuer: str, subject: str) -> tuple[SessionSummary, ...]:
        """Every session of a person, found without a cookie."""
        return await self._find("subject", issuer, subject)

    async def ids_of_subject(self, issuer: str, subject: str) -> tuple[str, ...]:
        return tuple(session.id for session in await self.of_subject(issuer, subject))

    async def of_sid(self, issuer: str, sid: str) -> tuple[SessionSummary, ...]:
        """The sessions that the provider signed in under this session id, found without a cookie."""
        return await self._find("sid", issuer, sid)

    async def end(
        self, session_ids: Sequence[str], *, buried: bool = False, beside: Sequence[Write] = ()
    ) -> tuple[str, ...]:
        """Ends these sessions in the store. A worker's memory follows only by `revoke`. The ends are durable on return.
        An end that the store could not take waits in `unwritten`.

        `buried`: ends the sessions as if by a limit, so that their forms can still be kept (stores.posts).
        `beside`: writes with the tags of these sessions, done in the same steps.
        """
        await self._end([*(RevokeSession(id, buried) for id in session_ids), *beside])
        return tuple(session_ids)

    async def _end(self, writes: Sequence[Write]) -> None:
        """Ends the sessions of each shard separately: an unreachable shard must not keep other sessions alive."""
        now = self._now()
        await asyncio.gather(*(self.unwritten.perform(step, now) for _, step in in_steps(writes)))

    # --- steps

    async def _open(self, host: str, cookie: bytes) -> Opened | None:
        presented = read_cookie(cookie)
        found = None if presented is None else await self._store.read_seat(presented.key, self._now())
        if presented is None or found is None or found[1].host != host:
            return None
        try:
            opened = self._envelopes.open_seat(host, presented, *found)
        except GatewayError as error:
            self._unreadable.tell("session", error)
            return None
        return opened if self._is_live(opened.stored.session) else None

    async def _looked_up(self, host: str, cookie: bytes, opened: Opened) -> Opened | None:
        after = await self._known_of_people.anew(host, cookie, opened.stored.session)
        return opened._replace(stored=replace(opened.stored, session=after)) if after and self._is_live(after) else None

    def _counts_until(self, session: Session) -> float:
        return self._known_of_people.counts_until(session) if session.identity.findings else inf

    def _unsealed(self, session_id: str, record: SessionRecord, session_key: bytes) -> StoredSession | None:
        try:
            stored = self._envelopes.open_session(session_id, record, session_key)
        except GatewayError as error:
            self._unreadable.tell("session", error)
            return None
        return stored if self._is_live(stored.session) else None

    def _is_live(self, session: Session) -> bool:
        """Whether the session has not ended, by the limit inside the seal: the store could change the outer limit."""
        has_ended = session.id in self._cache.ended or session.id in self.unwritten
        return session.expires_at > self._now() and not has_ended

    def _keep(self, cookie: bytes, made: Opened, forgotten: int) -> None:
        """Keeps a new seat in memory for its first request. Does nothing if the session ended while the seat was
        written, or if this worker forgot its seats since `forgotten`."""
        if self._is_live(made.stored.session) and forgotten == self._cache.forgotten:
            self._remember(cookie, made, None)

    def _remember(self, cookie: bytes, opened: Opened, known: Seat | None) -> Seat:
        """Keeps the seat in memory. Converts the store's Unix times to the monotonic clock."""
        session, record, seat = opened.stored.session, opened.record, opened.seat
        since = self._monotonic() - self._now()
        hard = since + min(session.expires_at, record.expires_at, seat.expires_at)
        counts_until = since + self._counts_until(session)
        deadline = min(hard, since + min(record.ends_at, seat.ends_at), counts_until)
        is_asked = session.tokens is not None or session.identity.findings
        refresh_at = since + self._due_at(session) if is_asked else inf
        if known is not None:
            # Another worker's touches may have moved the deadline, or an end in the list has shortened it: the store
            # knows.
            known.deadline, known.hard_deadline, known.counts_until = deadline, hard, counts_until
            # A refresh elsewhere may have changed the person. The next refresh here finds the change, and streams are
            # judged.
            known.refresh_at = refresh_at if known.identity == session.identity else known.refresh_at
            return known
        idle = float(min(session.idle, seat.idle))
        kept = Seat(cookie, seat.host, session.id, session.identity, session.tenant, idle, deadline, hard, _NEVER)
        kept.refresh_at, kept.counts_until = refresh_at, counts_until
        kept.store_keys = opened.store_keys
        self._cache.put(kept)
        return kept

    def _forget(self, cookie: bytes | None) -> None:
        if cookie is not None:
            self._cache.drop(cookie)

    def _ends(self, host: str, cookie: bytes | None) -> tuple[Write, ...]:
        """The write that ends the seat of this cookie, written last: if the store fails earlier, the seat stays."""
        presented = None if cookie is None else read_cookie(cookie)
        return () if presented is None else (EndSeat(presented.key, host),)

    async def _find(self, index: SessionIndex, *parts: str) -> tuple[SessionSummary, ...]:
        return await self._store.find(index, self._keys.indexes(index, *parts), self._now())
