"""Signed tokens and their keys, read by another implementation (joserfc)."""

import base64
import json
import warnings
from typing import get_args

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from gateway.tokens.jwt import jwk_set, sign, signing_key
from gateway.tokens.spec import TokenAlgorithm
from tests.tokens.keys import key, pem

ALGORITHMS = get_args(TokenAlgorithm)
KINDS = {"ES256": ECKey, "EdDSA": OKPKey, "RS256": RSAKey}
CLAIMS = {"sub": "hélène", "groups": ["ONDE", "élus"], "exp": 1_800_000_000}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_implementation_verifies_it_by_the_published_keys_alone(algorithm: TokenAlgorithm) -> None:
    token = sign(key(algorithm), CLAIMS).decode("ascii")
    published = KeySet.import_key_set(json.loads(jwk_set(key(one, number) for one in ALGORITHMS for number in (0, 1))))
    with warnings.catch_warnings():
        # RFC 9864 gives EdDSA another name, which few applications know yet.
        warnings.simplefilter("ignore")
        read = jwt.decode(token, published, algorithms=[algorithm])
        assert read.claims == CLAIMS
        assert read.header == {"alg": algorithm, "kid": key(algorithm).id, "typ": "JWT"}
        other = KINDS[algorithm].import_key(pem(algorithm, 1))
        with pytest.raises(BadSignatureError):
            jwt.decode(token, other, algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_named_by_its_thumbprint_in_every_process(algorithm: TokenAlgorithm) -> None:
    assert key(algorithm).id == KINDS[algorithm].import_key(pem(algorithm)).thumbprint()


def test_what_is_published_is_public() -> None:
    published = json.loads(jwk_set([key("ES256"), key("RS256"), key("EdDSA"), key("ES256")]))["keys"]
    assert [one["alg"] for one in published] == ["ES256", "RS256", "EdDSA"]
    assert all(not {"d", "p", "q", "dp", "dq", "qi", "k"} & one.keys() for one in published)
    assert all(one["use"] == "sig" for one in published)


def test_numbers_of_a_signature_keep_their_length() -> None:
    """RFC 7518 3.4: one in 128 begins with a zero octet."""
    lengths = {len(base64.urlsafe_b64decode(sign(key(), {}).rpartition(b".")[2] + b"==")) for _ in range(600)}
    assert lengths == {64}


@pytest.mark.parametrize(("algorithm", "other"), [("ES256", "RS256"), ("RS256", "EdDSA"), ("EdDSA", "ES256")])
def test_a_key_of_another_kind_is_refused(algorithm: TokenAlgorithm, other: TokenAlgorithm) -> None:
    with pytest.raises(ValueError, match=f"not a key for {algorithm}"):
        signing_key(algorithm, pem(other))


def test_no_key_is_shown_where_a_value_is() -> None:
    assert "PRIVATE" not in repr(key())
