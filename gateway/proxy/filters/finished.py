"""Takes the place of an exchange whose response has arrived but is not yet written completely."""

from typing import Final, final

from gateway.wire.fences import Fence


@final
class FinishedExchange:
    """The application's connection already carries another request."""

    revalidated: Final = True

    def write(self, piece: bytes) -> None:
        """The request was sent."""

    def await_response(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def abandon(self) -> None: ...

    def room(self) -> int:
        return 0

    def drains(self) -> bool:
        return True

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def has_moved(self, within: float) -> bool:
        return True

    def is_beyond(self, fence: Fence | None) -> bool:
        return False


FINISHED: Final = FinishedExchange()
