"""Levels that nobody knows, and rules that would lock everybody out: told at load, with both places."""

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems, sample_files
from tests.config.samples import sample_snapshot as snapshot

CAN = "can: [fresh_login, acr, amr]"
REFEDS = "https://refeds.org/profile/mfa"


def said(condition: str, *, can: str = CAN, gateway: str = GATEWAY) -> list[str]:
    return problems({
        "gateway.yaml": gateway,
        "providers/metropole.yaml": METROPOLE.replace(CAN, can),
        "apps/permis.yaml": PERMIS.replace("{group: administrateurs}", condition),
    })  # fmt: skip


def test_only_a_level_of_the_ladder_has_a_name_on_pages() -> None:
    named = GATEWAY + "theme:\n  levels: {eidas2: {fr: carte agent, en: agent card}, eidas4: carte}\n"
    (problem,) = said("{acr_min: eidas2}", gateway=named)
    assert "theme.levels.eidas4: this level is not on the ladder (did you mean" in problem


@pytest.mark.parametrize(
    ("condition", "can"),
    [
        ("{acr_min: eidas2}", "can: [acr]"),
        ("{acr_min: eidas1}", f"can: [acr]\nlevels: {{acr: {{'{REFEDS}': eidas1-mfa}}}}"),
        ("{acr_min: eidas2}", "can: [amr]\nlevels: {amr: {hwk: eidas2}}"),
        ("{amr: [otp, hwk]}", "can: [amr]"),
        ("{max_age: 15m}", "can: [fresh_login]"),
        ("{any: [{max_age: 15m}, {not: {acr_min: eidas3}}]}", CAN),
    ],
)
def test_what_a_provider_can_say_may_be_asked(condition: str, can: str) -> None:
    assert said(condition, can=can) == []


@pytest.mark.parametrize(
    ("condition", "can", "key"),
    [
        ("{acr_min: eidas2}", "", "acr_min"),
        ("{acr_min: eidas2}", "can: [fresh_login, amr]", "acr_min"),
        ("{acr_min: eidas2}", f"can: [acr]\nlevels: {{acr: {{'{REFEDS}': eidas1-mfa}}}}", "acr_min"),
        ("{acr_min: eidas3}", "can: [amr]\nlevels: {amr: {hwk: eidas2}}", "acr_min"),
        ("{amr: otp}", "can: [acr]", "amr"),
        ("{max_age: 15m}", "can: [acr, amr]", "max_age"),
        ("{all: [{group: administrateurs}, {max_age: 15m}]}", "", "all[1].max_age"),
    ],
)
def test_what_no_provider_of_the_application_can_say_is_refused_with_both_places(
    condition: str, can: str, key: str
) -> None:
    (problem,) = said(condition, can=can)
    assert problem.startswith("policies/apps/permis.yaml:11:")
    assert f"access[1].allow.{key}: no provider of this application can assert this (in the" in problem
    assert "(in the provider's file: can: [" in problem


@pytest.mark.parametrize(
    ("can", "then", "found"),
    [
        (CAN, "sign_in", 0),
        ("can: [acr, amr]", "sign_in", 1),
        ("", "sign_in", 1),
        ("", "resume", 0),
    ],
)
def test_who_is_to_sign_in_anew_needs_a_provider_that_asks_anew(can: str, then: str, found: int) -> None:
    said = problems({
        "providers/metropole.yaml": METROPOLE.replace(CAN, can),
        "apps/permis.yaml": f"{PERMIS}session: {{idle: 10m, then: {then}}}\n",
    })  # fmt: skip
    expected = "session.then: no provider of this application asks people anew (in the provider's file: can: [fresh_"
    assert [expected in problem for problem in said] == [True] * found


def test_the_providers_place_is_shown_too() -> None:
    files = sample_files({
        "providers/metropole.yaml": METROPOLE.replace(CAN, "can: [acr]"),
        "apps/permis.yaml": PERMIS.replace("{group: administrateurs}", "{max_age: 15m}"),
    })  # fmt: skip
    with pytest.raises(ProblemsFound) as found:
        compile_files(files)
    assert "  and policies/providers/metropole.yaml:19:6" in str(found.value)


def test_one_provider_that_can_is_enough() -> None:
    other = METROPOLE.replace("provider: metropole", "provider: autre").replace(CAN, "can: [acr]")
    found = problems({
        "providers/metropole.yaml": METROPOLE.replace(CAN, ""),
        "providers/autre.yaml": other,
        "apps/permis.yaml": PERMIS.replace("[metropole]", "[metropole, autre]").replace(
            "{group: administrateurs}", "{acr_min: eidas2}"
        ),
    })  # fmt: skip
    assert found == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("{acr_min: eidas4}", "11:40: access[1].allow.acr_min: no level eidas4 (did you mean eidas3?)"),
        ("{acr_min: fort}", "no level fort (known: eidas0, eidas0-mfa, eidas1, eidas1-mfa, eidas2, eidas3)"),
        ("{max_age: 15}", "access[1].allow.max_age: a time is a number with a unit"),
        ("{amr: []}", "access[1].allow.amr: this is empty (name at least one)"),
    ],
)
def test_a_condition_that_says_nothing_that_is_known(condition: str, message: str) -> None:
    (problem,) = said(condition)
    assert message in problem


def test_an_operators_own_ladder_is_the_only_one() -> None:
    own = GATEWAY + "levels: [faible, fort]\n"
    assert said("{acr_min: fort}", gateway=own) == []
    assert "no level eidas2 (known: faible, fort)" in said("{acr_min: eidas2}", gateway=own)[0]


@pytest.mark.parametrize(
    ("can", "message"),
    [
        ("can: [acr]\nlevels: {acr: {x: eidas9}}", "20:19: levels.acr.x: no level eidas9"),
        ("can: [amr]\nlevels: {amr: {otp: mfa}}", "levels.amr.otp: no level mfa"),
        (
            "levels: {acr: {x: eidas2}}",
            "levels.acr: this has no effect: the provider is not believed in acr (add can: [acr])",
        ),
        ("can: [acr]\nlevels: {amr: {x: eidas2}}", "levels.amr: this has no effect"),
        ("can: [levels]", "can[0]: this must be one of fresh_login, acr, amr"),
    ],
)
def test_a_provider_that_maps_to_nothing(can: str, message: str) -> None:
    found = problems({"providers/metropole.yaml": METROPOLE.replace(CAN, can)})
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize("levels", ["[]", "[a, a]", "['a b']", "[-a]"])
def test_no_ladder(levels: str) -> None:
    assert problems({"gateway.yaml": f"{GATEWAY}levels: {levels}\n"})


def test_the_snapshot_knows_the_ladder_and_what_each_provider_says() -> None:
    ladder = snapshot({"providers/metropole.yaml": METROPOLE.replace(CAN, "can: [acr]")}).ladder
    assert ladder.asked_as("metropole", "eidas2") == ("eidas2", "eidas3")
