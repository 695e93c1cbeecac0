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
    """A private key of ours for one provider, PEM, for signing or decryption.

    `id`: the kid; None: the thumbprint (RFC 7638).
    `x5t`: the thumbprint of the certificate by which a provider knows the key.
    """

    id: str | None
    algorithm: SigningAlgorithm | EncryptionAlgorithm
    pem: bytes = field(repr=False)
    x5t: str | None = None


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a provider encrypts for us (RFC 7516): with which keys, and how the content. What is not said to be
    encrypted must not be, and the other way round."""

    keys: tuple[ClientKey, ...]
    content: frozenset[str]
    id_token: bool
    userinfo: bool
    introspection: bool = False


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What we show a server in the TLS handshake (of providers: RFC 8705; SAML Bindings 3.2.2.1), PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServesOrganisations:
    """The organisations whose people a provider signs in.

    `others`: all organisations without a provider of their own.
    `networks`: the provider is offered first to people of these networks.
    `hosts`: of applications that only this provider's people use, so that no choice is shown.
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
    """The bounds of a provider's assertions about people. None: unbounded. An empty tuple: nothing may be asserted.

    `siret`, `email_domains`, `scopes`: checked by their own grammar. `scopes` bounds scoped attributes; None: by the
    e-mail domains.
    `attributes`: the only values that an attribute may take.
    """

    siret: frozenset[str] | None = None
    email_domains: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    attributes: Mapping[str, frozenset[str]] | None = None


ResponseMode = Literal["query", "form_post", "jwt", "query.jwt", "form_post.jwt"]


@dataclass(frozen=True, slots=True)
class AuthorizationParameters:
    """What an authorization request of one provider carries beside the usual, and how it travels. Nothing else is sent.

    `max_age`: seconds. `claims`: the JSON of OIDC Core 5.5; `essential_acr`: what it demands of acr, empty for nothing.
    `parameters`: further names and values; `passed_on`: names whose values come with a link into an
    application, or with our own login address.
    `pushed`: by RFC 9126; `signed`: by RFC 9101, with the first of the client's keys.
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
    """`method`: how people are sent to be signed out there; "auto": by an address if it is short enough, else by a
    form. `front_channel`: it may end sessions by a frame. `client_id`: sent beside the ID token too. `revoke`: a
    refresh token ends with the session it was for."""

    method: Literal["auto", "get", "post"] = "auto"
    front_channel: bool = False
    client_id: bool = False
    revoke: bool = True


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Which access tokens of a provider are accepted.

    `audience`: the token has one of these audiences.
    `scopes`: the token has all of these scopes.
    `clients`: the token was issued to one of these clients; empty: to any client.
    `introspection`: the provider is asked about tokens that are not JWTs.
    `introspection_algorithms`: the provider answers with a JWT signed by one of these; empty: with JSON.
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
    """Where a mapped attribute comes from: a claim's path (`address.country` is ("address", "country"))."""

    claim: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """`algorithms`: the only ID token signatures accepted. Times in seconds; `skew` is the clock tolerance.

    `label` is what people see, `labels` the same by language where the file gives several. `ca`: PEM of the
    provider's own certificate authority. `private_addresses`: the provider may live on a private network.
    `client_keys`: all are published, the first signs. `assertion_audience`: whom our assertions are written to.
    `refresh_ends_on`: errors that end a session as `invalid_grant` does. `keys_max_age`: beyond it, keys that could not
    be fetched anew verify nothing.
    `userinfo_algorithms`: userinfo is a JWT signed with one of them, and never JSON; empty: JSON, and never a JWT.
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
    """Metadata that the operator gave as a file: believed as it is, signed or not."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MetadataUrl:
    """`kind`: the entity's own document, a federation's aggregate, or the base URL of an MDQ service
    that is asked by entityID or by its SHA-1.

    `keys`: SubjectPublicKeyInfo in DER, one of which has signed it; empty only where the provider file says that what
    TLS brings is believed unsigned (the entity's own document alone).
    """

    url: str
    kind: Literal["entity", "aggregate", "mdq", "mdq_sha1"]
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """What a provider file says of one SAML identity provider; its keys and endpoints are in its metadata.

    `issuer`: its entityID. `signed`: which element's signature is asked for. `attributes` maps our name to the names
    that its attributes may have (`NameID` is the subject's). `cbc`: AES-CBC is opened for this
    provider. `cbc_in_unsigned_response`: even where the Response itself bears no signature. `name_id_format`,
    `authn_context`: asked for where named. `subject_without_name_id`: of the attributes, the one that names a person of
    whom there is no NameID; None: they are refused. `passive_first`: with IsPassive, then without it where that is not
    enough. `unsolicited`: IdP-initiated sign-in is let in. `client_certificate`: shown where it is spoken to over SOAP.
    `friendly_names`: an attribute is taken by its FriendlyName alone. `digit_ids`: an ID may begin with a digit.
    Times in seconds.
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
