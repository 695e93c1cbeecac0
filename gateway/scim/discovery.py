"""The abilities of the service, as clients read them (RFC 7644 4, RFC 7643 5 to 7). The same for every client."""

from typing import Final

from gateway.scim.query import MOST_RESULTS, list_response
from gateway.scim.user import USER

_CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:"


def service_provider_config(base: str) -> dict[str, object]:
    unsupported = {"supported": False}
    return {
        "schemas": [f"{_CORE}ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": unsupported,
        "sort": unsupported,
        "etag": unsupported,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A secret of the directory's own, as RFC 6750 2.1 sends it",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> dict[str, object]:
    return list_response([resource_type(base)], total=1, start=1)


def resource_type(base: str) -> dict[str, object]:
    return {
        "schemas": [f"{_CORE}ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person, by what the directory names them",
        "schema": USER,
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/User"},
    }


def schemas(base: str) -> dict[str, object]:
    return list_response([user_schema(base)], total=1, start=1)


def user_schema(base: str) -> dict[str, object]:
    return {
        "schemas": [f"{_CORE}Schema"],
        "id": USER,
        "name": "User",
        "description": "What is kept of a person; all else is read past",
        "attributes": [
            _attribute("userName", "By what the directory names the person", required=True, uniqueness="server"),
            _attribute("externalId", "By what the directory itself knows the person", exact=True, uniqueness="server"),
            # Required: otherwise a client could remove it (RFC 7644 3.5.2.2), and a person is active or inactive.
            _attribute(
                "active", "Whether the person may sign in; false ends their sessions", type="boolean", required=True
            ),
        ],
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{USER}"},
    }


def _attribute(
    name: str,
    description: str,
    *,
    type: str = "string",
    required: bool = False,
    exact: bool = False,
    uniqueness: str = "none",
) -> dict[str, object]:
    return {
        "name": name,
        "type": type,
        "multiValued": False,
        "description": description,
        "required": required,
        "caseExact": exact,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": uniqueness,
    }
