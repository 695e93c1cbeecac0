"""The two parties of a SAML exchange: an identity provider, by its metadata, and ourselves as service provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Binding = Literal["redirect", "post", "artifact", "soap"]
OtherImplementation = Literal["python3-saml", "pygamlastan"]
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
    """The IDPSSODescriptor of one entity, from metadata that were verified, or given by the operator as a file.

    `signing_keys`: SubjectPublicKeyInfo (DER) of every key that may sign. `scopes`: values of shibmd:Scope, each with
    whether it is a regular expression. `valid_until`: Unix seconds, None if the metadata do not say.
    `logo`: the address of a picture, empty where there is none.
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
    """Metadata 2.3.2.1. `language`: of its names, such as fr."""

    name: str
    display_name: str
    url: str
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """Écluse, as identity providers know it. `keys`: the first one signs, each decrypts, all are published.

    The URLs are of the portal host, from gateway.yaml. `requested`: names of attributes that our metadata request in
    addition to those of the provider files. If None, our metadata request no attributes at all. `discovery`: the
    federation's discovery service, empty where there is none, and `discovery_response` where it sends people back.
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
    """Another implementation of SAML looks at each Response that ours has accepted. `deny`: one that it refuses, or
    could not look at, signs nobody in. It never admits anybody."""

    by: OtherImplementation
    deny: bool
