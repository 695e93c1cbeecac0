"""Records that can be taken once. Only the record's random id finds and opens the record, so a dump of the store
reveals nothing.

`Tickets` has the tickets of one kind. `Transactions` has all kinds of a sign-in and sign-out under way, and the values
that work once.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from typing import Generic, NamedTuple

from gateway.model.codes import limit_codes
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedAssertion, SamlLogin, Transaction
from gateway.ops.log import Log
from gateway.stores import codec
from gateway.stores.codec import Form, Kept
from gateway.stores.records import (
    AddSeat,
    MarkKey,
    PutTicket,
    PutTicketOfEnd,
    RaiseMark,
    RecordStore,
    RequireNoMark,
    SeatRecord,
    SessionRecord,
    Spend,
    Ticket,
    TicketKey,
    UseOnce,
    Write,
)
from gateway.stores.revocation.sign_in_ends import SignInEnds
from gateway.stores.revocation.unwritten_ends import UnwrittenEnds
from gateway.stores.sealing import (
    NONCE_BYTES,
    SealBinding,
    StoreKeys,
    TokenBytes,
    key_id_of,
    lookup_of,
    new_id,
    open_sealed,
    seal,
    secret_of,
    shard_of,
    shard_of_browser,
    with_seat,
)
from gateway.stores.tickets.at_hand import AtHand
from gateway.stores.unreadable import UnreadableRecords

_LONGEST_ID = 256
# Of the mark by which a worker recognises an id of our workers: a whole index.
_MARK_BYTES = 32
# Hexadecimal digits of a date in Unix seconds: enough until the year 2106.
_DATE_DIGITS = 8


def unix_now() -> int:
    """Unix seconds."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one kind of tickets.

    `life`: seconds.
    `per_group`, `in_all`: open tickets of one group (a client) and of all groups.
    `longest`: bytes of one ticket before sealing; None without a limit.
    """

    life: int
    per_group: int
    in_all: int
    longest: int | None = None


class TakenWithSeat(NamedTuple, Generic[Kept]):
    """A ticket that was taken together with its seat.

    `added`: the seat that the ticket carried.
    `session`: the session after the step that added the seat; None if the session has ended.
    """

    value: Kept
    added: SeatRecord | None
    session: SessionRecord | None


class Tickets(Generic[Kept]):
    """The tickets of one kind. Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store cannot
    answer.

    `shard`: the shard part of new ids (stores.sealing); random if left out.
    `at_hand`: this worker's memory of its own tickets.
    `ends`: the tickets belong to sign-outs, so a full store takes them too.
    """

    def __init__(
        self,
        form: Form[Kept],
        store: RecordStore,
        keys: StoreKeys,
        bounds: Bounds,
        *,
        log: Log | None,
        now: Callable[[], int],
        token_bytes: TokenBytes,
        shard: Callable[[Kept], str] | None = None,
        at_hand: AtHand[Kept] | None = None,
        ends: bool = False,
    ) -> None:
        self._at_hand = at_hand
        self._ends = ends
        self._form = form
        self._store = store
        self._keys = keys
        self._bounds = bounds
        self._unreadable = UnreadableRecords(log)
        self._now = now
        self._token_bytes = token_bytes
        self._shard = shard

    async def put(self, value: Kept, bound_by: str, id: str = "") -> str:
        """Stores a ticket. Returns the id that takes the ticket: `id`, or a new id if `id` is empty.

        `bound_by`: the group in which the number of tickets is bounded. Raises GatewayError(limit_codes.BODY) if the
        value is too long.
        """
        id = id or self.id_for(value)
        put = self.sealed(id, value, bound_by)
        await self._store.perform([put], self._now())
        if self._at_hand is not None:
            self._at_hand.keep(id, put.ticket, value, self._keys)
        return id

    def id_for(self, value: Kept) -> str:
        """A new id for `value`, in the value's shard."""
        return new_id(self._token_bytes, shard="" if self._shard is None else self._shard(value))

    def sealed(self, id: str, value: Kept, bound_by: str, carries: AddSeat | None = None) -> PutTicket:
        """The write that stores the ticket, for a step with other writes. `carries`: a seat; its session has the shard
        part of `id`."""
        plain = self._form.write(value)
        if self._bounds.longest is not None and len(plain) > self._bounds.longest:
            raise GatewayError(limit_codes.BODY, f"{len(plain)} bytes to keep, over {self._bounds.longest}")
        secret, key_id = secret_of(id), self._keys.current
        key = TicketKey(shard_of(id), self._form.kind, lookup_of(secret))
        sealed = seal(
            plain,
            key=self._keys.drawn(secret, b"seal", key_id),
            key_id=key_id,
            nonce=self._token_bytes(NONCE_BYTES),
            binding=SealBinding(key.kind, key.lookup.hex()),
        )
        if carries is not None:
            sealed = with_seat(carries, sealed)
        # The group is a client's network: kept as a keyed hash, for a network can be a person's.
        ticket = Ticket(key, sealed, self._keys.index("group", bound_by), self._now() + self._bounds.life)
        put = PutTicketOfEnd if self._ends else PutTicket
        return put(ticket, self._bounds.per_group, self._bounds.in_all)

    async def peek(self, id: str) -> Kept | None:
        """Reads the record and leaves it in the store. None if the record is gone."""
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        now = self._now()
        if self._at_hand is not None and (found := self._at_hand.find(id, now, self._keys)) is not None:
            return found
        key = self._key(id)
        return self._unsealed(id, key, await self._store.peek_ticket(key, now))

    async def take(self, id: str) -> Kept | None:
        """Uses up the record and returns it. None if the record is gone."""
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        key = self.spending(id).key
        return self._unsealed(id, key, await self._store.take_ticket(key, self._now(), ends=self._ends))

    async def take_with_seat(self, id: str) -> "TakenWithSeat[Kept] | None":
        """Takes the ticket like `take`, with the seat that the ticket carried. Adds the seat if its session lives."""
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        now, key = self._now(), self._key(id)
        taken = await self._store.take_with_seat(key, now)
        if taken is None:
            return None
        value = self._unsealed(id, key, taken.sealed)
        return None if value is None else TakenWithSeat(value, taken.added, taken.session)

    async def spend(self, id: str, writes: Sequence[Write] = ()) -> bool:
        """Uses up the ticket unread, then does `writes`. Returns False and writes nothing if the ticket is gone.

        If the store fails in between, the ticket is spent and the writes may be missing: the person starts again.
        """
        if not 0 < len(id) <= _LONGEST_ID:
            return False
        return await self._store.perform([self.spending(id), *writes], self._now())

    async def spend_after(self, first: Sequence[Write], id: str, writes: Sequence[Write]) -> Write | None:
        """Does `first`, then the same as `spend`. Returns None, or the write whose condition did not hold: the earlier
        writes are then done, the later writes are not."""
        return await self._store.perform_until([*first, self.spending(id), *writes], self._now())

    def spending(self, id: str) -> Spend:
        """The write that uses up the ticket, for a step with other writes."""
        spend = Spend(self._key(id))
        if self._at_hand is not None:
            self._at_hand.forget(id)
        return spend

    def _unsealed(self, id: str, key: TicketKey, sealed: bytes | None) -> Kept | None:
        if sealed is None:
            return None
        try:
            drawn = self._keys.drawn(secret_of(id), b"seal", key_id_of(sealed))
            return self._form.read(open_sealed(sealed, key=drawn, binding=SealBinding(key.kind, key.lookup.hex())))
        except GatewayError as error:
            self._unreadable.tell(self._form.kind, error)
            return None

    def _key(self, id: str) -> TicketKey:
        secret = secret_of(id)
        return TicketKey(shard_of(id), self._form.kind, lookup_of(secret))


