"""The conditions of one decision are bounded together, not one by one: one team's file never holds up the others."""

from dataclasses import dataclass, replace
from functools import reduce
from ipaddress import IPv4Address, ip_network
from itertools import product

import pytest

from gateway.config.compile.cel import Cel, Tally
from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Challenge, Deny
from gateway.model.errors import GatewayError
from gateway.model.levels import ProviderLevels
from gateway.model.names import LenientName
from gateway.policy.budget import MOST_STEPS, Budget, Clocks
from gateway.policy.conditions import All, Any_, Claim, Condition, Group, Not, SignedIn, When, evaluate, too_costly
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.levels import USUAL_LADDER, AcrMin, Amr, Ladder, MaxAge
from gateway.policy.patterns import compile_expression
from gateway.policy.persons import Mandate, Organisations, Tenant
from gateway.policy.request_conditions import Header, Network, Query
from gateway.policy.routes import Match
from gateway.policy.rules import Rule
from gateway.policy.step_up import needed, required
from gateway.policy.truth import FALSE, UNKNOWN, Truth
from gateway.policy.values import Equals, Exists, Matches, Sha256, Suffix, Within, compile_re2
from tests.growth import steps
from tests.policy.short import person, rule, split, table

GROUPS = 1000
VALUES = tuple(f"{number:040}@lyon.example" for number in range(GROUPS))
LADDER = Ladder(
    USUAL_LADDER, {"metropole": ProviderLevels(frozenset({"acr", "amr", "fresh_login"}), amr={"pwd": "eidas1"})}
)
PERSON = replace(
    person(groups=VALUES, mandates=VALUES, mail=("a@lyon.example",)),
    amr=("pwd", *(f"m{number}" for number in range(300))),
    authenticated_at=1,
)
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
    "clock expression": expression("request.time.getHours('Europe/Paris') > 28"),
    "mandate": Mandate(frozenset({"maire"})),
    "tenant": Tenant("", (Organisations("", frozenset({"22590001800014"}), frozenset()),) * 100),
    "acr_min": AcrMin("eidas3", LADDER),
    "amr": Amr(frozenset({"otp"}), LADDER),
    "not": reduce(lambda part, _: Not(part), range(27), SignedIn()),
}


@dataclass
class Clock:
    """Stands still: a test that counts work is slower than the gateway. Seconds."""

    wall: float = 1.0
    thread: float = 1.0


def budgeted(clock: Clock | None = None) -> Budget:
    clock = clock or Clock()
    return Budget(Clocks(lambda: clock.wall, lambda: clock.thread))


def asked(budget: Budget | None) -> Facts:
    return Facts("GET", "21590350100017", REQUEST, budget)


@pytest.mark.parametrize("kind", COSTLY)
@pytest.mark.parametrize("many", [Any_, lambda parts: All(tuple(map(Not, parts)))], ids=["any", "all"])
def test_conditions_that_cost_too_much_together_refuse(kind: str, many: type[Any_]) -> None:
    condition = many((COSTLY[kind],) * 2000)
    at = table(rule("/**", condition)).find(split("/"))
    decision = decide(at, "GET", PERSON, asked(budgeted()))
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.EXPRESSION
    assert decision.detail.startswith("the conditions of this path could take over 2,000,000 steps")


@pytest.mark.parametrize("kind", COSTLY)
def test_what_comes_after_is_not_evaluated(kind: str) -> None:
    """The work of a decision ends with its budget, so more conditions are no more work."""

    def work(number: int) -> int:
        condition = Any_((COSTLY[kind],) * number)
        return steps(lambda: evaluate(condition, PERSON, asked(budgeted())))

    assert work(8_000) <= work(2_000)


