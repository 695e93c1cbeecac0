import pytest

from gateway.model.decision import Allow, Deny
from gateway.policy.conditions import Group
from gateway.policy.decide import decide
from gateway.policy.rules import Rule
from gateway.policy.shadows import unveiled
from tests.policy.short import ANYONE, person, rule, split, table

METHODS = ("GET", "HEAD", "POST", "DELETE")
AGENTS, CHIEFS = Group("agents"), Group("chefs")
AGENT = person(groups=("agents",))


def decided(rules: list[Rule], method: str, path: str) -> type:
    return type(decide(table(*rules).find(split(path)), method, AGENT))


@pytest.mark.parametrize(
    ("rules", "method", "path", "live", "shadow"),
    [
        ([rule("/**", AGENTS), rule("/**", CHIEFS, shadow=True)], "GET", "/a", Allow, Deny),
        ([rule("/**", AGENTS), rule("/**", CHIEFS, methods={"POST"}, shadow=True)], "GET", "/a", Allow, Allow),
        ([rule("/**", AGENTS), rule("/**", CHIEFS, methods={"POST"}, shadow=True)], "POST", "/a", Allow, Deny),
        ([rule("/**", AGENTS), rule("/**", CHIEFS, methods={"GET"}, shadow=True)], "HEAD", "/a", Allow, Deny),
        ([rule("/**", AGENTS), rule("/b/**", CHIEFS, shadow=True)], "GET", "/b/c", Allow, Deny),
        ([rule("/**", AGENTS), rule("/b/**", CHIEFS, shadow=True)], "GET", "/c", Allow, Allow),
        ([rule("/**", None, deny=ANYONE), rule("/**", AGENTS, shadow=True)], "GET", "/a", Deny, Allow),
        ([rule("/**", AGENTS), rule("/b/**", None, deny=AGENTS, shadow=True)], "GET", "/b/c", Allow, Deny),
        (
            [rule("/**", AGENTS, methods={"GET"}), rule("/**", CHIEFS, methods={"GET"}, shadow=True)],
            "GET", "/a", Allow, Deny,
        ),
    ],
)  # fmt: skip
def test_a_shadow_rule_stands_in_the_place_of_the_live_one(
    rules: list[Rule], method: str, path: str, live: type, shadow: type
) -> None:
    assert decided(rules, method, path) is live
    assert decided(unveiled(rules, METHODS, False), method, path) is shadow


def test_without_a_shadow_rule_there_is_nothing_beside() -> None:
    assert unveiled([rule("/**", AGENTS)], METHODS, False) == []


def test_where_the_application_knows_no_case_neither_does_the_place() -> None:
    rules = [rule("/Admin", AGENTS), rule("/admin", CHIEFS, shadow=True)]
    assert len(unveiled(rules, METHODS, True)) == 1
    assert len(unveiled(rules, METHODS, False)) == 2
