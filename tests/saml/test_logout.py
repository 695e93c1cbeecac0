from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from gateway.model.assertion import NameId
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.document import parse
from gateway.saml.logout import (
    LogoutResponse,
    signed_logout_message,
    validate_logout_request,
    validate_logout_response,
    validate_soap_logout_response,
)
from gateway.saml.response import OLDEST
from tests.saml import parties
from tests.saml.idp import CBC256, SAML, SAMLP, Way, assertion, at, build, encrypt, one, sign, written
from tests.saml.scene import KEY, METADATA, NOW, SCENE, SP, STRANGER, provider

PARTIAL = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"


def message(name: str, inside: str, **changes: str | None) -> etree._Element:
    attributes = {
        "ID": "_logout-1",
        "Version": "2.0",
        "IssueInstant": at(NOW),
        "Destination": SP.logout,
        **changes,
    }
    issuer = attributes.pop("issuer", parties.IDP)
    written_out = " ".join(f'{key}="{value}"' for key, value in attributes.items() if value is not None)
    return etree.fromstring(
        f'<samlp:{name} xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written_out}><saml:Issuer>{issuer}</saml:Issuer>'
        f"{inside}</samlp:{name}>"
    )


def request(
    inside: str = "<samlp:SessionIndex>_session-1</samlp:SessionIndex>", **changes: str | None
) -> etree._Element:
    return message("LogoutRequest", f'<saml:NameID Format="f" NameQualifier="q">who</saml:NameID>{inside}', **changes)


def response(*codes: str, **changes: str | None) -> etree._Element:
    nested = ""
    for code in reversed(codes or (SUCCESS,)):
        nested = f'<samlp:StatusCode Value="{code}">{nested}</samlp:StatusCode>'
    return message("LogoutResponse", f"<samlp:Status>{nested}</samlp:Status>", **{"InResponseTo": "_ours-1", **changes})


def judged(root: etree._Element, *, key: parties.KeyPair | None = KEY, location: str = SP.logout, **how: Any) -> Any:
    if key is not None:
        sign(root, key)
    metadata = how.pop("metadata", METADATA)
    of = provider(**how)
    signed = signed_logout_message(parse(written(root)), of, metadata)
    usual: dict[str, Any] = {
        "provider": of,
        "metadata": metadata,
        "location": location,
        "now": NOW,
    }
    if root.tag.endswith("LogoutResponse"):
        return validate_logout_response(signed, request_id="_ours-1", **usual)
    return validate_logout_request(signed, sp=SP, **usual)


def refused(root: etree._Element, **how: Any) -> Code:
    with pytest.raises(GatewayError) as error:
        judged(root, **how)
    return error.value.code


def test_a_request() -> None:
    found = judged(request())
    assert found.id == "_logout-1"
    assert found.issuer == parties.IDP
    assert found.name_id == NameId("who", format="f", name_qualifier="q")
    assert found.session_indexes == ("_session-1",)
    assert found.issued == NOW
    assert "who" not in repr(found)


def test_a_request_for_all_sessions_and_for_several() -> None:
    assert judged(request("")).session_indexes == ()
    two = "<samlp:SessionIndex>a</samlp:SessionIndex><samlp:SessionIndex>b</samlp:SessionIndex>"
    assert judged(request(two)).session_indexes == ("a", "b")


@pytest.mark.parametrize("ahead", [900, -900, -30 * 86400], ids=["our clock is late", "early", "sent for a month"])
def test_no_clock_refuses_the_end_of_sessions(ahead: int) -> None:
    """Core 3.7.1: after NotOnOrAfter the recipient "may" discard the request."""
    written_at, over_at = NOW + ahead, NOW + ahead + 60
    assert judged(request(IssueInstant=at(written_at), NotOnOrAfter=at(over_at))).issued == written_at


@pytest.mark.parametrize("way", [Way(), Way(content=CBC256)])
def test_a_request_that_names_the_person_encrypted(way: Way) -> None:
    root = request()
    encrypt(one(root, "a:NameID"), SCENE.recipient_key, way)
    assert judged(root, cbc=True).name_id.value == "who"


def encrypted_for(recipient: str | None) -> etree._Element:
    made = request(Destination=None)
    encrypt(one(made, "a:NameID"), SCENE.recipient_key, Way(recipient=recipient))
    return made


def test_over_soap_too_it_has_to_be_for_us() -> None:
    """Another service that the provider signs people out of could send us what it was sent."""
    assert refused(request(Destination=None), location=SP.logout_soap) is saml_codes.DESTINATION
    # The name is for us alone, and the signature is over that: nobody else can have been meant.
    assert judged(encrypted_for(SP.entity_id), location=SP.logout_soap)
    assert refused(encrypted_for(None), location=SP.logout_soap) is saml_codes.DESTINATION
    assert refused(encrypted_for("https://other.example"), location=SP.logout_soap) is saml_codes.DESTINATION
    assert refused(encrypted_for(SP.entity_id)) is saml_codes.DESTINATION, "through a browser it has one"
    assert judged(request(Destination=SP.logout_soap), location=SP.logout_soap)
    assert refused(request(), location=SP.logout_soap) is saml_codes.DESTINATION


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Destination": None}, saml_codes.DESTINATION),
        ({"Destination": f"{SP.logout}EVIL"}, saml_codes.DESTINATION),
        ({"Destination": SP.acs}, saml_codes.DESTINATION),
        ({"issuer": "https://idp.other.example"}, saml_codes.ISSUER),
        ({"issuer": f"\u00a0{parties.IDP}"}, saml_codes.ISSUER),
        ({"IssueInstant": "yesterday"}, saml_codes.TIME),
        ({"Version": "1.1"}, saml_codes.VERSION),
        ({"ID": "1"}, saml_codes.ID),
        ({"ID": "-1"}, saml_codes.ID),
        ({"Else": "x"}, saml_codes.SHAPE),
    ],
)
def test_a_message_that_is_not_for_us_now(make: Any, changes: dict[str, str | None], code: Code) -> None:
    assert refused(make(**changes)) is code


