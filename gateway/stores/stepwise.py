"""Divides writes into steps for a store with a place for each tag, and orders the steps."""

from collections.abc import Callable, Sequence

from gateway.stores.records import (
    AddSeat,
    AddSession,
    EndSeat,
    PutTicket,
    RaiseMark,
    RequireNoMark,
    RevokeSession,
    SealedNote,
    Spend,
    UseOnce,
    Write,
)
from gateway.stores.sealing import shard_of

# What lets somebody in, and what ends for it.
_GIVEN = (AddSession, AddSeat, PutTicket, EndSeat)


def tag_of(write: Write) -> str:
    """The shard part of the ids that the write touches; for a UseOnce, a tag made from its key."""
    match write:
        case Spend(key) | RaiseMark(key) | RequireNoMark(key):
            return key.shard
        case PutTicket(ticket):
            return ticket.key.shard
        case AddSession(session):
            return shard_of(session.id)
        case AddSeat(seat):
            return shard_of(seat.key.session_id)
        case EndSeat(key):
            return shard_of(key.session_id)
        case RevokeSession(session_id) | SealedNote(session_id):
            return shard_of(session_id)
        case UseOnce(key):
            return key.hex()
    raise TypeError(f"{type(write).__name__} is in no step")


def in_steps(writes: Sequence[Write], tag_of: Callable[[Write], str] = tag_of) -> list[tuple[str, list[Write]]]:
    """(tag, writes of the step), in the order in which the tags first occur.

    A session, a seat or a ticket that follows a `UseOnce` never joins a step before the step of the `UseOnce`, even
    with an equal tag: a store that finds the value already used must give nothing.
    """
    steps: list[tuple[str, list[Write]]] = []
    last_use = 0
    for write in writes:
        tag = tag_of(write)
        first = last_use if isinstance(write, _GIVEN) else 0
        at = next((at for at in range(first, len(steps)) if steps[at][0] == tag), len(steps))
        if at == len(steps):
            steps.append((tag, []))
        steps[at][1].append(write)
        if isinstance(write, UseOnce):
            last_use = max(last_use, at)
    return steps
