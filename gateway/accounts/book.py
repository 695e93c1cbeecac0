"""Account links as a worker asks for them: in a thread of its own, for the loop waits for no disk."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from gateway.access.account import SeatAccount, known_at, look_up, with_login
from gateway.accounts.file import LinkFile
from gateway.accounts.link import NewLink
from gateway.accounts.seals import LinkKeys
from gateway.config.snapshot import App
from gateway.identity.directories import known_with
from gateway.model.account import AccountHolder, AccountSettings, person_of
from gateway.model.account_codes import ACCOUNT_KEY, ACCOUNT_MISSING, ACCOUNT_UNREADABLE
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.ops.log import Log

FoundHere = TypeVar("FoundHere")

# Seconds. A link that is taken back holds nobody in for longer than about two of the first.
_LOOKED_EVERY: Final = 0.4
_READ_WITHIN: Final = 2.0
# Seconds in which every worker has seen a change: each looks so often, and reads a small file.
SEEN_WITHIN: Final = 2 * _LOOKED_EVERY
# In one turn of the loop (invariant 14): what is kept for a seat takes some microseconds to let go.
_AT_ONCE: Final = 100
# Of the time, what looking up again those who are here may take after links have changed.
_SHARE: Final = 10
_AWAY: Final = frozenset({ACCOUNT_UNREADABLE, ACCOUNT_KEY})


class AccountBook:
    """access.account.Accounts. `keys`: the live ones. `changed`: other things are known of this person than before:
    what is open for them is judged anew. To be made in the loop that will use it."""

    def __init__(self, path: Path, *, keys: Callable[[], LinkKeys], changed: Callable[[Seat], None], log: Log) -> None:
        self._path = path
        self._keys = keys
        self._changed = changed
        self._log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="accounts")
        self._file: LinkFile | None = None
        self._file_keys: LinkKeys = ()
        self._seen: object = None
        self._here: WeakKeyDictionary[Seat, None] = WeakKeyDictionary()
        self._looking: asyncio.Task[None] | None = None
        self._changes: set[asyncio.Task[None]] = set()
        self._late = 0
        self._fails = False
        self.state = 0

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        self._here[seat] = None
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        # The state before what is found: what changes meanwhile is seen.
        seen, found = await self._asked(lambda file: (file.state(), file.find(holder, shared=settings.shared)))
        if self._seen is None:
            self._seen = seen
        return None if found is None else (found.login, found.record)

    async def credential(self, holder: AccountHolder, settings: AccountSettings) -> tuple[str, str | None] | None:
        """The login and its secret, if it has one; None where there is no link. GatewayError: as `find`."""

        def opened(file: LinkFile) -> tuple[str, str | None] | None:
            link = file.find(holder, shared=settings.shared)
            return None if link is None else (link.login, file.secret(link))

        return await self._asked(opened)

    async def add(self, link: NewLink) -> None:
        """GatewayError: as file.LinkFile.add."""
        await self._asked(lambda file: file.add([link]))
        self._anew()

    async def remove(self, holder: AccountHolder) -> bool:
        removed = await self._asked(lambda file: file.remove([holder]))
        self._anew()
        return removed > 0

    async def identity_at(self, app: App, identity: Identity, now: float) -> Identity:
        """As access.account.identity_at, where there is no seat. `now`: Unix seconds. Raises GatewayError."""
        settings = app.account
        if settings is None or settings.source is not None:
            return known_at(app, identity, now)
        holder = AccountHolder(app.name, identity.issuer, person_of(settings.by, identity))
        found = await self._asked(lambda file: file.find(holder, shared=settings.shared))
        if found is None:
            raise GatewayError(ACCOUNT_MISSING, "no link of this person", shown=settings.ask)
        return known_with(with_login(identity, found.login), app.directories, now)

    async def close(self) -> None:
        for task in (*self._changes, *([self._looking] if self._looking else [])):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._thread.submit(self._let_go)
        self._thread.shutdown(wait=False)

    # --- what others have changed

    async def _look(self) -> None:
        """Ends where nobody is here whose login was looked up."""
        while True:
            await asyncio.sleep(_LOOKED_EVERY)
            if not self._here:
                self._looking = None
                return
            try:
                seen = await self._asked(LinkFile.state)
            except GatewayError:
                seen = None
            if seen != self._seen:
                self._seen = seen
                await self._look_again()

    def _anew(self) -> None:
        """What this worker has changed by itself."""
        task = asyncio.create_task(self._look_again())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _look_again(self) -> None:
        """Nothing that was kept counts from here on; who has another login now, or none, is judged at once."""
        self.state += 1
        here = list(self._here)
        for some in _slices(here):
            for seat in some:
                seat.outcomes.clear()
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        for seat in here:
            before, began = seat.account, loop.time()
            if seat.live and isinstance(before, SeatAccount):
                with suppress(GatewayError):
                    await look_up(self, before.app, before.settings, seat)
                    if isinstance(seat.account, SeatAccount) and seat.account.identity is not before.identity:
                        seat.outcomes.clear()
                        self._changed(seat)
                await asyncio.sleep(_SHARE * (loop.time() - began))

    # --- the thread

    async def _asked(self, step: Callable[[LinkFile], FoundHere]) -> FoundHere:
        """Raises GatewayError: of the step, or ACCOUNT_UNREADABLE where the disk does not answer."""
        keys = tuple(self._keys())
        try:
            if not keys:
                raise GatewayError(ACCOUNT_KEY, "gateway.yaml has no accounts: keys")
            result = await self._in_time(lambda: step(self._opened(keys)))
        except GatewayError as error:
            if error.code in _AWAY:
                self._failed(error)
            raise
        if self._fails:
            self._fails = False
            self._log.event("account.recovered")
        return result

    async def _in_time(self, step: Callable[[], FoundHere]) -> FoundHere:
        if self._late:
            raise GatewayError(ACCOUNT_UNREADABLE, f"{self._path}: the disk still does not answer")
        under_way = asyncio.get_running_loop().run_in_executor(self._thread, step)
        try:
            async with asyncio.timeout(_READ_WITHIN):
                return await asyncio.shield(under_way)
        except TimeoutError:
            self._late += 1
            under_way.add_done_callback(self._came_late)
            why = f"{self._path}: the disk does not answer within {_READ_WITHIN:g} s"
            raise GatewayError(ACCOUNT_UNREADABLE, why) from None

    def _came_late(self, done: asyncio.Future[FoundHere]) -> None:
        self._late -= 1
        # Its caller is gone: the loop is not told of an error.
        done.exception()

    def _failed(self, error: GatewayError) -> None:
        if not self._fails:
            self._log.event("account.unreadable", code=error.code.id, detail=error.detail)
        self._fails = True

    def _opened(self, keys: LinkKeys) -> LinkFile:
        if self._file is None or self._file_keys != keys:
            self._let_go()
            self._file, self._file_keys = LinkFile(self._path, keys), keys
        return self._file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _slices(seats: list[Seat]) -> Iterator[list[Seat]]:
    left = iter(seats)
    while some := list(islice(left, _AT_ONCE)):
        yield some
