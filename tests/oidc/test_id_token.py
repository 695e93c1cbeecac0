from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import AuthorizationParameters, Encryption, OidcProvider
from gateway.oidc.claims import OLDEST
from gateway.oidc.id_token import IdToken, validate_id_token
from tests.oidc.samples import (
    ACCESS_TOKEN,
    ISSUER,
    LOGIN,
    NOW,
    PROVIDER,
    Signer,
    at_hash,
    authorization_code,
    claims,
    encrypted,
    forge,
    key_set,
    outcome,
    own_key,
    provider,
    signer,
    tokens,
)

KEYS = key_set(signer("RS256"), signer("ES256"), signer("EdDSA"))


def validate(token: str, of: OidcProvider = PROVIDER) -> IdToken:
    return validate_id_token(of, KEYS, tokens(token), LOGIN, NOW)


def signed(by: Signer | None = None, **changes: Any) -> str:
    return forge(claims(**changes), by or signer("RS256"))


def refusal(token: str, of: OidcProvider = PROVIDER) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        validate(token, of)
    assert "f7d3c4a0" not in refused.value.detail
    return refused.value


def code(token: str, of: OidcProvider = PROVIDER) -> Code:
    return refusal(token, of).code


# --- a good token -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_a_good_token_says_who_signed_in(alg: str) -> None:
    raw = signed(signer(alg), acr="eidas2", amr=["pwd", "otp"], sid="s1", given_name="Hélène")
    token = validate(raw)
    assert (token.provider, token.issuer, token.subject) == ("metropole", ISSUER, "f7d3c4a0")
    assert (token.acr, token.amr, token.sid) == ("eidas2", ("pwd", "otp"), "s1")
    assert (token.auth_time, token.issued_at, token.expires_at) == (int(NOW) - 20, int(NOW) - 1, int(NOW) + 300)
    assert token.claims["given_name"] == "Hélène"
    assert token.raw == raw


def test_what_a_provider_does_not_say_is_not_made_up() -> None:
    token = validate(signed(auth_time=None))
    assert (token.auth_time, token.acr, token.amr, token.sid) == (None, None, (), None)


@pytest.mark.parametrize("value", [1, "", {}, True, None])
def test_a_level_of_a_wrong_type_counts_as_not_said(value: object) -> None:
    token = validate(signed(acr=value, amr=value, sid=value))
    assert (token.acr, token.amr, token.sid) == (None, (), None)


def test_what_is_logged_of_a_token_names_nobody() -> None:
    raw = signed(email="helene@metropole.example")
    shown = repr(validate(raw))
    assert "f7d3c4a0" not in shown
    assert "helene" not in shown
    assert raw not in shown


def test_an_id_token_is_made_nowhere_else() -> None:
    with pytest.raises(TypeError):
        IdToken("metropole", ISSUER, "admin", {}, 0, 0, None, None, (), None, "", object())
    with pytest.raises((TypeError, ValueError)):
        replace(validate(signed()), subject="admin")  # type: ignore[call-arg]


# --- OIDC Core 3.1.3.7, in its order ----------------------------------------------------------------------------------


def test_1_an_encrypted_token_is_refused() -> None:
    assert code("eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn") is oidc_codes.ID_TOKEN_FORM


@pytest.mark.parametrize(
    "iss", [None, "https://evil.example", ISSUER + "/", ISSUER.upper(), "", 1, [ISSUER], {"a": ISSUER}]
)
def test_2_the_issuer_is_the_one_that_was_asked(iss: object) -> None:
    assert code(signed(iss=iss)) is oidc_codes.ID_TOKEN_ISSUER


@pytest.mark.parametrize(
    "aud", [None, "other", "", "ecluse ", "Ecluse", [], ["other"], ["other", "third"], 1, {"a": 1}]
)
def test_3_the_audience_names_us(aud: object) -> None:
    assert code(signed(aud=aud, azp="ecluse")) is oidc_codes.ID_TOKEN_AUDIENCE


