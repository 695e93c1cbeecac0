"""Bindings 3.4 and 3.5: HTTP-Redirect and HTTP-POST, by which a browser carries a message either way.

By redirect the signature covers the query string, which is therefore verified as it came. By POST, in a form that the
browser submits by itself, the signature is in the message.
"""

import base64
import binascii
import re
import zlib
from dataclasses import InitVar, dataclass
from urllib.parse import quote, unquote_to_bytes

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.algorithms import SIGNATURES, is_made_by_one_of
from gateway.saml.names import MessageParameter
from gateway.saml.parties import KeyPair
from gateway.saml.signing import sign_bytes, sign_enveloped, signature_uri

# --- base64 and DEFLATE, with limits on their size

# The same limit bounds what is parked between the cross-site POST and the GET that brings the cookie.
LARGEST_MESSAGE = 256 << 10
_LARGEST_TEXT = LARGEST_MESSAGE * 3 // 2

_SPACE = b" \t\r\n"


def deflated(message: bytes) -> bytes:
    """A DEFLATE stream (RFC 1951), without the header and checksum of zlib (Bindings 3.4.4.1)."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(message) + squeeze.flush()


def inflated(data: bytes) -> bytes:
    """Raises GatewayError: saml_codes.BINDING_ENCODING; saml_codes.BINDING_SIZE, having inflated no more than the
    limit."""
    stream = zlib.decompressobj(-15)
    try:
        message = stream.decompress(data, LARGEST_MESSAGE + 1)
    except zlib.error as error:
        raise GatewayError(saml_codes.BINDING_ENCODING, "not a DEFLATE stream") from error
    if len(message) > LARGEST_MESSAGE:
        raise GatewayError(saml_codes.BINDING_SIZE, f"over {LARGEST_MESSAGE} bytes once inflated")
    if not stream.eof or stream.unused_data:
        raise GatewayError(saml_codes.BINDING_ENCODING, "a DEFLATE stream that is cut short, or followed by more")
    return message


def base64_decoded(text: bytes) -> bytes:
    """Decode base64, whose lines may be broken (RFC 2045, Bindings 3.5.4).

    Raises GatewayError: saml_codes.BINDING_SIZE, saml_codes.BINDING_ENCODING.
    """
    # K130: the size first
    if len(text) > _LARGEST_TEXT:
        raise GatewayError(saml_codes.BINDING_SIZE, f"{len(text)} characters of base64")
    try:
        message = base64.b64decode(text.translate(None, _SPACE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise GatewayError(saml_codes.BINDING_ENCODING, "not base64") from error
    if len(message) > LARGEST_MESSAGE:
        raise GatewayError(saml_codes.BINDING_SIZE, f"{len(message)} bytes")
    return message


# --- HTTP-Redirect

_DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_OURS = ("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding")
# RFC 3986 3.4, without characters that another reader might take for a separator. Readers differ on whether a bare plus
# is a plus or a space. That does no harm in a RelayState, which we only send back; in base64 it would.
_VALUE = re.compile(rb"(?:[A-Za-z0-9._~!*'(),:@/?$=-]|%[0-9A-Fa-f]{2})*")
_RELAY_STATE = re.compile(rb"(?:[A-Za-z0-9._~!*'(),:@/?$=+-]|%[0-9A-Fa-f]{2})*")
# Bindings 3.4.3
LONGEST_RELAY_STATE = 80

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    """A query as read, not verified yet. `signed`: the octets that `signature` has to cover."""

    parameter: MessageParameter
    message: bytes
    relay_state: str | None
    signed: bytes
    algorithm: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message whose query a key of the provider signed. Only `verify_redirect` makes one."""

    parameter: MessageParameter
    message: bytes
    relay_state: str | None
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a SignedMessage comes from verify_redirect alone")


def redirect_url(
    pair: KeyPair, location: str, parameter: MessageParameter, message: bytes, *, relay_state: str | None
) -> str:
    """The URL to which we send the browser. `location`: the provider's endpoint.

    `message`: our message without an enveloped signature, which this binding does not allow (3.4.4.1).
    """
    fields: list[tuple[str, str]] = [(parameter, base64.b64encode(deflated(message)).decode("ascii"))]
    if relay_state is not None:
        fields.append(("RelayState", relay_state))
    fields.append(("SigAlg", signature_uri(pair)))
    query = "&".join([f"{name}={quote(value, safe='')}" for name, value in fields])
    signature = base64.b64encode(sign_bytes(pair, query.encode("ascii"))).decode("ascii")
    # Bindings 3.4.4.1: our parameters follow the endpoint's own query.
    separator = "&" if "?" in location else "?"
    return f"{location}{separator}{query}&Signature={quote(signature, safe='')}"


