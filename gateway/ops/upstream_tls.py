"""TLS towards an application: who it has to be, and what we show it. Proxied requests, health checks, sign-out calls
and form login connect with the same context."""

import ssl
from collections.abc import Callable
from typing import Any, Final

from gateway.config.upstream_settings import Upstream
from gateway.ops.client_tls import show_certificate, tls_context
from gateway.wire.certificate_names import holds_name

# OpenSSL's own number for a failed verification, as in its errors.
_CERTIFICATE_VERIFY_FAILED: Final = 1
# Old servers have CBC and SHA-1 alone, and short keys. What encrypts nothing or asks for no certificate is out.
_LEGACY_CIPHERS: Final = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=0"


def upstream_context(upstream: Upstream) -> ssl.SSLContext:
    """Takes tens of milliseconds where the system's authorities are read. Nothing is written to a server before its
    certificate is judged: a name or pin that is not in it fails the handshake (ssl.SSLCertVerificationError)."""
    tls = upstream.tls
    context = _pinned(tls.pins) if tls.pins else tls_context(upstream.ca)
    if tls.client_certificate is not None:
        show_certificate(context, tls.client_certificate)
    if tls.minimum == "tls1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if tls.legacy is not None:
        # The oldest that the library has, SSL 3 left out: TLS 1.0. Named as such, the ssl module warns at each use.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.options |= ssl.OP_NO_SSLv3
        context.set_ciphers(_LEGACY_CIPHERS)
    expected = tls.name or upstream.host
    if not tls.pins and server_name(upstream) != expected:
        context.check_hostname = False
        context.sslobject_class = _checked(lambda shown: _check_name(shown, expected))
    return context


def server_name(upstream: Upstream) -> str:
    """What the handshake says (RFC 6066 3); empty for nothing. Of an address nothing is said in any case."""
    tls = upstream.tls
    return tls.sni if tls.sni is not None else tls.name or upstream.host


def _pinned(pins: tuple[bytes, ...]) -> ssl.SSLContext:
    """A pin is trusted by itself, whoever signed it; what it may have signed is not."""
    context = ssl.create_default_context(cadata=b"".join(pins))
    context.set_alpn_protocols(("http/1.1",))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # The certificates that devices make for themselves lack what RFC 5280 asks of those of authorities.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslobject_class = _checked(lambda shown: _check_pin(shown, pins))
    return context


def _checked(check: Callable[[ssl.SSLObject], None]) -> type[ssl.SSLObject]:
    class Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self)

    return Checked


def _check_name(shown: ssl.SSLObject, expected: str) -> None:
    certificate: dict[str, Any] = shown.getpeercert() or {}
    if not holds_name(certificate.get("subjectAltName", ()), expected):
        raise _refused(f"it is not valid for '{expected}'")


def _check_pin(shown: ssl.SSLObject, pins: tuple[bytes, ...]) -> None:
    if shown.getpeercert(binary_form=True) not in pins:
        raise _refused("it is none of those that are pinned")


def _refused(why: str) -> ssl.SSLCertVerificationError:
    return ssl.SSLCertVerificationError(_CERTIFICATE_VERIFY_FAILED, f"certificate verify failed: {why}")
