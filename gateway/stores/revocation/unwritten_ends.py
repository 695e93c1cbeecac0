"""Ends that the store could not take. They are in force in the memory of every worker of this gateway.
stores.housekeeping repeats the writes until the store takes them."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.ops.log import Log
from gateway.stores.records import PutTicket, RaiseMark, RecordStore, RevokeSession, UseOnce, Write
from gateway.stores.stepwise import in_steps

# Marks that belong to ends. A stranger can ask for some, by signing out where nobody is signed in: the oldest go.
_MOST_BESIDE = 1000
# Of one step.
_WRITTEN_AT_ONCE = 100


def _nobody(_: Sequence[str]) -> None: ...


class UnwrittenEnds:
    """Session ends that the store could not take, kept until written.

    `written`: called with the sessions whose end this worker has now written. Other workers can drop these ends, and so
    can the supervisor, which passes open ends to every new worker.
    """

    def __init__(
        self,
        store: RecordStore,
        *,
        log: Log | None = None,
        written: Callable[[Sequence[str]], None] = _nobody,
    ) -> None:
        self._store = store
        self._log = log
        self._written = written
        self._sessions: dict[str, RevokeSession] = {}
        self._beside: deque[Write] = deque(maxlen=_MOST_BESIDE)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def among(self, session_ids: Iterable[str]) -> tuple[str, ...]:
        """The given sessions whose end is not written."""
        return tuple(id for id in session_ids if id in self._sessions) if self._sessions else ()

    def require_written(self, session_ids: Iterable[str], *, is_marked: bool = True) -> None:
        """Raises GatewayError(store_codes.UNREACHABLE) if an end is unwritten: such an end is in force in this gateway,
        but not beyond, and not after a restart. `is_marked`: whether the store has the marks of these ends."""
        if left := self.among(session_ids):
            detail = f"{len(left)} sessions have ended in this gateway, and their end is not written yet"
            raise GatewayError(store_codes.UNREACHABLE, detail)
        if not is_marked:
            raise GatewayError(store_codes.UNREACHABLE, "the end of sign-ins that wait for a choice is not written yet")

    def waits(self, write: Write) -> bool:
        """Whether the mark still waits for the store. A waiting mark is lost if the worker dies."""
        return any(kept is write for kept in self._beside)

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        """Performs writes that end sessions, as RecordStore.perform does. Keeps the writes for later if the store
        cannot take them."""
        try:
            done = await self._store.perform(writes, now)
        except GatewayError as error:
            self._keep(writes, error)
            return True
        # The same end was asked for again before its repeated write.
        if written := self.among(write.session_id for write in writes if isinstance(write, RevokeSession)):
            self._tell(written)
        return done

    def learn(self, session_ids: Iterable[str]) -> None:
        """Notes ends that another worker could not write."""
        for id in session_ids:
            self._sessions.setdefault(id, RevokeSession(id))

    def forget(self, session_ids: Iterable[str]) -> None:
        """Notes ends that another worker has written."""
        for id in session_ids:
            self._sessions.pop(id, None)

    async def write(self, now: int) -> None:
        """Writes the kept ends, sessions first. Raises GatewayError if the store still cannot take them."""
        while self._sessions:
            some = list(self._sessions.values())[:_WRITTEN_AT_ONCE]
            for _, step in in_steps(some):
                await self._store.perform(step, now)
                self._tell([write.session_id for write in step if isinstance(write, RevokeSession)])
        while self._beside:
            oldest = self._beside[0]
            if _until(oldest) > now:
                await self._store.perform([oldest], now)
            # While the store was asked, newer marks may have pushed this one out.
            if self._beside and self._beside[0] is oldest:
                self._beside.popleft()

    def _keep(self, writes: Sequence[Write], error: GatewayError) -> None:
        ends = [write for write in writes if isinstance(write, RevokeSession)]
        self._sessions.update((write.session_id, write) for write in ends)
        self._beside.extend(write for write in writes if not isinstance(write, RevokeSession))
        if self._log is not None and ends:
            self._log.event("revocation.unwritten", sessions=len(ends), detail=error.detail)

    def _tell(self, session_ids: Collection[str]) -> None:
        self.forget(session_ids)
        self._written(tuple(session_ids))
        if self._log is not None:
            self._log.event("revocation.written", sessions=len(session_ids))


def _until(write: Write) -> int:
    """When this write loses its effect, in Unix seconds; 0 for a write without an expiry."""
    match write:
        case PutTicket(ticket):
            return ticket.expires_at
        case UseOnce() | RaiseMark():
            return write.expires_at
    return 0
