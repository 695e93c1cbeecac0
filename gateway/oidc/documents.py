"""One exchange with a provider as values. JSON that two readers could read differently is refused."""

import base64
import json
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote_plus

from gateway.model.codes import login_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted, without


@dataclass(frozen=True, slots=True)
class Call:
    """`what` names the exchange in the operator's log. Headers and body hold secrets and stay out of `repr`."""

    what: str
    method: Literal["GET", "POST"]
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """`content_type`: the media type in lower case, without parameters.
    `call`: the call that the response answers.
    The other fields are raw header values.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    cache_control: str = ""
    etag: str = ""
    last_modified: str = ""
    date: str = ""
    location: str = ""
    call: Call | None = field(default=None, repr=False, compare=False)


# --- what a provider says of a call, without what the call carried: some echo codes, tokens and our secret

_CARRIED = frozenset(
    {"client_secret", "client_assertion", "code", "code_verifier", "access_token", "refresh_token", "token", "request",
     "state", "nonce"}
)  # fmt: skip


def told_of(response: ProviderResponse, value: object) -> str:
    """A text of the response for the operator's log."""
    return told_of_call(response.call, value)


def told_of_call(call: Call | None, value: object) -> str:
    return quoted(without(value, carried(call)) if call is not None and isinstance(value, str) else value)


def carried(call: Call) -> Iterator[str]:
    """The secrets of a call. `unechoed` checks that the response does not repeat the secrets."""
    for name, value in parse_qsl(call.body.decode("latin-1")):
        if name in _CARRIED:
            yield value
    for name, line in call.headers:
        if name == "Authorization":
            scheme, _, credentials = line.partition(" ")
            yield credentials
            if scheme == "Basic":
                yield unquote_plus(base64.b64decode(credentials).decode("latin-1").partition(":")[2])


# Bytes. The densest JSON of this size takes about 4 ms, and nothing may hold the loop for over 5 ms.
LARGEST_DOCUMENT = 1 << 17

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

JsonObject = dict[str, object]


def parse_object(text: bytes, code: Code, what: str) -> JsonObject:
    """The JSON object in `text`. Raises GatewayError(code) for anything that two readers could read differently."""
    if len(text) > LARGEST_DOCUMENT:
        raise GatewayError(code, f"{what}: {len(text)} bytes, at most {LARGEST_DOCUMENT} are read")
    try:
        value = _DECODER.decode(text.decode("utf-8"))
        if _SURROGATE.search(text):
            # RFC 7493 2.1: an escape can spell half a surrogate pair, which cannot be written in UTF-8.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise GatewayError(code, f"{what}: nested too deeply") from error
    except ValueError as error:
        raise GatewayError(code, f"{what}: not plain JSON: {quoted(str(error))}") from error
    if not isinstance(value, dict):
        raise GatewayError(code, f"{what}: not a JSON object")
    return value


def response_object(response: ProviderResponse, code: Code, what: str, content_types: Collection[str]) -> JsonObject:
    """The JSON object of a successful response in one of the media types. Raises GatewayError: `code`,
    login_codes.PROVIDER_UNREACHABLE."""
    require_success(response, code, what)
    if response.content_type not in content_types:
        raise GatewayError(
            code, f"{what}: content type {told_of(response, response.content_type)}, not {' or '.join(content_types)}"
        )
    return parse_object(response.body, code, what)


def error_of(response: ProviderResponse, code: Code, what: str) -> object:
    """The `error` of a refusal (RFC 6749 5.2), or a text for the operator if it cannot be read."""
    try:
        return parse_object(response.body, code, what).get("error")
    except GatewayError:
        return f"status {response.status} without a readable reason"


def require_success(response: ProviderResponse, code: Code, what: str) -> None:
    """Check for status 200. Raises GatewayError: login_codes.PROVIDER_UNREACHABLE if the provider is overloaded or out
    of order, else `code`."""
    if response.status == 429 or response.status >= 500:
        raise GatewayError(login_codes.PROVIDER_UNREACHABLE, f"{what}: status {response.status}")
    if 300 <= response.status < 400:
        raise GatewayError(code, f"{what}: status {response.status}; a redirect is not followed")
    if response.status != 200:
        raise GatewayError(code, f"{what}: status {response.status}")


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has one member twice")
    return members


def _no_constant(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


# With these arguments, `json.loads` would make a decoder for each call.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
