"""A provider file, compiled: our requests to an identity provider, and the attributes that it may assert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from gateway.model.levels import NO_LEVELS, ProviderLevels

ClientAuthentication = Literal[
    "none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth"
]
SigningAlgorithm = Literal["RS256", "PS256", "ES256"]
EncryptionAlgorithm = Literal["RSA-OAEP-256", "ECDH-ES"]
ContentEncryption = Literal["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"]

# Seconds. What a provider file may say at most of the clocks (`skew`).
LONGEST_SKEW = 600


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A private key of ours for a provider, PEM, for signing or decryption.

    `id`: the kid; None: the thumbprint (RFC 7638).
    `x5t`: the thumbprint of the certificate by which a provider knows the key.
    """

    id: str | None
    algorithm: SigningAlgorithm | EncryptionAlgorithm
    pem: bytes = field(repr=False)
    x5t: str | None = None


@dataclass(frozen=True, slots=True)
class Encryption:
    """The content that a provider encrypts for us (RFC 7516).

    `keys`: the private keys for decryption.
    `content`: the accepted content encryption algorithms.
    `id_token`, `userinfo`, `introspection`: True: must be encrypted; False: must not be encrypted."""

    keys: tuple[ClientKey, ...]
    content: frozenset[str]
    id_token: bool
    userinfo: bool
    introspection: bool = False


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Our client certificate for a server, PEM (for providers: RFC 8705, SAML Bindings 3.2.2.1)."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServesOrganisations:
    """The organisations whose people a provider signs in.

    `others`: every organisation without a provider of its own.
    `networks`: people in these networks see the provider first.
    `hosts`: the hosts of applications that only this provider's people use: the sign-in begins without a choice.
    """

    siren: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    others: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return not (self.siren or self.domains or self.departements or self.others)


SERVES_NOBODY_BY_NAME = ServesOrganisations()


@dataclass(frozen=True, slots=True)
class Perimeter:
    """The limits of a provider's assertions about people. None: no limit. An empty set: no value may be asserted.

    `siret`: the SIRETs.
    `email_domains`: the domains of e-mail addresses.
    `scopes`: the scopes of scoped attributes; None: `email_domains` limits the scopes.
    `attributes`: by attribute, the only allowed values.
    """

    siret: frozenset[str] | None = None
    email_domains: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    attributes: Mapping[str, frozenset[str]] | None = None


ResponseMode = Literal["query", "form_post", "jwt", "query.jwt", "form_post.jwt"]


@dataclass(frozen=True, slots=True)
class AuthorizationParameters:
    """Additional parameters of authorization requests to a provider, and how a request is sent.

    `max_age`: seconds.
    `claims`: the JSON of OIDC Core 5.5.
    `essential_acr`: the acr values that `claims` marks as essential; empty: no such demand.
    `parameters`: further parameters.
    `passed_on`: the names of parameters that a link into an application, or our login address, may contribute.
    `pushed`: pushes the request first (RFC 9126).
    `signed`: signs the request with the first of the client's keys (RFC 9101).
    """

    response_mode: ResponseMode | None = None
    acr_values: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    claims: str | None = None
    essential_acr: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    passed_on: frozenset[str] = frozenset()
    pushed: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class ProviderLogout:
    """Sign-out at the provider.

    `method`: how the browser is sent to the provider; "auto": by redirect if the address is short enough, else by form.
    `front_channel`: the provider may end sessions with a frame.
    `client_id`: sends the client id beside the ID token.
    `revoke`: revokes the refresh token at the end of the session."""

    method: Literal["auto", "get", "post"] = "auto"
    front_channel: bool = False
    client_id: bool = False
    revoke: bool = True


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """The conditions on access tokens of a provider.

    `audience`: the token has one of these audiences.
    `scopes`: the token has all of these scopes.
    `clients`: the token was issued to one of these clients; empty: to any client.
    `introspection`: the provider introspects tokens that are not JWTs.
    `introspection_algorithms`: the signatures of introspection answers in JWT form; empty: answers are JSON.
    `prefix`: the first characters of the provider's opaque tokens.
    `without_tenant`: accepts a token without an organisation although the file has a tenant; the token then acts for no
    organisation.
    """

    audience: frozenset[str]
    scopes: frozenset[str]
    algorithms: frozenset[str]
    introspection: bool
    clients: frozenset[str] = frozenset()
    introspection_algorithms: frozenset[str] = frozenset()
    prefix: str = ""
    without_tenant: bool = False


