"""Bindings 3.6: HTTP-Artifact. The browser brings a reference, and we fetch the message from the provider."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.saml.document import Document, entity_id_in
from gateway.saml.message_schema import check_message
from gateway.saml.names import STATUS_SUCCESS, saml, samlp
from gateway.saml.own_messages import add, new_message, written
from gateway.saml.parties import Endpoint, IdpMetadata, ServiceProvider
from gateway.saml.soap import alone, in_body

_TYPE_4 = b"\x00\x04"
_LENGTH = 44


@dataclass(frozen=True, slots=True)
class Artifact:
    """Type 0x0004 (Bindings 3.6.4.2). `source_id`: the SHA-1 of the issuer's entityID, which proves nothing."""

    text: str
    endpoint_index: int
    source_id: bytes


def source_id(entity_id: str) -> bytes:
    # Bindings 3.6.4.2. SHA-1 does no harm: this is a name, and nothing rests on it.
    return hashlib.sha1(entity_id.encode(), usedforsecurity=False).digest()


def read_artifact(value: str) -> Artifact:
    """Decode `value`, the SAMLart of a query or form. Raises GatewayError(saml_codes.ARTIFACT)."""
    try:
        decoded = base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise GatewayError(saml_codes.ARTIFACT, "not base64") from error
    if len(decoded) != _LENGTH or not decoded.startswith(_TYPE_4):
        raise GatewayError(saml_codes.ARTIFACT, f"not an artifact of type 4 ({len(decoded)} bytes)")
    return Artifact(value, int.from_bytes(decoded[2:4], "big"), decoded[4:24])


def resolution_endpoint(artifact: Artifact, metadata: IdpMetadata) -> Endpoint:
    """The endpoint that resolves the artifact. `metadata`: of the provider to which we sent the request.

    Raises GatewayError(saml_codes.ARTIFACT_SOURCE) for another provider's artifact, or an index that this one does not
    have.
    """
    if artifact.source_id != source_id(metadata.entity_id):
        raise GatewayError(saml_codes.ARTIFACT_SOURCE, f"an artifact of another provider than {metadata.entity_id}")
    for endpoint in metadata.artifact_resolution:
        if endpoint.binding == "soap" and endpoint.index == artifact.endpoint_index:
            return endpoint
    detail = f"{metadata.entity_id} has no ArtifactResolutionService of index {artifact.endpoint_index}"
    raise GatewayError(saml_codes.ARTIFACT_SOURCE, detail)


def artifact_resolve(sp: ServiceProvider, artifact: Artifact, *, destination: str, id: str, now: float) -> bytes:
    """An ArtifactResolve (Core 3.5.1), not signed yet. `id`: an NCName of at least 128 random bits."""
    resolve = new_message("ArtifactResolve", id=id, now=now, issuer=sp.entity_id, destination=destination)
    add(resolve, samlp("Artifact"), artifact.text)
    return written(resolve)


def response_in(envelope: bytes, *, request_id: str, provider: SamlProvider) -> Document:
    """The Response in an ArtifactResponse. `request_id`: the ID of our ArtifactResolve; `provider`: its recipient.

    Raises GatewayError: saml_codes.SOAP, saml_codes.DOCUMENT, saml_codes.SHAPE, saml_codes.VERSION, saml_codes.ID or
    saml_codes.ARTIFACT_RESPONSE.
    """
    root = in_body(envelope).root
    if root.tag != samlp("ArtifactResponse"):
        raise GatewayError(saml_codes.ARTIFACT_RESPONSE, "not an ArtifactResponse")
    check_message(root, samlp("ArtifactResponse"), digit_ids=provider.digit_ids)
    # Core 3.2.2
    if root.get("InResponseTo") != request_id:
        raise GatewayError(saml_codes.ARTIFACT_RESPONSE, "an answer to another request than ours")
    named = root.find(saml("Issuer"))
    if named is not None and entity_id_in(named.text) != provider.issuer:
        raise GatewayError(saml_codes.ARTIFACT_RESPONSE, "an answer of another provider")
    code = root.find(f"{samlp('Status')}/{samlp('StatusCode')}")
    if code is None or code.get("Value") != STATUS_SUCCESS:
        raise GatewayError(saml_codes.ARTIFACT_RESPONSE, "the provider did not resolve the artifact")
    responses = root.findall(samlp("Response"))
    # Core 3.5.2: the status is success, without a message, where the artifact was used already or is unknown.
    if len(responses) != 1:
        raise GatewayError(
            saml_codes.ARTIFACT_RESPONSE, f"{len(responses)} Responses: the artifact was used, or is unknown"
        )
    return alone(responses[0])
