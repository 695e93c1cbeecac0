"""Account links, as a worker looks them up: in a separate thread, because the loop must not wait for a disk."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from gateway.access.account import SeatAccount, known_at, look_up, with_login
from gateway.accounts.file import LinkFile
from gateway.accounts.link import NewLink
from gateway.accounts.seals import LinkKeys
from gateway.accounts.thread import FileThread
from gateway.config.snapshot import App
from gateway.identity.directories import known_with
from gateway.model.account import AccountHolder, AccountSettings, person_of
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.ops.log import Log

# Seconds. A link that is taken back holds nobody in for longer than about two of them.
_LOOKED_EVERY: Final = 0.4
# Seconds in which every worker has seen a change: each looks so often, and reads a small file.
SEEN_WITHIN: Final = 2 * _LOOKED_EVERY
# In one turn of the loop (invariant 14): what is kept for a seat takes some microseconds to let go.
_AT_ONCE: Final = 100
# The pause between two look-ups after links have changed, as a multiple of the time of a look-up.
_SHARE: Final = 10


class AccountBook:
    """access.account.Accounts. To be made in the loop that will use it.

    `keys`: returns the live keys.
    `changed`: called when the known facts of a person have changed, so that their open connections are judged again."""

    def __init__(self, path: Path, *, keys: Callable[[], LinkKeys], changed: Callable[[Seat], None], log: Log) -> None:
        self._changed = changed
        self._file = FileThread(path, keys, LinkFile, log=log)
        self._seen: object = None
        self._here: WeakKeyDictionary[Seat, None] = WeakKeyDictionary()
        self._looking: asyncio.Task[None] | None = None
        self._changes: set[asyncio.Task[None]] = set()
        self.state = 0

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        self._here[seat] = None
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        # The state before what is found: what changes meanwhile is seen.
        seen, found = await self._file.asked(lambda file: (file.state(), file.find(holder, shared=settings.shared)))
        if self._seen is None:
            self._seen = seen
        return None if found is None else (found.login, found.record)

    async def credential(self, holder: AccountHolder, settings: AccountSettings) -> tuple[str, str | None] | None:
        """(login, secret) of the holder's link, the secret None if the link has no secret. None without a link. Raises
        GatewayError as `find` does."""

        def opened(file: LinkFile) -> tuple[str, str | None] | None:
            link = file.find(holder, shared=settings.shared)
            return None if link is None else (link.login, file.secret(link))

        return await self._file.asked(opened)

    async def add(self, link: NewLink) -> None:
        """Adds a link. Raises GatewayError as file.LinkFile.add does."""
        await self._file.asked(lambda file: file.add([link]))
        self._anew()

    async def remove(self, holder: AccountHolder) -> bool:
        removed = await self._file.asked(lambda file: file.remove([holder]))
        self._anew()
        return removed > 0

    async def identity_at(self, app: App, identity: Identity, now: float) -> Identity:
        """As access.account.identity_at, for requests without a seat. `now`: Unix seconds. Raises GatewayError."""
        settings = app.account
        if settings is None or settings.source is not None:
            return known_at(app, identity, now)
        holder = AccountHolder(app.name, identity.issuer, person_of(settings.by, identity))
        found = await self._file.asked(lambda file: file.find(holder, shared=settings.shared))
        if found is None:
            raise GatewayError(account_codes.MISSING, "no link of this person", shown=settings.words)
        return known_with(with_login(identity, found.login), app.directories, now)

    async def close(self) -> None:
        for task in (*self._changes, *([self._looking] if self._looking else [])):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._file.close()

    # --- what others have changed

    async def _look(self) -> None:
        """Looks for changes of the links. Ends when no seat is left whose login was looked up."""
        while True:
            await asyncio.sleep(_LOOKED_EVERY)
            if not self._here:
                self._looking = None
                return
            try:
                seen = await self._file.asked(LinkFile.state)
            except GatewayError:
                seen = None
            if seen != self._seen:
                self._seen = seen
                await self._look_again()

    def _anew(self) -> None:
        """Looks up every login again, after this worker itself has changed a link."""
        task = asyncio.create_task(self._look_again())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _look_again(self) -> None:
        """Discards all cached outcomes and looks up every login again. A seat whose login has changed or is gone is
        judged at once."""
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


def _slices(seats: list[Seat]) -> Iterator[list[Seat]]:
    left = iter(seats)
    while some := list(islice(left, _AT_ONCE)):
        yield some
