"""What one client connection remembers between its requests: its peer, and the last of what seldom changes."""

from gateway.config.snapshot import Snapshot
from gateway.model.session import Seat
from gateway.proxy.places import Place, Places
from gateway.wire.addresses import contains, parse_address
from gateway.wire.headers import FORWARDED_FOR, FORWARDED_PROTO


class Memo:
    """`place` and `forwarded` belong together; so do `cookie` with `cookie_place`, `cookie_value` and `cookie_rest`."""

    __slots__ = (
        "bound_to", "chain", "cookie", "cookie_place", "cookie_rest", "cookie_value", "forwarded", "own_scheme",
        "peer", "place", "scheme", "snapshot", "trusted",
    )  # fmt: skip

    def __init__(self, peer: str, own_scheme: str) -> None:
        """`peer`: the address at the other end; `own_scheme`: of the listener."""
        self.peer = peer
        self.own_scheme = self.scheme = own_scheme
        self.chain: tuple[str, ...] = (peer,)
        self.trusted = False
        self.snapshot: Snapshot | None = None
        self.place: Place | None = None
        self.forwarded = b""
        self.cookie: bytes | None = None
        self.cookie_place: Place | None = None
        self.cookie_value: bytes | None = None
        self.cookie_rest = b""
        self.bound_to: Seat | None = None

    def is_trusted(self, snapshot: Snapshot) -> bool:
        """Whether the peer is a listed proxy."""
        if self.snapshot is not snapshot:
            address = parse_address(self.peer)
            self.trusted = address is not None and contains(snapshot.gateway.trusted_proxies, address)
            self.snapshot = snapshot
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

    def read_cookie(self, cookie: bytes, place: Place) -> None:
        """Raises GatewayError(WIRE_COOKIE)."""
        self.cookie_place = None
        self.cookie_value, self.cookie_rest = place.lane.cookies.read(cookie)
        self.cookie, self.cookie_place = cookie, place
