"""A trial says what the data plane does: each request goes through its own lane too."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import count, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.outcome import Forward, Refuse, RequireSignIn
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pools import Pools
from gateway.trial.people import Known
from gateway.trial.request import Circumstances, circumstances_of, parse_request
from gateway.trial.trial import Tried, try_request
from tests.trial.samples import NOW, person, shadowed, snapshot

SNAPSHOT = snapshot()
PAUL = person(uid=("paul",), groups=("ONDE",))
PEOPLE = {
    "nobody": None,
    "paul": person(uid=("paul",), groups=("ONDE",), family_name=("Rivière",), mail=("paul@metropole.example",)),
    "zoé": person(uid=("zoe",), groups=("externes", "ONDE"), uai=("a", "b")),
    "œ": person(uid=("x",), groups=("ONDE",), family_name=("Lebœuf",)),
    "abroad": person("departement", uid=("d",), groups=("ONDE",)),
}
REQUESTS = [
    "GET http://ouvert.localhost/",
    "HEAD http://ouvert.localhost:8080/MENU;jsessionid=1?a=b",
    "POST http://ouvert.localhost/menu",
    "GET http://a.ouvert.localhost//dossiers//1",
    "GET http://ouvert.localhost/dossiers/1/2",
    "DELETE http://ouvert.localhost/comptes/1",
    "POST http://ouvert.localhost/comptes/1",
    "GET http://ouvert.localhost/a%2fb",
    "GET http://ouvert.localhost/../admin",
    "GET http://permis.localhost//admin",
    "GET http://permis.localhost/admin/é",
    "GET http://permis.localhost/public",
    "TRACE http://permis.localhost/",
    "GET http://permis.localhost/_ECLUSE/session",
    "GET http://permis.localhost/" + "a" * 9000,
    "GET http://ouvert.localhost/quitter",
    "POST http://ouvert.localhost/Session/ferm%C3%A9e",
    "GET http://portail.localhost/",
    "GET http://portail.localhost/_ecluse/",
    "GET http://nowhere.localhost/",
    "GET http://-.localhost/",
]


def by_the_data_plane(text: str, person: Known | None) -> tuple[str, str]:
    """Outcome and reason, as the proxy's own parts have them."""
    asked = parse_request(text)
    try:
        lane = RequestTables(SNAPSHOT, _NO_POOLS, count(1)).find(asked.authority).lane
        line = lane.read_line(b"%b %b HTTP/1.1" % (asked.method.encode(), asked.target))
    except GatewayError as error:
        return "refuse", error.code.id
    if line.purpose == "reserved":
        return "refuse", "route.reserved"
    if line.purpose != "application":
        return "own" if line.purpose == "endpoint" else "logout", ""
    seat = None if person is None else person_seat(person)
    match lane.compile(line, seat, 0.0):
        case Forward(decision=decision):
            return "allow", decision.reason.id
        case Refuse(code=code):
            return "deny", code.id
        case RequireSignIn(decision=required):
            return "challenge", required.reason.id
    raise AssertionError


def person_seat(person: Known) -> Seat:
    return Seat(b"c", "ouvert.localhost", "", person.identity, person.tenant, 0.0, 1e9, 1e9, 0.0)


class _Unconnected(Pools):
    def __init__(self) -> None:
        pass

    def of(self, upstream: object) -> None:  # type: ignore[override]
        return None


_NO_POOLS = _Unconnected()


def tried(text: str, who: str) -> Tried:
    return try_request(SNAPSHOT, parse_request(text), PEOPLE[who], NOW)


@pytest.mark.parametrize(("text", "who"), list(product(REQUESTS, PEOPLE)), ids=lambda value: value[:60])
def test_a_trial_says_what_the_data_plane_does(text: str, who: str) -> None:
    tried = try_request(SNAPSHOT, parse_request(text), PEOPLE[who], NOW)
    assert (tried.outcome, tried.reason) == by_the_data_plane(text, PEOPLE[who])


def test_a_request_that_names_another_method_is_judged_or_refused_as_the_data_plane_does() -> None:
    asked = parse_request("POST http://ouvert.localhost/comptes/1")
    sent = replace(NOW, headers=(("x-http-method-override", "delete"),))
    refused = try_request(SNAPSHOT, asked, PAUL, sent)
    assert (refused.outcome, refused.reason) == ("refuse", "wire.method_override")
    taking = snapshot(method_override=True)
    assert try_request(taking, asked, PAUL, sent).facts.method == "DELETE"
    by_query = parse_request("POST http://ouvert.localhost/comptes/1?_method=DELETE")
    assert try_request(taking, by_query, PAUL, NOW).facts.method == "DELETE"
    assert try_request(taking, asked, PAUL, replace(NOW, headers=(("x_http_method", "PUT"),))).outcome == "refuse"


