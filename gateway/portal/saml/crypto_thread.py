"""Where XML and RSA are worked on: a thread, so that the loop never waits (invariant 14).

One for each worker, and there are as many workers as cores: a second thread would only contend with the loop for the
interpreter lock. 200 sign-ins a second then cost those at work several times the latency.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.model.codes import LOGIN_BUSY
from gateway.model.errors import GatewayError

Made = TypeVar("Made")

# At some 2 ms each, a second's work: who comes later is told to come again, rather than kept waiting for ever.
_MOST_WAITING = 500


class CryptoThread:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saml")
        self._waiting = 0

    async def do(self, work: Callable[[], Made]) -> Made:
        """Raises what `work` raises, and GatewayError(LOGIN_BUSY) where too much waits already."""
        if self._waiting >= _MOST_WAITING:
            raise GatewayError(LOGIN_BUSY, f"{self._waiting} SAML messages wait for the thread")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
