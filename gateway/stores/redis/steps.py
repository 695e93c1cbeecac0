"""The operations of a step, as operands for step.lua."""

import re
from collections.abc import Sequence
from dataclasses import replace as replaced
from hashlib import sha1
from pathlib import Path

from gateway.stores.records import (
    AddSeat,
    AddSession,
    EndSeat,
    MarkKey,
    PutTicket,
    RaiseMark,
    RequireNoMark,
    RevokeSession,
    SealedNote,
    SeatKey,
    SessionIndex,
    Spend,
    TicketKey,
    Touch,
    UseOnce,
    Write,
    only_ends,
)
from gateway.stores.redis import encoding
from gateway.stores.sealing import SHARDS, seat_to_bytes, shard_of
from gateway.stores.stepwise import in_steps, tag_of

SCRIPT = Path(__file__).with_name("step.lua").read_text("utf-8")
# The server's name for the script (EVALSHA), not a protection.
SCRIPT_NAME = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

# In one server the list of ends is one; in a cluster there is one for each tag.
ENDS = "all"
# In a cluster a client's tickets are spread at random. Each tag takes up to _UNEVEN times its even share of the limit,
# and at least _A_FEW.
_UNEVEN = 4
_A_FEW = 16

Operand = str | bytes | int
Operation = tuple[str, Sequence[Operand]]

# Idempotent writes, which may be sent again if their outcome is unknown.
_REPEATABLE = (RevokeSession, RaiseMark, RequireNoMark, PutTicket, EndSeat)


def is_repeatable(writes: Sequence[Write]) -> bool:
    return all(isinstance(write, _REPEATABLE) for write in writes)


def must_last(writes: Sequence[Write]) -> bool:
    """Whether a loss of these writes would do harm: the person told of success could not repeat the work, or an ended
    person would be let in again."""
    return any(write.durable or isinstance(write, AddSession | AddSeat) for write in writes)


def flat(operations: Sequence[Operation]) -> list[Operand]:
    operands: list[Operand] = []
    for name, of_it in operations:
        operands += [name, len(of_it), *of_it]
    return operands


def operations_of(write: Write, now: int) -> list[Operation]:
    """The operations of a write: two for AddSession, else one."""
    match write:
        case Spend(key):
            return [("spend", (*_ticket(key), now))]
        case UseOnce():
            return [("use", _use(write, now))]
        case AddSession(session, seat, browser_indexes):
            record = encoding.session_to_bytes(session)
            made = ("session", (shard_of(session.id), session.id, record, session.sealed, now))
            return [made, *operations_of(AddSeat(seat, browser_indexes), now)]
        case AddSeat(seat, browser_indexes):
            return [("seat", (*_seat(seat.key), seat_to_bytes(seat), now, *browser_indexes))]
        case EndSeat(key, host):
            return [("endseat", (*_seat(key), host, now))]
        case RevokeSession(id, buried):
            return [("revoke", (shard_of(id), id, now, int(buried)))]
        case PutTicket(ticket, per_group, in_all):
            record, life = encoding.ticket_to_bytes(ticket), ticket.expires_at - now
            return [("put", (*_ticket(ticket.key), record, life, per_group, in_all))]
        case SealedNote(id, host, sealed, whose):
            return [("note", (shard_of(id), id, host, whose, sealed))]
        case RaiseMark(key, number, expires_at):
            return [("raise", (key.shard, key.key, number, expires_at, now))]
        case RequireNoMark(key):
            return [("unmarked", (key.shard, key.key, now))]
    raise AssertionError(f"no operation for {type(write).__name__}")


def operations_of_all(tag: str, writes: Sequence[Write], now: int) -> tuple[list[Write], list[Operation]]:
    """Returns two lists of the same length: the write of each operation, and the operations. `tag`: the step's tag, in
    a cluster."""
    both = [(write, operation) for write in writes for operation in operations_of(write, now)]
    if writes and only_ends(writes):
        both.insert(0, (writes[0], ("ends", (tag,))))
    return [write for write, _ in both], [operation for _, operation in both]


def in_tags(writes: Sequence[Write]) -> list[tuple[str, list[Write]]]:
    """Returns the steps of `writes` in a cluster, each with its tag."""
    return [(tag, list(map(_in_its_tag, step))) for tag, step in in_steps(writes, cluster_tag_of)]


def _in_its_tag(write: Write) -> Write:
    if isinstance(write, PutTicket):
        return replaced(write, per_group=_share(write.per_group), in_all=_share(write.in_all))
    return write


