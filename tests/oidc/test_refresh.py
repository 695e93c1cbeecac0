from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.model.codes import login_codes
from gateway.model.provider import OidcProvider
from gateway.oidc.client_authentication import Fresh
from gateway.oidc.documents import ProviderResponse
from gateway.oidc.refresh import (
    Held,
    RefreshResponse,
    Renewed,
    process_refresh_response,
    refresh_request,
    validate_refreshed,
)
from gateway.oidc.token import LONGEST_LIFE, USUAL_LIFE, Grant, process_token_response
from tests.oidc.samples import LOGIN, METADATA, NOW, claims, forge, json_answer, key_set, outcome, provider, signer

KEEPS = provider(refresh=True)
KEYS = key_set(signer("RS256"))
GOOD = {"token_type": "Bearer", "access_token": "a", "expires_in": 60, "refresh_token": "r2"}


def processed(answer: ProviderResponse, of: OidcProvider = KEEPS) -> RefreshResponse:
    return process_refresh_response(of, "r1", answer)


def signed(**changes: Any) -> str:
    return forge(claims(**{"nonce": None, "auth_time": None, **changes}), signer("RS256"))


def original(**changes: Any) -> Held:
    """Of a sign-in long ago."""
    return Held("f7d3c4a0", forge(claims(**{"iat": NOW - 9000, "exp": NOW - 8700, "auth_time": NOW - 9010, **changes}),
                                  signer("RS256", "a key that was rolled over since")))  # fmt: skip


def validated(token: str | None, held: Held | None = None) -> Renewed:
    return validate_refreshed(KEEPS, KEYS, RefreshResponse(Grant("r2", 60), token), held or original(), NOW)


def test_the_token_goes_to_its_own_provider_in_a_body() -> None:
    call = refresh_request(KEEPS, METADATA, "r1", Fresh("j", NOW))
    assert (call.method, call.url) == ("POST", METADATA.token_endpoint)
    assert dict(parse_qsl(call.body.decode())) == {"grant_type": "refresh_token", "refresh_token": "r1"}
    assert "r1" not in repr(call)


@pytest.mark.parametrize(
    ("document", "grant"),
    [
        (GOOD, Grant("r2", 60)),
        ({**GOOD, "refresh_token": None}, None),
        ({name: value for name, value in GOOD.items() if name != "refresh_token"}, Grant("r1", 60)),
        ({**GOOD, "expires_in": 10**9}, Grant("r2", LONGEST_LIFE)),
        ({**GOOD, "expires_in": "60"}, Grant("r2", USUAL_LIFE)),
        ({**GOOD, "expires_in": -1}, Grant("r2", USUAL_LIFE)),
        ({**GOOD, "expires_in": True}, Grant("r2", USUAL_LIFE)),
    ],
)
def test_what_comes_back(document: dict[str, object], grant: Grant | None) -> None:
    if grant is None:
        assert outcome(lambda: processed(json_answer(document))) == "oidc.token"
    else:
        assert processed(json_answer(document)).grant == grant


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"error": "invalid_grant"}, 400), "oidc.refresh.ended"),
        (json_answer({"error": "invalid_client"}, 401), "oidc.token.refused"),
        (json_answer({"error": "temporarily_unavailable"}, 400), "oidc.token.refused"),
        (json_answer(b"<html>", 400), "oidc.token.refused"),
        (json_answer({}, 503), login_codes.PROVIDER_UNREACHABLE.id),
        (json_answer({}, 429), login_codes.PROVIDER_UNREACHABLE.id),
        (json_answer(GOOD, content_type="text/html"), "oidc.token"),
    ],
)
def test_only_invalid_grant_says_that_the_session_is_over(answer: ProviderResponse, code: str) -> None:
    assert outcome(lambda: processed(answer)) == code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"nonce": LOGIN.nonce, "auth_time": NOW - 9010}),
        ({"nonce": None}, {}),
        ({"azp": "ecluse"}, {"azp": "ecluse"}),
        ({"aud": ["ecluse"]}, {"aud": "ecluse"}),
        ({"azp": "ecluse"}, {"aud": ["other", "ecluse"], "azp": "ecluse"}),
        ({"aud": ["ecluse", "api"], "azp": "ecluse"}, {"aud": ["api", "more", "ecluse"], "azp": "ecluse"}),
        ({"auth_time": None}, {"auth_time": NOW - 9010}),
        # Once more since, for another session; this one is no fresher for it.
        ({}, {"auth_time": NOW - 5}),
    ],
)
def test_it_is_of_the_same_sign_in(before: dict[str, Any], after: dict[str, Any]) -> None:
    """OIDC Core 12.2."""
    token = signed(**after)
    assert validated(token, original(**before)).id_token == token


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"aud": ["ecluse", "api"], "azp": "ecluse"}, {"azp": "ecluse"}, "oidc.id_token.audience"),
        ({}, {"azp": "ecluse"}, "oidc.id_token.authorized_party"),
        ({"azp": "ecluse"}, {}, "oidc.id_token.authorized_party"),
        ({}, {"nonce": "of another"}, "oidc.id_token.nonce"),
        ({}, {"nonce": ""}, "oidc.id_token.nonce"),
        ({"nonce": None}, {"nonce": LOGIN.nonce}, "oidc.id_token.nonce"),
        ({}, {"auth_time": NOW + KEEPS.skew}, "oidc.id_token.auth_time"),
        ({}, {"auth_time": NOW - 9011}, "oidc.id_token.auth_time"),
        ({"auth_time": None}, {"auth_time": NOW + KEEPS.skew}, "oidc.id_token.auth_time"),
        ({}, {"auth_time": "then"}, "oidc.id_token.claim"),
    ],
)
def test_another_sign_in_is_refused(before: dict[str, Any], after: dict[str, Any], code: str) -> None:
    """OIDC Core 12.2, line by line."""
    assert outcome(lambda: validated(signed(**after), original(**before))) == code


