"""Metadata 2.4.4: our own metadata for identity providers, signed."""

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from gateway.model.assertion import ADDRESS_FORMAT
from gateway.model.provider import SamlProvider
from gateway.saml.names import (
    BINDING_ARTIFACT,
    BINDING_POST,
    BINDING_REDIRECT,
    BINDING_SOAP,
    DS,
    IDPDISC,
    MD,
    SAML,
    SAMLP,
    XML,
    ds,
    md,
)
from gateway.saml.own_messages import add, written
from gateway.saml.parties import Contact, KeyPair, Organization, ServiceProvider
from gateway.saml.signing import sign_enveloped
from gateway.saml.times import instant

_URI_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
_BASIC_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
# Core 8.3.7 and 8.3.8, and the address, which AD FS and Entra ID send
_NAME_ID_FORMATS = (
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    ADDRESS_FORMAT,
)
# XML Encryption 1.1 5.2.4 and 5.5.2, in the order of our preference
_ENCRYPTION = (
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
)
# A provider file may map the NameID to an attribute. It is not requested as an attribute.
_NAME_ID = "NameID"


@dataclass(frozen=True, slots=True)
class RequestedAttribute:
    """`friendly_name`: the attribute's name in our provider files; empty for a name that only the operator listed."""

    name: str
    friendly_name: str = ""


def requested_attributes(sp: ServiceProvider, providers: Iterable[SamlProvider]) -> tuple[RequestedAttribute, ...]:
    """The attributes of the provider files, each under one name, in a stable order; then the operator's list.

    One name only: a provider asked for an attribute under several names repeats the attribute, or fails.
    """
    if sp.requested is None:
        return ()
    taken: dict[str, list[tuple[str, ...]]] = {}
    for provider in providers:
        for ours, names in provider.attributes.items():
            taken.setdefault(ours, []).append(tuple(name for name in names if name != _NAME_ID))
    usual: dict[str, str] = {}
    for ours, lists in sorted(taken.items()):
        if (name := _usual_name(lists)) is not None:
            usual.setdefault(name, ours)
    more = [RequestedAttribute(name) for name in sp.requested if name not in usual]
    return (*(RequestedAttribute(name, ours) for name, ours in usual.items()), *more)


def _usual_name(lists: list[tuple[str, ...]]) -> str | None:
    """The name that most provider files use; of several, the first URI (Core 8.2.2), or else the first name."""
    counts = Counter(name for names in lists for name in dict.fromkeys(names))
    order = {name: place for place, name in reversed(list(enumerate(name for names in lists for name in names)))}
    return min(counts, key=lambda name: (-counts[name], ":" not in name, order[name], name), default=None)


def sp_metadata(
    sp: ServiceProvider,
    *,
    id: str,
    service_name: str,
    requested: tuple[RequestedAttribute, ...] = (),
    valid_until: float | None = None,
    cache_duration: int | None = None,
) -> bytes:
    """An EntityDescriptor, signed with our first key. `valid_until`: Unix seconds; `cache_duration`: seconds."""
    entity = etree.Element(
        md("EntityDescriptor"), {"entityID": sp.entity_id, "ID": id}, nsmap={"md": MD, "ds": DS, "saml": SAML}
    )
    if valid_until is not None:
        entity.set("validUntil", instant(valid_until))
    if cache_duration is not None:
        # XML Schema 2 3.2.6
        entity.set("cacheDuration", f"PT{cache_duration}S")
    _add_role(entity, sp, service_name, requested)
    if sp.organization is not None:
        _add_organization(entity, sp.organization)
    for contact in sp.contacts:
        _add_contact(entity, contact)
    return sign_enveloped(sp.keys[0], written(entity), certificate=True)


def _add_role(
    entity: etree._Element, sp: ServiceProvider, service_name: str, requested: tuple[RequestedAttribute, ...]
) -> None:
    role = add(
        entity,
        md("SPSSODescriptor"),
        protocolSupportEnumeration=SAMLP,
        AuthnRequestsSigned="true",
        WantAssertionsSigned="true",
    )
    if sp.discovery:
        # Identity Provider Discovery Service Protocol 2.5: the service sends people to no other address
        response = etree.SubElement(
            add(role, md("Extensions")), f"{{{IDPDISC}}}DiscoveryResponse", nsmap={"idpdisc": IDPDISC}
        )
        response.attrib.update({"Binding": IDPDISC, "Location": sp.discovery_response, "index": "0"})
    for pair in sp.keys:
        _add_key(role, pair, "signing")
    for pair in sp.keys:
        _add_key(role, pair, "encryption")
    for binding, location in (
        (BINDING_REDIRECT, sp.logout),
        (BINDING_POST, sp.logout),
        (BINDING_SOAP, sp.logout_soap),
    ):
        add(role, md("SingleLogoutService"), Binding=binding, Location=location)
    for name in _NAME_ID_FORMATS:
        add(role, md("NameIDFormat"), name)
    consumers = ((BINDING_POST, sp.acs, "true"), (BINDING_ARTIFACT, sp.artifact_acs, None))
    for index, (binding, location, default) in enumerate(consumers):
        service = md("AssertionConsumerService")
        add(role, service, Binding=binding, Location=location, index=str(index), isDefault=default)
    if requested:
        _add_requested(role, service_name, requested, sp.organization)


def _add_key(role: etree._Element, pair: KeyPair, use: str) -> None:
    certificate = load_pem_x509_certificate(pair.certificate)
    # An EC key is for signing only: RSA-OAEP is the only key transport that we accept.
    if use == "encryption" and not isinstance(certificate.public_key(), RSAPublicKey):
        return
    descriptor = add(role, md("KeyDescriptor"), use=use)
    data = add(add(descriptor, ds("KeyInfo")), ds("X509Data"))
    add(data, ds("X509Certificate"), base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"))
    if use == "encryption":
        for algorithm in _ENCRYPTION:
            add(descriptor, md("EncryptionMethod"), Algorithm=algorithm)


def _add_requested(
    role: etree._Element,
    service_name: str,
    requested: tuple[RequestedAttribute, ...],
    organization: Organization | None,
) -> None:
    # Metadata 2.4.4.1
    service = add(role, md("AttributeConsumingService"), index="0", isDefault="true")
    language = "fr" if organization is None else organization.language
    _add_localized(service, "ServiceName", service_name, language)
    for attribute in requested:
        format = _URI_FORMAT if ":" in attribute.name else _BASIC_FORMAT
        add(
            service,
            md("RequestedAttribute"),
            Name=attribute.name,
            NameFormat=format,
            FriendlyName=attribute.friendly_name or None,
        )


def _add_organization(entity: etree._Element, organization: Organization) -> None:
    # Metadata 2.3.2.1
    element = add(entity, md("Organization"))
    _add_localized(element, "OrganizationName", organization.name, organization.language)
    _add_localized(element, "OrganizationDisplayName", organization.display_name, organization.language)
    _add_localized(element, "OrganizationURL", organization.url, organization.language)


def _add_contact(entity: etree._Element, contact: Contact) -> None:
    # Metadata 2.3.2.2
    element = add(entity, md("ContactPerson"), contactType=contact.kind)
    if contact.name is not None:
        add(element, md("GivenName"), contact.name)
    add(element, md("EmailAddress"), f"mailto:{contact.email}")


def _add_localized(parent: etree._Element, name: str, text: str, language: str) -> None:
    add(parent, md(name), text).set(f"{{{XML}}}lang", language)
