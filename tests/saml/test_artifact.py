import base64
import hashlib
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pygamlastan.bindings import SamlArtifact
from saml2 import samlp

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.artifact import artifact_resolve, read_artifact, resolution_endpoint, response_in, source_id
from gateway.saml.names import STATUS_SUCCESS
from gateway.saml.parties import Endpoint
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import fault, in_body, in_envelope
from tests.saml.parties import IDP, NOW, PORTAL, idp, pair, service_provider, verified_by_xmlsec
from tests.saml.scene import provider

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
    assert refused.value.code == saml_codes.ARTIFACT


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
    assert refused.value.code == saml_codes.ARTIFACT_SOURCE


def test_what_is_asked() -> None:
    destination = "https://idp.metropole.example/artifact"
    request = artifact_resolve(service_provider(), read_artifact(ARTIFACT), destination=destination, id="_a1", now=NOW)
    read = samlp.artifact_resolve_from_string(request)
    assert read.verify()
    assert (read.id, read.issue_instant, read.destination) == ("_a1", "2027-01-15T08:00:00Z", destination)
    assert (read.issuer.text, read.artifact.text) == (f"{PORTAL}/metadata", ARTIFACT)
    verified_by_xmlsec(sign_enveloped(pair(), request), pair())


NS = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
SOAP = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
SUCCESS = f"<p:Status><p:StatusCode Value='{STATUS_SUCCESS}'/></p:Status>"
MESSAGE = "Version='2.0' IssueInstant='2026-11-24T10:00:00Z'"
RESPONSE = f"<p:Response ID='_r' {MESSAGE}>{SUCCESS}</p:Response>"

ASKED = provider(issuer="urn:idp")


def answer(inside: str = RESPONSE, *, to: str = "_ask", status: str = SUCCESS, issuer: str = "urn:idp") -> bytes:
    named = f"<a:Issuer>{issuer}</a:Issuer>" if issuer else ""
    return in_envelope(
        f"<p:ArtifactResponse {NS} ID='_a' {MESSAGE} InResponseTo='{to}'>"
        f"{named}{status}{inside}</p:ArtifactResponse>".encode()
    )


@pytest.mark.parametrize("envelope", [answer(), answer(issuer=""), answer(issuer="\n  urn:idp\n")])
def test_the_response_comes_out_as_a_document_of_its_own(envelope: bytes) -> None:
    root = response_in(envelope, request_id="_ask", provider=ASKED).root
    assert root.tag == "{urn:oasis:names:tc:SAML:2.0:protocol}Response"
    assert root.getparent() is None
    assert root.getroottree().getroot() is root


def test_it_keeps_the_namespaces_that_it_was_under() -> None:
    """Exclusive canonicalisation may have put one that only a value uses into what was signed."""
    typed = (
        f"<p:Response ID='_r' {MESSAGE}><p:Extensions><e:value xmlns:e='urn:e' "
        f"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='xs:string'/></p:Extensions>"
        f"{SUCCESS}</p:Response>"
    )
    envelope = answer(typed).replace(b"<p:ArtifactResponse", b"<p:ArtifactResponse xmlns:xs='urn:schema'")
    assert response_in(envelope, request_id="_ask", provider=ASKED).root.nsmap["xs"] == "urn:schema"


UNDERSTAND = "<h xmlns='urn:h' s:mustUnderstand='1'/>"
BODY = "<s:Body><x xmlns='urn:x'/></s:Body>"


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (answer(to="_other"), saml_codes.ARTIFACT_RESPONSE),
        (answer(issuer="urn:other"), saml_codes.ARTIFACT_RESPONSE),
        (answer(""), saml_codes.ARTIFACT_RESPONSE),
        (answer(RESPONSE + RESPONSE.replace("_r", "_s")), saml_codes.SHAPE),
        (answer(status=""), saml_codes.SHAPE),
        (answer(RESPONSE.replace("_r", "_a")), saml_codes.ID),
        (answer().replace(b"Version='2.0'", b"Version='1.1'"), saml_codes.VERSION),
        (answer(status=SUCCESS.replace("Success", "Requester")), saml_codes.ARTIFACT_RESPONSE),
        (in_envelope(f"<p:Response {NS}/>".encode()), saml_codes.ARTIFACT_RESPONSE),
        (in_envelope(b""), saml_codes.SOAP),
        (in_envelope(b"<a xmlns='urn:a'/><b xmlns='urn:b'/>"), saml_codes.SOAP),
        (fault("Client"), saml_codes.SOAP),
        (f"<p:ArtifactResponse {NS}/>".encode(), saml_codes.SOAP),
        (f"<s:Envelope {SOAP}/>".encode(), saml_codes.SOAP),
        (f"<s:Envelope {SOAP}><s:Header/><s:Header/>{BODY}</s:Envelope>".encode(), saml_codes.SOAP),
        (f"<s:Envelope {SOAP}>{BODY}{BODY}</s:Envelope>".encode(), saml_codes.SOAP),
        (
            f"<s:Envelope {SOAP}><s:Header>{UNDERSTAND}</s:Header>{BODY}</s:Envelope>".encode(),
            saml_codes.SOAP,
        ),
        (b"", saml_codes.DOCUMENT),
        (b"<!DOCTYPE x>" + answer(), saml_codes.DOCUMENT),
    ],
)
def test_anything_else_is_refused(envelope: bytes, code: Code) -> None:
    with pytest.raises(GatewayError) as refused:
        response_in(envelope, request_id="_ask", provider=ASKED)
    assert refused.value.code is code


def test_a_header_that_need_not_be_understood_is_passed_over() -> None:
    envelope = f"<s:Envelope {SOAP}><s:Header><h xmlns='urn:h'/></s:Header>{BODY}</s:Envelope>".encode()
    assert in_body(envelope).root.tag == "{urn:x}x"


@given(st.binary(max_size=300))
def test_no_bytes_end_in_another_error(envelope: bytes) -> None:
    with pytest.raises(GatewayError):
        response_in(envelope, request_id="_ask", provider=ASKED)


def test_a_fault_of_ours_says_whose_it_is() -> None:
    root = etree.fromstring(fault("Server"))
    assert root.findtext(".//faultcode") == "soap:Server"
    assert etree.fromstring(fault("Client")).findtext(".//faultcode") == "soap:Client"
