"""One exchange with a provider as values, and its JSON, refused wherever two readers could read it differently."""

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE, Code
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted


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
    """`content_type`: the media type in lower case, without parameters. The other fields are raw header values."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    cache_control: str = ""
    etag: str = ""
    last_modified: str = ""


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
    LOGIN_PROVIDER_UNREACHABLE."""
    require_success(response, code, what)
    if response.content_type not in content_types:
        raise GatewayError(
            code, f"{what}: content type {quoted(response.content_type)}, not {' or '.join(content_types)}"
        )
    return parse_object(response.body, code, what)


def error_of(response: ProviderResponse, code: Code, what: str) -> object:
    """The `error` of a refusal (RFC 6749 5.2), or a text for the operator if it cannot be read."""
    try:
        return parse_object(response.body, code, what).get("error")
    except GatewayError:
        return f"status {response.status} without a readable reason"


def require_success(response: ProviderResponse, code: Code, what: str) -> None:
    """Check for status 200. Raises GatewayError: LOGIN_PROVIDER_UNREACHABLE if the provider is overloaded or out of
    order, else `code`."""
    if response.status == 429 or response.status >= 500:
        raise GatewayError(LOGIN_PROVIDER_UNREACHABLE, f"{what}: status {response.status}")
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
