"""A provider file, compiled: what we ask of one identity provider and what it may assert."""

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
    """A private key of ours towards one provider, PEM; it signs, or opens what was encrypted for us.

    `id`: its kid; None: its thumbprint (RFC 7638). `x5t`: that of the certificate by which a provider knows it.
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
    """Which organisations' people a provider signs in. `others`: those that no other provider is named for.

    `networks`: from which its people come; it is offered first there. `hosts`: of applications, whose people are all
    its own, so that nobody is asked. `is_open`: no organisation is named at all, so that it may be anybody's."""

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
    """What a provider may assert about people; an empty tuple of an attribute means: none of it.

    `None` means that the file does not bound it (it is then asserted freely). `siret`, `email_domains` and `scopes`
    (of scoped attributes; None: the e-mail domains) are checked by their own grammar; `attributes` maps an attribute to
    the only values that it may take.
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
    """What access tokens of a provider are accepted. `audience`: one of these; `scopes`: all of these; `clients`: given
    to one of these, empty for whichever.

    `introspection`: those that are no JWT are asked about at the provider, whose answer is a JWT signed with one of
    `introspection_algorithms`, and never JSON; empty: JSON, and never a JWT. `prefix`: what its opaque tokens begin
    with. `without_tenant`: a token that names no organisation is taken where the file has a tenant, and acts for none.
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
