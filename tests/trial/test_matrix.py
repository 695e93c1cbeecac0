from gateway.config.snapshot import Snapshot
from gateway.trial.matrix import People, Somebody, requests_of
from gateway.trial.request import Circumstances, parse_request
from gateway.trial.trial import try_request
from tests.trial.samples import OUVERT, shadowed, snapshot

SNAPSHOT = snapshot()


def everybody(snapshot: Snapshot) -> dict[str, Somebody]:
    people = People([snapshot], [])
    return {person.name: person for request in requests_of([snapshot], []) for person in people.before(request)}


def test_each_pattern_gives_a_request_for_each_method() -> None:
    found = [request.text for request in requests_of([SNAPSHOT], [])]
    assert "GET http://ouvert.localhost:8080/dossiers/x" in found
    assert "POST http://ouvert.localhost:8080/comptes/x" in found
    assert "GET http://permis.localhost:8080/admin/x" in found
    assert len(found) == len(set(found))


def test_each_provider_gives_people_with_the_values_that_rules_name() -> None:
    people = everybody(SNAPSHOT)
    assert people["nobody"] == Somebody("nobody", None)
    assert {"somebody of metropole", "somebody of metropole, groups ONDE", "somebody of departement"} <= set(people)
    known = people["somebody of metropole, groups ONDE"].known(SNAPSHOT)
    assert known is not None
    assert known.identity.attributes == {"groups": ("ONDE",)}


def test_what_is_derived_meets_the_rules_that_it_comes_from() -> None:
    outcomes = set()
    for request in requests_of([SNAPSHOT], []):
        for who in People([SNAPSHOT], []).before(request):
            tried = try_request(SNAPSHOT, request, who.known(SNAPSHOT), Circumstances(0.0))
            outcomes.add((tried.outcome, "" if tried.rule is None else tried.rule.path))
    assert {path for _, path in outcomes} == {
        rule.ref.path for app in SNAPSHOT.apps.values() for rule in app.routes.rules()
    }
    assert {outcome for outcome, _ in outcomes} == {"allow", "deny", "challenge"}


def test_what_a_shadow_alone_speaks_of_is_tried_too() -> None:
    beside = shadowed()
    assert "GET http://ouvert.localhost:8080/plans" in [request.text for request in requests_of([beside], [])]
    assert "somebody of metropole, mandates maire" in everybody(beside)


def test_people_of_organisations_and_domains_that_rules_name_as_far_as_they_may_be_announced() -> None:
    rules = """\
  - {path: /a, allow: {tenant: {siren: ["215903501"]}}}
  - {path: /b, allow: {claim: {name: mail, suffix: "@metropole.example"}}}
  - {path: /c, allow: {claim: {name: mail, suffix: "@departement.example"}}}
"""
    snapshot = shadowed(OUVERT + rules)
    people = everybody(snapshot)
    known = people["somebody of metropole, siret 21590350100017"].known(snapshot)
    assert known is not None
    assert known.tenant == "21590350100017"
    assert "somebody of metropole, mail somebody@metropole.example" in people
    assert "somebody of metropole, mail somebody@departement.example" not in people


def test_an_application_is_tried_with_those_whom_its_own_rules_speak_of() -> None:
    people = People([SNAPSHOT], [])

    def named(url: str) -> set[str]:
        return {person.name for person in people.before(parse_request(f"GET {url}"))}

    ours, theirs = named("http://ouvert.localhost:8080/"), named("http://permis.localhost:8080/")
    assert (
        {"nobody", "somebody of metropole", "somebody of departement"} == ours & theirs == named("http://no.localhost/")
    )
    assert "somebody of metropole, groups ONDE" in ours - theirs
    assert "somebody of metropole, groups administrateurs" in theirs - ours
    assert named("http://a..b/") == named("http://no.localhost/")
