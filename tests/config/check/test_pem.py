from base64 import b64encode

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate

from gateway.config.check.pem import check_certificates, check_pair, check_private_key, check_public_key
from gateway.config.schema.scalars import Wrong


def test_a_pair_and_its_chain_are_good() -> None:
    leaf = trustme.CA().create_child_ca().issue_cert("a.example")
    chain, key = b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes()
    check_certificates(chain)
    check_private_key(key)
    check_pair(chain, key)


@pytest.mark.parametrize(
    "content", [b"x", b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", b"\xff" * 100]
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Wrong, match="not a certificate"):
        check_certificates(content)
    with pytest.raises(Wrong, match="not a private key"):
        check_private_key(content)


def test_a_certificate_of_no_version_that_there_is() -> None:
    der = load_pem_x509_certificate(trustme.CA().cert_pem.bytes()).public_bytes(Encoding.DER)
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    text = b64encode(der[:at] + b"\x52" + der[at + 1 :])
    content = b"-----BEGIN CERTIFICATE-----\n" + text + b"\n-----END CERTIFICATE-----"
    for check in (check_certificates, check_public_key):
        with pytest.raises(Wrong, match="certificate"):
            check(content)


def test_a_key_with_a_passphrase_is_refused() -> None:
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(Wrong, match="has a passphrase"):
        check_private_key(pem)


def test_a_certificate_and_a_key_in_der_are_told_how_to_become_pem() -> None:
    leaf = trustme.CA().issue_cert("a.example")
    certificate = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)
    for check in (check_certificates, check_public_key):
        with pytest.raises(Wrong) as refused:
            check(certificate)
        assert refused.value.hint == "it is one in DER form: openssl x509 -inform DER -in FILE -out FILE.pem"
    key = generate_private_key(SECP256R1())
    for encryption in (NoEncryption(), BestAvailableEncryption(b"secret")):
        with pytest.raises(Wrong, match="not a private key") as refused:
            check_private_key(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption))
        assert refused.value.hint == "it is one in DER form: openssl pkey -inform DER -in FILE -out FILE.pem"


def test_a_file_of_windows_is_told_how_to_become_pem() -> None:
    leaf = trustme.CA().issue_cert("a.example")
    certificate = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    content = serialize_key_and_certificates(b"site", None, certificate, None, BestAvailableEncryption(b"secret"))
    for check, way in ((check_certificates, "-nokeys"), (check_private_key, "-nocerts -noenc")):
        with pytest.raises(Wrong) as refused:
            check(content)
        assert refused.value.hint == f"it is PKCS #12 (.pfx, .p12): openssl pkcs12 -in FILE {way} -out FILE.pem"
