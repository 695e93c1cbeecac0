"""The kept part of a User (RFC 7643 4.1): the directory's names of a person, and whether the person is active."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from gateway.model.account import same_login
from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.model.scim import NameAttribute
from gateway.scim.document import ScimObject, require_schema

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
LONGEST_NAME: Final = 256

_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class UserState:
    """A directory's data about a person."""

    user_name: str
    external_id: str | None
    active: bool

    def named(self, attribute: NameAttribute) -> str | None:
        return self.user_name if attribute == "userName" else self.external_id


@dataclass(frozen=True, slots=True)
class ToldUser:
    """A user that a directory has told us of. `id`: ours. Times: Unix seconds."""

    id: str
    state: UserState
    created: int
    modified: int


def read_user(document: ScimObject, before: UserState | None = None) -> UserState:
    """The user of a POST, or of a PUT on the user `before`. Raises GatewayError: scim_codes.SYNTAX, VALUE.

    A new user is active unless the message says otherwise. A replaced user keeps the state (RFC 7644 3.5.1): an
    omission never admits a person again.
    """
    require_schema(document, USER)
    blank = UserState("", None, active=True if before is None else before.active)
    for attribute, name in (("userName", "username"), ("externalId", "externalid"), ("active", "active")):
        # RFC 7643 2.5: null is as good as left out.
        if document.get(name) is not None:
            blank = with_value(blank, attribute, document[name])
    if not blank.user_name:
        raise GatewayError(scim_codes.VALUE, "userName is required")
    return blank


def says_inactive(document: ScimObject) -> bool:
    """Whether a PUT deactivates the user, even if further values are missing or wrong. Never raises."""
    try:
        return document.get("active") is not None and not _boolean(document["active"])
    except GatewayError:
        return False


def with_value(state: UserState, attribute: str, value: object) -> UserState:
    """The value of a kept attribute. Raises GatewayError(scim_codes.VALUE)."""
    if attribute == "userName":
        return replace(state, user_name=_name(attribute, value))
    if attribute == "externalId":
        return replace(state, external_id=_name(attribute, value))
    return replace(state, active=_boolean(value))


def compared(attribute: NameAttribute, name: str) -> str:
    """Equal for equal names: userName ignores case (RFC 7643 4.1.1), externalId does not (3.1). The names are in NFC,
    as a provider's values are."""
    return same_login(name) if attribute == "userName" else unicodedata.normalize("NFC", name)


def resource(user: ToldUser, base: str) -> dict[str, object]:
    """The form shown to the directory. `base`: the address of the SCIM service."""
    state = user.state
    named = {} if state.external_id is None else {"externalId": state.external_id}
    return {
        "schemas": [USER],
        "id": user.id,
        **named,
        "userName": state.user_name,
        "active": state.active,
        "meta": {
            "resourceType": "User",
            "created": _time(user.created),
            "lastModified": _time(user.modified),
            "location": f"{base}/Users/{user.id}",
        },
    }


def _name(attribute: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise GatewayError(scim_codes.VALUE, f"{attribute} is not a text of 1 to {LONGEST_NAME} characters")
    if value != value.strip() or any(unicodedata.category(letter)[0] == "C" for letter in value):
        raise GatewayError(scim_codes.VALUE, f"{attribute} has white space at an end, or a character that is not seen")
    return value


def _boolean(value: object) -> bool:
    """Entra sends the text `"False"`, unless the address that it calls contains `aadOptscim062020`."""
    found = _BOOLEANS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise GatewayError(scim_codes.VALUE, "active is neither true nor false")
    return found


def _time(at: int) -> str:
    # RFC 7643 2.3.5
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
