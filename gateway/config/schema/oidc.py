"""The section `oidc:` of a provider file."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.types import (
    ClientCertificateSection,
    Issuer,
    Maybe,
    PublicReference,
    Secret,
    Strict,
    Text,
    WholeSeconds,
    Word,
    wrong,
)
from gateway.model.provider import (
    ClientAuthentication,
    ContentEncryption,
    EncryptionAlgorithm,
    ResponseMode,
    SigningAlgorithm,
)

AlgorithmName = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256"
]

_WITH_SECRET = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


class ClientKeySection(Strict):
    id: Maybe[Word] = None
    """The `kid` of the key. Default: the thumbprint of the key (RFC 7638)."""
    key: Secret
    """PEM: a private key without a passphrase, RSA of at least 2048 bits or EC on P-256."""
    algorithm: SigningAlgorithm = "RS256"
    certificate: Maybe[PublicReference] = None
    """PEM, for this key: for a provider that identifies the key by the thumbprint of a certificate (Entra ID, AD
    FS)."""


class DecryptionKeySection(Strict):
    id: Maybe[Word] = None
    """The `kid` of the key. Default: the thumbprint of the key (RFC 7638)."""
    key: Secret
    """PEM: a private key without a passphrase, RSA of at least 2048 bits or EC on P-256."""
    algorithm: EncryptionAlgorithm = "RSA-OAEP-256"


class EncryptionSection(Strict):
    """The content that the provider encrypts for the gateway. Listed content is refused without encryption."""

    keys: list[DecryptionKeySection] = Field(min_length=1, max_length=8)
    """The decryption keys. All are published at `/_ecluse/oidc/jwks` of the portal."""
    content: list[ContentEncryption] = Field(default=["A256GCM"], min_length=1)
    """The only content encryptions that are accepted."""
    id_token: bool = True
    userinfo: bool = False
    introspection: bool = False

    @model_validator(mode="after")
    def _has_effect(self) -> "EncryptionSection":
        if not (self.id_token or self.userinfo or self.introspection):
            raise wrong("nothing is encrypted", "write id_token: true or userinfo: true, or leave encryption out")
        return self


class ClaimDemandSection(Strict):
    """OIDC Core 5.5.1."""

    essential: bool = False
    value: Maybe[Word] = None
    values: Maybe[list[Word]] = Field(default=None, min_length=1, max_length=50)

    @model_validator(mode="after")
    def _one(self) -> "ClaimDemandSection":
        if self.value is not None and self.values is not None:
            raise wrong("only one of value and values may be written", "write all of them in values")
        return self


class ClaimsRequestSection(Strict):
    """The requested claims. `amr: {}` asks for amr without demanding a value."""

    id_token: dict[Word, ClaimDemandSection] = Field(default={}, max_length=100)
    userinfo: dict[Word, ClaimDemandSection] = Field(default={}, max_length=100)

    @model_validator(mode="after")
    def _asks(self) -> "ClaimsRequestSection":
        if not (self.id_token or self.userinfo):
            raise wrong("nothing is asked for here", "id_token: {acr: {essential: true, values: [...]}}")
        return self


# RFC 6750 2.1: the letters of a token, but for the dot, which a JWT has too.
TokenPrefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9_~+/-]{1,64}$")]

# Parameters that the gateway sets itself (OIDC Core 3.1.2.1, RFC 7636, 9101, 9126), or that have a key of their own.
_OWN = frozenset(
    (
        *("client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
        *("code_challenge_method", "request", "request_uri", "iss", "aud", "exp", "iat", "nbf", "jti"),
        *("client_secret", "client_assertion", "client_assertion_type"),
        *("response_mode", "acr_values", "prompt", "max_age", "claims"),
    )
)


def _not_own(name: str) -> str:
    if name in _OWN:
        raise wrong(f"{name} is not written here", "the gateway sets it, or has a key of that name")
    return name


Parameter = Annotated[Word, AfterValidator(_not_own)]


class RequestSection(Strict):
    """Additional parameters of a sign-in at this provider. Only the written parameters are sent."""

    response_mode: Maybe[ResponseMode] = None
    """How the provider returns its response: in the query (`query`, the default), by a form (`form_post`), or signed
    (the others)."""
    acr_values: list[Word] = Field(default=[], max_length=50)
    """Requested levels, in order of preference. The provider may respond with another level; to require one, use
    `claims`."""
    prompt: list[Literal["login", "consent", "select_account"]] = Field(default=[], max_length=3)
    max_age: Maybe[WholeSeconds] = None
    """The maximum age of the person's authentication at the provider. The provider asks an older person to authenticate
    again; an older authentication is refused."""
    claims: Maybe[ClaimsRequestSection] = None
    """An essential `acr` is checked in the ID token: another value is refused."""
    parameters: dict[Parameter, Text] = Field(default={}, max_length=50)
    """Further parameters with fixed values, such as idp_hint."""
    pass_on: list[Parameter] = Field(default=[], max_length=20)
    """Further parameters whose values come from a link into an application or from the URL of the portal's login page,
    such as login_hint."""
    pushed: bool = False
    """Sends the parameters to the provider beforehand (RFC 9126), so that the browser carries only a reference."""
    signed: bool = False
    """Sends the parameters as a request object (RFC 9101), signed with the first of client_keys."""


class ApiSection(Strict):
    """Access tokens of this provider, for applications whose files accept the tokens."""

    audience: list[Text] = Field(default=[], max_length=20)
    """The required audience: our identifiers at this provider. A JWT without any of them is refused."""
    clients: list[Text] = Field(default=[], max_length=200)
    """The clients to which tokens must have been issued (`client_id`). Without `audience`, only this key decides; use
    it for a provider that names no audience in its tokens (ProConnect)."""
    scopes: list[Word] = Field(default=[], max_length=20)
    """The scopes that a token must have, all of them."""
    introspection: bool = False
    """Whether opaque tokens are introspected at the provider (RFC 7662)."""
    introspection_algorithms: list[AlgorithmName] = Field(default=[], max_length=20)
    """The algorithms of signed introspection responses (RFC 9701); unsigned JSON is then refused. Default: responses
    are JSON, and a JWT is refused."""
    prefix: Maybe[TokenPrefix] = None
    """The prefix of this provider's opaque tokens. Tokens with another prefix are never sent to it."""
    without_tenant: bool = False
    """Whether a token that names no organisation is accepted although this file has a `tenant`. Its caller then acts
    for no organisation."""

    @model_validator(mode="after")
    def _is_bounded(self) -> "ApiSection":
        if not self.audience and not self.clients:
            raise wrong(
                "this would take every token: neither audience nor client is checked",
                "audience: [...] or clients: [...]",
            )
        if not self.introspection:
            if not self.audience:
                raise wrong("a JWT is for an audience", "audience: [...], or introspection: true")
            if self.introspection_algorithms or self.prefix is not None:
                raise wrong("this provider is asked about no tokens", "introspection: true")
        return self


