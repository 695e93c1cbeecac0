from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from gateway.access.decision import AppIdentity, Question
from gateway.access.outcome import Prepared
from gateway.model.codes import policy_codes, session_codes, translation_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need
from gateway.policy.facts import Facts, RequestFacts
from tests.access.decided import decided_at_once
from tests.config.samples import METROPOLE, PERMIS, sample_snapshot

APP = sample_snapshot().apps["permis"]


def person(provider: str = "metropole", uid: tuple[str, ...] = ("helene",)) -> Identity:
    return Identity(provider, "http://127.0.0.1:9400", "helene", {"uid": uid, "groups": ("administrateurs",)})


def test_a_decision_and_what_is_injected_come_together() -> None:
    passage = decided_at_once(APP, ("admin", ""), "GET", person())
    assert isinstance(passage.decision, Allow)
    assert isinstance(passage.prepared, Prepared)
    assert passage.prepared.headers == b"\r\nX-Remote-User: helene"


def test_nothing_is_injected_for_nobody_and_nothing_goes_with_a_refusal() -> None:
    public = decided_at_once(APP, ("public", "x"), "GET", None)
    assert isinstance(public.decision, Allow)
    assert isinstance(public.prepared, Prepared)
    assert public.prepared.headers == b""
    refused = decided_at_once(
        APP,
        ("admin", ""),
        "GET",
        Identity("metropole", "http://127.0.0.1:9400", "paul", {"uid": ("paul",), "groups": ("ONDE",)}),
    )
    assert (type(refused.decision), refused.prepared) == (Deny, None)


def test_a_provider_that_the_app_does_not_list_is_not_heard() -> None:
    """Invariant 5, on public paths too: the application is told nothing of a person whom it does not listen to."""
    assert decided_at_once(APP, ("",), "GET", person("autre")).decision == Challenge(
        decided_at_once(APP, ("",), "GET", None).decision.rule, policy_codes.PROVIDER
    )
    assert decided_at_once(APP, ("",), "GET", None).decision.reason is session_codes.REQUIRED
    public = decided_at_once(APP, ("public", ""), "GET", person("autre"))
    assert isinstance(public.prepared, Prepared)
    assert public.prepared.headers == b""


def test_a_provider_under_another_issuer_is_not_heard() -> None:
    """Invariant 5: the name of a provider file that now means somebody else does not carry old sessions over."""
    moved = sample_snapshot({"providers/metropole.yaml": METROPOLE.replace("127.0.0.1:9400", "127.0.0.1:9499")})
    passage = decided_at_once(moved.apps["permis"], ("",), "GET", person())
    assert isinstance(passage.decision, Challenge)
    assert passage.decision.reason is policy_codes.PROVIDER
    public = decided_at_once(moved.apps["permis"], ("public", ""), "GET", person())
    assert isinstance(public.prepared, Prepared)
    assert public.prepared.headers == b""


def test_a_person_outside_a_perimeter_that_was_narrowed_is_not_heard() -> None:
    """Invariant 5: what a provider may assert is asked of its file as it is now, not as it was at the sign-in."""
    there = replace(person(), attributes={**person().attributes, "mail": ("helene@metropole.example",)})
    assert isinstance(decided_at_once(APP, ("",), "GET", there).decision, Allow)
    narrower = METROPOLE.replace("email_domains: [metropole.example]", "email_domains: [agglo.example]")
    app = sample_snapshot({"providers/metropole.yaml": narrower}).apps["permis"]
    passage = decided_at_once(app, ("",), "GET", there)
    assert isinstance(passage.decision, Challenge)
    assert passage.decision.reason is policy_codes.PROVIDER
    public = decided_at_once(app, ("public", ""), "GET", there)
    assert isinstance(public.prepared, Prepared)
    assert public.prepared.headers == b""


def test_what_cannot_be_said_to_the_application_is_a_refusal_that_names_the_header() -> None:
    passage = decided_at_once(APP, ("",), "GET", person(uid=("helene", "x")))
    assert isinstance(passage.decision, Deny)
    assert (passage.decision.reason, passage.prepared) == (translation_codes.SEVERAL, None)
    assert passage.decision.detail == "X-Remote-User: 2 values and no `join`"


def test_an_app_that_injects_nothing_injects_nothing() -> None:
    app = sample_snapshot(
        {"apps/permis.yaml": PERMIS.replace("translate:\n  headers:\n    X-Remote-User: {from: uid}\n", "")}
    ).apps["permis"]
    prepared = decided_at_once(app, ("",), "GET", person()).prepared
    assert isinstance(prepared, Prepared)
    assert (prepared.headers, prepared.cookies, app.translation.header_folds) == (b"", b"", frozenset())


# --- a stronger sign-in

CAN = METROPOLE.replace("can: [fresh_login, acr, amr]", "can: [fresh_login, acr]")
STRONG = sample_snapshot({
    "providers/metropole.yaml": CAN,
    "apps/permis.yaml": PERMIS.replace(
        "{group: administrateurs}", "{all: [{group: administrateurs}, {acr_min: eidas2}, {max_age: 15m}]}"
    ),
}).apps["permis"]  # fmt: skip
NOW = 1_800_000_000


def asked(identity: Identity | None, later: float = 0) -> Decision:
    facts = Facts("GET", None, RequestFacts(None, (), "/admin/", "", NOW + later))
    return decided_at_once(STRONG, ("admin", ""), "GET", identity, facts).decision