def test_another_error_says_so_where_the_file_names_it() -> None:
    of = provider(refresh=True, refresh_ends_on=frozenset({"invalid_request"}))
    said = {error: outcome(lambda error=error: processed(json_answer({"error": error}, 400), of))
            for error in ("invalid_request", "invalid_grant", "invalid_scope")}  # fmt: skip
    assert said == {
        "invalid_request": "oidc.refresh.ended",
        "invalid_grant": "oidc.refresh.ended",
        "invalid_scope": "oidc.token.refused",
    }
    assert outcome(lambda: processed(json_answer({"error": "invalid_request"}, 400))) == "oidc.token.refused"
    assert outcome(lambda: processed(json_answer({"error": ["invalid_grant"]}, 400), of)) == "oidc.token.refused"


def test_it_is_about_the_same_person_by_the_same_provider() -> None:
    token = signed()
    assert validated(token).id_token == token
    assert validated(None).grant == Grant("r2", 60)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, "oidc.id_token.issuer"),
        ({"sub": "another"}, "oidc.refresh.subject"),
        ({"sub": None}, "oidc.id_token.subject"),
        ({"aud": "other"}, "oidc.id_token.audience"),
        ({"exp": NOW - 61}, "oidc.id_token.expired"),
        ({"iat": None}, "oidc.id_token.claim"),
        ({"azp": "other"}, "oidc.id_token.authorized_party"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], code: str) -> None:
    """The Foundation's modules refresh-token-invalid-issuer and -invalid-sub, and more."""
    assert outcome(lambda: validated(signed(**changes))) == code


@pytest.mark.parametrize(
    ("changes", "token"),
    [({}, "a"), ({"token_type": "bearer"}, "a"), ({"token_type": "mac"}, ""), ({"access_token": "a b"}, ""),
     ({"access_token": 7}, ""), ({"token_type": None}, "")],
)  # fmt: skip
def test_the_access_token_is_there_where_it_could_be_used(changes: dict[str, object], token: str) -> None:
    response = processed(json_answer({**GOOD, **changes}))
    assert response.access_token == token
    assert validate_refreshed(KEEPS, KEYS, response, original(), NOW).access_token == token


def test_a_signature_of_nobody() -> None:
    assert outcome(lambda: validated(forge(claims(), signer("RS256", "stranger")))) == "oidc.id_token.key"
    assert outcome(lambda: validated(forge(claims(), None))) == "oidc.id_token.algorithm"


def test_it_comes_from_its_validation_alone() -> None:
    with pytest.raises(TypeError):
        Renewed(Grant("r", 1), None, {}, "", object())


def test_what_was_not_asked_for_is_not_kept() -> None:
    document = {**GOOD, "id_token": "a.b.c"}
    assert process_token_response(provider(), json_answer(document)).grant is None
    assert process_token_response(KEEPS, json_answer(document)).grant == Grant("r2", 60)
    assert "r2" not in repr(process_token_response(KEEPS, json_answer(document)))
