"""The SAML keys of the files: for one provider, and for the gateway itself."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from gateway.config.schema import scalars
from gateway.config.schema.conditions import TAG
from gateway.config.schema.saml_attributes import COMMON
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import (
    AttributeName,
    ClientCertificateSection,
    Maybe,
    Name,
    PublicReference,
    Secret,
    Strict,
    Text,
    checked,
    wrong,
)
from gateway.model.mail import mail_domain
from gateway.saml.assertion import are_of_one_scale
from gateway.saml.parties import OtherImplementation

# Core 8.3.6: at most 1024 characters.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,1023}")


def _uri(text: str) -> str:
    if _URI.fullmatch(text) is None or len(text) > 1024:
        raise wrong("this is not a URI", "as the other side writes it: https://... or urn:...")
    return text


Uri = Annotated[str, AfterValidator(_uri)]


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong("this must be a text")
    return scalars.web_address(value)


WebAddress = Annotated[
    str,
    PlainValidator(checked(_address)),
    WithJsonSchema({"type": "string", "pattern": "^https?://", "examples": ["https://idp.example.org/metadata"]}),
]

_NAME_LENGTH = 500


def _names(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not 0 < len(names) <= 50:
        raise Wrong("an attribute's name is a text, or a list of names that all mean it")
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
            raise Wrong("an attribute's name is a text of 1 to 500 characters")
    return tuple(names)


SamlNames = Annotated[
    tuple[str, ...],
    PlainValidator(checked(_names)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["mail", "urn:oid:0.9.2342.19200300.100.1.3"]},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 50},
            ]
        }
    ),
]


def _requested(value: object) -> Literal["none"] | tuple[str, ...]:
    if value == "none":
        return "none"
    if not isinstance(value, list):
        raise Wrong("this must be a list of names, or none", f"write [{value}]" if isinstance(value, str) else "")
    return _names(value) if value else ()


Requested = Annotated[
    Literal["none"] | tuple[str, ...],
    PlainValidator(checked(_requested)),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "none", "type": "string"},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 50},
            ]
        }
    ),
]


def _common(name: str) -> str:
    if name not in COMMON:
        raise wrong("no such name in the table of common attributes", f"known: {', '.join(sorted(COMMON))}")
    return name


class MetadataFromSection(Strict):
    url: Maybe[WebAddress] = None
    """The provider's own document."""
    aggregate: Maybe[WebAddress] = None
    """A federation's document of many entities, including the provider."""
    mdq: Maybe[WebAddress] = None
    """The base address of a Metadata Query Protocol service, which is queried for one entity."""
    mdq_identifier: Literal["entity_id", "sha1"] = "entity_id"
    """The identifier in queries to such a service. Some services publish files under the SHA-1 of the entityID
    ({sha1}...)."""
    keys: list[PublicReference] = Field(default=[], max_length=8)
    """PEM certificates or public keys. One of them must have signed the document. Only the key counts; the dates of a
    certificate are ignored."""
    unsigned_metadata_believed_from_tls_alone: bool = False
    """For a provider that does not sign its own document. Anybody who controls its web server can then replace its
    keys."""

    @model_validator(mode="after")
    def _one_source(self) -> "MetadataFromSection":
        if sum(source is not None for source in (self.url, self.aggregate, self.mdq)) != 1:
            raise wrong("metadata have one source", "write {file: path}, or one of url, aggregate, mdq with keys")
        if self.mdq_identifier != "entity_id" and self.mdq is None:
            raise wrong("mdq_identifier is for mdq", "leave it out")
        unsigned = self.unsigned_metadata_believed_from_tls_alone
        if unsigned and (self.url is None or self.keys):
            raise wrong("unsigned_metadata_believed_from_tls_alone is for a url without keys", "leave it out")
        if not self.keys and not unsigned:
            raise wrong("keys are missing: any server at this address could name the provider's keys", "add keys")
        return self


def _source(value: Any) -> str:
    is_place = isinstance(value, dict) and len(value) == 1 and next(iter(value)) in scalars.REFERENCE_KINDS
    return TAG + ("place" if is_place else "fetched")