@pytest.mark.parametrize("make", [request, response])
def test_a_message_is_signed_by_the_provider(make: Any) -> None:
    assert refused(make(), key=None) is saml_codes.SIGNATURE_MISSING
    assert refused(make(), key=STRANGER) is saml_codes.SIGNATURE


def test_a_signature_over_something_else_proves_nothing() -> None:
    """K141: a captured signed assertion in a request of a stranger's making."""
    root = request()
    donor = build(SCENE)
    sign(assertion(donor), KEY)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(assertion(donor))
    root.insert(1, extensions)
    assert refused(root, key=None) is saml_codes.SHAPE
    other = request()
    other.insert(1, one(extensions, "//ds:Signature"))
    assert refused(other, key=None) in {saml_codes.SIGNATURE_FORM, saml_codes.SIGNATURE_MISSING}


def test_a_response() -> None:
    assert judged(response()) == LogoutResponse("_logout-1", parties.IDP, partial=False)
    assert judged(response(SUCCESS, PARTIAL)).partial
    assert judged(response(RESPONDER, PARTIAL)).partial


def test_a_response_that_refuses() -> None:
    with pytest.raises(GatewayError) as error:
        judged(response(RESPONDER, "urn:x:<evil>\n".replace("<", "").replace(">", "")))
    assert error.value.code is saml_codes.STATUS
    assert "\n" not in error.value.detail


@pytest.mark.parametrize("answers", [None, "_another-1", ""])
def test_a_response_to_nothing_of_ours(answers: str | None) -> None:
    assert refused(response(InResponseTo=answers)) is saml_codes.IN_RESPONSE_TO


def test_expired_metadata_prove_nothing() -> None:
    from dataclasses import replace

    assert refused(request(), metadata=replace(METADATA, valid_until=NOW)) is saml_codes.METADATA_EXPIRED
    assert judged(request(), metadata=replace(METADATA, valid_until=NOW + 1))


def test_a_request_is_no_response() -> None:
    signed = request()
    sign(signed, KEY)
    with pytest.raises(GatewayError) as error:
        validate_logout_response(
            signed_logout_message(parse(written(signed)), provider(), METADATA),
            provider=provider(),
            metadata=METADATA,
            location=SP.logout,
            request_id="_ours-1",
            now=NOW,
        )
    assert error.value.code is saml_codes.SHAPE


def test_an_id_that_begins_with_a_digit_is_taken_where_the_provider_file_says_so() -> None:
    for made in (request(ID="1a-2"), response(ID="1a-2")):
        assert refused(deepcopy(made)) is saml_codes.ID
        assert judged(made, digit_ids=True).id == "1a-2"
    assert refused(request(ID="1 2"), digit_ids=True) is saml_codes.ID


def test_times_and_an_issuer_as_other_libraries_write_them() -> None:
    assert judged(request(IssueInstant=at(NOW).replace("Z", "+00:00"), issuer=f"\n    {parties.IDP}\n"))


# --- over SOAP, on the connection that asked --------------------------------------------------------------------------


def answered(
    root: etree._Element, *, key: parties.KeyPair | None = KEY, url: str = "https://idp.metropole.example/slo"
) -> LogoutResponse:
    if key is not None:
        sign(root, key)
    return validate_soap_logout_response(
        parse(written(root)), provider=provider(), metadata=METADATA, url=url, request_id="_ours-1", now=NOW
    )


def not_answered(root: etree._Element, **how: Any) -> Code:
    with pytest.raises(GatewayError) as error:
        answered(root, **how)
    return error.value.code


@pytest.mark.parametrize("destination", [None, SP.logout, parties.IDP])
def test_an_answer_over_soap_went_nowhere_else(destination: str | None) -> None:
    assert answered(response(Destination=destination)) == LogoutResponse("_logout-1", parties.IDP, partial=False)
    assert answered(response(RESPONDER, PARTIAL, Destination=destination)).partial


def test_an_answer_over_soap_is_signed_or_of_the_server_that_tls_vouches_for() -> None:
    """Profiles 4.4.4.2. Shibboleth signs none over TLS."""
    assert answered(response(), key=None)
    assert not_answered(response(), key=None, url="http://idp.localhost/slo") is saml_codes.SIGNATURE_MISSING
    assert not_answered(response(), key=STRANGER) is saml_codes.SIGNATURE
    assert answered(response(), url="http://idp.localhost/slo")


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize(
    ("root", "code"),
    [
        (response(RESPONDER), saml_codes.STATUS),
        (response(InResponseTo="_another-1"), saml_codes.IN_RESPONSE_TO),
        (response(InResponseTo=None), saml_codes.IN_RESPONSE_TO),
        (response(issuer="https://idp.other.example"), saml_codes.ISSUER),
        (response(IssueInstant=at(NOW - OLDEST - 181)), saml_codes.ISSUE_INSTANT),
        (response(IssueInstant=at(NOW + 181)), saml_codes.ISSUE_INSTANT),
        (request(), saml_codes.SHAPE),
        (response(ID="1"), saml_codes.ID),
    ],
)
def test_what_is_no_success_over_soap(root: etree._Element, code: Code, key: parties.KeyPair | None) -> None:
    assert not_answered(deepcopy(root), key=key) is code