def test_so_it_is_with_rules_that_deny() -> None:
    """A path may have a rule that denies for each pattern that covers it."""

    def work(depth: int) -> int:
        patterns = ["/" + "/".join(pieces) for pieces in product(("a", "*"), repeat=depth)]
        at = table(*(rule(pattern, deny=COSTLY["matches"]) for pattern in patterns)).find(("a",) * depth)
        assert at is not None
        decision = decide(at, "GET", PERSON, asked(budgeted()))
        assert isinstance(decision, Deny), decision
        assert decision.reason is policy_codes.EXPRESSION
        return steps(lambda: decide(at, "GET", PERSON, asked(budgeted())))

    # Each rule is looked at once: does it cover the method?
    assert work(8) - work(5) < 10 * (256 - 32)


def test_one_of_each_is_within_the_budget() -> None:
    of_hundred_groups = replace(PERSON, attributes={**PERSON.attributes, "groups": VALUES[:100]})
    assert evaluate(Any_(tuple(COSTLY.values())), of_hundred_groups, asked(budgeted())) is FALSE


def test_before_the_sign_in_the_person_is_asked_to_sign_in() -> None:
    at = table(rule("/**", Any_((COSTLY["query"],) * 2000 + (Group("dsi"),)))).find(split("/"))
    decision = decide(at, "GET", None, asked(budgeted()))
    assert isinstance(decision, Challenge)
    assert decision.reason is session_codes.REQUIRED


def test_what_is_decided_before_the_request_is_bounded_too() -> None:
    condition = All((Not(Any_((COSTLY["matches"],) * 2000)), Header("y", Exists())))
    at = table(rule("/**", condition)).find(split("/"))
    assert at is not None
    ready = settled(at, "GET", PERSON, Facts("GET", budget=budgeted()))
    decision = decide(ready, "GET", PERSON, asked(budgeted()))
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.EXPRESSION
    assert decision.detail.startswith("the conditions of this path could take over")


def test_the_sign_in_that_would_help_is_looked_for_within_the_budget() -> None:
    """Each age that the rules name is tried, and the rules are built anew for it."""

    def work(number: int) -> int:
        ages = tuple(MaxAge(seconds, LADDER) for seconds in range(1, number))
        at = table(rule("/**", All((*ages, Any_((Group("dsi"),) * 1000))))).find(split("/"))
        assert at is not None
        assert needed(at, "GET", PERSON, asked(budgeted())) is None
        return steps(lambda: (required(at, "GET", asked(budgeted())), needed(at, "GET", PERSON, asked(budgeted()))))

    assert work(800) < 3 * work(200)


def test_a_sign_in_that_the_provider_does_not_offer_is_not_tried() -> None:
    ladder = Ladder(USUAL_LADDER, {"metropole": ProviderLevels(frozenset({"acr"}))})
    levels = tuple(AcrMin(level, ladder) for level in USUAL_LADDER[1:])

    def work(number: int) -> int:
        ages = tuple(MaxAge(seconds, ladder) for seconds in range(1, number))
        at = table(rule("/**", All((Group("dsi"), *ages, *levels)))).find(split("/"))
        assert at is not None
        assert needed(at, "GET", PERSON, asked(budgeted())) is None
        return steps(lambda: needed(at, "GET", PERSON, asked(budgeted())))

    # Each age is looked at once, however many levels there are.
    assert work(800) - work(200) < 20 * 600


def test_a_small_condition_in_a_thousand_rules_is_bounded_too() -> None:
    def work(depth: int) -> int:
        patterns = ["/" + "/".join(pieces) for pieces in product(("a", "*"), repeat=depth)]
        old = Not(MaxAge(1, LADDER))
        ages = All(tuple(MaxAge(seconds, LADDER) for seconds in range(1, 200)))
        at = table(*(rule(pattern, ages, deny=old) for pattern in patterns)).find(("a",) * depth)
        assert at is not None
        return steps(
            lambda: (settled(at, "GET", PERSON, asked(budgeted())), needed(at, "GET", PERSON, asked(budgeted())))
        )

    assert work(10) - work(8) < 300 * (1024 - 256)


