"""What every store keeps: raw records, already sealed, found by random or keyed values. No store reads into them.

Whatever is done in one step touches one tag (the shard part of ids, see stores.sealing), so that a store on several
nodes can carry it: a step is done as a whole or not at all, several steps are not. Expiry is enforced here at every
read (`now`, Unix seconds, is the caller's); a record that is gone is gone whether or not it was cleaned away. Every
coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say: then some of its steps may be done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

from gateway.stores.list_of_ends import Cursor, Tail

# A seat that another of its browser replaces ends once it is this old: before, other tabs may have requests under way.
PARALLEL_TABS = 5

# How long the end of a session stays in the revocation list; who has read nothing for longer forgets all that it holds.
ENDED_KEPT = 3600

# How long a seat that has ended by one of its limits is known to have been one. Seconds.
TOMBSTONE_KEPT = 12 * 3600

# Of a page of RecordStore.list_sessions.
SESSIONS_AT_ONCE = 200

SessionIndex = Literal["subject", "sid", "browser"]


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What the store knows of a session without its cookie. Times: Unix seconds. `tenant`: its SIRET, or None.
    `browser`: the same for all sessions of one browser, in one store and under one store key.

    `ends_at`, `issued_at`: as in SessionRecord. `person`: its `subject_index`."""

    id: str
    provider: str
    apps: tuple[str, ...]
    created_at: int
    expires_at: int
    ends_at: int
    tenant: str | None
    browser: bytes
    person: bytes
    issued_at: int | None = None


class SessionPage(NamedTuple):
    """Some of all sessions, in no order that is promised. `after`: where the next page begins; empty after the last."""

    sessions: tuple[SessionSummary, ...]
    after: str


class SeatKey(NamedTuple):
    """`lookup`: drawn from the secret half of the seat's cookie."""

    session_id: str
    lookup: bytes


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session beside and inside its seal. Indexes are HMACs under a store key; times are Unix seconds.

    `ends_at`: the earlier of the absolute limit (`expires_at`) and the idle one, moved by touches. `issued_at`: when
    the provider issued the ID token or the assertion, by the provider's clock; None in older records.
    """

    id: str
    sealed: bytes
    provider: str
    tenant: str | None
    subject_index: bytes
    sid_index: bytes | None
    browser_index: bytes
    created_at: int
    expires_at: int
    idle: int
    ends_at: int
    issued_at: int | None = None


@dataclass(frozen=True, slots=True)
class SeatRecord:
    """One host's entry: the session's key, wrapped. `ends_at` as in SessionRecord, within the seat's own limits."""

    key: SeatKey
    host: str
    app: str
    wrapped: bytes
    created_at: int
    expires_at: int
    idle: int
    ends_at: int


class Tombstone(NamedTuple):
    """A seat that has ended by itself, without its secrets: nothing opens by it.

    `person`: the keyed hash of issuer and subject that its session was filed under. `tenant`: its SIRET, or None.
    `until`: when this is forgotten, Unix seconds."""

    host: str
    person: bytes
    tenant: str | None
    until: int


class Touch(NamedTuple):
    """This seat was used `at` (Unix seconds)."""

    key: SeatKey
    at: int


class TicketKey(NamedTuple):
    """`lookup`: drawn from the ticket's id."""

    shard: str
    kind: str
    lookup: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """A record that is taken once. `group`: what bounds its number per client."""

    key: TicketKey
    sealed: bytes
    group: bytes
    expires_at: int


class TakenTicket(NamedTuple):
    """`added`: the seat that the ticket carried, as it is kept now. `session`: None where it has ended."""

    sealed: bytes
    added: SeatRecord | None
    session: SessionRecord | None


class MarkKey(NamedTuple):
    shard: str
    key: bytes


# --- what is written


class Write:
    """One change that a service has made ready, to be done together with others by RecordStore.perform.

    `durable`: it must outlive a loss of power, too. `ends`: it ends something, or belongs to an end. A step that has no
    other writes uses the room that a store keeps for ends, and is done in a store that is full."""

    __slots__ = ()
    durable: ClassVar[bool] = False
    ends: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Spend(Write):
    """Takes a ticket. Its condition: the ticket is there."""

    key: TicketKey


@dataclass(frozen=True, slots=True)
class UseOnce(Write):
    """What works once is used up until `expires_at`. Its condition: it was not, and is not older than the store.

    `issued`: when somebody else wrote it (Unix seconds); None for what is ours and was made in this store. `skew`: the
    seconds by which that clock may be ahead, which count where another store is known to have been before this one."""

    key: bytes
    expires_at: int
    issued: int | None = None
    skew: int = 0
    durable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class AddSession(Write):
    """`browser_indexes`: the live seats on this host of sessions under these end, all of them of this very shard."""

    session: SessionRecord
    seat: SeatRecord
    browser_indexes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AddSeat(Write):
    """Its condition: the session lives. `browser_indexes`: as in AddSession."""

    seat: SeatRecord
    browser_indexes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EndSeat(Write):
    """The seat that a browser presented on `host` and that another one there replaces. One of another host stays."""

    key: SeatKey
    host: str
    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RevokeSession(Write):
    """Appends it to the revocation list, then deletes it with its seats. `buried`: each of these leaves a tombstone."""

    session_id: str
    buried: bool = False
    durable: ClassVar[bool] = True
    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class PutTicket(Write):
    """Beyond the bounds, of its kind in its group or in all, the oldest go, beside the step: many nodes may be late."""

    ticket: Ticket
    per_group: int
    in_all: int


