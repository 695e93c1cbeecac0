"""What providers fetch to verify what we sign."""

import json

import pytest

from tests.oidc.samples import own_key
from tests.portal.installation import ACTES, PORTAL, Installation


async def test_the_public_keys_of_all_providers_are_published(here: Installation) -> None:
    here.change_provider("metropole", client_keys=(own_key("ES256", "new"), own_key("ES256", "old")))
    here.change_provider("departement", client_keys=(own_key("RS256", "rsa"), own_key("ES256", "old")))
    reply = await here.browser().get(here.url(PORTAL, "/_ecluse/oidc/jwks"))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/jwk-set+json")
    assert reply.headers["Cache-Control"] == "max-age=600"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    keys = json.loads(reply.text)["keys"]
    assert sorted(key["kid"] for key in keys) == ["new", "old", "rsa"]
    assert all("d" not in key for key in keys)


async def test_without_keys_the_set_is_empty(here: Installation) -> None:
    assert json.loads((await here.browser().get(here.url(PORTAL, "/_ecluse/oidc/jwks"))).text) == {"keys": []}


@pytest.mark.parametrize(("host", "path"), [(ACTES, "oidc/jwks"), (PORTAL, "oidc/jwks/"), (PORTAL, "oidc")])
async def test_they_are_at_one_place(here: Installation, host: str, path: str) -> None:
    assert (await here.browser().get(here.url(host, f"/_ecluse/{path}"))).status == 404
