"""Checks whether an application answers: requests a page without cookies or identity headers."""

import asyncio
import re
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway.config.snapshot import App
from gateway.config.upstream_settings import Upstream
from gateway.federation.applications import ApplicationCall
from gateway.federation.form_exchange import Connected
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError

# Seconds: no person waits for longer.
WITHIN: Final = 10.0
_LARGEST_HEAD: Final = 64 * 1024
_HEAD: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[^\n]*\n(.*?)\r?\n\r?\n", re.DOTALL)
_LOCATION: Final = re.compile(rb"^location:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """The head of an application's response.

    `location`: the Location header, unchanged; None: absent.
    `seconds`: time until the whole head had arrived.
    """

    status: int
    location: str | None
    seconds: float


async def page_answered(connected: Connected, app: App, place: Upstream, host: str, page: str) -> PageAnswer:
    """Requests `page` and returns the head of the response.

    `place`: one of the application's addresses.
    `host`: the host name under which people reach the application.
    Raises GatewayError: upstream_codes.CONNECT, _ADDRESS, _TIMEOUT, _RESPONSE.
    """
    began = monotonic()
    try:
        async with asyncio.timeout(WITHIN):
            head = await _head(connected, place, _call(app, host, page).to_bytes())
    except TimeoutError:
        raise GatewayError(upstream_codes.TIMEOUT, f"no answer in {WITHIN:g} s") from None
    except OSError as error:
        raise GatewayError(upstream_codes.CONNECT, str(error)) from None
    location = _LOCATION.search(head[2])
    told = None if location is None else location[1].decode("latin-1").strip()
    return PageAnswer(int(head[1]), told, monotonic() - began)


def _call(app: App, host: str, page: str) -> ApplicationCall:
    authority = app.origin(host).partition("://")[2]
    lines = (
        f"Host: {app.upstream.host_header or authority}",
        "User-Agent: Mozilla/5.0 (compatible; ecluse)",
        "Accept: text/html, application/xhtml+xml",
        f"X-Forwarded-Proto: {app.scheme}",
        f"X-Forwarded-Host: {authority}",
    )
    target = page.encode("ascii") if app.mount is None else app.mount.target(page.encode("ascii"))
    return ApplicationCall("get", target.decode("ascii"), "".join(f"\r\n{line}" for line in lines).encode("ascii"))


async def _head(connected: Connected, place: Upstream, request: bytes) -> re.Match[bytes]:
    reader, writer = await connected(place)
    try:
        writer.write(request)
        await writer.drain()
        came = b""
        while len(came) < _LARGEST_HEAD and (piece := await reader.read(65536)):
            came += piece
            head = _HEAD.match(came)
            # RFC 9110 15.2: interim responses may come before.
            while head is not None and head[1].startswith(b"1"):
                came = came[head.end() :]
                head = _HEAD.match(came)
            if head is not None:
                return head
    finally:
        writer.transport.abort()
    raise GatewayError(upstream_codes.RESPONSE, "its answer is not HTTP" if came else "it broke off its answer")
