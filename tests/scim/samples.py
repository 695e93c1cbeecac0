"""What Entra and Okta send, as their documentation has it."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.scim.document import ScimObject, read_object
from gateway.scim.user import USER, UserState

Found = TypeVar("Found")

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ANNE = UserState("anne.durand@ville.example", "58342554-38d6-4ec8-948c-50044d0a33fd", active=True)

# learn.microsoft.com, "Develop and plan provisioning for a SCIM endpoint"
ENTRA_CREATE = {
    "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "externalId": ANNE.external_id,
    "userName": ANNE.user_name,
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": ANNE.user_name}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Anne Durand", "familyName": "Durand", "givenName": "Anne"},
    "roles": [],
}
# developer.okta.com, "Okta and SCIM Version 2.0"
OKTA_CREATE = {
    "schemas": [USER],
    "userName": ANNE.user_name,
    "name": {"givenName": "Anne", "familyName": "Durand"},
    "emails": [{"primary": True, "value": ANNE.user_name, "type": "work"}],
    "displayName": "Anne Durand",
    "locale": "fr-FR",
    "externalId": ANNE.external_id,
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def told(document: object) -> ScimObject:
    return read_object(json.dumps(document).encode())


def patch(*operations: object) -> ScimObject:
    return told({"schemas": [PATCH_OP], "Operations": operations})


def user(**attributes: object) -> ScimObject:
    return told({"schemas": [USER], **attributes})


def refused(step: Callable[[], Any]) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as caught:
        step()
    return caught.value.code, caught.value.detail


def outcome(step: Callable[[], Found]) -> Found | Code:
    """What it comes to, or the code by which it is refused."""
    try:
        return step()
    except GatewayError as error:
        return error.code
