from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import (
    LOGIN_OTHER_PROVIDER,
    OIDC_RESPONSE_CODE,
    OIDC_RESPONSE_ISSUER,
    OIDC_RESPONSE_PARAMETER,
)
from gateway.model.errors import GatewayError
from gateway.model.provider import AuthorizationParameters
from gateway.oidc.authorization import (
    AuthorizationCode,
    Parameters,
    is_signed,
    process_authorization_response,
    response_state,
    unverified_parameters,
    verified_parameters,
)
from gateway.oidc.discovery import ProviderMetadata
from tests.oidc.samples import (
    ISSUER,
    LOGIN,
    METADATA,
    NOW,
    PROVIDER,
    encrypted,
    forge,
    key_set,
    outcome,
    provider,
    signer,
)

STATE = "s" * 43
SILENT = replace(METADATA, authorization_response_iss_parameter_supported=False)


def process(parameters: Parameters, metadata: ProviderMetadata = METADATA) -> AuthorizationCode:
    return process_authorization_response(PROVIDER, metadata, LOGIN, parameters)


# --- response ---------------------------------------------------------------------------------------------------------


def test_a_code_of_the_provider_that_was_asked() -> None:
    code = process([("code", "abc"), ("state", STATE), ("iss", ISSUER), ("session_state", "x")])
    assert (code.provider, code.value) == ("metropole", "abc")
    assert "abc" not in repr(code)


def test_an_authorization_code_is_made_nowhere_else() -> None:
    with pytest.raises(TypeError):
        AuthorizationCode("metropole", "abc", None)
    with pytest.raises(TypeError):
        AuthorizationCode("metropole", "abc", object())
    with pytest.raises((TypeError, ValueError)):
        replace(process([("code", "abc"), ("iss", ISSUER)]), value="another")  # type: ignore[call-arg]


@pytest.mark.parametrize(("asked", "taken"), [(ISSUER, True), ("", True), ("https://former.example", False)])
def test_a_code_is_for_the_issuer_that_was_asked_whatever_the_file_says_since(asked: str, taken: bool) -> None:
    """The provider sends no `iss`, by which it would have been found out; a record of an older release says nothing."""
    login = replace(LOGIN, issuer=asked)

    def processed() -> object:
        return process_authorization_response(PROVIDER, SILENT, login, [("code", "abc")])

    assert outcome(processed) == ("" if taken else "login.other_provider")


@pytest.mark.parametrize(
    "iss",
    ["https://evil.example", "", ISSUER + "/", ISSUER.upper(), ISSUER + " ", "http://op.metropole.example"],
)
@pytest.mark.parametrize("metadata", [METADATA, SILENT])
@pytest.mark.parametrize("rest", [("code", "abc"), ("error", "access_denied")])
def test_iss_is_compared_wherever_it_is_sent(iss: str, metadata: ProviderMetadata, rest: tuple[str, str]) -> None:
    with pytest.raises(GatewayError) as refused:
        process([rest, ("iss", iss)], metadata)
    assert refused.value.code is OIDC_RESPONSE_ISSUER


@pytest.mark.parametrize("rest", [("code", "abc"), ("error", "access_denied")])
def test_iss_is_required_where_the_provider_announces_it(rest: tuple[str, str]) -> None:
    with pytest.raises(GatewayError) as refused:
        process([rest])
    assert refused.value.code is OIDC_RESPONSE_ISSUER


def test_iss_may_be_absent_where_the_provider_does_not_announce_it() -> None:
    assert process([("code", "abc")], SILENT).value == "abc"


def test_a_code_at_another_providers_callback_goes_nowhere() -> None:
    with pytest.raises(GatewayError) as refused:
        process_authorization_response(provider(name="departement"), METADATA, LOGIN, [("code", "a"), ("iss", ISSUER)])
    assert refused.value.code is LOGIN_OTHER_PROVIDER


@pytest.mark.parametrize("name", ["code", "iss", "state", "error", "anything"])
def test_no_parameter_comes_twice(name: str) -> None:
    twice = [(name, "a"), (name, "a")]
    with pytest.raises(GatewayError) as refused:
        process([("code", "abc"), ("iss", ISSUER), *twice])
    assert refused.value.code is OIDC_RESPONSE_PARAMETER


@pytest.mark.parametrize("code", [None, "", "c" * 4097, "a\nb", "a\x00", "é", "a\x7f"])
def test_a_code_of_a_wrong_form_is_refused(code: str | None) -> None:
    with pytest.raises(GatewayError) as refused:
        process([("iss", ISSUER), *([("code", code)] if code is not None else [])])
    assert refused.value.code is OIDC_RESPONSE_CODE
    assert code is None or code == "" or code not in refused.value.detail


