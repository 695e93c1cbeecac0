"""`when:`: typed at load, and nothing but the boolean true lets anybody in."""

import sys
from ipaddress import ip_address

import pytest

from gateway.config.compile.cel import Cel, Tally, loading
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.conditions import evaluate
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.truth import Truth
from tests.config.samples import PERMIS, problems
from tests.policy.short import person

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
ATTRIBUTES = ("mail", "groups", "uai", "phone")
PAUL = person(mail=("paul@metropole.example",), groups=("ONDE", "elus"), uai=("0590001A", "0590002B"))
ASKED = Facts("GET", "21590350100017", RequestFacts(ip_address("10.1.2.3"), (), "/a/b", "", 1764061200.0))


def cel(tally: Tally | None = None) -> Cel:
    return Cel(ATTRIBUTES, tally or Tally())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true", TRUE),
        ("false", FALSE),
        ("user.mail.endsWith('@metropole.example') && 'elus' in user.groups", TRUE),
        ("user.mail.endsWith('@autre.example')", FALSE),
        ("user.provider == 'metropole' && user.subject == 's-1'", TRUE),
        ("user.tenant.startsWith('215903501')", TRUE),
        ("values.uai.exists(code, code.matches('059.*A'))", TRUE),
        ("values.uai.all(code, code.matches('^059[0-9]{4}A$'))", FALSE),
        ("user.uai == '0590001A'", UNKNOWN),  # two values have no one value
        ("user.phone == ''", UNKNOWN),
        ("!(user.phone == '')", UNKNOWN),
        ("user.phone == '' || true", TRUE),
        ("user.phone == '' && false", FALSE),
        ("1 / 0 == 1", UNKNOWN),
        ("request.method == 'GET' && request.path == '/a/b'", TRUE),
        ("request.client.startsWith('10.')", TRUE),
        ("request.time.getHours('Europe/Paris') == 10", TRUE),
        ("request.time < timestamp('2030-01-01T00:00:00Z')", TRUE),
    ],
)
def test_only_the_boolean_true_is_true(source: str, expected: Truth) -> None:
    assert evaluate(cel().compile(source), PAUL, ASKED) is expected


NESTED = "user.groups.all(a, " * 2 + "a != ''" + ")" * 2


def test_what_never_ends_is_cut_and_counted() -> None:
    tally = Tally()
    many = person(groups=tuple(map(str, range(110))))
    assert evaluate(cel(tally).compile(NESTED), many, ASKED) is UNKNOWN
    assert tally.failures == 1


@pytest.mark.parametrize(
    ("identity", "source", "failures"),
    [(PAUL, "user.phone == ''", 1), (PAUL, "user.mail == ''", 0), (None, "user.mail == ''", 0), (None, "1/0 == 1", 1)],
)
def test_what_cannot_be_told_is_counted_but_for_want_of_a_person(
    identity: Identity | None, source: str, failures: int
) -> None:
    tally = Tally()
    evaluate(cel(tally).compile(source), identity, ASKED)
    assert tally.failures == failures


def test_what_was_left_out_is_unknown_even_where_a_part_came() -> None:
    partly = person(frozenset({"groups"}), groups=("ONDE",))
    for source in ("'ONDE' in user.groups", "'ONDE' in values.groups", "!('elus' in user.groups)"):
        assert evaluate(cel().compile(source), partly, ASKED) is UNKNOWN


@pytest.mark.parametrize(
    ("source", "of_identity", "of_request"),
    [
        ("true", False, False),
        ("user.mail == 'a'", True, False),
        ("values.uai.exists(x, x == 'a')", True, False),
        ("request.method == 'GET'", False, False),
        ("request.path == '/'", False, True),
        ("request.time > timestamp(0) && user.tenant == ''", True, True),
        ("[{'a': request.client}].exists(m, m['a'] == user.mail)", True, True),
        ("user.groups.map(g, g + request.path).size() > 1 ? true : false", True, True),
    ],
)
def test_what_it_turns_on(source: str, of_identity: bool, of_request: bool) -> None:
    when = cel().compile(source)
    assert (when.of_identity, when.of_request) == (of_identity, of_request)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("user.maill == 'a'", "1:5: undeclared reference to 'user.maill'"),
        ("user.mail == 1", "1:11: found no matching overload for '_==_' applied to '(string, int)'"),
        ("user.mail", "this comes to STRING, and a condition is true or false"),
        ("dyn(true)", "this comes to DYN, and a condition is true or false"),
        ("1 +", "1:4: Syntax error"),
        ("", "1:1: Syntax error"),
        ("user.mail.matches('(?=a)')", "`(?=a)`: invalid perl operator: (?="),
        ("matches(user.mail, '(?=a)')", "`(?=a)`: invalid perl operator: (?="),
        ("user.groups.exists(g, !g.matches(r'(a)\\1'))", r"`(a)\1`: invalid escape sequence: \1"),
        ("{'a': user.mail.matches('(?=a)')}['a']", "`(?=a)`: invalid perl operator: (?="),
        ("user.mail.matches(user.tenant)", "what `matches` takes is written out, not computed"),
        ("user.mail.matches('a' + 'b')", "what `matches` takes is written out, not computed"),
        ("(" * 200 + "true" + ")" * 200, "CANCELLED: Expression recursion limit exceeded"),
        ("user.mail == '\ud800'", "half of a surrogate pair"),
    ],
)
def test_what_is_wrong_is_found_at_load(source: str, said: str) -> None:
    with pytest.raises(GatewayError) as refused:
        cel().compile(source)
    assert refused.value.detail.startswith(said), refused.value.detail


def test_without_the_extra_the_place_and_the_way_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cel_expr_python", "cel_expr_python.cel"):
        monkeypatch.setitem(sys.modules, name, None)
    (found,) = problems({"apps/permis.yaml": PERMIS.replace("allow: signed_in", "allow: {when: 'true'}")})
    assert found.startswith(
        "policies/apps/permis.yaml:12:31: access[2].allow.when: `when` needs the extra cel: install it too "
        "(docs/how-to/install-it.md), or write other conditions: import of cel_expr_python"
    )
    assert not list(loading())
