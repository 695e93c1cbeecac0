import base64
import tracemalloc
import zlib
from contextlib import suppress
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygamlastan import bindings
from pygamlastan.crypto import SamlVerifier

from gateway.model.assertion import NameId
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.bindings import (
    LARGEST_MESSAGE,
    RedirectMessage,
    SignedMessage,
    base64_decoded,
    deflated,
    inflated,
    post_form,
    posted_message,
    read_redirect,
    redirect_url,
    verify_redirect,
)
from gateway.saml.own_messages import authn_request, logout_request
from gateway.saml.signing import sign_bytes, signature_uri
from tests.saml.parties import NOW, PROVIDER, Kind, pair, service_provider, spki, verified_by_xmlsec


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


@given(st.binary(max_size=2000))
def test_what_was_deflated_is_inflated(data: bytes) -> None:
    assert inflated(deflated(data)) == data


def test_inflating_ends_at_the_limit() -> None:
    assert len(inflated(raw_deflate(b"a" * LARGEST_MESSAGE))) == LARGEST_MESSAGE
    bomb = raw_deflate(bytes(100 << 20))
    tracemalloc.start()
    with pytest.raises(GatewayError) as refused:
        inflated(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == saml_codes.BINDING_SIZE
    assert peak < 2 << 20


@pytest.mark.parametrize(
    "data",
    [b"", b"<xml/>", zlib.compress(b"with a header"), raw_deflate(b"a")[:-1], raw_deflate(b"a") + b"x"],
)
def test_what_is_no_whole_stream(data: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        inflated(data)
    assert refused.value.code == saml_codes.BINDING_ENCODING


@pytest.mark.parametrize("text", [b"YWI=", b"YW\r\nI=", b" YWI=\n", b"Y W\tI ="])
def test_base64_with_its_lines_broken_or_not(text: bytes) -> None:
    assert base64_decoded(text) == b"ab"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"YWI", saml_codes.BINDING_ENCODING),
        (b"YWI*", saml_codes.BINDING_ENCODING),
        (b"YW-_", saml_codes.BINDING_ENCODING),
        (b"YWI=YWI=", saml_codes.BINDING_ENCODING),
        ("YWI\u0451".encode(), saml_codes.BINDING_ENCODING),
        (b"!" * (20 << 20), saml_codes.BINDING_SIZE),
        (base64.b64encode(bytes(LARGEST_MESSAGE + 1)), saml_codes.BINDING_SIZE),
    ],
)
def test_what_is_no_base64_or_too_much(text: bytes, code: Code) -> None:
    with pytest.raises(GatewayError) as refused:
        base64_decoded(text)
    assert refused.value.code == code


SLO = "https://idp.metropole.example/slo"
MESSAGE = logout_request(
    service_provider(), destination=SLO, id="_l1", now=NOW, name_id=NameId("h.durand"), session_indexes=("s1",)
)
RSA = quote(signature_uri(pair()), safe="")
RELAY = "réf & co/1"


def query(relay_state: str | None = RELAY, kind: Kind = "rsa") -> bytes:
    url = redirect_url(pair(kind=kind), SLO, "SAMLRequest", MESSAGE, relay_state=relay_state)
    assert url.startswith(f"{SLO}?SAMLRequest=")
    return url.partition("?")[2].encode()


def saml_request(data: bytes) -> str:
    return quote(base64.b64encode(data).decode(), safe="")


def signed(octets: str) -> bytes:
    """A query whose signature is good, whatever else is wrong with it."""
    signature = base64.b64encode(sign_bytes(pair(), octets.encode())).decode()
    return f"{octets}&Signature={quote(signature, safe='')}".encode()


def refusal(received: bytes, *keys: bytes) -> Code:
    with pytest.raises(GatewayError) as refused:
        verify_redirect(read_redirect(received), keys or (spki(pair()),))
    return refused.value.code


# --- sent -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relay_state", [RELAY, None, ""])
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
def test_what_we_send_is_read_as_it_was_meant(kind: Kind, relay_state: str | None) -> None:
    received = verify_redirect(read_redirect(query(relay_state, kind)), (spki(pair(kind=kind)),))
    assert (received.parameter, received.message, received.relay_state) == ("SAMLRequest", MESSAGE, relay_state)


