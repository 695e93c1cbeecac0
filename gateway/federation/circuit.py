"""A provider that does not answer is left alone for a while: its users are told at once, not after ten seconds each."""

from collections.abc import Callable

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE
from gateway.model.errors import GatewayError

FAILURES = 3
PAUSE = 10.0


class Circuit:
    """The circuit of one provider. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until = float("-inf")
        self._in_doubt = False

    def enter(self) -> None:
        """Before a call. GatewayError(LOGIN_PROVIDER_UNREACHABLE) during a pause; after it, one call goes to see."""
        left = self._closed_until - self._clock()
        if left > 0:
            detail = f"not asked: it did not answer {self._failures} times in a row; asked again in {left:.0f} s"
            raise GatewayError(LOGIN_PROVIDER_UNREACHABLE, detail)
        if self._failures >= FAILURES:
            self._closed_until = self._clock() + PAUSE

    def doubted(self) -> bool:
        """A call that carries what a stranger sent was not answered, which by itself proves nothing of the provider.
        True: the caller is to find out, by a call of its own, whether the provider answers at all."""
        first, self._in_doubt = not self._in_doubt, True
        return first

    def answered(self) -> None:
        self._in_doubt = False
        self._failures = 0
        self._closed_until = float("-inf")

    def failed(self) -> None:
        self._in_doubt = False
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_until = self._clock() + PAUSE
