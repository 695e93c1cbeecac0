"""The count of connections, and whether one more may be had: from accept on, before a handshake begins or anything is
read.

Of descriptors, the lowest that is free is always the next. So whoever is let in only below some number leaves all above
it to others: a third is for strangers, a sixth more for addresses of people who are signed in, and half for connections
to applications and for files. Of `limits.connections`, an eighth is for those addresses in the same way.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from time import monotonic
from typing import Final

from gateway.config.snapshot import Limits, Snapshot
from gateway.model.codes import limit_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import ErrorPages, Reader
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.wire.addresses import IpNetwork, client_key, contains, parse_address

# Reasons for turning a client away, with the operator's remedies.
OF_ONE: Final = "client"
OF_ALL: Final = "all"
DESCRIPTORS: Final = "descriptors"
_REMEDIES: Final = {
    OF_ONE: "an address has reached limits.connections_per_client; if many people share it, list its network: "
    "limits.networks",
    OF_ALL: "limits.connections is reached, or its part for addresses without signed-in people",
    DESCRIPTORS: "the process may not open more files: raise its limit (LimitNOFILE)",
}
_EXHAUSTED: Final = "no more files can be opened: raise the limit of the process (LimitNOFILE), or lower limits"

_A_LINE_EVERY: Final = 60.0
_LISTED: Final = 4096
_NEVER: Final = float("-inf")

# Seconds: an address counts as seen for ten minutes. An address in constant use is noted once a minute.
_REMEMBERED: Final = 660.0
_NOTED_EVERY: Final = 60.0
_MOST_KNOWN: Final = 65_536
# Addresses per message to the other workers. Further addresses follow a minute later.
_TOLD_AT_ONCE: Final = 2_000


class CountedConnection:
    """A connection that counts until `leave`.

    `peer`: the client's address, from the PROXY header if a server in front sends one.
    `secure`: the client spoke TLS with that server.
    `is_told`: a PROXY header named the client.
    `is_front`: the server in front declared the connection its own (LOCAL).
    """

    __slots__ = ("_admission", "_key", "is_front", "is_told", "peer", "secure")

    def __init__(self, admission: "Admission", key: str, peer: str, *, is_front: bool) -> None:
        self.peer = peer
        self.secure = self.is_told = False
        self.is_front = is_front
        self._admission: Admission | None = admission
        self._key = key

    def leave(self) -> None:
        """Uncounts the connection. A second call does nothing."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.left(self._key)


