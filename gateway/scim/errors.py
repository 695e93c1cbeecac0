"""Errors as RFC 7644 3.12 has them."""

from collections.abc import Mapping
from typing import Final

from gateway.model.codes import PORTAL_PARAMETERS, Code
from gateway.model.errors import GatewayError
from gateway.model.scim_codes import (
    SCIM_FILTER,
    SCIM_MUTABILITY,
    SCIM_PATH,
    SCIM_SYNTAX,
    SCIM_TAKEN,
    SCIM_TOKEN,
    SCIM_TOO_MANY,
    SCIM_VALUE,
)

ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

_TYPES: Final[Mapping[Code, str]] = {
    SCIM_FILTER: "invalidFilter",
    SCIM_SYNTAX: "invalidSyntax",
    SCIM_PATH: "invalidPath",
    SCIM_VALUE: "invalidValue",
    PORTAL_PARAMETERS: "invalidValue",
    SCIM_MUTABILITY: "mutability",
    SCIM_TAKEN: "uniqueness",
    SCIM_TOO_MANY: "tooMany",
}
# What was wrong in detail is told to a directory that has shown who it is.
_SILENT: Final = frozenset({SCIM_TOKEN})


def error_document(error: GatewayError, reference: str) -> dict[str, object]:
    """`reference`: the request's, by which the operator finds it in the log."""
    code = error.code
    told = code.id.startswith("scim.") and code not in _SILENT
    scim_type = {"scimType": _TYPES[code]} if code in _TYPES else {}
    detail = f"{code.id}: {error.detail}" if told else code.id
    return {"schemas": [ERROR], "status": str(code.status), **scim_type, "detail": f"{detail} ({reference})"}
