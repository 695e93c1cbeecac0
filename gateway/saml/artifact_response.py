"""Core 3.5.2, Bindings 3.2 and 3.6: from the provider's reply to our ArtifactResolve to the Response in it.

The direct connection earns the Response no trust: it passes the same checks as one that a browser brought.
"""

from lxml import etree

from gateway.model.codes import SAML_ARTIFACT_RESPONSE, SAML_SOAP
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.saml.document import Document, parse
from gateway.saml.message_schema import check_message
from gateway.saml.names import SOAP, STATUS_SUCCESS, saml, samlp
from gateway.saml.parties import entity_id_in

_ENVELOPE, _HEADER, _BODY, _FAULT = (f"{{{SOAP}}}{name}" for name in ("Envelope", "Header", "Body", "Fault"))


def in_body(envelope: bytes) -> Document:
    """The one message in a SOAP envelope. Raises GatewayError: SAML_SOAP, SAML_DOCUMENT."""
    root = parse(envelope).root
    children = list(root.iterchildren("*"))
    if root.tag != _ENVELOPE or not children or children[-1].tag != _BODY:
        raise GatewayError(SAML_SOAP, "not a SOAP 1.1 envelope with a body")
    # SOAP 1.1 4.2.3: we understand no header, so one that must be understood is refused.
    if len(children) > 2 or (len(children) == 2 and children[0].tag != _HEADER):
        raise GatewayError(SAML_SOAP, "an envelope of more than one header and one body")
    if any(each.get(f"{{{SOAP}}}mustUnderstand") == "1" for header in children[:-1] for each in header):
        raise GatewayError(SAML_SOAP, "a SOAP header that must be understood")
    messages = list(children[-1].iterchildren("*"))
    if len(messages) != 1:
        raise GatewayError(SAML_SOAP, f"{len(messages)} messages in the body")
    if messages[0].tag == _FAULT:
        raise GatewayError(SAML_SOAP, "a SOAP fault")
    return _alone(messages[0])


def response_in(envelope: bytes, *, request_id: str, provider: SamlProvider) -> Document:
    """The Response in an ArtifactResponse. `request_id`: the ID of our ArtifactResolve; `provider`: its recipient.

    Raises GatewayError: SAML_SOAP, SAML_DOCUMENT, SAML_SHAPE, SAML_VERSION, SAML_ID or SAML_ARTIFACT_RESPONSE.
    """
    root = in_body(envelope).root
    if root.tag != samlp("ArtifactResponse"):
        raise GatewayError(SAML_ARTIFACT_RESPONSE, "not an ArtifactResponse")
    check_message(root, samlp("ArtifactResponse"), digit_ids=provider.digit_ids)
    # Core 3.2.2
    if root.get("InResponseTo") != request_id:
        raise GatewayError(SAML_ARTIFACT_RESPONSE, "an answer to another request than ours")
    named = root.find(saml("Issuer"))
    if named is not None and entity_id_in(named.text) != provider.issuer:
        raise GatewayError(SAML_ARTIFACT_RESPONSE, "an answer of another provider")
    code = root.find(f"{samlp('Status')}/{samlp('StatusCode')}")
    if code is None or code.get("Value") != STATUS_SUCCESS:
        raise GatewayError(SAML_ARTIFACT_RESPONSE, "the provider did not resolve the artifact")
    responses = root.findall(samlp("Response"))
    # Core 3.5.2: the status is success, without a message, where the artifact was used already or is unknown.
    if len(responses) != 1:
        raise GatewayError(SAML_ARTIFACT_RESPONSE, f"{len(responses)} Responses: the artifact was used, or is unknown")
    return _alone(responses[0])


def _alone(element: etree._Element) -> Document:
    """The element as a document of its own, with the namespaces that were in scope."""
    return parse(etree.tostring(element, encoding="UTF-8", with_tail=False))
