import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from lxml import etree

from gateway.saml.key_info import NamedKey, named_signing_keys, signer_named_in, signing_keys
from tests.saml.metadata_samples import MD, key
from tests.saml.parties import Kind, certificate_text, pair, spki

DSIG11 = "http://www.w3.org/2009/xmldsig11#"


def read(keys: str) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    return signing_keys(
        etree.fromstring(f'<md:IDPSSODescriptor xmlns:dsig11="{DSIG11}" {MD}>{keys}</md:IDPSSODescriptor>')
    )


def value(inner: str) -> str:
    return f"<md:KeyDescriptor><ds:KeyInfo><ds:KeyValue>{inner}</ds:KeyValue></ds:KeyInfo></md:KeyDescriptor>"


def number(value: int) -> str:
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def rsa_value(n: int, e: int = 65537) -> str:
    return value(
        f"<ds:RSAKeyValue><ds:Modulus>{number(n)}</ds:Modulus><ds:Exponent>{number(e)}</ds:Exponent></ds:RSAKeyValue>"
    )


def ec_value(point: bytes, curve: str = "urn:oid:1.2.840.10045.3.1.7") -> str:
    text = base64.b64encode(point).decode()
    return value(
        f'<dsig11:ECKeyValue><dsig11:NamedCurve URI="{curve}"/><dsig11:PublicKey>{text}</dsig11:PublicKey>'
        "</dsig11:ECKeyValue>"
    )


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
def test_the_key_of_a_certificate_whatever_its_dates(kind: Kind) -> None:
    assert read(key(certificate_text(pair(kind=kind)))) == ((spki(pair(kind=kind)),), ())


def test_a_certificate_of_no_version_that_there_is_spoils_no_other() -> None:
    der = base64.b64decode(certificate_text(pair()))
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    strange = base64.b64encode(der[:at] + b"\x52" + der[at + 1 :]).decode()
    keys, left_out = read(key(strange) + key(certificate_text(pair("other"))))
    assert keys == (spki(pair("other")),)
    assert "X509 version" in left_out[0]


def test_a_certificate_in_lines_and_spaces() -> None:
    text = certificate_text(pair())
    lines = "\n   ".join(text[start : start + 64] for start in range(0, len(text), 64))
    assert read(key(f"\n   {lines}\n"))[0] == (spki(pair()),)


def test_every_key_for_signatures_and_none_for_encryption() -> None:
    keys = (
        key(certificate_text(pair("a")))
        + key(certificate_text(pair("b")), use="encryption")
        + key(certificate_text(pair("c")), use=None)
        + key(certificate_text(pair("a")))
        + key(certificate_text(pair("d")), use="other")
    )
    assert read(keys) == ((spki(pair("a")), spki(pair("c"))), ())


def test_a_key_without_a_certificate() -> None:
    public = load_der_public_key(spki(pair()))
    assert isinstance(public, rsa.RSAPublicKey)
    assert read(rsa_value(public.public_numbers().n))[0] == (spki(pair()),)
    curve = load_der_public_key(spki(pair(kind="p256")))
    assert isinstance(curve, ec.EllipticCurvePublicKey)
    point = curve.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert read(ec_value(point))[0] == (spki(pair(kind="p256")),)


def test_of_a_chain_the_first_certificate_alone() -> None:
    """Who signs certificates signs no messages."""
    chain = (
        "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data>"
        f"<ds:X509Certificate>{certificate_text(pair('own'))}</ds:X509Certificate>"
        f"<ds:X509Certificate>{certificate_text(pair('authority'))}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
    assert read(chain)[0] == (spki(pair("own")),)


@pytest.mark.parametrize(
    "bad",
    [
        key(certificate_text(pair(kind="rsa-1024"))),
        key(""),
        key("AAAA"),
        key("not base64 *"),
        key("A" * (1 << 17)),
        "<md:KeyDescriptor/>",
        "<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>",
        rsa_value((1 << 1023) + 1),
        rsa_value((1 << 16384) + 1),
        rsa_value((1 << 2048) + 1, 2),
        rsa_value((1 << 3071) + 1, (1 << 3070) + 1),
        value("<ds:RSAKeyValue/>"),
        value("<ds:DSAKeyValue/>"),
        ec_value(b"\x04" + bytes(64)),
        ec_value(b""),
        ec_value(b"\x04" + bytes(64), "urn:oid:1.3.132.0.10"),
    ],
)
def test_a_key_that_cannot_be_used_is_left_out_and_spoils_no_other(bad: str) -> None:
    keys, left_out = read(bad + key())
    assert keys == (spki(pair("idp")),)
    assert len(left_out) == 1


def test_keys_end_somewhere() -> None:
    keys, left_out = read(key() * 2000)
    assert (len(keys), len(left_out)) == (1, 1)


def test_a_key_is_named_with_its_certificate_and_twice_if_it_has_two() -> None:
    public = load_der_public_key(spki(pair()))
    assert isinstance(public, rsa.RSAPublicKey)
    keys = key(certificate_text(pair())) + rsa_value(public.public_numbers().n)
    role = etree.fromstring(f"<md:IDPSSODescriptor {MD}>{keys}</md:IDPSSODescriptor>")
    certificate = base64.b64decode(certificate_text(pair()))
    assert named_signing_keys(role) == ((NamedKey(spki(pair()), certificate), NamedKey(spki(pair()), None)), ())


def test_a_signature_names_no_key_that_would_not_be_accepted() -> None:
    for keys in ("", key(certificate_text(pair(kind="rsa-1024"))), key("AAAA")):
        holder = keys.replace("md:KeyDescriptor", "ds:Signature") or "<ds:Signature/>"
        (signature,) = etree.fromstring(f"<x {MD}>{holder}</x>")
        assert signer_named_in(signature) is None
