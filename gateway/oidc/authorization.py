"""The authorization response that a browser carries back from the provider: plain parameters, or signed ones (JARM)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import (
    LOGIN_OTHER_PROVIDER,
    LOGIN_PROVIDER_BUSY,
    LOGIN_PROVIDER_FAULT,
    LOGIN_PROVIDER_INTERACTION,
    LOGIN_PROVIDER_REFUSED,
    LOGIN_TOO_WEAK,
    OIDC_RESPONSE_CODE,
    OIDC_RESPONSE_ISSUER,
    OIDC_RESPONSE_JWT,
    OIDC_RESPONSE_PARAMETER,
    OIDC_RESPONSE_STATE,
)
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.model.transaction import OidcLogin
from gateway.oidc.claims import audiences_of, check_expiry, check_issuer, check_not_ahead
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature

Parameters = Iterable[tuple[str, str]]

_STATE = re.compile(r"[A-Za-z0-9_-]{22,128}")
# RFC 6749 A.11: VSCHAR
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
# RFC 6749 4.1.2.1, OIDC Core 3.1.2.6: errors that the person can act on. All others are faults of a configuration.
_ERRORS = {
    "access_denied": LOGIN_PROVIDER_REFUSED,
    "login_required": LOGIN_PROVIDER_INTERACTION,
    "interaction_required": LOGIN_PROVIDER_INTERACTION,
    "consent_required": LOGIN_PROVIDER_INTERACTION,
    "account_selection_required": LOGIN_PROVIDER_INTERACTION,
    # OpenID Connect Core Unmet Authentication Requirements 1.0: this person cannot reach the level that we requested.
    "unmet_authentication_requirements": LOGIN_TOO_WEAK,
    "temporarily_unavailable": LOGIN_PROVIDER_BUSY,
    "server_error": LOGIN_PROVIDER_BUSY,
}
# The characters of a sentence, without those of markup and addresses.
_SHOWN = re.compile(r"[\w ,;:.!?'’()-]{1,200}")
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code from the provider that we asked. Only `process_authorization_response` makes one."""

    provider: str
    value: str = field(repr=False)
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an AuthorizationCode comes from process_authorization_response alone")


def response_state(parameters: Parameters) -> str:
    """The `state`, by which the caller takes the login from the store before it reads anything else."""
    states = [value for name, value in parameters if name == "state"]
    if len(states) != 1 or not _STATE.fullmatch(states[0]):
        raise GatewayError(OIDC_RESPONSE_STATE, f"{len(states)} state parameters, or one of a form that we never sent")
    return states[0]


def process_authorization_response(
    provider: OidcProvider, metadata: ProviderMetadata, login: OidcLogin, parameters: Parameters
) -> AuthorizationCode:
    """`login`: what the store gave, once, for `response_state`. `provider`: the one that the callback path names.

    Raises GatewayError, with a code of its own for each check.
    """
    if login.provider != provider.name:
        detail = f"asked of {quoted(login.provider)}, answered at the callback of {quoted(provider.name)}"
        raise GatewayError(LOGIN_OTHER_PROVIDER, detail)
    # Invariant 7: a reload may have given this provider file another issuer, which must not see this code.
    if login.issuer not in ("", provider.issuer):
        detail = f"asked of {quoted(login.issuer)}, and the file names {quoted(provider.issuer)} since"
        raise GatewayError(LOGIN_OTHER_PROVIDER, detail)
    response = _single(parameters)
    _check_issuer(metadata, response.get("iss"))
    # RFC 6749 4.1.2.1
    if "error" in response:
        raise _refusal(response["error"], response.get("error_description", ""))
    # RFC 6749 4.1.2
    code = response.get("code", "")
    if not _CODE.fullmatch(code):
        raise GatewayError(OIDC_RESPONSE_CODE, f"no code, or one of a wrong form ({len(code)} characters)")
    return AuthorizationCode(provider.name, code, _PROVEN)


def _refusal(error: str, description: str) -> GatewayError:
    """The error for a refusal. State and issuer have been checked, so the text in it is the provider's own."""
    shown = description if _SHOWN.fullmatch(description) else ""
    return GatewayError(
        _ERRORS.get(error, LOGIN_PROVIDER_FAULT), f"{quoted(error)}: {quoted(description)}", shown=shown
    )


def _single(parameters: Parameters) -> Mapping[str, str]:
    # RFC 6749 3.1: parameters MUST NOT be included more than once
    response: dict[str, str] = {}
    for name, value in parameters:
        if name in response:
            raise GatewayError(OIDC_RESPONSE_PARAMETER, f"parameter {quoted(name)} twice")
        response[name] = value
    return response


def _check_issuer(metadata: ProviderMetadata, iss: str | None) -> None:
    # RFC 9207 2.4: `iss` is compared whenever it is sent, with errors too, and required if the metadata announce it.
    if iss is None and metadata.authorization_response_iss_parameter_supported:
        raise GatewayError(OIDC_RESPONSE_ISSUER, "no iss parameter, though the provider announces that it sends one")
    if iss is not None and iss != metadata.issuer:
        raise GatewayError(OIDC_RESPONSE_ISSUER, f"iss {quoted(iss)}, not {quoted(metadata.issuer)}")


# --- JARM (JWT Secured Authorization Response Mode for OAuth 2.0): the response as a signed JWT

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
