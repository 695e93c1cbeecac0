import pytest

from gateway.model.codes import SAML_ISSUER
from gateway.model.errors import GatewayError
from gateway.saml.document import parse
from gateway.saml.unverified import UnverifiedMessage, read_unverified

NS = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
ISSUER = "<a:Issuer>urn:idp</a:Issuer>"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f"<p:Response {NS} InResponseTo='_r'>{ISSUER}</p:Response>", UnverifiedMessage("Response", "urn:idp", "_r")),
        (f"<p:LogoutRequest {NS}>{ISSUER}</p:LogoutRequest>", UnverifiedMessage("LogoutRequest", "urn:idp", None)),
        # Profiles 4.1.4.2: the Response may leave it to the assertion
        (
            f"<p:Response {NS}><a:Assertion>{ISSUER}</a:Assertion></p:Response>",
            UnverifiedMessage("Response", "urn:idp", None),
        ),
        (
            f"<p:Response {NS}>{ISSUER}<a:Assertion><a:Issuer>urn:other</a:Issuer></a:Assertion></p:Response>",
            UnverifiedMessage("Response", "urn:idp", None),
        ),
    ],
)
def test_a_message_says_whose_keys_would_have_signed_it(message: str, said: UnverifiedMessage) -> None:
    assert read_unverified(parse(message.encode())) == said


@pytest.mark.parametrize(
    "message",
    [
        f"<p:Response {NS}/>",
        f"<p:Response {NS}><a:Issuer/></p:Response>",
        f"<p:Response {NS}><a:Issuer>urn:{'x' * 1021}</a:Issuer></p:Response>",
        f"<p:Response {NS}><a:Extensions>{ISSUER}</a:Extensions></p:Response>",
    ],
)
def test_a_message_of_nobody_is_refused(message: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read_unverified(parse(message.encode()))
    assert refused.value.code is SAML_ISSUER
