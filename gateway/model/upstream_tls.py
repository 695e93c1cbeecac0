"""TLS towards an application."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.provider import ClientCertificate


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """`name`: the name that the certificate must hold; empty: the host of the URL.
    `sni`: the name sent in the handshake; empty: none; None: `name`.
    `pins`: certificates in DER. The application must present one of them; names and authorities do not count. Empty:
    names and authorities are checked.
    `minimum`: the oldest version.
    `client_certificate`: our certificate for the application.
    `legacy`: the profile for servers without newer versions.
    """

    name: str = ""
    sni: str | None = None
    pins: tuple[bytes, ...] = ()
    minimum: Literal["tls1.2", "tls1.3"] = "tls1.2"
    client_certificate: ClientCertificate | None = None
    legacy: Literal["tls1.0"] | None = None
