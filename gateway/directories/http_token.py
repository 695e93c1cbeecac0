"""OAuth 2.0 client credentials (RFC 6749 4.4): fetches the token that authenticates the gateway to an HTTP source,
and keeps the token as long as the server allows.
"""

import asyncio
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from gateway.directories.source import DirectoryAway
from gateway.model.codes import directory_codes
from gateway.model.directory import ClientCredentials

_LARGEST: Final = 64 << 10
# RFC 6750 2.1
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*")
# The lifetime of a token if its server names none, and the longest lifetime, in seconds; and the share of the lifetime
# in use.
_USUAL: Final = 60
_LONGEST: Final = 86_400
_SHARE: Final = 0.9
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class SourceToken:
    """Fetches and keeps the token. For use in one event loop. `clock`: monotonic seconds."""

    def __init__(self, credentials: ClientCredentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = credentials
        self._clock = clock
        self._token = ""
        self._until = float("-inf")
        # Concurrent look-ups share one fetch.
        self._one = asyncio.Lock()

    async def get(self, session: ClientSession) -> tuple[str, bool]:
        """Returns the token, and whether the call fetched the token. Raises DirectoryAway, and the errors of
        `session`.
        """
        async with self._one:
            is_new = self._clock() >= self._until
            if is_new:
                self._token, life = await self._fetched(session)
                self._until = self._clock() + life * _SHARE
            return self._token, is_new

    def drop(self, token: str) -> None:
        """Discards a token that the source rejected before the token's end; the next `get` fetches a new token."""
        if compare_digest(token.encode(), self._token.encode()):
            self._until = float("-inf")

    async def _fetched(self, session: ClientSession) -> tuple[str, float]:
        told = self._credentials
        fields = {"grant_type": "client_credentials"} | ({"scope": told.scope} if told.scope else {})
        headers = dict(_FORM)
        secret = told.client_secret.decode()
        if told.in_body:
            fields |= {"client_id": told.client_id, "client_secret": secret}
        else:
            # RFC 6749 2.3.1: first form-encode the id and the secret.
            pair = f"{quote_plus(told.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode("ascii")
        request = session.post(
            URL(told.url, encoded=True), data=urlencode(fields), headers=headers, allow_redirects=False
        )
        async with request as response:
            return _read(response.status, await _body(response))


async def _body(response: ClientResponse) -> bytes:
    body = b""
    while piece := await response.content.readany():
        body += piece
        if len(body) > _LARGEST:
            response.close()
            raise DirectoryAway(directory_codes.ANSWER, f"the response of its token endpoint has over {_LARGEST} bytes")
    return body


def _read(status: int, body: bytes) -> tuple[str, float]:
    """Reads the token and its lifetime in seconds. Raises DirectoryAway, without any text of the response."""
    if status != 200:
        code = directory_codes.DENIED if status in (400, 401, 403) else directory_codes.ANSWER
        raise DirectoryAway(code, f"its token endpoint answered with status {status}")
    try:
        answer: Any = json.loads(body.decode())
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"access_token": str(token), "token_type": str(kind)} if _is_bearer(token, kind):
            life = answer.get("expires_in", _USUAL)
            if isinstance(life, int | float) and not isinstance(life, bool) and life >= 0:
                return token, min(float(life), _LONGEST)
    raise DirectoryAway(directory_codes.ANSWER, "its token endpoint returned no Bearer token")


def _is_bearer(token: str, kind: str) -> bool:
    return kind.lower() == "bearer" and _TOKEN.fullmatch(token) is not None
