"""Error documents by RFC 7644 3.12."""

from collections.abc import Mapping
from typing import Final

from gateway.model.codes import portal_codes, scim_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError

ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

_TYPES: Final[Mapping[Code, str]] = {
    scim_codes.FILTER: "invalidFilter",
    scim_codes.SYNTAX: "invalidSyntax",
    scim_codes.PATH: "invalidPath",
    scim_codes.VALUE: "invalidValue",
    portal_codes.PARAMETERS: "invalidValue",
    scim_codes.MUTABILITY: "mutability",
    scim_codes.TAKEN: "uniqueness",
    scim_codes.TOO_MANY: "tooMany",
}
# Errors without detail: only an authenticated directory learns the detail.
_SILENT: Final = frozenset({scim_codes.TOKEN})


def error_document(error: GatewayError, reference: str) -> dict[str, object]:
    """`reference`: of the request, by which the operator finds the error in the log."""
    code = error.code
    told = code.id.startswith("scim.") and code not in _SILENT
    scim_type = {"scimType": _TYPES[code]} if code in _TYPES else {}
    detail = f"{code.id}: {error.detail}" if told else code.id
    return {"schemas": [ERROR], "status": str(code.status), **scim_type, "detail": f"{detail} ({reference})"}