def test_a_second_implementation_reads_and_verifies_it() -> None:
    read = bindings.redirect_decode(query().decode(), SLO)
    assert (read.is_request, read.saml_xml, read.relay_state) == (True, MESSAGE, RELAY)
    assert read.signature is not None
    assert read.signature_input is not None
    assert read.sig_alg is not None
    verifier = SamlVerifier.from_cert(pair().certificate)
    verifier.set_skip_time_checks(True, unsafe_allow_skip_time_checks=True)
    assert verifier.verify_redirect_query(read.signature_input.encode(), read.signature, read.sig_alg)
    assert not verifier.verify_redirect_query(read.signature_input.encode() + b"x", read.signature, read.sig_alg)


def test_the_query_of_the_endpoint_is_kept() -> None:
    url = redirect_url(pair(), f"{SLO}?tenant=a", "SAMLResponse", MESSAGE, relay_state=None)
    assert url.startswith(f"{SLO}?tenant=a&SAMLResponse=")


# --- received ---------------------------------------------------------------------------------------------------------


def test_the_signature_is_over_the_query_as_it_came() -> None:
    """Others write %2f and leave slashes: either is signed as it is written."""
    octets = f"SAMLRequest={saml_request(deflated(MESSAGE))}&RelayState=a/b+c&SigAlg={RSA.lower()}"
    octets = octets.replace(RSA.lower(), signature_uri(pair()).replace("#", "%23"))
    received = verify_redirect(read_redirect(signed(octets)), (spki(pair()),))
    assert received.relay_state == "a/b c"
    assert refusal(signed(octets).replace(b"a/b", b"a%2Fb")) == saml_codes.BINDING_SIGNATURE


def test_the_order_of_the_query_is_free_and_what_is_not_of_the_binding_is_ignored() -> None:
    parts = query().split(b"&")
    received = verify_redirect(read_redirect(b"&".join([b"lang=fr", *reversed(parts), b""])), (spki(pair()),))
    assert received.message == MESSAGE


def test_a_change_anywhere_is_found() -> None:
    whole = query()
    for before, after in (
        (b"RelayState=r", b"RelayState=s"),
        (b"&RelayState=", b"&RelayStat="),
        (b"SAMLRequest=", b"SAMLResponse="),
        (b"rsa-sha256", b"rsa-sha512"),
    ):
        assert whole.count(before) == 1
        assert refusal(whole.replace(before, after)) == saml_codes.BINDING_SIGNATURE


def test_a_relay_state_cannot_be_added() -> None:
    assert refusal(query(None) + b"&RelayState=x") == saml_codes.BINDING_SIGNATURE


def test_only_the_keys_of_the_provider_count() -> None:
    assert refusal(query(), spki(pair("other"))) == saml_codes.BINDING_SIGNATURE
    verify_redirect(read_redirect(query()), (spki(pair("other")), spki(pair())))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        # not signed at all
        (lambda whole: whole.partition(b"&Signature=")[0], saml_codes.BINDING_SIGNATURE),
        (lambda whole: whole.replace(b"&SigAlg=", b"&Other="), saml_codes.BINDING_SIGNATURE),
        (lambda whole: whole.partition(b"&Signature=")[0] + b"&Signature=", saml_codes.BINDING_SIGNATURE),
        # SHA-1
        (
            lambda whole: whole.replace(RSA.encode(), quote("http://www.w3.org/2000/09/xmldsig#rsa-sha1").encode()),
            saml_codes.BINDING_ALGORITHM,
        ),
        # twice
        (lambda whole: whole + b"&RelayState=x", saml_codes.BINDING_PARAMETER),
        (lambda whole: whole + b"&" + whole, saml_codes.BINDING_PARAMETER),
        (lambda whole: whole + b"&SAMLResponse=x", saml_codes.BINDING_PARAMETER),
        # a name that another reader would find
        (lambda whole: whole + b"&SAMLReques%74=x", saml_codes.BINDING_PARAMETER),
        (lambda whole: whole + b"&samlrequest=x", saml_codes.BINDING_PARAMETER),
        (lambda whole: whole + b"&+RelayState=x", saml_codes.BINDING_PARAMETER),
        (lambda whole: whole + b"&RelayState", saml_codes.BINDING_PARAMETER),
        # a value that has two readings
        (lambda whole: whole.replace(b"RelayState=r", b"RelayState=;r"), saml_codes.BINDING_PARAMETER),
        (lambda whole: whole.replace(b"RelayState=r", b"RelayState=%r"), saml_codes.BINDING_PARAMETER),
        (lambda whole: whole.replace(b"RelayState=r", b"RelayState=%FF"), saml_codes.BINDING_PARAMETER),
        (lambda whole: whole.replace(b"RelayState=r", b"RelayState=" + b"r" * 81), saml_codes.BINDING_PARAMETER),
        (lambda whole: whole.replace(b"SAMLRequest=", b"SAMLRequest=+"), saml_codes.BINDING_PARAMETER),
        (lambda whole: whole.replace(b"SAMLRequest=", b"SAMLRequest=\xc3\xa9"), saml_codes.BINDING_PARAMETER),
        # no message
        (lambda whole: b"", saml_codes.BINDING_PARAMETER),
        (lambda whole: b"RelayState=x", saml_codes.BINDING_PARAMETER),
        # another encoding
        (lambda whole: whole + b"&SAMLEncoding=urn:other", saml_codes.BINDING_ENCODING),
    ],
)
def test_what_is_refused(change: object, code: Code) -> None:
    assert callable(change)
    changed = change(query())
    assert changed != query()
    assert refusal(changed) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (saml_request(MESSAGE), saml_codes.BINDING_ENCODING),
        (saml_request(deflated(bytes(100 << 20))), saml_codes.BINDING_SIZE),
        (saml_request(deflated(MESSAGE) + b"more"), saml_codes.BINDING_ENCODING),
        ("A" * (LARGEST_MESSAGE * 2), saml_codes.BINDING_SIZE),
        ("%00", saml_codes.BINDING_ENCODING),
        ("", saml_codes.BINDING_ENCODING),
    ],
)
def test_a_signed_query_that_holds_no_message(value: str, code: Code) -> None:
    assert refusal(signed(f"SAMLRequest={value}&SigAlg={RSA}")) == code