class Admission:
    """One per worker. `descriptors`: the process's limit. `held`: the open connections, including handshakes."""

    def __init__(
        self, *, descriptors: int, counters: Counters, log: Log, pages: ErrorPages, ids: Iterator[bytes]
    ) -> None:
        self._descriptors = descriptors
        self._below = descriptors // 3, descriptors // 2
        self._counters = counters
        self._log = log
        self._pages = pages
        self._ids = ids
        self._counts: dict[str, int] = {}
        self._listed: dict[str, int] = {}
        self._lines: dict[str, tuple[float, int]] = {}
        self._refusal = b""
        self.known = KnownAddresses()
        self.held = 0
        self._limits = Limits()
        self._trusted: tuple[IpNetwork, ...] = ()

    def follow(self, snapshot: Snapshot) -> None:
        self._limits, self._trusted = snapshot.gateway.limits, snapshot.gateway.trusted_proxies
        self._listed.clear()

    def enter(self, peer: str, descriptor: int, *, front: bool = False) -> CountedConnection | None:
        """Counts a connection; None: one too many. `front`: the connection comes from a listed server before its PROXY
        header. An address from the header never counts as a front, even in the list's networks."""
        trusted = front or self._is_trusted(peer)
        # Connections of a listed proxy do not count against other addresses of the same /64.
        key = peer if ":" in peer and trusted else client_key(peer)
        count = self._counts.get(key, 0) + 1
        why = self._too_many(peer, key, count, descriptor, trusted=trusted)
        if why:
            self._turned_away(why, peer)
            return None
        self._counts[key] = count
        self.held += 1
        return CountedConnection(self, key, peer, is_front=front)

    def left(self, key: str) -> None:
        self.held -= 1
        count = self._counts[key] - 1
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]

    def seen(self, peer: str, now: float) -> None:
        """Notes the network of a signed-in person. The /64 of a listed proxy is not noted: its people are elsewhere."""
        if ":" not in peer or not self._is_trusted(peer):
            self.known.seen(client_key(peer), now)

    def mistaken(self, peer: str, error: GatewayError) -> None:
        """Logs a connection to a PROXY listener from an unlisted address, or without a header."""
        self._counters.add("ecluse_connections_refused_total", error.code.id)
        if times := self._line_due(error.code.id):
            self._log.event(
                "connections.refused",
                code=error.code.id,
                reason=error.code.id,
                client=peer,
                connections=times,
                detail=error.detail,
            )

    def refusal(self) -> bytes:
        """The whole answer to who is turned away from a plain listener; its reference leads to the line of the log."""
        return self._refusal

    def exhausted(self, place: str) -> None:
        """The system refused a descriptor."""
        self._counters.add("ecluse_descriptors_exhausted_total", place)
        if times := self._line_due(f"{place} without descriptors"):
            self._log.event(
                "descriptors.exhausted", place=place, times=times, limit=self._descriptors, detail=_EXHAUSTED
            )

    def _too_many(self, peer: str, key: str, count: int, descriptor: int, *, trusted: bool) -> str:
        limits = self._limits
        most = self._listed_for(peer, key) if limits.networks else 0
        if count > (most or limits.connections_per_client) and (most or not trusted):
            return OF_ONE
        strangers, everybody = self._below
        if descriptor >= everybody:
            return DESCRIPTORS
        if self.held >= limits.connections:
            return OF_ALL
        near = self.held >= limits.connections - limits.connections // 8
        if (near or descriptor >= strangers) and not (trusted or self.known.holds(key, monotonic())):
            return OF_ALL if near else DESCRIPTORS
        return ""

    def _is_trusted(self, peer: str) -> bool:
        address = parse_address(peer) if self._trusted else None
        return address is not None and contains(self._trusted, address)

    def _listed_for(self, peer: str, key: str) -> int:
        """The limit of connections for an address in a listed network; 0: not listed."""
        most = self._listed.get(key)
        if most is None:
            address = parse_address(peer)
            # The most specific comes first.
            networks = self._limits.networks
            most = next((most for network, most in networks if address is not None and address in network), 0)
            if len(self._listed) >= _LISTED:
                self._listed.clear()
            self._listed[key] = most
        return most

    def _turned_away(self, why: str, peer: str) -> None:
        self._counters.add("ecluse_connections_refused_total", why)
        times = self._line_due(why)
        if times or not self._refusal:
            reference = next(self._ids).decode("ascii")
            page = self._pages.render(limit_codes.CONNECTIONS, kind="json", reader=Reader(), reference=reference)
            lines = [b"HTTP/1.1 503 %b" % HTTPStatus(page.status).phrase.encode("ascii")]
            lines += [b"%b: %b" % header for header in page.headers]
            lines += [b"Content-Length: %d" % len(page.body), b"Connection: close", b"", page.body]
            self._refusal = b"\r\n".join(lines)
            self._log.event(
                "connections.refused",
                code=limit_codes.CONNECTIONS.id,
                reason=why,
                client=peer,
                connections=max(times, 1),
                detail=_REMEDIES[why],
                request_id=reference,
            )

    def _line_due(self, what: str) -> int:
        """Returns how often the event occurred since the last line, if a new line is due; else 0."""
        now = monotonic()
        told, times = self._lines.get(what, (_NEVER, 0))
        due = now - told >= _A_LINE_EVERY
        self._lines[what] = (now, 0) if due else (told, times + 1)
        return times + 1 if due else 0


class KnownAddresses:
    """Addresses from which signed-in people came lately: a flood of strangers does not affect them. At most `most`
    addresses; the one noted least lately goes first. Times are monotonic seconds."""

    __slots__ = ("_at", "_fresh", "_most")

    def __init__(self, most: int = _MOST_KNOWN) -> None:
        self._at: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._most = most

    def seen(self, address: str, now: float) -> None:
        """Notes an address as seen, and as news for the other workers."""
        if now - self._at.get(address, _NEVER) >= _NOTED_EVERY:
            self._note(address, now)
            if len(self._fresh) < _TOLD_AT_ONCE:
                self._fresh.add(address)

    def learn(self, addresses: Iterable[str], now: float) -> None:
        """Notes addresses that another worker saw."""
        for address in addresses:
            self._note(address, now)

    def news(self) -> list[str]:
        """Returns the addresses noted here since the last call."""
        fresh, self._fresh = self._fresh, set()
        return sorted(fresh)

    def holds(self, address: str, now: float) -> bool:
        return now - self._at.get(address, _NEVER) < _REMEMBERED

    def _note(self, address: str, now: float) -> None:
        self._at.pop(address, None)
        while len(self._at) >= self._most:
            del self._at[next(iter(self._at))]
        self._at[address] = now
