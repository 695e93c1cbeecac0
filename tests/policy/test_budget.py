"""The conditions of one decision are bounded together, not one by one: one team's file never holds up the others."""

from ipaddress import IPv4Address, ip_network
from itertools import product

import pytest

from gateway.config.compile.cel import Cel, Tally
from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Challenge, Deny
from gateway.model.levels import ProviderLevels
from gateway.policy.budget import MOST_STEPS, Budget
from gateway.policy.conditions import All, Any_, Claim, Condition, Group, Not, When, evaluate
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.levels import USUAL_LADDER, AcrMin, Ladder, MaxAge
from gateway.policy.patterns import compile_expression
from gateway.policy.persons import Mandate
from gateway.policy.request_conditions import Header, Network, Query
from gateway.policy.step_up import needed, required
from gateway.policy.truth import FALSE, UNKNOWN
from gateway.policy.values import Equals, Exists, Matches, Sha256, Suffix, Within, compile_re2
from tests.growth import steps
from tests.policy.short import person, rule, split, table

GROUPS = 1000
PERSON = person(groups=tuple(f"{number:040}@lyon.example" for number in range(GROUPS)), mail=("a@lyon.example",))
REQUEST = RequestFacts(
    IPv4Address("192.0.2.1"),
    tuple((f"x-{number}", "a") for number in range(100)),
    "/",
    "&".join(f"a{number}=b" for number in range(500)),
    1.0,
)


def expression(text: str) -> When:
    return Cel(("groups", "mail"), Tally()).compile(text)


COSTLY: dict[str, Condition] = {
    "expression": expression("user.groups.exists(group, group.matches('^dsi-[0-9]+$'))"),
    "long expression": expression(" || ".join(f"user.mail == '{number}'" for number in range(100))),
    "group": Group("dsi"),
    "equals": Claim("groups", Equals("dsi")),
    "in": Claim("groups", Within(frozenset({"dsi"}))),
    "suffix": Claim("groups", Suffix("@paris.example")),
    "matches": Claim("groups", Matches("dsi-[0-9]+")),
    "sha256": Claim("groups", Sha256(frozenset({"0" * 64}))),
    "query": Query("b", Exists()),
    "header": Header("y", Exists()),
    "network": Network(frozenset(ip_network(f"10.0.{number}.0/24") for number in range(200))),
}


def asked(budget: Budget | None) -> Facts:
    return Facts("GET", asked=REQUEST, budget=budget)


@pytest.mark.parametrize("kind", COSTLY)
@pytest.mark.parametrize("many", [Any_, lambda parts: All(tuple(map(Not, parts)))], ids=["any", "all"])
def test_conditions_that_cost_too_much_together_refuse(kind: str, many: type[Any_]) -> None:
    condition = many((COSTLY[kind],) * 2000)
    at = table(rule("/**", condition)).find(split("/"))
    decision = decide(at, "GET", PERSON, asked(Budget()))
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.EXPRESSION
    assert decision.detail.startswith("the conditions of this path could take over 2,000,000 steps")


@pytest.mark.parametrize("kind", COSTLY)
def test_what_comes_after_is_not_evaluated(kind: str) -> None:
    """The work of a decision ends with its budget, so more conditions are no more work."""

    def work(number: int) -> int:
        condition = Any_((COSTLY[kind],) * number)
        return steps(lambda: evaluate(condition, PERSON, asked(Budget())))

    assert work(8_000) <= work(2_000)


def test_so_it_is_with_rules_that_deny() -> None:
    """A path may have a rule that denies for each pattern that covers it."""

    def work(depth: int) -> int:
        patterns = ["/" + "/".join(pieces) for pieces in product(("a", "*"), repeat=depth)]
        at = table(*(rule(pattern, deny=COSTLY["matches"]) for pattern in patterns)).find(("a",) * depth)
        assert at is not None
        decision = decide(at, "GET", PERSON, asked(Budget()))
        assert isinstance(decision, Deny), decision
        assert decision.reason is policy_codes.EXPRESSION
        return steps(lambda: decide(at, "GET", PERSON, asked(Budget())))

    # Each rule is looked at once: does it cover the method?
    assert work(8) - work(5) < 10 * (256 - 32)


def test_one_of_each_is_within_the_budget() -> None:
    of_hundred_groups = person(groups=PERSON.attributes["groups"][:100], mail=("a@lyon.example",))
    assert evaluate(Any_(tuple(COSTLY.values())), of_hundred_groups, asked(Budget())) is FALSE


