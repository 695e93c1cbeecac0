"""Bindings 3.4: HTTP-Redirect. The signature covers the query string, which is therefore verified as it came."""

import base64
import re
from dataclasses import InitVar, dataclass
from urllib.parse import quote, unquote_to_bytes

from gateway.model.codes import SAML_BINDING_ENCODING, SAML_BINDING_PARAMETER, SAML_BINDING_SIGNATURE
from gateway.model.errors import GatewayError
from gateway.saml.encoding import base64_decoded, deflated, inflated
from gateway.saml.names import MessageParameter
from gateway.saml.parties import KeyPair
from gateway.saml.redirect_signature import verify_redirect_signature
from gateway.saml.signing import sign_bytes, signature_uri

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
    """A message whose query was signed by a key of the provider. Only `verify_redirect` makes one."""

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
    """The URL to which we send the browser. `location`: the provider's endpoint. `message`: ours, without a signature
    of its own, which this binding would have to remove (3.4.4.1)."""
    fields: list[tuple[str, str]] = [(parameter, base64.b64encode(deflated(message)).decode("ascii"))]
    if relay_state is not None:
        fields.append(("RelayState", relay_state))
    fields.append(("SigAlg", signature_uri(pair)))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields)
    signature = base64.b64encode(sign_bytes(pair, query.encode("ascii"))).decode("ascii")
    # Bindings 3.4.4.1: our parameters follow the endpoint's own query.
    separator = "&" if "?" in location else "?"
    return f"{location}{separator}{query}&Signature={quote(signature, safe='')}"


def read_redirect(query: bytes) -> RedirectMessage:
    """`query`: the raw bytes after the question mark, as received.

    Raises GatewayError: SAML_BINDING_PARAMETER, SAML_BINDING_SIGNATURE (there is none), SAML_BINDING_ENCODING,
    SAML_BINDING_SIZE.
    """
    raw = _parameters(query)
    parameter = _one_message(raw)
    if "Signature" not in raw or "SigAlg" not in raw:
        raise GatewayError(SAML_BINDING_SIGNATURE, f"a {parameter} without a signature")
    if "SAMLEncoding" in raw and _decoded(raw["SAMLEncoding"]) != _DEFLATE.encode():
        raise GatewayError(SAML_BINDING_ENCODING, "a SAMLEncoding that is not DEFLATE")
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

    Raises GatewayError: SAML_BINDING_ALGORITHM, SAML_BINDING_SIGNATURE.
    """
    verify_redirect_signature(signing_keys, received.algorithm, received.signed, received.signature)
    return SignedMessage(received.parameter, received.message, received.relay_state, _PROVEN)


def _parameters(query: bytes) -> dict[str, bytes]:
    """Raw values by name. A name that is escaped or repeated is refused: another reader could read it differently."""
    raw: dict[str, bytes] = {}
    for part in query.split(b"&"):
        name, equals, value = part.partition(b"=")
        known = name.decode("ascii", "replace")
        if known not in _OURS:
            if unquote_to_bytes(name.replace(b"+", b" ")).strip().decode("ascii", "replace").lower() in _FOLDED:
                raise GatewayError(SAML_BINDING_PARAMETER, "a parameter's name in another spelling")
            continue
        form = _RELAY_STATE if known == "RelayState" else _VALUE
        if known in raw or not equals or not form.fullmatch(value):
            raise GatewayError(SAML_BINDING_PARAMETER, f"{known} twice, or with a value that can be read in two ways")
        raw[known] = value
    return raw


_FOLDED = frozenset(name.lower() for name in _OURS)


def _one_message(raw: dict[str, bytes]) -> MessageParameter:
    # Bindings 3.4.4: exactly one of the two
    if ("SAMLRequest" in raw) == ("SAMLResponse" in raw):
        raise GatewayError(SAML_BINDING_PARAMETER, "neither SAMLRequest nor SAMLResponse, or both")
    return "SAMLRequest" if "SAMLRequest" in raw else "SAMLResponse"


def _relay_state(raw: dict[str, bytes]) -> str | None:
    if "RelayState" not in raw:
        return None
    value = _decoded(raw["RelayState"])
    if len(value) > LONGEST_RELAY_STATE:
        raise GatewayError(SAML_BINDING_PARAMETER, f"a RelayState of {len(value)} bytes")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GatewayError(SAML_BINDING_PARAMETER, "a RelayState that is not UTF-8") from error


def _decoded(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))
