"""A client connection's memory between requests: its peer, and values that seldom change."""

from collections.abc import Mapping
from typing import Final

from gateway.access.virtual_host import VirtualHost
from gateway.config.snapshot import Snapshot
from gateway.model.session import Seat
from gateway.proxy.lane import HostLane
from gateway.proxy.tables import Client, RequestTables
from gateway.wire.forwarded import Peer
from gateway.wire.headers import FORWARDED_FOR, FORWARDED_PROTO

_NOT_LOOKED_AT: Final = Peer(None, listed=False)


class Memo:
    """`host`, `client`, `chain`, `scheme` and `forwarded` belong together. Holds the revision of a snapshot and not the
    snapshot, so a waiting connection keeps no old snapshot in memory."""

    __slots__ = (
        "_cookie", "_cookie_host", "_cookie_parts", "_peer", "_revision", "bound_to", "chain", "client", "forwarded",
        "host", "own_scheme", "peer", "scheme", "trusted",
    )  # fmt: skip

    def __init__(self, peer: str, own_scheme: str) -> None:
        """`peer`: the address at the other end; `own_scheme`: of the listener."""
        self.peer = peer
        self.own_scheme = self.scheme = own_scheme
        self.chain: tuple[str, ...] = (peer,)
        self._peer = _NOT_LOOKED_AT
        self.trusted = False
        self._revision = ""
        self.host: VirtualHost[HostLane] | None = None
        self.client: Client | None = None
        self.forwarded = b""
        self._cookie = b""
        self._cookie_host: VirtualHost[HostLane] | None = None
        self._cookie_parts: tuple[bytes | None, bytes] = None, b""
        self.bound_to: Seat | None = None

    def is_trusted(self, snapshot: Snapshot) -> bool:
        """Whether the peer is a listed proxy."""
        if self._revision != snapshot.revision:
            self._peer = Peer.of(self.peer, snapshot.gateway.trusted_proxies)
            self.trusted = self._peer.listed
            self._revision = snapshot.revision
        return self.trusted

    def tell_forwarded(self, host: VirtualHost[HostLane], rare: Mapping[int, bytes], tables: RequestTables) -> None:
        """Sets `chain` and `scheme`, and in `forwarded` the lines that name the client upstream."""
        said_for = said_proto = None
        if self.is_trusted(tables.snapshot):
            said_for, said_proto = rare.get(FORWARDED_FOR), rare.get(FORWARDED_PROTO)
        said = (self.peer, self.own_scheme, said_for, said_proto)
        client = self.client = tables.clients.get(said) or tables.learn_client(said, self._peer)
        self.chain, self.scheme = client.chain, client.scheme
        self.forwarded = host.authority.join(client.around_host)
        # Behind a listed proxy, each request may come from a different person.
        self.host = None if self.trusted else host

    def cookie_parts(self, cookie: bytes, host: VirtualHost[HostLane]) -> tuple[bytes | None, bytes]:
        """The value of our session cookie, and the application's part of the line. Raises
        GatewayError(wire_codes.COOKIE)."""
        if cookie != self._cookie or host is not self._cookie_host:
            self._cookie_parts = host.lane.cookies.read(cookie)
            self._cookie, self._cookie_host = cookie, host
        return self._cookie_parts