@pytest.mark.parametrize(
    "condition", [Any_((Group("dsi"),) * 1000), All((MaxAge(60, LADDER),) * 1000)], ids=["group", "age"]
)
def test_rules_that_do_not_decide_are_no_work(condition: Condition) -> None:
    """Rules of other methods on the path, and what rules of wider patterns allow."""

    def work(*others: Rule) -> int:
        ages = All(tuple(MaxAge(seconds, LADDER) for seconds in range(1, 10)))
        denies = rule("/**", None, deny=Group("dsi"), methods={"DELETE"})
        at = table(rule("/a", ages, methods={"GET"}), denies, *others).find(split("/a"))
        assert at is not None
        return steps(lambda: (required(at, "GET", asked(budgeted())), settled(at, "GET", PERSON, asked(budgeted()))))

    many = [rule("/a", condition, deny=condition, methods={method}) for method in ("POST", "PUT", "PATCH")]
    wide = rule("/**", condition, deny=Group("x"), methods={"GET"})
    assert work(*many, wide) < work() + 3000


def test_a_condition_is_walked_through_once_when_it_is_built() -> None:
    """A new combination of patterns is met at any request."""

    def work(size: int) -> int:
        rules = (rule("/**", None, deny=Any_((SignedIn(),) * size)),) * 100
        return steps(lambda: Match("/**", rules, rules))

    assert work(1000) == work(10)


def test_a_name_of_many_dots_is_compared_only_as_far_as_it_counts() -> None:
    name = LenientName("id")
    assert steps(lambda: name.may_be("id" + ".b" * 4000)) == steps(lambda: name.may_be("id" + ".b" * 40))


LONG = tuple(f"{number:02}" + "a" * 8000 for number in range(64))


@pytest.mark.parametrize(
    ("condition", "number", "values"),
    [
        (Group("a" * 7998 + "bb"), 500, tuple("a" * 7998 + f"{number:02}" for number in range(64))),
        (Claim("groups", Suffix("." + "x" * 100_000)), 2, VALUES),
        (expression("user.groups.exists(g, g.matches('^a'))"), 50, LONG),
    ],
    ids=["group", "suffix", "expression"],
)
def test_what_is_long_is_dearer(condition: Condition, number: int, values: tuple[str, ...]) -> None:
    facts = asked(budgeted())
    evaluate(Any_((condition,) * number), person(groups=values), facts)
    assert facts.is_over_budget


def test_the_combinations_of_levels_and_ages_are_counted() -> None:
    names = tuple(f"level{number}" for number in range(40))
    told = ProviderLevels(can=frozenset({"acr"}))
    ladder = Ladder(names, {"metropole": told})

    def work(number: int) -> int:
        ages = tuple(MaxAge(seconds, ladder) for seconds in range(1, number))
        levels = tuple(AcrMin(name, ladder) for name in names)
        at = table(rule("/**", All((*levels, *ages)))).find(split("/"))
        assert at is not None
        return steps(lambda: needed(at, "GET", PERSON, asked(budgeted())))

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
    assert evaluate(dear, person(mail=("ab" * 4096,)), asked(budgeted())) is UNKNOWN
    assert evaluate(dear, person(mail=("ab" * 32,)), asked(budgeted())) is FALSE


