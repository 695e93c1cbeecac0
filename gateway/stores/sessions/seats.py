"""The seats in one worker's memory, found by cookie and ended by session. Hand-overs, which prepare a seat on another
host and the code that leads to the seat."""

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from weakref import WeakSet

from gateway.model.mandate import TermOfOffice
from gateway.model.session import Entry, Seat, SeatLimits
from gateway.model.transaction import HandOver, Transaction
from gateway.stores.records import AddSeat, Write
from gateway.stores.revocation.list_of_ends import Ended
from gateway.stores.sealing import Envelopes, StoreKeys, TokenBytes, new_id, seat_lookup_of, shard_of
from gateway.stores.tickets.tickets import Bounds, TakenWithSeat, Tickets

# Seconds for which an end is remembered, so that a read begun before the end does not bring the session back.
_ENDED_REMEMBERED = 60.0
# Seconds over which refreshes that are due at the same time are spread.
_ALL_WITHIN = 10.0

# Bytes of the cache for each seat of the capacity. A person with 20 attributes takes less.
BYTES_A_SEAT = 8192
# Bytes of a seat without its person's attributes: the object, its dictionaries, its places in the cache, its outcomes.
_BARE = 2048


def held_bytes(seat: Seat) -> int:
    """An estimate of the seat's size in a worker's memory, rather too high than too low."""
    identity, size = seat.identity, _BARE
    left: list[object] = [identity.attributes, identity.subject, identity.acr, identity.amr, identity.left_out]
    left += identity.terms or ()
    for finding in identity.findings:
        left += (finding.values, finding.unknown, finding.terms)
    while left:
        value = left.pop()
        # Most values are texts. The test for a Mapping stands last, because it alone is a call of Python.
        if isinstance(value, str):
            # Held twice: as the attribute, and among the headers for an application.
            size += sys.getsizeof(value) + len(value)
        elif isinstance(value, (tuple, list, frozenset)):
            size += sys.getsizeof(value)
            left += value
        elif isinstance(value, TermOfOffice):
            left += (value.office, value.organisation, value.start, value.end)
        elif isinstance(value, Mapping):
            left += (*value.keys(), *value.values())
        else:
            size += sys.getsizeof(value)
    return size


