"""Limits the browsers in which a person is signed in. The oldest sessions end, and a later request with their cookies
is told why."""

from collections.abc import Callable, Iterable
from itertools import chain

from gateway.stores.records import TOMBSTONE_KEPT, MarkKey, RaiseEndMark, RecordStore, SessionSummary
from gateway.stores.sealing import StoreKeys, read_cookie, shard_of
from gateway.stores.sessions.new_session import NewSession
from gateway.stores.sessions.sessions import Sessions


class SessionLimit:
    """`keys`, `now`: as in Sessions. The coroutines raise GatewayError(store_codes.UNREACHABLE) when the store cannot
    answer."""

    def __init__(self, store: RecordStore, sessions: Sessions, keys: StoreKeys, *, now: Callable[[], int]) -> None:
        self._store = store
        self._sessions = sessions
        self._keys = keys
        self._now = now

    async def end_oldest(self, made: NewSession, most: int, *, buried: bool) -> tuple[str, ...]:
        """Ends the person's sessions in all but the `most` newest browsers. Returns the ids. `made` is written already
        and never ends here. `buried`: as in Sessions.end.

        Of several simultaneous sign-ins, the last to look sees the rest. It leaves the `most` newest browsers, and its
        own in addition if another sign-in of the same second counts as newer.
        """
        identity, own = made.session.identity, made.session.id
        found = await self._sessions.of_subject(identity.issuer, identity.subject)
        oldest = [here for here in _browsers(found)[most:] if own not in here]
        gone = tuple(chain(*oldest))
        if not gone:
            return ()
        until = self._now() + TOMBSTONE_KEPT
        marks = [RaiseEndMark(self._marks(id)[0], 1, until) for id in gone]
        return await self._sessions.end(gone, buried=buried, beside=marks)

    async def has_ended(self, cookie: bytes) -> bool:
        """Whether the limit ended this seat's session in the last hours."""
        presented, now = read_cookie(cookie), self._now()
        if presented is None:
            return False
        return any([await self._store.mark(mark, now) for mark in self._marks(presented.key.session_id)])

    def _marks(self, session_id: str) -> list[MarkKey]:
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        return [MarkKey(shard_of(session_id), key) for key in self._keys.indexes("session limit", session_id)]


def _browsers(found: Iterable[SessionSummary]) -> list[list[str]]:
    """Returns a person's sessions by browser, the browser with the last sign-in first: a browser where a person
    signed in again has several sessions and counts once. `found`: the oldest first."""
    browsers: dict[bytes, list[str]] = {}
    for one in found:
        # It moves to the end.
        browsers[one.browser] = [*browsers.pop(one.browser, ()), one.id]
    return list(reversed(browsers.values()))
