"""TLS on a listener, and how a newer certificate takes the place of the one in use."""

import os
import ssl
from collections.abc import Sequence

from gateway.config.snapshot import Listener


class Handshakes:
    """`outer` is what the server is opened with; each handshake that begins is given to the newest context.

    Loading a newer pair into a live context would not do: where its key is of another kind (RSA, EC), the older one
    stays beside it, and the client chooses.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._newest = context
        self.outer = _settings()
        self.outer.sni_callback = self._choose

    def use(self, context: ssl.SSLContext) -> None:
        self._newest = context

    def _choose(self, handshake: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        """Called for every handshake, whether or not it names a server."""
        handshake.context = self._newest


def tls_contexts(listeners: Sequence[Listener]) -> tuple[ssl.SSLContext | None, ...]:
    """One a listener, None without TLS. Raises ssl.SSLError for a pair that cannot be used."""
    return tuple(map(_context, listeners))


def _context(listener: Listener) -> ssl.SSLContext | None:
    if listener.certificate is None or listener.key is None:
        return None
    context = _settings()
    certificate, key = _in_memory(listener.certificate), _in_memory(listener.key)
    try:
        # The ssl module reads files only: they are in memory, and their names are ours alone.
        context.load_cert_chain(f"/proc/self/fd/{certificate}", f"/proc/self/fd/{key}")
    finally:
        os.close(certificate)
        os.close(key)
    return context


def _settings() -> ssl.SSLContext:
    """TLS 1.2 with forward secrecy and authenticated encryption, or 1.3 (ANSSI SDE-NT-35)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    return descriptor
