import pytest

from gateway.model import codes
from gateway.model.codes import Code
from gateway.model.errors import GatewayError
from gateway.saml.algorithms import DIGESTS, SIGNATURES
from gateway.saml.parties import KeyPair
from tests.saml import parties
from tests.saml.idp import C14N, DS, ENVELOPED, EXC_C14N, MORE, assertion, build, sign, written
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
    assert result(key, algorithm=algorithm) is codes.SAML_ALGORITHM


@pytest.mark.parametrize("digest", [f"{DS}sha1", f"{MORE}md5", f"{MORE}sha224"])
def test_no_other_digest_is(digest: str) -> None:
    assert result(SCENE.key, digest=digest) is codes.SAML_ALGORITHM


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
    assert result(SCENE.key, transforms=transforms) is codes.SAML_ALGORITHM


@pytest.mark.parametrize("c14n", [C14N, f"{EXC_C14N}WithComments", f"{C14N}#WithComments"])
def test_signed_info_is_canonicalised_exclusively(c14n: str) -> None:
    assert result(SCENE.key, c14n=c14n) is codes.SAML_ALGORITHM


def test_a_key_of_the_other_kind_verifies_nothing() -> None:
    root = build(SCENE)
    sign(assertion(root), P256, algorithm=f"{MORE}ecdsa-sha256")
    with pytest.raises(GatewayError) as error:
        validated(written(root))
    assert error.value.code is codes.SAML_SIGNATURE_KEY


def test_a_weak_key_of_the_metadata_is_not_used() -> None:
    assert result(parties.pair("weak", "rsa-1024")) is codes.SAML_SIGNATURE
