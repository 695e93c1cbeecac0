"""The two parties of a SAML exchange: an identity provider, by its metadata, and ourselves as service provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Binding = Literal["redirect", "post", "artifact", "soap"]
OtherImplementation = Literal["python3-saml"]
OpinionVerdict = Literal["agree", "disagree", "failed"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`response_location`: the address for responses, if it is not `location` (Metadata 2.2.2)."""

    binding: Binding
    location: str
    response_location: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class IdpMetadata:
    """The IDPSSODescriptor of one entity, from verified metadata or from the operator's file.

    `signing_keys`: SubjectPublicKeyInfo (DER) of the keys that may sign.
    `scopes`: values of shibmd:Scope, with a flag for a regular expression.
    `valid_until`: Unix seconds; None: no validUntil.
    `logo`: the address of a picture; empty: no logo.
    """

    entity_id: str
    signing_keys: tuple[bytes, ...]
    sign_on: tuple[Endpoint, ...]
    logout: tuple[Endpoint, ...] = ()
    artifact_resolution: tuple[Endpoint, ...] = ()
    wants_signed_requests: bool = False
    name_id_formats: tuple[str, ...] = ()
    scopes: tuple[tuple[str, bool], ...] = ()
    valid_until: int | None = None
    display_names: Mapping[str, str] = field(default_factory=dict)
    logo: str = ""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`key`: private key, PEM. `certificate`: X.509, PEM: how our metadata publishes the key."""

    id: str
    key: bytes = field(repr=False)
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Contact:
    """Metadata 2.3.2.2. `email`: an address without `mailto:`."""

    kind: Literal["technical", "support", "administrative", "billing", "other"]
    email: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """Metadata 2.3.2.1. `language`: of the names, such as fr."""

    name: str
    display_name: str
    url: str
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """Écluse as a service provider. The URLs are of the portal host, from gateway.yaml.

    `keys`: the first key signs, every key decrypts, and all are published.
    `requested`: names of attributes that our metadata request in addition to the provider files. None: our metadata
    request no attributes.
    `discovery`: the federation's discovery service; empty: no service.
    `discovery_response`: the address to which the discovery service returns people.
    """

    entity_id: str
    acs: str
    artifact_acs: str
    logout: str
    logout_soap: str
    keys: tuple[KeyPair, ...]
    contacts: tuple[Contact, ...] = ()
    organization: Organization | None = None
    requested: tuple[str, ...] | None = ()
    discovery: str = ""
    discovery_response: str = ""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Another implementation of SAML checks each Response that ours accepted. The second opinion never admits a person.

    `deny`: a Response that the other implementation refuses, or fails to read, signs nobody in.
    """

    by: OtherImplementation
    deny: bool
