from dataclasses import replace

import pytest
from lxml import etree
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from pygamlastan import metadata as gamlastan
from saml2 import md

from gateway.config.schema.saml_attributes import COMMON
from gateway.saml.parties import Contact, Organization, ServiceProvider
from gateway.saml.sp_metadata import RequestedAttribute, requested_attributes, sp_metadata
from tests.saml.parties import NOW, PORTAL, PROVIDER, certificate_text, pair, service_provider, verified_by_xmlsec

SP = service_provider()
REQUESTED = (
    RequestedAttribute("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
    RequestedAttribute("memberOf", "groups"),
)
FULL = replace(
    service_provider(pair(), pair("2027")),
    contacts=(Contact("technical", "dsi@metropole.example", "DSI <&>"), Contact("support", "aide@metropole.example")),
    organization=Organization("metropole", "Métropole", "https://metropole.example", "fr"),
)


def built(sp: ServiceProvider = FULL, requested: tuple[RequestedAttribute, ...] = REQUESTED) -> bytes:
    return sp_metadata(
        sp,
        id="_m1",
        service_name="Portail",
        requested=requested,
        valid_until=NOW + 86400,
        cache_duration=3600,
    )


def read(document: bytes) -> md.EntityDescriptor:
    """As pysaml2 reads it, whose schema it passes."""
    entity = md.entity_descriptor_from_string(document)
    assert entity.verify()
    return entity


def test_it_is_signed_with_our_first_key_at_its_place() -> None:
    root = verified_by_xmlsec(built(), pair())
    assert [etree.QName(child).localname for child in root] == [
        "Signature",
        "SPSSODescriptor",
        "Organization",
        "ContactPerson",
        "ContactPerson",
    ]


def test_a_second_implementation_reads_it() -> None:
    entity = gamlastan.parse_entity(built().decode())
    gamlastan.validate_entity(entity)
    assert (entity.entity_id, entity.has_signature, entity.is_sp(), entity.is_idp()) == (
        FULL.entity_id,
        True,
        True,
        False,
    )
    services = [
        (each.binding.rpartition(":")[2], each.location, each.index) for each in entity.assertion_consumer_services()
    ]
    assert services == [("HTTP-POST", f"{PORTAL}/acs", 0), ("HTTP-Artifact", f"{PORTAL}/artifact", 1)]
    logout = [(each.binding.rpartition(":")[2], each.location) for each in entity.single_logout_services("sp")]
    assert logout == [
        ("HTTP-Redirect", f"{PORTAL}/logout"),
        ("HTTP-POST", f"{PORTAL}/logout"),
        ("SOAP", f"{PORTAL}/soap"),
    ]
    assert len(entity.signing_certificates("sp")) == len(entity.encryption_certificates("sp")) == 2


def test_python3_saml_finds_nothing_wrong_with_it() -> None:
    idp = {"entityId": "https://idp", "singleSignOnService": {"url": "https://idp.example/sso"}, "x509cert": "MII"}
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {"entityId": "us", "assertionConsumerService": {"url": "https://us.example/acs"}},
            "idp": idp,
        },
        sp_validation_only=True,
    )
    assert settings.validate_metadata(sp_metadata(FULL, id="_m1", service_name="Portail", requested=REQUESTED)) == []


def test_what_it_says_of_time() -> None:
    entity = read(built())
    assert (entity.valid_until, entity.cache_duration) == ("2027-01-16T08:00:00Z", "PT3600S")
    without = read(sp_metadata(FULL, id="_m1", service_name="Portail"))
    assert (without.valid_until, without.cache_duration) == (None, None)


def test_both_keys_are_there_during_a_roll_over_for_both_uses() -> None:
    (role,) = read(built()).spsso_descriptor
    shown = [
        (each.use, each.key_info.x509_data[0].x509_certificate.text.replace("\n", "")) for each in role.key_descriptor
    ]
    assert shown == [(use, certificate_text(pair(id))) for use in ("signing", "encryption") for id in ("2026", "2027")]
    (methods,) = {tuple(each.algorithm for each in key.encryption_method) for key in role.key_descriptor[2:]}
    assert methods[0] == "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    assert methods[2] == "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"


def test_nobody_is_asked_to_encrypt_to_a_key_that_cannot_decrypt() -> None:
    (role,) = read(built(service_provider(pair(kind="p256"), pair()))).spsso_descriptor
    assert [each.use for each in role.key_descriptor] == ["signing", "signing", "encryption"]


