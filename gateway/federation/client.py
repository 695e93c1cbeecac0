"""Sends one call to a provider: bounded in time and size, to checked addresses, without state between calls."""

import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.federation.addresses import AddressRefused
from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientCertificate
from gateway.model.quoting import quoted
from gateway.oidc.documents import Call, ProviderResponse, told_of_call
from gateway.ops.client_session import KEEP_ALIVE_SECONDS, client_session
from gateway.ops.client_tls import tls_context
from gateway.wire.addresses import Reach, reach

TOTAL_SECONDS = 10.0
LARGEST_BODY = 1 << 20

# Advice for the operator, by OpenSSL's verification error number.
_UNKNOWN_AUTHORITY = (
    "; `ca` of the provider's file may name its authority, or the provider does not send the certificates between"
)
_REMEDIES: Final = {
    9: "; is this machine's clock slow?",
    10: "; the provider has to renew it, unless this machine's clock is fast",
    **dict.fromkeys((18, 19, 20, 21), _UNKNOWN_AUTHORITY),
    62: "; the address in the provider's file has another name than its certificate",
}

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class ProviderClient:
    """One pool of connections for the providers that share a certificate authority and a reach.

    `ca`: PEM, trusted in place of the system's authorities; None: the system's.
    `certificate`: the gateway's client certificate, sent if the server requests a certificate.
    """

    def __init__(
        self,
        ca: bytes | None,
        certificate: ClientCertificate | None,
        private_addresses: bool,
        resolver: AbstractResolver,
        total_seconds: float = TOTAL_SECONDS,
        connect_seconds: float | None = None,
    ) -> None:
        self._ca = ca
        self._certificate = certificate
        self._private_addresses = private_addresses
        self._resolver = resolver
        self._total_seconds = total_seconds
        self._connect_seconds = connect_seconds
        self._session: ClientSession | None = None

    async def send(self, call: Call) -> ProviderResponse:
        """Sends `call` and returns the response.

        Raises GatewayError: login_codes.PROVIDER_UNREACHABLE, oidc_codes.ADDRESS, oidc_codes.ANSWER (too large,
        compressed).
        """
        pieces: list[bytes] = []
        return await self._exchange(call, pieces, pieces.append, LARGEST_BODY)

    async def download(self, call: Call, into: Callable[[bytes], object], largest: int) -> ProviderResponse:
        """As `send`, for bodies too large for memory: passes the body to `into` piece by piece, returns an empty
        body.
        """
        return await self._exchange(call, (), into, largest)

    async def status(self, call: Call) -> int:
        """Returns the status of the response. Reads no body and closes the connection. GatewayError: as `send`."""
        return (await self._exchange(call, (), None, 0)).status

    async def _exchange(
        self, call: Call, kept: Sequence[bytes], into: Callable[[bytes], object] | None, largest: int
    ) -> ProviderResponse:
        """Exchanges one request and its response.

        `into`: receives the body piece by piece; None: the exchange reads the head alone.
        `kept`: the pieces that `into` collects as the body of the response.
        `largest`: bytes of body allowed.
        """
        try:
            session = self._opened()
            request = session.request(
                call.method,
                URL(call.url, encoded=True),
                headers=call.headers,
                data=call.body or None,
                allow_redirects=False,
            )
            async with request as response:
                if into is None:
                    response.close()
                else:
                    await _read(call, response, into, largest)
                return _provider_response(call, response, b"".join(kept))
        except TimeoutError as error:
            detail = f"{call.what}: {quoted(call.url)} did not answer in {self._total_seconds:g} s"
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, detail) from error
        except ClientConnectorError as error:
            raise _not_connected(call, error) from error
        except (ClientError, OSError, ValueError) as error:
            detail = f"{call.what}: {quoted(call.url)}: {type(error).__name__}: {told_of_call(call, str(error))}"
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, detail) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(
                resolver=self._resolver,
                ssl=True
                if self._ca is None and self._certificate is None
                else tls_context(self._ca, self._certificate),
                socket_factory=self._socket,
                limit=0,
                limit_per_host=64,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
            )
            timeout = ClientTimeout(total=self._total_seconds, sock_connect=self._connect_seconds)
            self._session = client_session(connector, timeout)
        return self._session

    def _socket(self, address_info: AddressInfo) -> socket.socket:
        """SS01: checks the address in the last step before connecting. No look-up, literal or redirect follows the
        check.
        """
        family, kind, protocol, _, address = address_info
        found = reach(str(address[0]))
        if found is Reach.FORBIDDEN or (found is Reach.PRIVATE and not self._private_addresses):
            raise AddressRefused(str(address[0]))
        return socket.socket(family, kind, protocol)


