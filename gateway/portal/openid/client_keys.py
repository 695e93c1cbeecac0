"""`/_ecluse/oidc/jwks` on the portal: the public halves of the keys with which we sign towards providers, and open
what they encrypt for us."""

import json

from gateway.model.ports import Page
from gateway.model.provider import ClientKey, OidcProvider
from gateway.oidc.client_keys import jwk_set
from gateway.portal.http.request import PortalRequest
from gateway.portal.http.responses import BARE

# A provider that keeps them for longer than this will not know a new one in time.
_FRESH_SECONDS = 600


async def client_keys(request: PortalRequest) -> Page:
    providers = [one for one in request.snapshot.providers.values() if isinstance(one, OidcProvider)]
    keys = [key for provider in providers for key in own_keys(provider)]
    body = json.dumps(jwk_set(keys), separators=(",", ":"))
    headers = [(name, value) for name, value in BARE if name != b"Cache-Control"]
    headers += [
        (b"Cache-Control", f"max-age={_FRESH_SECONDS}".encode()),
        # RFC 7517 8.5.1
        (b"Content-Type", b"application/jwk-set+json"),
    ]
    return Page(200, tuple(headers), body.encode())


def own_keys(provider: OidcProvider) -> tuple[ClientKey, ...]:
    return provider.client_keys + (provider.encryption.keys if provider.encryption else ())
