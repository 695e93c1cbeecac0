from dataclasses import replace

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
from gateway.oidc.authorization import (
    AuthorizationCode,
    Parameters,
    process_authorization_response,
    response_state,
)
from gateway.oidc.discovery import ProviderMetadata
from tests.oidc.samples import ISSUER, LOGIN, METADATA, PROVIDER, outcome, provider

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