async def _read(call: Call, response: ClientResponse, into: Callable[[bytes], object], largest: int) -> None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        raise GatewayError(oidc_codes.ANSWER, f"{call.what}: compressed, although not requested")
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > largest:
            response.close()
            raise GatewayError(oidc_codes.ANSWER, f"{call.what}: over {largest} bytes")
        into(piece)


def _provider_response(call: Call, response: ClientResponse, body: bytes) -> ProviderResponse:
    return ProviderResponse(
        status=response.status,
        content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        body=body,
        cache_control=response.headers.get("Cache-Control", ""),
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
        date=response.headers.get("Date", ""),
        location=response.headers.get("Location", ""),
        call=call,
    )


def _not_connected(call: Call, error: ClientConnectorError) -> GatewayError:
    where = f"{call.what}: {quoted(call.url)}"
    cause = error.os_error
    if isinstance(cause, AddressRefused):
        kind = reach(cause.address)
        hint = "; the provider file may say private_addresses: true" if kind is Reach.PRIVATE else ""
        if hint and call.what == "logo":
            hint += ", which applies only to a logo on the server of the metadata's `url`"
        return GatewayError(oidc_codes.ADDRESS, f"{where} leads to {cause.address}, which is {kind.value}{hint}")
    detail = f"{where}: {type(error).__name__}: {quoted(str(cause))}{_remedy(cause)}"
    return GatewayError(login_codes.PROVIDER_UNREACHABLE, detail)


def _remedy(cause: OSError) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _REMEDIES.get(cause.verify_code, "")
    if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
        return "; there is no TLS at that port"
    return ""


# --- pause calls to a provider that does not answer: its users are told at once, not after ten seconds each

FAILURES = 3
PAUSE = 10.0
# Seconds for which people choosing a provider are told that it did not answer. No call may have been made since.
TOLD = 60.0
# RFC 9110 15.6.3 to 15.6.5: the provider, or a proxy before it, reports itself unavailable.
AWAY = (502, 503, 504)


class Circuit:
    """The circuit breaker of one provider. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._paused_until = self._failed_at = float("-inf")
        self._in_doubt = self._is_away = False

    def enter(self) -> None:
        """Asks for leave to call. Raises GatewayError(login_codes.PROVIDER_UNREACHABLE) during a pause. After a
        pause, lets one call through as a trial.
        """
        left = self._paused_until - self._clock()
        if left > 0:
            detail = f"not called: it did not answer {self._failures} times in a row; called again in {left:.0f} s"
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, detail)
        if self._failures >= FAILURES:
            self._paused_until = self._clock() + PAUSE

    @property
    def is_silent(self) -> bool:
        """Whether the last call failed or the provider reported itself unavailable, within the last `TOLD` seconds."""
        return (self._failures > 0 or self._is_away) and self._clock() < self._failed_at + TOLD

    def doubted(self) -> bool:
        """Notes an unanswered call with a stranger's input. The call alone proves nothing about the provider.

        True: the caller has to make a call without such input, to find out whether the provider answers at all.
        """
        first, self._in_doubt = not self._in_doubt, True
        return first

    def responded(self, response: ProviderResponse) -> None:
        """Takes a response. A provider that reports itself unavailable is still called, and people choosing a
        provider are warned.
        """
        self.answered()
        if response.status in AWAY:
            self._is_away, self._failed_at = True, self._clock()

    def answered(self) -> None:
        self._in_doubt = self._is_away = False
        self._failures = 0
        self._paused_until = float("-inf")

    def failed(self) -> None:
        self._in_doubt = False
        self._failures += 1
        self._failed_at = self._clock()
        if self._failures >= FAILURES:
            self._paused_until = self._clock() + PAUSE
