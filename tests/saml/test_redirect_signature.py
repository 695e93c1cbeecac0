import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.model.codes import SAML_BINDING_ALGORITHM, SAML_BINDING_SIGNATURE, Code
from gateway.model.errors import GatewayError
from gateway.saml.redirect_signature import key_type, verify_redirect_signature
from gateway.saml.signing import sign_bytes
from tests.saml.parties import pair, spki

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA, ECDSA = f"{MORE}rsa-sha256", f"{MORE}ecdsa-sha256"


def refusal(keys: tuple[bytes, ...], algorithm: str, octets: bytes, signature: bytes) -> Code:
    with pytest.raises(GatewayError) as refused:
        verify_redirect_signature(keys, algorithm, octets, signature)
    return refused.value.code


def test_any_of_the_keys_may_have_signed() -> None:
    keys = (spki(pair(kind="p256")), spki(pair("old")), spki(pair()))
    verify_redirect_signature(keys, RSA, b"octets", sign_bytes(pair(), b"octets"))
    verify_redirect_signature(keys, ECDSA, b"octets", sign_bytes(pair(kind="p256"), b"octets"))


def test_no_other_key_and_no_other_octets() -> None:
    signature = sign_bytes(pair(), b"octets")
    assert refusal((spki(pair("other")),), RSA, b"octets", signature) == SAML_BINDING_SIGNATURE
    assert refusal((spki(pair()),), RSA, b"octets ", signature) == SAML_BINDING_SIGNATURE
    assert refusal((), RSA, b"octets", signature) == SAML_BINDING_SIGNATURE


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        f"{MORE}hmac-sha256",
        f"{MORE}rsa-md5",
        f"{MORE}rsa-sha224",
        f"{RSA} ",
        "",
    ],
)
def test_an_algorithm_off_the_list(algorithm: str) -> None:
    assert refusal((spki(pair()),), algorithm, b"octets", sign_bytes(pair(), b"octets")) == SAML_BINDING_ALGORITHM


@pytest.mark.parametrize("function", [SHA256(), SHA384(), SHA512()], ids=lambda each: each.name)
def test_rsa_pss(function: HashAlgorithm) -> None:
    """RFC 9231 2.3.10: the salt is as long as the hash."""
    algorithm = f"http://www.w3.org/2007/05/xmldsig-more#{function.name}-rsa-MGF1"
    key = load_pem_private_key(pair().key, None)
    assert isinstance(key, RSAPrivateKey)
    made = key.sign(b"octets", PSS(MGF1(function), function.digest_size), function)
    verify_redirect_signature((spki(pair()),), algorithm, b"octets", made)
    assert refusal((spki(pair()),), RSA, b"octets", made) == SAML_BINDING_SIGNATURE
    assert refusal((spki(pair()),), algorithm, b"octets", sign_bytes(pair(), b"octets")) == SAML_BINDING_SIGNATURE
    unsalted = key.sign(b"octets", PSS(MGF1(function), 0), function)
    assert refusal((spki(pair()),), algorithm, b"octets", unsalted) == SAML_BINDING_SIGNATURE


def test_a_key_that_is_too_weak_signs_nothing() -> None:
    weak = pair(kind="rsa-1024")
    assert refusal((spki(weak),), RSA, b"octets", sign_bytes(weak, b"octets")) == SAML_BINDING_SIGNATURE


def test_a_key_that_is_too_large_is_not_computed_with() -> None:
    """Whatever it would cost: the odd number of 8,193 bits need not be the product of two primes for that."""
    key = RSAPublicNumbers(65537, (1 << 8192) + 1).public_key()
    large = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_type(large) is None
    assert key_type(spki(pair())) == "RSA"


def test_sha1_is_not_read_under_another_name() -> None:
    key = load_pem_private_key(pair().key, None)
    assert isinstance(key, RSAPrivateKey)
    assert refusal((spki(pair()),), RSA, b"octets", key.sign(b"octets", PKCS1v15(), SHA1())) == SAML_BINDING_SIGNATURE


def test_a_key_serves_its_own_kind_of_algorithm() -> None:
    assert refusal((spki(pair()),), ECDSA, b"octets", sign_bytes(pair(), b"octets")) == SAML_BINDING_SIGNATURE
    curve = pair(kind="p256")
    assert refusal((spki(curve),), RSA, b"octets", sign_bytes(curve, b"octets")) == SAML_BINDING_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\x00" * 64, b"\xff" * 64, b"\x30\x06\x02\x01\x01\x02\x01\x01", b"x" * 65])
def test_what_is_no_signature(signature: bytes) -> None:
    for each in (pair(), pair(kind="p256")):
        assert refusal((spki(each),), ECDSA, b"octets", signature) == SAML_BINDING_SIGNATURE
        assert refusal((spki(each),), RSA, b"octets", signature) == SAML_BINDING_SIGNATURE


def test_a_key_that_is_none_spoils_no_other() -> None:
    verify_redirect_signature((b"no key", spki(pair())), RSA, b"octets", sign_bytes(pair(), b"octets"))
