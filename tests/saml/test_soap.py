from lxml import etree
from saml2 import soap as pysaml2_soap

from gateway.saml.artifact import artifact_resolve, read_artifact
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from tests.saml.parties import NOW, pair, service_provider, verified_by_xmlsec
from tests.saml.test_artifact import ARTIFACT

REQUEST = artifact_resolve(service_provider(), read_artifact(ARTIFACT), destination="https://idp", id="_a1", now=NOW)


def test_a_message_in_an_envelope_is_found_by_another_implementation_and_its_signature_holds() -> None:
    signed = sign_enveloped(pair(), REQUEST)
    found = pysaml2_soap.parse_soap_enveloped_saml_artifact_resolve(in_envelope(signed))
    assert etree.QName(etree.fromstring(found)).localname == "ArtifactResolve"
    (body,) = etree.fromstring(in_envelope(signed))
    verified_by_xmlsec(etree.tostring(body[0]), pair())