def read_redirect(query: bytes) -> RedirectMessage:
    """`query`: the raw bytes after the question mark, as received.

    Raises GatewayError: saml_codes.BINDING_PARAMETER, saml_codes.BINDING_SIGNATURE (there is none),
    saml_codes.BINDING_ENCODING, saml_codes.BINDING_SIZE.
    """
    raw = _parameters(query)
    parameter = _one_message(raw)
    if "Signature" not in raw or "SigAlg" not in raw:
        raise GatewayError(saml_codes.BINDING_SIGNATURE, f"a {parameter} without a signature")
    if "SAMLEncoding" in raw and _decoded(raw["SAMLEncoding"]) != _DEFLATE.encode():
        raise GatewayError(saml_codes.BINDING_ENCODING, "a SAMLEncoding that is not DEFLATE")
    relay_state = _relay_state(raw)
    # Bindings 3.4.4.1: the signature covers the parameters in this order, whatever their order in the query.
    signed = b"&".join(name.encode() + b"=" + raw[name] for name in (parameter, "RelayState", "SigAlg") if name in raw)
    return RedirectMessage(
        parameter=parameter,
        message=inflated(base64_decoded(_decoded(raw[parameter]))),
        relay_state=relay_state,
        signed=signed,
        algorithm=_decoded(raw["SigAlg"]).decode("ascii", "replace"),
        signature=base64_decoded(_decoded(raw["Signature"])),
    )


def verify_redirect(received: RedirectMessage, signing_keys: tuple[bytes, ...]) -> SignedMessage:
    """`signing_keys`: of the provider that the message names as its Issuer (SubjectPublicKeyInfo, DER).

    Raises GatewayError: saml_codes.BINDING_ALGORITHM, saml_codes.BINDING_SIGNATURE.
    """
    verify_redirect_signature(signing_keys, received.algorithm, received.signed, received.signature)
    return SignedMessage(received.parameter, received.message, received.relay_state, _PROVEN)


def verify_redirect_signature(signing_keys: tuple[bytes, ...], algorithm: str, octets: bytes, signature: bytes) -> None:
    """Return if one of the keys (SubjectPublicKeyInfo, DER) made `signature` over `octets`.

    Raises GatewayError: saml_codes.BINDING_ALGORITHM, saml_codes.BINDING_SIGNATURE.
    """
    if algorithm not in SIGNATURES:
        raise GatewayError(
            saml_codes.BINDING_ALGORITHM, f"a signature algorithm that is not accepted: {algorithm[:100]!r}"
        )
    if not is_made_by_one_of(signing_keys, algorithm, octets, signature):
        raise GatewayError(
            saml_codes.BINDING_SIGNATURE, f"by none of the {len(signing_keys)} keys in the provider's metadata"
        )


def _parameters(query: bytes) -> dict[str, bytes]:
    """The raw values by name. An escaped or repeated name is refused: another reader could read the query
    differently."""
    raw: dict[str, bytes] = {}
    for part in query.split(b"&"):
        name, equals, value = part.partition(b"=")
        known = name.decode("ascii", "replace")
        if known not in _OURS:
            if unquote_to_bytes(name.replace(b"+", b" ")).strip().decode("ascii", "replace").lower() in _FOLDED:
                raise GatewayError(saml_codes.BINDING_PARAMETER, "a parameter's name in another spelling")
            continue
        form = _RELAY_STATE if known == "RelayState" else _VALUE
        if known in raw or not equals or not form.fullmatch(value):
            raise GatewayError(
                saml_codes.BINDING_PARAMETER, f"{known} twice, or with a value that can be read in two ways"
            )
        raw[known] = value
    return raw


_FOLDED = frozenset(name.lower() for name in _OURS)


def _one_message(raw: dict[str, bytes]) -> MessageParameter:
    # Bindings 3.4.4: exactly one of the two
    if ("SAMLRequest" in raw) == ("SAMLResponse" in raw):
        raise GatewayError(saml_codes.BINDING_PARAMETER, "neither SAMLRequest nor SAMLResponse, or both")
    return "SAMLRequest" if "SAMLRequest" in raw else "SAMLResponse"


def _relay_state(raw: dict[str, bytes]) -> str | None:
    if "RelayState" not in raw:
        return None
    value = _decoded(raw["RelayState"])
    if len(value) > LONGEST_RELAY_STATE:
        raise GatewayError(saml_codes.BINDING_PARAMETER, f"a RelayState of {len(value)} bytes")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GatewayError(saml_codes.BINDING_PARAMETER, "a RelayState that is not UTF-8") from error


def _decoded(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


# --- HTTP-POST


def post_form(
    pair: KeyPair, parameter: MessageParameter, message: bytes, *, relay_state: str | None
) -> tuple[tuple[str, str], ...]:
    """The fields of the form. `message`: one of ours, which is signed here."""
    encoded = base64.b64encode(sign_enveloped(pair, message)).decode("ascii")
    # Bindings 3.5.3
    return ((parameter, encoded),) if relay_state is None else ((parameter, encoded), ("RelayState", relay_state))


def posted_message(value: str) -> bytes:
    """The XML in a field of a form, not verified yet. Raises what `base64_decoded` raises."""
    return base64_decoded(value.encode("utf-8", "surrogatepass"))
