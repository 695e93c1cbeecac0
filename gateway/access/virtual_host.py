"""From a Host header to the application that answers there."""

from dataclasses import dataclass

from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import APP_CLOSED, HOST_UNKNOWN
from gateway.model.errors import GatewayError
from gateway.wire.host import canonical_host


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """`name`: canonical. `portal`: whether it is the portal's own. `app`: None where only the portal is there."""

    name: str
    app: App | None
    portal: bool


def find_virtual_host(snapshot: Snapshot, raw: bytes) -> VirtualHost:
    """`raw`: a Host header, or the authority of a target. Raises GatewayError: WIRE_HOST for what is no host name,
    HOST_UNKNOWN where nothing answers, APP_CLOSED for a host of a file that was left out."""
    name = canonical_host(raw)
    app = snapshot.find_app(name)
    portal = name == snapshot.gateway.portal_host
    if app is None and not portal:
        closed = snapshot.closed_by(name)
        raise GatewayError(APP_CLOSED, f"{name}: {closed}") if closed else GatewayError(HOST_UNKNOWN, name)
    return VirtualHost(name, app, portal)
