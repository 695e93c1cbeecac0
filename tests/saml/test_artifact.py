import base64
import hashlib
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygamlastan.bindings import SamlArtifact
from saml2 import samlp

from gateway.model.codes import SAML_ARTIFACT, SAML_ARTIFACT_SOURCE
from gateway.model.errors import GatewayError
from gateway.saml.artifact import artifact_resolve, read_artifact, resolution_endpoint, source_id
from gateway.saml.parties import Endpoint
from gateway.saml.signing import sign_enveloped
from tests.saml.parties import IDP, NOW, PORTAL, idp, pair, service_provider, verified_by_xmlsec

ARTIFACT = SamlArtifact(1, IDP, bytes(range(20))).encode()
HANDLE = b"h" * 20


def artifact(type: bytes = b"\x00\x04", index: bytes = b"\x00\x01", source: str = IDP, handle: bytes = HANDLE) -> str:
    return base64.b64encode(type + index + hashlib.sha1(source.encode()).digest() + handle).decode()


def test_an_artifact_of_another_implementation_is_read() -> None:
    read = read_artifact(ARTIFACT)
    assert (read.text, read.endpoint_index, read.source_id) == (ARTIFACT, 1, source_id(IDP))
    assert read_artifact(artifact(index=b"\x01\x02")).endpoint_index == 258


@pytest.mark.parametrize(
    "value",
    [
        "",
        "AAQ",
        artifact(type=b"\x00\x01"),
        artifact(type=b"\x04\x00"),
        artifact(handle=b"h" * 19),
        artifact(handle=b"h" * 21),
        artifact() + "\n",
        " " + artifact(),
        artifact().replace("A", "é", 1),
        artifact() + artifact(),
        "A" * 100_000,
    ],
)
def test_what_is_no_artifact(value: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read_artifact(value)
    assert refused.value.code == SAML_ARTIFACT


@given(st.text())
def test_no_text_is_more_than_refused(value: str) -> None:
    with suppress(GatewayError):
        read_artifact(value)


def test_it_is_resolved_where_the_metadata_says_for_its_index() -> None:
    other = Endpoint("soap", "https://idp.metropole.example/artifact-2", index=2)
    metadata = replace(idp(), artifact_resolution=(*idp().artifact_resolution, other))
    assert resolution_endpoint(read_artifact(artifact(index=b"\x00\x02")), metadata) is other
    assert resolution_endpoint(read_artifact(ARTIFACT), metadata) is metadata.artifact_resolution[0]


@pytest.mark.parametrize("value", [artifact(source="https://other.example"), artifact(index=b"\x00\x03")])
def test_an_artifact_of_somebody_else_is_taken_nowhere(value: str) -> None:
    with pytest.raises(GatewayError) as refused:
        resolution_endpoint(read_artifact(value), idp())
    assert refused.value.code == SAML_ARTIFACT_SOURCE


def test_what_is_asked() -> None:
    destination = "https://idp.metropole.example/artifact"
    request = artifact_resolve(service_provider(), read_artifact(ARTIFACT), destination=destination, id="_a1", now=NOW)
    read = samlp.artifact_resolve_from_string(request)
    assert read.verify()
    assert (read.id, read.issue_instant, read.destination) == ("_a1", "2027-01-15T08:00:00Z", destination)
    assert (read.issuer.text, read.artifact.text) == (f"{PORTAL}/metadata", ARTIFACT)
    verified_by_xmlsec(sign_enveloped(pair(), request), pair())
