from dataclasses import replace

import pytest

from gateway.model.provider import SigningAlgorithm
from gateway.oidc.client_keys import jwk_set, sign
from tests.oidc.samples import own_key, verified

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_what_a_key_signs_its_published_half_verifies(algorithm: SigningAlgorithm) -> None:
    key = own_key(algorithm)
    header, claims = verified(sign(key, {"a": 1}, "oauth-authz-req+jwt"), jwk_set([key]), algorithm)
    assert header == {"alg": algorithm, "typ": "oauth-authz-req+jwt", "kid": "k1"}
    assert claims == {"a": 1}


def test_a_key_with_a_certificate_says_which() -> None:
    header, _ = verified(sign(replace(own_key(), x5t="dGh1bWI"), {}), jwk_set([own_key()]), "ES256")
    assert header == {"alg": "ES256", "typ": "JWT", "kid": "k1", "x5t": "dGh1bWI"}


def test_only_the_public_half_is_published_each_key_once() -> None:
    keys = [own_key("RS256", "a"), own_key("ES256", "b"), own_key("RS256", "a")]
    published = jwk_set(keys)["keys"]
    assert isinstance(published, list)
    assert [(jwk["kid"], jwk["alg"], jwk["use"]) for jwk in published] == [("a", "RS256", "sig"), ("b", "ES256", "sig")]
    assert not PRIVATE & {member for jwk in published for member in jwk}


def test_a_key_without_an_id_goes_by_its_thumbprint() -> None:
    key = own_key("ES256", None)
    (jwk,) = jwk_set([key])["keys"]  # type: ignore[misc, attr-defined]
    header, _ = verified(sign(key, {}), jwk_set([key]), "ES256")
    assert header["kid"] == jwk["kid"]
    assert len(jwk["kid"]) == 43
    assert jwk_set([key, replace(key, id="x")]) != jwk_set([key])


def test_a_private_key_is_not_in_what_a_log_may_show() -> None:
    assert "PRIVATE" not in repr(own_key())
