"""When seats were used last, gathered for a while and written together."""

from gateway.model.errors import GatewayError
from gateway.stores.records import RecordStore, Touch
from gateway.stores.sealing import read_cookie

_AT_ONCE = 200


class Touches:
    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._waiting: dict[bytes, int] = {}

    def add(self, cookie: bytes, at: int) -> None:
        """`at`: Unix seconds."""
        self._waiting[cookie] = at

    async def write(self) -> None:
        """Raises GatewayError(store_codes.UNREACHABLE): what could not be written waits for the next time."""
        while self._waiting:
            batch = [self._waiting.popitem() for _ in range(min(len(self._waiting), _AT_ONCE))]
            presented = ((read_cookie(cookie), at) for cookie, at in batch)
            try:
                await self._store.touch([Touch(seat.key, at) for seat, at in presented if seat is not None])
            except GatewayError:
                self._waiting = {**dict(batch), **self._waiting}
                raise
