"""The records of every store: sealed, and found by random or keyed values. No store reads the sealed contents.

One step touches one tag (the shard part of ids, see stores.sealing), so that a store on several nodes can carry out the
step. A step is done as a whole or not at all; a sequence of steps may be done in part. Every read enforces expiry by
the caller's `now` (Unix seconds): an expired record is gone, even before the store deletes it. Every coroutine raises
GatewayError(store_codes.UNREACHABLE) when the store cannot answer; some steps may be done by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

from gateway.stores.revocation.list_of_ends import Cursor, Tail

# A seat that another of its browser replaces ends once it is this old: before, other tabs may have requests under way.
PARALLEL_TABS = 5

# Seconds for which the end of a session stays in the revocation list. A worker that has not read for longer forgets all
# its seats.
ENDED_KEPT = 3600

# Seconds for which the store keeps the tombstone of a seat that a limit ended.
TOMBSTONE_KEPT = 12 * 3600

# Of a page of RecordStore.list_sessions.
SESSIONS_AT_ONCE = 200

SessionIndex = Literal["subject", "sid", "browser"]


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """The fields of a session that the store knows without the session's cookie. Times: Unix seconds.

    `tenant`: the SIRET, or None.
    `browser`: equal for all sessions of one browser, in one store and under one store key.
    `ends_at`, `issued_at`: as in SessionRecord.
    `person`: the `subject_index` of the session.
    """

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
    """One page of the list of sessions, in no promised order.

    `after`: where the next page begins; empty after the last page.
    """

    sessions: tuple[SessionSummary, ...]
    after: str


class SeatKey(NamedTuple):
    """`lookup`: drawn from the secret half of the seat's cookie."""

    session_id: str
    lookup: bytes


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session: its sealed part and the fields beside the seal. Indexes are HMACs under a store key. Times: Unix
    seconds.

    `ends_at`: the earlier of the absolute limit (`expires_at`) and the idle limit, which touches move.
    `issued_at`: when the provider issued the ID token or the assertion, by the provider's clock; None in older records.
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
    """A session's seat on one host. `wrapped`: the session's key, wrapped. `ends_at`: as in SessionRecord, within the
    seat's own limits."""

    key: SeatKey
    host: str
    app: str
    wrapped: bytes
    created_at: int
    expires_at: int
    idle: int
    ends_at: int


class Tombstone(NamedTuple):
    """A seat that a limit ended, without its secrets: the record opens no session.

    `person`: the keyed hash of issuer and subject under which the session was filed.
    `tenant`: the SIRET, or None.
    `until`: when the store forgets the tombstone, Unix seconds.
    """

    host: str
    person: bytes
    tenant: str | None
    until: int


class Touch(NamedTuple):
    """The seat was used `at` (Unix seconds)."""

    key: SeatKey
    at: int


class TicketKey(NamedTuple):
    """`lookup`: drawn from the ticket's id."""

    shard: str
    kind: str
    lookup: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """A record that can be taken once.

    `group`: the client whose number of tickets is bounded.
    """

    key: TicketKey
    sealed: bytes
    group: bytes
    expires_at: int


class TakenTicket(NamedTuple):
    """A ticket that was taken together with its seat.

    `added`: the seat that the ticket carried, as the store now keeps it.
    `session`: the session of the seat; None if the session has ended.
    """

    sealed: bytes
    added: SeatRecord | None
    session: SessionRecord | None


class MarkKey(NamedTuple):
    shard: str
    key: bytes


# --- what is written


class Write:
    """One change that a service has prepared. RecordStore.perform carries out several changes together.

    `durable`: the change must survive a loss of power.
    `ends`: the change ends a session or belongs to an end. A step of only such changes uses the room that a store
    reserves for ends, and so works in a full store.
    """

    __slots__ = ()
    durable: ClassVar[bool] = False
    ends: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Spend(Write):
    """Takes a ticket. Condition: the store has the ticket."""

    key: TicketKey


@dataclass(frozen=True, slots=True)
class UseOnce(Write):
    """Marks a value that works once as used, until `expires_at`. Condition: the value is unused, and not older than the
    store.

    `issued`: when another party issued the value (Unix seconds); None for a value that we issued.
    `skew`: seconds by which the issuer's clock may be ahead. Counts only if an earlier store is known to have stood
    before this store.
    """

    key: bytes
    expires_at: int
    issued: int | None = None
    skew: int = 0
    durable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class AddSession(Write):
    """Adds a session with its first seat.

    `browser_indexes`: ends the live seats on this host whose sessions have an index of the list. Their sessions are in
    the shard of the new session.
    """

    session: SessionRecord
    seat: SeatRecord
    browser_indexes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AddSeat(Write):
    """Adds a seat to a session. Condition: the session lives.

    `browser_indexes`: as in AddSession.
    """

    seat: SeatRecord
    browser_indexes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EndSeat(Write):
    """Ends the presented seat on `host`, which a new seat replaces. Seats of other hosts stay."""

    key: SeatKey
    host: str
    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RevokeSession(Write):
    """Appends the session to the revocation list, then deletes the session and its seats.

    `buried`: each seat leaves a tombstone.
    """

    session_id: str
    buried: bool = False
    durable: ClassVar[bool] = True
    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class PutTicket(Write):
    """Stores a ticket. Beyond `per_group` or `in_all` tickets of the kind, the oldest tickets are deleted, outside the
    step: on many nodes the deletion may be late."""

    ticket: Ticket
    per_group: int
    in_all: int