class SamlSection(Strict):
    entity_id: Uri
    """The provider's entityID, exactly as in its metadata."""
    metadata: Annotated[
        Annotated[PublicReference, Tag(TAG + "place")] | Annotated[MetadataFromSection, Tag(TAG + "fetched")],
        Discriminator(_source),
    ]
    """The provider's metadata: `{file: path}`, or the address to fetch them from and the keys that sign them."""
    signed: Literal["assertion", "response", "both"] = "assertion"
    """What the provider signs. A response with fewer signatures is refused."""
    encrypted: bool = False
    """Refuses an assertion that is not encrypted."""
    aes_cbc_inside_a_signed_response: bool = False
    """For a provider that encrypts with AES-CBC (AD FS, Entra ID, LemonLDAP::NG): accepted if the Response is
    signed."""
    aes_cbc_although_the_response_is_not_signed: bool = False
    """Accepts AES-CBC even if the Response is not signed, for a provider that cannot sign it. The ciphertext could have
    been altered."""
    request_binding: Literal["redirect", "post"] = "redirect"
    """The binding of the request to the provider."""
    response_binding: Literal["post", "artifact"] = "post"
    """The binding of the response: through the browser, or as an artifact that we resolve at the provider."""
    name_id_format: Maybe[Uri] = None
    """The requested NameID format."""
    subject_without_name_id: Maybe[AttributeName] = None
    """The attribute that identifies a person if the provider sends no NameID, as AD FS does by default: `pairwise_id`.
    Default: a response without a NameID is refused. The provider cannot sign out a person who is identified by an
    attribute."""
    authn_context: list[Uri] = Field(default=[], max_length=20)
    """The requested AuthnContext classes. A response without one of them is refused."""
    authn_context_comparison: Literal["exact", "minimum", "better", "maximum"] = "exact"
    """How the classes are compared. Levels of eIDAS (`http://eidas.europa.eu/LoA/substantial`) have an order. Other
    classes have none: with `minimum` and `maximum`, only the listed classes are accepted."""
    force_authn: bool = False
    """Requests a new authentication at each sign-in, and refuses an older one."""
    passive_first: bool = False
    """First asks without showing a page (IsPassive), and asks again if the person is not signed in there. For a
    provider that interrupts people who are already signed in."""
    unsolicited: bool = False
    """Accepts responses without a request. Any web page can then make a browser begin a sign-in."""
    ids_begin_with_a_digit: bool = False
    """For a provider whose message IDs begin with a digit, which XML Schema forbids."""
    friendly_names: bool = False
    """Accepts an attribute by its FriendlyName if no Name is mapped. A FriendlyName is not unique (Core 2.7.3.1): two
    attributes may have the same."""
    common: list[Annotated[str, AfterValidator(_common)]] = Field(default=[], max_length=50)
    """Attributes that are mapped from the names that most providers use: `[uid, mail, given_name, family_name]`."""
    ca: Maybe[PublicReference] = None
    """PEM: the authority that signed the provider's TLS certificate, if it is not a public authority."""
    client_certificate: Maybe[ClientCertificateSection] = None
    """The client certificate of the TLS handshake for every SOAP call: artifact resolution and sign-out."""
    private_addresses: bool = False
    """Allows the provider's addresses to be on a private network."""

    @model_validator(mode="after")
    def _whole(self) -> "SamlSection":
        if self.aes_cbc_although_the_response_is_not_signed and not self.aes_cbc_inside_a_signed_response:
            raise wrong("this has no effect by itself", "add aes_cbc_inside_a_signed_response: true")
        if self.passive_first and self.force_authn:
            raise wrong("force_authn asks for a page, and passive_first for none", "leave one of them out")
        if self.authn_context_comparison != "exact" and not self.authn_context:
            raise wrong("authn_context_comparison compares with nothing", "name an authn_context")
        if self.authn_context_comparison == "better" and not are_of_one_scale(tuple(self.authn_context)):
            raise wrong("better is known between the levels of one eIDAS scale alone", "name what is accepted: exact")
        return self


def _mail(text: str) -> str:
    if mail_domain(text) is None:
        raise wrong("this is not one plain e-mail address", "write name@example.org")
    return text


class SamlKeySection(Strict):
    id: Name
    key: Secret
    """PEM: a private key without a passphrase, RSA of at least 2048 bits, or EC to sign alone."""
    certificate: PublicReference
    """PEM: the certificate of the key, self-signed or not. Providers use only its key."""


class SamlContactSection(Strict):
    kind: Literal["technical", "support", "administrative", "billing", "other"] = "technical"
    email: Annotated[str, AfterValidator(_mail)]
    name: Maybe[Text] = None


class SamlOrganizationSection(Strict):
    name: Text
    display_name: Maybe[Text] = None
    url: WebAddress
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] = "fr"


def _other_implementation(value: object) -> object:
    if value != "python3-saml":
        hint = "write by: python3-saml, and install the extra python3-saml: docs/how-to/install-it.md"
        raise wrong("this can only be python3-saml", hint)
    return value


class SecondOpinionSection(Strict):
    """A second implementation checks each accepted Response. It can refuse a Response, and never admits a person."""

    by: Annotated[OtherImplementation, BeforeValidator(_other_implementation)]
    """The other implementation. Install the extra of this name. It parses with libxml2, as the gateway does."""
    mode: Literal["log", "deny"] = "log"
    """`log`: a disagreement is counted (`ecluse_saml_second_opinion_total`) and logged (`saml.second_opinion`). `deny`:
    a disagreement, or a failure of the other implementation, also refuses the sign-in."""


class SamlSelfSection(Strict):
    entity_id: Maybe[Uri] = None
    """Our own entityID. Default: the address of our metadata."""
    keys: list[SamlKeySection] = Field(default=[], max_length=4)
    """The first key signs, each key decrypts, and all are in our metadata. List a new key second until every provider
    knows it, then first."""
    keyring: Maybe[PublicReference] = None
    """Instead of `keys`: a file made by `ecluse key new saml`, whose keys rotate by their dates."""
    contacts: list[SamlContactSection] = Field(default=[], max_length=10)
    organization: Maybe[SamlOrganizationSection] = None
    requested: Requested = ()
    """Further names under which our metadata request attributes, beside one name for each attribute of the provider
    files. `none`: the metadata request no attributes, and providers release what they choose."""
    second_opinion: Maybe[SecondOpinionSection] = None
    discovery: Maybe[WebAddress] = None
    """A federation's discovery service (SAML Identity Provider Discovery Service Protocol), where people may search for
    their organisation. The provider that it returns must have a file here."""

    @model_validator(mode="after")
    def _has_keys(self) -> "SamlSelfSection":
        if bool(self.keys) == (self.keyring is not None):
            raise wrong("our keys for SAML stand in keys or in keyring", "keyring: {file: ../certs/saml.keyring}")
        return self
