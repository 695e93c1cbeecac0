"""Which of several addresses comes first for a request. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Final, Protocol, TypeVar
from zlib import crc32

from gateway.model.balancing import BalanceBy

# Slots: the keys of a slot go to the same address. Each address has its share of the slots within a few percent.
_SLOTS: Final = 1024


class Addressed(Protocol):
    """`place`: host and port, the same in every worker and on every machine.
    `in_flight`: requests.
    """

    place: str
    in_flight: int


AddressT = TypeVar("AddressT", bound=Addressed)
AddressT_co = TypeVar("AddressT_co", bound=Addressed, covariant=True)
_in_flight = attrgetter("in_flight")


class Order(Protocol[AddressT_co]):
    """`first`: the address for a request with this key, if the address can take a request.
    `all`: the addresses in the order of preference; with the same key, `first` comes first.
    """

    def first(self, key: bytes) -> AddressT_co: ...

    def all(self, key: bytes) -> Sequence[AddressT_co]: ...


class RoundRobin(Order[AddressT]):
    """Round robin."""

    def __init__(self, addresses: Sequence[AddressT]) -> None:
        self._ring = deque(addresses)

    def first(self, key: bytes) -> AddressT:
        ring = self._ring
        ring.rotate(-1)
        return ring[0]

    def all(self, key: bytes) -> Sequence[AddressT]:
        return tuple(self._ring)


class LeastConnections(Order[AddressT]):
    """The address with the fewest requests under way; round robin among equals."""

    def __init__(self, addresses: Sequence[AddressT]) -> None:
        self._ring = deque(addresses)

    def first(self, key: bytes) -> AddressT:
        ring = self._ring
        ring.rotate(-1)
        return min(ring, key=_in_flight)

    def all(self, key: bytes) -> Sequence[AddressT]:
        return sorted(self._ring, key=_in_flight)


class BySeat(Order[AddressT]):
    """Picks the same address for the same key, in every worker and after every restart. If an address comes or goes,
    only the keys of that address move (rendezvous hashing, Thaler and Ravishankar 1998)."""

    def __init__(self, addresses: Sequence[AddressT]) -> None:
        self._addresses = addresses
        self._table: dict[int, tuple[AddressT, ...]] = {}

    def first(self, key: bytes) -> AddressT:
        return self.all(key)[0]

    def all(self, key: bytes) -> Sequence[AddressT]:
        slot = crc32(key) % _SLOTS
        try:
            return self._table[slot]
        except KeyError:
            found = sorted(self._addresses, key=lambda one: _weight(one.place, slot), reverse=True)
            return self._table.setdefault(slot, tuple(found))


def _weight(place: str, slot: int) -> bytes:
    return blake2b(b"%d %b" % (slot, place.encode()), digest_size=8).digest()


def order_of(balance: BalanceBy, addresses: Sequence[AddressT]) -> Order[AddressT]:
    kinds: dict[BalanceBy, Callable[[Sequence[AddressT]], Order[AddressT]]] = {
        "round_robin": RoundRobin,
        "least_connections": LeastConnections,
        "seat": BySeat,
    }
    return kinds[balance](addresses)