def test_mandates_are_counted_too() -> None:
    assert (
        evaluate(Any_((Mandate(frozenset({"maire"})),) * (MOST_STEPS // 100 + 1)), PERSON, asked(budgeted())) is UNKNOWN
    )


def test_a_tool_explains_every_condition() -> None:
    assert evaluate(Any_((COSTLY["matches"],) * 50), PERSON, asked(budgeted())) is UNKNOWN
    assert evaluate(Any_((COSTLY["matches"],) * 50), PERSON, asked(None)) is FALSE


# --- the clock, where the steps are too few ---


LOOK = 20_000
"""Steps after which the budget looks at the clock."""


def test_a_decision_that_takes_far_longer_than_its_steps_ends() -> None:
    clock = Clock()
    facts = asked(budgeted(clock))
    assert facts.afford(LOOK + 1)
    clock.wall += 0.04
    assert facts.afford(LOOK + 1)
    clock.thread += 0.03
    assert not facts.afford(LOOK + 1)
    assert not facts.afford(0)
    assert evaluate(Any_((SignedIn(),)), PERSON, facts) is UNKNOWN


def test_a_machine_that_is_busy_with_other_work_refuses_nobody() -> None:
    clock = Clock()
    facts = asked(budgeted(clock))
    for _ in range(10):
        clock.wall += 10
        assert facts.afford(LOOK + 1)


def test_the_parts_of_one_decision_have_one_clock() -> None:
    clock = Clock()
    budget = budgeted(clock)
    assert not budget.spend(MOST_STEPS + 1)
    assert budget.renew().spend(MOST_STEPS)
    clock.wall += 0.04
    assert budget.renew().spend(MOST_STEPS)
    clock.thread += 0.03
    assert not budget.renew().spend(LOOK + 1)


def test_each_value_is_charged_to_an_expression() -> None:
    """One condition may have thousands of values: the clock is looked at between two of them."""
    clock, seen = Clock(), []

    class Slow:
        programsize = 10

        def fullmatch(self, value: bytes) -> None:
            seen.append(value)
            clock.wall, clock.thread = clock.wall + 0.01, clock.thread + 0.01

    test = Matches("x")
    object.__setattr__(test, "compiled", Slow())
    assert evaluate(Claim("groups", test), person(groups=VALUES), asked(budgeted(clock))) is UNKNOWN
    assert len(seen) < 200


def test_the_expressions_of_a_path_have_one_budget() -> None:
    """256 nodes, each with an expression of its own, and a segment of a stranger."""
    patterns = [
        "/" + "/".join(pieces) + f"/~.*b[ab]{{{90 + number}}}x"
        for number, pieces in enumerate(product(("a", "*"), repeat=8))
    ]
    routes = table(*(rule(pattern) for pattern in patterns))
    for segment in ("ab" * 3950, "ab" * 40):
        with pytest.raises(GatewayError) as caught:
            routes.find((*("a",) * 8, segment))
        assert caught.value.code is policy_codes.EXPRESSION
    assert routes.find((*("a",) * 8, "ab" * 10)) is None


def test_an_expression_is_matched_once_for_each_segment() -> None:
    """One match takes a third of what a path may take, and the path meets the expression at 256 nodes."""
    routes = table(*(rule("/" + "/".join(pieces) + "/~[ab]{400}x") for pieces in product(("a", "*"), repeat=8)))
    assert routes.find((*("a",) * 8, "ab" * 200)) is None


@pytest.mark.parametrize("group", ["(?P<name>a*)", "(?<name>a*)"])
def test_a_group_with_a_name_does_not_load(group: str) -> None:
    """RE2 copies its place at each letter, whatever it is told."""
    with pytest.raises(GatewayError, match="a group has a name"):
        compile_re2(group)
    with pytest.raises(GatewayError, match="a group has a name"):
        compile_expression(group, case_insensitive=False)
    assert compile_re2(group, groups=True).groups == 1


def test_the_reason_of_an_expression_is_looked_for_within_the_budget() -> None:
    class Dear:
        usual_steps = 0
        asked = 0

        def truth(self, identity: object, facts: Facts) -> Truth:
            return UNKNOWN

        def too_costly(self, identity: object, facts: Facts) -> str:
            Dear.asked += 1
            facts.afford(MOST_STEPS // 10)
            return ""

    dear = When("x", Dear(), of_identity=True, of_request=False)
    assert too_costly(All((dear,) * 100), PERSON, asked(budgeted())).startswith("the conditions of this path")
    assert Dear.asked < 15