def test_before_the_sign_in_the_person_is_asked_to_sign_in() -> None:
    at = table(rule("/**", Any_((COSTLY["query"],) * 2000 + (Group("dsi"),)))).find(split("/"))
    decision = decide(at, "GET", None, asked(Budget()))
    assert isinstance(decision, Challenge)
    assert decision.reason is session_codes.REQUIRED


def test_what_is_decided_before_the_request_is_bounded_too() -> None:
    condition = All((Not(Any_((COSTLY["matches"],) * 2000)), Header("y", Exists())))
    at = table(rule("/**", condition)).find(split("/"))
    assert at is not None
    ready = settled(at, "GET", PERSON, Facts("GET", budget=Budget()))
    decision = decide(ready, "GET", PERSON, asked(Budget()))
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.EXPRESSION
    assert decision.detail.startswith("the conditions of this path could take over")


def test_the_sign_in_that_would_help_is_looked_for_within_the_budget() -> None:
    """Each age that the rules name is tried, and the rules are built anew for it."""
    ladder = Ladder(USUAL_LADDER, {})

    def work(number: int) -> int:
        ages = tuple(MaxAge(seconds, ladder) for seconds in range(1, number))
        at = table(rule("/**", All((*ages, Any_((Group("dsi"),) * 1000))))).find(split("/"))
        assert at is not None
        assert needed(at, "GET", PERSON, asked(Budget())) is None
        return steps(lambda: (required(at, "GET", asked(Budget())), needed(at, "GET", PERSON, asked(Budget()))))

    assert work(800) < 3 * work(200)


def test_the_rules_of_other_methods_are_counted_where_they_are_built_anew() -> None:
    ladder = Ladder(USUAL_LADDER, {})
    ages = All(tuple(MaxAge(seconds, ladder) for seconds in range(1, 40)))

    def work(parts: int) -> int:
        heavy = [rule("/**", Any_((Group("dsi"),) * parts), methods={method}) for method in ("PUT", "POST", "PATCH")]
        at = table(rule("/**", ages, methods={"GET"}), *heavy).find(split("/"))
        assert at is not None
        return steps(lambda: required(at, "GET", asked(Budget())))

    assert work(1600) < 2 * work(400)


def test_the_combinations_of_levels_and_ages_are_counted() -> None:
    names = tuple(f"level{number}" for number in range(40))
    told = ProviderLevels(can=frozenset({"acr"}))
    ladder = Ladder(names, {"metropole": told})

    def work(number: int) -> int:
        ages = tuple(MaxAge(seconds, ladder) for seconds in range(1, number))
        levels = tuple(AcrMin(name, ladder) for name in names)
        at = table(rule("/**", All((*levels, *ages)))).find(split("/"))
        assert at is not None
        return steps(lambda: needed(at, "GET", PERSON, asked(Budget())))

    assert work(400) < 2 * work(100)


def test_the_places_of_groups_are_not_asked_for() -> None:
    """RE2 would copy the place of each group at each letter."""
    with_groups, without = "(a*)" * 100, "(?:a*)" * 100
    assert compile_re2(with_groups).programsize == compile_re2(without).programsize
    assert compile_re2(with_groups, groups=True).programsize > compile_re2(without).programsize
    assert compile_expression(with_groups, False).programsize == compile_expression(without, False).programsize


def test_a_value_that_is_long_is_dear_to_a_large_expression() -> None:
    """RE2 leaves its automaton, and runs each instruction at each letter."""
    dear = Claim("mail", Matches("(?:(a|b)*a(a|b){600})"))
    assert evaluate(dear, person(mail=("ab" * 4096,)), asked(Budget())) is UNKNOWN
    assert evaluate(dear, person(mail=("ab" * 32,)), asked(Budget())) is FALSE


def test_mandates_are_counted_too() -> None:
    assert (
        evaluate(Any_((Mandate(frozenset({"maire"})),) * (MOST_STEPS // 100 + 1)), PERSON, asked(Budget())) is UNKNOWN
    )


def test_a_tool_explains_every_condition() -> None:
    assert evaluate(Any_((COSTLY["matches"],) * 5), PERSON, asked(Budget())) is UNKNOWN
    assert evaluate(Any_((COSTLY["matches"],) * 5), PERSON, asked(None)) is FALSE