def cluster_tag_of(write: Write) -> str:
    """The tag of a write. The tag of a UseOnce depends only on its key, so that the value has one place, whatever
    browser brings it."""
    return SHARDS[write.key[0] % len(SHARDS)] if isinstance(write, UseOnce) else tag_of(write)


def _share(most: int) -> int:
    return min(most, max(_A_FEW, _UNEVEN * most // len(SHARDS)))


def take(key: TicketKey, now: int) -> Operation:
    return "take", (*_ticket(key), now)


def take_with_seat(key: TicketKey, now: int) -> Operation:
    return "takewithseat", (*_ticket(key), now)


def peek(key: TicketKey) -> Operation:
    return "peek", _ticket(key)


def used(use: UseOnce, now: int) -> Operation:
    """Checks the condition of a `UseOnce` without using the value up."""
    return "unused", _use(use, now)


def touch(touched: Touch) -> Operation:
    return "touch", (*_seat(touched.key), touched.at)


def replace(id: str, field: bytes, before: bytes | None, after: bytes, now: int) -> Operation:
    """`field`: SEALED, or a jar's."""
    return "replace", (shard_of(id), id, field, after, now, *(() if before is None else (before,)))


def find(index: SessionIndex, values: Sequence[bytes], now: int, shards: str) -> Operation:
    return "find", (shards, index, now, *values)


def summaries(ids: Sequence[str], now: int) -> Operation:
    """`ids`: session ids of one shard."""
    return "summaries", (shard_of(ids[0]), now, *ids)


def notes(most: int, now: int, shards: str = SHARDS) -> Operation:
    return "notes", (shards, most, now)


def ended(position: int, ends: str = ENDS) -> Operation:
    """`position`: -1 for a reader that stood nowhere. `ends`: the list, of a tag in a cluster."""
    return "ended", (ends, position)


def meet(run: str, epoch: str, version: int, known: str) -> Operation:
    """`epoch`: for the store, if new. `known`: the epoch of the earlier store at this address, or empty."""
    return "meet", (run, epoch, version, known)


def purge(before: int, ends: str = ENDS) -> Operation:
    return "purge", (ends, before)


# --- keys and fields

RECORD, SEALED = b"m", b"s"
# Characters with a meaning in a SCAN pattern.
_NOT_LITERAL = re.compile(rb"[\\*?\[\]^-]")


class Keys:
    """The names of keys, as in step.lua. `prefix`: of every key."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()

    @property
    def channel(self) -> bytes:
        return self._prefix + b"ended"

    def session(self, id: str) -> bytes:
        return self._key(shard_of(id), b"s:" + id.encode("utf-8", "surrogatepass"))

    @property
    def every_session(self) -> bytes:
        """A pattern for SCAN."""
        return _NOT_LITERAL.sub(rb"\\\g<0>", self._prefix) + b"{?}s:*"

    def id_of_session(self, key: bytes) -> str:
        """The session id of a key found under `every_session`."""
        return key[len(self._prefix) + len(b"{?}s:") :].decode("utf-8", "surrogatepass")

    def tombstones(self, id: str) -> bytes:
        return self._key(shard_of(id), b"b:" + id.encode("utf-8", "surrogatepass"))

    def mark(self, key: MarkKey) -> bytes:
        return self._key(key.shard, b"m:" + key.key)

    @property
    def store(self) -> bytes:
        return self._key("store", b"")

    def probe_of(self, tag: str) -> bytes:
        return self._key(tag, b"probe")

    def store_of(self, tag: str) -> bytes:
        """The key of the tag's store record. In a cluster each tag counts as a store with an age of its own."""
        return self._key(tag, b"store")

    def due(self, tag: str) -> bytes:
        """The key of the notes that are due, sorted by time."""
        return self._key(tag, b"due")

    def _key(self, tag: str, rest: bytes) -> bytes:
        return self._prefix + b"{" + tag.encode() + b"}" + rest


def seat_field(lookup: bytes) -> bytes:
    return b"t" + lookup


def jar_field(host: str) -> bytes:
    return b"j" + host.encode()


def _seat(key: SeatKey) -> tuple[Operand, ...]:
    return shard_of(key.session_id), key.session_id, key.lookup


def _use(use: UseOnce, now: int) -> tuple[Operand, ...]:
    return tag_of(use), use.expires_at, "" if use.issued is None else use.issued, use.skew, now


def _ticket(key: TicketKey) -> tuple[Operand, ...]:
    return key.shard, key.kind, key.lookup