class SeatCache:
    """At most `capacity` seats and `capacity` times BYTES_A_SEAT bytes; the least recently used seat is dropped first.
    A seat larger than the whole cache is not kept, and displaces no seat.

    A connection may still hold a dropped seat. The cache keeps a weak reference, so that the end of the session reaches
    the dropped seat too.

    `ended`: ids of sessions of whose end this worker lately learned, each with the moment (monotonic).
    `forgotten`: how often `kill_all` ended every seat because the worker did not know which sessions had ended.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._most_bytes = capacity * BYTES_A_SEAT
        self.bytes = 0
        self._by_session: dict[str, list[Seat]] = {}
        self._dropped: WeakSet[Seat] = WeakSet()
        self.ended: dict[str, float] = {}
        self._ends: deque[tuple[float, str]] = deque()
        self.seats: dict[bytes, Seat] = {}
        self.forgotten = 0

    def put(self, seat: Seat) -> None:
        self.drop(seat.cookie)
        seat.size = held_bytes(seat)
        if seat.size > self._most_bytes:
            self._dropped.add(seat)
            return
        while len(self.seats) >= self._capacity or self.bytes + seat.size > self._most_bytes:
            self.drop(next(iter(self.seats)))
        self.bytes += seat.size
        self.seats[seat.cookie] = seat
        self._by_session.setdefault(seat.session_id, []).append(seat)

    def touched(self, seat: Seat) -> None:
        """Moves the seat to the end of the order. Measures the seat again, because a refresh may have made it
        larger."""
        if self.seats.get(seat.cookie) is not seat:
            return
        self.seats[seat.cookie] = self.seats.pop(seat.cookie)
        size = held_bytes(seat)
        self.bytes += size - seat.size
        seat.size = size
        if size > self._most_bytes:
            self.drop(seat.cookie)
        while self.bytes > self._most_bytes:
            self.drop(next(iter(self.seats)))

    def drop(self, cookie: bytes) -> None:
        """Stops holding the seat, without ending it."""
        seat = self.seats.pop(cookie, None)
        if seat is not None:
            self.bytes -= seat.size
            of_session = self._by_session[seat.session_id]
            of_session.remove(seat)
            if not of_session:
                del self._by_session[seat.session_id]
            self._dropped.add(seat)

    def end_sessions(self, session_ids: Collection[str], moment: float) -> tuple[Seat, ...]:
        """Ends the seats of these sessions. `moment`: monotonic."""
        self._forget_ends(moment)
        for id in session_ids:
            self.ended[id] = moment
            self._ends.append((moment, id))
        return self.kill(self._of(frozenset(session_ids)))

    def end_seat(self, entry: Ended, left: int, moment: float) -> tuple[Seat, ...]:
        """Ends one seat in `left` seconds, or at once if `left` is 0 or less. Returns the seats that died at once."""
        seats = [seat for seat in self._of({entry.session_id}) if seat_lookup_of(seat.cookie) == entry.lookup]
        if left <= 0:
            return self.kill(seats)
        for seat in seats:
            seat.hard_deadline = min(seat.hard_deadline, moment + left)
            seat.deadline = min(seat.deadline, seat.hard_deadline)
        return ()

    def due(self, session_ids: Collection[str] | None, moment: float) -> None:
        """Makes the seats of these sessions due for a refresh at once. None: makes every seat due, in turn over
        _ALL_WITHIN seconds."""
        if session_ids is not None:
            for seat in self._of(frozenset(session_ids)):
                seat.refresh_at = min(seat.refresh_at, moment)
            return
        every = [*self.seats.values(), *self._dropped]
        for number, seat in enumerate(every):
            seat.refresh_at = min(seat.refresh_at, moment + _ALL_WITHIN * number / len(every))

    def end_of_keys(self, store_keys: Collection[str]) -> tuple[Seat, ...]:
        held = [*self.seats.values(), *self._dropped]
        return self.kill([seat for seat in held if any(id in store_keys for id in seat.store_keys)])

    def kill(self, seats: Iterable[Seat]) -> tuple[Seat, ...]:
        """Ends the seats, so that they admit no more requests. Returns the seats that were alive until now."""
        killed = tuple(seat for seat in seats if seat.live)
        for seat in killed:
            seat.live = False
            if self.seats.get(seat.cookie) is seat:
                self.drop(seat.cookie)
        return killed

    def move(self, seconds: float) -> None:
        """Moves every limit on the monotonic clock by `seconds`."""
        for seat in [*self.seats.values(), *self._dropped]:
            seat.deadline += seconds
            seat.hard_deadline += seconds
            seat.refresh_at += seconds
            seat.counts_until += seconds

    def kill_all(self) -> tuple[Seat, ...]:
        self.forgotten += 1
        return self.kill([*self.seats.values(), *self._dropped])

    def _forget_ends(self, moment: float) -> None:
        """Looks only at the oldest ends, however many sessions ended in the last minute."""
        while self._ends and moment - self._ends[0][0] > _ENDED_REMEMBERED:
            at, id = self._ends.popleft()
            # A repeated end counts from its last time.
            if self.ended.get(id) == at:
                del self.ended[id]

    def _of(self, session_ids: Collection[str]) -> list[Seat]:
        """The seats of the given sessions that this worker still holds, dropped seats included."""
        held = [seat for id in session_ids for seat in self._by_session.get(id, ())]
        return held + [seat for seat in self._dropped if seat.session_id in session_ids]


# --- the way of a session to another host: a code that lives 30 seconds, and with it the seat that it stands for

HAND_OVER_LIFE = 30
# Codes open at a time for one session (a person's tabs) and in all.
HAND_OVER_BOUNDS = Bounds(HAND_OVER_LIFE, per_group=50, in_all=100_000)

# The hand-over of a code, with its seat and session as the store has them after the step.
TakenHandOver = TakenWithSeat[HandOver]


class HandOvers:
    """Prepares a seat with its code. The step that takes the code adds the seat: no browser has the seat's cookie
    before.

    Raises the errors of `Tickets`.
    """

    def __init__(
        self,
        tickets: Tickets[HandOver],
        envelopes: Envelopes,
        keys: StoreKeys,
        now: Callable[[], int],
        token_bytes: TokenBytes,
    ) -> None:
        self._tickets = tickets
        # Gives the hand-over to one caller only and adds its seat in the same step. If the hand-over turns out to be
        # wrong, the code is used up all the same and the caller calls Sessions.leave_seat.
        self.take: Callable[[str], Awaitable[TakenHandOver | None]] = tickets.take_with_seat
        self._envelopes = envelopes
        self._keys = keys
        self._now = now
        self._token_bytes = token_bytes

    def made(self, entry: Entry, transaction: Transaction, limits: SeatLimits) -> tuple[str, Write]:
        """Prepares a code for this session and for `transaction.host`, with the write that puts the code in force.
        `limits`: the seat's own."""
        now, host, app = self._now(), transaction.host, transaction.app
        cookie, seat = self._envelopes.new_seat(entry, host=host, app=app, limits=limits, now=now)
        code = new_id(self._token_bytes, shard=shard_of(entry.session_id))
        hand_over = HandOver(
            app=app,
            host=host,
            return_target=transaction.return_target,
            binding=transaction.binding,
            session_id=entry.session_id,
            session_key=entry.session_key,
            provider=entry.provider,
            created_at=now,
            cookie=cookie.decode(),
        )
        add = AddSeat(seat, self._keys.indexes("browser", entry.browser))
        return code, self._tickets.sealed(code, hand_over, entry.session_id, carries=add)
