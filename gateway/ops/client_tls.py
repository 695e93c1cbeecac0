"""TLS towards a server that we ask."""

import os
import ssl

from gateway.model.provider import ClientCertificate
from gateway.ops.memory_file import in_memory


def tls_context(ca: bytes | None, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """`ca`: PEM, trusted instead of the system's. `certificate`: ours, checked with its key when it was configured."""
    context = ssl.create_default_context(cadata=None if ca is None else ca.decode("ascii"))
    context.set_alpn_protocols(("http/1.1",))
    if certificate is not None:
        show_certificate(context, certificate)
    return context


def show_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """The ssl module reads files only: these are in memory, and their names are ours alone."""
    shown, key = in_memory(certificate.certificate), in_memory(certificate.key)
    try:
        context.load_cert_chain(f"/proc/self/fd/{shown}", f"/proc/self/fd/{key}")
    finally:
        os.close(shown)
        os.close(key)
