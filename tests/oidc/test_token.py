from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.documents import Call, ProviderResponse
from gateway.oidc.token import process_token_response, token_request
from tests.oidc.samples import FRESH, LOGIN, METADATA, PROVIDER, authorization_code, json_answer, outcome, provider

GRANT = [
    ("grant_type", "authorization_code"),
    ("code", "the code"),
    ("redirect_uri", LOGIN.redirect_uri),
    ("code_verifier", LOGIN.code_verifier),
]


def request(of: OidcProvider) -> Call:
    return token_request(of, METADATA, authorization_code(), LOGIN, FRESH)


def header(call: Call, name: str) -> str | None:
    return dict(call.headers).get(name)


def form(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.body.decode("ascii"), strict_parsing=True)


# --- request ----------------------------------------------------------------------------------------------------------


def test_the_grant_goes_to_the_token_endpoint() -> None:
    call = request(PROVIDER)
    assert (call.method, call.url) == ("POST", METADATA.token_endpoint)
    assert form(call) == GRANT
    assert header(call, "Content-Type") == "application/x-www-form-urlencoded"


def test_neither_code_nor_secret_is_in_the_url_or_the_log() -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        call = request(provider(client_authentication=method))
        shown = repr(call)
        assert "the code" not in shown
        assert "the+code" not in shown
        assert "secret+of" not in shown
        assert call.url == METADATA.token_endpoint


def test_a_code_never_goes_to_another_providers_token_endpoint() -> None:
    other = provider(name="departement")
    for code, login in [
        (authorization_code(), LOGIN),
        (authorization_code(other), LOGIN),
        (authorization_code(), replace(LOGIN, provider="departement")),
    ]:
        with pytest.raises(GatewayError) as refused:
            token_request(other, METADATA, code, login, FRESH)
        assert refused.value.code is login_codes.OTHER_PROVIDER


# --- response ---------------------------------------------------------------------------------------------------------


def document(**changes: object) -> dict[str, object]:
    good = {"access_token": "at", "token_type": "Bearer", "id_token": "a.b.c", "expires_in": 3600, "refresh_token": "r"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_tokens_are_taken_and_no_more_than_is_used(token_type: str) -> None:
    tokens = process_token_response(PROVIDER, json_answer(document(token_type=token_type)))
    assert (tokens.access_token, tokens.id_token) == ("at", "a.b.c")
    assert "at" not in repr(tokens).removeprefix("TokenResponse")
    assert not hasattr(tokens, "refresh_token")


@pytest.mark.parametrize("token_type", [None, "DPoP", "mac", "", 1, ["Bearer"]])
def test_a_token_of_another_type_is_refused(token_type: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_token_response(PROVIDER, json_answer(document(token_type=token_type)))
    assert refused.value.code is oidc_codes.TOKEN_TYPE


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": 5},
        {"access_token": ""},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: 1"},
        {"access_token": "é"},
        {"access_token": "a" * 16385},
        {"id_token": None},
        {"id_token": {"sub": "x"}},
    ],
)
def test_tokens_of_a_wrong_form_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as refused:
        process_token_response(PROVIDER, json_answer(document(**changes)))
    assert refused.value.code is oidc_codes.TOKEN


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_tells_the_operator_how_the_client_was_authenticated(status: int) -> None:
    answer = json_answer({"error": "invalid_client", "error_description": "bad\nsecret"}, status)
    with pytest.raises(GatewayError) as refused:
        process_token_response(PROVIDER, answer)
    assert refused.value.code is oidc_codes.TOKEN_REFUSED
    assert refused.value.detail == (
        'token answer: "invalid_client": "bad?secret"; asked as client "ecluse" by client_secret_basic'
    )


def test_a_refusal_without_a_reason() -> None:
    with pytest.raises(GatewayError) as refused:
        process_token_response(PROVIDER, json_answer(b"<html>no</html>", 400, "text/html"))
    assert refused.value.code is oidc_codes.TOKEN_REFUSED
    assert refused.value.detail == "token answer: status 400 without a readable reason"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer(document(), 302), oidc_codes.TOKEN),
        (json_answer(document(), 404), oidc_codes.TOKEN),
        (json_answer(document(), 503), login_codes.PROVIDER_UNREACHABLE),
        (json_answer(document(), content_type="text/html"), oidc_codes.TOKEN),
        (json_answer(b"access_token=a&token_type=bearer"), oidc_codes.TOKEN),
        (json_answer(b'{"id_token": "a", "id_token": "b"}'), oidc_codes.TOKEN),
    ],
)
def test_an_answer_that_is_no_token_answer_is_refused(answer: ProviderResponse, code: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_token_response(PROVIDER, answer)
    assert refused.value.code is code


_VALUES = st.text(max_size=20) | st.integers() | st.none() | st.lists(st.text(max_size=2), max_size=2)


@given(st.dictionaries(st.sampled_from([*document(), "error"]), _VALUES), st.sampled_from([200, 400, 401]))
def test_any_members_are_tokens_or_a_gateway_error(changes: dict[str, object], status: int) -> None:
    answer = json_answer({**document(), **changes}, status)
    assert outcome(lambda: process_token_response(PROVIDER, answer)) in (
        "",
        "oidc.token",
        "oidc.token.refused",
        "oidc.token.type",
    )
