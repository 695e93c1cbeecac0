"""JARM (JWT Secured Authorization Response Mode for OAuth 2.0): an authorization response as a signed JWT."""

from gateway.model.codes import OIDC_RESPONSE_JWT, OIDC_RESPONSE_PARAMETER
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.authorization import Parameters
from gateway.oidc.claims import audiences_of, check_expiry, check_issuer, check_not_ahead
from gateway.oidc.jwks import JsonWebKeySet
from gateway.oidc.jws import parse_compact, verify_signature

# 4.1: claims about the JWT itself. Not `iss`, which serves as the parameter of RFC 9207 (2.4).
_OF_THE_TOKEN = frozenset(("aud", "exp", "iat", "nbf", "jti"))


def is_signed(provider: OidcProvider) -> bool:
    mode = provider.request.response_mode
    return mode is not None and mode.endswith("jwt")


def unverified_parameters(parameters: Parameters) -> Parameters:
    """The parameters, not verified yet: their `state` finds the login. Raises GatewayError(OIDC_RESPONSE_PARAMETER)."""
    responses = [value for name, value in parameters if name == "response"]
    if not responses:
        return parameters
    # RFC 6749 3.1
    if len(responses) > 1:
        raise GatewayError(OIDC_RESPONSE_PARAMETER, "parameter response twice")
    return _texts(parse_compact(responses[0]).payload)


def verified_parameters(provider: OidcProvider, keys: JsonWebKeySet, parameters: Parameters, now: float) -> Parameters:
    """The parameters of a signed response, checked in the order of 4.4. `now`: Unix seconds.

    Raises GatewayError: OIDC_RESPONSE_JWT, or a code of the ID token. OIDC_ID_TOKEN_KEY and OIDC_ID_TOKEN_SIGNATURE may
    mean that the provider has changed its keys.
    """
    responses = [value for name, value in parameters if name == "response"]
    # If we requested a signed response, an unsigned one is refused.
    if len(responses) != 1:
        raise GatewayError(OIDC_RESPONSE_JWT, f"{len(responses)} signed responses, and one was asked for")
    # 4.4 (2) to (7)
    token = parse_compact(responses[0])
    check_issuer(provider, token.payload)
    audiences_of(provider, token.payload)
    check_expiry(provider, token.payload, now)
    # RFC 7519 4.1.5, 4.1.6
    check_not_ahead(provider, token.payload, now)
    verify_signature(token, keys, provider.algorithms, provider.client_secret)
    return _texts(token.payload)


def _texts(payload: dict[str, object]) -> Parameters:
    found = [(name, value) for name, value in payload.items() if name not in _OF_THE_TOKEN]
    return [(name, value) for name, value in found if isinstance(value, str)]
