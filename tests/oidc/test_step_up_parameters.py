import json

import pytest

from gateway.model.levels import NO_STEP_UP, StepUpRequest
from gateway.oidc.step_up_parameters import limited_to, with_step_up

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
