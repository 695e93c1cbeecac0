from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import Encryption, OidcProvider
from gateway.oidc.documents import ProviderResponse
from gateway.oidc.id_token import IdToken, validate_id_token
from gateway.oidc.userinfo import merge_claims, process_userinfo_response, userinfo_request
from tests.oidc.samples import (
    ACCESS_TOKEN,
    ISSUER,
    LOGIN,
    METADATA,
    NOW,
    PROVIDER,
    claims,
    encrypted,
    forge,
    json_answer,
    key_set,
    outcome,
    own_key,
    provider,
    signer,
    tokens,
)


def id_token(**changes: object) -> IdToken:
    raw = forge(claims(**changes), signer("EdDSA"))
    return validate_id_token(PROVIDER, key_set(signer("EdDSA")), tokens(raw), LOGIN, NOW)


KEYS = key_set(signer("RS256"), signer("EdDSA"))
SIGNED = provider(userinfo_algorithms=frozenset({"RS256"}))


def process(answer: ProviderResponse, of: OidcProvider = PROVIDER) -> Mapping[str, object]:
    return process_userinfo_response(of, KEYS, id_token().subject, answer, NOW)


def jwt_answer(token: str, content_type: str = "application/jwt") -> ProviderResponse:
    return ProviderResponse(200, content_type, token.encode())


def test_the_access_token_travels_in_the_header_alone() -> None:
    call = userinfo_request(PROVIDER, METADATA, ACCESS_TOKEN)
    assert (call.method, call.url, call.body) == ("GET", METADATA.userinfo_endpoint, b"")
    assert dict(call.headers)["Authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert ACCESS_TOKEN not in repr(call)


def test_or_in_the_body_where_the_file_says_so_and_never_in_a_url() -> None:
    call = userinfo_request(provider(userinfo_token="body"), METADATA, ACCESS_TOKEN)
    assert (call.method, call.url, call.body) == ("POST", METADATA.userinfo_endpoint, b"access_token=an.access-token")
    assert "Authorization" not in dict(call.headers)
    assert ACCESS_TOKEN not in repr(call)


def test_a_provider_without_an_endpoint() -> None:
    with pytest.raises(GatewayError) as refused:
        userinfo_request(PROVIDER, replace(METADATA, userinfo_endpoint=None), ACCESS_TOKEN)
    assert refused.value.code is oidc_codes.USERINFO


def test_claims_about_the_same_person_are_taken() -> None:
    answer = json_answer({"sub": "f7d3c4a0", "email": "helene@metropole.example"})
    assert process(answer)["email"] == "helene@metropole.example"


@pytest.mark.parametrize("sub", [None, "", "f7d3c4a", "f7d3c4a00", "F7D3C4A0", " f7d3c4a0", 1, ["f7d3c4a0"], "é"])
def test_claims_about_another_person_are_refused(sub: object) -> None:
    document = {"sub": sub, "email": "helene@metropole.example"}
    for answer in (json_answer(document), json_answer({name: document[name] for name in document if document[name]})):
        with pytest.raises(GatewayError) as refused:
            process(answer)
        assert refused.value.code is oidc_codes.USERINFO_SUBJECT
        assert "f7d3c4a0" not in refused.value.detail


@pytest.mark.parametrize("content_type", ["application/jwt", "text/html", "", "application/jsonp", "text/json"])
def test_the_form_is_the_pinned_one(content_type: str) -> None:
    answer = json_answer({"sub": "f7d3c4a0"}, content_type=content_type)
    with pytest.raises(GatewayError) as refused:
        process(answer)
    assert refused.value.code is oidc_codes.USERINFO_FORM


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"sub": "f7d3c4a0"}, 401), oidc_codes.USERINFO),
        (json_answer({"sub": "f7d3c4a0"}, 302), oidc_codes.USERINFO),
        (json_answer({"sub": "f7d3c4a0"}, 502), login_codes.PROVIDER_UNREACHABLE),
        (json_answer(b"[]"), oidc_codes.USERINFO),
        (json_answer(b"eyJhbGciOiJub25lIn0.e30."), oidc_codes.USERINFO),
        (json_answer(b'{"sub": "x", "sub": "f7d3c4a0"}'), oidc_codes.USERINFO),
    ],
)
def test_an_answer_that_is_no_plain_object_is_refused(answer: ProviderResponse, code: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process(answer)
    assert refused.value.code is code


# --- signed, and encrypted --------------------------------------------------------------------------------------------

SAID = {"iss": ISSUER, "aud": "ecluse", "sub": "f7d3c4a0", "email": "helene@metropole.example"}


def test_a_signed_answer_is_taken_where_the_file_names_its_algorithm() -> None:
    call = userinfo_request(SIGNED, METADATA, ACCESS_TOKEN)
    assert dict(call.headers)["Accept"] == "application/jwt"
    assert process(jwt_answer(forge(SAID, signer("RS256"))), SIGNED)["email"] == "helene@metropole.example"
    bare = {name: SAID[name] for name in ("sub", "email")}
    assert process(jwt_answer(forge(bare, signer("RS256"))), SIGNED)["email"] == "helene@metropole.example"


def test_neither_form_is_taken_for_the_other() -> None:
    for answer, of in [
        (json_answer(SAID), SIGNED),
        (jwt_answer(forge(SAID, signer("RS256"))), PROVIDER),
    ]:
        with pytest.raises(GatewayError) as refused:
            process(answer, of)
        assert refused.value.code is oidc_codes.USERINFO_FORM


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (forge(SAID, None), "oidc.id_token.algorithm"),
        (forge(SAID, signer("EdDSA")), "oidc.id_token.algorithm"),
        (forge(SAID, signer("RS256", "stranger")), "oidc.id_token.key"),
        (forge({**SAID, "iss": "https://evil.example"}, signer("RS256")), "oidc.id_token.issuer"),
        (forge({**SAID, "aud": "another"}, signer("RS256")), "oidc.id_token.audience"),
        (forge({**SAID, "exp": NOW - 61}, signer("RS256")), "oidc.id_token.expired"),
        (forge({**SAID, "nbf": NOW + 61}, signer("RS256")), "oidc.id_token.not_before"),
        (forge({**SAID, "iat": NOW + 61}, signer("RS256")), "oidc.id_token.issued_at"),
        (forge({**SAID, "sub": "another"}, signer("RS256")), "oidc.userinfo.subject"),
        (forge({"email": "x"}, signer("RS256")), "oidc.userinfo.subject"),
        (encrypted(forge(SAID, signer("RS256"))), "oidc.id_token.form"),
        ('{"sub": "f7d3c4a0"}', "oidc.id_token.form"),
    ],
)
def test_a_signed_answer_is_checked_like_an_id_token(token: str, code: str) -> None:
    assert outcome(lambda: process(jwt_answer(token), SIGNED)) == code


