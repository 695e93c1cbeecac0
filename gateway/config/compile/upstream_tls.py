"""What an app file asks of the TLS of its application, as it goes to the workers."""

from typing import Final

from gateway.config.check.pem import certificate_der
from gateway.config.compile.served import Material, served
from gateway.config.problems import Path
from gateway.config.schema.upstream import UpstreamTlsSection
from gateway.model.provider import ClientCertificate
from gateway.model.upstream_tls import UpstreamTls

_TLS: Final[Path] = ("upstream", "tls")


def serve_upstream_tls(file: str, model: UpstreamTlsSection, material: Material) -> UpstreamTls:
    return served(
        UpstreamTls,
        model,
        name=model.name or "",
        sni="" if model.sni == "none" else model.sni,
        pins=tuple(certificate_der(material[file, (*_TLS, "pins", index)]) for index in range(len(model.pins))),
        client_certificate=None if model.client_certificate is None else _shown(file, material),
    )


def _shown(file: str, material: Material) -> ClientCertificate:
    path: Path = (*_TLS, "client_certificate")
    return ClientCertificate(material[file, (*path, "certificate")], material[file, (*path, "key")])
