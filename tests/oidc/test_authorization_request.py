import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE, OIDC_CLIENT_AUTHENTICATION, OIDC_PUSHED_REQUEST
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_STEP_UP, ProviderLevels, StepUpRequest
from gateway.model.provider import AuthorizationParameters, OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization_request import (
    REQUEST_OBJECT_SECONDS,
    authorization_parameters,
    authorization_url,
    code_challenge,
    limited_to,
    process_pushed_response,
    pushed_request,
    signed_request,
    with_step_up,
)
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.documents import ProviderResponse
from tests.oidc.samples import (
    FRESH,
    ISSUER,
    LOGIN,
    METADATA,
    NOW,
    PROVIDER,
    json_answer,
    outcome,
    own_key,
    provider,
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
    assert outcome(lambda: signed_request(PROVIDER, METADATA, {}, FRESH)) == OIDC_CLIENT_AUTHENTICATION.id


# --- pushed -----------------------------------------------------------------------------------------------------------


def test_a_pushed_request_goes_to_its_endpoint_by_an_authenticated_client() -> None:
    call = pushed_request(PROVIDER, PUSHING, authorization_parameters(PROVIDER, LOGIN, STATE, {}), FRESH)
    assert (call.method, call.url) == ("POST", f"{ISSUER}/par")
    assert dict(parse_qsl(call.body.decode()))["state"] == STATE
    assert dict(call.headers)["Authorization"].startswith("Basic ")


def test_a_provider_without_an_endpoint_for_it() -> None:
    assert outcome(lambda: pushed_request(PROVIDER, METADATA, {}, FRESH)) == OIDC_PUSHED_REQUEST.id


def test_the_browser_carries_a_reference_only() -> None:
    answer = json_answer({"request_uri": "urn:ietf:params:oauth:request_uri:a b", "expires_in": 60}, 201)
    carried = authorization_url(METADATA, process_pushed_response(PROVIDER, answer))
    assert carried == (
        f"{ISSUER}/authorize?client_id=ecluse&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa+b"
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer({"error": "invalid_request", "error_description": "no\nsuch scope"}, 400), OIDC_PUSHED_REQUEST),
        (json_answer(b"<html>", 401), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": "urn:x"}, 200), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": "urn:x"}, 302), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": 1}, 201), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": ""}, 201), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": "é"}, 201), OIDC_PUSHED_REQUEST),
        (json_answer({"request_uri": "u" * 513}, 201), OIDC_PUSHED_REQUEST),
        (json_answer(b"[]", 201), OIDC_PUSHED_REQUEST),
        (json_answer({}, 429), LOGIN_PROVIDER_UNREACHABLE),
        (json_answer({}, 503), LOGIN_PROVIDER_UNREACHABLE),
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
