"""Bindings 3.2: a SAML message in the body of a SOAP 1.1 envelope."""

from gateway.saml.names import SOAP

MEDIA_TYPE = "text/xml; charset=utf-8"
# SOAP 1.1 6 says text/xml; a library for SOAP 1.2 says application/soap+xml (RFC 3902) of either. Which of the two it
# is, the envelope's own namespace says, and 1.1 it has to be.
MEDIA_TYPES = ("text/xml", "application/soap+xml")
# Bindings 3.2.3.1: receivers must not depend on its value
ACTION = '"http://www.oasis-open.org/committees/security"'


def in_envelope(message: bytes) -> bytes:
    """`message`: one of ours, signed or not; the bytes that were signed go in as they are."""
    envelope = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode()
    return envelope + message + b"</soap:Body></soap:Envelope>"


def fault(code: str) -> bytes:
    """SOAP 1.1 4.4. `code`: Client where the message was at fault, Server where it may be sent again."""
    text = "refused" if code == "Client" else "try again later"
    return in_envelope(
        f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{text}</faultstring></soap:Fault>".encode()
    )
