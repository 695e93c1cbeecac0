"""What every store keeps: raw records, already sealed, found by random or keyed values. No store reads into them.

Expiry is enforced here at every read (`now`, Unix seconds, is the caller's); a record that is gone is gone whether
or not it was cleaned away. Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

# A seat that another seat of the same browser replaces ends, but not before it is this old: pages of another tab,
# signed in at the same moment, have requests under way with it.
PARALLEL_TABS = 5

# How long the end of a session stays in the revocation list. A worker that has read nothing for longer forgets
# all that it holds.
ENDED_KEPT = 3600

Index = Literal["subject", "sid", "browser"]


class Write:
    """What a service has made ready for the store, so that it can be written together with other writes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What the store knows of a session without its cookie. Times: Unix seconds."""

    id: str
    provider: str
    apps: tuple[str, ...]
    created_at: int
    expires_at: int


class SeatKey(NamedTuple):
    """`lookup`: drawn from the secret half of the seat's cookie."""

    session_id: str
    lookup: bytes


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session beside and inside its seal. Indexes are HMACs under a store key; times are Unix seconds.

    `ends_at`: the earlier of the absolute limit (`expires_at`) and the idle one, moved by touches.
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


@dataclass(frozen=True, slots=True)
class Replaces:
    """The seats on one host that a new one there puts an end to: the one presented, and those of this browser."""

    presented: SeatKey | None
    browser_indexes: tuple[bytes, ...]


class Touch(NamedTuple):
    """This seat was used `at` (Unix seconds)."""

    key: SeatKey
    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """An entry of the revocation list: a session, or only the seat with this `lookup`, ends `at` (Unix seconds)."""

    session_id: str
    lookup: bytes | None
    at: int


class Use(NamedTuple):
    """What works once, used up until `expires_at`. `issued`: by whom it is from; None: by us, in this store."""

    key: bytes
    expires_at: int
    issued: int | None = None


class Cursor(NamedTuple):
    """A place in the revocation list of one store (`epoch`: random, drawn when the store was made)."""

    epoch: str
    position: int


@dataclass(frozen=True, slots=True)
class Tail:
    """What was appended since a cursor. Not `complete`: entries may be missing, or the store is another one."""

    cursor: Cursor
    ended: tuple[Ended, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """A record that is taken once. `group`: what bounds its number per client."""

    kind: str
    lookup: bytes
    sealed: bytes
    group: bytes
    expires_at: int


@dataclass(frozen=True, slots=True)
class AddSession(Write):
    session: SessionRecord
    seat: SeatRecord
    replaces: Replaces


@dataclass(frozen=True, slots=True)
class PutTicket(Write):
    """Beyond the bounds, of the ticket's kind in its group or in all, the oldest go."""

    ticket: Ticket
    per_group: int
    in_all: int


@dataclass(frozen=True, slots=True)
class SealedNote(Write):
    """What one application is told at the end of a session (stores.sign_out_notes).

    Written in the place of those that it replaces, or not at all where the session is gone."""

    session_id: str
    host: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class RaiseMark(Write):
    """The mark of this key is at least `number` until `expires_at`; it never falls before."""

    key: bytes
    number: int
    expires_at: int


class RecordStore(Protocol):
    reachable: bool
    """Whether the last thing asked of it was answered."""

    async def open(self) -> None:
        """Makes or checks the store. Raises GatewayError: STORE_UNREADABLE if it is not ours or of a newer release."""

    async def close(self) -> None:
        """Writes what is waiting, then lets go."""

    async def write(self, writes: Sequence[Write], now: int) -> None:
        """All of these in one step, or none."""

    async def add_seat(self, seat: SeatRecord, replaces: Replaces, now: int) -> bool:
        """False, and nothing added, if the session has ended."""

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None: ...

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None: ...

    async def touch(self, touches: Sequence[Touch]) -> None:
        """Moves idle limits, of seats and their sessions, forward only."""

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        """What is inside a session's seal, if that is still `before`; False, and nothing written, if not."""

    async def find(self, index: Index, values: Sequence[bytes], now: int) -> tuple[SessionSummary, ...]:
        """The live sessions under any of these index values, oldest first."""

    async def end(self, session_ids: Sequence[str], now: int, uses: Sequence[Use] = ()) -> bool:
        """Deletes sessions with their seats and appends them to the revocation list, in one step; then durable.

        `uses`: used up in that same step. False, and nothing done, if one of them was used before, or is older than
        the store."""

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        """Without a cursor: nothing but where the list ends now, not complete."""

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        """Of sessions that have been deleted, or are beyond their absolute limit; whoever gets one has used it up."""

    async def peek_ticket(self, kind: str, lookup: bytes, now: int) -> bytes | None: ...

    async def take_ticket(self, kind: str, lookup: bytes, now: int) -> bytes | None:
        """To one caller only, across all processes; whoever gets it has used it up."""

    async def spend_ticket(self, kind: str, lookup: bytes, writes: Sequence[Write], now: int) -> bool:
        """Takes a ticket and, in the same step, writes all of these. False, and nothing written, where it is gone."""

    async def first_use(self, key: bytes, expires_at: int, now: int, issued: int | None = None) -> bool:
        """True to the first caller only, until `expires_at`; to none for what is older than the store (see `Use`)."""

    async def mark(self, key: bytes, now: int) -> int:
        """0 where there is none."""

    async def clear_mark(self, key: bytes, now: int) -> None: ...

    async def probe(self) -> None:
        """Whether it can be read, and written where the last write failed."""

    async def purge(self, now: int) -> None:
        """Frees the room of what has expired: housekeeping, on which nothing depends."""