def test_a_session_that_is_not_strong_enough_is_told_what_would_be() -> None:
    weak = replace(person(), acr="eidas1", authenticated_at=NOW)
    decision = asked(weak)
    assert isinstance(decision, Challenge)
    assert (decision.reason, decision.need) == (session_codes.TOO_WEAK, Need(level="eidas2"))
    strong = replace(weak, acr="eidas2")
    assert isinstance(asked(strong), Allow)
    late = asked(strong, 901)
    assert isinstance(late, Challenge)
    assert late.need == Need(max_age=900)


@pytest.mark.parametrize(
    "condition", ["{claim: {name: groups, matches: '[a-z]+'}}", "{query: {name: id, exists: true}}"]
)
def test_the_conditions_of_one_decision_are_bounded_together(condition: str) -> None:
    """A person of many groups, or a request of many parameters, does not hold up other applications."""
    allow = "{any: [" + ", ".join([condition] * 100) + "]}"
    app = sample_snapshot({"apps/permis.yaml": PERMIS.replace("allow: signed_in", f"allow: {allow}")}).apps["permis"]
    many = replace(person(), attributes={"groups": tuple(f"{number}-a" for number in range(1000))})
    query = "&".join(f"a{number}=b" for number in range(900))
    facts = Facts("GET", None, RequestFacts(None, (), "/x", query, NOW))
    decision = decided_at_once(app, ("x",), "GET", many, facts).decision
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.EXPRESSION
    assert decision.detail.startswith("the conditions of this path could take over 2,000,000 steps")


REALISTIC = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {url: http://127.0.0.1:9001}
providers: [metropole]
access:
  - path: /**
    allow:
      any:
        - {group: "CN=urbanisme,OU=Groupes,DC=metropole,DC=example"}
        - {claim: {name: groups, matches: "CN=.*-instructeurs,OU=Groupes,(OU=[A-Za-z ]+,)*DC=metropole,DC=example"}}
        - {claim: {name: groups, in: ["CN=elus,DC=metropole,DC=example", "CN=dgs,DC=metropole,DC=example"]}}
        - {claim: {name: mail, suffix: "@ville.example"}}
    deny: {group: "CN=suspendus,OU=Groupes,DC=metropole,DC=example"}
  - {path: /public/**, allow: anyone}
  - path: /admin/**
    allow: {all: [{when: "user.groups.exists(g, g.startsWith('CN=admin'))"}, {header: {name: X-Mode, equals: a}}]}
    deny: {not: {network: [10.0.0.0/8, 192.0.2.0/24]}}
  - path: /admin/export/**
    allow: {all: [{when: "size(user.groups) > 3 && 'CN=export' in user.groups"}, {query: {name: form, in: [csv]}}]}
    deny: {claim: {name: groups, matches: "CN=stagiaires-[0-9]{4},.*"}}
"""


@pytest.mark.parametrize("number", [200, 1000, 4096])
@pytest.mark.parametrize("path", [("x",), ("admin", "x"), ("admin", "export", "x")])
def test_a_person_of_many_groups_is_never_too_much_for_usual_rules(number: int, path: tuple[str, ...]) -> None:
    app = sample_snapshot({"apps/permis.yaml": REALISTIC}).apps["permis"]
    name = "CN=application-{:04}-lecteurs-et-redacteurs,OU=Groupes,OU=Direction du SI,DC=metropole,DC=example"
    groups = tuple(map(name.format, range(number)))
    many = replace(person(), attributes={"groups": groups, "mail": ("v.martin@metropole.example",)})
    query = "&".join(f"champ_{at}=valeur%20{at}" for at in range(60))
    headers = tuple((f"x-{at}", "a" * 200) for at in range(40))
    request = RequestFacts(IPv4Address("192.0.2.1"), headers, "/x", query, NOW)
    decision = decided_at_once(app, path, "GET", many, Facts("GET", None, request)).decision
    assert isinstance(decision, Deny)
    assert decision.reason is policy_codes.NOT_ALLOWED


def test_an_age_is_told_anew_for_each_request() -> None:
    """Invariant: what depends on time is never kept beyond its end."""
    strong = replace(person(), acr="eidas2", authenticated_at=NOW)
    question = Question(AppIdentity(STRONG, strong, 0.0, 0.0), STRONG.routes.find(("admin", "")), "GET")
    assert question.turns_on_request
    at = [RequestFacts(None, (), "/admin/", "", NOW + later) for later in (0, 900, 901, 0)]
    assert [type(question.decision(each)) for each in at] == [Allow, Allow, Challenge, Allow]


def test_a_sign_in_is_not_asked_for_where_it_would_not_help() -> None:
    """Invariant 10: a signed-in but refused person gets 403, never a redirect."""
    nobody = Identity("metropole", "http://127.0.0.1:9400", "p", {"groups": ("ONDE",)}, acr="eidas1")
    assert isinstance(asked(nobody), Deny)


def test_who_is_not_signed_in_is_told_at_once_what_nobody_is_let_in_without() -> None:
    strongly = Need(level="eidas2", max_age=900)
    for who, reason in (
        (None, session_codes.REQUIRED),
        (replace(person("autre"), acr="eidas3"), policy_codes.PROVIDER),
    ):
        decision = asked(who)
        assert isinstance(decision, Challenge)
        assert (decision.reason, decision.need) == (reason, strongly)
    elsewhere = decided_at_once(APP, ("",), "GET", None).decision
    assert isinstance(elsewhere, Challenge)
    assert elsewhere.need == NO_NEED
