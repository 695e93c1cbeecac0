"""Queries an HTTP server about a person: one request, bounded in time and bytes, to addresses listed in the
directory's file.
"""

import asyncio
import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.directories.http_token import SourceToken
from gateway.directories.json_rows import NoRows, finding_in
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.identity.directories import DirectoryFault, key_values, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, HttpSource
from gateway.model.quoting import quoted
from gateway.ops.client_session import KEEP_ALIVE_SECONDS, client_session
from gateway.ops.client_tls import tls_context
from gateway.wire.addresses import contains, parse_address

# Bytes. The event loop parses a response of this size within 5 ms.
LARGEST_RESPONSE: Final = 256 << 10


class _NotListed(OSError):
    def __init__(self, address: str) -> None:
        super().__init__("an address that the file does not list")
        self.address = address


class _OwnResolver(AbstractResolver):
    """The system's resolver in a thread of this directory: a hanging look-up blocks no thread of a second directory."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "directory-look-up")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        asked = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        infos = await asyncio.get_running_loop().run_in_executor(self._thread, asked)
        return [
            ResolveResult(hostname=host, host=str(at[0]), port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, _, _, _, at in infos
        ]

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class HttpReader:
    """Looks people up over HTTP. For use in one event loop."""

    def __init__(self, directory: Directory, source: HttpSource) -> None:
        self._directory = directory
        self._source = source
        self._session: ClientSession | None = None
        self._resolver = _OwnResolver()
        self._fetched = None if source.oauth is None else SourceToken(source.oauth)

    async def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        directory, values = self._directory, key_values(self._directory, key)
        url = _url(self._source.url, values)
        if url is None:
            fault = DirectoryFault(directory_codes.KEY, "the key has a sign that no step of a path may have")
            return unknown_of(directory, "found", now), (fault,)
        body = await self._body(url, values)
        try:
            return finding_in(directory, self._source.rows, body, values, now)
        except NoRows as why:
            raise DirectoryAway(directory_codes.ANSWER, str(why)) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def _body(self, url: str, values: dict[str, str]) -> bytes | None:
        """Returns the body of the response. None: the server knows no person with this key. Raises DirectoryAway."""
        try:
            if self._fetched is None:
                return await self._answer(url, values, self._source.token.decode("ascii"))
            token, is_new = await self._fetched.get(self._client())
            try:
                return await self._answer(url, values, token)
            except DirectoryAway as refused:
                if is_new or refused.code is not directory_codes.DENIED:
                    raise
            # The server may have revoked the token early: fetch a new token, once.
            self._fetched.drop(token)
            token, _ = await self._fetched.get(self._client())
            return await self._answer(url, values, token)
        except (ClientConnectorCertificateError, ClientConnectorSSLError) as error:
            raise DirectoryAway(directory_codes.CERTIFICATE, quoted(str(error.os_error))) from None
        except ClientConnectorError as error:
            if isinstance(error.os_error, _NotListed):
                why = f"its host name has the address {error.os_error.address}, which its file does not list"
                raise DirectoryAway(directory_codes.ADDRESS, why) from None
            raise DirectoryAway(directory_codes.UNREACHABLE, quoted(str(error.os_error))) from None
        except (ClientError, OSError, ValueError) as error:
            raise DirectoryAway(directory_codes.UNREACHABLE, type(error).__name__) from None

    async def _answer(self, url: str, values: dict[str, str], token: str) -> bytes | None:
        posted = json.dumps(values).encode() if self._source.method == "POST" else None
        headers = {"Accept": "application/json"} | ({} if posted is None else {"Content-Type": "application/json"})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = self._client().request(
            self._source.method, URL(url, encoded=True), headers=headers, data=posted, allow_redirects=False
        )
        async with request as response:
            return await _read(response)

    def _client(self) -> ClientSession:
        if self._session is None:
            source = self._source
            own = source.ca is not None or source.certificate is not None
            context: ssl.SSLContext | bool = tls_context(source.ca, source.certificate) if own else True
            connector = TCPConnector(
                resolver=self._resolver,
                ssl=context,
                socket_factory=self._socket,
                limit=source.connections,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
            )
            self._session = client_session(connector, ClientTimeout(total=self._directory.timeout))
        return self._session

    def _socket(self, address_info: Any) -> socket.socket:
        """Checks the address in the last step before connecting. No second look-up and no redirect follows the
        check.
        """
        family, kind, protocol, _, address = address_info
        found = parse_address(str(address[0]))
        if found is None or not contains(self._source.addresses, found):
            raise _NotListed(str(address[0]))
        return socket.socket(family, kind, protocol)


def _url(template: str, values: dict[str, str]) -> str | None:
    """Fills the values into the address. None: a value would add a step to the path, or lead upwards."""
    path, mark, query = template.partition("?")
    for column, value in values.items():
        field = "{" + column + "}"
        if field in path and (value in (".", "..") or not set(value).isdisjoint("/\\%;")):
            return None
        written = quote(value, safe="")
        path, query = path.replace(field, written), query.replace(field, written)
    return path + mark + query


async def _read(response: ClientResponse) -> bytes | None:
    if response.status == 404:
        return None
    if response.status != 200:
        code = directory_codes.DENIED if response.status in (401, 403) else directory_codes.ANSWER
        raise DirectoryAway(code, f"it answered with status {response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DirectoryAway(directory_codes.ANSWER, "it compressed the response, which the gateway does not accept")
    body = b""
    while piece := await response.content.readany():
        body += piece
        if len(body) > LARGEST_RESPONSE:
            response.close()
            raise DirectoryAway(directory_codes.ANSWER, f"its response has over {LARGEST_RESPONSE} bytes")
    return body


class HttpByHand:
    """Looks people up over HTTP without a running loop, one query at a time."""

    def __init__(self, directory: Directory, source: HttpSource) -> None:
        self._directory = directory
        self._source = source

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        return asyncio.run(self._finding(key, now))

    def look(self) -> None:
        """Looks up a person who does not exist."""
        self.finding("\x1f".join("ecluse-check" for _ in self._directory.key), 0)

    def close(self) -> None:
        """Does nothing: no connection stays open between queries."""

    async def _finding(self, key: str, now: int) -> FindingAndFaults:
        reader = HttpReader(self._directory, self._source)
        try:
            async with asyncio.timeout(self._directory.timeout):
                return await reader.finding(key, now)
        except TimeoutError:
            why = f"no answer within {self._directory.timeout:g} s"
            raise DirectoryAway(directory_codes.UNREACHABLE, why) from None
        finally:
            await reader.close()
