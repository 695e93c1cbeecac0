"""The seats in one worker's memory, found by cookie and ended by session; and hand-overs, which prepare a seat on its
host together with the code that leads there."""

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from weakref import WeakSet

from gateway.model.mandate import TermOfOffice
from gateway.model.session import Entry, Seat, SeatLimits
from gateway.model.transaction import HandOver, Transaction
from gateway.stores.list_of_ends import Ended
from gateway.stores.records import AddSeat, Write
from gateway.stores.sealing import Envelopes, StoreKeys, TokenBytes, new_id, seat_lookup_of, shard_of
from gateway.stores.tickets import Bounds, TakenWithSeat, Tickets

# A read that was on its way when its session ended must not bring it back: for so long the end is remembered.
_ENDED_REMEMBERED = 60.0
# Seconds over which all that is due at once is asked for.
_ALL_WITHIN = 10.0

# So many bytes for each seat that may be held: a person with 20 attributes takes less.
BYTES_A_SEAT = 8192
# A seat without what is said of its person: itself, its dictionaries and places in the cache, and its outcomes.
_BARE = 2048


def held_bytes(seat: Seat) -> int:
    """What a seat takes in a worker's memory, by its parts: an estimate, rather too much than too little."""
    identity, size = seat.identity, _BARE
    left: list[object] = [identity.attributes, identity.subject, identity.acr, identity.amr, identity.left_out]
    left += identity.terms or ()
    for finding in identity.findings:
        left += (finding.values, finding.unknown, finding.terms)
    while left:
        value = left.pop()
        # Most are texts, and whether something is a Mapping is asked last: that alone is a call of Python.
        if isinstance(value, str):
            # Held twice: as it was said, and among the headers that an application is sent.
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

    `ended`: ids of sessions whose end this worker has lately heard of, each with the moment (monotonic).
    `forgotten`: how often every seat was ended because the worker did not know what had ended (`kill_all`).
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
        """It goes last now. It may have become larger meanwhile: more may be known of its person."""
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
        """Not held any more, but not dead."""
        seat = self.seats.pop(cookie, None)
        if seat is not None:
            self.bytes -= seat.size
            of_session = self._by_session[seat.session_id]
            of_session.remove(seat)
            if not of_session:
                del self._by_session[seat.session_id]
            self._dropped.add(seat)

    def end_sessions(self, session_ids: Collection[str], moment: float) -> tuple[Seat, ...]:
        """`moment`: monotonic."""
        self._forget_ends(moment)
        for id in session_ids:
            self.ended[id] = moment
            self._ends.append((moment, id))
        return self.kill(self._of(frozenset(session_ids)))

    def end_seat(self, entry: Ended, left: int, moment: float) -> tuple[Seat, ...]:
        """Ends one seat in `left` seconds, or now if `left` is 0 or less. Returns the seats that died now."""
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
        """Ends these seats, so that they admit no more requests. Returns the seats that were alive until now."""
        killed = tuple(seat for seat in seats if seat.live)
        for seat in killed:
            seat.live = False
            if self.seats.get(seat.cookie) is seat:
                self.drop(seat.cookie)
        return killed

    def move(self, seconds: float) -> None:
        """Every limit on the monotonic clock."""
        for seat in [*self.seats.values(), *self._dropped]:
            seat.deadline += seconds
            seat.hard_deadline += seconds
            seat.refresh_at += seconds
            seat.counts_until += seconds

    def kill_all(self) -> tuple[Seat, ...]:
        self.forgotten += 1
        return self.kill([*self.seats.values(), *self._dropped])

    def _forget_ends(self, moment: float) -> None:
        """The oldest only: what is still remembered is not looked at, however much ended in the last minute."""
        while self._ends and moment - self._ends[0][0] > _ENDED_REMEMBERED:
            at, id = self._ends.popleft()
            # One that was told of again is remembered from then on.
            if self.ended.get(id) == at:
                del self.ended[id]

    def _of(self, session_ids: Collection[str]) -> list[Seat]:
        """All seats of the given sessions that this worker still holds, dropped seats included."""
        held = [seat for id in session_ids for seat in self._by_session.get(id, ())]
        return held + [seat for seat in self._dropped if seat.session_id in session_ids]


# --- the way of a session to another host: a code that lives 30 seconds, and with it the seat that it stands for

HAND_OVER_LIFE = 30
# Codes open at a time for one session (a person's tabs) and in all.
HAND_OVER_BOUNDS = Bounds(HAND_OVER_LIFE, per_group=50, in_all=100_000)

# What a code stood for, with its seat and the session as the store has them then.
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
        # For one caller only, and in the same step its seat is added. The code is used up, whatever is wrong with it:
        # then Sessions.leave_seat.
        self.take: Callable[[str], Awaitable[TakenHandOver | None]] = tickets.take_with_seat
        self._envelopes = envelopes
        self._keys = keys
        self._now = now
        self._token_bytes = token_bytes

    def made(self, entry: Entry, transaction: Transaction, limits: SeatLimits) -> tuple[str, Write]:
        """A code for this session, for `transaction.host`; good for something when it is written. `limits`: the seat's
        own."""
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
