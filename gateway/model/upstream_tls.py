"""What is asked of the TLS of an application."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.provider import ClientCertificate


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """`name`: the one that its certificate has to hold, empty for the host of its URL. `sni`: the name that is said in
    the handshake, empty for none, None for `name`. `pins`: certificates in DER, of which it has to show one, whatever
    names and authority that has; empty where names and authorities are asked. `minimum`: the oldest version.
    `client_certificate`: what we show it. `legacy`: the profile for servers that know nothing newer."""

    name: str = ""
    sni: str | None = None
    pins: tuple[bytes, ...] = ()
    minimum: Literal["tls1.2", "tls1.3"] = "tls1.2"
    client_certificate: ClientCertificate | None = None
    legacy: Literal["tls1.0"] | None = None
