"""JSON that providers send, read in the one way that leaves no doubt, and text of theirs made fit for a log line."""

import json
import math
import re
from collections.abc import Collection

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE, Code
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.oidc.call import ProviderResponse

# The densest JSON of this size is read in about 4 ms: no more may hold the loop.
LARGEST_DOCUMENT = 1 << 17

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

JsonObject = dict[str, object]


def parse_object(text: bytes, code: Code, what: str) -> JsonObject:
    """The JSON object in `text`; GatewayError(code) for anything that two readers could read in two ways."""
    if len(text) > LARGEST_DOCUMENT:
        raise GatewayError(code, f"{what}: {len(text)} bytes, at most {LARGEST_DOCUMENT} are read")
    try:
        value = _DECODER.decode(text.decode("utf-8"))
        if _SURROGATE.search(text):
            # RFC 7493 2.1: an escape may spell half a surrogate pair, which no UTF-8 can carry further
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise GatewayError(code, f"{what}: nested too deeply") from error
    except ValueError as error:
        raise GatewayError(code, f"{what}: not plain JSON: {quoted(str(error))}") from error
    if not isinstance(value, dict):
        raise GatewayError(code, f"{what}: not a JSON object")
    return value


def response_object(answer: ProviderResponse, code: Code, what: str, content_types: Collection[str]) -> JsonObject:
    """The JSON object of a successful answer in one of the media types."""
    require_success(answer, code, what)
    if answer.content_type not in content_types:
        raise GatewayError(
            code, f"{what}: content type {quoted(answer.content_type)}, not {' or '.join(content_types)}"
        )
    return parse_object(answer.body, code, what)


def error_of(answer: ProviderResponse, code: Code, what: str) -> object:
    """RFC 6749 5.2: the `error` of a refusal."""
    try:
        return parse_object(answer.body, code, what).get("error")
    except GatewayError:
        return f"status {answer.status} without a readable reason"


def require_success(answer: ProviderResponse, code: Code, what: str) -> None:
    """An overloaded provider is not the same as one that answers wrongly."""
    if answer.status == 429 or answer.status >= 500:
        raise GatewayError(LOGIN_PROVIDER_UNREACHABLE, f"{what}: status {answer.status}")
    if 300 <= answer.status < 400:
        raise GatewayError(code, f"{what}: status {answer.status}; a redirect is not followed")
    if answer.status != 200:
        raise GatewayError(code, f"{what}: status {answer.status}")


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


# `json.loads` makes one for each call.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