@dataclass(frozen=True, slots=True)
class PutTicketOfEnd(PutTicket):
    """A ticket of a sign-out: its sessions, or its way to the provider and back."""

    ends: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SealedNote(Write):
    """The message for one application at the end of a session (stores.applications.sign_out_notes).

    Replaces the session's earlier note for the host. Not written if the session is gone. Of the browser's other
    sessions, notes for this host are replaced if their `whose` is equal or empty; `take_notes` gives out the rest from
    now on.
    """

    session_id: str
    host: str
    sealed: bytes
    whose: bytes = b""


@dataclass(frozen=True, slots=True)
class JarKey:
    """The cookies that one host's application has set for a session (stores.applications.cookie_jars)."""

    session_id: str
    host: str


@dataclass(frozen=True, slots=True)
class RaiseMark(Write):
    """Raises the mark of `key` to at least `number`. The mark does not fall before `expires_at`."""

    key: MarkKey
    number: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RaiseLastingMark(RaiseMark):
    durable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class RaiseEndMark(RaiseLastingMark):
    """Notes that a person is no longer active, or why a session has ended."""

    ends: ClassVar[bool] = True


def only_ends(writes: Sequence[Write]) -> bool:
    """Whether the writes may use the room that the store reserves for ends."""
    return all(write.ends for write in writes)


@dataclass(frozen=True, slots=True)
class RequireNoMark(Write):
    """Writes nothing. Condition: the key has no mark, or its mark is 0."""

    key: MarkKey


class RecordStore(Protocol):
    @property
    def reachable(self) -> bool:
        """Whether the store answered the last question."""

    async def open(self) -> None:
        """Makes or checks the store. Raises GatewayError(store_codes.UNREADABLE) if the store is not ours or of a newer
        release."""

    async def close(self) -> None:
        """Writes the waiting changes, then closes the store."""

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        """Does what `perform_until` does. Returns False where a condition does not hold."""

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        """Carries out the writes. The writes of one tag form one step. `stepwise` orders the steps: values are used up
        before the steps that depend on them.

        A write with a condition stands before the writes that depend on it. If a condition does not hold, returns its
        write: earlier writes are done, the write and its dependants are not. Otherwise returns None.
        """

    # --- sessions and seats

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None: ...

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None: ...

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        """The tombstone of a seat that ended in the last TOMBSTONE_KEPT seconds.

        A seat leaves a tombstone if an idle or absolute limit ended the seat and `purge` was called with `bury`, or if
        RevokeSession had `buried`. After any other end the store has no tombstone, not even an earlier one.
        """

    async def touch(self, touches: Sequence[Touch]) -> None:
        """Moves the idle limits of the seats and of their sessions, forward only. Each session is a step."""

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        """Replaces the sealed session. Returns False and writes nothing if the stored value is not `before`."""

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        """The sealed jar; None without a jar or if the session is gone."""

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        """Stores the sealed jar with the session. Returns False and writes nothing if the stored jar is not `before` or
        the session is gone."""

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        """The live sessions under the index values, oldest first.

        `shards`: where the caller knows that the sessions are; empty: every shard. A store may search more shards.
        """

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        """The summaries of the given sessions that still live."""

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        """A page of a few hundred live sessions at most. `after`: empty for the first page, else from the previous
        page. A session that lives during the whole listing is on at least one page."""

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        """The entries of the revocation list after the cursor. Without a cursor: the current end of the list, marked
        not complete."""

    async def wait_for_ends(self) -> None:
        """Waits until the revocation list may have grown, if the store announces growth. Otherwise waits for ever: the
        caller has to poll."""

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        """Takes notes of sessions that were deleted or are past their absolute limit, and notes that a later note made
        due. Only one caller gets a note. Each shard is a step."""

    # --- tickets

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None: ...

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        """Takes the ticket, for one caller only across all processes. `ends`: as in Write."""

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        """Takes the ticket like take_ticket. The same step adds the seat that the ticket carries (`sealing`), if the
        session lives."""

    # --- single values

    async def is_used(self, use: UseOnce, now: int) -> bool:
        """Whether the value was used before, or is older than the store."""

    async def mark(self, key: MarkKey, now: int) -> int:
        """The number of the mark; 0 without a mark."""

    async def clear_mark(self, key: MarkKey, now: int) -> None: ...

    async def probe(self) -> None:
        """Reads from the store, and writes to the store if the last write failed. Raises
        GatewayError(store_codes.UNREACHABLE)."""

    async def purge(self, now: int, *, bury: bool = False) -> None:
        """Frees the room of expired records. `bury`: leaves a tombstone for each expired seat."""