def test_3_every_audience_is_a_string() -> None:
    assert code(signed(aud=["ecluse", 1], azp="ecluse")) is oidc_codes.ID_TOKEN_AUDIENCE
    assert code(signed(aud=["ecluse", ["ecluse"]], azp="ecluse")) is oidc_codes.ID_TOKEN_AUDIENCE


def test_3_a_list_of_one_is_an_audience() -> None:
    assert validate(signed(aud=["ecluse"])).subject == "f7d3c4a0"


def test_4_among_several_audiences_the_token_was_issued_to_us() -> None:
    assert code(signed(aud=["ecluse", "other"])) is oidc_codes.ID_TOKEN_AUTHORIZED_PARTY
    assert validate(signed(aud=["ecluse", "other"], azp="ecluse")).subject == "f7d3c4a0"


@pytest.mark.parametrize("azp", ["other", "", 1, ["ecluse"]])
@pytest.mark.parametrize("aud", ["ecluse", ["ecluse"], ["ecluse", "other"]])
def test_5_an_authorised_party_is_us(aud: object, azp: object) -> None:
    assert code(signed(aud=aud, azp=azp)) is oidc_codes.ID_TOKEN_AUTHORIZED_PARTY


def test_6_a_signature_of_another_key_is_refused() -> None:
    stranger = signer("RS256", "stranger")
    assert code(signed(stranger)) is oidc_codes.ID_TOKEN_KEY
    assert code(forge(claims(), stranger, kid="rs256")) is oidc_codes.ID_TOKEN_SIGNATURE


def test_7_an_algorithm_outside_the_pinned_ones_is_refused() -> None:
    refused = refusal(signed(signer("ES256")), provider(algorithms=frozenset({"RS256", "PS256"})))
    assert refused.code is oidc_codes.ID_TOKEN_ALGORITHM
    assert refused.detail == 'signed with "ES256"; the provider file accepts PS256, RS256'


def test_8_an_unsigned_token_is_refused_even_where_a_file_names_it() -> None:
    assert (
        code(forge(claims(), None), provider(algorithms=frozenset({"none", "RS256"}))) is oidc_codes.ID_TOKEN_ALGORITHM
    )


@pytest.mark.parametrize("ago", [60, 61, 3600, 1e9])
def test_9_an_expired_token_is_refused(ago: float) -> None:
    refused = refusal(signed(exp=NOW - ago))
    assert refused.code is oidc_codes.ID_TOKEN_EXPIRED
    assert refused.detail == f"expired {ago:.0f} s ago, 60 s are tolerated; issued 1 s ago by our clock"


def test_9_a_clock_that_is_ahead_is_told_whole_and_not_less_the_life_of_the_token() -> None:
    refused = refusal(signed(iat=NOW - 600, exp=NOW - 300))
    assert refused.detail == "expired 300 s ago, 60 s are tolerated; issued 600 s ago by our clock"
    assert refused.shown == "600 s"


def test_9_the_tolerance_is_the_providers() -> None:
    token = signed(exp=NOW - 59)
    assert validate(token).expires_at == int(NOW) - 59
    assert code(token, provider(skew=0)) is oidc_codes.ID_TOKEN_EXPIRED


def test_10_a_token_of_the_future_is_refused() -> None:
    refused = refusal(signed(iat=NOW + 61))
    assert refused.code is oidc_codes.ID_TOKEN_ISSUED_AT
    assert refused.detail == "issued 61 s ahead of our clock, 60 s are tolerated"
    assert validate(signed(iat=NOW + 60)).issued_at == int(NOW) + 60


def test_10_a_token_of_long_ago_is_refused() -> None:
    refused = refusal(signed(iat=NOW - OLDEST - 61))
    assert refused.code is oidc_codes.ID_TOKEN_ISSUED_AT
    assert refused.detail == "issued 661 s ago by our clock, 660 s are tolerated"
    assert validate(signed(iat=NOW - OLDEST - 60)).issued_at == int(NOW) - 660


