from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.identity import Identity
from gateway.policy.conditions import All, Any_, Anyone, Claim, Condition, Group, Not, SignedIn, evaluate
from gateway.policy.decide import decide
from gateway.policy.rules import Rule
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Suffix
from tests.policy.short import PATHS, PATTERNS, by_brute_force, person, rule, split, table

AGENT = person(groups=("agents",))
NOT_TOLD = person(frozenset({"groups"}))


def ask(path: str, identity: Identity | None, *rules: Rule, method: str = "GET") -> Decision:
    return decide(table(*rules).find(split(path)), method, identity)


# --- deny by default --------------------------------------------------------------------------------------------------


def test_no_rule_at_all() -> None:
    assert ask("/x", AGENT, rule("/y")) == Deny(None, policy_codes.NO_RULE)
    assert ask("/x", None) == Deny(None, policy_codes.NO_RULE)


def test_a_public_path_is_open_to_everyone() -> None:
    public = rule("/public/**", Anyone())
    for identity in (None, AGENT, NOT_TOLD):
        assert ask("/public/a", identity, public) == Allow(public.ref, policy_codes.ALLOWED)


def test_allow_needs_true() -> None:
    agents = rule("/**", Group("agents"), refusal="Réservé aux agents.")
    assert ask("/", AGENT, agents) == Allow(agents.ref, policy_codes.ALLOWED)
    refused = ask("/", person(groups=("externes",)), agents)
    assert refused == Deny(agents.ref, policy_codes.NOT_ALLOWED, "Réservé aux agents.")
    assert ask("/", person(), agents) == Deny(agents.ref, policy_codes.UNKNOWN, "Réservé aux agents.")
    assert ask("/", NOT_TOLD, agents) == Deny(agents.ref, policy_codes.UNKNOWN, "Réservé aux agents.")


# --- the most specific path decides -----------------------------------------------------------------------------------


def test_allow_is_not_inherited() -> None:
    wide, narrow = rule("/**", Anyone()), rule("/admin/**", Group("chefs"), refusal="Réservé aux chefs.")
    assert ask("/admin/x", AGENT, wide, narrow) == Deny(narrow.ref, policy_codes.NOT_ALLOWED, "Réservé aux chefs.")


def test_a_path_with_nothing_but_denies_decides_and_refuses_and_no_sign_in_would_help() -> None:
    wide, narrow = rule("/**", Anyone()), rule("/admin/**", None, deny=Group("externes"))
    assert ask("/admin", AGENT, wide, narrow) == Deny(narrow.ref, policy_codes.NOT_ALLOWED)
    assert ask("/admin", None, wide, narrow) == Deny(narrow.ref, policy_codes.NOT_ALLOWED)


def test_a_method_that_no_rule_of_the_path_names_never_falls_to_a_wider_path() -> None:
    wide = rule("/**", Anyone())
    reading, writing = rule("/admin/**", methods={"GET"}, refusal="Lecture seule."), rule("/admin/**", methods={"POST"})
    for identity in (None, AGENT):
        refused = ask("/admin", identity, wide, writing, reading, method="DELETE")
        assert refused == Deny(reading.ref, policy_codes.METHOD, "Lecture seule.")
    assert ask("/admin", AGENT, wide, reading, writing, method="POST") == Allow(writing.ref, policy_codes.ALLOWED)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("GET", policy_codes.ALLOWED),
        ("HEAD", policy_codes.ALLOWED),
        # PC15: no other method follows GET, whatever its name
        ("OPTIONS", policy_codes.METHOD),
        ("TRACE", policy_codes.METHOD),
        ("CONNECT", policy_codes.METHOD),
        ("FOO", policy_codes.METHOD),
        ("get", policy_codes.METHOD),
        ("G\x00ET", policy_codes.METHOD),
    ],
)
def test_methods(method: str, reason: object) -> None:
    decision = ask("/", None, rule("/**", methods={"GET"}), method=method)
    assert decision.reason is reason


# --- a deny is inherited ----------------------------------------------------------------------------------------------


def test_a_deny_of_a_wider_path_refuses_whatever_a_narrower_rule_allows() -> None:
    wide = rule("/**", Anyone(), deny=Group("externes"), refusal="Fermé aux externes.")
    narrow = rule("/admin/x", Anyone(), refusal="autre")
    assert ask("/admin/x", person(groups=("externes",)), wide, narrow) == Deny(
        wide.ref, policy_codes.DENIED, "Fermé aux externes."
    )
    assert ask("/admin/x", AGENT, wide, narrow) == Allow(narrow.ref, policy_codes.ALLOWED)


def test_a_deny_fires_on_unknown() -> None:
    wide, narrow = rule("/**", Anyone(), deny=Group("externes"), refusal="Non."), rule("/x", SignedIn())
    assert ask("/x", NOT_TOLD, wide, narrow) == Deny(wide.ref, policy_codes.UNKNOWN, "Non.")
    assert ask("/x", person(), wide, narrow) == Deny(wide.ref, policy_codes.UNKNOWN, "Non.")


def test_a_deny_speaks_for_its_own_methods() -> None:
    wide, narrow = rule("/**", None, deny=Group("agents"), methods={"GET"}), rule("/x", SignedIn())
    assert ask("/x", AGENT, wide, narrow) == Deny(wide.ref, policy_codes.DENIED)
    assert ask("/x", AGENT, wide, narrow, method="HEAD") == Deny(wide.ref, policy_codes.DENIED)
    assert ask("/x", AGENT, wide, narrow, method="POST") == Allow(narrow.ref, policy_codes.ALLOWED)


