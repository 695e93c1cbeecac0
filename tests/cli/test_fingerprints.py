"""Fingerprints as people write them."""

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from gateway.cli.fingerprints import about, fingerprint, unconfirmed, wrong_fingerprint
from gateway.saml.key_info import NamedKey
from tests.saml.parties import pair, spki

DER = load_pem_x509_certificate(pair("idp").certificate).public_bytes(Encoding.DER)
KEY = NamedKey(spki(pair("idp")), DER)
OTHER = NamedKey(spki(pair("other")), None)
OF_CERTIFICATE = hashlib.sha256(DER).hexdigest()


def test_each_spelling_is_understood() -> None:
    spellings = (
        OF_CERTIFICATE,
        OF_CERTIFICATE.upper(),
        fingerprint(KEY),
        f"sha256 Fingerprint={fingerprint(KEY)}",
        f"SHA-256 {OF_CERTIFICATE}",
        " ".join(OF_CERTIFICATE[at : at + 4] for at in range(0, 64, 4)),
        hashlib.sha256(spki(pair("idp"))).hexdigest(),
    )
    for text in spellings:
        assert wrong_fingerprint(text) == ""
        assert unconfirmed([KEY], [text]) == ([], [])


def test_every_key_needs_one_and_every_one_a_key() -> None:
    stranger = "0" * 64
    assert unconfirmed([KEY, OTHER], [OF_CERTIFICATE, stranger]) == ([OTHER], [stranger])
    assert unconfirmed([KEY, OTHER], [OF_CERTIFICATE, fingerprint(OTHER)]) == ([], [])


@pytest.mark.parametrize(("text", "why"), [("a" * 40, "SHA-1"), ("a" * 63, "64"), ("g" * 64, "64"), ("", "64")])
def test_what_is_none_is_told(text: str, why: str) -> None:
    assert why in wrong_fingerprint(text)


def test_a_key_is_told_by_its_certificate() -> None:
    assert about(KEY) == '"CN=idp", until 2017-01-01'
    assert about(OTHER) == "a key without a certificate"
