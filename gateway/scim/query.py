"""The filter and the page of a GET of users, or of a search (RFC 7644 3.4.2, 3.4.3)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.model.scim import NameAttribute
from gateway.scim.document import ScimObject, require_schema
from gateway.scim.projection import (
    MOST_NAMES,
    UNWANTED,
    WANTED,
    WHOLE,
    Projection,
    projection_of,
    read_projection,
)
from gateway.scim.user import USER

MOST_RESULTS: Final = 100
LIST_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

_LONGEST: Final = 1024
_OWN: Final = f"{USER}:".lower()
_NAMES: Final[Mapping[str, NameAttribute]] = {"username": "userName", "externalid": "externalId"}
# RFC 7644 3.4.2.2: attrPath SP compareOp SP compValue, a JSON string
_COMPARISON: Final = re.compile(r'([A-Za-z][\w$.:-]*) +([A-Za-z]{2}) +("(?:[^"\\]|\\.)*")', re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_BEYOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class UserNamed:
    """The users whose `attribute` has `value`."""

    attribute: NameAttribute
    value: str


@dataclass(frozen=True, slots=True)
class UserQuery:
    """`filter`: None for every user. `start`: from 1. `count`: the limit. `shows`: the attributes to return."""

    filter: UserNamed | None
    start: int
    count: int
    shows: Projection = WHOLE


def read_query(parameters: Mapping[str, str]) -> UserQuery:
    """Raises GatewayError: scim_codes.FILTER, scim_codes.VALUE."""
    # The case of parameter names counts.
    filter = parameters.get("filter")
    start, count = _number(parameters, "startIndex", 1), _number(parameters, "count", MOST_RESULTS)
    return _query(filter, start, count, read_projection(parameters))


def read_search(document: ScimObject) -> UserQuery:
    """The same of a body (3.4.3). Raises GatewayError: scim_codes.SYNTAX, scim_codes.FILTER, scim_codes.VALUE."""
    require_schema(document, SEARCH_REQUEST)
    filter = document.get("filter")
    if not isinstance(filter, str | None):
        raise GatewayError(scim_codes.FILTER, "a filter is a text")
    start, count = _whole(document, "startIndex", 1), _whole(document, "count", MOST_RESULTS)
    return _query(filter, start, count, projection_of(_listed(document, WANTED), _listed(document, UNWANTED)))


def _query(filter: str | None, start: int, count: int, shows: Projection) -> UserQuery:
    # 3.4.2.4: less than 1 is 1, and a negative count is 0.
    bounded = min(MOST_RESULTS, max(0, count))
    return UserQuery(None if filter is None else read_filter(filter), max(1, start), bounded, shows)


def read_filter(text: str) -> UserNamed:
    """`userName eq "..."` or `externalId eq "..."`: directories that look for a person need no other filter. Raises
    GatewayError(scim_codes.FILTER)."""
    found = _COMPARISON.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise GatewayError(scim_codes.FILTER, 'a filter is one comparison: userName eq "...", or externalId eq "..."')
    path, operator, written = found.groups()
    attribute = _NAMES.get(path.lower().removeprefix(_OWN))
    if attribute is None or operator.lower() != "eq":
        raise GatewayError(scim_codes.FILTER, "users are found by userName eq and externalId eq alone")
    try:
        value: str = json.loads(written)
        value.encode("utf-8")
    except ValueError:
        raise GatewayError(scim_codes.FILTER, "the value of a filter is not a JSON text") from None
    return UserNamed(attribute, value)


def list_response(resources: list[dict[str, object]], *, total: int, start: int) -> dict[str, object]:
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _number(parameters: Mapping[str, str], name: str, usual: int) -> int:
    text = parameters.get(name)
    if text is None:
        return usual
    if _NUMBER.fullmatch(text) is None:
        raise GatewayError(scim_codes.VALUE, f"{name} is not a number")
    return int(text)


def _whole(document: ScimObject, name: str, usual: int) -> int:
    value = document.get(name.lower())
    if value is None:
        return usual
    if type(value) is not int or abs(value) >= _BEYOND:
        raise GatewayError(scim_codes.VALUE, f"{name} is not a number")
    return value


def _listed(document: ScimObject, name: str) -> list[str] | None:
    value = document.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_NAMES or not all(isinstance(one, str) for one in value):
        raise GatewayError(scim_codes.VALUE, f"{name} is not a list of at most {MOST_NAMES} names")
    return value