# --- errors of the provider -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "login.provider_refused"),
        ("login_required", "login.provider_interaction"),
        ("interaction_required", "login.provider_interaction"),
        ("consent_required", "login.provider_interaction"),
        ("account_selection_required", "login.provider_interaction"),
        ("unmet_authentication_requirements", "login.too_weak"),
        ("temporarily_unavailable", "login.provider_busy"),
        ("server_error", "login.provider_busy"),
        ("invalid_scope", "login.provider_fault"),
        ("", "login.provider_fault"),
        ("<x>", "login.provider_fault"),
    ],
)
def test_each_error_has_its_page_and_is_quoted_to_the_operator(error: str, code: str) -> None:
    with pytest.raises(GatewayError) as refused:
        process([("error", error), ("error_description", "Accès refusé."), ("code", "abc"), ("iss", ISSUER)])
    assert refused.value.code.id == code
    assert refused.value.detail == f'"{error}": "Accès refusé."'
    assert refused.value.shown == "Accès refusé."


@pytest.mark.parametrize(
    "description",
    ["", "<b>x</b>", "a\nb", "see http://evil.example/", "a" * 201, "&lt;", "a\u202eb", "{{ x }}", '"', "%0d"],
)
def test_a_description_that_is_no_plain_sentence_is_for_the_log_alone(description: str) -> None:
    with pytest.raises(GatewayError) as refused:
        process([("error", "access_denied"), ("error_description", description), ("iss", ISSUER)])
    assert refused.value.shown == ""


def test_what_a_provider_says_is_bounded_and_prints() -> None:
    hostile = "<script>\r\nSet-Cookie: a=b\x1b[2J" + "x" * 100_000
    with pytest.raises(GatewayError) as refused:
        process([("error", hostile), ("error_description", hostile), ("iss", ISSUER)])
    assert refused.value.detail.isprintable()
    assert len(refused.value.detail) < 500


_NAMES = st.sampled_from(["code", "state", "iss", "error", "error_description", "response"])


@given(st.lists(st.tuples(_NAMES | st.text(max_size=5), st.just(ISSUER) | st.text(max_size=50)), max_size=5))
def test_any_parameters_are_a_code_or_a_gateway_error(parameters: list[tuple[str, str]]) -> None:
    assert outcome(lambda: response_state(parameters)) in ("", "oidc.response.state")
    assert outcome(lambda: process(parameters)) in (
        "",
        "login.provider_fault",
        "oidc.response.code",
        "oidc.response.issuer",
        "oidc.response.parameter",
    )


SAID = {"iss": ISSUER, "aud": "ecluse", "exp": NOW + 60, "state": STATE, "code": "the code"}
KEYS = key_set(signer("RS256"))


def response(**changes: object) -> list[tuple[str, str]]:
    payload = {name: value for name, value in {**SAID, **changes}.items() if value is not None}
    return [("response", forge(payload, signer("RS256")))]


def verify(parameters: Parameters) -> dict[str, str]:
    return dict(verified_parameters(PROVIDER, KEYS, parameters, NOW))


@pytest.mark.parametrize(
    ("mode", "signed"), [(None, False), ("query", False), ("form_post", False), ("jwt", True), ("query.jwt", True)]
)
def test_what_is_asked_for_says_what_comes(mode: Any, signed: bool) -> None:
    assert is_signed(provider(request=AuthorizationParameters(response_mode=mode))) is signed


def test_the_parameters_are_those_that_were_signed() -> None:
    assert verify(response()) == {"iss": ISSUER, "state": STATE, "code": "the code"}
    assert verify([*response(), ("code", "another"), ("state", "x")])["code"] == "the code"


def test_the_state_is_found_before_anything_is_believed() -> None:
    assert response_state(unverified_parameters([("response", forge(SAID, None))])) == STATE
    assert response_state(unverified_parameters([("state", STATE), ("code", "x")])) == STATE


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ([("code", "the code"), ("state", STATE), ("iss", ISSUER)], "oidc.response.jwt"),
        ([*response(), *response()], "oidc.response.jwt"),
        ([("response", forge(SAID, None))], "oidc.id_token.algorithm"),
        ([("response", forge(SAID, signer("RS256", "stranger")))], "oidc.id_token.key"),
        ([("response", encrypted(forge(SAID, signer("RS256"))))], "oidc.id_token.form"),
        (response(iss="https://evil.example"), "oidc.id_token.issuer"),
        (response(iss=None), "oidc.id_token.issuer"),
        (response(aud="another"), "oidc.id_token.audience"),
        (response(exp=NOW - 61), "oidc.id_token.expired"),
        (response(exp=None), "oidc.id_token.claim"),
        (response(nbf=NOW + 61), "oidc.id_token.not_before"),
        (response(iat=NOW + 61), "oidc.id_token.issued_at"),
    ],
)
def test_what_was_not_signed_for_us_now_is_refused(parameters: Parameters, code: str) -> None:
    assert outcome(lambda: verify(parameters)) == code


def test_two_responses_have_no_one_state() -> None:
    assert outcome(lambda: unverified_parameters([*response(), *response()])) == "oidc.response.parameter"


@given(st.lists(st.tuples(st.sampled_from(["response", "code", "state"]), st.text(max_size=30)), max_size=3))
def test_any_parameters_are_refused_or_read(parameters: list[tuple[str, str]]) -> None:
    assert outcome(lambda: verify(parameters)).startswith("oidc.")
    outcome(lambda: unverified_parameters(parameters))
