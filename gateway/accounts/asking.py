"""A person asks for their account of an application, once, and reads later what came of it. An operator answers, by
`ecluse account`."""

from collections.abc import Callable
from pathlib import Path

from gateway.accounts.linking import holder_of
from gateway.accounts.request import AccountRequest, request_of
from gateway.accounts.request_file import RequestFile
from gateway.accounts.seals import LinkKeys
from gateway.accounts.thread import FileThread
from gateway.config.snapshot import App
from gateway.model.session import Seat


class AccountAsking:
    """`path`: of the file. `keys`: the live ones."""

    def __init__(self, path: Path, *, keys: Callable[[], LinkKeys]) -> None:
        self._file = FileThread(path, keys, RequestFile)

    async def found(self, app: App, seat: Seat) -> AccountRequest | None:
        """What this person has asked for there. Raises GatewayError: ACCOUNT_PERSON, and of the file."""
        holder = holder_of(app, seat.identity)

        def found(file: RequestFile) -> AccountRequest | None:
            file.purge()
            return file.find(holder)

        return await self._file.asked(found)

    async def ask(self, app: App, seat: Seat, text: str) -> tuple[AccountRequest, bool]:
        """As request_file.RequestFile.ask. Raises GatewayError: ACCOUNT_PERSON, ACCOUNT_TEXT, and of the file."""
        new = request_of(holder_of(app, seat.identity), seat.identity, seat.tenant, text)
        return await self._file.asked(lambda file: file.ask(new))

    def close(self) -> None:
        self._file.close()
