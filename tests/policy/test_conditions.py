import itertools
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import policy_codes
from gateway.model.decision import Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.conditions import (
    DEEPEST,
    All,
    Any_,
    Anyone,
    Claim,
    Condition,
    Group,
    Not,
    Settled,
    SignedIn,
    When,
    evaluate,
    settle,
)
from gateway.policy.decide import decide
from gateway.policy.facts import Facts
from gateway.policy.request_conditions import Header, Network
from gateway.policy.rules import Rule
from gateway.policy.truth import Truth, negated
from gateway.policy.values import Equals, Exists, Suffix, Within
from tests.policy import short
from tests.policy.short import person, rule, table
from tests.policy.test_request_conditions import asked

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN

# One condition for each value, for somebody who is in group `agents` and of whom nothing else is known.
SOMEBODY = person(groups=("agents",))
OF = {TRUE: Group("agents"), FALSE: Group("externes"), UNKNOWN: Claim("rio", Equals("1"))}


# --- one matcher ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Anyone(), TRUE),
        (SignedIn(), TRUE),
        (Group("agents"), TRUE),
        (Group("Agents"), FALSE),
        (Group("agent"), FALSE),
        (Group("users,admins"), FALSE),
        (Claim("uid", Equals("jdupont")), TRUE),
        (Claim("uid", Equals("JDUPONT")), FALSE),
        (Claim("uid", Within(frozenset({"a", "jdupont"}))), TRUE),
        (Claim("uid", Within(frozenset({"a", "b"}))), FALSE),
        (Claim("uid", Exists()), TRUE),
        (Claim("matricule", Suffix("-EXT")), TRUE),
        (Claim("matricule", Suffix("-ext")), FALSE),
        (Claim("role", Equals("second")), TRUE),
        (Claim("rio", Exists()), UNKNOWN),
        (Claim("rio", Equals("1")), UNKNOWN),
        (Claim("rio", Within(frozenset({"1"}))), UNKNOWN),
        (Claim("rio", Suffix(".x")), UNKNOWN),
    ],
)
def test_a_matcher_over_what_the_identity_holds(condition: Condition, expected: Truth) -> None:
    somebody = person(
        groups=("agents", "users", "admins"), uid=("jdupont",), matricule=("42-EXT",), role=("first", "second")
    )
    assert evaluate(condition, somebody) is expected


def test_an_attribute_that_is_missing_or_left_out_is_unknown_even_where_a_part_of_it_came() -> None:
    assert evaluate(Group("agents"), person()) is UNKNOWN
    assert evaluate(Group("agents"), person(frozenset({"groups"}))) is UNKNOWN
    assert evaluate(Group("agents"), person(frozenset({"groups"}), groups=("agents",))) is UNKNOWN
    assert evaluate(Group("agents"), person(frozenset({"groups"}), groups=("externes",))) is UNKNOWN
    assert evaluate(Claim("groups", Exists()), person(frozenset({"groups"}), groups=("agents",))) is UNKNOWN


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Anyone(), TRUE),
        (Not(Anyone()), FALSE),
        (SignedIn(), UNKNOWN),
        (Not(SignedIn()), UNKNOWN),
        (Group("agents"), UNKNOWN),
        (Claim("uid", Exists()), UNKNOWN),
        (Any_((Anyone(), SignedIn())), TRUE),
        (All((Not(Anyone()), SignedIn())), FALSE),
    ],
)
def test_of_nobody_the_identity_is_unknown(condition: Condition, expected: Truth) -> None:
    assert evaluate(condition, None) is expected


# --- e-mail domains ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mail", "suffix", "expected"),
    [
        ("a@corp.example", "@corp.example", TRUE),
        ("a@CORP.Example", "@corp.example", TRUE),
        ("a@corp.example", "@Corp.Example", TRUE),
        ("a@corp.example.test", "@corp.example", FALSE),
        # K094: a domain that only ends alike
        ("a@evilcorp.example", "@corp.example", FALSE),
        ("a@sub.corp.example", "@corp.example", FALSE),
        ("a@sub.corp.example", ".corp.example", TRUE),
        ("a@corp.example", ".corp.example", FALSE),
        # K005: an address with two readings
        ("a@evil.test@corp.example", "@corp.example", UNKNOWN),
        ('"a@corp.example"@evil.test', "@corp.example", UNKNOWN),
        ('"a@evil.test"@corp.example', "@corp.example", UNKNOWN),
        ("a@evil.test@x.corp.example", ".corp.example", UNKNOWN),
        ("a@corp.example.", "@corp.example", UNKNOWN),
        ("a@corp.example ", "@corp.example", UNKNOWN),
        ("@corp.example", "@corp.example", UNKNOWN),
        ("a@évil.example", "@corp.example", UNKNOWN),
        ("corp.example", "@corp.example", UNKNOWN),
        # No address at all: a host name, which knows no case either
        ("srv.corp.example", ".corp.example", TRUE),
        ("srv.CORP.example", ".corp.example", TRUE),
    ],
)
def test_a_suffix_reads_an_address_in_one_way_or_not_at_all(mail: str, suffix: str, expected: Truth) -> None:
    assert evaluate(Claim("mail", Suffix(suffix)), person(mail=(mail,))) is expected


def test_one_good_address_is_enough_and_a_bad_one_beside_a_foreign_one_stays_unknown() -> None:
    suffix = Claim("mail", Suffix("@corp.example"))
    assert evaluate(suffix, person(mail=("a@b@corp.example", "a@corp.example"))) is TRUE
    assert evaluate(suffix, person(mail=("a@evil.test", "a@b@corp.example"))) is UNKNOWN