def test_the_encoding_may_be_named() -> None:
    named = query() + b"&SAMLEncoding=urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
    assert verify_redirect(read_redirect(named), (spki(pair()),)).message == MESSAGE


def test_nobody_else_makes_a_signed_message() -> None:
    with pytest.raises(TypeError):
        SignedMessage("SAMLRequest", MESSAGE, None, object())


@given(st.binary(max_size=300))
def test_no_query_is_more_than_refused(received: bytes) -> None:
    with pytest.raises(GatewayError):
        verify_redirect(read_redirect(received), (spki(pair()),))


@given(st.binary(max_size=200), st.integers(0, 600), st.integers(1, 40))
def test_no_changed_query_is_believed_to_say_something_else(junk: bytes, at: int, removed: int) -> None:
    whole = query()
    changed = whole[:at] + junk + whole[at + removed :]
    try:
        received = verify_redirect(read_redirect(changed), (spki(pair()),))
    except GatewayError:
        return
    assert (received.message, received.relay_state) == (MESSAGE, RELAY)


def test_a_message_that_was_read_is_not_one_that_was_verified() -> None:
    assert not isinstance(read_redirect(query()), SignedMessage)
    assert isinstance(read_redirect(query()), RedirectMessage)
    assert unquote(RELAY) == RELAY


REQUEST = authn_request(service_provider(), PROVIDER, destination="https://idp/sso", id="_r1", now=NOW)


def test_a_form_holds_the_signed_message_and_the_relay_state() -> None:
    fields = post_form(pair(), "SAMLRequest", REQUEST, relay_state="ref")
    assert [name for name, _ in fields] == ["SAMLRequest", "RelayState"]
    verified_by_xmlsec(posted_message(dict(fields)["SAMLRequest"]), pair())
    read = bindings.post_decode(fields)
    assert (read.is_request, read.relay_state, read.saml_xml) == (True, "ref", posted_message(fields[0][1]))


def test_no_relay_state_is_no_field() -> None:
    assert [name for name, _ in post_form(pair(), "SAMLResponse", REQUEST, relay_state=None)] == ["SAMLResponse"]


def test_a_message_of_a_form_is_whole_or_refused() -> None:
    assert posted_message(base64.encodebytes(REQUEST).decode()) == REQUEST
    for value, code in (("PHg+\ud800", saml_codes.BINDING_ENCODING), ("A" * (1 << 20), saml_codes.BINDING_SIZE)):
        with pytest.raises(GatewayError) as refused:
            posted_message(value)
        assert refused.value.code == code


@given(st.text())
def test_no_field_is_more_than_refused(value: str) -> None:
    with suppress(GatewayError):
        posted_message(value)
