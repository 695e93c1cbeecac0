"""TLS towards an application: who it has to be, and what we show it. Proxied requests, health checks, sign-out calls
and form login connect with the same context."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from gateway.config.upstream_settings import Upstream
from gateway.model.upstream_tls import UpstreamTls
from gateway.ops.client_tls import show_certificate, tls_context
from gateway.wire.certificate_names import holds_name

# OpenSSL's own number for a failed verification, as in its errors.
_CERTIFICATE_VERIFY_FAILED: Final = 1
# Old servers have CBC and SHA-1 alone, and short keys. What encrypts nothing or asks for no certificate is out.
_LEGACY_CIPHERS: Final = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=0"


def upstream_context(upstream: Upstream) -> ssl.SSLContext:
    """Takes tens of milliseconds where the system's authorities are read. Before its certificate is judged nothing is
    written to a server, nor is ours shown: a name or pin that is not in it fails the handshake
    (ssl.SSLCertVerificationError)."""
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


class Trust(NamedTuple):
    """All that a context is made of: applications of equal trust can have one. `host`: empty where the name of the
    handshake is the one that is expected, which the ssl module compares for each connection by itself."""

    host: str
    ca: bytes | None
    tls: UpstreamTls


def trust_of(upstream: Upstream) -> Trust:
    return Trust("" if upstream.tls.sni is None else upstream.host, upstream.ca, upstream.tls)


class UpstreamContexts:
    """The contexts of one loop's connections, one for each trust, made by a thread and kept while somebody has it.

    One that reads the system's authorities takes 0.8 MB and 7 ms, which was 80 MB in a worker with 100 applications."""

    def __init__(self) -> None:
        self._kept: WeakValueDictionary[Trust, ssl.SSLContext] = WeakValueDictionary()
        self._making: dict[Trust, asyncio.Future[ssl.SSLContext]] = {}

    def renew(self) -> None:
        """After a reload: who connects first from here on meets the system's authorities as they are then."""
        self._kept, self._making = WeakValueDictionary(), {}

    async def of(self, upstream: Upstream) -> ssl.SSLContext:
        """Raises what `upstream_context` raises; the next who asks has it tried again."""
        trust = trust_of(upstream)
        # What a reload meets half made stays with those who asked before it.
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
        # Others may wait for it, too.
        return await asyncio.shield(making)


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


class _Shown(NamedTuple):
    """A certificate, and the names in it, as the ssl module has them."""

    der: bytes
    names: tuple[tuple[str, str], ...]


def _checked(check: Callable[[_Shown], None]) -> type[ssl.SSLObject]:
    class Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLWantReadError:
                # By TLS 1.2 what would be written now has our own certificate in it, and nothing hides it.
                if shown := _shown_so_far(self):
                    check(shown)
                raise
            certificate: dict[str, Any] = self.getpeercert() or {}
            check(_Shown(self.getpeercert(binary_form=True) or b"", certificate.get("subjectAltName", ())))

    return Checked


def _shown_so_far(handshake: ssl.SSLObject) -> _Shown | None:
    """What the server has shown in a handshake that is under way; the ssl module's own methods ask for its end."""
    chain = handshake._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    if not chain:
        return None
    return _Shown(ssl.PEM_cert_to_DER_cert(chain[0].public_bytes()), chain[0].get_info().get("subjectAltName", ()))


def _check_name(shown: _Shown, expected: str) -> None:
    if not holds_name(shown.names, expected):
        raise _refused(f"it is not valid for '{expected}'")


def _check_pin(shown: _Shown, pins: tuple[bytes, ...]) -> None:
    if shown.der not in pins:
        raise _refused("it is none of those that are pinned")


def _refused(why: str) -> ssl.SSLCertVerificationError:
    return ssl.SSLCertVerificationError(_CERTIFICATE_VERIFY_FAILED, f"certificate verify failed: {why}")
