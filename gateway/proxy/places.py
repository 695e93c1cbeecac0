"""From a Host header to what answers there, for one snapshot."""

from collections.abc import Callable, Iterator
from typing import Final

from gateway.access.virtual_host import find_virtual_host
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import LIMIT_HEADERS, WIRE_HEADER, WIRE_HOST
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.proxy.lane import Lane
from gateway.proxy.pool import Pools
from gateway.proxy.shapes import Names, Shape, memorable
from gateway.wire.forwarded import client_chain, client_scheme, forwarded_headers
from gateway.wire.headers import HeaderPolicy

_REMEMBERED: Final = 4096
_REMEMBERED_LENGTH: Final = 256
_SHAPES: Final = 2048
_CLIENTS: Final = 2048
_PORTS: Final = {"http": 80, "https": 443}


def unnamed(identity: Identity) -> str:
    """Where no log is kept."""
    return ""


class Place:
    """One spelling of a Host header. `line`: the ready Host line for upstream; `authority`: for X-Forwarded-Host.

    `portal`: whether this is the portal's own host, which may be an application's too.
    """

    __slots__ = ("authority", "host", "lane", "line", "portal")

    def __init__(self, raw: bytes, host: str, lane: Lane, *, portal: bool) -> None:
        self.host = host
        self.lane = lane
        self.portal = portal
        self.authority = _authority(raw, host, lane.app)
        self.line = lane.host_line or b"\r\nHost: " + self.authority


def _authority(raw: bytes, host: str, app: App | None) -> bytes:
    """A port that is not the application's public one is told to none: it would stand in every link that it writes."""
    _, _, port = raw.partition(b":")
    if app is not None and port:
        public = app.port or _PORTS[app.scheme]
        port = port if int(port) == public else b"" if app.port is None else b"%d" % public
    return host.encode("ascii") + (b":" + port if port else b"")


Said = tuple[Place, str, str, bytes | None, bytes | None]
"""Where, the peer, the listener's scheme; X-Forwarded-For and -Proto of a listed proxy, None of anybody else."""

Client = tuple[tuple[str, ...], str, bytes]
"""The client first and each listed proxy on the way; what the browser used; the header lines that say so upstream."""


class Head:
    """A head of these names: where its one Host line is, and its shape under each application's policy."""

    __slots__ = ("host", "names", "shapes")

    def __init__(self, names: Names) -> None:
        self.names = names
        lower = [name.lower() for name in names]
        # RFC 9112 3.2: exactly one.
        if lower.count(b"host") != 1:
            raise GatewayError(WIRE_HOST, f"{lower.count(b'host')} Host headers")
        # RFC 9110 11.6.2 is no list: two readers could each believe another one.
        if lower.count(b"authorization") > 1:
            raise GatewayError(WIRE_HEADER, "two Authorization headers")
        self.host = lower.index(b"host")
        self.shapes: dict[HeaderPolicy, Shape] = {}

    def learn(self, names: Names, policy: HeaderPolicy) -> Shape:
        shape = self.shapes[policy] = Shape(names, policy)
        return shape


class Places:
    """`by_host`, `heads` and `clients` are looked up first; `find`, `learn_head` and `learn_client` do the rest. A new
    snapshot gets a new one, of another `number`."""

    __slots__ = (
        "_lanes", "_numbers", "_person", "_policies", "_pools", "by_host", "clients", "heads", "number", "snapshot",
    )  # fmt: skip

    def __init__(
        self, snapshot: Snapshot, pools: Pools, numbers: Iterator[int], person: Callable[[Identity], str] = unnamed
    ) -> None:
        self.snapshot = snapshot
        self._person = person
        self._pools = pools
        self._numbers = numbers
        self.number = next(numbers)
        self._lanes: dict[str, Lane] = {}
        self._policies: dict[frozenset[bytes], HeaderPolicy] = {}
        self.by_host: dict[bytes, Place] = {}
        self.heads: dict[Names, Head] = {}
        self.clients: dict[Said, Client] = {}

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return tuple(self._lanes.values())

    def find(self, raw: bytes) -> Place:
        """Raises GatewayError, as find_virtual_host."""
        found = find_virtual_host(self.snapshot, raw)
        place = Place(raw, found.name, self._lane(found.app), portal=found.portal)
        if len(raw) <= _REMEMBERED_LENGTH:
            if len(self.by_host) >= _REMEMBERED:
                self.by_host.clear()
            self.by_host[raw] = place
        return place

    def learn_head(self, names: Names) -> Head:
        """Raises GatewayError."""
        # The limit on bytes is met as they come; the number of lines here, once for all heads of the same names.
        most = self.snapshot.gateway.limits.headers_count
        if len(names) > most:
            raise GatewayError(LIMIT_HEADERS, f"over {most} header lines")
        head = Head(names)
        if memorable(names):
            # Strangers fill this; applications that inject the same names share their shapes.
            if len(self.heads) * max(len(self._policies), 8) >= _SHAPES:
                self.heads.clear()
            self.heads[names] = head
        return head

    def learn_client(self, said: Said) -> Client:
        place, peer, scheme, said_for, said_proto = said
        trusted = self.snapshot.gateway.trusted_proxies
        chain = client_chain(peer, said_for, trusted)
        scheme = client_scheme(scheme, peer, said_proto, trusted)
        client = chain, scheme, forwarded_headers(chain, scheme, place.authority)
        if len(said_for or b"") <= _REMEMBERED_LENGTH and len(said_proto or b"") <= _REMEMBERED_LENGTH:
            if len(self.clients) >= _CLIENTS:
                self.clients.clear()
            self.clients[said] = client
        return client

    def _lane(self, app: App | None) -> Lane:
        name = "" if app is None else app.name
        lane = self._lanes.get(name)
        if lane is None:
            pool = None if app is None else self._pools.of(app)
            folds: frozenset[bytes] = frozenset() if app is None else app.translation.header_folds
            policy = self._policies.setdefault(folds, HeaderPolicy.compile(folds))
            lane = self._lanes[name] = Lane(app, self.snapshot, pool, policy, self._numbers, self._person)
        return lane
