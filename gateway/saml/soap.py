"""Bindings 3.2: a SAML message in the body of a SOAP 1.1 envelope."""

from gateway.saml.names import SOAP

MEDIA_TYPE = "text/xml; charset=utf-8"
# SOAP 1.1 6 says text/xml. Libraries for SOAP 1.2 send application/soap+xml (RFC 3902) with either version. The
# namespace of the envelope tells the version, which has to be 1.1.
MEDIA_TYPES = ("text/xml", "application/soap+xml")
# Bindings 3.2.3.1: receivers must not depend on this value.
ACTION = '"http://www.oasis-open.org/committees/security"'


def in_envelope(message: bytes) -> bytes:
    """`message`: one of ours, signed or not. Its bytes are not changed, so that a signature stays valid."""
    envelope = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode()
    return envelope + message + b"</soap:Body></soap:Envelope>"


def fault(code: str) -> bytes:
    """A SOAP fault (SOAP 1.1 4.4). `code`: Client if the message was wrong, Server if it may be sent again."""
    text = "refused" if code == "Client" else "try again later"
    return in_envelope(
        f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring></soap:Fault>".encode()
    )
