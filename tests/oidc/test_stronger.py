import json

import pytest

from gateway.model.levels import NOTHING_ASKED, Asking
from gateway.oidc.stronger import stronger, within

USUAL = {
    "scope": "openid",
    "acr_values": "eidas1",
    "claims": '{"id_token":{"amr":null,"acr":null},"userinfo":{"a":null}}',
}
EIDAS = Asking(acr_values=("eidas2", "eidas3"))


@pytest.mark.parametrize("ask", ["acr_values", "claims"])
def test_where_nothing_more_is_needed_nothing_is_changed(ask) -> None:
    assert stronger(USUAL, NOTHING_ASKED, ask) == USUAL


def test_by_acr_values_the_weakest_that_does_comes_first() -> None:
    assert stronger(USUAL, EIDAS, "acr_values") == USUAL | {"acr_values": "eidas2 eidas3"}


def test_by_an_essential_claim_beside_those_that_are_asked_for_each_time() -> None:
    asked = stronger(USUAL, EIDAS, "claims")
    assert json.loads(asked["claims"]) == {
        "id_token": {"amr": None, "acr": {"essential": True, "values": ["eidas2", "eidas3"]}},
        "userinfo": {"a": None},
    }
    assert {name for name in asked if asked[name] != USUAL.get(name)} == {"claims"}


def test_the_claims_parameter_is_made_where_there_was_none() -> None:
    asked = stronger({"scope": "openid"}, EIDAS, "claims")
    assert json.loads(asked["claims"])["id_token"]["acr"]["essential"] is True
    assert "acr_values" not in asked


@pytest.mark.parametrize("ask", ["acr_values", "claims"])
@pytest.mark.parametrize("age", [0, 900])
def test_an_age_is_asked_for_in_one_way(age: int, ask) -> None:
    assert stronger({}, Asking(max_age=age), ask) == {"max_age": str(age)}


@pytest.mark.parametrize(("each_time", "once", "sent"), [("60", 900, "60"), ("900", 60, "60"), ("0", 60, "0")])
def test_an_age_is_never_asked_for_above_that_of_each_time(each_time: str, once: int, sent: str) -> None:
    assert stronger({"max_age": each_time}, Asking(max_age=once), "claims") == {"max_age": sent}


@pytest.mark.parametrize(
    ("demanded", "asked"),
    [
        ((), ("eidas1", "eidas2", "eidas3")),
        (("eidas2", "eidas3"), ("eidas2", "eidas3")),
        (("eidas0",), ("eidas1", "eidas2", "eidas3")),
    ],
)
def test_no_level_is_asked_for_that_would_not_be_accepted(demanded: tuple[str, ...], asked: tuple[str, ...]) -> None:
    once = Asking(acr_values=("eidas1", "eidas2", "eidas3"), max_age=60)
    assert within(once, demanded) == Asking(acr_values=asked, max_age=60)


def test_a_method_has_the_person_sign_in_anew() -> None:
    assert stronger({}, Asking(amr=("otp",)), "acr_values") == {"prompt": "login"}
    asked = stronger({"prompt": "consent"}, Asking(amr=("otp", "hwk")), "claims")
    assert asked["prompt"] == "login consent"
    assert json.loads(asked["claims"]) == {"id_token": {"amr": {"essential": True, "values": ["otp", "hwk"]}}}
