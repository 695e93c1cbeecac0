"""A request as a person writes it: `GET https://permis.example.org/admin/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from gateway.access.virtual_host import host_of
from gateway.config.schema.scalars import Wrong
from gateway.config.snapshot import App, Snapshot
from gateway.model.errors import GatewayError
from gateway.wire.addresses import parse_address
from gateway.wire.target import absolute_form

# Characters that browsers send as they are. Blanks and what is not ASCII they escape as UTF-8.
_AS_THEY_ARE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """`text`: as written. `authority`, `target`: as sent over the wire."""

    text: str
    method: str
    authority: bytes
    target: bytes


def app_asked(snapshot: Snapshot, request: WrittenRequest) -> App | None:
    """The application at the host. Raises GatewayError for text that is not a host."""
    return snapshot.find_app(host_of(request.authority, snapshot), request.target.decode("latin-1"))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts for rules beside the request line. `client` None: unknown. `now`: Unix seconds."""

    now: float
    client: IPv4Address | IPv6Address | None = None
    headers: tuple[tuple[str, str], ...] = ()


def circumstances_of(now: float, client: str | None, headers: Mapping[str, str], at: str | None) -> Circumstances:
    """`client` and `at`: as schema.policy_tests checks them. `now`: used where there is no `at`."""
    return Circumstances(
        now if at is None else datetime.fromisoformat(at).timestamp(),
        None if client is None else parse_address(client),
        tuple((name.lower(), value) for name, value in headers.items()),
    )


def parse_request(text: str) -> WrittenRequest:
    """Raises Wrong."""
    method, _, url = text.strip().partition(" ")
    try:
        _, authority, target = absolute_form(quote(url.strip(), safe=_AS_THEY_ARE).partition("#")[0].encode("ascii"))
    except GatewayError:
        raise Wrong("a request is a method and a whole address", "GET https://permis.example.org/admin/") from None
    return WrittenRequest(text, method, authority, target)
