"""PATCH (RFC 7644 3.5.2): applies the operations in order, or refuses the message as a whole."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.scim.document import ScimObject, require_schema
from gateway.scim.user import USER, UserState, with_value

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

_MOST_OPERATIONS: Final = 100
_LONGEST_PATH: Final = 512
_KEPT: Final[Mapping[str, str]] = {"username": "userName", "externalid": "externalId", "active": "active"}
_READ_ONLY: Final = frozenset({"id", "meta", "groups"})
# RFC 7643 4.1: attributes that are ignored, because they are not kept.
_READ_PAST: Final = frozenset(
    {
        *("name", "displayname", "nickname", "profileurl", "title", "usertype", "preferredlanguage", "locale"),
        *("timezone", "password", "emails", "phonenumbers", "ims", "photos", "addresses", "entitlements", "roles"),
        *("x509certificates", "schemas"),
    }
)
_OWN: Final = f"{USER}:".lower()
# Attributes of other schemas: the enterprise schema, or the directory's own.
_EXTENSION: Final = "urn:"
# RFC 7644 3.5.2: attribute, with a filter of its values, or a sub-attribute.
_PATH: Final = re.compile(r'([A-Za-z][\w$-]*)(\[[^\[\]"]*(?:"[^"\\]*"[^\[\]"]*)*\])?(\.[A-Za-z$][\w$-]*)?', re.ASCII)


def patched(document: ScimObject, before: UserState) -> UserState:
    """Raises GatewayError: scim_codes.SYNTAX, scim_codes.PATH, scim_codes.VALUE, scim_codes.MUTABILITY."""
    after = before
    for operation in _operations(document):
        if not isinstance(operation, dict):
            raise GatewayError(scim_codes.SYNTAX, "an operation is not an object")
        after = _applied(operation, after)
    return after


def ends_access(document: ScimObject) -> bool:
    """Whether the operations, as far as they can be understood, leave the user inactive. Other faults are ignored:
    a missing schema, too many operations. Never raises.
    """
    active, operations = True, document.get("operations")
    for operation in operations if isinstance(operations, list) else ():
        for path, value in _values_of(operation):
            with suppress(GatewayError):
                if attribute_of(path) == "active":
                    active = with_value(_ANYBODY, "active", value).active
    return not active


_ANYBODY: Final = UserState("", None, active=True)


def _operations(document: ScimObject) -> list[object]:
    """Raises GatewayError(scim_codes.SYNTAX)."""
    require_schema(document, PATCH_OP)
    operations = document.get("operations")
    if not isinstance(operations, list) or not 0 < len(operations) <= _MOST_OPERATIONS:
        raise GatewayError(scim_codes.SYNTAX, f"Operations is not a list of 1 to {_MOST_OPERATIONS}")
    return operations


def _kind(operation: ScimObject) -> str:
    # Entra writes Add and Replace, unless the address that it calls contains `aadOptscim062020`.
    op = operation.get("op")
    return op.lower() if isinstance(op, str) else ""


def _values_of(operation: object) -> Iterable[tuple[object, object]]:
    """The paths in an operation, with their new values."""
    if not isinstance(operation, dict) or _kind(operation) not in {"add", "replace"}:
        return ()
    path, value = operation.get("path"), operation.get("value")
    if path is None or path == "" or (isinstance(path, str) and path.lower() == USER.lower()):
        return value.items() if isinstance(value, dict) else ()
    return ((path, value),)


def _applied(operation: ScimObject, before: UserState) -> UserState:
    kind, path = _kind(operation), operation.get("path")
    if kind not in {"add", "replace", "remove"}:
        raise GatewayError(scim_codes.SYNTAX, "op is neither add, replace nor remove")
    if path is not None:
        attribute = attribute_of(path)
        return _removed(before, attribute) if kind == "remove" else _changed(before, attribute, operation.get("value"))
    if kind == "remove":
        # 3.5.2.2
        raise GatewayError(scim_codes.PATH, "remove says no path")
    values = operation.get("value")
    if not isinstance(values, dict):
        raise GatewayError(scim_codes.VALUE, f"{kind} has no path, and its value is not an object")
    after = before
    for name, value in values.items():
        after = _changed(after, attribute_of(name), value)
    return after


def attribute_of(path: object) -> str | None:
    """The kept attribute; None: an attribute that is ignored.

    Raises GatewayError: scim_codes.PATH for an attribute unknown to RFC 7643, MUTABILITY for a read-only attribute.
    """
    if not isinstance(path, str) or len(path) > _LONGEST_PATH:
        raise GatewayError(scim_codes.PATH, f"a path is not a text of at most {_LONGEST_PATH} characters")
    lower = path.lower()
    own = lower.removeprefix(_OWN)
    if own == lower and lower.startswith(_EXTENSION):
        # By RFC 7644, a path names an attribute, not a whole schema.
        if f"{lower}:" == _OWN:
            raise GatewayError(scim_codes.PATH, "a path names the schema, and no attribute")
        return None
    found = _PATH.fullmatch(own)
    if found is None:
        raise GatewayError(scim_codes.PATH, "a path is not written as RFC 7644 has it")
    name, values, sub = found.groups()
    if name in _KEPT:
        if values or sub:
            raise GatewayError(scim_codes.PATH, f"{_KEPT[name]} has one value, and nothing below it")
        return _KEPT[name]
    if name in _READ_ONLY:
        raise GatewayError(scim_codes.MUTABILITY, f"{name} is read-only")
    if name not in _READ_PAST:
        raise GatewayError(scim_codes.PATH, "a path names an attribute that a User does not have")
    return None


def _changed(before: UserState, attribute: str | None, value: object) -> UserState:
    return before if attribute is None else with_value(before, attribute, value)


def _removed(before: UserState, attribute: str | None) -> UserState:
    if attribute is None:
        return before
    if attribute != "externalId":
        raise GatewayError(scim_codes.MUTABILITY, f"{attribute} is not removed")
    return UserState(before.user_name, None, before.active)
