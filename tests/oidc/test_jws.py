import base64
import binascii
import json
from string import ascii_letters, digits
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.util import int_to_base64

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.oidc import jws
from gateway.oidc.algorithms import ALGORITHMS, OF_PUBLIC_KEYS
from gateway.oidc.documents import ProviderResponse
from gateway.oidc.jws import (
    JsonWebKeySet,
    decode_segment,
    jwks_request,
    parse_compact,
    process_jwks_response,
    verify_signature,
)
from tests.oidc.samples import METADATA, Mac, Signer, base64url, forge, json_answer, key_set, outcome, signer


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
    assert refused.value.code is oidc_codes.JWKS
    assert why in refused.value.detail


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"keys": []}, content_type="text/plain"), oidc_codes.JWKS),
        (json_answer({"keys": []}, status=301), oidc_codes.JWKS),
        (json_answer({"keys": []}, status=500), login_codes.PROVIDER_UNREACHABLE),
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
        assert refused.value.code is oidc_codes.ID_TOKEN_SIGNATURE
    assert refusal(token, allowed=frozenset({"RS256"})) is oidc_codes.ID_TOKEN_ALGORITHM


def test_a_mac_with_a_published_key_is_refused() -> None:
    token = parse_compact(forge(CLAIMS, Mac("rs256", "HS256", signer("RS256").key.as_pem(private=False))))
    with pytest.raises(GatewayError) as refused:
        verify_signature(token, key_set(signer("RS256")), frozenset({"HS256"}), SECRET)
    assert refused.value.code is oidc_codes.ID_TOKEN_SIGNATURE


def test_an_empty_mac_is_refused() -> None:
    header, payload, _ = forge(CLAIMS, Mac("k", "HS256", b"x")).split(".")
    with pytest.raises(GatewayError) as refused:
        verify_signature(parse_compact(f"{header}.{payload}."), key_set(signer("RS256")), frozenset({"HS256"}), SECRET)
    assert refused.value.code is oidc_codes.ID_TOKEN_SIGNATURE


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
    assert all(refusal(f"{each}.e30.AA") is oidc_codes.ID_TOKEN_FORM for each in others)


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
    assert refusal(token) is oidc_codes.ID_TOKEN_FORM


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
    assert refusal(forge(CLAIMS, signer("RS256"), **changes)) is oidc_codes.ID_TOKEN_HEADER


@pytest.mark.parametrize(
    "header", [b"[]", b"null", b"x", b'{"alg": "RS256", "alg": "none"}', b'{"alg": "RS256", "\\u0061lg": "none"}']
)
def test_a_header_that_is_no_plain_object_is_refused(header: bytes) -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), header)) is oidc_codes.ID_TOKEN_HEADER


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
    assert refusal(forge(CLAIMS, evil, kid=None, **pointers)) is oidc_codes.ID_TOKEN_SIGNATURE
    assert refusal(forge(CLAIMS, evil, **pointers)) is oidc_codes.ID_TOKEN_KEY


# --- algorithm --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alg", ["none", "None", "nOnE", "NONE", "", None, 5, ["RS256"], {}, "HS256", "RSA1_5", "rs256"]
)
def test_an_unsigned_token_and_every_unknown_algorithm_are_refused(alg: object) -> None:
    empty = forge(CLAIMS, None, {"alg": alg})
    assert refusal(empty) is oidc_codes.ID_TOKEN_ALGORITHM
    assert refusal(empty + SIGNATURE) is oidc_codes.ID_TOKEN_ALGORITHM


def test_a_header_without_an_algorithm_is_refused() -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), alg=None)) is oidc_codes.ID_TOKEN_ALGORITHM


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
        assert refusal(token) is oidc_codes.ID_TOKEN_ALGORITHM
        named = oidc_codes.ID_TOKEN_SIGNATURE if alg == "HS256" else oidc_codes.ID_TOKEN_ALGORITHM
        assert refusal(token, allowed=ALL | {alg}) is named


def test_an_algorithm_that_the_provider_is_not_pinned_to_is_refused() -> None:
    token = forge(CLAIMS, signer("ES256"))
    assert refusal(token, key_set(signer("ES256")), frozenset({"RS256"})) is oidc_codes.ID_TOKEN_ALGORITHM
    assert refusal(token, key_set(signer("ES256")), frozenset()) is oidc_codes.ID_TOKEN_ALGORITHM