def test_10_a_token_that_is_not_valid_yet_is_refused() -> None:
    refused = refusal(signed(nbf=NOW + 61))
    assert refused.code is oidc_codes.ID_TOKEN_NOT_BEFORE
    assert refused.detail == "valid 61 s from now by our clock, 60 s are tolerated"
    assert validate(signed(nbf=NOW + 60)).subject == "f7d3c4a0"


@pytest.mark.parametrize("nonce", [None, "", "m" * 43, "n" * 42, "n" * 44, "N" * 43, 1, ["n" * 43], "é" * 43])
def test_11_the_nonce_is_that_of_this_sign_in(nonce: object) -> None:
    assert code(signed(nonce=nonce)) is oidc_codes.ID_TOKEN_NONCE


def test_13_a_sign_in_of_the_future_is_refused() -> None:
    refused = refusal(signed(auth_time=NOW + 61))
    assert refused.code is oidc_codes.ID_TOKEN_AUTH_TIME
    assert refused.detail == "signed in 61 s ahead of our clock, 60 s are tolerated"
    assert validate(signed(auth_time=NOW - 86400)).auth_time == int(NOW) - 86400


# --- what the section leaves to others --------------------------------------------------------------------------------


@pytest.mark.parametrize(("alg", "algorithm"), [("RS256", "sha256"), ("ES256", "sha256"), ("EdDSA", "sha512")])
def test_the_access_token_came_with_the_id_token(alg: str, algorithm: str) -> None:
    by = signer(alg)
    assert validate(signed(by, at_hash=at_hash(ACCESS_TOKEN, algorithm))).subject == "f7d3c4a0"
    assert code(signed(by, at_hash=at_hash("another", algorithm))) is oidc_codes.ID_TOKEN_ACCESS_TOKEN_HASH


@pytest.mark.parametrize("value", ["", 1, [], {}, "é", at_hash(ACCESS_TOKEN) + "=", at_hash(ACCESS_TOKEN, "sha512")])
def test_an_access_token_hash_of_another_form_is_refused(value: object) -> None:
    assert code(signed(at_hash=value)) is oidc_codes.ID_TOKEN_ACCESS_TOKEN_HASH


def test_an_access_token_hash_that_says_null_is_refused() -> None:
    assert code(forge({**claims(), "at_hash": None}, signer("RS256"))) is oidc_codes.ID_TOKEN_ACCESS_TOKEN_HASH


def test_the_code_is_the_one_that_came_with_the_id_token() -> None:
    """OIDC Core 3.3.2.11."""

    def validated(c_hash: object) -> IdToken:
        raw = signed(c_hash=c_hash)
        return validate_id_token(PROVIDER, KEYS, tokens(raw), LOGIN, NOW, authorization_code())

    assert validated(at_hash("the code")).subject == validated(None).subject == "f7d3c4a0"
    for wrong in (at_hash("another code"), "", 1):
        with pytest.raises(GatewayError) as refused:
            validated(wrong)
        assert refused.value.code is oidc_codes.ID_TOKEN_CODE_HASH


def test_a_demanded_acr_is_checked_and_a_wished_one_is_not() -> None:
    """OIDC Core 5.5.1.1: the answer tells, not the question."""
    demanding = provider(request=AuthorizationParameters(essential_acr=frozenset({"eidas2", "eidas3"})))
    assert validate(signed(acr="eidas3"), demanding).acr == "eidas3"
    for acr in ("eidas1", "", None, ["eidas2"], 2):
        assert code(signed(acr=acr), demanding) is oidc_codes.ID_TOKEN_ACR
    assert (
        validate(signed(acr="eidas1"), provider(request=AuthorizationParameters(acr_values=("eidas2",)))).acr
        == "eidas1"
    )


@pytest.mark.parametrize(
    ("max_age", "age", "fresh"),
    [
        (0, 0, True),
        (0, 60, True),
        (0, 61, False),
        (100, 160, True),
        (100, 161, False),
        (100, None, False),
        (None, None, True),
    ],
)
def test_a_fresh_sign_in_that_was_asked_for_is_one(max_age: int | None, age: int | None, fresh: bool) -> None:
    raw = signed(auth_time=None if age is None else NOW - age)
    login = replace(LOGIN, max_age=max_age)
    found = outcome(lambda: validate_id_token(PROVIDER, KEYS, tokens(raw), login, NOW))
    assert found == ("" if fresh else "login.not_fresh")


