"""Bindings 3.5: HTTP-POST, a form that the browser submits by itself. The signature is in the message."""

import base64

from gateway.saml.encoding import base64_decoded
from gateway.saml.names import MessageParameter
from gateway.saml.parties import KeyPair
from gateway.saml.signing import sign_enveloped


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
