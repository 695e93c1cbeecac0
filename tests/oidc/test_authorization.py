import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_STEP_UP, ProviderLevels, StepUpRequest
from gateway.model.provider import AuthorizationParameters, OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import (
    REQUEST_OBJECT_SECONDS,
    AuthorizationCode,
    Parameters,
    authorization_parameters,
    authorization_url,
    code_challenge,
    is_signed,
    limited_to,
    process_authorization_response,
    process_pushed_response,
    pushed_request,
    response_state,
    signed_request,
    unverified_parameters,
    verified_parameters,
    with_step_up,
)
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import ProviderResponse
from tests.oidc.samples import (
    FRESH,
    ISSUER,
    LOGIN,
    METADATA,
    NOW,
    PROVIDER,
    encrypted,
    forge,
    json_answer,
    key_set,
    outcome,
    own_key,
    provider,
    signer,
    verified,
)

STATE = "s" * 43
PUSHING = replace(METADATA, pushed_authorization_request_endpoint=f"{ISSUER}/par")


def asking(**request: Any) -> OidcProvider:
    return provider(request=AuthorizationParameters(**request))


def url(of: OidcProvider = PROVIDER, login: OidcLogin = LOGIN, hints: Mapping[str, str] | None = None) -> str:
    return authorization_url(METADATA, authorization_parameters(of, login, STATE, hints or {}))


def beside_the_usual(of: OidcProvider, **login_and_hints: Any) -> dict[str, str]:
    sent = dict(parse_qsl(urlsplit(url(of, **login_and_hints)).query, strict_parsing=True))
    return {
        name: value for name, value in sent.items() if name not in authorization_parameters(PROVIDER, LOGIN, "", {})
    }


def test_the_request_says_what_the_specification_asks_for_and_nothing_else() -> None:
    sent = urlsplit(url())
    assert sent._replace(query="").geturl() == METADATA.authorization_endpoint
    assert parse_qsl(sent.query, strict_parsing=True) == [
        ("response_type", "code"),
        ("client_id", "ecluse"),
        ("redirect_uri", "https://portail.example/_ecluse/callback/metropole"),
        ("scope", "openid profile"),
        ("state", STATE),
        ("nonce", LOGIN.nonce),
        ("code_challenge", code_challenge(LOGIN.code_verifier)),
        ("code_challenge_method", "S256"),
    ]


def test_no_secret_is_in_the_request() -> None:
    assert LOGIN.code_verifier not in url()
    assert "secret" not in url()


def test_the_endpoints_own_query_is_kept() -> None:
    metadata = replace(METADATA, authorization_endpoint=f"{ISSUER}/authorize?tenant=a%20b")
    assert authorization_url(metadata, {"state": STATE}) == f"{ISSUER}/authorize?tenant=a%20b&state={STATE}"


def test_a_client_id_cannot_add_a_parameter() -> None:
    sent = parse_qsl(urlsplit(url(provider(client_id="a&state=x#é"))).query, strict_parsing=True)
    assert [value for name, value in sent if name == "client_id"] == ["a&state=x#é"]
    assert [value for name, value in sent if name == "state"] == [STATE]


CLAIMS = '{"id_token":{"acr":{"essential":true,"values":["eidas2"]},"amr":null}}'


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        ({"response_mode": "form_post"}, {"response_mode": "form_post"}),
        ({"acr_values": ("eidas2", "eidas1")}, {"acr_values": "eidas2 eidas1"}),
        ({"prompt": ("login", "consent")}, {"prompt": "login consent"}),
        ({"claims": CLAIMS}, {"claims": CLAIMS}),
        ({"parameters": {"idp_hint": "71144ab3"}}, {"idp_hint": "71144ab3"}),
        ({"essential_acr": frozenset({"eidas2"}), "passed_on": frozenset({"login_hint"}), "pushed": True}, {}),
    ],
)
def test_what_the_file_asks_for_is_sent_and_nothing_else(request_: dict[str, Any], sent: dict[str, str]) -> None:
    assert beside_the_usual(asking(**request_)) == sent


@pytest.mark.parametrize(("max_age", "sent"), [(None, {}), (0, {"max_age": "0"}), (3600, {"max_age": "3600"})])
def test_an_age_is_asked_for_where_the_login_says_so(max_age: int | None, sent: dict[str, str]) -> None:
    assert beside_the_usual(PROVIDER, login=replace(LOGIN, max_age=max_age)) == sent


@pytest.mark.parametrize("ask", ["acr_values", "claims"])
def test_a_page_that_asks_for_less_than_the_file_demands_loosens_nothing(ask: Any) -> None:
    """FranceConnect+ refuses a request for eidas1; ProConnect would give it, and the answer would be refused."""
    demanded = AuthorizationParameters(claims=CLAIMS, essential_acr=frozenset({"eidas2"}))
    of = provider(request=demanded, levels=ProviderLevels(can=frozenset({"acr"}), ask=ask))
    sent = beside_the_usual(of, login=replace(LOGIN, asking=StepUpRequest(acr_values=("eidas1", "eidas2"))))
    assert json.loads(sent["claims"])["id_token"]["acr"] == {"essential": True, "values": ["eidas2"]}
    assert sent.get("acr_values", "eidas2") == "eidas2"


