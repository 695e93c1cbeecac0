"""Which writes are one step where each tag is in a place of its own, and which step comes before which."""

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
    """The shard part of the ids that it touches; of what is used once, a tag of its own."""
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
    """Each step with its tag, in the order in which each tag comes first. Sessions, seats and tickets that stand behind
    a `UseOnce` are in no step before it: for what was used before nothing is given, whatever tags it shares."""
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