@pytest.mark.parametrize("text", ["corp.example", "Corp", "9", "é.example"])
def test_a_suffix_that_a_longer_word_could_end_with_is_refused(text: str) -> None:
    with pytest.raises(GatewayError, match="separator") as refused:
        Suffix(text)
    assert refused.value.code is policy_codes.CONDITION


# --- three values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "both", "either"),
    [
        (TRUE, TRUE, TRUE, TRUE),
        (TRUE, FALSE, FALSE, TRUE),
        (TRUE, UNKNOWN, UNKNOWN, TRUE),
        (FALSE, FALSE, FALSE, FALSE),
        (FALSE, UNKNOWN, FALSE, UNKNOWN),
        (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_all_and_any(one: Truth, other: Truth, both: Truth, either: Truth) -> None:
    for parts in itertools.permutations((OF[one], OF[other])):
        assert evaluate(All(parts), SOMEBODY) is both
        assert evaluate(Any_(parts), SOMEBODY) is either


@pytest.mark.parametrize(("truth", "opposite"), [(TRUE, FALSE), (FALSE, TRUE), (UNKNOWN, UNKNOWN)])
def test_not_keeps_unknown(truth: Truth, opposite: Truth) -> None:
    assert evaluate(Not(OF[truth]), SOMEBODY) is opposite


def conditions(leaf: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(Any_, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=8,
    )


@given(conditions(st.sampled_from([Anyone(), *OF.values()])))
def test_what_is_certain_stays_so_whatever_the_unknown_turns_out_to_be(condition: Condition) -> None:
    now = evaluate(condition, SOMEBODY)
    later = {evaluate(condition, person(groups=("agents",), rio=(rio,))) for rio in ("1", "2")}
    assert now is UNKNOWN or later == {now}
    assert UNKNOWN not in later


@given(conditions(st.sampled_from([Anyone(), SignedIn(), *OF.values()])))
def test_of_nobody_only_what_turns_on_the_identity_is_unknown(condition: Condition) -> None:
    if evaluate(condition, None) is UNKNOWN:
        assert condition.of_identity
    if not condition.of_identity:
        assert evaluate(condition, None) is evaluate(condition, SOMEBODY)


# --- what may not be written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [lambda: All(()), lambda: Any_(()), lambda: Within(frozenset())])
def test_an_empty_list_is_refused_for_all_of_nothing_would_let_everyone_in(empty) -> None:
    with pytest.raises(GatewayError, match="empty list"):
        empty()


@pytest.mark.parametrize("build", [Group, Equals, Suffix, lambda text: Claim(text, Exists())])
@pytest.mark.parametrize("text", ["", "e\u0301lus"])
def test_a_text_that_no_mapped_value_can_equal_is_refused(build, text: str) -> None:
    with pytest.raises(GatewayError):
        build(text)


def test_conditions_are_nested_so_deep_and_no_deeper() -> None:
    condition: Condition = Anyone()
    for _ in range(DEEPEST - 1):
        condition = Not(condition)
    assert evaluate(condition, None) is FALSE
    for deeper in (Not, lambda inner: All((inner,)), lambda inner: Any_((inner,))):
        with pytest.raises(GatewayError, match="nested"):
            deeper(condition)


# --- ahead of the request ---------------------------------------------------------------------------------------------

INSIDE = Network(frozenset({ip_network("10.0.0.0/8")}))
SOME = st.sampled_from([*OF.values(), INSIDE, Header("x-mode", Exists()), Anyone(), SignedIn()])
NESTED = st.recursive(
    SOME,
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, min_size=1, max_size=3).map(lambda some: All(tuple(some))),
        st.lists(parts, min_size=1, max_size=3).map(lambda some: Any_(tuple(some))),
    ),
    max_leaves=8,
)


@given(NESTED, st.sampled_from([None, SOMEBODY]), st.sampled_from(["10.1.1.1", "192.0.2.1", ""]), st.booleans())
def test_what_is_settled_ahead_comes_to_the_same(
    condition: Condition, identity: Identity | None, client: str, has: bool
) -> None:
    facts = asked(client, headers=(("x-mode", "1"),) if has else ())
    ahead = settle(condition, identity, Facts("GET"))
    assert evaluate(ahead, None, facts) is evaluate(condition, identity, facts)
    assert ahead.of_identity == condition.of_identity
    assert ahead.of_request == condition.of_request
    if not condition.of_request:
        assert isinstance(ahead, Settled)


# --- the three sentences of the language ------------------------------------------------------------------------------

LEFT_OUT = person(frozenset({"groups"}))


@pytest.mark.parametrize("identity", [LEFT_OUT, person(frozenset({"groups"}), groups=("agents",)), person()])
@pytest.mark.parametrize(
    "rule",
    [
        rule("/**", None, deny=Not(Group("agents"))),
        rule("/**", Not(Any_((Group("externes"), Group("stagiaires"))))),
        rule("/**", Not(Not(Group("agents")))),
    ],
    ids=["deny not", "allow not any", "allow not not"],
)
def test_with_the_groups_left_out_all_three_refuse(rule: Rule, identity: Identity) -> None:
    rules = (rule,) if rule.deny is None else (rule, short.rule("/a", Anyone()))
    decision = decide(table(*rules).find(("a",)), "GET", identity)
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.UNKNOWN


class Constant:
    def __init__(self, value: Truth) -> None:
        self.value = value

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return self.value


@pytest.mark.parametrize("value", list(Truth))
def test_an_expression_is_a_condition_as_any_other(value: Truth) -> None:
    when = When("x", Constant(value), of_identity=True, of_request=False)
    assert evaluate(when, None) is value
    assert evaluate(Not(when), None) is negated(value)
    assert (Not(when).of_identity, Not(when).of_request) == (True, False)
