"""TLS to an application: checks the application's certificate and sends the gateway's. Proxied requests, health
checks, sign-out calls and form login use the same context.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from gateway.config.upstream_settings import Upstream
from gateway.model.upstream_tls import UpstreamTls
from gateway.ops.client_tls import show_certificate, tls_context
from gateway.wire.certificate_names import holds_name

# OpenSSL's error number for a failed verification.
_CERTIFICATE_VERIFY_FAILED: Final = 1
# Old servers support only CBC and SHA-1, and short keys. Ciphers without encryption or without a certificate stay
# excluded.
_LEGACY_CIPHERS: Final = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=0"


def upstream_context(upstream: Upstream) -> ssl.SSLContext:
    """Makes the TLS context of an application. Reading the system's authorities takes tens of milliseconds.

    The gateway sends no data and no client certificate before checking the server's certificate. A certificate
    with a wrong name, or without a pin, fails the handshake (ssl.SSLCertVerificationError).
    """
    tls = upstream.tls
    context = _pinned(tls.pins) if tls.pins else tls_context(upstream.ca)
    if tls.client_certificate is not None:
        show_certificate(context, tls.client_certificate)
    if tls.minimum == "tls1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if tls.legacy is not None:
        # The library's oldest version except SSL 3: TLS 1.0. The ssl module warns at each use of the name TLSv1.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.options |= ssl.OP_NO_SSLv3
        context.set_ciphers(_LEGACY_CIPHERS)
    expected = tls.name or upstream.host
    if not tls.pins and server_name(upstream) != expected:
        context.check_hostname = False
        context.sslobject_class = _checked(lambda shown: _check_name(shown, expected))
    return context


class Trust(NamedTuple):
    """The settings that make a context: applications with equal trust share a context.

    `host`: the expected host; empty: the name in the handshake is the expected name, which the ssl module compares for
    each connection.
    """

    host: str
    ca: bytes | None
    tls: UpstreamTls


def trust_of(upstream: Upstream) -> Trust:
    return Trust("" if upstream.tls.sni is None else upstream.host, upstream.ca, upstream.tls)


class UpstreamContexts:
    """The contexts of one loop's connections, one per trust. A thread makes a context, which lives as long as a user
    holds it.

    A context with the system's authorities takes 0.8 MB and 7 ms, once 80 MB in a worker with 100 applications.
    """

    def __init__(self) -> None:
        self._kept: WeakValueDictionary[Trust, ssl.SSLContext] = WeakValueDictionary()
        self._making: dict[Trust, asyncio.Future[ssl.SSLContext]] = {}

    def renew(self) -> None:
        """Forgets the contexts after a reload: the next connection reads the system's authorities again."""
        self._kept, self._making = WeakValueDictionary(), {}

    async def of(self, upstream: Upstream) -> ssl.SSLContext:
        """Returns the context of an application. Raises the errors of `upstream_context`; the next call tries again."""
        trust = trust_of(upstream)
        # A context half made during a reload stays with the callers from before the reload.
        kept, under_way = self._kept, self._making
        if (context := kept.get(trust)) is not None:
            return context
        making = under_way.get(trust)
        if making is None:
            making = under_way[trust] = asyncio.get_running_loop().run_in_executor(None, upstream_context, upstream)

            def made(context: asyncio.Future[ssl.SSLContext]) -> None:
                del under_way[trust]
                if not context.cancelled() and context.exception() is None:
                    kept[trust] = context.result()

            making.add_done_callback(made)
        # Shielded, because other callers may wait for the same context.
        return await asyncio.shield(making)


def server_name(upstream: Upstream) -> str:
    """Returns the name in the handshake (RFC 6066 3); empty: no name. The handshake never names an IP address."""
    tls = upstream.tls
    return tls.sni if tls.sni is not None else tls.name or upstream.host


def _pinned(pins: tuple[bytes, ...]) -> ssl.SSLContext:
    """Makes a context that trusts only the pinned certificates, of any issuer. A certificate issued by a pinned
    certificate is not trusted.
    """
    context = ssl.create_default_context(cadata=b"".join(pins))
    context.set_alpn_protocols(("http/1.1",))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Devices' self-made certificates lack extensions that RFC 5280 requires of an authority's certificate.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslobject_class = _checked(lambda shown: _check_pin(shown, pins))
    return context


class _Shown(NamedTuple):
    """A server certificate, and its names in the ssl module's form."""

    der: bytes
    names: tuple[tuple[str, str], ...]


def _checked(check: Callable[[_Shown], None]) -> type[ssl.SSLObject]:
    class Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLWantReadError:
                # In TLS 1.2 the next message would carry the gateway's own certificate in clear.
                if shown := _shown_so_far(self):
                    check(shown)
                raise
            certificate: dict[str, Any] = self.getpeercert() or {}
            check(_Shown(self.getpeercert(binary_form=True) or b"", certificate.get("subjectAltName", ())))

    return Checked


def _shown_so_far(handshake: ssl.SSLObject) -> _Shown | None:
    """Returns the server's certificate during a handshake; None: no certificate yet. The ssl module's public
    methods need a finished handshake.
    """
    chain = handshake._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    if not chain:
        return None
    return _Shown(ssl.PEM_cert_to_DER_cert(chain[0].public_bytes()), chain[0].get_info().get("subjectAltName", ()))


def _check_name(shown: _Shown, expected: str) -> None:
    if not holds_name(shown.names, expected):
        raise _refused(f"it is not valid for '{expected}'")


def _check_pin(shown: _Shown, pins: tuple[bytes, ...]) -> None:
    if shown.der not in pins:
        raise _refused("it is not a pinned certificate")


def _refused(why: str) -> ssl.SSLCertVerificationError:
    return ssl.SSLCertVerificationError(_CERTIFICATE_VERIFY_FAILED, f"certificate verify failed: {why}")
