from pygamlastan import xml
from saml2 import samlp

from gateway.model.assertion import NameId
from gateway.saml.logout_message import logout_request, logout_response
from gateway.saml.names import STATUS_RESPONDER
from tests.saml.parties import NOW, PORTAL, service_provider

SLO = "https://idp.metropole.example/slo"


def request(name_id: NameId, *session_indexes: str) -> samlp.LogoutRequest:
    document = logout_request(
        service_provider(), destination=SLO, id="_l1", now=NOW, name_id=name_id, session_indexes=session_indexes
    )
    xml.parse_logout_request(document.decode())
    read = samlp.logout_request_from_string(document)
    assert read.verify()
    return read


def response(**said: object) -> samlp.LogoutResponse:
    document = logout_response(service_provider(), destination=SLO, id="_l2", now=NOW, in_response_to="_q", **said)  # type: ignore[arg-type]
    xml.parse_logout_response(document.decode())
    read = samlp.logout_response_from_string(document)
    assert read.verify()
    return read


def test_a_request_names_the_person_as_the_sign_in_did() -> None:
    name_id = NameId("h.durand & co", "urn:f", "https://idp", f"{PORTAL}/metadata", "ours")
    read = request(name_id, "s1", "s2")
    assert (read.id, read.version, read.issue_instant, read.destination) == ("_l1", "2.0", "2027-01-15T08:00:00Z", SLO)
    assert read.issuer.text == f"{PORTAL}/metadata"
    assert read.not_on_or_after == "2027-01-15T08:05:00Z"
    assert read.reason == "urn:oasis:names:tc:SAML:2.0:logout:user"
    said = read.name_id
    assert NameId(said.text, said.format, said.name_qualifier, said.sp_name_qualifier, said.sp_provided_id) == name_id
    assert [each.text for each in read.session_index] == ["s1", "s2"]


def test_what_a_name_was_not_qualified_by_is_not_written() -> None:
    read = request(NameId("h.durand"))
    assert (read.name_id.format, read.name_id.name_qualifier, read.session_index) == (None, None, [])


def test_a_response_says_what_became_of_the_request() -> None:
    read = response()
    assert (read.id, read.in_response_to, read.destination) == ("_l2", "_q", SLO)
    assert read.issuer.text == f"{PORTAL}/metadata"
    assert read.status.status_code.value == "urn:oasis:names:tc:SAML:2.0:status:Success"
    assert read.status.status_code.status_code is None


def test_a_failure_and_a_part_that_ended() -> None:
    assert response(status=STATUS_RESPONDER).status.status_code.value == STATUS_RESPONDER
    code = response(partial=True).status.status_code
    assert code.value == "urn:oasis:names:tc:SAML:2.0:status:Success"
    assert code.status_code.value == "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
