import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.algorithms import DIGESTS, SIGNATURES, key_type
from gateway.saml.bindings import verify_redirect_signature
from gateway.saml.parties import KeyPair
from gateway.saml.signing import sign_bytes
from tests.saml import parties
from tests.saml.idp import C14N, DS, ENVELOPED, EXC_C14N, MORE, assertion, build, sign, written
from tests.saml.parties import pair, spki
from tests.saml.scene import SCENE, validated

P256, P384, P521 = (parties.pair(f"ec-{kind}", kind) for kind in ("p256", "p384", "p521"))


def result(key: KeyPair, **how: object) -> Code | None:
    root = build(SCENE)
    sign(assertion(root), key, **how)  # type: ignore[arg-type]
    try:
        validated(written(root), metadata=parties.idp(parties.pair("idp-old"), key))
    except GatewayError as error:
        return error.code
    return None


@pytest.mark.parametrize("algorithm", SIGNATURES)
@pytest.mark.parametrize("digest", DIGESTS)
def test_every_algorithm_of_the_list_is_verified(algorithm: str, digest: str) -> None:
    for key in (SCENE.key,) if SIGNATURES[algorithm] == "RSA" else (P256, P384, P521):
        assert result(key, algorithm=algorithm, digest=digest) is None


@pytest.mark.parametrize(
    "algorithm",
    [
        f"{DS}rsa-sha1", f"{DS}dsa-sha1", f"{DS}hmac-sha1", f"{MORE}hmac-sha256", f"{MORE}rsa-md5", f"{MORE}rsa-sha224",
        f"{MORE}ecdsa-sha1", "http://www.w3.org/2009/xmldsig11#dsa-sha256", "", "none", "rsa-sha256",
        f"{MORE}RSA-SHA256", f" {MORE}rsa-sha256",
    ],
)  # fmt: skip
def test_no_other_signature_algorithm_is(algorithm: str) -> None:
    key = P256 if "ecdsa" in algorithm else SCENE.key
    assert result(key, algorithm=algorithm) is saml_codes.ALGORITHM


@pytest.mark.parametrize("digest", [f"{DS}sha1", f"{MORE}md5", f"{MORE}sha224"])
def test_no_other_digest_is(digest: str) -> None:
    assert result(SCENE.key, digest=digest) is saml_codes.ALGORITHM


@pytest.mark.parametrize(
    "transforms",
    [
        (ENVELOPED, C14N),
        (ENVELOPED, f"{C14N}#WithComments"),
        (ENVELOPED, f"{EXC_C14N}WithComments"),
        (EXC_C14N, ENVELOPED),
        (ENVELOPED, ENVELOPED),
        (EXC_C14N, EXC_C14N),
        (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        (ENVELOPED, f"{DS}base64"),
    ],
)
def test_transforms_are_enveloped_then_exclusive_c14n(transforms: tuple[str, ...]) -> None:
    assert result(SCENE.key, transforms=transforms) is saml_codes.ALGORITHM


@pytest.mark.parametrize("c14n", [C14N, f"{EXC_C14N}WithComments", f"{C14N}#WithComments"])
def test_signed_info_is_canonicalised_exclusively(c14n: str) -> None:
    assert result(SCENE.key, c14n=c14n) is saml_codes.ALGORITHM


def test_a_key_of_the_other_kind_verifies_nothing() -> None:
    root = build(SCENE)
    sign(assertion(root), P256, algorithm=f"{MORE}ecdsa-sha256")
    with pytest.raises(GatewayError) as error:
        validated(written(root))
    assert error.value.code is saml_codes.SIGNATURE_KEY


def test_a_weak_key_of_the_metadata_is_not_used() -> None:
    assert result(parties.pair("weak", "rsa-1024")) is saml_codes.SIGNATURE


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
    assert refusal((spki(pair("other")),), RSA, b"octets", signature) == saml_codes.BINDING_SIGNATURE
    assert refusal((spki(pair()),), RSA, b"octets ", signature) == saml_codes.BINDING_SIGNATURE
    assert refusal((), RSA, b"octets", signature) == saml_codes.BINDING_SIGNATURE


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
    assert refusal((spki(pair()),), algorithm, b"octets", sign_bytes(pair(), b"octets")) == saml_codes.BINDING_ALGORITHM


@pytest.mark.parametrize("function", [SHA256(), SHA384(), SHA512()], ids=lambda each: each.name)
def test_rsa_pss(function: HashAlgorithm) -> None:
    """RFC 9231 2.3.10: the salt is as long as the hash."""
    algorithm = f"http://www.w3.org/2007/05/xmldsig-more#{function.name}-rsa-MGF1"
    key = load_pem_private_key(pair().key, None)
    assert isinstance(key, RSAPrivateKey)
    made = key.sign(b"octets", PSS(MGF1(function), function.digest_size), function)
    verify_redirect_signature((spki(pair()),), algorithm, b"octets", made)
    assert refusal((spki(pair()),), RSA, b"octets", made) == saml_codes.BINDING_SIGNATURE
    assert refusal((spki(pair()),), algorithm, b"octets", sign_bytes(pair(), b"octets")) == saml_codes.BINDING_SIGNATURE
    unsalted = key.sign(b"octets", PSS(MGF1(function), 0), function)
    assert refusal((spki(pair()),), algorithm, b"octets", unsalted) == saml_codes.BINDING_SIGNATURE


def test_a_key_that_is_too_weak_signs_nothing() -> None:
    weak = pair(kind="rsa-1024")
    assert refusal((spki(weak),), RSA, b"octets", sign_bytes(weak, b"octets")) == saml_codes.BINDING_SIGNATURE


def test_a_key_that_is_too_large_is_not_computed_with() -> None:
    """Whatever it would cost: the odd number of 8,193 bits need not be the product of two primes for that."""
    key = RSAPublicNumbers(65537, (1 << 8192) + 1).public_key()
    large = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_type(large) is None
    assert key_type(spki(pair())) == "RSA"


def test_sha1_is_not_read_under_another_name() -> None:
    key = load_pem_private_key(pair().key, None)
    assert isinstance(key, RSAPrivateKey)
    assert (
        refusal((spki(pair()),), RSA, b"octets", key.sign(b"octets", PKCS1v15(), SHA1()))
        == saml_codes.BINDING_SIGNATURE
    )


def test_a_key_serves_its_own_kind_of_algorithm() -> None:
    assert refusal((spki(pair()),), ECDSA, b"octets", sign_bytes(pair(), b"octets")) == saml_codes.BINDING_SIGNATURE
    curve = pair(kind="p256")
    assert refusal((spki(curve),), RSA, b"octets", sign_bytes(curve, b"octets")) == saml_codes.BINDING_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\x00" * 64, b"\xff" * 64, b"\x30\x06\x02\x01\x01\x02\x01\x01", b"x" * 65])
def test_what_is_no_signature(signature: bytes) -> None:
    for each in (pair(), pair(kind="p256")):
        assert refusal((spki(each),), ECDSA, b"octets", signature) == saml_codes.BINDING_SIGNATURE
        assert refusal((spki(each),), RSA, b"octets", signature) == saml_codes.BINDING_SIGNATURE


def test_a_key_that_is_none_spoils_no_other() -> None:
    verify_redirect_signature((b"no key", spki(pair())), RSA, b"octets", sign_bytes(pair(), b"octets"))
