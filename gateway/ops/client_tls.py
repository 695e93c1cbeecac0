"""TLS to a server that the gateway queries."""

import os
import ssl

from gateway.model.provider import ClientCertificate
from gateway.ops.memory_file import in_memory


def tls_context(ca: bytes | None, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """Makes the TLS context.

    `ca`: PEM, trusted in place of the system's authorities; None: the system's.
    `certificate`: the gateway's client certificate, checked against its key when the configuration was read; None: no
    certificate.
    """
    context = ssl.create_default_context(cadata=None if ca is None else ca.decode("ascii"))
    context.set_alpn_protocols(("http/1.1",))
    if certificate is not None:
        show_certificate(context, certificate)
    return context


def show_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Loads the client certificate into the context. The ssl module reads only files: the certificate and the key
    are memory files, under names that only this process has.
    """
    shown, key = in_memory(certificate.certificate), in_memory(certificate.key)
    try:
        context.load_cert_chain(f"/proc/self/fd/{shown}", f"/proc/self/fd/{key}")
    finally:
        os.close(shown)
        os.close(key)