@dataclass(frozen=True, slots=True)
class AttributeSource:
    """The source of a mapped attribute: the path of a claim. `address.country` is ("address", "country")."""

    claim: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID provider. Times are in seconds.

    `label`: the name that people see.
    `algorithms`: the accepted signatures of ID tokens.
    `skew`: the clock tolerance.
    `ca`: PEM of the provider's own certificate authority.
    `private_addresses`: the provider may be on a private network.
    `labels`: the names by language, if the file has several.
    `client_keys`: the gateway publishes every key, and signs with the first.
    `assertion_audience`: the audience of our client assertions.
    `userinfo_algorithms`: the signatures of userinfo in JWT form, which alone is accepted; empty: userinfo is JSON.
    `keys_max_age`: the greatest age of keys that could not be fetched again; older keys verify no signature.
    `refresh_ends_on`: errors that end a session, as `invalid_grant` does.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str | None
    client_authentication: ClientAuthentication
    scopes: tuple[str, ...]
    algorithms: frozenset[str]
    userinfo: bool
    attributes: Mapping[str, AttributeSource]
    tenant_attribute: str | None
    perimeter: Perimeter
    skew: int
    session_idle: int
    session_absolute: int
    ca: bytes | None = None
    development: bool = False
    private_addresses: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    client_keys: tuple[ClientKey, ...] = ()
    client_certificate: ClientCertificate | None = None
    assertion_audience: Literal["issuer", "token_endpoint"] = "issuer"
    userinfo_algorithms: frozenset[str] = frozenset()
    userinfo_token: Literal["header", "body"] = "header"
    keys_max_age: int = 86400
    encryption: Encryption | None = None
    levels: ProviderLevels = NO_LEVELS
    logout: ProviderLogout = ProviderLogout()
    refresh: bool = False
    refresh_userinfo: bool = False
    refresh_ends_on: frozenset[str] = frozenset()
    api: ApiAccess | None = None
    request: AuthorizationParameters = field(default_factory=AuthorizationParameters)
    chooses_tenant: bool = False
    serves: ServesOrganisations = SERVES_NOBODY_BY_NAME


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """Metadata in a file of the operator, trusted with or without a signature."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MetadataUrl:
    """`kind`: the entity's own document, a federation's aggregate, or the base URL of an MDQ service, which is queried
    by entityID or by the SHA-1 of the entityID.
    `keys`: SubjectPublicKeyInfo in DER. One of the keys must have signed the metadata. Empty only for an entity's own
    document that the provider file trusts by TLS alone.
    """

    url: str
    kind: Literal["entity", "aggregate", "mdq", "mdq_sha1"]
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """A SAML identity provider by its file. Keys and endpoints are in the metadata. Times are in seconds.

    `issuer`: the entityID.
    `signed`: the element that must be signed.
    `attributes`: our attribute names to the provider's names; `NameID` is the name of the subject.
    `name_id_format`: the requested format; None: no request.
    `subject_without_name_id`: the attribute that identifies people without a NameID; None: such people are refused.
    `authn_context`: the requested classes; may be empty.
    `passive_first`: asks with IsPassive first, then without.
    `encrypted`: refuses an assertion that is not encrypted.
    `cbc`: decrypts AES-CBC in a signed Response.
    `cbc_in_unsigned_response`: decrypts AES-CBC in a Response without a signature as well.
    `unsolicited`: accepts IdP-initiated sign-in.
    `friendly_names`: accepts attributes by their FriendlyName.
    `digit_ids`: accepts IDs that begin with a digit.
    `client_certificate`: our certificate for SOAP requests.
    """

    name: str
    label: str
    issuer: str
    metadata: MetadataFile | MetadataUrl
    signed: Literal["assertion", "response", "both"]
    attributes: Mapping[str, tuple[str, ...]]
    tenant_attribute: str | None
    perimeter: Perimeter
    skew: int
    session_idle: int
    session_absolute: int
    request_binding: Literal["redirect", "post"] = "redirect"
    response_binding: Literal["post", "artifact"] = "post"
    name_id_format: str | None = None
    subject_without_name_id: str | None = None
    levels: ProviderLevels = NO_LEVELS
    authn_context: tuple[str, ...] = ()
    authn_context_comparison: Literal["exact", "minimum", "better", "maximum"] = "exact"
    force_authn: bool = False
    passive_first: bool = False
    encrypted: bool = False
    cbc: bool = False
    cbc_in_unsigned_response: bool = False
    unsolicited: bool = False
    friendly_names: bool = False
    digit_ids: bool = False
    ca: bytes | None = None
    client_certificate: ClientCertificate | None = None
    development: bool = False
    private_addresses: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    chooses_tenant: bool = False
    serves: ServesOrganisations = SERVES_NOBODY_BY_NAME


Provider = OidcProvider | SamlProvider
