"""`/_ecluse/app/jwks`: the keys with which applications verify their tokens."""

from gateway.model.codes import route_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.http.request import PortalRequest
from gateway.portal.http.responses import BARE
from gateway.tokens.jwt import jwk_set

# Public, and the same for every client. A new key is published for longer than this before it signs.
_CACHED = b"public, max-age=300"


async def application_keys(request: PortalRequest) -> Page:
    """RFC 7517 5 and 8.5. Raises GatewayError(route_codes.RESERVED) where no tokens are signed."""
    keys = request.snapshot.gateway.token_keys
    if not keys:
        raise GatewayError(route_codes.RESERVED, "gateway.yaml has no keys for tokens")
    headers = tuple(header for header in BARE if header[0] != b"Cache-Control")
    kinds = ((b"Cache-Control", _CACHED), (b"Content-Type", b"application/jwk-set+json"))
    return Page(200, (*headers, *kinds), jwk_set(keys))
