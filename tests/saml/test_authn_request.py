from dataclasses import replace

from pygamlastan import xml
from saml2 import samlp

from gateway.model.provider import SamlProvider
from gateway.saml.authn_request import authn_request
from tests.saml.parties import NOW, PORTAL, PROVIDER, service_provider

SSO = "https://idp.metropole.example/sso"


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