def _key_age(seconds: int) -> int:
    if not 600 <= seconds <= 30 * 86400:
        raise wrong("this is from 10m to 30d")
    return seconds


class OidcSection(Strict):
    issuer: Issuer
    """The provider's issuer, exactly as its metadata spell it."""
    client_id: Word
    client_secret: Maybe[Secret] = None
    client_authentication: ClientAuthentication = "client_secret_basic"
    """How the gateway authenticates at the token endpoint. PKCE is always used as well."""
    client_keys: list[ClientKeySection] = Field(default=[], max_length=8)
    """The signing keys. All are published at `/_ecluse/oidc/jwks` of the portal, and the first signs. List a new key
    last for a while, then first."""
    client_keyring: Maybe[PublicReference] = None
    """Instead of `client_keys`: a file made by `ecluse key new client`, whose keys rotate by their dates. The id of
    each key is its `kid`."""
    client_certificate: Maybe[ClientCertificateSection] = None
    """The client certificate of the TLS handshake with this provider."""
    assertion_audience: Literal["issuer", "token_endpoint"] = "issuer"
    """The audience of the assertions of client_secret_jwt and private_key_jwt. Some providers accept only the token
    endpoint."""
    scopes: list[Word] = Field(default=["openid", "profile", "email"], min_length=1, max_length=50)
    algorithms: list[AlgorithmName] = Field(default=["RS256"], min_length=1)
    """The accepted signature algorithms of ID tokens. HS256 uses the client secret."""
    api: Maybe[ApiSection] = None
    """Access tokens from API callers. Default: none are accepted."""
    refresh: bool = False
    """Whether refresh tokens are kept and used. A session then ends when the provider has ended its own."""
    refresh_userinfo: bool = False
    """Whether each refresh also fetches userinfo, so that a person who leaves a group at the provider also leaves it
    here."""
    refresh_ends_on: list[Literal["invalid_request", "invalid_scope", "unauthorized_client"]] = Field(
        default=[], max_length=3
    )
    """Errors that mean, like `invalid_grant`, that a refresh token's session has ended at the provider."""
    userinfo: bool = True
    """Whether userinfo is fetched at each sign-in."""
    userinfo_algorithms: list[AlgorithmName] = Field(default=[], max_length=20)
    """The algorithms of signed userinfo responses; unsigned JSON is then refused. Default: userinfo is JSON, and a JWT
    is refused."""
    userinfo_token: Literal["header", "body"] = "header"
    """How the access token is sent to userinfo; `body` for a provider that does not read `Authorization`."""
    encryption: Maybe[EncryptionSection] = None
    request: RequestSection = RequestSection()
    keys_max_age: Annotated[WholeSeconds, AfterValidator(_key_age)] = 86400
    """How long the provider's signing keys stay trusted while they cannot be fetched. They are refetched after half of
    this time."""
    ca: Maybe[PublicReference] = None
    """PEM: the authority that signed the provider's TLS certificate, if it is not a public authority."""
    private_addresses: bool = False
    """Allows the provider's addresses to be on a private network."""

    @model_validator(mode="after")
    def _whole(self) -> "OidcSection":
        self._check_secret()
        if self.client_keys and self.client_keyring is not None:
            raise wrong("the client's keys stand in client_keys or in client_keyring", "leave one of them out")
        signs = self.client_keys or self.client_keyring is not None
        if self.request.signed and not signs:
            raise wrong("a signed request is signed with a key", "client_keys: [{key: {file: path}}]")
        if self.client_authentication == "private_key_jwt" and not signs:
            raise wrong("private_key_jwt signs with a key", "client_keys: [{key: {file: path}}]")
        if self.client_authentication == "tls_client_auth" and self.client_certificate is None:
            raise wrong("tls_client_auth shows a certificate", "client_certificate: {certificate: ..., key: ...}")
        self._check_userinfo()
        if self.refresh_userinfo and not (self.refresh and self.userinfo):
            raise wrong("refresh_userinfo needs refresh and userinfo", "refresh: true, userinfo: true")
        if "openid" not in self.scopes:
            raise wrong("openid is missing in scopes: it asks for the ID token", "add openid")
        return self

    def _check_secret(self) -> None:
        method = self.client_authentication
        if method in _WITH_SECRET and self.client_secret is None:
            raise wrong("client_secret is missing", "or write client_authentication: none for a public client")
        if self.makes_macs and self.client_secret is None:
            raise wrong("client_secret is missing: HS256 is made with it")
        if method not in _WITH_SECRET and self.client_secret is not None and not self.makes_macs:
            raise wrong(f"a client_secret is never sent with client_authentication: {method}", "leave one of them out")

    def _check_userinfo(self) -> None:
        encrypted = self.encryption is not None and self.encryption.userinfo
        if (self.userinfo_algorithms or encrypted) and not self.userinfo:
            raise wrong("userinfo is not asked for at all", "userinfo: true")
        if encrypted and not self.userinfo_algorithms:
            raise wrong("userinfo that is encrypted is signed first", "name its algorithms in userinfo_algorithms")
        if self.encryption is not None and self.encryption.introspection and not self._introspection_algorithms:
            what = "an answer of introspection that is encrypted is signed first"
            raise wrong(what, "name its algorithms in api: introspection_algorithms")

    @property
    def makes_macs(self) -> bool:
        """Whether the client secret signs tokens or requests."""
        named = {*self.algorithms, *self.userinfo_algorithms, *self._introspection_algorithms}
        return "HS256" in named or self.client_authentication == "client_secret_jwt"

    @property
    def _introspection_algorithms(self) -> list[AlgorithmName]:
        return [] if self.api is None else self.api.introspection_algorithms
