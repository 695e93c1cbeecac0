"""TLS of the gateway's listeners. After a reload, new certificates replace the certificates in use."""

import os
import ssl
from collections.abc import Sequence

from gateway.config.snapshot import Listener, ListenerCertificate
from gateway.ops.memory_file import in_memory


class ListenerContexts:
    """The contexts of a listener's certificates, by the names in the certificates."""

    def __init__(self, certificates: Sequence[ListenerCertificate]) -> None:
        """Raises ssl.SSLError for a pair that cannot be used."""
        self._by_name: dict[str, ssl.SSLContext] = {}
        contexts = [_context(certificate) for certificate in certificates]
        self._first = contexts[0]
        for certificate, context in zip(certificates, contexts, strict=True):
            for name in certificate.names:
                self._by_name.setdefault(name, context)

    def of(self, name: str | None) -> ssl.SSLContext:
        """The context for a name. A wildcard stands for one label.

        `name`: the name that the client asks for; None without a name."""
        if name is None:
            return self._first
        asked = name.lower()
        exact = self._by_name.get(asked)
        if exact is not None:
            return exact
        return self._by_name.get(f"*.{asked.partition('.')[2]}", self._first)


class Handshakes:
    """Handshakes of a listener. The server is opened with `outer`, and each handshake that begins gets the newest
    context.

    Loading a newer pair into a live context would not do: if the new key has another kind (RSA, EC), the older pair
    stays beside it, and the client chooses.
    """

    def __init__(self, contexts: ListenerContexts) -> None:
        self._newest = contexts
        self.outer = _settings()
        self.outer.sni_callback = self._choose

    def use(self, contexts: ListenerContexts) -> None:
        self._newest = contexts

    def _choose(self, handshake: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        """Called for every handshake, whether or not it names a server."""
        handshake.context = self._newest.of(name)


def tls_contexts(listeners: Sequence[Listener]) -> tuple[ListenerContexts | None, ...]:
    """The contexts of each listener; None for a listener without TLS. Raises ssl.SSLError for a pair that cannot be
    used."""
    return tuple(ListenerContexts(one.certificates) if one.certificates else None for one in listeners)


def _context(pair: ListenerCertificate) -> ssl.SSLContext:
    context = _settings()
    certificate, key = in_memory(pair.certificate), in_memory(pair.key)
    try:
        # The ssl module reads only files: these files are in memory, under names of this process.
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
