"""Bounds the memory for unfinished forms to the portal, over all clients together.

Anybody may send forms (invariant 15). The first UNCOUNTED bytes of a form are free: most forms need no more, so people
can sign in while a flood fills the rest.
"""

from typing import Final

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError

# An encrypted assertion of a usual provider makes a form of some 20,000 bytes.
UNCOUNTED: Final = 32 << 10
MOST_OF_ONE: Final = 8 << 20
MOST: Final = 64 << 20


class Spool:
    """One per worker. Counts the bytes over UNCOUNTED of each form, by client."""

    __slots__ = ("_held", "_of")

    def __init__(self) -> None:
        self._held = 0
        self._of: dict[str, int] = {}

    def hold(self, client: str, size: int) -> None:
        """GatewayError(login_codes.BUSY): too much is held already."""
        of_one = self._of.get(client, 0) + size
        if of_one > MOST_OF_ONE or self._held + size > MOST:
            raise GatewayError(login_codes.BUSY, f"{self._held} bytes of incomplete forms, {of_one} of one client")
        self._of[client] = of_one
        self._held += size

    def let_go(self, client: str, size: int) -> None:
        self._held -= size
        left = self._of[client] - size
        if left:
            self._of[client] = left
        else:
            del self._of[client]


class Spooled:
    """A form that is arriving."""

    __slots__ = ("_bytes", "_client", "_counted", "_spool")

    def __init__(self, spool: Spool, client: str) -> None:
        self._spool = spool
        self._client = client
        self._counted = 0
        # Not a list of pieces: pieces of two bytes would take twenty times the memory.
        self._bytes = bytearray()

    def add(self, piece: bytes) -> None:
        """Raises GatewayError(login_codes.BUSY)."""
        more = len(self._bytes) + len(piece) - UNCOUNTED - self._counted
        if more > 0:
            self._spool.hold(self._client, more)
            self._counted += more
        self._bytes += piece

    def take(self) -> bytes:
        """Returns the whole form and frees its room."""
        if self._counted:
            self._spool.let_go(self._client, self._counted)
            self._counted = 0
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken
