"""Bindings 3.2: a SAML message in the body of a SOAP 1.1 envelope."""

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.document import Document, parse
from gateway.saml.names import SOAP, soap

MEDIA_TYPE = "text/xml; charset=utf-8"
# SOAP 1.1 6 says text/xml. Libraries for SOAP 1.2 send application/soap+xml (RFC 3902) with either version. The
# namespace of the envelope tells the version, which has to be 1.1.
MEDIA_TYPES = ("text/xml", "application/soap+xml")
# Bindings 3.2.3.1: receivers must not depend on this value.
ACTION = '"http://www.oasis-open.org/committees/security"'


def in_envelope(message: bytes) -> bytes:
    """`message`: our message, signed or not. The bytes stay unchanged, so a signature stays valid."""
    envelope = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode()
    return envelope + message + b"</soap:Body></soap:Envelope>"


def fault(code: str) -> bytes:
    """A SOAP fault (SOAP 1.1 4.4). `code`: Client if the message was wrong, Server if it may be sent again."""
    text = "refused" if code == "Client" else "try again later"
    return in_envelope(
        f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring></soap:Fault>".encode()
    )


def in_body(envelope: bytes) -> Document:
    """The one message in a SOAP envelope. Raises GatewayError: saml_codes.SOAP, saml_codes.DOCUMENT."""
    root = parse(envelope).root
    children = list(root.iterchildren("*"))
    if root.tag != soap("Envelope") or not children or children[-1].tag != soap("Body"):
        raise GatewayError(saml_codes.SOAP, "not a SOAP 1.1 envelope with a body")
    # SOAP 1.1 4.2.3: we understand no header, so one that must be understood is refused, in whatever spelling.
    if len(children) > 2 or (len(children) == 2 and children[0].tag != soap("Header")):
        raise GatewayError(saml_codes.SOAP, "an envelope of more than one header and one body")
    marks = (
        each.get(f"{{{SOAP}}}mustUnderstand", "0") for header in children[:-1] for each in header.iterchildren("*")
    )
    if any(mark.strip() not in ("0", "false") for mark in marks):
        raise GatewayError(saml_codes.SOAP, "a SOAP header that must be understood")
    messages = list(children[-1].iterchildren("*"))
    if len(messages) != 1:
        raise GatewayError(saml_codes.SOAP, f"{len(messages)} messages in the body")
    if messages[0].tag == soap("Fault"):
        raise GatewayError(saml_codes.SOAP, "a SOAP fault")
    return alone(messages[0])


def alone(element: etree._Element) -> Document:
    """The element as a separate document, with the namespaces that were in scope."""
    return parse(etree.tostring(element, encoding="UTF-8", with_tail=False))
