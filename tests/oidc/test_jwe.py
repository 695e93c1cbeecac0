import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientKey, Encryption
from gateway.oidc.jwe import decrypt
from tests.oidc.samples import base64url, encrypted, outcome, own_key

RSA, EC = own_key("RSA-OAEP-256", "rsa"), own_key("ECDH-ES", "ec")
BOTH = Encryption((RSA, EC), frozenset({"A256GCM"}), id_token=True, userinfo=True)
INNER = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"


def refusal(token: str, encryption: Encryption = BOTH) -> Code:
    with pytest.raises(GatewayError) as refused:
        decrypt(token, encryption)
    return refused.value.code


def parts(token: str, **changes: Any) -> str:
    names = ("header", "key", "vector", "content", "tag")
    segments = dict(zip(names, token.split("."), strict=True)) | changes
    return ".".join(segments[name] for name in names)


TOKEN = encrypted(INNER, RSA)


@pytest.mark.parametrize("key", [RSA, EC])
@pytest.mark.parametrize("kid", ["named", "absent"])
def test_what_was_encrypted_for_us_is_opened(key: ClientKey, kid: str) -> None:
    token = encrypted(INNER, key, **({} if kid == "named" else {"kid": None}))
    assert decrypt(token, BOTH) == INNER


def test_headers_that_a_provider_adds_do_no_harm() -> None:
    assert (
        decrypt(encrypted(INNER, RSA, iss="https://op.example", aud="ecluse", jku="https://evil.example"), BOTH)
        == INNER
    )


def test_keys_roll_over() -> None:
    old, new = own_key("RSA-OAEP-256", "old"), own_key("RSA-OAEP-256", "new")
    rolling = Encryption((new, old), frozenset({"A256GCM"}), id_token=True, userinfo=False)
    assert decrypt(encrypted(INNER, old), rolling) == decrypt(encrypted(INNER, old, kid=None), rolling) == INNER
    assert refusal(encrypted(INNER, own_key("RSA-OAEP-256", "gone")), rolling) is oidc_codes.ENCRYPTION
    assert refusal(encrypted(INNER, own_key("RSA-OAEP-256", "gone"), kid=None), rolling) is oidc_codes.ENCRYPTION
    assert refusal(encrypted(INNER, own_key("RSA-OAEP-256", "gone"), kid="old"), rolling) is oidc_codes.ENCRYPTION


@pytest.mark.parametrize(
    ("alg", "enc"),
    [
        ("RSA-OAEP", "A256GCM"),
        ("RSA-OAEP-256", "A128GCM"),
        ("RSA-OAEP-256", "A256CBC-HS512"),
    ],
)
def test_only_the_pinned_algorithms_open(alg: str, enc: str) -> None:
    assert refusal(encrypted(INNER, RSA, enc, alg)) is oidc_codes.ENCRYPTION_ALGORITHM


@pytest.mark.parametrize("alg", ["RSA1_5", "dir", "none", "", None, 5, ["ECDH-ES"]])
def test_what_the_header_says_chooses_among_the_pinned_ones_only(alg: object) -> None:
    """K159: RSA1_5 tells by its errors what is inside."""
    header = base64url(json.dumps({"alg": alg, "enc": "A256GCM"}).encode())
    assert refusal(parts(TOKEN, header=header)) is oidc_codes.ENCRYPTION_ALGORITHM
    header = base64url(json.dumps({"alg": "RSA-OAEP-256", "enc": alg}).encode())
    assert refusal(parts(TOKEN, header=header)) is oidc_codes.ENCRYPTION_ALGORITHM


def test_another_content_encryption_is_taken_where_the_file_names_it() -> None:
    of = Encryption((RSA,), frozenset({"A128CBC-HS256"}), id_token=True, userinfo=False)
    assert decrypt(encrypted(INNER, RSA, "A128CBC-HS256"), of) == INNER


def test_what_is_compressed_is_refused() -> None:
    """K157."""
    assert refusal(encrypted(INNER, RSA, zip="DEF")) is oidc_codes.ENCRYPTION


@pytest.mark.parametrize(
    "token",
    [
        "",
        INNER,
        TOKEN + ".",
        TOKEN.rpartition(".")[0],
        parts(TOKEN, tag=base64url(b"t" * 16)),
        parts(TOKEN, tag=base64url(b"t")),
        parts(TOKEN, vector=base64url(b"v" * 8)),
        parts(TOKEN, content=""),
        parts(TOKEN, key=""),
        parts(TOKEN, header=base64url(b'{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["x"],"x":1}')),
        parts(TOKEN, header=base64url(b"[]")),
        encrypted("", RSA),
        encrypted("pas un jeton", RSA),
        "x" * 70_000,
    ],
)
def test_what_is_not_whole_is_refused(token: str) -> None:
    """K170: a tag of one byte is guessed in 256 tries."""
    assert refusal(token) in (oidc_codes.ENCRYPTION, oidc_codes.ID_TOKEN_FORM)


def test_a_point_beside_the_curve_is_refused() -> None:
    """K172."""
    header = '{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}}'
    forged = header % (base64url(b"\x01" * 32), base64url(b"\x02" * 32))
    token = parts(encrypted(INNER, EC), header=base64url(forged.encode()))
    assert refusal(token) is oidc_codes.ENCRYPTION


@given(st.text(max_size=60) | st.lists(st.binary(max_size=40).map(base64url), min_size=5, max_size=5).map(".".join))
def test_any_text_is_a_token_or_a_gateway_error(token: str) -> None:
    assert outcome(lambda: decrypt(token, BOTH)).startswith("oidc.")
