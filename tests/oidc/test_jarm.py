from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.provider import AuthorizationParameters
from gateway.oidc.authorization import Parameters, response_state
from gateway.oidc.jarm import is_signed, unverified_parameters, verified_parameters
from tests.oidc.samples import ISSUER, NOW, PROVIDER, encrypted, forge, key_set, outcome, provider, signer

STATE = "s" * 43
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
