import pytest

from gateway.model.decision import Allow, Deny
from gateway.policy.conditions import Group
from gateway.policy.decide import decide
from gateway.policy.rules import Rule, meet, unveiled
from tests.policy.short import ANYONE, person, rule, split, table


@pytest.mark.parametrize(
    ("methods", "method", "covered"),
    [
        (None, "GET", True),
        (None, "PROPFIND", True),
        ({"GET"}, "GET", True),
        ({"GET"}, "HEAD", True),
        ({"HEAD"}, "HEAD", True),
        ({"HEAD"}, "GET", False),
        ({"GET"}, "POST", False),
        ({"GET"}, "OPTIONS", False),
        ({"GET"}, "get", False),
        ({"GET", "POST"}, "POST", True),
        (set(), "GET", False),
    ],
)
def test_a_rule_covers_the_methods_that_it_names_and_get_covers_head(
    methods: set[str] | None, method: str, covered: bool
) -> None:
    assert rule("/a", methods=methods).covers(method) is covered


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (None, None, None),
        (None, {"GET"}, {"GET"}),
        ({"GET"}, {"POST"}, set()),
        ({"GET", "PUT"}, {"POST", "PUT"}, {"PUT"}),
        ({"GET"}, {"HEAD"}, {"HEAD"}),
        ({"GET"}, {"GET"}, {"GET", "HEAD"}),
    ],
)
def test_where_two_rules_meet(one: set[str] | None, other: set[str] | None, shared: set[str] | None) -> None:
    assert meet(rule("/a", methods=one), rule("/a", methods=other)) == shared
    assert meet(rule("/a", methods=other), rule("/a", methods=one)) == shared


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
