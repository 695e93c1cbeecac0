"""A clock that tests move by hand, and people, transactions and records to store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gateway.model.identity import Established, Identity
from gateway.model.session import SeatLimits
from gateway.model.transaction import OidcLogin, Served, Transaction
from gateway.stores.records import (
    AddSeat,
    AddSession,
    MarkKey,
    PutTicket,
    RaiseMark,
    RecordStore,
    RevokeSession,
    SeatKey,
    SeatRecord,
    SessionRecord,
    Spend,
    Ticket,
    TicketKey,
    UseOnce,
    Write,
)
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import Transactions

NOW = 1_800_000_000
KEYS = (("k1", b"first store key, 32 bytes or more"),)
OTHER_KEYS = (("k2", b"second store key, 32 bytes or more"),)
PORTAL = "portail.localhost"
PERMIS = "permis.localhost"
PAIE = "paie.localhost"
NO_LIMITS = SeatLimits()
NOTHING: tuple[bytes, ...] = ()

JEANNE = Identity(
    provider="metropole",
    issuer="https://op.metropole.example",
    subject="subject-of-jeanne",
    attributes={"uid": ("jdupont",), "mail": ("jeanne.dupont@metropole.example",), "groups": ("ONDE", "Élus")},
    left_out=frozenset({"phone"}),
    acr="eidas2",
    amr=("pwd", "otp"),
    authenticated_at=NOW - 10,
)


@dataclass
class Clock:
    """Both clocks of a worker; `step` is somebody setting the machine's time."""

    now_s: int = NOW
    monotonic_s: float = 1000.0

    def now(self) -> int:
        return self.now_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def pass_by(self, seconds: float) -> None:
        self.now_s += int(seconds)
        self.monotonic_s += seconds

    def step(self, seconds: int) -> None:
        self.now_s += seconds