@dataclass(frozen=True, slots=True)
class PutTicketOfEnd(PutTicket):
    """Of a sign-out: what was signed in before it, or its way to the provider and back."""

    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SealedNote(Write):
    """What one application is told at the end of a session (stores.sign_out_notes).

    Written in the place of those that it replaces, or not at all where the session is gone. Those of other sessions of
    the browser on this host are replaced where `whose` is the same or empty; otherwise they can be taken from now on.
    """

    session_id: str
    host: str
    sealed: bytes
    whose: bytes = b""


@dataclass(frozen=True, slots=True)
class JarKey:
    """The cookies that one host's application has set for a session (stores.cookie_jars)."""

    session_id: str
    host: str


@dataclass(frozen=True, slots=True)
class RaiseMark(Write):
    """The mark of this key is at least `number` until `expires_at`; it never falls before."""

    key: MarkKey
    number: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RaiseLastingMark(RaiseMark):
    durable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RaiseEndMark(RaiseLastingMark):
    """Says that a person is not active any more, or why a session has ended."""

    ends: ClassVar[bool] = True


def only_ends(writes: Sequence[Write]) -> bool:
    """Whether these are done from the room that is kept for ends."""
    return all(write.ends for write in writes)


@dataclass(frozen=True, slots=True)
class RequireNoMark(Write):
    """Its condition: there is no mark of this key, or it is 0."""

    key: MarkKey


class RecordStore(Protocol):
    @property
    def reachable(self) -> bool:
        """Whether the last thing asked of it was answered."""

    async def open(self) -> None:
        """Makes or checks the store. Raises GatewayError: STORE_UNREADABLE if it is not ours or of a newer release."""

    async def close(self) -> None:
        """Writes what is waiting, then closes the store."""

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        """Does what `perform_until` does. Returns False where a condition does not hold."""

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        """Carries out these writes, all of one tag in one step (`stepwise`: nobody is given anything before what stands
        in front of it is used up); one with a condition is before those that depend on it. Returns that whose condition
        does not hold: those before it are done, it and what it guards not."""

    # --- sessions and seats

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None: ...

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None: ...

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        """Of a seat that has ended in the last TOMBSTONE_KEPT seconds, by an idle or absolute limit, as far as `purge`
        was asked to bury it, or `buried`. Any other end leaves none, nor any that was there before."""

    async def touch(self, touches: Sequence[Touch]) -> None:
        """Moves the idle limits of these seats and of their sessions, forward only. Each session is a step."""

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        """Replaces the sealed session if it is still `before`. Returns False, having written nothing, if it is not."""

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        """The sealed jar; None where none is kept, or the session is gone."""

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        """Keeps the sealed jar with the session, if it is still `before`. Returns False, having written nothing, if it
        is not, or the session is gone."""

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        """The live sessions under any of these index values, oldest first: of every shard, or at the least of `shards`,
        where the caller knows in which they are."""

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        """Those of these sessions that live."""

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        """A page of some hundred live sessions at the most; `after` is empty for the first one, else as the page before
        had it. A session that lives all the while is on one of the pages, or on several."""

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        """What the revocation list has after the cursor. Without a cursor: where the list ends now, not complete."""

    async def wait_for_ends(self) -> None:
        """Until the list may have grown, where the store tells of it by itself; for ever where it has to be asked."""

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        """Takes notes of sessions that were deleted or are beyond their absolute limit, and those that another note has
        made due, each for one caller only. Each shard is a step."""

    # --- tickets

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None: ...

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        """Takes the ticket, for one caller only across all processes. `ends`: as in Write."""

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        """As take_ticket; in the same step the seat that it carries (`sealing`) is added, if its session lives."""

    # --- single values

    async def is_used(self, use: UseOnce, now: int) -> bool:
        """Whether this was used before, or is older than the store."""

    async def mark(self, key: MarkKey, now: int) -> int:
        """The number of the mark; 0 where there is none."""

    async def clear_mark(self, key: MarkKey, now: int) -> None: ...

    async def probe(self) -> None:
        """Reads from the store, and writes to it if the last write failed; raises what all others raise."""

    async def purge(self, now: int, *, bury: bool = False) -> None:
        """Frees the room of expired records. `bury`: with a tombstone for each seat."""
