import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygamlastan import bindings

from gateway.model.codes import SAML_BINDING_ENCODING, SAML_BINDING_SIZE
from gateway.model.errors import GatewayError
from gateway.saml.authn_request import authn_request
from gateway.saml.post import post_form, posted_message
from tests.saml.parties import NOW, PROVIDER, pair, service_provider, verified_by_xmlsec

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
    for value, code in (("PHg+\ud800", SAML_BINDING_ENCODING), ("A" * (1 << 20), SAML_BINDING_SIZE)):
        with pytest.raises(GatewayError) as refused:
            posted_message(value)
        assert refused.value.code == code


@given(st.text())
def test_no_field_is_more_than_refused(value: str) -> None:
    with suppress(GatewayError):
        posted_message(value)
