"""What one client connection remembers between its requests: its peer, and the last of what seldom changes."""

from gateway.config.snapshot import Snapshot
from gateway.model.session import Seat
from gateway.proxy.places import Place, Places
from gateway.wire.addresses import contains, parse_address
from gateway.wire.headers import FORWARDED_FOR, FORWARDED_PROTO


class Memo:
    """`place`, `chain`, `scheme` and `forwarded` belong together. No snapshot is kept alive by a connection that waits:
    only which one it was is remembered."""

    __slots__ = (
        "_cookie", "_cookie_parts", "_cookie_place", "_revision", "bound_to", "chain", "forwarded", "own_scheme",
        "peer", "place", "scheme", "trusted",
    )  # fmt: skip

    def __init__(self, peer: str, own_scheme: str) -> None:
        """`peer`: the address at the other end; `own_scheme`: of the listener."""
        self.peer = peer
        self.own_scheme = self.scheme = own_scheme
        self.chain: tuple[str, ...] = (peer,)
        self.trusted = False
        self._revision = ""
        self.place: Place | None = None
        self.forwarded = b""
        self._cookie = b""
        self._cookie_place: Place | None = None
        self._cookie_parts: tuple[bytes | None, bytes] = None, b""
        self.bound_to: Seat | None = None

    def is_trusted(self, snapshot: Snapshot) -> bool:
        """Whether the peer is a listed proxy."""
        if self._revision != snapshot.revision:
            address = parse_address(self.peer)
            self.trusted = address is not None and contains(snapshot.gateway.trusted_proxies, address)
            self._revision = snapshot.revision
        return self.trusted

    def tell_forwarded(self, place: Place, rare: dict[int, bytes], places: Places) -> None:
        """What goes upstream of who the client is, and `chain` and `scheme` for ourselves."""
        said_for = said_proto = None
        if self.is_trusted(places.snapshot):
            said_for, said_proto = rare.get(FORWARDED_FOR), rare.get(FORWARDED_PROTO)
        said = (place, self.peer, self.own_scheme, said_for, said_proto)
        self.chain, self.scheme, self.forwarded = places.clients.get(said) or places.learn_client(said)
        # Behind a listed proxy each request may be another person's.
        self.place = None if self.trusted else place

    def cookie_parts(self, cookie: bytes, place: Place) -> tuple[bytes | None, bytes]:
        """The value of our session's cookie, and what is the application's. Raises GatewayError(WIRE_COOKIE)."""
        if cookie != self._cookie or place is not self._cookie_place:
            self._cookie_parts = place.lane.cookies.read(cookie)
            self._cookie, self._cookie_place = cookie, place
        return self._cookie_parts