# --- keys and signatures ----------------------------------------------------------------------------------------------


def test_the_key_fits_the_algorithm() -> None:
    rsa, elliptic = signer("RS256"), signer("ES256")
    keys = key_set(rsa, elliptic)
    assert refusal(forge(CLAIMS, rsa, alg="ES256"), keys) is oidc_codes.ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, elliptic, alg="RS256"), keys) is oidc_codes.ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, elliptic, alg="ES384"), keys) is oidc_codes.ID_TOKEN_KEY
    assert refusal(forge(CLAIMS, rsa, alg="PS256"), keys) is oidc_codes.ID_TOKEN_KEY


def test_the_key_of_the_kid_made_the_signature() -> None:
    a, b = signer("RS256", "a"), signer("RS256", "b")
    assert refusal(forge(CLAIMS, a, kid="b"), key_set(a, b)) is oidc_codes.ID_TOKEN_SIGNATURE
    assert refusal(forge(CLAIMS, a), key_set(b)) is oidc_codes.ID_TOKEN_KEY


def test_the_operator_is_told_which_key_and_why_one_was_left_out() -> None:
    keys = key_set(signer("ES256"), signer("RS256").public(use="enc"))
    with pytest.raises(GatewayError) as refused:
        verified(GOOD, keys)
    assert refused.value.detail == (
        'no published RSA key with kid "rs256" for RS256; left out: key 1: "not for signatures"'
    )


@pytest.mark.parametrize("kid", ["../../../etc/passwd", "' OR 1=1 --", "", "RS256", "rs256\x00", "k" * 10_000])
def test_a_strange_kid_finds_no_key(kid: str) -> None:
    assert refusal(forge(CLAIMS, signer("RS256"), kid=kid)) is oidc_codes.ID_TOKEN_KEY


def test_without_a_kid_the_single_suitable_key_is_used() -> None:
    token = forge(CLAIMS, signer("RS256"), kid=None)
    assert verified(token, key_set(signer("ES256"), signer("RS256"))) == "RS256"


def test_without_a_kid_every_suitable_key_is_tried() -> None:
    a, b, c = signer("RS256", "a"), signer("RS256", "b"), signer("RS256", "c")
    assert verified(forge(CLAIMS, b, kid=None), key_set(a, b)) == "RS256"
    assert refusal(forge(CLAIMS, c, kid=None), key_set(a, b)) is oidc_codes.ID_TOKEN_SIGNATURE


@pytest.mark.parametrize(("published", "tried"), [(8, 8), (9, 0), (64, 0)])
def test_at_most_eight_keys_are_tried(monkeypatch: pytest.MonkeyPatch, published: int, tried: int) -> None:
    """A key set of 64 keys made each token without a kid cost 64 verifications."""
    verify, seen = jws._signed_by, []
    monkeypatch.setattr(jws, "_signed_by", lambda *of: (seen.append(of), verify(*of))[1])
    one = signer("ES256", "a")
    keys = key_set(*({**one.public(), "kid": str(number)} for number in range(published)))
    stranger = forge(CLAIMS, signer("ES256", "b"), kid=None)
    assert refusal(stranger, keys) is (oidc_codes.ID_TOKEN_SIGNATURE if tried else oidc_codes.ID_TOKEN_KEY)
    assert len(seen) == tried
    assert verified(forge(CLAIMS, one, kid="3"), keys) == "ES256"
    assert len(seen) == tried + 1


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
@pytest.mark.parametrize("signature", [b"", b"\x00", b"\x00" * 64, b"\x00" * 256, b"\xff" * 132, b"\x01" * 1000])
def test_bytes_that_are_no_signature_are_refused(alg: str, signature: bytes) -> None:
    by = signer(alg)
    forged = changed(forge(CLAIMS, by), 2, base64url(signature))
    assert refusal(forged, key_set(by)) is oidc_codes.ID_TOKEN_SIGNATURE


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_signature_covers_header_and_payload(alg: str) -> None:
    by: Signer = signer(alg)
    token = forge(CLAIMS, by)
    other_header, other_payload, _ = forge({"sub": "admin"}, by, typ="JWT").split(".")
    assert refusal(changed(token, 0, other_header), key_set(by)) is oidc_codes.ID_TOKEN_SIGNATURE
    assert refusal(changed(token, 1, other_payload), key_set(by)) is oidc_codes.ID_TOKEN_SIGNATURE


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
