"""The authorization endpoint: the request and the response, both carried by the browser.

The request is in the URL, a JAR or a PAR, with PKCE. The response is plain parameters, or signed (JARM).
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.levels import StepUpRequest
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.model.transaction import OTHER_ACCOUNT, OidcLogin
from gateway.oidc.claims import audiences_of, check_expiry, check_issuer, check_not_ahead
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.client_keys import sign
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, parse_object, require_success, told_of
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature

# --- the request

_PUSHED = "pushed authorization answer"
REQUEST_OBJECT_SECONDS = 60
LONGEST_HINT = 512
# The forms of hints. Given another form, ProConnect shows an error page.
_HINT_FORMS = {
    "login_hint": re.compile(r"[^\s<>\"]{1,320}"),
    "idp_hint": re.compile(r"[!-~]{1,512}"),
    "siret_hint": re.compile(r"[0-9]{14}"),
}
# RFC 9101 10.8
_REQUEST_OBJECT = "oauth-authz-req+jwt"
# RFC 6749 3.1, RFC 9126 2.2: a URI, here without characters that trouble browsers or logs
_LONGEST_URI = 512
CHALLENGE_METHOD = "S256"
# RFC 7636 4.1
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def authorization_parameters(
    provider: OidcProvider, login: OidcLogin, state: str, hints: Mapping[str, str], *, selects_account: bool = False
) -> dict[str, str]:
    """The parameters of OIDC Core 3.1.2.1, and none that the provider file does not ask for.

    `hints`: parameters of our login address, or of a link into the application. Only those that the file lists are
    passed on. `selects_account`: whether the provider can be asked to have an account chosen (prompt=select_account).
    """
    asked = provider.request
    usual = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": login.redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": login.nonce,
        # RFC 7636 4.3
        "code_challenge": code_challenge(login.code_verifier),
        "code_challenge_method": CHALLENGE_METHOD,
    }
    wanted = {
        "response_mode": asked.response_mode or "",
        "acr_values": " ".join(asked.acr_values),
        "prompt": " ".join(_prompt(asked.prompt, selects_account) if OTHER_ACCOUNT in hints else asked.prompt),
        "max_age": "" if login.max_age is None else str(login.max_age),
        "claims": asked.claims or "",
    }
    passed_on = {name: hints[name] for name in sorted(asked.passed_on & hints.keys()) if is_hint(name, hints[name])}
    parameters = usual | {name: value for name, value in wanted.items() if value} | dict(asked.parameters) | passed_on
    return with_step_up(parameters, limited_to(login.asking, asked.essential_acr), provider.levels.ask)


def _prompt(written: Collection[str], selects_account: bool) -> Iterable[str]:
    """For a person who wants another account. 15.1: every provider understands `login`."""
    return dict.fromkeys(("select_account" if selects_account else "login", *written))


def authorization_url(metadata: ProviderMetadata, parameters: Mapping[str, str]) -> str:
    """The URL to which we send the browser."""
    # RFC 6749 3.1: the endpoint keeps its own query.
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(parameters)}"


def signed_request(
    provider: OidcProvider, metadata: ProviderMetadata, parameters: Mapping[str, str], fresh: Fresh
) -> dict[str, str]:
    """JAR (RFC 9101 4 and 5): the parameters in a signed request object, and the parameters beside the object."""
    if not provider.client_keys:
        raise GatewayError(oidc_codes.CLIENT_AUTHENTICATION, "a signed request needs a key, and there is none")
    issued_at = int(fresh.now)
    claims: dict[str, object] = {
        **_typed(parameters),
        "iss": provider.client_id,
        "aud": metadata.issuer,
        "jti": fresh.jti,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + REQUEST_OBJECT_SECONDS,
    }
    # OIDC Core 6.1: these two are repeated outside of the object, and so is a scope with openid.
    beside = {"client_id": provider.client_id, "response_type": "code", "scope": "openid"}
    return {**beside, "request": sign(provider.client_keys[0], claims, _REQUEST_OBJECT)}


def pushed_request(
    provider: OidcProvider, metadata: ProviderMetadata, parameters: Mapping[str, str], fresh: Fresh
) -> Call:
    """PAR (RFC 9126 2.1): the parameters, sent to the provider directly, with client authentication."""
    endpoint = metadata.pushed_authorization_request_endpoint
    if endpoint is None:
        detail = "the provider file has pushed: true, but the discovery document has no endpoint for it"
        raise GatewayError(oidc_codes.PUSHED_REQUEST, detail)
    return authenticated_call(provider, metadata, _PUSHED, endpoint, parameters, fresh)


def process_pushed_response(provider: OidcProvider, response: ProviderResponse) -> dict[str, str]:
    """What the browser carries in place of the parameters (RFC 9126 4). Raises
    GatewayError(oidc_codes.PUSHED_REQUEST)."""
    # RFC 9126 2.2: the status is 201.
    if response.status != 201:
        if 400 <= response.status < 500 and response.status != 429:
            raise GatewayError(
                oidc_codes.PUSHED_REQUEST,
                f"{_PUSHED}: status {response.status}: {told_of(response, _reason(response))}",
            )
        require_success(response, oidc_codes.PUSHED_REQUEST, _PUSHED)
        raise GatewayError(oidc_codes.PUSHED_REQUEST, f"{_PUSHED}: status {response.status}, not 201")
    request_uri = parse_object(response.body, oidc_codes.PUSHED_REQUEST, _PUSHED).get("request_uri")
    if not isinstance(request_uri, str) or not request_uri.isascii() or not 0 < len(request_uri) <= _LONGEST_URI:
        raise GatewayError(oidc_codes.PUSHED_REQUEST, f"{_PUSHED}: no request_uri")
    # RFC 9126 4
    return {"client_id": provider.client_id, "request_uri": request_uri}


def _typed(parameters: Mapping[str, str]) -> dict[str, object]:
    # OIDC Core 6.1: in the request object, numbers and objects are JSON numbers and objects.
    typed: dict[str, object] = dict(parameters)
    if "max_age" in parameters:
        typed["max_age"] = int(parameters["max_age"])
    if "claims" in parameters:
        typed["claims"] = json.loads(parameters["claims"])
    return typed


def is_hint(name: str, value: str) -> bool:
    """Whether the value has the form of the hint. Links can carry any value: only a well-formed hint is passed on."""
    form = _HINT_FORMS.get(name)
    return 0 < len(value) <= LONGEST_HINT and value.isprintable() and (form is None or bool(form.fullmatch(value)))


def _reason(response: ProviderResponse) -> str:
    try:
        document = parse_object(response.body, oidc_codes.PUSHED_REQUEST, _PUSHED)
    except GatewayError:
        return "no readable reason"
    return f"{document.get('error')}: {document.get('error_description', '')}"


def code_challenge(code_verifier: str) -> str:
    """The code challenge of the verifier (RFC 7636 4.2). Raises ValueError for a wrong length or a wrong character."""
    if not _VERIFIER.fullmatch(code_verifier):
        raise ValueError("a code verifier is 43 to 128 unreserved characters")
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


# --- step-up: a stronger or a more recent sign-in, asked for in the provider's own way


def limited_to(asking: StepUpRequest, demanded: Collection[str]) -> StepUpRequest:
    """Leaves out acr values that the provider file would not accept. `demanded` empty: the file accepts any value.

    FranceConnect+ refuses a request for a weaker value. Other providers return a weaker sign-in, which is refused here.
    """
    accepted = tuple(value for value in asking.acr_values if value in demanded)
    return replace(asking, acr_values=accepted) if accepted else asking


def with_step_up(
    parameters: Mapping[str, str], asking: StepUpRequest, ask: Literal["acr_values", "claims"]
) -> dict[str, str]:
    """The parameters of an authorization request, changed for this step-up (OIDC Core 3.1.2.1, 5.5.1.1).

    The step-up replaces the provider file's own parameters and is never weaker. `ask`: the means to ask the provider.
    """
    changed = dict(parameters)
    if asking.max_age is not None:
        # max_age makes `auth_time` required (2), without which we could not check the age.
        changed["max_age"] = str(min(asking.max_age, int(parameters.get("max_age", asking.max_age))))
    if asking.acr_values and ask == "acr_values":
        changed["acr_values"] = " ".join(asking.acr_values)
    if asking.amr:
        # No parameter names a method (amr). The person has to sign in again, and the token shows by which method.
        # The file's own prompt is kept: some providers return a refresh token with `consent` alone.
        changed["prompt"] = " ".join(dict.fromkeys(("login", *parameters.get("prompt", "").split())))
    if ask == "claims" and (asking.acr_values or asking.amr):
        changed["claims"] = _claims(parameters.get("claims", "{}"), asking)
    return changed


def _claims(written: str, asking: StepUpRequest) -> str:
    claims: dict[str, JsonObject] = json.loads(written)
    wanted = {"acr": asking.acr_values, "amr": asking.amr}
    asked: JsonObject = {name: {"essential": True, "values": list(values)} for name, values in wanted.items() if values}
    return json.dumps(claims | {"id_token": claims.get("id_token", {}) | asked}, separators=(",", ":"))


# --- the response

Parameters = Iterable[tuple[str, str]]

_STATE = re.compile(r"[A-Za-z0-9_-]{22,128}")
# RFC 6749 A.11: VSCHAR
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
# RFC 6749 4.1.2.1, OIDC Core 3.1.2.6: errors that the person can act on. All others are faults of a configuration.
_ERRORS = {
    "access_denied": login_codes.PROVIDER_REFUSED,
    "login_required": login_codes.PROVIDER_INTERACTION,
    "interaction_required": login_codes.PROVIDER_INTERACTION,
    "consent_required": login_codes.PROVIDER_INTERACTION,
    "account_selection_required": login_codes.PROVIDER_INTERACTION,
    # OpenID Connect Core Unmet Authentication Requirements 1.0: this person cannot reach the level that we requested.
    "unmet_authentication_requirements": login_codes.TOO_WEAK,
    "temporarily_unavailable": login_codes.PROVIDER_BUSY,
    "server_error": login_codes.PROVIDER_BUSY,
}
# The characters of a sentence, without those of markup and addresses.
_SHOWN = re.compile(r"[\w ,;:.!?'’()-]{1,200}")
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code of the provider of this login. Only `process_authorization_response` makes one."""

    provider: str
    value: str = field(repr=False)
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an AuthorizationCode comes from process_authorization_response alone")