def test_hints_are_passed_on_where_the_file_lists_them() -> None:
    hints = {"login_hint": "helene@m.example", "idp_hint": "x", "redirect_uri": "https://evil.example", "t": "1"}
    assert beside_the_usual(PROVIDER, hints=hints) == {}
    of = asking(passed_on=frozenset({"login_hint", "siret_hint"}))
    assert beside_the_usual(of, hints=hints) == {"login_hint": "helene@m.example"}


@pytest.mark.parametrize("value", ["", "a\r\nb", "a\x00", "h" * 513])
def test_a_hint_of_another_form_is_left_out(value: str) -> None:
    assert beside_the_usual(asking(passed_on=frozenset({"login_hint"})), hints={"login_hint": value}) == {}


# --- signed -----------------------------------------------------------------------------------------------------------


def test_a_signed_request_holds_all_of_it() -> None:
    of = provider(
        client_keys=(own_key("ES256"),), request=AuthorizationParameters(claims=CLAIMS, parameters={"idp_hint": "x"})
    )
    parameters = authorization_parameters(of, replace(LOGIN, max_age=60), STATE, {})
    sent = signed_request(of, METADATA, parameters, FRESH)
    header, claims = verified(sent.pop("request"), jwk_set(of.client_keys), "ES256")
    assert sent == {"client_id": "ecluse", "response_type": "code", "scope": "openid"}
    assert header["typ"] == "oauth-authz-req+jwt"
    assert claims == {
        **parameters,
        "max_age": 60,
        "claims": json.loads(CLAIMS),
        "iss": "ecluse",
        "aud": ISSUER,
        "jti": FRESH.jti,
        "iat": int(NOW),
        "nbf": int(NOW),
        "exp": int(NOW) + REQUEST_OBJECT_SECONDS,
    }


def test_without_a_key_nothing_is_sent_unsigned() -> None:
    assert outcome(lambda: signed_request(PROVIDER, METADATA, {}, FRESH)) == oidc_codes.CLIENT_AUTHENTICATION.id


# --- pushed -----------------------------------------------------------------------------------------------------------


def test_a_pushed_request_goes_to_its_endpoint_by_an_authenticated_client() -> None:
    call = pushed_request(PROVIDER, PUSHING, authorization_parameters(PROVIDER, LOGIN, STATE, {}), FRESH)
    assert (call.method, call.url) == ("POST", f"{ISSUER}/par")
    assert dict(parse_qsl(call.body.decode()))["state"] == STATE
    assert dict(call.headers)["Authorization"].startswith("Basic ")


def test_a_provider_without_an_endpoint_for_it() -> None:
    assert outcome(lambda: pushed_request(PROVIDER, METADATA, {}, FRESH)) == oidc_codes.PUSHED_REQUEST.id


