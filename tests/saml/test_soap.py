import pytest
from lxml import etree
from saml2 import soap as pysaml2_soap

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.artifact import artifact_resolve, read_artifact
from gateway.saml.names import SOAP
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_body, in_envelope
from tests.saml.parties import NOW, pair, service_provider, verified_by_xmlsec
from tests.saml.test_artifact import ARTIFACT

REQUEST = artifact_resolve(service_provider(), read_artifact(ARTIFACT), destination="https://idp", id="_a1", now=NOW)


def test_a_message_in_an_envelope_is_found_by_another_implementation_and_its_signature_holds() -> None:
    signed = sign_enveloped(pair(), REQUEST)
    found = pysaml2_soap.parse_soap_enveloped_saml_artifact_resolve(in_envelope(signed))
    assert etree.QName(etree.fromstring(found)).localname == "ArtifactResolve"
    (body,) = etree.fromstring(in_envelope(signed))
    verified_by_xmlsec(etree.tostring(body[0]), pair())


def with_header(mark: str) -> bytes:
    return in_envelope(REQUEST).replace(
        b"<soap:Body>", f"<soap:Header><h xmlns='urn:h'/><h xmlns='urn:h' {mark}/></soap:Header><soap:Body>".encode()
    )


@pytest.mark.parametrize("said", ["1", "true", " 1 ", "TRUE", "", "yes", "01"])
def test_a_header_that_must_be_understood_is_refused_however_it_says_so(said: str) -> None:
    with pytest.raises(GatewayError) as error:
        in_body(with_header(f'soap:mustUnderstand="{said}"'))
    assert error.value.code is saml_codes.SOAP


@pytest.mark.parametrize("mark", ["", 'soap:mustUnderstand="0"', 'soap:mustUnderstand="false"', 'mustUnderstand="1"'])
def test_another_is_passed_over(mark: str) -> None:
    assert SOAP.encode() not in in_body(with_header(mark)).root.tag.encode()
