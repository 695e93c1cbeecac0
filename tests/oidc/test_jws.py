import base64
import binascii
import json
from string import ascii_letters, digits
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import (
    OIDC_ID_TOKEN_ALGORITHM,
    OIDC_ID_TOKEN_FORM,
    OIDC_ID_TOKEN_HEADER,
    OIDC_ID_TOKEN_KEY,
    OIDC_ID_TOKEN_SIGNATURE,
    Code,
)
from gateway.model.errors import GatewayError
from gateway.oidc import jws
from gateway.oidc.algorithms import ALGORITHMS, OF_PUBLIC_KEYS
from gateway.oidc.jwks import JsonWebKeySet
from gateway.oidc.jws import decode_segment, parse_compact, verify_signature
from tests.oidc.samples import Mac, Signer, base64url, forge, key_set, signer

ALL = OF_PUBLIC_KEYS
CLAIMS = {"sub": "f7d3c4a0"}


def verified(token: str, keys: JsonWebKeySet, allowed: frozenset[str] = ALL) -> str:
    return verify_signature(parse_compact(token), keys, allowed).name


def refusal(token: str, keys: JsonWebKeySet | None = None, allowed: frozenset[str] = ALL) -> Code:
    with pytest.raises(GatewayError) as refused:
        verified(token, keys or key_set(signer("RS256")), allowed)
    assert CLAIMS["sub"] not in refused.value.detail
    return refused.value.code


# --- form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", sorted(OF_PUBLIC_KEYS - {"Ed25519"}))
def test_a_signature_of_each_algorithm_holds(alg: str) -> None:
    assert verified(forge(CLAIMS, signer(alg)), key_set(signer(alg))) == alg


SECRET = "a secret of the client, and a long one"


def test_a_mac_is_made_with_the_client_secret_alone() -> None:
    """RFC 8725 2.1: no published key is ever taken for a secret, nor an empty one."""
    token = forge(CLAIMS, Mac("k", "HS256", SECRET.encode()))
    keys, allowed = key_set(signer("RS256")), frozenset({"RS256", "HS256"})
    assert verify_signature(parse_compact(token), keys, allowed, SECRET).name == "HS256"
    for secret in ("another", "", None):
        with pytest.raises(GatewayError) as refused:
            verify_signature(parse_compact(token), keys, allowed, secret)
        assert refused.value.code is OIDC_ID_TOKEN_SIGNATURE
    assert refusal(token, allowed=frozenset({"RS256"})) is OIDC_ID_TOKEN_ALGORITHM


def test_a_mac_with_a_published_key_is_refused() -> None:
    token = parse_compact(forge(CLAIMS, Mac("rs256", "HS256", signer("RS256").key.as_pem(private=False))))
    with pytest.raises(GatewayError) as refused:
        verify_signature(token, key_set(signer("RS256")), frozenset({"HS256"}), SECRET)
    assert refused.value.code is OIDC_ID_TOKEN_SIGNATURE


def test_an_empty_mac_is_refused() -> None:
    header, payload, _ = forge(CLAIMS, Mac("k", "HS256", b"x")).split(".")
    with pytest.raises(GatewayError) as refused:
        verify_signature(parse_compact(f"{header}.{payload}."), key_set(signer("RS256")), frozenset({"HS256"}), SECRET)
    assert refused.value.code is OIDC_ID_TOKEN_SIGNATURE


def test_a_payload_is_read_from_the_signed_bytes() -> None:
    assert parse_compact(forge({"sub": "Hélène"}, signer("RS256"))).payload == {"sub": "Hélène"}


def is_read(segment: str) -> bool:
    try:
        return base64url(decode_segment(segment, "payload")) == segment
    except GatewayError:
        return False


def is_what_encoding_gives(segment: str) -> bool:
    try:
        return base64url(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))) == segment
    except binascii.Error:
        return False


@pytest.mark.parametrize("before", ["", "B", "_B", "-_B", "Zm9v", "Zm9vY", "Zm9vYm"])
def test_a_segment_is_read_in_the_one_spelling_that_encoding_gives(before: str) -> None:
    segments = [before + last for last in ascii_letters + digits + "-_"]
    assert [is_read(each) for each in segments] == [is_what_encoding_gives(each) for each in segments]
    # Another spelling is refused, and not read as what it might have meant.
    others = [each for each in segments if not is_what_encoding_gives(each)]
    assert all(refusal(f"{each}.e30.AA") is OIDC_ID_TOKEN_FORM for each in others)


def changed(token: str, place: int, segment: str) -> str:
    segments = token.split(".")
    segments[place] = segment
    return ".".join(segments)