@dataclass
class Heard:
    """A log that keeps what it was told."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def event(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def access(self, line: bytes) -> None: ...

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


def browser(name: str) -> str:
    return sha256(name.encode()).hexdigest()


class Around:
    """A store as a test wants it to behave: what a subclass defines, over a real one."""

    def __init__(self, store: RecordStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass
class Worker:
    """Sessions and transactions on a store, as one worker holds them."""

    store: RecordStore | Around
    clock: Clock
    keys: tuple[tuple[str, bytes], ...] = KEYS
    cached_seats: int = 1000
    log: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        self.sessions = Sessions(
            self.store,
            self.keys,
            cached_seats=self.cached_seats,
            log=self.log,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
        )
        self.transactions = Transactions(self.store, self.keys, log=self.log, now=self.clock.now)

    async def sign_in(
        self,
        name: str = "jeanne's browser",
        *,
        host: str = PORTAL,
        identity: Identity = JEANNE,
        idle: int = 1800,
        absolute: int = 43200,
        replaces: bytes | None = None,
        limits: SeatLimits = NO_LIMITS,
        sid: str | None = "sid-of-the-provider",
        tenant: str | None = "21590350100017",
        issued_at: int | None = None,
    ) -> bytes:
        made = await self.sessions.new_session(
            host=host,
            person=Established(identity, tenant),
            browser=browser(name),
            idle=idle,
            absolute=absolute,
            id_token="id.token.jws",
            sid=sid,
            replaces=replaces,
            limits=limits,
            issued_at=issued_at,
        )
        await self.sessions.add(made)
        return made.cookie

    async def code(
        self, cookie: bytes, host: str = PORTAL, to: str = PERMIS, limits: SeatLimits = NO_LIMITS
    ) -> str | None:
        """A hand-over code for the session of this seat on `host`."""
        entry = await self.sessions.entry(host, cookie)
        if entry is None:
            return None
        code, write = self.sessions.hand_overs.made(entry, transaction(host=to), limits)
        await self.store.perform([write], self.clock.now())
        return code

    async def enter(
        self,
        cookie: bytes,
        *,
        host: str = PERMIS,
        portal: str = PORTAL,
        replaces: bytes | None = None,
        limits: SeatLimits = NO_LIMITS,
    ) -> bytes:
        """The hand-over from a portal seat to a seat on an app host."""
        code = await self.code(cookie, portal, host, limits)
        assert code is not None
        hand_over = await self.sessions.hand_overs.take(code)
        assert hand_over is not None
        seat = await self.sessions.take_seat(hand_over, replaces=replaces)
        assert seat is not None
        return seat


def transaction(*, host: str = PERMIS, target: str = "/dossiers?page=2") -> Transaction:
    return Transaction(
        app=host.partition(".")[0],
        host=host,
        scheme="https",
        return_target=target,
        binding=browser("binding"),
        round=0,
        created_at=NOW,
    )


def login(provider: str = "metropole") -> OidcLogin:
    return OidcLogin(
        provider=provider,
        nonce="nonce-of-jeanne",
        code_verifier="verifier-of-jeanne",
        redirect_uri="https://portail.localhost/_ecluse/callback/metropole",
        binding=browser("binding"),
        serves=Served("transaction-id", transaction()),
        created_at=NOW,
    )


# --- raw records, for what no sealing has to do with


async def add_session(
    store: RecordStore, session: SessionRecord, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int
) -> None:
    assert await store.perform([AddSession(session, seat, browser_indexes)], now)


async def add_seat(store: RecordStore, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int) -> bool:
    return await store.perform([AddSeat(seat, browser_indexes)], now)


async def end(store: RecordStore, session_ids: Sequence[str], now: int) -> None:
    assert await store.perform([RevokeSession(id) for id in session_ids], now)


async def put_ticket(store: RecordStore, ticket: Ticket, *, per_group: int, in_all: int) -> None:
    await store.perform([PutTicket(ticket, per_group, in_all)], NOW)


async def spend(store: RecordStore, key: TicketKey, writes: Sequence[Write], now: int) -> bool:
    return await store.perform([Spend(key), *writes], now)


async def first_use(store: RecordStore, key: bytes, expires_at: int, now: int, issued: int | None = None) -> bool:
    return await store.perform([UseOnce(key, expires_at, issued)], now)


async def raise_mark(store: RecordStore, key: bytes, number: int, expires_at: int, now: int) -> None:
    await store.perform([RaiseMark(mark_key(key), number, expires_at)], now)


def ticket_key(kind: str, lookup: bytes) -> TicketKey:
    return TicketKey("t", kind, lookup)


def mark_key(key: bytes) -> MarkKey:
    return MarkKey("t", key)


def session_record(
    id: str = "s1", *, browser_index: bytes = b"browser-1", idle: int = 1800, now: int = NOW
) -> SessionRecord:
    return SessionRecord(
        id=id,
        sealed=b"sealed " + id.encode(),
        provider="metropole",
        tenant="21590350100017",
        subject_index=b"subject-1",
        sid_index=b"sid-1",
        browser_index=browser_index,
        created_at=now,
        expires_at=now + 43200,
        idle=idle,
        ends_at=now + idle,
    )


def seat_record(
    session_id: str = "s1",
    lookup: bytes = b"l1",
    *,
    host: str = PORTAL,
    app: str = "",
    idle: int = 43200,
    now: int = NOW,
) -> SeatRecord:
    return SeatRecord(
        key=SeatKey(session_id, lookup),
        host=host,
        app=app,
        wrapped=b"wrapped " + lookup,
        created_at=now,
        expires_at=now + 43200,
        idle=idle,
        ends_at=now + idle,
    )


def ticket(number: int, *, kind: str = "transaction", group: bytes = b"network-1", life: int = 1800) -> Ticket:
    return Ticket(ticket_key(kind, b"ticket %d" % number), b"sealed %d" % number, group, NOW + life)
