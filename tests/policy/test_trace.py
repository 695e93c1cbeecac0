from dataclasses import dataclass
from datetime import UTC
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.identity import Identity
from gateway.policy.conditions import All, Any_, Anyone, Claim, Condition, Group, Not, SignedIn, evaluate
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.hours import Time
from gateway.policy.persons import Mandate, Organisations, Tenant
from gateway.policy.request_conditions import Header, Network
from gateway.policy.trace import TracedCondition, explain, in_words, trace
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Exists, Sha256, Suffix, Within
from tests.policy.short import person, rule, table

AGENT = person(groups=("agents", "élus"))
NOT_TOLD = person(frozenset({"groups"}))


def test_a_trace_shows_what_each_rule_with_a_say_answers() -> None:
    wide, narrow = rule("/**", Anyone(), deny=Group("externes")), rule("/x", Group("agents"), methods={"GET"})
    match = table(wide, narrow).find(("x",))

    def told(method: str, identity: Identity | None) -> list[tuple[object, str, Truth]]:
        return [(one.rule, one.say, one.step.truth) for one in trace(match, method, identity)]

    assert told("GET", AGENT) == [(wide.ref, "deny", Truth.FALSE), (narrow.ref, "allow", Truth.TRUE)]
    assert told("GET", None) == [(wide.ref, "deny", Truth.UNKNOWN), (narrow.ref, "allow", Truth.UNKNOWN)]
    assert told("POST", AGENT) == [(wide.ref, "deny", Truth.FALSE)]
    assert trace(None, "GET", AGENT) == ()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Anyone(), "anyone"),
        (SignedIn(), "signed_in"),
        (Group("élus"), "group élus"),
        (Claim("mail", Equals("a@corp.example")), "claim mail equals a@corp.example"),
        (Claim("uai", Within(frozenset({"b", "a"}))), "claim uai within a, b"),
        (Claim("mail", Suffix("@corp.example")), "claim mail suffix @corp.example"),
        (Claim("uai", Exists()), "claim uai exists"),
        (Header("x-api-key", Sha256(frozenset({"a" * 64}))), f"header x-api-key sha256 {'a' * 64}"),
        (All((Anyone(), SignedIn())), "all"),
        (Any_((Anyone(),)), "any"),
        (Not(Anyone()), "not"),
    ],
)
def test_a_condition_in_words(condition: Condition, words: str) -> None:
    assert in_words(condition) == words


@pytest.mark.parametrize(
    ("condition", "identity", "step"),
    [
        (Group("agents"), AGENT, TracedCondition("group agents", Truth.TRUE, "groups: agents, élus")),
        (Group("chefs"), person(), TracedCondition("group chefs", Truth.UNKNOWN, "no groups here")),
        (Group("chefs"), NOT_TOLD, TracedCondition("group chefs", Truth.UNKNOWN, "groups: left out by metropole")),
        (Group("chefs"), None, TracedCondition("group chefs", Truth.UNKNOWN, "nobody is signed in")),
        (Claim("mail", Exists()), AGENT, TracedCondition("claim mail exists", Truth.UNKNOWN, "no mail here")),
        (Anyone(), None, TracedCondition("anyone", Truth.TRUE, "")),
        (SignedIn(), AGENT, TracedCondition("signed_in", Truth.TRUE, "")),
    ],
)
def test_what_a_condition_came_to_and_what_it_was_held_against(
    condition: Condition, identity: Identity | None, step: TracedCondition
) -> None:
    assert explain(condition, identity) == step


def test_what_is_made_of_others_shows_each() -> None:
    step = explain(All((Not(Group("externes")), Any_((Group("agents"), SignedIn())))), AGENT)
    refused, allowed = step.parts
    assert (step.text, step.truth, step.why) == ("all", Truth.TRUE, "")
    assert [part.text for part in refused.parts] == ["group externes"]
    assert [(part.text, part.truth) for part in allowed.parts] == [
        ("group agents", Truth.TRUE),
        ("signed_in", Truth.TRUE),
    ]


LEAVES = st.sampled_from([Anyone(), SignedIn(), Group("agents"), Claim("mail", Suffix("@corp.example"))])
CONDITIONS = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        below.map(Not),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: Any_(tuple(parts))),
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.sampled_from([None, AGENT, NOT_TOLD, person(mail=("a@corp.example",))]))
def test_the_truth_that_is_told_is_the_one_that_decides(condition: Condition, identity: Identity | None) -> None:
    assert explain(condition, identity).truth is evaluate(condition, identity)


def test_fields_of_a_kind_that_is_not_known_here_are_told_in_their_order() -> None:
    @dataclass(frozen=True)
    class MaxAge:
        seconds: int
        clock: str | None = None
        days: tuple[str, ...] = ("mon", "tue")

    assert in_words(MaxAge(900)) == "max_age 900 mon, tue"  # type: ignore[arg-type]


def test_what_the_request_alone_can_tell_is_not_put_down_to_nobody_being_signed_in() -> None:
    inside, asked = (
        Network(frozenset({ip_network("10.0.0.0/8")})),
        RequestFacts(ip_address("10.1.2.3"), (), "/", "", 0.0),
    )
    for identity in (None, AGENT):
        assert explain(inside, identity).why == "the client's address is not told"
        assert explain(inside, identity, Facts("GET", None, asked)) == TracedCondition(
            "network 10.0.0.0/8", Truth.TRUE, ""
        )
    hours = Time(frozenset({"mon"}), (), (), UTC)
    assert (explain(hours, None).truth, explain(hours, None).why) == (Truth.UNKNOWN, "")


def test_for_whom_a_person_acts_and_what_mandates_they_hold_is_told() -> None:
    lille = Tenant("siren 215903501", (Organisations("", frozenset(), frozenset({"215903501"})),))
    assert explain(lille, AGENT, Facts("GET", "21590350100017")).why == "acts for 21590350100017"
    assert explain(lille, AGENT, Facts("GET")).why == "no organisation here"
    assert explain(lille, None, Facts("GET")).why == "nobody is signed in"
    mayor = Mandate(frozenset({"maire"}))
    assert explain(mayor, person(mandates=("adjoint",))).why == "mandates: adjoint"
    assert explain(mayor, AGENT).why == "no mandates here"
