import pytest
import xmlsec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from lxml import etree
from pygamlastan.crypto import SamlVerifier

from gateway.saml.bindings import verify_redirect_signature
from gateway.saml.own_messages import authn_request
from gateway.saml.parties import KeyPair
from gateway.saml.signing import sign_bytes, sign_enveloped, signature_uri
from tests.saml.parties import NOW, PROVIDER, Kind, pair, service_provider, spki, verified_by_xmlsec

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
KINDS: list[tuple[Kind, str]] = [
    ("rsa", f"{MORE}rsa-sha256"),
    ("p256", f"{MORE}ecdsa-sha256"),
    ("p384", f"{MORE}ecdsa-sha384"),
    ("p521", f"{MORE}ecdsa-sha512"),
]
REQUEST = authn_request(service_provider(), PROVIDER, destination="https://idp/sso?é=1", id="_r1", now=NOW)


@pytest.mark.parametrize(("kind", "algorithm"), KINDS)
def test_a_message_is_signed_by_its_key_after_its_issuer(kind: Kind, algorithm: str) -> None:
    signed = sign_enveloped(pair(kind=kind), REQUEST)
    root = verified_by_xmlsec(signed, pair(kind=kind))
    assert [etree.QName(child).localname for child in root][:3] == ["Issuer", "Signature", "NameIDPolicy"]
    (method,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureMethod")
    assert method.get("Algorithm") == algorithm == signature_uri(pair(kind=kind))
    assert not list(root.iter("{http://www.w3.org/2000/09/xmldsig#}KeyInfo"))


def test_a_second_implementation_finds_the_signature_good() -> None:
    signed = sign_enveloped(pair(), REQUEST)
    verifier = SamlVerifier.from_cert(pair().certificate)
    verifier.set_skip_time_checks(True, unsafe_allow_skip_time_checks=True)
    verdict = verifier.verify_enveloped(signed.decode())
    assert verdict.is_valid(), verdict.reason
    assert not verifier.verify_enveloped(signed.decode().replace('Version="2.0"', 'Version="2.1"')).is_valid()


def test_the_reader_of_these_tests_finds_a_changed_message_bad() -> None:
    with pytest.raises(xmlsec.Error):
        verified_by_xmlsec(sign_enveloped(pair(), REQUEST).replace(b'2.0" IssueInstant', b'2.1" IssueInstant'), pair())
    with pytest.raises(xmlsec.Error):
        verified_by_xmlsec(sign_enveloped(pair(), REQUEST), pair("other"))


def test_our_certificate_is_shown_where_that_is_asked() -> None:
    signed = sign_enveloped(pair(), REQUEST, certificate=True)
    root = verified_by_xmlsec(signed, pair())
    (shown,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    assert "".join((shown.text or "").split()) == "".join(pair().certificate.decode().splitlines()[1:-1])


@pytest.mark.parametrize(("kind", "algorithm"), KINDS)
def test_bytes_are_signed_as_an_xml_signature_would_be(kind: Kind, algorithm: str) -> None:
    signature = sign_bytes(pair(kind=kind), b"octets")
    verify_redirect_signature((spki(pair(kind=kind)),), algorithm, b"octets", signature)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair(kind=kind).certificate, xmlsec.constants.KeyDataFormatCertPem)
    transform = {href: transform for transform in TRANSFORMS for href in (transform.href,)}[algorithm]
    context.verify_binary(b"octets", transform, signature)


TRANSFORMS = (
    xmlsec.constants.TransformRsaSha256,
    xmlsec.constants.TransformEcdsaSha256,
    xmlsec.constants.TransformEcdsaSha384,
    xmlsec.constants.TransformEcdsaSha512,
)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256K1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_key_of_another_kind_signs_nothing(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(TypeError):
        sign_bytes(KeyPair("odd", pem, b""), b"octets")