def test_the_requests_above_meet_every_outcome() -> None:
    met = {try_request(SNAPSHOT, parse_request(text), who, NOW).outcome for text in REQUESTS for who in PEOPLE.values()}
    assert met == {"allow", "deny", "challenge", "refuse", "own", "logout"}


SEGMENTS = ("menu", "MENU", "dossiers", "comptes", "quitter", "session", "1", "é", "_ecluse", "..", "%2f", "a;b=1", "")
GENERATED = st.builds(
    "{} http://{}.localhost/{}{}".format,
    st.sampled_from(["GET", "HEAD", "POST", "DELETE", "TRACE"]),
    st.sampled_from(["ouvert", "a.ouvert", "permis", "portail", "nowhere"]),
    st.lists(st.sampled_from(SEGMENTS), max_size=4).map("/".join),
    st.sampled_from(["", "?a=b", "?_method=DELETE"]),
)


@given(GENERATED, st.sampled_from(sorted(PEOPLE)))
def test_whatever_is_asked_a_trial_and_the_data_plane_come_to_the_same(text: str, who: str) -> None:
    assert (tried(text, who).outcome, tried(text, who).reason) == by_the_data_plane(text, PEOPLE[who])


def test_who_is_let_in_comes_with_what_the_application_is_told() -> None:
    let_in = tried("GET http://ouvert.localhost/", "paul")
    assert let_in.headers == {"X-Remote-User": "paul", "ctln": "Rivière", "X-Groups": "T05ERQ=="}
    assert let_in.cookies == {"SEEN": "present"}
    assert let_in.rule is not None
    assert (let_in.rule.file, let_in.rule.path) == ("policies/apps/ouvert.yaml", "/**")
    assert tried("GET http://ouvert.localhost/menu", "nobody").headers == {}


def test_who_is_refused_comes_with_the_reason() -> None:
    refused = tried("POST http://ouvert.localhost/comptes/1", "nobody")
    assert (refused.outcome, refused.reason) == ("challenge", "session.required")
    unencodable = tried("GET http://ouvert.localhost/", "œ")
    assert (unencodable.outcome, unencodable.reason) == ("deny", "translation.unencodable")
    assert unencodable.detail == "ctln: U+0153 is not in ISO 8859-1"
    assert not unencodable.headers
    abroad = tried("GET http://ouvert.localhost/", "abroad")
    assert (abroad.outcome, abroad.reason) == ("challenge", "policy.provider")


def test_the_path_is_the_one_that_rules_meet() -> None:
    assert tried("HEAD http://ouvert.localhost/MENU;jsessionid=1", "nobody").segments == ("menu",)
    assert tried("GET http://ouvert.localhost//dossiers//1", "paul").segments == ("dossiers", "1")


# --- what else a request has ------------------------------------------------------------------------------------------


def test_rules_are_held_against_the_circumstances_as_the_data_plane_tells_them() -> None:
    sent = {"X-Remote_User": "eve", "X-Forwarded-For": "192.0.2.9", "Accept": "*/*"}
    circumstances = circumstances_of(NOW.now, "192.0.2.1", sent, None)
    acting = replace(PAUL.identity, attributes={**PAUL.identity.attributes, "siret": ("21590350100017",)})
    who = replace(PAUL, identity=acting, tenant="21590350100017")
    facts = try_request(SNAPSHOT, parse_request("GET http://ouvert.localhost/DOSSIERS/1?a=b"), who, circumstances).facts
    assert (facts.method, facts.tenant) == ("GET", "21590350100017")
    assert facts.asked == RequestFacts(IPv4Address("192.0.2.1"), (("accept", "*/*"),), "/dossiers/1", "a=b", NOW.now)
    assert circumstances_of(NOW.now, None, {}, "1970-01-01T01:00:01+01:00") == Circumstances(1.0)


def test_an_allow_comes_with_the_facts_that_it_rests_on() -> None:
    assert tried("GET http://ouvert.localhost/?a=b", "paul").facts.asked is not None


def test_what_a_shadow_would_have_come_to_stands_beside_and_changes_nothing() -> None:
    live, beside = snapshot(), shadowed()
    for path, who in (("/dossiers/1", PAUL), ("/dossiers/1", None), ("/plans", None), ("/menu", PAUL)):
        asked = parse_request(f"GET http://ouvert.localhost{path}")
        (without, tried) = (try_request(one, asked, who, NOW) for one in (live, beside))
        assert (without.outcome, without.rule, without.headers) == (tried.outcome, tried.rule, tried.headers)
        assert (without.shadows, len(tried.shadows)) == ((), 1)
    tried = try_request(beside, parse_request("GET http://ouvert.localhost/plans"), PAUL, NOW)
    assert tried.rule is not None
    (shadow,) = tried.shadows
    assert (tried.rule.path, shadow.outcome, shadow.rule and shadow.rule.path) == ("/**", "allow", "/plans")
    assert tried.differing() == ()