def response_state(parameters: Parameters) -> str:
    """The `state`, by which the caller takes the login from the store first."""
    states = [value for name, value in parameters if name == "state"]
    if len(states) != 1 or not _STATE.fullmatch(states[0]):
        raise GatewayError(
            oidc_codes.RESPONSE_STATE, f"{len(states)} state parameters, or one of a form that we never sent"
        )
    return states[0]


def process_authorization_response(
    provider: OidcProvider, metadata: ProviderMetadata, login: OidcLogin, parameters: Parameters
) -> AuthorizationCode:
    """`login`: the login that the store gave, once, for `response_state`. `provider`: named by the callback path.

    Raises GatewayError, with a code of its own for each check.
    """
    if login.provider != provider.name:
        detail = f"asked of {quoted(login.provider)}, answered at the callback of {quoted(provider.name)}"
        raise GatewayError(login_codes.OTHER_PROVIDER, detail)
    # Invariant 7: a reload may have given this provider file another issuer, which must not see this code.
    if login.issuer not in ("", provider.issuer):
        detail = f"asked of {quoted(login.issuer)}, and the file names {quoted(provider.issuer)} since"
        raise GatewayError(login_codes.OTHER_PROVIDER, detail)
    response = _single(parameters)
    _check_issuer(metadata, response.get("iss"))
    # RFC 6749 4.1.2.1
    if "error" in response:
        raise _refusal(response["error"], response.get("error_description", ""))
    # RFC 6749 4.1.2
    code = response.get("code", "")
    if not _CODE.fullmatch(code):
        raise GatewayError(oidc_codes.RESPONSE_CODE, f"no code, or one of a wrong form ({len(code)} characters)")
    return AuthorizationCode(provider.name, code, _PROVEN)


