"""Tokens under a shared key, read by another implementation (joserfc)."""

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import OctKey

from gateway.tokens.making import MadeTokens, make
from gateway.tokens.sealed import key_id, sealed, shared_key
from gateway.tokens.spec import Carrier, SharedKeySpec, TokenClaim
from tests.tokens.test_making import FOREVER, HELENE, NOW, claims_in

KEY = bytes(range(32))
CLAIMS = {"sub": "hélène", "groups": ["ONDE"], "exp": 1_800_000_000}
SEALED = SharedKeySpec(
    Carrier("cookie", "APPSESSION"), "https://portail.example", "permis", "A256GCM", KEY, 300, 15,
    (TokenClaim("uid", "uid"),),
)  # fmt: skip
SIGNED = replace(SEALED, algorithm="HS256")


def made(spec: SharedKeySpec, chance: bytes = b"r") -> MadeTokens:
    return make([spec], HELENE, (), now=NOW, not_after=FOREVER, chance=lambda size: chance * size)


def test_what_is_sealed_is_a_jwe_that_nobody_else_reads() -> None:
    token = sealed(SEALED, CLAIMS, b"n" * 12)
    read = jwe.decrypt_compact(token, OctKey.import_key(KEY), algorithms=["dir", "A256GCM"])
    assert json.loads(read.plaintext or b"") == CLAIMS
    assert read.headers() == {"alg": "dir", "enc": "A256GCM", "kid": key_id(KEY), "typ": "JWT"}
    assert sealed(SEALED, CLAIMS, b"m" * 12) != token


def test_what_is_signed_is_a_jwt() -> None:
    read = jwt.decode(sealed(SIGNED, CLAIMS, b"").decode(), OctKey.import_key(KEY), algorithms=["HS256"])
    assert read.claims == CLAIMS
    assert read.header == {"alg": "HS256", "kid": key_id(KEY), "typ": "JWT"}


def test_both_are_made_and_end_as_signed_tokens_do() -> None:
    signed = made(SIGNED)
    assert signed.cookies.startswith(b"APPSESSION=ey")
    assert claims_in(signed.cookies)["exp"] == 1_800_000_300
    assert (signed.renew_at, signed.ends, signed.keys) == (NOW + 150, 1_800_000_285, frozenset())
    assert made(SEALED).cookies.count(b".") == 4
    assert made(SEALED, b"a").cookies != made(SEALED, b"b").cookies, "another nonce for each"


@pytest.mark.parametrize("content", [b"", b"a", b64encode(bytes(31)), b64encode(bytes(33)), b"%" * 44])
def test_a_key_is_32_bytes_in_base64(content: bytes) -> None:
    assert shared_key(b64encode(KEY)) == KEY
    with pytest.raises(ValueError, match=r"bytes|base64|Base64|padding|characters|Excess|Only|Incorrect|Invalid"):
        shared_key(content)


def test_no_key_is_shown_where_a_value_is() -> None:
    assert "key=" not in repr(SEALED)