def test_the_browser_carries_a_reference_only() -> None:
    answer = json_answer({"request_uri": "urn:ietf:params:oauth:request_uri:a b", "expires_in": 60}, 201)
    carried = authorization_url(METADATA, process_pushed_response(PROVIDER, answer))
    assert carried == (
        f"{ISSUER}/authorize?client_id=ecluse&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa+b"
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            json_answer({"error": "invalid_request", "error_description": "no\nsuch scope"}, 400),
            oidc_codes.PUSHED_REQUEST,
        ),
        (json_answer(b"<html>", 401), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": "urn:x"}, 200), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": "urn:x"}, 302), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": 1}, 201), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": ""}, 201), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": "é"}, 201), oidc_codes.PUSHED_REQUEST),
        (json_answer({"request_uri": "u" * 513}, 201), oidc_codes.PUSHED_REQUEST),
        (json_answer(b"[]", 201), oidc_codes.PUSHED_REQUEST),
        (json_answer({}, 429), login_codes.PROVIDER_UNREACHABLE),
        (json_answer({}, 503), login_codes.PROVIDER_UNREACHABLE),
    ],
)
def test_an_answer_that_is_no_reference_ends_the_sign_in(answer: ProviderResponse, code: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_pushed_response(PROVIDER, answer)
    assert refused.value.code is code
    assert "\n" not in refused.value.detail


def test_the_example_of_the_specification() -> None:
    # RFC 7636 appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("length", [43, 128])
def test_the_bounds_of_a_verifier(length: int) -> None:
    assert len(code_challenge("~" * length)) == 43


@pytest.mark.parametrize("verifier", ["", "v" * 42, "v" * 129, "v" * 43 + "=", "v" * 42 + "é", "v" * 43 + "\n"])
def test_another_verifier_is_a_fault_of_ours(verifier: str) -> None:
    with pytest.raises(ValueError, match="43 to 128"):
        code_challenge(verifier)


USUAL = {
    "scope": "openid",
    "acr_values": "eidas1",
    "claims": '{"id_token":{"amr":null,"acr":null},"userinfo":{"a":null}}',
}
EIDAS = StepUpRequest(acr_values=("eidas2", "eidas3"))


@pytest.mark.parametrize("ask", ["acr_values", "claims"])
def test_where_nothing_more_is_needed_nothing_is_changed(ask) -> None:
    assert with_step_up(USUAL, NO_STEP_UP, ask) == USUAL


def test_by_acr_values_the_weakest_that_does_comes_first() -> None:
    assert with_step_up(USUAL, EIDAS, "acr_values") == USUAL | {"acr_values": "eidas2 eidas3"}


def test_by_an_essential_claim_beside_those_that_are_asked_for_each_time() -> None:
    asked = with_step_up(USUAL, EIDAS, "claims")
    assert json.loads(asked["claims"]) == {
        "id_token": {"amr": None, "acr": {"essential": True, "values": ["eidas2", "eidas3"]}},
        "userinfo": {"a": None},
    }
    assert {name for name in asked if asked[name] != USUAL.get(name)} == {"claims"}


def test_the_claims_parameter_is_made_where_there_was_none() -> None:
    asked = with_step_up({"scope": "openid"}, EIDAS, "claims")
    assert json.loads(asked["claims"])["id_token"]["acr"]["essential"] is True
    assert "acr_values" not in asked


@pytest.mark.parametrize("ask", ["acr_values", "claims"])
@pytest.mark.parametrize("age", [0, 900])
def test_an_age_is_asked_for_in_one_way(age: int, ask) -> None:
    assert with_step_up({}, StepUpRequest(max_age=age), ask) == {"max_age": str(age)}


@pytest.mark.parametrize(("each_time", "once", "sent"), [("60", 900, "60"), ("900", 60, "60"), ("0", 60, "0")])
def test_an_age_is_never_asked_for_above_that_of_each_time(each_time: str, once: int, sent: str) -> None:
    assert with_step_up({"max_age": each_time}, StepUpRequest(max_age=once), "claims") == {"max_age": sent}


@pytest.mark.parametrize(
    ("demanded", "asked"),
    [
        ((), ("eidas1", "eidas2", "eidas3")),
        (("eidas2", "eidas3"), ("eidas2", "eidas3")),
        (("eidas0",), ("eidas1", "eidas2", "eidas3")),
    ],
)
def test_no_level_is_asked_for_that_would_not_be_accepted(demanded: tuple[str, ...], asked: tuple[str, ...]) -> None:
    once = StepUpRequest(acr_values=("eidas1", "eidas2", "eidas3"), max_age=60)
    assert limited_to(once, demanded) == StepUpRequest(acr_values=asked, max_age=60)


def test_a_method_has_the_person_sign_in_anew() -> None:
    assert with_step_up({}, StepUpRequest(amr=("otp",)), "acr_values") == {"prompt": "login"}
    asked = with_step_up({"prompt": "consent"}, StepUpRequest(amr=("otp", "hwk")), "claims")
    assert asked["prompt"] == "login consent"
    assert json.loads(asked["claims"]) == {"id_token": {"amr": {"essential": True, "values": ["otp", "hwk"]}}}


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
    assert refused.value.code is oidc_codes.RESPONSE_ISSUER


@pytest.mark.parametrize("rest", [("code", "abc"), ("error", "access_denied")])
def test_iss_is_required_where_the_provider_announces_it(rest: tuple[str, str]) -> None:
    with pytest.raises(GatewayError) as refused:
        process([rest])
    assert refused.value.code is oidc_codes.RESPONSE_ISSUER


def test_iss_may_be_absent_where_the_provider_does_not_announce_it() -> None:
    assert process([("code", "abc")], SILENT).value == "abc"


def test_a_code_at_another_providers_callback_goes_nowhere() -> None:
    with pytest.raises(GatewayError) as refused:
        process_authorization_response(provider(name="departement"), METADATA, LOGIN, [("code", "a"), ("iss", ISSUER)])
    assert refused.value.code is login_codes.OTHER_PROVIDER


@pytest.mark.parametrize("name", ["code", "iss", "state", "error", "anything"])
def test_no_parameter_comes_twice(name: str) -> None:
    twice = [(name, "a"), (name, "a")]
    with pytest.raises(GatewayError) as refused:
        process([("code", "abc"), ("iss", ISSUER), *twice])
    assert refused.value.code is oidc_codes.RESPONSE_PARAMETER


@pytest.mark.parametrize("code", [None, "", "c" * 4097, "a\nb", "a\x00", "é", "a\x7f"])
def test_a_code_of_a_wrong_form_is_refused(code: str | None) -> None:
    with pytest.raises(GatewayError) as refused:
        process([("iss", ISSUER), *([("code", code)] if code is not None else [])])
    assert refused.value.code is oidc_codes.RESPONSE_CODE
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