# --- sign-ins and sign-outs under way, on any record store

# Seconds that a person may take to sign in at the provider. An older state comes from a stranger or a forgotten tab and
# ends on a page that starts a new sign-in.
LIFE = 600
ROUND_WINDOW = 60
# A browser follows a redirect at once.
PARKED_LIFE = 60
# An impatient person may send a response twice. Sign-ins under way are bounded by client, and so are their parked
# responses.
PARKED_OF_ONE = 3
MOST_PARKED = 10_000
# A signed and encrypted response (JARM) has some thousands.
OPENID_PARKED_BYTES = 32 << 10
SAML_PARKED_BYTES = 256 << 10
# A page of ours with its logo.
WAITED_BYTES = 64 << 10


class Transactions:
    """The records of sign-ins and sign-outs under way. Every coroutine raises GatewayError(store_codes.UNREACHABLE)
    when the store cannot answer.

    Each kind is bounded by client (an address or prefix), OpenID responses by their state; the oldest go. Ids are
    random secrets: the store is keyed by their hash and holds values sealed under them.

    `openid_logins`, `openid_logouts`: found by `state`.
    `saml_logins`, `saml_logouts`: found by RelayState.
    `keys`: the store keys of gateway.yaml.
    `now`: Unix seconds.
    `unwritten`: this worker's ends that the store could not take.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        per_network: int = 1000,
        in_all: int = 100_000,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
        unwritten: UnwrittenEnds | None = None,
    ) -> None:
        self._store = store
        self._keys = StoreKeys.of(keys)
        self._now = now
        self._token_bytes = token_bytes
        most_parked = min(in_all, MOST_PARKED)
        under_way = Bounds(LIFE, per_network, in_all)
        parked = Bounds(PARKED_LIFE, PARKED_OF_ONE, most_parked, OPENID_PARKED_BYTES)
        # One network's share is a tenth: a ministry behind one address signs in at once.
        saml_parked = Bounds(PARKED_LIFE, min(per_network, MOST_PARKED // 10), most_parked, SAML_PARKED_BYTES)

        def tickets(
            form: Form[Kept],
            bounds: Bounds,
            shard: Callable[[Kept], str] | None = None,
            at_hand: AtHand[Kept] | None = None,
            ends: bool = False,
        ) -> Tickets[Kept]:
            return Tickets(
                form,
                store,
                self._keys,
                bounds,
                log=log,
                now=now,
                token_bytes=token_bytes,
                shard=shard,
                at_hand=at_hand,
                ends=ends,
            )

        # Each has its round, counted when the ticket is spent.
        self.sign_ins = tickets(codec.SIGN_IN, under_way, _shard_of_transaction)
        self.openid_logins = tickets(codec.OPENID_LOGIN, under_way)
        self.openid_responses = tickets(codec.OPENID_RESPONSE, parked)
        self.openid_logouts = tickets(codec.OPENID_LOGOUT, under_way, ends=True)
        self.saml_logins = tickets(codec.SAML_LOGIN, under_way, _shard_of_login, AtHand())
        self.saml_responses = tickets(codec.SAML_RESPONSE, saml_parked, _shard_of_parked, AtHand())
        self.saml_logouts = tickets(codec.SAML_LOGOUT, under_way, ends=True)
        self.parked_sign_ins = tickets(codec.PARKED_SIGN_IN, replace(under_way, longest=SAML_PARKED_BYTES))
        self.waited = tickets(codec.WAITED, replace(saml_parked, longest=WAITED_BYTES))
        marks = tickets(Form("sign_in_end", bytes, bytes), under_way, ends=True)
        waiting = unwritten or UnwrittenEnds(store, log=log)
        self.sign_in_ends = SignInEnds(marks, store, self._keys, waiting, now, LIFE)
        self._clean_starts = tickets(Form("clean_start", bytes, bytes), Bounds(ROUND_WINDOW, per_network, in_all))

    def waiting_id(self) -> str:
        """An id for a ticket of `waited` that will be put later. The id contains the time of its issue."""
        given = f"{new_id(self._token_bytes)}{self._now():0{_DATE_DIGITS}x}"
        return given + self._keys.index("waiting", given).hex()

    def waiting_since(self, id: str) -> int | None:
        """When one of our workers issued this id, in Unix seconds, whether or not the ticket still exists. None for an
        id of another origin; the store is then not asked."""
        mark = _MARK_BYTES * 2
        given, marked = id[:-mark], id[-mark:].encode("utf-8", "surrogatepass")
        if any(compare_digest(marked, key.hex().encode()) for key in self._keys.indexes("waiting", given)):
            return int(given[-_DATE_DIGITS:], 16)
        return None

    async def first_use(self, kind: str, *parts: str, issued: int | None = None, skew: int = 0, until: int) -> bool:
        """Uses up a value that works once. Returns True to the first caller only, across all workers, until `until`
        (Unix seconds).

        `issued`: when the sender wrote an unsolicited message (Unix seconds), which an earlier store may have used up.
        `skew`: seconds by which the sender's clock may be ahead.
        """
        return await self.use_up(self.uses(kind, *parts, issued=issued, skew=skew, until=until))

    def uses(self, kind: str, *parts: str, issued: int | None, skew: int, until: int) -> list[UseOnce]:
        """The writes of `first_use`, for a step with other writes."""
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        return [UseOnce(key, until, issued, skew) for key in self._keys.indexes(kind, *parts)]

    async def use_up(self, writes: Sequence[Write]) -> bool:
        """Performs each write in a step of its own, so that the writes are independent. Returns whether every condition
        held."""
        now = self._now()
        return all(await asyncio.gather(*(self._store.perform([write], now) for write in writes)))

    async def begin(self, transaction: Transaction, bound_by: str, most_rounds: int) -> str | None:
        """Stores a sign-in with its round (`rounds`) and returns the id. Returns None and stores nothing if the browser
        has gone `most_rounds` rounds. The first round of a browser takes one step."""
        first = RequireNoMark(self._round(transaction.binding, transaction.host))
        id = new_id(self._token_bytes, shard=shard_of_browser(transaction.binding))
        if await self._store.perform([first, self.sign_ins.sealed(id, transaction, bound_by)], self._now()):
            return id
        rounds = await self.rounds(transaction.binding, transaction.host)
        if rounds >= most_rounds:
            return None
        return await self.sign_ins.put(replace(transaction, round=rounds), bound_by, id)

    async def rounds(self, binding: str, host: str) -> int:
        """How many hand-overs this browser finished on this host in the last 60 s without a seat coming back."""
        return await self._store.mark(self._round(binding, host), self._now())

    def round_counted(self, binding: str, host: str, round: int, within: int = ROUND_WINDOW) -> Write:
        """The write that counts a hand-over for a transaction of this round. For `within` seconds (60 at most) `rounds`
        returns at least round + 1. Callers pass the shortest life of the seat: a browser that comes back after its seat
        expired is not in a loop.

        The mark is a maximum, not a sum: ten tabs that sign in at once are all of round 0 and make one round together.
        """
        until = self._now() + min(within, ROUND_WINDOW)
        return RaiseMark(self._round(binding, host), round + 1, until)

    async def clear_rounds(self, binding: str, host: str) -> None:
        await self._store.clear_mark(self._round(binding, host), self._now())

    async def start_cleanly(self, binding: str, host: str, network: str) -> bool:
        """Notes a clean start of this browser on this host. Returns False if the browser started cleanly in the last 60
        s and the note was not cleared since."""
        # Not a mark: anybody may ask, under any binding, and these are bounded by client.
        id = _clean_start(binding, host)
        first = await self._clean_starts.peek(id) is None
        if first:
            await self._clean_starts.put(b"", network, id)
        return first

    async def clear_clean_start(self, binding: str, host: str) -> None:
        id = _clean_start(binding, host)
        if await self._clean_starts.peek(id) is not None:
            await self._clean_starts.take(id)

    async def first_seat(self, session_id: str, host: str, *, ends_at: int, until: int) -> int:
        """When this session's first seat on this host may have ended: the `ends_at` of the first call. The value is
        kept until `until` (both in Unix seconds)."""
        key, now = MarkKey(shard_of(session_id), self._keys.index("first seat", session_id, host)), self._now()
        known = await self._store.mark(key, now)
        if not known:
            await self._store.perform([RaiseMark(key, ends_at, until)], now)
        return known or ends_at

    def _round(self, binding: str, host: str) -> MarkKey:
        return MarkKey(shard_of_browser(binding), self._keys.index("round", binding, host))


def _shard_of_transaction(transaction: Transaction) -> str:
    return shard_of_browser(transaction.binding)


def _shard_of_login(login: SamlLogin) -> str:
    # Spent in one step with its transaction.
    return "" if login.serves is None else shard_of(login.serves.id)


def _shard_of_parked(parked: ParkedAssertion) -> str:
    return "" if parked.reference is None else shard_of(parked.reference)


def _clean_start(binding: str, host: str) -> str:
    return f"{binding} {sha256(host.encode()).hexdigest()}"