def test_an_encrypted_answer_is_opened_and_none_is_taken_that_is_not() -> None:
    encryption = Encryption((own_key("RSA-OAEP-256"),), frozenset({"A256GCM"}), id_token=False, userinfo=True)
    of = replace(SIGNED, encryption=encryption)
    token = forge(SAID, signer("RS256"))
    assert process(jwt_answer(encrypted(token)), of)["email"] == "helene@metropole.example"
    assert outcome(lambda: process(jwt_answer(token), of)) == "oidc.encryption"
    assert outcome(lambda: process(jwt_answer(encrypted(forge(SAID, None))), of)) == "oidc.id_token.algorithm"


def test_where_the_two_differ_what_was_signed_counts() -> None:
    token = id_token(acr="eidas1", email="signed@metropole.example")
    userinfo = {"sub": "f7d3c4a0", "email": "unsigned@metropole.example", "uai": "0591234A", "acr": "eidas3"}
    merged = merge_claims(token.claims, userinfo)
    assert merged["email"] == "signed@metropole.example"
    assert merged["uai"] == "0591234A"
    assert merged["acr"] == "eidas1"


@pytest.mark.parametrize("name", ["iss", "aud", "acr", "amr", "auth_time", "sid", "exp", "nonce"])
def test_what_is_about_the_sign_in_itself_is_never_taken_from_userinfo(name: str) -> None:
    token = id_token(auth_time=None)
    merged = merge_claims(token.claims, {"sub": "f7d3c4a0", name: "unsigned"})
    assert merged.get(name) == token.claims.get(name)


@given(st.binary(max_size=200), st.sampled_from([200, 204, 301, 400, 500]), st.sampled_from(["application/json", "x"]))
def test_any_answer_is_claims_or_a_gateway_error(body: bytes, status: int, content_type: str) -> None:
    with pytest.raises(GatewayError):
        process(ProviderResponse(status, content_type, body))


A, B = "a@metropole.example", "b@metropole.example"


@pytest.mark.parametrize(
    ("signed", "told", "verified"),
    [
        ({"email": A, "email_verified": True}, {}, True),
        ({}, {"email": A, "email_verified": True}, True),
        ({"email": A}, {"email": A, "email_verified": True}, True),
        ({"email": A, "email_verified": True}, {"email": B, "email_verified": False}, True),
        ({"email_verified": True}, {"email": A}, False),
        ({"email": A}, {"email": B, "email_verified": True}, False),
        ({"email": A}, {"email_verified": True}, False),
        ({"email": A, "email_verified": True}, {"email": A, "email_verified": False}, False),
        ({"email": A, "email_verified": True}, {"email": A, "email_verified": "true"}, False),
        ({"email": A}, {"email": A, "email_verified": 1}, False),
        ({"email_verified": True}, {}, True),
        ({"email": A}, {"email": A}, "not said"),
    ],
)
def test_an_address_is_vouched_for_by_the_document_that_has_it(
    signed: dict[str, object], told: dict[str, object], verified: object
) -> None:
    assert merge_claims(signed, told).get("email_verified", "not said") == verified