ENCRYPTION = Encryption((own_key("RSA-OAEP-256"),), frozenset({"A256GCM"}), id_token=True, userinfo=False)


def test_an_encrypted_token_is_opened_and_then_checked_like_any_other() -> None:
    of = provider(encryption=ENCRYPTION)
    token = validate(encrypted(signed()), of)
    assert (token.subject, token.raw) == ("f7d3c4a0", signed())
    assert code(encrypted(signed(aud="another")), of) is oidc_codes.ID_TOKEN_AUDIENCE
    assert code(encrypted(forge(claims(), None)), of) is oidc_codes.ID_TOKEN_ALGORITHM


def test_encryption_is_neither_left_out_nor_added() -> None:
    """K170."""
    of = provider(encryption=ENCRYPTION)
    assert code(signed(), of) is oidc_codes.ENCRYPTION
    assert code(encrypted(signed())) is oidc_codes.ID_TOKEN_FORM
    assert (
        code(encrypted(signed()), provider(encryption=replace(ENCRYPTION, id_token=False))) is oidc_codes.ID_TOKEN_FORM
    )


@pytest.mark.parametrize("sub", [None, "", 1, ["f7"], "s" * 256, "a\nb", "a\x00", "a\u202eb"])
def test_a_token_names_one_person(sub: object) -> None:
    assert code(signed(sub=sub)) is oidc_codes.ID_TOKEN_SUBJECT


def test_a_subject_may_be_255_characters_long() -> None:
    assert validate(signed(sub="s" * 255)).subject == "s" * 255


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_the_required_times_are_there(name: str) -> None:
    refused = refusal(signed(**{name: None}))
    assert refused.code is oidc_codes.ID_TOKEN_CLAIM
    assert refused.detail == f"no {name}"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", ["1800000000", True, [], {}, -1, 2**53 + 2, 10**30, 1e300])
def test_a_time_is_a_number_of_seconds(name: str, value: Any) -> None:
    assert code(signed(**{name: value})) is oidc_codes.ID_TOKEN_CLAIM


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_a_time_that_says_null_is_refused(name: str) -> None:
    assert code(forge({**claims(), name: None}, signer("RS256"))) is oidc_codes.ID_TOKEN_CLAIM


def test_the_first_check_that_fails_is_the_one_that_is_told() -> None:
    """A token of another issuer ends there: its key is not looked for, so no keys are fetched for it."""
    stranger = signer("RS256", "stranger")
    assert code(signed(stranger, iss="https://evil.example", aud="other")) is oidc_codes.ID_TOKEN_ISSUER
    assert code(signed(stranger, aud="other", nonce="x")) is oidc_codes.ID_TOKEN_AUDIENCE
    assert code(signed(stranger, azp="other", exp=0)) is oidc_codes.ID_TOKEN_AUTHORIZED_PARTY
    assert code(signed(stranger, exp=0)) is oidc_codes.ID_TOKEN_KEY
    assert code(signed(exp=0, iat=0, nonce="x")) is oidc_codes.ID_TOKEN_EXPIRED
    assert code(signed(iat=0, nonce="x")) is oidc_codes.ID_TOKEN_ISSUED_AT
    assert code(signed(nonce="x", auth_time=NOW + 600)) is oidc_codes.ID_TOKEN_NONCE


_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)


@given(
    st.dictionaries(
        st.sampled_from([*claims(), "azp", "nbf", "at_hash", "acr", "amr", "sid"]),
        _VALUES | st.lists(_VALUES, max_size=3),
    )
)
def test_any_signed_claims_are_a_token_or_a_gateway_error(changes: dict[str, object]) -> None:
    payload = {**claims(), **changes}
    code = outcome(lambda: validate(forge(payload, signer("EdDSA"))))
    assert code.startswith("oidc.id_token.") or (payload["iss"], payload["nonce"]) == (ISSUER, LOGIN.nonce)
