"""`/_ecluse/app/jwks`: what applications verify their tokens by."""

import json
from dataclasses import replace

import pytest

from tests.portal.installation import ACTES, PORTAL, Installation
from tests.tokens.keys import key

JWKS = "/_ecluse/app/jwks"


@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_both_keys_are_there_while_they_overlap_for_whoever_asks(here: Installation, host: str) -> None:
    keys = (key("ES256"), key("ES256", 1))
    here.snapshot = replace(here.snapshot, gateway=replace(here.snapshot.gateway, token_keys=keys))
    reply = await here.browser().get(here.url(host, JWKS))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/jwk-set+json")
    assert reply.headers["Cache-Control"] == "public, max-age=300"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    published = json.loads(reply.text)["keys"]
    assert [one["kid"] for one in published] == [one.id for one in keys]
    assert "Set-Cookie" not in reply.headers


async def test_without_keys_there_is_no_such_page(here: Installation) -> None:
    assert (await here.browser().get(here.url(PORTAL, JWKS))).status == 404
