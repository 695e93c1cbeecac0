"""A directory that tells of people, and people who sign in: `uid` is what the provider says, the subject its own."""

import json
from typing import Any

from gateway.model.scim import ScimClient
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PORTAL, Installation

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
TOKEN = "token-of-the-directory-0123456789"
CLIENT = ScimClient("annuaire", "metropole", (TOKEN.encode(),), person="uid")
OFF = {"op": "Replace", "path": "active", "value": "False"}
ON = {"op": "Replace", "path": "active", "value": "True"}


async def asked(
    here: Installation, method: str, path: str, document: object = None, *, token: str = TOKEN, **headers: str
) -> Reply:
    """From the directory's own server: no cookie, no browser's headers."""
    told = {"Authorization": f"Bearer {token}"} if token else {}
    told |= {"Content_Type": "application/scim+json"} if document is not None else {}
    data = document if isinstance(document, bytes | None) else json.dumps(document).encode()
    url = here.url(PORTAL, f"/_ecluse/scim/v2{path}")
    return await here.browser().send(method, url, headers={**told, **headers}, data=data)


async def created(here: Installation, name: str = "alice", *, token: str = TOKEN, **more: Any) -> str:
    document = {"schemas": [USER], "userName": name, **more}
    reply = await asked(here, "POST", "/Users", document, token=token)
    assert reply.status == 201, reply.text
    return str(json.loads(reply.body)["id"])


async def patched(here: Installation, id: str, *operations: object, token: str = TOKEN) -> Reply:
    return await asked(here, "PATCH", f"/Users/{id}", {"schemas": [PATCH_OP], "Operations": operations}, token=token)


async def signed_in(here: Installation, user: str = "alice", host: str = ACTES) -> Browser:
    browser = here.browser(user)
    reply = await browser.get(here.url(host))
    assert reply.status == 200, reply.text
    return browser


async def opens(here: Installation, browser: Browser, host: str = ACTES) -> bool:
    return (await browser.get(here.url(host), follow=False)).status == 200
