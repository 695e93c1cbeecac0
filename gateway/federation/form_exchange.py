"""Exchanges one request and response of a sign-in at an application's form, bounded in bytes and time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.access.outcome import Prepared
from gateway.config.snapshot import App
from gateway.config.upstream_settings import Upstream
from gateway.formlogin.pages import LARGEST_PAGE
from gateway.formlogin.walk import FormRequest, FormResponse
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError

# Seconds. A person waits for the exchange.
WITHIN: Final = 10.0
_LARGEST_HEAD: Final = 64 * 1024

Connected = Callable[[Upstream], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class FormExchange:
    """Sends the requests of a sign-in at a form.

    `connected`: opens a new connection to an application, at an address that the application may have
    (federation.applications).
    `within`: seconds for one exchange.
    """

    def __init__(self, connected: Connected, within: float = WITHIN) -> None:
        self._connected = connected
        self._within = within

    async def send(self, app: App, host: str, fixed: Prepared, request: FormRequest) -> FormResponse:
        """Sends one request and returns the response.

        `host`: canonical host name under which people reach the application.
        `fixed`: cookies and identity headers that describe the person to the application.
        Raises GatewayError: form_login_codes.UNANSWERED, form_login_codes.ANSWER, upstream_codes.ADDRESS.
        """
        try:
            async with asyncio.timeout(self._within):
                return await self._exchange(app.upstream, _request(app, host, fixed, request))
        except TimeoutError:
            raise GatewayError(form_login_codes.UNANSWERED, f"no whole answer in {self._within:g} s") from None
        except OSError as error:
            raise GatewayError(form_login_codes.UNANSWERED, f"{app.upstream.place}: {error}") from None

    async def _exchange(self, upstream: Upstream, request: bytes) -> FormResponse:
        reader, writer = await self._connected(upstream)
        try:
            writer.write(request)
            await writer.drain()
            response = _Response()
            while not response.done and (piece := await reader.read(65536)):
                response.feed(piece)
            return response.whole()
        finally:
            writer.transport.abort()


def _request(app: App, host: str, fixed: Prepared, request: FormRequest) -> bytes:
    public = app.origin(host)
    authority = public.partition("://")[2]
    told = app.upstream.host_header or authority
    lines = [
        f"{'GET' if request.body is None else 'POST'} {request.target} HTTP/1.1",
        f"Host: {told}",
        "User-Agent: Mozilla/5.0 (compatible; ecluse)",
        "Accept: text/html, application/xhtml+xml",
        "Accept-Encoding: identity",
        f"X-Forwarded-Proto: {app.scheme}",
        f"X-Forwarded-Host: {authority}",
        "Connection: close",
    ]
    if request.body is not None:
        # Applications check Origin and Referer against forged requests.
        lines += [f"Origin: {public}", f"Referer: {public}{request.page}"]
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(request.body)}"]
    cookies = b"; ".join(filter(None, (fixed.cookies, request.cookies)))
    head = "\r\n".join(lines).encode("ascii") + fixed.headers + (b"\r\nCookie: " + cookies if cookies else b"")
    return head + b"\r\n\r\n" + (request.body or b"")


class _Response:
    """One response, collected from the events of the HTTP parser."""

    def __init__(self) -> None:
        self.done = False
        self._size = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._parser = HttpResponseParser(self)

    def feed(self, piece: bytes) -> None:
        """Raises GatewayError(form_login_codes.ANSWER)."""
        self._size += len(piece)
        if self._size > LARGEST_PAGE + _LARGEST_HEAD:
            raise GatewayError(form_login_codes.ANSWER, f"an answer of more than {LARGEST_PAGE} bytes")
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise GatewayError(form_login_codes.ANSWER, f"not an answer: {error}") from None

    def on_message_begin(self) -> None:
        # RFC 9110 15.2: interim responses may come before.
        self._headers, self._body = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value.strip()))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.done = self._parser.get_status_code() >= 200

    def whole(self) -> FormResponse:
        """Raises GatewayError(form_login_codes.ANSWER)."""
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers)
        status = self._parser.get_status_code() if self._headers or self.done else 0
        if not self.done and (framed or status < 200):
            raise GatewayError(form_login_codes.ANSWER, "the answer broke off")
        if self._value(b"content-encoding") not in (None, b"identity"):
            raise GatewayError(form_login_codes.ANSWER, "the answer is compressed, although not requested")
        location = self._value(b"location")
        return FormResponse(
            status,
            b"".join(self._body),
            None if location is None else location.decode("latin-1"),
            tuple(value for name, value in self._headers if name == b"set-cookie"),
        )

    def _value(self, wanted: bytes) -> bytes | None:
        return next((value for name, value in self._headers if name == wanted), None)