GOOD = forge(CLAIMS, signer("RS256"))
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        HEADER,
        f"{HEADER}.{PAYLOAD}",
        f"{GOOD}.",
        f"{GOOD}.{SIGNATURE}",
        f"{GOOD}.{PAYLOAD}.{SIGNATURE}",
        f".{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}..{SIGNATURE}",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{HEADER}=.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}==.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}==",
        changed(GOOD, 1, "+" + PAYLOAD[1:]),
        changed(GOOD, 1, "/" + PAYLOAD[1:]),
        changed(GOOD, 1, "é" + PAYLOAD[1:]),
        changed(GOOD, 1, "e30A"[:1]),
        changed(GOOD, 1, base64url(b"{}")[:-1] + "1"),
        changed(GOOD, 1, base64url(b"[]")),
        changed(GOOD, 1, base64url(b"not json")),
        changed(GOOD, 1, base64url(b"\xff\xfe")),
        forge(b'{"sub": "a", "sub": "b"}', signer("RS256")),
        forge(b"{" + b'"a":{' * 50_000, signer("RS256")),
        json.dumps({"payload": PAYLOAD, "signatures": [{"protected": HEADER, "signature": SIGNATURE}]}),
        "a" * 65537,
        forge({"sub": "a" * 65536}, signer("RS256")),
    ],
)
def test_a_token_of_another_form_is_refused(token: str) -> None:
    assert refusal(token) is OIDC_ID_TOKEN_FORM


# --- header -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": ["http://example.invalid/unknown"], "http://example.invalid/unknown": True},
        {"crit": []},
        {"crit": "exp"},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"zip": 1},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "secevent+jwt"},
        {"typ": 1},
        {"kid": 1},
        {"kid": ["rs256"]},
        {"kid": {"rs256": 1}},
    ],
)
def test_a_header_that_asks_for_more_is_refused(changes: dict[str, Any]) -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), **changes)) is OIDC_ID_TOKEN_HEADER


@pytest.mark.parametrize(
    "header", [b"[]", b"null", b"x", b'{"alg": "RS256", "alg": "none"}', b'{"alg": "RS256", "\\u0061lg": "none"}']
)
def test_a_header_that_is_no_plain_object_is_refused(header: bytes) -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), header)) is OIDC_ID_TOKEN_HEADER


@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/jwt"])
def test_a_token_may_say_that_it_is_one(typ: str) -> None:
    assert verified(forge(CLAIMS, signer("RS256"), typ=typ), key_set(signer("RS256"))) == "RS256"


def test_members_that_point_to_other_keys_are_never_looked_at() -> None:
    evil = signer("RS256", "evil")
    pointers: dict[str, Any] = {
        "jwk": evil.public(),
        "jku": "https://evil.example/jwks",
        "x5u": "http://169.254.169.254/latest/meta-data",
        "x5c": ["%%%"],
        "x5t": "AAAA",
    }
    # the provider's own signature holds beside them, a stranger's does not through them
    assert verified(forge(CLAIMS, signer("RS256"), **pointers), key_set(signer("RS256"))) == "RS256"
    assert refusal(forge(CLAIMS, evil, kid=None, **pointers)) is OIDC_ID_TOKEN_SIGNATURE
    assert refusal(forge(CLAIMS, evil, **pointers)) is OIDC_ID_TOKEN_KEY


# --- algorithm --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alg", ["none", "None", "nOnE", "NONE", "", None, 5, ["RS256"], {}, "HS256", "RSA1_5", "rs256"]
)
def test_an_unsigned_token_and_every_unknown_algorithm_are_refused(alg: object) -> None:
    empty = forge(CLAIMS, None, {"alg": alg})
    assert refusal(empty) is OIDC_ID_TOKEN_ALGORITHM
    assert refusal(empty + SIGNATURE) is OIDC_ID_TOKEN_ALGORITHM


def test_a_header_without_an_algorithm_is_refused() -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), alg=None)) is OIDC_ID_TOKEN_ALGORITHM


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "der", "jwk", "n"])
def test_the_public_key_is_no_shared_secret(alg: str, form: str) -> None:
    key = signer("RS256").key.public_key
    assert isinstance(key, RSAPublicKey)
    secret = {
        "pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(signer("RS256").public()).encode(),
        "n": str(signer("RS256").public()["n"]).encode(),
    }[form]
    for kid in ("rs256", None):
        token = forge(CLAIMS, Mac("rs256", alg, secret), kid=kid)
        assert refusal(token) is OIDC_ID_TOKEN_ALGORITHM
        named = OIDC_ID_TOKEN_SIGNATURE if alg == "HS256" else OIDC_ID_TOKEN_ALGORITHM
        assert refusal(token, allowed=ALL | {alg}) is named


def test_an_algorithm_that_the_provider_is_not_pinned_to_is_refused() -> None:
    token = forge(CLAIMS, signer("ES256"))
    assert refusal(token, key_set(signer("ES256")), frozenset({"RS256"})) is OIDC_ID_TOKEN_ALGORITHM
    assert refusal(token, key_set(signer("ES256")), frozenset()) is OIDC_ID_TOKEN_ALGORITHM


# --- keys and signatures ----------------------------------------------------------------------------------------------