def test_what_is_wanted_and_promised() -> None:
    (role,) = read(built()).spsso_descriptor
    assert (role.authn_requests_signed, role.want_assertions_signed) == ("true", "true")
    assert role.protocol_support_enumeration == "urn:oasis:names:tc:SAML:2.0:protocol"
    (service,) = role.attribute_consuming_service
    assert (service.service_name[0].text, service.service_name[0].lang) == ("Portail", "fr")
    asked = [
        (each.name, each.name_format.rpartition(":")[2], each.friendly_name) for each in service.requested_attribute
    ]
    assert asked == [("urn:oid:0.9.2342.19200300.100.1.3", "uri", "mail"), ("memberOf", "basic", "groups")]


def test_no_attribute_is_asked_for_without_a_provider_file_that_takes_one() -> None:
    assert read(built(requested=())).spsso_descriptor[0].attribute_consuming_service == []


def test_who_answers_for_it() -> None:
    entity = read(built())
    assert entity.organization.organization_display_name[0].text == "Métropole"
    people = [(each.contact_type, each.email_address[0].text) for each in entity.contact_person]
    assert people == [("technical", "mailto:dsi@metropole.example"), ("support", "mailto:aide@metropole.example")]
    assert entity.contact_person[0].given_name.text == "DSI <&>"
    assert entity.contact_person[1].given_name is None
    assert read(built(service_provider())).organization is None


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_an_ec_key_signs_it_too(kind: str) -> None:
    pair_of_kind = pair(kind=kind)  # type: ignore[arg-type]
    verified_by_xmlsec(built(service_provider(pair_of_kind)), pair_of_kind)


def test_the_attributes_of_all_provider_files_are_asked_for_once() -> None:
    one = replace(PROVIDER, attributes={"mail": ("urn:oid:1", "mail"), "uid": ("NameID",)})
    other = replace(PROVIDER, attributes={"mail": ("mail",), "groups": ("memberOf",)})
    assert requested_attributes(SP, [one, other]) == requested_attributes(SP, [other, one])
    assert requested_attributes(SP, [one, other]) == (
        RequestedAttribute("memberOf", "groups"),
        RequestedAttribute("mail", "mail"),
    )


def test_an_attribute_is_asked_for_under_one_name() -> None:
    """Under all its aliases, pysaml2 sends its values as often, or fails."""
    common = replace(PROVIDER, attributes={name: COMMON[name] for name in ("mail", "uid", "groups")})
    assert [(asked.friendly_name, asked.name) for asked in requested_attributes(SP, [common])] == [
        ("groups", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"),
        ("mail", "urn:oid:0.9.2342.19200300.100.1.3"),
        ("uid", "urn:oid:0.9.2342.19200300.100.1.1"),
    ]
    same = replace(PROVIDER, attributes={"login": ("urn:oid:1",), "uid": ("urn:oid:1",)})
    assert requested_attributes(SP, [same]) == (RequestedAttribute("urn:oid:1", "login"),)


def test_the_operator_asks_for_more_or_for_nothing() -> None:
    some = replace(PROVIDER, attributes={"mail": ("urn:oid:1",)})
    more = replace(SP, requested=("urn:oid:1", "urn:oid:2"))
    assert requested_attributes(more, [some]) == (
        RequestedAttribute("urn:oid:1", "mail"),
        RequestedAttribute("urn:oid:2"),
    )
    document = sp_metadata(SP, id="_m1", service_name="x", requested=requested_attributes(more, [some]))
    assert document.count(b"RequestedAttribute ") == 2
    assert document.count(b"FriendlyName") == 1
    assert requested_attributes(replace(SP, requested=None), [some]) == ()


def test_a_discovery_service_is_told_where_people_come_back() -> None:
    """Identity Provider Discovery Service Protocol 2.5, as pysaml2 reads it."""
    there = "https://portal.example/_ecluse/saml/discovery"
    role = read(built(replace(FULL, discovery="https://ds.example", discovery_response=there))).spsso_descriptor[0]
    (response,) = role.extensions.extension_elements
    protocol = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
    assert (response.tag, response.namespace) == ("DiscoveryResponse", protocol)
    assert response.attributes == {"Binding": protocol, "Location": there, "index": "0"}
    assert read(built()).spsso_descriptor[0].extensions is None
