"""Client authentication (OIDC Core 9, RFC 8705): at a provider's token endpoint, and at further endpoints that demand
authentication."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.client_keys import sign
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call

# RFC 7523 2.2
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Fresh:
    """The varying parts of an assertion. `jti`: random. `now`: Unix seconds."""

    jti: str = field(repr=False)
    now: float


def authenticated_call(
    provider: OidcProvider,
    metadata: ProviderMetadata,
    what: str,
    url: str,
    form: Mapping[str, str],
    fresh: Fresh,
    accept: str = "application/json",
) -> Call:
    """A form POST with client authentication. Without a secret or key, raises GatewayError:
    oidc_codes.CLIENT_AUTHENTICATION."""
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", accept)]
    sent = dict(form)
    match provider.client_authentication:
        case "client_secret_basic":
            headers.append(("Authorization", _basic(provider.client_id, _secret(provider))))
        case "client_secret_post":
            sent |= {"client_id": provider.client_id, "client_secret": _secret(provider)}
        case "client_secret_jwt" | "private_key_jwt":
            sent |= {
                "client_id": provider.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": _assertion(provider, metadata, fresh),
            }
        case "none" | "tls_client_auth":
            # RFC 8705 2: the certificate authenticates us, and client_id names us.
            sent |= {"client_id": provider.client_id}
    return Call(what, "POST", url, tuple(headers), urlencode(sent).encode("ascii"))


def _assertion(provider: OidcProvider, metadata: ProviderMetadata, fresh: Fresh) -> str:
    # OIDC Core 9, RFC 7523 3. The issuer is the safer audience: no other provider's metadata can make us write it.
    audience = metadata.issuer if provider.assertion_audience == "issuer" else metadata.token_endpoint
    issued_at = int(fresh.now)
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": audience,
        "jti": fresh.jti,
        "iat": issued_at,
        "exp": issued_at + ASSERTION_SECONDS,
    }
    if provider.client_authentication == "client_secret_jwt":
        key = OctKey.import_key(_secret(provider))
        return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, key, algorithms=["HS256"])
    if not provider.client_keys:
        raise GatewayError(oidc_codes.CLIENT_AUTHENTICATION, "private_key_jwt needs a key, and there is none")
    return sign(provider.client_keys[0], claims)


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749 2.3.1: both are form-encoded first, because of `:` and non-ASCII characters.
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")


def _secret(provider: OidcProvider) -> str:
    if not provider.client_secret:
        detail = f"{provider.client_authentication} needs a client secret, and there is none"
        raise GatewayError(oidc_codes.CLIENT_AUTHENTICATION, detail)
    return provider.client_secret
