"""Ends of sign-ins, by person, browser and the provider's session. Kept for as long as a proven sign-in may wait for
the person's choice or for the browser (portal.flow.proven). After a sign-out, a page that was left open can no longer
complete a sign-in."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Literal, Protocol

from gateway.stores.records import MarkKey, PutTicket, RaiseEndMark, RecordStore
from gateway.stores.revocation.unwritten_ends import UnwrittenEnds
from gateway.stores.sealing import StoreKeys, shard_of

EndOf = Literal["browser", "subject", "sid", "all"]
"""By the hash of the browser's binding cookie; by issuer and subject; by issuer and the provider's id of its session;
everybody's, where the store does not say whose the sessions were that have ended."""


class EndMarks(Protocol):
    """The part of stores.tickets.tickets.Tickets that SignInEnds uses."""

    def sealed(self, id: str, value: bytes, bound_by: str) -> PutTicket: ...

    async def peek(self, id: str) -> bytes | None:
        """Raises GatewayError."""


class SignInEnds:
    """Marks ends of sign-ins, and says whether a sign-in has ended.

    `now`: Unix seconds.
    `kept`: seconds for which an end is known.
    `unwritten`: keeps a mark that the store could not take.

    An end from a provider's message has the provider's time. It is a mark of the store, which never falls: an older
    message that arrives again changes nothing.
    """

    def __init__(
        self,
        marks: EndMarks,
        store: RecordStore,
        keys: StoreKeys,
        unwritten: UnwrittenEnds,
        now: Callable[[], int],
        kept: int,
    ) -> None:
        self._marks = marks
        self._store = store
        self._unwritten = unwritten
        self._kept = kept
        self._keys = keys
        self._now = now

    async def mark(self, bound_by: str, kind: EndOf, *parts: str) -> bool:
        """Ends every sign-in that was proven before now. Ends need not wait for the mark: a store that takes no mark
        takes no sign-in either. Returns whether the store has the mark. If not, the worker writes the mark later."""
        now = self._now()
        put = self._marks.sealed(self._ids(kind, parts)[0], b"%d" % now, bound_by)
        await self._unwritten.perform([put], now)
        return not self._unwritten.waits(put)

    async def has_ended(self, since: int, kind: EndOf, *parts: str) -> bool:
        """Whether the sign-in has ended after `since` (Unix seconds)."""
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        found = [await self._marks.peek(id) for id in self._ids(kind, parts)]
        return any(mark is not None and int(mark) > since for mark in found)

    async def mark_by_provider(self, issued: int, kind: EndOf, *parts: str) -> bool:
        """Notes that earlier tokens of the provider no longer count. `issued`: by the provider's clock. Returns as
        `mark`."""
        now = self._now()
        key = self._provider_marks(kind, parts)[0]
        raised = RaiseEndMark(key, max(1, issued), now + self._kept)
        await self._unwritten.perform([raised], now)
        return not self._unwritten.waits(raised)

    async def has_ended_at_provider(self, issued: int | None, kind: EndOf, *parts: str) -> bool:
        """Whether a sign-in of the provider from `issued` has ended since, by the provider's clock. `issued` None:
        unknown, so any mark counts."""
        now = self._now()
        marks = [await self._store.mark(key, now) for key in self._provider_marks(kind, parts)]
        return any(mark and (issued is None or issued <= mark) for mark in marks)

    def _provider_marks(self, kind: EndOf, parts: tuple[str, ...]) -> list[MarkKey]:
        return [MarkKey(shard_of(one.hex()), one) for one in self._keys.indexes("end at provider", kind, *parts)]

    def _ids(self, kind: EndOf, parts: tuple[str, ...]) -> list[str]:
        found = self._keys.indexes("sign-in end", kind, *parts)
        return [urlsafe_b64encode(one).rstrip(b"=").decode("ascii") for one in found]
