"""Queries, forms, artifacts and envelopes changed at random: `python -m tests.saml.fuzz_bindings [SECONDS] [SEED]`.

Whatever comes of a change, it ends in an error of ours, or in the very message that the provider signed.
"""

import base64
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.model.assertion import NameId
from gateway.model.errors import GatewayError
from gateway.saml.artifact import read_artifact, resolution_endpoint, response_in, source_id
from gateway.saml.bindings import post_form, posted_message, read_redirect, redirect_url, verify_redirect
from gateway.saml.document import parse, read_unverified
from gateway.saml.logout import (
    LogoutRequest,
    LogoutResponse,
    signed_logout_message,
    validate_logout_request,
    validate_logout_response,
    validate_soap_logout_response,
)
from gateway.saml.own_messages import logout_request, logout_response
from gateway.saml.parties import ServiceProvider
from gateway.saml.signature import SignedElement, redirected
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_body, in_envelope
from tests.saml import parties
from tests.saml.fuzz import TOKENS, in_bytes
from tests.saml.idp import build, written
from tests.saml.scene import KEY, METADATA, NOW, SCENE, SP, provider

_PROVIDER = ServiceProvider(parties.IDP, "", "", "", "", (KEY,))
_ASKED = logout_request(
    _PROVIDER, destination=SP.logout, id="_r", now=NOW, name_id=NameId("who"), session_indexes=("a", "b")
)
_ANSWER = logout_response(_PROVIDER, destination=SP.logout, id="_a", now=NOW, in_response_to="_ours")
_ESCAPES = [
    b"%00",
    b"%",
    b"%2",
    b"%26",
    b"%3D",
    b"%2B",
    b"+",
    b"&",
    b"=",
    b"&RelayState=x",
    b"&Signature=",
    b"%ff",
    b";",
]
_WHO = {"provider": provider(), "metadata": METADATA, "now": NOW}

Message = LogoutRequest | LogoutResponse


def _judged(message: SignedElement) -> Message:
    if message.element.tag.endswith("LogoutRequest"):
        return validate_logout_request(message, sp=SP, location=SP.logout, **_WHO)  # type: ignore[arg-type]
    return validate_logout_response(message, location=SP.logout, request_id="_ours", **_WHO)  # type: ignore[arg-type]


def by_redirect(query: bytes) -> Message:
    received = read_redirect(query)
    read_unverified(parse(received.message))
    return _judged(redirected(verify_redirect(received, METADATA.signing_keys)))


def by_post(field: bytes) -> Message:
    document = parse(posted_message(field.decode("utf-8", "surrogateescape")))
    read_unverified(document)
    return _judged(signed_logout_message(document, provider(), METADATA))


def by_soap(envelope: bytes) -> Message:
    document = in_body(envelope)
    read_unverified(document)
    return _judged(signed_logout_message(document, provider(), METADATA))


def over_soap(envelope: bytes) -> Message:
    return validate_soap_logout_response(
        in_body(envelope), url="http://idp/slo", request_id="_ours", **_WHO  # type: ignore[arg-type]
    )  # fmt: skip


def by_artifact(value: bytes) -> str:
    artifact = read_artifact(value.decode("utf-8", "surrogateescape"))
    return resolution_endpoint(artifact, METADATA).location


def resolved(envelope: bytes) -> str:
    return str(response_in(envelope, request_id="_q", provider=provider()).root.get("ID"))


def seeds() -> list[tuple[str, bytes, Callable[[bytes], object]]]:
    found: list[tuple[str, bytes, Callable[[bytes], object]]] = []
    for parameter, message in (("SAMLRequest", _ASKED), ("SAMLResponse", _ANSWER)):
        url = redirect_url(KEY, SP.logout, parameter, message, relay_state="back")  # type: ignore[arg-type]
        form = post_form(KEY, parameter, message, relay_state=None)  # type: ignore[arg-type]
        found.append(("redirect", urlsplit(url).query.encode(), by_redirect))
        found.append(("post", form[0][1].encode(), by_post))
        found.append(("soap", in_envelope(sign_enveloped(KEY, message)), by_soap))
    found.append(("soap answer", in_envelope(sign_enveloped(KEY, _ANSWER)), over_soap))
    artifact = b"\x00\x04\x00\x01" + source_id(parties.IDP) + b"h" * 20
    found.append(("artifact", base64.b64encode(artifact), by_artifact))
    answer = (
        b'<p:ArtifactResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_x" Version="2.0" InResponseTo="_q" '
        b'IssueInstant="2027-01-15T08:00:00Z"><p:Status><p:StatusCode '
        b'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
    )
    found.append(("resolved", in_envelope(answer + written(build(SCENE)) + b"</p:ArtifactResponse>"), resolved))
    return found


def _escaped(document: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(document) + 1)
    return document[:place] + chance.choice([*_ESCAPES, *TOKENS]) + document[place + chance.choice((0, 0, 1, 3)) :]


def _inside(value: bytes, chance: random.Random) -> bytes:
    """What base64 holds is changed, and encoded again."""
    return base64.b64encode(in_bytes(base64.b64decode(value), chance))


def run(seconds: float, seed: int) -> Counter[str]:
    chance, found, good = random.Random(seed), Counter[str](), seeds()
    expected = {name + str(at): take(document) for at, (name, document, take) in enumerate(good)}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        at = chance.randrange(len(good))
        name, document, take = good[at]
        changes = [in_bytes, _escaped, *([_inside] if name in ("post", "artifact") else [])]
        changed = chance.choice(changes)(document, chance)
        try:
            said = take(changed)
        except GatewayError as error:
            found[f"{name}: {error.code.id}"] += 1
        else:
            # A Response out of an artifact is judged later, like any other.
            assert name in ("resolved", "artifact") or said == expected[name + str(at)], changed
            found[f"{name}: accepted"] += 1
    return found


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found = run(seconds, seed)
    print(f"{sum(found.values())} messages in {seconds:.0f} s, seed {seed}: no exception but our own")
    for code, count in found.most_common():
        print(f"{count:9} {code}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
