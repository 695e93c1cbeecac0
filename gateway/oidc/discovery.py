"""OpenID Connect Discovery 1.0: the request for a provider's metadata, and the checks of the response."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gateway.model.codes import oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, response_object

WHAT = "discovery document"
# Discovery 4
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members of the metadata that we use, under the names of the specification (Discovery 3, RFC 9207 3).

    At a provider where we authenticate with a certificate, the endpoints are the mTLS aliases (RFC 8705 5).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    authorization_response_iss_parameter_supported: bool
    end_session_endpoint: str | None = None
    introspection_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    revocation_endpoint: str | None = None
    selects_account: bool = False


def discovery_request(provider: OidcProvider) -> Call:
    # Discovery 4.1: one terminating slash is removed
    url = provider.issuer.removesuffix("/") + WELL_KNOWN
    require_endpoint(url, development=provider.development, code=oidc_codes.DISCOVERY_ENDPOINT, what="issuer")
    return Call(WHAT, "GET", url, (("Accept", "application/json"),))


def process_discovery_response(provider: OidcProvider, response: ProviderResponse) -> ProviderMetadata:
    return provider_metadata(provider, discovery_document(response, (provider.issuer,)))


def discovery_document(response: ProviderResponse, issuers: Collection[str]) -> JsonObject:
    """The document in the response, if its issuer is one of `issuers`: the issuers that have the document at this
    address."""
    first = next(iter(issuers))
    # Discovery 4.2: application/json
    document = response_object(response, oidc_codes.DISCOVERY, f"{WHAT} of {quoted(first)}", ("application/json",))
    # Discovery 4.3: the issuer returned MUST be exactly the one that we asked.
    if document.get("issuer") not in issuers:
        detail = f"{WHAT}: issuer {quoted(document.get('issuer'))}, not {quoted(first)}"
        raise GatewayError(oidc_codes.DISCOVERY_ISSUER, detail)
    return document


def provider_metadata(provider: OidcProvider, document: JsonObject) -> ProviderMetadata:
    """The metadata in a document of this provider."""
    called = document | _aliases(provider, document)
    return ProviderMetadata(
        issuer=provider.issuer,
        authorization_endpoint=_endpoint(provider, document, "authorization_endpoint"),
        token_endpoint=_endpoint(provider, called, "token_endpoint"),
        jwks_uri=_endpoint(provider, document, "jwks_uri"),
        userinfo_endpoint=_optional(provider, called, "userinfo_endpoint"),
        authorization_response_iss_parameter_supported=_boolean(
            document, "authorization_response_iss_parameter_supported"
        ),
        # RFC 8414 2
        introspection_endpoint=_optional(provider, called, "introspection_endpoint"),
        revocation_endpoint=_optional(provider, called, "revocation_endpoint"),
        # RP-Initiated Logout 2.1
        end_session_endpoint=_optional(provider, document, "end_session_endpoint"),
        # Initiating User Registration via OpenID Connect 1.0, 4.1
        selects_account="select_account" in _texts(document, "prompt_values_supported"),
        # RFC 9126 5
        pushed_authorization_request_endpoint=_optional(provider, called, "pushed_authorization_request_endpoint"),
    )


def _aliases(provider: OidcProvider, document: JsonObject) -> JsonObject:
    # RFC 8705 5: a client that authenticates with a certificate uses these in place of the usual endpoints.
    aliases = document.get("mtls_endpoint_aliases", {})
    if not isinstance(aliases, dict):
        raise GatewayError(oidc_codes.DISCOVERY, f"{WHAT}: mtls_endpoint_aliases is not an object")
    return aliases if provider.client_certificate is not None else {}


def _endpoint(provider: OidcProvider, document: JsonObject, member: str) -> str:
    # Discovery 3: these URLs MUST use the https scheme
    return require_endpoint(
        document.get(member),
        development=provider.development,
        code=oidc_codes.DISCOVERY_ENDPOINT,
        what=f"{WHAT}: {member}",
    )


def _optional(provider: OidcProvider, document: JsonObject, member: str) -> str | None:
    return _endpoint(provider, document, member) if member in document else None


def _texts(document: JsonObject, member: str) -> list[object]:
    """A member that is not a list counts as missing: no sign-in depends on the member."""
    value = document.get(member)
    return value if isinstance(value, list) else []


def _boolean(document: JsonObject, member: str) -> bool:
    value = document.get(member, False)
    if not isinstance(value, bool):
        raise GatewayError(oidc_codes.DISCOVERY, f"{WHAT}: {member} is neither true nor false")
    return value


# --- the form of URLs that we call, or to which we send a browser

_LONGEST = 2048
# Characters of RFC 3986 only, without user part or fragment (RFC 6749 3.1, 3.2), and with nothing that a parser would
# strip or fold.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?][!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?"
)


def require_endpoint(value: object, *, development: bool, code: Code, what: str) -> str:
    """`value`, if it is an absolute https URL, or with `development` an http one. Else raises GatewayError(code)."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise GatewayError(code, f"{what}: not a URL of at most {_LONGEST} characters")
    match = _URL.fullmatch(value)
    if match is None:
        raise GatewayError(code, f"{what}: {quoted(value)} is not an absolute URL of plain form")
    if match["scheme"] != "https" and not development:
        raise GatewayError(code, f"{what}: {quoted(value)} is not https")
    return value