def test_the_key_fits_the_algorithm() -> None:
    rsa, elliptic = signer("RS256"), signer("ES256")
    keys = key_set(rsa, elliptic)
    assert refusal(forge(CLAIMS, rsa, alg="ES256"), keys) is OIDC_ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, elliptic, alg="RS256"), keys) is OIDC_ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, elliptic, alg="ES384"), keys) is OIDC_ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, rsa, alg="PS256"), keys) is OIDC_ID_TOKEN_KEY


def test_the_key_of_the_kid_made_the_signature() -> None:
    a, b = signer("RS256", "a"), signer("RS256", "b")
    assert refusal(forge(CLAIMS, a, kid="b"), key_set(a, b)) is OIDC_ID_TOKEN_SIGNATURE
    assert refusal(forge(CLAIMS, a), key_set(b)) is OIDC_ID_TOKEN_KEY


def test_the_operator_is_told_which_key_and_why_one_was_left_out() -> None:
    keys = key_set(signer("ES256"), signer("RS256").public(use="enc"))
    with pytest.raises(GatewayError) as refused:
        verified(GOOD, keys)
    assert refused.value.detail == (
        'no published RSA key with kid "rs256" for RS256; left out: key 1: "not for signatures"'
    )


@pytest.mark.parametrize("kid", ["../../../etc/passwd", "' OR 1=1 --", "", "RS256", "rs256\x00", "k" * 10_000])
def test_a_strange_kid_finds_no_key(kid: str) -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), kid=kid)) is OIDC_ID_TOKEN_KEY


def test_without_a_kid_the_single_suitable_key_is_used() -> None:
    token = forge(CLAIMS, signer("RS256"), kid=None)
    assert verified(token, key_set(signer("ES256"), signer("RS256"))) == "RS256"


def test_without_a_kid_every_suitable_key_is_tried() -> None:
    a, b, c = signer("RS256", "a"), signer("RS256", "b"), signer("RS256", "c")
    assert verified(forge(CLAIMS, b, kid=None), key_set(a, b)) == "RS256"
    assert refusal(forge(CLAIMS, c, kid=None), key_set(a, b)) is OIDC_ID_TOKEN_SIGNATURE


@pytest.mark.parametrize(("published", "tried"), [(8, 8), (9, 0), (64, 0)])
def test_at_most_eight_keys_are_tried(monkeypatch: pytest.MonkeyPatch, published: int, tried: int) -> None:
    """A key set of 64 keys made each token without a kid cost 64 verifications."""
    verify, seen = jws._signed_by, []
    monkeypatch.setattr(jws, "_signed_by", lambda *of: (seen.append(of), verify(*of))[1])
    one = signer("ES256", "a")
    keys = key_set(*({**one.public(), "kid": str(number)} for number in range(published)))
    stranger = forge(CLAIMS, signer("ES256", "b"), kid=None)
    assert refusal(stranger, keys) is (OIDC_ID_TOKEN_SIGNATURE if tried else OIDC_ID_TOKEN_KEY)
    assert len(seen) == tried
    assert verified(forge(CLAIMS, one, kid="3"), keys) == "ES256"
    assert len(seen) == tried + 1


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
@pytest.mark.parametrize("signature", [b"", b"\x00", b"\x00" * 64, b"\x00" * 256, b"\xff" * 132, b"\x01" * 1000])
def test_bytes_that_are_no_signature_are_refused(alg: str, signature: bytes) -> None:
    by = signer(alg)
    forged = changed(forge(CLAIMS, by), 2, base64url(signature))
    assert refusal(forged, key_set(by)) is OIDC_ID_TOKEN_SIGNATURE


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_signature_covers_header_and_payload(alg: str) -> None:
    by: Signer = signer(alg)
    token = forge(CLAIMS, by)
    other_header, other_payload, _ = forge({"sub": "admin"}, by, typ="JWT").split(".")
    assert refusal(changed(token, 0, other_header), key_set(by)) is OIDC_ID_TOKEN_SIGNATURE
    assert refusal(changed(token, 1, other_payload), key_set(by)) is OIDC_ID_TOKEN_SIGNATURE


_SEGMENT = st.binary(max_size=40).map(base64url) | st.text(max_size=20)


@given(st.lists(_SEGMENT, max_size=5).map(".".join) | st.text(max_size=100))
def test_any_text_is_a_token_or_a_gateway_error(text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        verified(text, key_set(signer("RS256")))
    assert refused.value.code.id.startswith("oidc.id_token.")


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]),
        st.sampled_from([*ALGORITHMS, "none", "rs256", "JWT"]) | st.text(max_size=5) | st.integers() | st.none(),
    ),
    st.binary(max_size=300),
)
def test_any_header_and_signature_are_refused(header: dict[str, object], signature: bytes) -> None:
    token = changed(forge(CLAIMS, None, header), 2, base64url(signature))
    with pytest.raises(GatewayError) as refused:
        verified(token, key_set(signer("RS256"), signer("ES256"), signer("EdDSA")))
    assert refused.value.code.id.startswith("oidc.id_token.")
