"""A sealed file in a worker: used in a separate thread, because the loop must not wait for a disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from gateway.accounts.seals import LinkKeys
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.ops.log import Log


class _Closes(Protocol):
    def close(self) -> None: ...


OpenedFile = TypeVar("OpenedFile", bound=_Closes)
FoundHere = TypeVar("FoundHere")

# Seconds.
_READ_WITHIN: Final = 2.0
_AWAY: Final = frozenset({account_codes.UNREADABLE, account_codes.KEY})


class FileThread(Generic[OpenedFile]):
    """A sealed file with its thread.

    `keys`: returns the live keys.
    `opens`: opens the file at `path` with keys.
    `log`: logs when the file cannot be read and when it can again; None if the caller reports each fault."""

    def __init__(
        self,
        path: Path,
        keys: Callable[[], LinkKeys],
        opens: Callable[[Path, LinkKeys], OpenedFile],
        *,
        log: Log | None = None,
    ) -> None:
        self._path = path
        self._keys = keys
        self._opens = opens
        self._log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="accounts")
        self._file: OpenedFile | None = None
        self._file_keys: LinkKeys = ()
        self._late = 0
        self._fails = False

    async def asked(self, step: Callable[[OpenedFile], FoundHere]) -> FoundHere:
        """Runs `step` on the file in the thread. Raises GatewayError: the errors of the step, or
        account_codes.UNREADABLE if the disk does not answer."""
        keys = tuple(self._keys())
        try:
            if not keys:
                raise GatewayError(account_codes.KEY, "gateway.yaml has no accounts: keys")
            result = await self._in_time(lambda: step(self._opened(keys)))
        except GatewayError as error:
            if error.code in _AWAY:
                self._failed(error)
            raise
        if self._fails:
            self._fails = False
            if self._log is not None:
                self._log.event("account.recovered")
        return result

    def close(self) -> None:
        self._thread.submit(self._let_go)
        self._thread.shutdown(wait=False)

    async def _in_time(self, step: Callable[[], FoundHere]) -> FoundHere:
        if self._late:
            raise GatewayError(account_codes.UNREADABLE, f"{self._path}: the disk still does not answer")
        under_way = asyncio.get_running_loop().run_in_executor(self._thread, step)
        try:
            async with asyncio.timeout(_READ_WITHIN):
                return await asyncio.shield(under_way)
        except TimeoutError:
            self._late += 1
            under_way.add_done_callback(self._came_late)
            why = f"{self._path}: the disk does not answer within {_READ_WITHIN:g} s"
            raise GatewayError(account_codes.UNREADABLE, why) from None

    def _came_late(self, done: asyncio.Future[FoundHere]) -> None:
        self._late -= 1
        # Its caller is gone: the loop is not told of an error.
        done.exception()

    def _failed(self, error: GatewayError) -> None:
        if not self._fails and self._log is not None:
            self._log.event("account.unreadable", code=error.code.id, detail=error.detail)
        self._fails = True

    def _opened(self, keys: LinkKeys) -> OpenedFile:
        if self._file is None or self._file_keys != keys:
            self._let_go()
            self._file, self._file_keys = self._opens(self._path, keys), keys
        return self._file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
