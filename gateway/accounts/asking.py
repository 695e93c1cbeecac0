"""A person asks once for their account of an application, and later reads the answer. An operator answers with `ecluse
account`."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.accounts.linking import holder_of
from gateway.accounts.request import AccountRequest, request_of
from gateway.accounts.request_file import RequestFile
from gateway.accounts.seals import LinkKeys
from gateway.accounts.thread import FileThread
from gateway.config.snapshot import App
from gateway.model.errors import GatewayError
from gateway.model.session import Seat

# Seconds.
_PURGE_EVERY: Final = 3600.0


class AccountAsking:
    """The requests of people, as a worker handles them.

    `path`: the file of requests.
    `keys`: returns the live keys."""

    def __init__(self, path: Path, *, keys: Callable[[], LinkKeys]) -> None:
        self._file = FileThread(path, keys, RequestFile)
        self._purging: asyncio.Task[None] | None = None

    def start(self) -> None:
        """To be called inside the running loop. From now on expired requests are deleted, as their page promises."""
        self._purging = asyncio.get_running_loop().create_task(self._purge())

    async def found(self, app: App, seat: Seat) -> AccountRequest | None:
        """The request of this person at the application; None without a request. Raises GatewayError:
        account_codes.PERSON, and the errors of the file."""
        holder = holder_of(app, seat.identity)
        return await self._file.asked(lambda file: file.find(holder))

    async def ask(self, app: App, seat: Seat, text: str) -> tuple[AccountRequest, bool]:
        """As request_file.RequestFile.ask. Raises GatewayError: account_codes.PERSON, account_codes.TEXT, and the
        errors of the file."""
        new = request_of(holder_of(app, seat.identity), seat.identity, seat.tenant, text)
        return await self._file.asked(lambda file: file.ask(new))

    def close(self) -> None:
        if self._purging is not None:
            self._purging.cancel()
        self._file.close()

    async def _purge(self) -> None:
        while True:
            with suppress(GatewayError):
                await self._file.asked(RequestFile.purge)
            await asyncio.sleep(_PURGE_EVERY)
