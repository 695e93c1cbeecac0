"""Base64 and DEFLATE of the bindings, with limits on their size."""

import base64
import binascii
import zlib

from gateway.model.codes import SAML_BINDING_ENCODING, SAML_BINDING_SIZE
from gateway.model.errors import GatewayError

# The same limit bounds what is parked between the cross-site POST and the GET that brings the cookie.
LARGEST_MESSAGE = 256 << 10
_LARGEST_TEXT = LARGEST_MESSAGE * 3 // 2

_SPACE = b" \t\r\n"


def deflated(message: bytes) -> bytes:
    """A DEFLATE stream (RFC 1951), without the header and checksum of zlib (Bindings 3.4.4.1)."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(message) + squeeze.flush()


def inflated(data: bytes) -> bytes:
    """Raises GatewayError: SAML_BINDING_ENCODING; SAML_BINDING_SIZE, having inflated no more than the limit."""
    stream = zlib.decompressobj(-15)
    try:
        message = stream.decompress(data, LARGEST_MESSAGE + 1)
    except zlib.error as error:
        raise GatewayError(SAML_BINDING_ENCODING, "not a DEFLATE stream") from error
    if len(message) > LARGEST_MESSAGE:
        raise GatewayError(SAML_BINDING_SIZE, f"over {LARGEST_MESSAGE} bytes once inflated")
    if not stream.eof or stream.unused_data:
        raise GatewayError(SAML_BINDING_ENCODING, "a DEFLATE stream that is cut short, or followed by more")
    return message


def base64_decoded(text: bytes) -> bytes:
    """Decode base64, whose lines may be broken (RFC 2045, Bindings 3.5.4).

    Raises GatewayError: SAML_BINDING_SIZE, SAML_BINDING_ENCODING.
    """
    # K130: the size first
    if len(text) > _LARGEST_TEXT:
        raise GatewayError(SAML_BINDING_SIZE, f"{len(text)} characters of base64")
    try:
        message = base64.b64decode(text.translate(None, _SPACE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise GatewayError(SAML_BINDING_ENCODING, "not base64") from error
    if len(message) > LARGEST_MESSAGE:
        raise GatewayError(SAML_BINDING_SIZE, f"{len(message)} bytes")
    return message
