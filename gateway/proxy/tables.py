"""A worker's knowledge under one snapshot: hosts, layouts of heads, and clients."""

from collections.abc import Callable, Iterator
from typing import Final

from gateway.access.application import Preparing, unnamed
from gateway.access.preparation import translated
from gateway.access.remembered import Remembered
from gateway.access.virtual_host import HostTable
from gateway.config.snapshot import App, Snapshot
from gateway.model.identity import Identity
from gateway.proxy.http1.request_heads import RequestHeads
from gateway.proxy.known_heads import KnownHeads
from gateway.proxy.known_questions import KnownQuestions
from gateway.proxy.lane import HostLane, Lane, PortalLane
from gateway.proxy.upstream.pools import Pools
from gateway.wire.forwarded import Peer, around_host, client_chain, client_scheme
from gateway.wire.headers import HeaderPolicy

_REMEMBERED_LENGTH: Final = 256
_CLIENTS: Final = 2048

Said = tuple[str, str, bytes | None, bytes | None]
"""The peer, the listener's scheme, X-Forwarded-For and X-Forwarded-Proto. The latter are None unless the peer is a
listed proxy."""


class Client:
    """A client, as the forwarding headers describe it.

    `chain`: the client first, then each listed proxy on the way.
    `scheme`: the browser's scheme.
    `around_host`: the header lines for upstream, before and after the host.
    `let_in`: a signed-in person came from this address (gateway.access.remembered).
    """

    __slots__ = ("around_host", "chain", "let_in", "scheme")

    def __init__(self, chain: tuple[str, ...], scheme: str) -> None:
        self.chain = chain
        self.scheme = scheme
        self.around_host = around_host(chain, scheme)
        self.let_in = False


class RequestTables(HostTable[HostLane]):
    """`by_host` and `clients` are looked up first; `find` and `learn_client` do the rest. A new snapshot gets new ones,
    of another `number`."""

    __slots__ = (
        "_clients", "_numbers", "_person", "_policies", "_pools", "_prepare", "asked", "clients", "heads", "known",
        "number",
    )  # fmt: skip

    def __init__(
        self,
        snapshot: Snapshot,
        pools: Pools,
        numbers: Iterator[int],
        person: Callable[[Identity], str] = unnamed,
        prepare: Preparing = translated,
    ) -> None:
        super().__init__(snapshot)
        self._person = person
        self._prepare = prepare
        self._pools = pools
        self._numbers = numbers
        self.number = next(numbers)
        self._policies: dict[tuple[frozenset[bytes], frozenset[bytes]], HeaderPolicy] = {}
        self.heads = RequestHeads(self.newcomers, snapshot.gateway.limits.headers_count)
        self.known = KnownHeads(self.newcomers)
        self.asked = KnownQuestions(self.newcomers, self.heads, self.known)
        self._clients: Remembered[Said, Client] = Remembered(self.newcomers, _CLIENTS)
        self.clients = self._clients.values

    def learn_client(self, said: Said, peer: Peer) -> Client:
        """Makes and remembers the client of these lines. `peer`: the first of `said`, looked up under this snapshot."""
        _, scheme, said_for, said_proto = said
        chain = client_chain(peer, said_for, self.snapshot.gateway.trusted_proxies)
        client = Client(chain, client_scheme(scheme, peer, said_proto))
        if len(said_for or b"") <= _REMEMBERED_LENGTH and len(said_proto or b"") <= _REMEMBERED_LENGTH:
            self._clients.add(said, client)
        return client

    def make_lane(self, app: App) -> Lane:
        listed = frozenset(name.lower().encode("ascii") for name in app.client_headers)
        policy, pool = self._policy(app.header_folds, listed), self._pools.of(app)
        return Lane(app, self.snapshot, pool, policy, self._numbers, self._person, self._prepare, self.newcomers)

    def make_portal_lane(self) -> PortalLane:
        return PortalLane(self.snapshot, self._policy(frozenset(), frozenset()), self.newcomers)

    def _policy(self, folds: frozenset[bytes], listed: frozenset[bytes]) -> HeaderPolicy:
        """Returns a shared policy for lanes with the same names."""
        return self._policies.setdefault((folds, listed), HeaderPolicy.compile(folds, listed))
