import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.util import int_to_base64

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE, OIDC_JWKS
from gateway.model.errors import GatewayError
from gateway.oidc.algorithms import ALGORITHMS
from gateway.oidc.call import ProviderResponse
from gateway.oidc.jwks import JsonWebKeySet, jwks_request, process_jwks_response
from tests.oidc.samples import METADATA, json_answer, key_set, outcome, signer


def kids(keys: JsonWebKeySet, algorithm: str, kid: str | None = None) -> list[str | None]:
    return [key.kid for key in keys.suitable(ALGORITHMS[algorithm], kid)]


def rsa(bits: int) -> dict[str, object]:
    """A public key of that size, well formed as far as anyone can see."""
    return {"kty": "RSA", "n": int_to_base64((1 << (bits - 1)) + 1), "e": "AQAB"}


def test_the_set_is_asked_of_the_providers_own_address() -> None:
    call = jwks_request(METADATA)
    assert (call.method, call.url) == ("GET", METADATA.jwks_uri)


@pytest.mark.parametrize("content_type", ["application/json", "application/jwk-set+json"])
def test_keys_of_every_kind_are_read(content_type: str) -> None:
    published = [signer(alg).public() for alg in ("RS256", "ES256", "ES384", "ES512", "EdDSA")]
    keys = process_jwks_response(json_answer({"keys": published}, content_type=content_type))
    assert [key.kind for key in keys.keys] == ["RSA", "P-256", "P-384", "P-521", "Ed25519"]
    assert keys.left_out == ()


@pytest.mark.parametrize(
    ("jwk", "why"),
    [
        ("a string", "not an object"),
        ({}, "type or curve"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "type or curve"),
        ({"kty": ["RSA"]}, "type or curve"),
        ({"kty": "EC", "crv": ["P-256"]}, "type or curve"),
        (OctKey.generate_key(256).as_dict(), "type or curve"),
        (ECKey.generate_key("secp256k1", private=False).as_dict(), "type or curve"),
        (OKPKey.generate_key("X25519", private=False).as_dict(), "type or curve"),
        (OKPKey.generate_key("Ed448", private=False).as_dict(), "type or curve"),
        (rsa(2047), "an RSA key of 2047 bits"),
        (rsa(1024), "an RSA key of 1024 bits"),
        (rsa(16384), "an RSA key of 16384 bits"),
        ({**rsa(2048), "e": int_to_base64((1 << 33) + 1)}, "exponent is too large"),
        ({**rsa(2048), "e": int_to_base64(1)}, ""),
        ({**rsa(2048), "e": int_to_base64(4)}, ""),
        ({**rsa(2048), "n": "é" * 400}, ""),
        ({**rsa(2048), "n": "=" * 400}, ""),
        ({"kty": "RSA", "n": 5, "e": "AQAB"}, "`n` is not a string"),
        ({"kty": "RSA", "e": "AQAB"}, "`n` is not a string"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, ""),
        ({**signer("ES256").public(), "y": signer("ES256", "other").public()["y"]}, ""),
        ({**signer("EdDSA").public(), "x": "AAAA"}, ""),
        (signer("RS256").public(use="enc"), "not for signatures"),
        (signer("RS256").public(use=None), "not for signatures"),
        (signer("RS256").public(key_ops=["encrypt"]), "not for verification"),
        (signer("RS256").public(key_ops="verify"), "not for verification"),
        (signer("RS256").public(alg="RSA-OAEP-256"), "algorithm that is not accepted"),
        (signer("RS256").public(alg="HS256"), "algorithm that is not accepted"),
        (signer("RS256").public(alg="none"), "algorithm that is not accepted"),
        (signer("RS256").public(alg=["RS256"]), "algorithm that is not accepted"),
        (signer("RS256").public(kid=7), "kid is not a short string"),
        (signer("RS256").public(kid="k" * 513), "kid is not a short string"),
    ],
)
def test_a_key_that_cannot_be_used_does_not_spoil_the_others(jwk: object, why: str) -> None:
    good = signer("ES256", "good")
    keys = process_jwks_response(json_answer({"keys": [jwk, good.public()]}))
    assert [key.kid for key in keys.keys] == ["good"]
    (reason,) = keys.left_out
    assert why in reason
    assert reason.startswith("key 0: ")