def test_a_sure_deny_is_told_before_an_unknown_one_and_the_most_specific_of_each() -> None:
    sure, doubtful, inner = (
        rule("/**", Anyone(), deny=Group("agents")),
        rule("/a/**", Anyone(), deny=Claim("rio", Equals("1"))),
        rule("/a/b", Anyone(), deny=Claim("rio", Equals("2"))),
    )
    assert ask("/a/b", AGENT, sure, doubtful, inner) == Deny(sure.ref, policy_codes.DENIED)
    assert ask("/a/b", person(groups=("x",)), sure, doubtful, inner) == Deny(inner.ref, policy_codes.UNKNOWN)


# --- groups that the provider left out: each of these three would be a way through with two values --------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: rule("/**", SignedIn(), deny=Not(Group("agents"))),
        lambda: rule("/**", Not(Any_((Group("externes"), Group("stagiaires"))))),
        lambda: rule("/**", Not(Not(Group("agents")))),
        lambda: rule("/**", Not(All((SignedIn(), Group("externes"))))),
    ],
)
def test_groups_left_out_refuse(make: Callable[[], Rule]) -> None:
    for identity in (NOT_TOLD, person()):
        decision = ask("/", identity, make())
        assert isinstance(decision, Deny)
        assert decision.reason is policy_codes.UNKNOWN


def test_an_address_with_two_readings_is_neither_allowed_nor_kept_from_a_deny() -> None:
    odd = person(mail=("a@evil.test@corp.example",))
    ours = Claim("mail", Suffix("@corp.example"))
    assert ask("/", odd, rule("/**", ours)).reason is policy_codes.UNKNOWN
    assert ask("/", odd, rule("/**", SignedIn(), deny=ours)).reason is policy_codes.UNKNOWN
    assert ask("/", odd, rule("/**", Not(ours))).reason is policy_codes.UNKNOWN


# --- nobody signed in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        (SignedIn(), None),
        (Group("agents"), None),
        (Not(Group("externes")), None),
        (Not(SignedIn()), None),
        (All((Anyone(), Group("agents"))), None),
        (Anyone(), Group("externes")),
        (Anyone(), Not(SignedIn())),
        (SignedIn(), Group("externes")),
    ],
)
def test_a_rule_that_turns_on_the_identity_asks_nobody_to_sign_in(allow: Condition, deny: Condition | None) -> None:
    asking = rule("/**", allow, deny=deny, refusal="Non.")
    assert ask("/", None, asking) == Challenge(asking.ref, session_codes.REQUIRED)


@pytest.mark.parametrize(
    ("allow", "deny", "reason"),
    [
        (Not(Anyone()), None, policy_codes.NOT_ALLOWED),
        (All((Not(Anyone()), SignedIn())), None, policy_codes.NOT_ALLOWED),
        (SignedIn(), Anyone(), policy_codes.DENIED),
        (Not(Anyone()), SignedIn(), policy_codes.NOT_ALLOWED),
    ],
)
def test_nobody_signs_in_for_a_sure_refusal(allow: Condition, deny: Condition | None, reason: object) -> None:
    refusing = rule("/**", allow, deny=deny)
    assert ask("/", None, refusing) == Deny(refusing.ref, reason)


def test_a_sign_in_is_asked_for_once_at_most() -> None:
    for identity in (AGENT, NOT_TOLD, person()):
        assert not isinstance(ask("/", identity, rule("/**", Group("x"), deny=Group("y"))), Challenge)


# --- random rules -----------------------------------------------------------------------------------------------------

CONDITIONS = st.sampled_from(
    [
        None,
        Anyone(),
        Not(Anyone()),
        SignedIn(),
        Group("agents"),
        Not(Group("agents")),
        Group("x"),
        Claim("a", Equals("1")),
    ]
)
METHODS = st.sampled_from([None, frozenset({"GET"}), frozenset({"POST"}), frozenset({"GET", "POST"})])
PEOPLE = st.sampled_from([None, AGENT, NOT_TOLD, person(), person(groups=("x",), a=("1",))])
RULES = st.dictionaries(PATTERNS, st.tuples(CONDITIONS, CONDITIONS, METHODS), max_size=8)


@pytest.mark.slow
@given(RULES, PATHS, st.sampled_from(["GET", "HEAD", "POST", "PUT"]), PEOPLE, st.randoms(use_true_random=False))
def test_a_decision_depends_on_no_order_and_lets_in_only_what_the_rules_say(
    chosen, path, method, identity, chance
) -> None:
    rules = {text: rule(text, allow, deny=deny, methods=methods) for text, (allow, deny, methods) in chosen.items()}
    shuffled = list(rules.values())
    chance.shuffle(shuffled)
    decision = decide(table(*shuffled).find(split(path)), method, identity)
    assert decision == decide(table(*rules.values()).find(split(path)), method, identity)

    matching = [rules[text] for text in by_brute_force(set(rules), path)]
    covering = [found for found in matching if found.covers(method)]
    denies = [evaluate(found.deny, identity) for found in covering if found.deny is not None]
    decider = matching[0] if matching and matching[0] in covering else None
    allow = evaluate(decider.allow, identity) if decider and decider.allow is not None else Truth.FALSE
    answers = [*denies, {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[allow]]
    expected: type[Decision] = Allow
    if Truth.TRUE in answers or (Truth.UNKNOWN in answers and identity is not None):
        expected = Deny
    elif Truth.UNKNOWN in answers:
        expected = Challenge
    assert type(decision) is expected
    assert isinstance(decision, Allow) or decision.rule is not None or not matching
