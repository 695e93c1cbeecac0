from dataclasses import replace

import pytest
from pygamlastan import xml
from saml2 import samlp

from gateway.model.assertion import NameId
from gateway.model.provider import SamlProvider
from gateway.saml import names
from gateway.saml.names import saml
from gateway.saml.own_messages import add, authn_request, logout_request, logout_response, new_message, written
from tests.saml.parties import NOW, PORTAL, PROVIDER, service_provider


def test_text_is_escaped_wherever_it_stands() -> None:
    message = new_message("AuthnRequest", id="_1", now=NOW, issuer="a<b&c", destination='https://idp/?a=1&b="')
    add(message, names.samlp("Extensions"), "]]>", Note="é\n")
    assert written(message) == (
        b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        b'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" '
        b'IssueInstant="2027-01-15T08:00:00Z" Destination="https://idp/?a=1&amp;b=&quot;">'
        b'<saml:Issuer>a&lt;b&amp;c</saml:Issuer><samlp:Extensions Note="\xc3\xa9&#10;">]]&gt;</samlp:Extensions>'
        b"</samlp:AuthnRequest>"
    )


def test_an_attribute_that_is_none_is_left_out_and_an_empty_one_is_not() -> None:
    message = new_message("LogoutRequest", id="_1", now=NOW, issuer="us", destination="https://idp")
    assert dict(add(message, saml("NameID"), "x", Format=None, NameQualifier="").attrib) == {"NameQualifier": ""}


def test_what_xml_cannot_hold_is_refused() -> None:
    message = new_message("LogoutRequest", id="_1", now=NOW, issuer="us", destination="https://idp")
    with pytest.raises(ValueError, match="XML compatible"):
        add(message, saml("NameID"), "a\x00b")


SSO = "https://idp.metropole.example/sso"
SLO = "https://idp.metropole.example/slo"


def request(provider: SamlProvider = PROVIDER, **asked: object) -> samlp.AuthnRequest:
    """As pysaml2 reads it, whose schema it passes."""
    document = authn_request(service_provider(), provider, destination=SSO, id="_r1", now=NOW, **asked)  # type: ignore[arg-type]
    xml.parse_authn_request(document.decode())
    read = samlp.authn_request_from_string(document)
    assert read.verify()
    return read


def test_what_every_request_says() -> None:
    read = request()
    assert (read.id, read.version, read.issue_instant, read.destination) == ("_r1", "2.0", "2027-01-15T08:00:00Z", SSO)
    assert read.issuer.text == f"{PORTAL}/metadata"
    assert read.assertion_consumer_service_url == f"{PORTAL}/acs"
    assert read.protocol_binding == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    assert read.assertion_consumer_service_index is None
    assert (read.name_id_policy.format, read.name_id_policy.allow_create) == (None, "true")
    assert (read.force_authn, read.is_passive, read.requested_authn_context) == (None, None, None)


def test_an_answer_by_artifact_is_asked_for_at_its_own_address() -> None:
    read = request(replace(PROVIDER, response_binding="artifact"))
    assert read.assertion_consumer_service_url == f"{PORTAL}/artifact"
    assert read.protocol_binding == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"


def test_force_authn_is_asked_by_the_file_or_by_the_moment() -> None:
    assert request(replace(PROVIDER, force_authn=True)).force_authn == "true"
    assert request(force_authn=True).force_authn == "true"
    assert request(replace(PROVIDER, force_authn=True), force_authn=False).force_authn == "true"


def test_is_passive() -> None:
    assert request(is_passive=True).is_passive == "true"


def test_the_name_that_is_asked_for() -> None:
    format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    assert request(replace(PROVIDER, name_id_format=format)).name_id_policy.format == format


def test_the_authentication_that_is_asked_for_and_how_it_is_compared() -> None:
    provider = replace(PROVIDER, authn_context=("urn:a", "urn:b"), authn_context_comparison="minimum")
    asked = request(provider).requested_authn_context
    assert asked.comparison == "minimum"
    assert [each.text for each in asked.authn_context_class_ref] == ["urn:a", "urn:b"]
    assert [
        each.text
        for each in request(provider, authn_context=("urn:c",)).requested_authn_context.authn_context_class_ref
    ] == ["urn:c"]
    assert request(provider, authn_context=()).requested_authn_context is None


def logout_asked(name_id: NameId, *session_indexes: str) -> samlp.LogoutRequest:
    document = logout_request(
        service_provider(), destination=SLO, id="_l1", now=NOW, name_id=name_id, session_indexes=session_indexes
    )
    xml.parse_logout_request(document.decode())
    read = samlp.logout_request_from_string(document)
    assert read.verify()
    return read


def logout_answered(**said: object) -> samlp.LogoutResponse:
    document = logout_response(service_provider(), destination=SLO, id="_l2", now=NOW, in_response_to="_q", **said)  # type: ignore[arg-type]
    xml.parse_logout_response(document.decode())
    read = samlp.logout_response_from_string(document)
    assert read.verify()
    return read


def test_a_request_names_the_person_as_the_sign_in_did() -> None:
    name_id = NameId("h.durand & co", "urn:f", "https://idp", f"{PORTAL}/metadata", "ours")
    read = logout_asked(name_id, "s1", "s2")
    assert (read.id, read.version, read.issue_instant, read.destination) == ("_l1", "2.0", "2027-01-15T08:00:00Z", SLO)
    assert read.issuer.text == f"{PORTAL}/metadata"
    assert read.not_on_or_after == "2027-01-15T08:05:00Z"
    assert read.reason == "urn:oasis:names:tc:SAML:2.0:logout:user"
    said = read.name_id
    assert NameId(said.text, said.format, said.name_qualifier, said.sp_name_qualifier, said.sp_provided_id) == name_id
    assert [each.text for each in read.session_index] == ["s1", "s2"]


def test_what_a_name_was_not_qualified_by_is_not_written() -> None:
    read = logout_asked(NameId("h.durand"))
    assert (read.name_id.format, read.name_id.name_qualifier, read.session_index) == (None, None, [])


def test_a_response_says_what_became_of_the_request() -> None:
    read = logout_answered()
    assert (read.id, read.in_response_to, read.destination) == ("_l2", "_q", SLO)
    assert read.issuer.text == f"{PORTAL}/metadata"
    assert read.status.status_code.value == "urn:oasis:names:tc:SAML:2.0:status:Success"
    assert read.status.status_code.status_code is None


def test_a_failure_and_a_part_that_ended() -> None:
    assert logout_answered(status=samlp.STATUS_RESPONDER).status.status_code.value == samlp.STATUS_RESPONDER
    code = logout_answered(partial=True).status.status_code
    assert code.value == "urn:oasis:names:tc:SAML:2.0:status:Success"
    assert code.status_code.value == "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