def _refusal(error: str, description: str) -> GatewayError:
    """The error for a refusal. State and issuer have been checked, so the text in it is the provider's own."""
    shown = description if _SHOWN.fullmatch(description) else ""
    return GatewayError(
        _ERRORS.get(error, login_codes.PROVIDER_FAULT), f"{quoted(error)}: {quoted(description)}", shown=shown
    )


def _single(parameters: Parameters) -> Mapping[str, str]:
    # RFC 6749 3.1: parameters MUST NOT be included more than once
    response: dict[str, str] = {}
    for name, value in parameters:
        if name in response:
            raise GatewayError(oidc_codes.RESPONSE_PARAMETER, f"parameter {quoted(name)} twice")
        response[name] = value
    return response


def _check_issuer(metadata: ProviderMetadata, iss: str | None) -> None:
    # RFC 9207 2.4: `iss` is compared whenever it is sent, with errors too, and required if the metadata announce it.
    if iss is None and metadata.authorization_response_iss_parameter_supported:
        raise GatewayError(
            oidc_codes.RESPONSE_ISSUER, "no iss parameter, though the provider announces that it sends one"
        )
    if iss is not None and iss != metadata.issuer:
        raise GatewayError(oidc_codes.RESPONSE_ISSUER, f"iss {quoted(iss)}, not {quoted(metadata.issuer)}")


# --- JARM (JWT Secured Authorization Response Mode for OAuth 2.0): the response as a signed JWT

# 4.1: claims about the JWT itself. Not `iss`, which serves as the parameter of RFC 9207 (2.4).
_OF_THE_TOKEN = frozenset(("aud", "exp", "iat", "nbf", "jti"))


def is_signed(provider: OidcProvider) -> bool:
    mode = provider.request.response_mode
    return mode is not None and mode.endswith("jwt")


def unverified_parameters(parameters: Parameters) -> Parameters:
    """The parameters, not verified yet: their `state` finds the login. Raises
    GatewayError(oidc_codes.RESPONSE_PARAMETER)."""
    responses = [value for name, value in parameters if name == "response"]
    if not responses:
        return parameters
    # RFC 6749 3.1
    if len(responses) > 1:
        raise GatewayError(oidc_codes.RESPONSE_PARAMETER, "parameter response twice")
    return _texts(parse_compact(responses[0]).payload)


def verified_parameters(provider: OidcProvider, keys: JsonWebKeySet, parameters: Parameters, now: float) -> Parameters:
    """The parameters of a signed response, checked in the order of 4.4. `now`: Unix seconds.

    Raises GatewayError: oidc_codes.RESPONSE_JWT, or a code of the ID token. oidc_codes.ID_TOKEN_KEY and
    oidc_codes.ID_TOKEN_SIGNATURE may mean that the provider has changed its keys.
    """
    responses = [value for name, value in parameters if name == "response"]
    # If we requested a signed response, an unsigned one is refused.
    if len(responses) != 1:
        raise GatewayError(oidc_codes.RESPONSE_JWT, f"{len(responses)} signed responses, and one was asked for")
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