def test_a_private_or_certified_key_is_read_as_a_public_one() -> None:
    """What else it carries is never looked at: no x5u is fetched, no x5c believed."""
    private = {
        **signer("RS256").key.as_dict(private=True),
        "x5u": "http://169.254.169.254/",
        "x5c": ["%%%"],
        "kid": "p",
    }
    (key,) = process_jwks_response(json_answer({"keys": [private]})).keys
    assert not key.key.is_private
    assert set(key.key.as_dict()) <= {"kty", "n", "e", "kid"}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "`keys` is not an array"),
        ({"keys": {}}, "`keys` is not an array"),
        ({"keys": []}, "no key that can verify"),
        ({"keys": [{"kty": "oct", "k": "AA"}]}, "no key that can verify"),
        ({"keys": [{}] * 65}, "65 keys, at most 64"),
        ([], "not a JSON object"),
    ],
)
def test_a_set_without_a_usable_key_is_refused(document: object, why: str) -> None:
    with pytest.raises(GatewayError) as refused:
        process_jwks_response(json_answer(document))
    assert refused.value.code is OIDC_JWKS
    assert why in refused.value.detail


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"keys": []}, content_type="text/plain"), OIDC_JWKS),
        (json_answer({"keys": []}, status=301), OIDC_JWKS),
        (json_answer({"keys": []}, status=500), LOGIN_PROVIDER_UNREACHABLE),
    ],
)
def test_an_answer_that_is_no_key_set_is_refused(answer: ProviderResponse, code: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_jwks_response(answer)
    assert refused.value.code is code


def test_a_kid_chooses_its_key() -> None:
    keys = key_set(signer("RS256", "a"), signer("RS256", "b"), signer("ES256", "c"))
    assert kids(keys, "RS256", "b") == ["b"]
    assert kids(keys, "RS256", "c") == []
    assert kids(keys, "RS256", "../../etc/passwd") == []
    assert kids(keys, "RS256", "") == []


def test_without_a_kid_every_key_whose_type_fits_may_be_it() -> None:
    keys = key_set(signer("RS256", "a"), signer("RS256", "b"), signer("ES256", "c"))
    assert kids(keys, "RS256") == ["a", "b"]
    assert kids(keys, "ES256") == ["c"]
    assert kids(keys, "EdDSA") == []


def test_two_keys_of_one_kid_are_told_apart_by_their_type() -> None:
    keys = key_set(signer("RS256", "same"), signer("ES256", "same"))
    assert [key.kind for key in keys.suitable(ALGORITHMS["ES256"], "same")] == ["P-256"]


def test_a_key_published_for_one_algorithm_serves_no_other() -> None:
    keys = key_set(signer("RS256"))
    assert kids(keys, "RS256") == ["rs256"]
    assert kids(keys, "PS256") == []
    without = {name: value for name, value in signer("RS256").public().items() if name != "alg"}
    assert kids(key_set(without), "PS256") == ["rs256"]


def test_an_elliptic_key_serves_the_algorithm_of_its_curve() -> None:
    without = {name: value for name, value in signer("ES384").public().items() if name != "alg"}
    keys = key_set(without)
    assert kids(keys, "ES384") == ["es384"]
    assert kids(keys, "ES256") == []


def test_the_two_names_of_ed25519_are_one() -> None:
    assert kids(key_set(signer("EdDSA")), "Ed25519") == ["eddsa"]
    assert kids(key_set(signer("EdDSA").public(alg="Ed25519")), "EdDSA") == ["eddsa"]


def test_the_samples_are_as_large_as_they_say() -> None:
    numbers = RSAPublicNumbers(65537, (1 << 2047) + 1)
    assert json.loads(json.dumps(rsa(2048)))["n"] == int_to_base64(numbers.n)


_JWK = st.dictionaries(
    st.sampled_from(["kty", "crv", "n", "e", "x", "y", "use", "alg", "kid", "key_ops"]),
    st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB", "AA", "verify", "RS256", "", "é"])
    | st.integers()
    | st.none()
    | st.lists(st.text(max_size=3), max_size=2)
    | st.text(max_size=400),
)


@pytest.mark.slow
@given(st.lists(_JWK, max_size=5))
def test_any_keys_are_a_set_or_a_gateway_error(published: list[dict[str, object]]) -> None:
    assert outcome(lambda: process_jwks_response(json_answer({"keys": published}))) in ("", "oidc.jwks")
